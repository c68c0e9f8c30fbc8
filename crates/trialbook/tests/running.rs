//! The verbs around running: validate, template, simulate, logs, status, cancel. The real binary.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it has to be"
)]

mod sandbox;

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sandbox::{Ended, PATH, Sandbox, on_path as say, read, write};
use serde_json::Value;

/// A process that is under way; it does not outlive its test.
struct Started(Option<Child>);

impl Started {
    fn new(sandbox: &Sandbox, words: &str) -> Self {
        let mut command = sandbox.command();
        command
            .env("PATH", PATH)
            .args(words.split(' '))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self(Some(command.spawn().unwrap()))
    }

    fn kill(&mut self) {
        let child = self.0.as_mut().unwrap();
        kill_process(Pid::from_child(child), Signal::KILL).unwrap();
        child.wait().unwrap();
    }

    fn end(mut self) -> Ended {
        read(self.0.take().unwrap().wait_with_output().unwrap())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

fn wait_for(what: &str, mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !happened() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a process runs; one that only waits to be reaped does not.
fn runs(sandbox: &Sandbox, file: &str) -> bool {
    let pid = fs::read_to_string(sandbox.work().join(file)).unwrap();
    fs::read_to_string(format!("/proc/{}/stat", pid.trim())).is_ok_and(|stat| {
        stat.rsplit_once(')')
            .is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
    })
}

fn status_of(sandbox: &Sandbox, run: &str) -> String {
    let document = say(sandbox, &format!("status {run} --json")).json();
    document["status"].as_str().unwrap().to_owned()
}

/// Trials that go on for ever, and tell of themselves first.
const ENDLESS: &str = "
experiment: {id: EXP-1, name: endless}
task:
  command:
    - sh
    - -c
    - |
      echo started {trial}
      echo '{{\"event\": \"progress\", \"done\": 1, \"total\": 4, \"stage\": \"map\"}}' >> \"$TRIALBOOK_METRICS_FILE\"
      sh -c 'echo $$ > inner-{trial}; while :; do sleep 0.05; done'
trials: 3
random_seed: 1
";

fn begin(sandbox: &Sandbox) -> Started {
    write(sandbox, "exp.yaml", ENDLESS);
    let running = Started::new(sandbox, "run exp.yaml --grace 5s");
    wait_for("the first trial", || {
        fs::read_to_string(sandbox.work().join("inner-1")).is_ok_and(|it| it.ends_with('\n'))
    });
    running
}

/// S-10.
#[test]
fn one_run_is_cancelled_and_the_others_go_on() {
    let sandbox = Sandbox::new();
    let running = begin(&sandbox);
    let cancelled = say(&sandbox, "cancel EXP-1/run-001");
    assert_eq!(cancelled.code, 0, "{cancelled:?}");
    assert!(
        cancelled.out.contains("run EXP-1/run-001 is cancelled"),
        "{cancelled:?}"
    );
    wait_for("the death of the group", || !runs(&sandbox, "inner-1"));
    let document = say(&sandbox, "show EXP-1/run-001 --json").json();
    assert_eq!(document["error"]["kind"], "cancelled");
    assert!(
        document["error"]["message"]
            .as_str()
            .unwrap()
            .contains("tester@")
    );
    wait_for("the second trial", || {
        sandbox.work().join("inner-2").exists()
    });
    let whole = say(&sandbox, "cancel EXP-1 --json").json();
    let how: Vec<&Value> = whole["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["status"])
        .collect();
    assert_eq!(how, ["cancelled", "cancelled"]);
    let ended = running.end();
    assert_eq!(ended.code, 11, "nothing completed: {ended:?}");
    assert!(
        ended.err.contains("run-003  default #3  cancelled"),
        "{ended:?}"
    );
    assert!(!sandbox.work().join("inner-3").exists(), "it never began");
    let refused = say(&sandbox, "cancel EXP-1/run-001").failed(6);
    assert!(refused.contains("has ended"), "{refused}");
    assert_eq!(say(&sandbox, "cancel EXP-1").code, 6);
    assert_eq!(say(&sandbox, "cancel nobody").code, 3);
    let left = fs::read_dir(sandbox.book().join("requests")).unwrap();
    assert_eq!(left.count(), 0, "no request stays");
    // What was cancelled is done when it is asked for again.
    let plan = say(&sandbox, "run exp.yaml --dry-run --json").json();
    assert_eq!(plan["runs"][0]["reason"], "cancelled");
}

#[test]
fn a_run_whose_wrapper_was_killed_is_closed() {
    let sandbox = Sandbox::new();
    let mut running = begin(&sandbox);
    // What it prints is recorded once the guard knows of it.
    wait_for("its output", || {
        say(&sandbox, "logs EXP-1/run-001")
            .out
            .contains("started 1")
    });
    running.kill();
    wait_for("the death of the group", || !runs(&sandbox, "inner-1"));
    assert_eq!(
        status_of(&sandbox, "EXP-1/run-001"),
        "running",
        "nobody has said otherwise"
    );
    let cancelled = say(&sandbox, "cancel EXP-1 --json").json();
    let told: Vec<(&Value, &Value)> = cancelled["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| (&run["how"], &run["status"]))
        .collect();
    let (closed, withdrawn, status) = ("closed".into(), "withdrawn".into(), "cancelled".into());
    assert_eq!(told.len(), 3);
    assert!(told.contains(&(&closed, &status)) && told.contains(&(&withdrawn, &status)));
    let document = say(&sandbox, "show EXP-1/run-001 --json").json();
    let message = document["error"]["message"].as_str().unwrap();
    assert!(message.contains("its process was gone"), "{message}");
}

/// S-8.
#[test]
fn status_tells_how_far_everything_is() {
    let sandbox = Sandbox::new();
    assert_eq!(say(&sandbox, "status").code, 5, "there is no book");
    let running = begin(&sandbox);
    wait_for("its progress", || {
        say(&sandbox, "status EXP-1/run-001 --json").json()["progress"].is_number()
    });
    let run = say(&sandbox, "status EXP-1/run-001 --json").json();
    assert_eq!(
        (&run["progress"], &run["stage"]),
        (&0.25.into(), &"map".into())
    );
    assert_eq!(
        (&run["started_yet"], &run["ended_yet"]),
        (&true.into(), &false.into())
    );
    assert_eq!(run["success_rate"], Value::Null, "no calls, no rate");
    let waiting = say(&sandbox, "status EXP-1/run-003 --json").json();
    assert_eq!(
        (&waiting["started_yet"], &waiting["ended_yet"]),
        (&false.into(), &false.into())
    );
    let whole = say(&sandbox, "status EXP-1 --json").json();
    assert_eq!(whole["trials"]["running"], 1);
    assert_eq!(whole["trials"]["queued"], 2);
    assert_eq!(
        (&whole["trials"]["asked"], &whole["eta"]),
        (&3.into(), &Value::Null)
    );
    let all = say(&sandbox, "status --json").json();
    assert_eq!((&all["running"], &all["queued"]), (&1.into(), &2.into()));
    let page = say(&sandbox, "status EXP-1").ok();
    assert!(
        page.contains("1 running, 2 queued") && page.contains("25.0%"),
        "{page}"
    );
    let watching = Started::new(&sandbox, "status EXP-1 --watch --interval 50ms");
    say(&sandbox, "cancel EXP-1").ok();
    let watched = watching.end();
    assert!(
        watched.out.contains("1 running") && watched.out.contains("3 cancelled"),
        "{watched:?}"
    );
    running.end();
    assert!(
        say(&sandbox, "status")
            .ok()
            .contains("nothing is running or queued")
    );
    assert_eq!(say(&sandbox, "status nobody").code, 3);
}

#[test]
fn logs_are_followed_until_the_run_ends() {
    let sandbox = Sandbox::new();
    let script = "
experiment: {id: EXP-1, name: talk}
task:
  command:
    - sh
    - -c
    - |
      echo one; echo two >&2; printf half
      while ! [ -e go ]; do sleep 0.02; done
      echo ' a line'; printf last
";
    write(&sandbox, "exp.yaml", script);
    let running = Started::new(&sandbox, "run exp.yaml");
    wait_for("the run", || {
        let list = say(&sandbox, "logs EXP-1/run-001");
        list.code == 0 && list.out.contains("half")
    });
    let following = Started::new(&sandbox, "logs EXP-1/run-001 -f");
    let quiet = Started::new(&sandbox, "logs EXP-1/run-001 -f --json --stdout");
    write(&sandbox, "go", "");
    assert_eq!(running.end().code, 0);
    assert_eq!(following.end().ok(), "one\ntwo\nhalf a line\nlast\n");
    let pieces: String = quiet
        .end()
        .ok()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|piece| piece["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(pieces, "one\nhalf a line\nlast");
    assert_eq!(say(&sandbox, "logs EXP-1/run-001 --stderr").ok(), "two\n");
    assert_eq!(say(&sandbox, "logs EXP-1/run-001 --tail 1").ok(), "last\n");
    let whole = say(&sandbox, "logs EXP-1/run-001 --json").json();
    assert!(whole["logs"].as_array().unwrap().len() >= 3, "{whole}");
    assert_eq!(say(&sandbox, "logs nobody").code, 3);
    assert_eq!(say(&sandbox, "logs EXP-1/run-001 --json --tail 1").code, 2);
}

/// S-15.
#[test]
fn validate_tells_all_errors_with_their_places() {
    let sandbox = Sandbox::new();
    write(
        &sandbox,
        "bad.yaml",
        "experiment: {name: x}\ntask:\n  comand: [true]\ntrials: 0\n",
    );
    let bad = say(&sandbox, "validate bad.yaml");
    assert_eq!(bad.code, 4, "{bad:?}");
    assert!(
        bad.out.contains("bad.yaml:3:3: task: unknown key `comand`"),
        "{bad:?}"
    );
    assert!(bad.out.contains("did you mean `command`?"), "{bad:?}");
    let document = say(&sandbox, "validate bad.yaml --json");
    assert_eq!(document.code, 4);
    let document: Value = serde_json::from_str(&document.out).unwrap();
    assert_eq!(document["valid"], false);
    let lines: Vec<&Value> = document["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["line"])
        .collect();
    assert!(
        lines.contains(&&Value::from(3)) && lines.contains(&&Value::from(4)),
        "{document}"
    );
    write(
        &sandbox,
        "odd.yaml",
        "experiment: {name: x}\ntask: {command: [no-such-program-anywhere], data_path: no/data}\ntrials: 2\n",
    );
    let odd = say(&sandbox, "validate-config -c odd.yaml");
    assert_eq!(odd.code, 0, "{odd:?}");
    assert!(
        odd.out
            .contains("valid: x: 1 variation × 2 trials = 2 runs"),
        "{odd:?}"
    );
    assert!(
        odd.out.contains("`no-such-program-anywhere` was not found"),
        "{odd:?}"
    );
    assert!(odd.out.contains("nothing at `no/data`"), "{odd:?}");
    write(
        &sandbox,
        "data-manifest.yaml",
        "data_sources:\n  - {path: x, checksum: md5}\n",
    );
    let manifest = say(&sandbox, "validate data-manifest.yaml");
    assert_eq!(manifest.code, 4);
    assert!(
        manifest.out.contains("data-manifest.yaml:2:"),
        "{manifest:?}"
    );
    assert_eq!(say(&sandbox, "validate gone.yaml").code, 1);
    assert!(!sandbox.book().exists(), "nothing was written");
}

///
#[test]
fn every_template_is_valid_and_runs() {
    let sandbox = Sandbox::new();
    let listed = say(&sandbox, "template --json").json();
    let templates = listed["templates"].as_array().unwrap();
    assert!(templates.len() >= 4);
    for template in templates {
        let name = template["name"].as_str().unwrap();
        let file = format!("{name}.yaml");
        say(&sandbox, &format!("template {name} -o {file}")).ok();
        let valid = say(&sandbox, &format!("validate {file}"));
        assert_eq!(
            (valid.code, valid.out.contains("warning")),
            (0, false),
            "{valid:?}"
        );
        let run = say(
            &sandbox,
            &format!("run {file} --jobs 2 --no-capture git,packages"),
        );
        assert_eq!(run.code, 0, "{name}: {run:?}");
    }
    write(&sandbox, "minimal.yaml", "mine");
    let refused = say(&sandbox, "template minimal -o minimal.yaml").failed(6);
    assert!(refused.contains("--force"), "{refused}");
    say(&sandbox, "template minimal -o minimal.yaml --force").ok();
    let unknown = say(&sandbox, "template minmal").failed(3);
    assert!(unknown.contains("did you mean `minimal`?"), "{unknown}");
}

/// M-20, M-21, M-22.
#[test]
fn the_simulation_is_the_same_for_the_same_seed() {
    let sandbox = Sandbox::new();
    let words = "simulate --num-agents 12 --complexity standard --enable-all --seed 7 --json";
    let first = say(&sandbox, words).json();
    let second = say(&sandbox, words).json();
    let show = |it: &Value| {
        let id = it["run"].as_str().unwrap();
        say(&sandbox, &format!("show {id} --json")).json()
    };
    let (one, two) = (show(&first), show(&second));
    assert_eq!(one["derived"], two["derived"]);
    assert_eq!(one["counts"], two["counts"]);
    assert_ne!(one["id"], two["id"]);
    assert_eq!(one["counts"]["events"]["agent_registered"], 12);
    assert_eq!(one["derived"]["total_tasks_completed"], 25.0);
    assert_eq!(one["params"]["total_tasks_created"], 25);
    assert_eq!(one["params"]["enable_blockers"], true);
    assert_eq!(one["status"], "completed");
    assert_eq!(
        one["metrics"]["final_blocker_count"]["last"],
        one["derived"]["total_blockers"]
    );
    let names: Vec<&String> = one["derived"].as_object().unwrap().keys().collect();
    for name in [
        "avg_task_duration",
        "velocity",
        "agent_agent-001_success_rate",
        "estimation_accuracy_task-001",
    ] {
        assert!(names.iter().any(|it| *it == name), "{name}: {names:?}");
    }
    let baseline = say(
        &sandbox,
        "simulate --seed 7 --run-name plain --num-agents 4 --json",
    )
    .json();
    assert_eq!(baseline["agents"], 4);
    let plain = show(&baseline);
    assert!(
        plain["counts"]["events"].get("blocker").is_none(),
        "{plain}"
    );
    assert_eq!(plain["artifacts"][0]["path"], "experiment_summary.txt");
    assert_eq!(say(&sandbox, "simulate --num-agents 0").code, 2);
    assert_eq!(say(&sandbox, "simulate --complexity huge").code, 2);
}

/// Document 001's way: template, validate, run, table, report; then nothing is left to do, and more trials are.
#[test]
fn from_the_template_to_the_table() {
    let sandbox = Sandbox::new();
    say(&sandbox, "template comparison -o config.yaml").ok();
    let valid = say(&sandbox, "validate config.yaml").ok();
    assert!(
        valid.contains("3 variations × 10 trials = 30 runs"),
        "{valid}"
    );
    let plan = say(&sandbox, "run config.yaml --dry-run").ok();
    assert_eq!(plan.matches("start: never run").count(), 30);
    let run = say(&sandbox, "run config.yaml --jobs 2");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.contains("30 of 30 done"), "{run:?}");
    assert!(run.out.contains("Verdict: criteria met"), "{run:?}");
    for word in [
        "Cue-Based Coordination",
        "completion_time_ms",
        "message_count",
        "error_rate",
    ] {
        assert!(run.out.contains(word), "{word}: {run:?}");
    }
    assert!(
        !run.out.contains("system."),
        "what processes use is no result: {run:?}"
    );
    let again = say(&sandbox, "run config.yaml --resume");
    assert_eq!((again.code, &again.out), (0, &run.out));
    let more = say(&sandbox, "run config.yaml --trials 11 --dry-run --json").json();
    assert_eq!((&more["done"], &more["to_start"]), (&30.into(), &3.into()));
    let status = say(&sandbox, "status EXP-001 --json").json();
    assert_eq!(
        (&status["progress"], &status["verdict"]),
        (&1.0.into(), &true.into())
    );
    let summary = say(&sandbox, "show EXP-001").ok();
    assert!(summary.contains("Polling"), "{summary}");
    let analysis = say(&sandbox, "analyze EXP-001").ok();
    assert!(analysis.contains("completion_time_ms"), "{analysis}");
    assert!(!analysis.contains("system."), "{analysis}");
    say(&sandbox, "report EXP-001 --output report.md").ok();
    let report = fs::read_to_string(sandbox.work().join("report.md")).unwrap();
    assert!(
        report.contains("Polling") && !report.contains("system."),
        "{report}"
    );
}

/// M-31: a run that nobody ended shows as stale, and is closed with its last sign of life.
#[test]
fn a_run_without_a_sign_of_life_is_stale_and_can_be_closed() {
    use trialbook_model::id::{RunUid, Uid};
    use trialbook_model::record::{Log, LogStream, Op, StartRun};

    let sandbox = Sandbox::new();
    let run = RunUid(Uid([5; 16]));
    let start = StartRun {
        source: "wrapper".to_owned(),
        ..StartRun::of(run)
    };
    let log = Log {
        run,
        stream: LogStream::Stdout,
        text: "half a line".to_owned(),
    };
    sandbox::record(&sandbox, &[Op::StartRun(start), Op::Log(log)]);
    let all = say(&sandbox, "status --json").json();
    assert_eq!((&all["stale"], &all["running"]), (&1.into(), &0.into()));
    for words in [
        "list --status stale --json",
        "list experiments --status stale --json",
    ] {
        let listed = sandbox.say(words).json();
        assert_eq!(listed["total"], 1, "{words}: {listed}");
    }
    let page = say(&sandbox, "status latest").ok();
    assert!(page.contains("nothing was heard since"), "{page}");
    let followed = say(&sandbox, "logs latest -f");
    assert_eq!(followed.out, "half a line\n");
    assert!(
        followed.err.contains("nothing was heard of the run"),
        "{followed:?}"
    );
    let closed = say(&sandbox, "cancel latest --json").json();
    assert_eq!(closed["runs"][0]["how"], "closed");
    let document = say(&sandbox, "status latest --json").json();
    assert_eq!(document["status"], "cancelled");
    // The last that was heard of it, not the moment of closing.
    assert_eq!(document["ended"], "2025-10-09T08:53:20.000Z");
}

#[test]
fn runs_of_a_grid_fall_out_with_the_task_that_they_did() {
    let sandbox = Sandbox::new();
    let config = |command: &str, lr: &str| {
        let text = format!(
            "experiment: {{name: e}}\ntask: {{command: [sh, -c, 'echo {command}={{k}}{lr}']}}\n\
             variations: [{{name: v, k: 1, lr: '{lr}'}}]\nrandom_seed: 3\n"
        );
        std::fs::write(sandbox.work().join("e.yaml"), text).unwrap();
    };
    let active = || {
        let list = sandbox.say("list --json").json();
        list["runs"].as_array().unwrap().len()
    };
    config("m", "1");
    sandbox.say("run e.yaml").ok();
    sandbox.say("run e.yaml --set k=5,6").ok();
    // Nothing has changed: nothing leaves, whatever the seed of a grid is.
    sandbox.say("run e.yaml --set k=7 --seed 9 --trials 2").ok();
    sandbox.say("run e.yaml").ok();
    assert_eq!(active(), 5);
    config("n", "1");
    let refused = sandbox.say("run e.yaml --set k=5");
    assert_ne!(refused.code, 0);
    let dry = sandbox.say("run e.yaml --dry-run");
    assert!(dry.err.contains("5 finished runs"), "{dry:?}");
    assert!(dry.err.contains("task.command"), "{dry:?}");
    sandbox.say("run e.yaml --accept-change").ok();
    assert_eq!(active(), 1);
    sandbox.say("run e.yaml --set k=5").ok();
    assert_eq!(active(), 2);
    // A param of the variation that the grid was made from.
    config("n", "2");
    sandbox.say("run e.yaml --set k=5 --accept-change").ok();
    assert_eq!(active(), 1);
}

#[test]
fn a_run_that_was_cancelled_while_it_waited_never_began() {
    let sandbox = Sandbox::new();
    let text = "experiment: {name: e}\n\
                task: {command: [sh, -c, 'echo m=1; if test {variation} = w; then kill -INT $PPID; sleep 9; fi']}\n\
                variations: [{name: v}, {name: w}]\n\
                trials: 2\nsuccess_criteria: ['m >= 1']\n";
    std::fs::write(sandbox.work().join("e.yaml"), text).unwrap();
    let run = say(&sandbox, "run e.yaml");
    let verdict = "criteria met: 1 of 2 variations";
    assert!(run.code != 0 && run.out.contains(verdict), "{run:?}");
    let status = say(&sandbox, "status e --json").json();
    assert_eq!(status["trials"]["cancelled"], 1, "{status}");
    assert_eq!(status["progress"], 0.5);
    say(&sandbox, "cancel e --yes").ok();
    let list = say(&sandbox, "list --json").json();
    let runs = list["runs"].as_array().unwrap();
    let begun = runs.iter().filter(|run| !run["started"].is_null());
    assert_eq!((runs.len(), begun.count()), (4, 3), "{list}");
    let shown = say(&sandbox, "show e/run-004").ok();
    assert!(shown.contains("(never began)"), "{shown}");
}

#[test]
fn an_engine_executes_a_planned_run_of_a_grid_over_a_config() {
    let sandbox = Sandbox::new();
    write(
        &sandbox,
        "exp.yaml",
        "experiment: {id: EXP-1, name: e}\n\
         task: {command: [sh, -c, 'echo m={n}; if test {n} = 1; then kill -INT $PPID; sleep 9; fi']}\n\
         variations: [{name: a, n: 0}]\n",
    );
    say(&sandbox, "run exp.yaml --set n=1,2").failed(130);
    let queued = say(&sandbox, "list --status queued --json").json();
    let run = queued["runs"][0]["id"].as_str().unwrap().to_owned();
    say(&sandbox, &format!("exec {run}")).ok();
    let shown = say(&sandbox, &format!("show {run} --json")).json();
    assert_eq!(shown["status"], "completed", "{shown}");
    assert_eq!(shown["metrics"]["m"]["last"], 2.0, "{shown}");
}
