//! A seeded simulation of agents that work through a project's tasks (M-20 … M-22), told as operations of a run.
//!
//! Time is virtual: nothing waits. Not here: recording, wall clocks. Invariant: the same settings and seed give
//! the same operations at the same distances from the start; every agent asked for is there, whatever the
//! number.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use serde_json::{Value, json};
use trialbook_model::id::RunUid;
use trialbook_model::record::{Event, Op, Param, ParamKind, Points, Progress, SeriesKey, Subject};

/// Virtual microseconds in a second.
const SECOND: i64 = 1_000_000;
/// Between two looks at the project's state.
const SAMPLE: i64 = 30 * SECOND;

/// Kinds of agents, in round robin.
const KINDS: [&str; 5] = ["backend", "frontend", "devops", "quality", "documentation"];
const SEVERITIES: [&str; 3] = ["low", "medium", "high"];
const ARTIFACTS: [&str; 4] = ["specification", "api", "design", "documentation"];
const DECISIONS: [&str; 4] = [
    "keep sessions in the database",
    "split the timeline into its own service",
    "cache the follower lists",
    "version the interface from the start",
];

/// How much there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complexity {
    /// 10 tasks.
    Prototype,
    /// 25 tasks.
    Standard,
    /// 60 tasks.
    Enterprise,
}

impl Complexity {
    /// The word used in every face.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Prototype => "prototype",
            Self::Standard => "standard",
            Self::Enterprise => "enterprise",
        }
    }

    /// How many tasks it makes.
    pub const fn tasks(self) -> u64 {
        match self {
            Self::Prototype => 10,
            Self::Standard => 25,
            Self::Enterprise => 60,
        }
    }
}

/// Conditions that are simulated; all are off in a baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a condition of its own"
)]
pub struct Conditions {
    /// Tasks that are held up.
    pub blockers: bool,
    /// Files that come of tasks.
    pub artifacts: bool,
    /// Decisions.
    pub decisions: bool,
    /// Questions before a task.
    pub context_requests: bool,
}

/// What is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swarm {
    /// How many agents, at least one.
    pub agents: u64,
    /// What kind of project.
    pub complexity: Complexity,
    /// How many tasks it has.
    pub tasks: u64,
    /// What may happen on the way.
    pub conditions: Conditions,
    /// The seed of all chance.
    pub seed: u64,
}

/// Something that is said, so many virtual microseconds after the start.
pub type Said = (i64, Op);

/// Deterministic chance: SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0, below 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn happens(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let at = (self.share() * words.len() as f64) as usize;
        words.get(at).or(words.last()).copied().unwrap_or_default()
    }
}

/// What is known of the project as time goes on.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    begun: u64,
    completed: u64,
    blockers: u64,
    artifacts: u64,
    decisions: u64,
    requests: u64,
}

impl Swarm {
    /// The params of the run (M-21).
    pub fn params(&self) -> Vec<(String, Param)> {
        let number = |value: u64| Param {
            text: value.to_string(),
            kind: ParamKind::Number,
        };
        let flag = |value: bool| Param {
            text: value.to_string(),
            kind: ParamKind::Bool,
        };
        let Conditions {
            blockers,
            artifacts,
            decisions,
            context_requests,
        } = self.conditions;
        [
            ("num_agents", number(self.agents)),
            ("complexity", Param::text(self.complexity.word())),
            ("enable_blockers", flag(blockers)),
            ("enable_artifacts", flag(artifacts)),
            ("enable_decisions", flag(decisions)),
            ("enable_context_requests", flag(context_requests)),
            ("project_type", Param::text("twitter_clone")),
            ("total_tasks_created", number(self.tasks)),
        ]
        .map(|(name, param)| (name.to_owned(), param))
        .to_vec()
    }

    /// Everything that happens, in the order of time, and when it ends.
    pub fn play(&self, run: RunUid) -> (Vec<Said>, i64) {
        let mut play = Play {
            swarm: *self,
            run,
            chance: Chance(self.seed),
            said: Vec::new(),
            state: State::default(),
            step: 0,
        };
        let end = play.whole();
        // Agents work side by side: what they said is put into the order of time.
        play.said.sort_by_key(|(at, _)| *at);
        (play.said, end)
    }
}

struct Play {
    swarm: Swarm,
    run: RunUid,
    chance: Chance,
    said: Vec<Said>,
    state: State,
    step: i64,
}

impl Play {
    fn whole(&mut self) -> i64 {
        let agents = self.swarm.agents.max(1);
        let mut free: BinaryHeap<Reverse<(i64, u64)>> = BinaryHeap::new();
        for agent in 0..agents {
            let kind = KINDS[(agent % KINDS.len() as u64) as usize];
            let data = json!({"agent_id": agent_name(agent), "agent_type": kind});
            self.event(0, "agent_registered", None, data);
            free.push(Reverse((0, agent)));
        }
        // Ends of tasks that are under way, for the samples in between.
        let mut ends: BinaryHeap<Reverse<i64>> = BinaryHeap::new();
        let mut sampled = 0;
        let mut last = 0;
        for task in 1..=self.swarm.tasks {
            let Some(Reverse((now, agent))) = free.pop() else {
                break;
            };
            while sampled <= now {
                self.sample(sampled, &mut ends);
                sampled += SAMPLE;
            }
            let end = self.task(task, agent, now);
            ends.push(Reverse(end));
            free.push(Reverse((end, agent)));
            last = last.max(end);
        }
        while sampled < last {
            self.sample(sampled, &mut ends);
            sampled += SAMPLE;
        }
        self.sample(last, &mut ends);
        self.totals(last);
        last
    }

    /// One task from its beginning to its end.
    fn task(&mut self, task: u64, agent: u64, begin: i64) -> i64 {
        let (id, agent) = (format!("task-{task:03}"), agent_name(agent));
        let conditions = self.swarm.conditions;
        if conditions.context_requests && self.chance.happens(0.30) {
            self.state.requests += 1;
            let data = json!({"agent_id": agent, "task_id": id, "context_type": "task_context"});
            self.event(begin, "context_request", None, data);
        }
        let data = json!({"task_id": id, "agent_id": agent});
        self.event(begin, "task_start", None, data);
        self.state.begun += 1;
        // One draw, worked twice.
        let draw = 0.5 + 1.5 * self.chance.share();
        let mut seconds = 2.0 * draw;
        if conditions.blockers && self.chance.happens(0.15) {
            self.state.blockers += 1;
            seconds += 2.0;
            let severity = self.chance.one_of(&SEVERITIES);
            let data = json!({
                "agent_id": agent, "task_id": id,
                "description": "waits for another service",
            });
            self.event(begin + SECOND / 2, "blocker", Some(severity), data);
        }
        let end = begin + micros(seconds);
        if conditions.artifacts && self.chance.happens(0.25) {
            self.state.artifacts += 1;
            let kind = self.chance.one_of(&ARTIFACTS);
            let data = json!({
                "task_id": id, "agent_id": agent, "artifact_type": kind,
                "filename": format!("{id}-{kind}.md"),
            });
            self.event(end, "artifact", None, data);
        }
        if conditions.decisions && self.chance.happens(0.20) {
            self.state.decisions += 1;
            let decision = self.chance.one_of(&DECISIONS);
            let data = json!({"agent_id": agent, "task_id": id, "decision": decision});
            self.event(end, "decision", None, data);
        }
        // What was estimated before is off by up to a half either way.
        let estimated = seconds * (0.5 + self.chance.share()) / 3600.0;
        let data = json!({
            "task_id": id, "agent_id": agent, "status": "completed",
            "duration_seconds": seconds,
            "estimated_hours": estimated, "actual_hours": seconds / 3600.0,
        });
        self.event(end, "task_end", None, data);
        end
    }

    /// The project's state at a moment (M-13).
    fn sample(&mut self, at: i64, ends: &mut BinaryHeap<Reverse<i64>>) {
        while ends.peek().is_some_and(|Reverse(end)| *end <= at) {
            ends.pop();
            self.state.completed += 1;
        }
        let (total, completed) = (self.swarm.tasks as f64, self.state.completed as f64);
        let hours = at as f64 / SECOND as f64 / 3600.0;
        let in_progress = (self.state.begun - self.state.completed) as f64;
        let percent = if total > 0.0 {
            completed / total * 100.0
        } else {
            0.0
        };
        let mut values = vec![
            ("total_tasks", total),
            ("completed_tasks", completed),
            ("in_progress_tasks", in_progress),
            ("blocked_tasks", 0.0),
            ("progress_percent", percent),
        ];
        if hours > 0.0 {
            values.push(("velocity", completed / hours));
        }
        self.points(at, &values);
        let progress = Progress {
            run: self.run,
            done: completed,
            total: Some(total),
            stage: Some("tasks".to_owned()),
        };
        self.said.push((at, Op::Progress(progress)));
    }

    /// The final counters (M-16).
    fn totals(&mut self, at: i64) {
        let state = self.state;
        self.points(
            at,
            &[
                ("final_blocker_count", state.blockers as f64),
                ("final_artifact_count", state.artifacts as f64),
                ("final_decision_count", state.decisions as f64),
                ("final_context_requests", state.requests as f64),
            ],
        );
    }

    fn points(&mut self, at: i64, values: &[(&str, f64)]) {
        let step = self.step;
        self.step += 1;
        let points = Points {
            subject: Subject::Run(self.run),
            step,
            // Whoever records it knows when the start was.
            time: trialbook_model::time::Timestamp(at),
            set: false,
            values: values
                .iter()
                .map(|(key, value)| (SeriesKey::plain(*key), *value))
                .collect(),
        };
        self.said.push((at, Op::Points(points)));
    }

    fn event(&mut self, at: i64, kind: &str, severity: Option<&str>, data: Value) {
        let event = Event {
            subject: Subject::Run(self.run),
            kind: kind.to_owned(),
            severity: severity.map(str::to_owned),
            text: String::new(),
            data,
            step: None,
        };
        self.said.push((at, Op::Event(event)));
    }
}

fn agent_name(agent: u64) -> String {
    format!("agent-{:03}", agent + 1)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "tasks take seconds, not centuries"
)]
fn micros(seconds: f64) -> i64 {
    (seconds * SECOND as f64).round() as i64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn swarm(agents: u64, conditions: Conditions) -> Swarm {
        Swarm {
            agents,
            complexity: Complexity::Standard,
            tasks: Complexity::Standard.tasks(),
            conditions,
            seed: 7,
        }
    }

    const EVERYTHING: Conditions = Conditions {
        blockers: true,
        artifacts: true,
        decisions: true,
        context_requests: true,
    };

    fn events<'a>(said: &'a [Said], kind: &'a str) -> impl Iterator<Item = &'a Event> {
        said.iter().filter_map(move |(_, op)| {
            if let Op::Event(event) = op {
                (event.kind == kind).then_some(event)
            } else {
                None
            }
        })
    }

    fn last(said: &[Said], name: &str) -> Option<f64> {
        let points = said.iter().filter_map(|(_, op)| {
            if let Op::Points(points) = op {
                Some(&points.values)
            } else {
                None
            }
        });
        let mut of_it = points.flatten().filter(|(key, _)| key.key == name);
        of_it.next_back().map(|(_, value)| *value)
    }

    #[test]
    fn a_baseline_completes_all_tasks_and_nothing_else_happens() {
        let (said, end) = swarm(4, Conditions::default()).play(RunUid::default());
        assert_eq!(events(&said, "task_end").count(), 25);
        for kind in ["blocker", "artifact", "decision", "context_request"] {
            assert_eq!(events(&said, kind).count(), 0, "{kind}");
        }
        assert_eq!(last(&said, "completed_tasks"), Some(25.0));
        assert_eq!(last(&said, "progress_percent"), Some(100.0));
        assert_eq!(last(&said, "final_blocker_count"), Some(0.0));
        // 25 tasks of 1 to 4 seconds over 4 agents.
        assert!((6 * SECOND..30 * SECOND).contains(&end), "{end}");
    }

    #[test]
    fn conditions_make_what_they_say() {
        let mut many = swarm(12, EVERYTHING);
        many.tasks = 2000;
        let (said, _) = many.play(RunUid::default());
        for (kind, share) in [
            ("blocker", 0.15),
            ("artifact", 0.25),
            ("decision", 0.20),
            ("context_request", 0.30),
        ] {
            let found = events(&said, kind).count() as f64 / 2000.0;
            assert!((found - share).abs() < 0.04, "{kind}: {found}");
        }
        let severities: BTreeSet<&str> = events(&said, "blocker")
            .filter_map(|event| event.severity.as_deref())
            .collect();
        assert_eq!(severities.len(), 3);
        let blockers = events(&said, "blocker").count() as f64;
        assert_eq!(last(&said, "final_blocker_count"), Some(blockers));
    }

    proptest! {
        #[test]
        fn every_agent_is_there_and_the_same_seed_gives_the_same(
            agents in 1_u64..40, tasks in 0_u64..50, seed: u64, all: bool,
        ) {
            let conditions = if all { EVERYTHING } else { Conditions::default() };
            let swarm = Swarm { agents, tasks, seed, conditions, complexity: Complexity::Prototype };
            let (said, end) = swarm.play(RunUid::default());
            prop_assert_eq!(&said, &swarm.play(RunUid::default()).0);
            let names: BTreeSet<String> = events(&said, "agent_registered")
                .map(|event| event.data["agent_id"].to_string())
                .collect();
            prop_assert_eq!(names.len() as u64, agents);
            prop_assert_eq!(last(&said, "completed_tasks"), Some(tasks as f64));
            prop_assert!(said.is_sorted_by_key(|(at, _)| *at));
            prop_assert!(said.iter().all(|(at, _)| *at <= end));
        }
    }
}
