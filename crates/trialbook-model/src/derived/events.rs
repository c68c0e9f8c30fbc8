//! The folds over a run's events: tasks, agents, blockers, artifacts, decisions, requests (M-6 … M-11).
//!
//! Not here: velocity and progress, items. Invariant: a task's own figures come from its latest end and its latest start before
//! it; counts and means of given durations are over all ends, so that no cap changes them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fold::{Capped, Latest, Mean, Merge, Order, count};
use super::{MOST_AGENTS, MOST_TASKS, MOST_TYPES, Truncation, Values};
use crate::record::Event;
use crate::status::RunStatus;
use crate::time::Timestamp;

/// The latest end of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct TaskEnd {
    at: Timestamp,
    completed: bool,
    /// Seconds, as given; finite and not negative.
    seconds: Option<f64>,
    /// In (0, 1].
    accuracy: Option<f64>,
    agent: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Task {
    started: Latest<Timestamp>,
    ended: Latest<TaskEnd>,
}

impl Task {
    /// Seconds from the latest start to the latest end, where the end does not say its duration.
    fn paired_seconds(&self) -> Option<f64> {
        let end = self.ended.get().filter(|end| end.seconds.is_none())?;
        if self.started.order()? > self.ended.order()? {
            return None;
        }
        seconds_between(*self.started.get()?, end.at)
    }
}

impl Merge for Task {
    fn merge(&mut self, other: &Self) {
        self.started.merge(&other.started);
        self.ended.merge(&other.ended);
    }
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Agent {
    ended: u64,
    completed: u64,
    seconds: Mean,
}

impl Merge for Agent {
    fn merge(&mut self, other: &Self) {
        count(&mut self.ended, other.ended);
        count(&mut self.completed, other.completed);
        self.seconds.merge(&other.seconds);
    }
}

/// Everything derived from events.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Events {
    task_starts: u64,
    task_ends: u64,
    tasks_completed: u64,
    /// Given durations of completed tasks.
    seconds: Mean,
    tasks: Capped<Task, MOST_TASKS>,
    agents: Capped<Agent, MOST_AGENTS>,
    blockers: Capped<(), MOST_TYPES>,
    artifacts: Capped<(), MOST_TYPES>,
    contexts: Capped<(), MOST_TYPES>,
    total_blockers: u64,
    total_artifacts: u64,
    total_contexts: u64,
    total_decisions: u64,
}

impl Merge for Events {
    fn merge(&mut self, other: &Self) {
        count(&mut self.task_starts, other.task_starts);
        count(&mut self.task_ends, other.task_ends);
        count(&mut self.tasks_completed, other.tasks_completed);
        self.seconds.merge(&other.seconds);
        self.tasks.merge(&other.tasks);
        self.agents.merge(&other.agents);
        self.blockers.merge(&other.blockers);
        self.artifacts.merge(&other.artifacts);
        self.contexts.merge(&other.contexts);
        count(&mut self.total_blockers, other.total_blockers);
        count(&mut self.total_artifacts, other.total_artifacts);
        count(&mut self.total_contexts, other.total_contexts);
        count(&mut self.total_decisions, other.total_decisions);
    }
}

impl Events {
    pub(super) fn observe(&mut self, order: Order, time: Timestamp, event: &Event) {
        let data = &event.data;
        match event.kind.as_str() {
            "task_start" => self.task_started(order, time, data),
            "task_end" => self.task_ended(order, time, data),
            "blocker" => {
                count(&mut self.total_blockers, 1);
                let severity = event.severity.clone().filter(|word| !word.is_empty());
                let severity = severity.or_else(|| text(data, &["severity"]));
                self.blockers.at(severity.as_deref().unwrap_or("medium"));
            }
            "artifact" => {
                count(&mut self.total_artifacts, 1);
                if let Some(kind) = text(data, &["artifact_type", "type"]) {
                    self.artifacts.at(&kind);
                }
            }
            "context_request" => {
                count(&mut self.total_contexts, 1);
                let kind = text(data, &["context_type", "type"]);
                self.contexts.at(kind.as_deref().unwrap_or("task_context"));
            }
            "decision" => count(&mut self.total_decisions, 1),
            _ => {}
        }
    }

    fn task_started(&mut self, order: Order, time: Timestamp, data: &Value) {
        count(&mut self.task_starts, 1);
        if let Some(id) = text(data, &["task_id", "task"])
            && let Some(task) = self.tasks.at(&id)
        {
            task.started
                .set(order, instant(data, "start_time").unwrap_or(time));
        }
    }

    fn task_ended(&mut self, order: Order, time: Timestamp, data: &Value) {
        let end = TaskEnd {
            at: instant(data, "end_time").unwrap_or(time),
            completed: is_completed(data),
            seconds: given_seconds(data),
            accuracy: estimation_accuracy(data),
            agent: text(data, &["agent_id", "agent"]),
        };
        count(&mut self.task_ends, 1);
        count(&mut self.tasks_completed, u64::from(end.completed));
        let seconds = end.seconds.filter(|_| end.completed);
        self.seconds.extend(seconds);
        if let Some(id) = &end.agent
            && let Some(agent) = self.agents.at(id)
        {
            count(&mut agent.ended, 1);
            count(&mut agent.completed, u64::from(end.completed));
            agent.seconds.extend(seconds);
        }
        if let Some(id) = text(data, &["task_id", "task"])
            && let Some(task) = self.tasks.at(&id)
        {
            task.ended.set(order, end);
        }
    }

    /// Completed tasks; `None` when no task was ever spoken of.
    pub(super) fn tasks_completed(&self) -> Option<u64> {
        (self.task_starts > 0 || self.task_ends > 0).then_some(self.tasks_completed)
    }

    pub(super) fn values(&self, out: &mut Values) {
        self.task_values(out);
        let totals = [
            ("total_blockers", self.total_blockers),
            ("total_artifacts", self.total_artifacts),
            ("total_decisions", self.total_decisions),
            ("total_context_requests", self.total_contexts),
        ];
        for (name, total) in totals {
            out.put(name, (total > 0).then_some(total as f64));
        }
        let kinds = [
            ("blocker_", &self.blockers),
            ("artifacts_", &self.artifacts),
            ("context_", &self.contexts),
        ];
        for (prefix, kinds) in kinds {
            for (kind, seen, ()) in kinds.iter() {
                out.put(&format!("{prefix}{kind}"), Some(seen as f64));
            }
        }
    }

    fn task_values(&self, out: &mut Values) {
        let completed = self.tasks_completed();
        out.put("total_tasks_completed", completed.map(|n| n as f64));
        let mut seconds = self.seconds.clone();
        let mut agents = self.agents.clone();
        for (id, _, task) in self.tasks.iter() {
            let Some(end) = task.ended.get().filter(|end| end.completed) else {
                continue;
            };
            let paired = task.paired_seconds();
            out.put(&format!("task_duration_{id}"), end.seconds.or(paired));
            out.put(&format!("estimation_accuracy_{id}"), end.accuracy);
            seconds.extend(paired);
            if let Some(agent) = end.agent.as_deref().and_then(|id| agents.held(id)) {
                agent.seconds.extend(paired);
            }
        }
        out.put("avg_task_duration", seconds.mean());
        for (id, _, agent) in agents.iter() {
            let name = |what: &str| format!("agent_{id}_{what}");
            out.put(&name("tasks_completed"), Some(agent.completed as f64));
            out.put(&name("avg_duration"), agent.seconds.mean());
            let share = agent.completed as f64 / agent.ended as f64;
            out.put(&name("success_rate"), (agent.ended > 0).then_some(share));
        }
    }

    pub(super) fn truncations(&self) -> impl Iterator<Item = Truncation> {
        [
            ("tasks", self.tasks.truncated()),
            ("task agents", self.agents.truncated()),
            ("blocker severities", self.blockers.truncated()),
            ("artifact types", self.artifacts.truncated()),
            ("context types", self.contexts.truncated()),
        ]
        .into_iter()
        .map(Truncation::from)
    }
}

/// Seconds from one instant to a later one; `None` where it is earlier.
pub(super) fn seconds_between(start: Timestamp, end: Timestamp) -> Option<f64> {
    let micros = end.0.checked_sub(start.0)?;
    (micros >= 0).then(|| micros as f64 / 1e6)
}

/// A field of an event's data as text, under the first name that has it.
fn text(data: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| match data.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    })
}

fn number(data: &Value, name: &str) -> Option<f64> {
    data.get(name)?.as_f64().filter(|value| value.is_finite())
}

fn instant(data: &Value, name: &str) -> Option<Timestamp> {
    Timestamp::parse(data.get(name)?.as_str()?).ok()
}

/// What the end of a task says of its duration, in seconds.
fn given_seconds(data: &Value) -> Option<f64> {
    let between = || {
        let start = instant(data, "start_time")?;
        seconds_between(start, instant(data, "end_time")?)
    };
    number(data, "duration_seconds")
        .or_else(|| number(data, "duration_ms").map(|ms| ms / 1000.0))
        .filter(|seconds| *seconds >= 0.0)
        .or_else(between)
}

/// min/max of the estimated and the actual hours, where both are positive (M-6).
fn estimation_accuracy(data: &Value) -> Option<f64> {
    let (estimated, actual) = (
        number(data, "estimated_hours")?,
        number(data, "actual_hours")?,
    );
    (estimated > 0.0 && actual > 0.0).then(|| estimated.min(actual) / estimated.max(actual))
}

/// An ended task is completed unless its status or an error says otherwise.
fn is_completed(data: &Value) -> bool {
    let failed = match data.get("error") {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Bool(true) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => true,
    };
    let word = data.get("status").and_then(Value::as_str).unwrap_or("");
    let status = RunStatus::parse(word);
    let unfinished = word.eq_ignore_ascii_case("timeout")
        || status.is_some_and(|status| status != RunStatus::Completed);
    !failed && !unfinished
}
