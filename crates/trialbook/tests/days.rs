//! Days of people who use the command line, from their first command to what they wanted to know.

mod sandbox;

use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use sandbox::{Sandbox, copy, ended};
use trialbook_spool::sim::left_out::not_exercised;

/// M-4, M-5, T-2, T-3.
#[test]
fn a_loop_logged_by_hand_is_found_again() {
    let sandbox = Sandbox::new();
    let script = "
        for lr in 0.1 0.01; do
            export TRIALBOOK_RUN=$(trialbook start --experiment tuning --param lr=$lr --name lr-$lr 2>>notes)
            for epoch in 1 2 3; do
                trialbook log metric loss=0.$epoch accuracy=0.9$epoch --step $epoch
            done
            trialbook log event decision 'keep it'
            trialbook end
        done
        trialbook search 'metrics.loss > 0.2' --sort-by accuracy --top 1
    ";
    let out = sandbox.shell(script).ok();
    assert!(
        out.contains("Logged 2 metrics at step 3 to tuning/run-001\n"),
        "{out}"
    );
    assert!(out.contains("run tuning/run-002 is completed\n"), "{out}");
    let found = "Found 2 runs, showing top 1 by accuracy (descending, assumed from its name)\n";
    assert!(out.contains(found), "{out}");
    let notes = fs::read_to_string(sandbox.work().join("notes")).unwrap();
    let first = notes.lines().next().unwrap();
    assert!(
        first.contains(".trialbook (new in this folder), experiment default/tuning"),
        "{notes}"
    );

    let list = sandbox.say("list --json").json();
    assert_eq!(list["total"], 2);
    assert_eq!(list["runs"][0]["name"], "lr-0.01");
    let show = sandbox.say("show tuning/run-001 --json").json();
    assert_eq!(show["params"]["lr"], 0.1);
    assert_eq!(show["metrics"]["loss"]["last"], 0.3);
    assert_eq!(show["metrics"]["loss"]["count"], 3);
    assert_eq!(show["status"], "completed");
    assert_eq!(show["counts"]["events"]["decision"], 1);
    let csv = sandbox.say("series lr-0.1 loss --csv").ok();
    let values: Vec<&str> = csv
        .lines()
        .map(|line| line.rsplit(',').next().unwrap())
        .collect();
    assert_eq!(values, ["value", "0.1", "0.2", "0.3"]);
    let overview = sandbox.command().output().unwrap();
    let overview = String::from_utf8(overview.stdout).unwrap();
    assert!(
        overview.contains("Nothing is running. The last runs:\n"),
        "{overview}"
    );
    assert!(overview.contains("trialbook show latest"), "{overview}");
}

#[test]
fn a_shell_needs_no_variable_while_it_has_one_run() {
    let sandbox = Sandbox::new();
    let script = "
        trialbook start --name only >id 2>&1
        trialbook log metric loss=1
        trialbook start --name other >id 2>&1
    ";
    let said = sandbox.shell(script);
    assert!(
        said.err
            .contains("the only one that this shell has running"),
        "{said:?}"
    );
    let refused = sandbox.say("log metric loss=2").failed(2);
    assert!(
        refused.starts_with("error: which run is meant?\n"),
        "{refused}"
    );
    assert!(
        refused.contains("Default/run-001  only  running"),
        "{refused}"
    );
    assert!(
        refused.contains("Default/run-002  other  running"),
        "{refused}"
    );
    assert!(
        refused.contains("hint: name it with `--run RUN`"),
        "{refused}"
    );
    sandbox.say("log metric loss=2 --run only").ok();
    let show = sandbox.say("show only --json").json();
    assert_eq!(show["metrics"]["loss"]["count"], 2);
    assert_eq!(show["metrics"]["loss"]["last_step"], 1);
}

#[test]
fn a_trainer_that_is_killed_can_be_looked_at() {
    const LINES: u64 = 500;
    let sandbox = Sandbox::new();
    let run = sandbox.start("--experiment training");
    let mut trainer = sandbox
        .command()
        .args(["log", "-", "--run", &run])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = trainer.stdin.take().unwrap();
    for step in 0..LINES {
        writeln!(
            input,
            "{{\"step\": {step}, \"loss\": {}}}",
            1.0 / (step + 1) as f64
        )
        .unwrap();
    }
    input.flush().unwrap();
    // Looked at while it runs: everything that it has read is there, though nothing was sealed.
    let deadline = Instant::now() + Duration::from_secs(120);
    while sandbox.say("show latest --json").json()["counts"]["points"] != LINES {
        assert!(Instant::now() < deadline, "the lines do not arrive");
    }
    trainer.kill().unwrap();
    trainer.wait().unwrap();
    let show = sandbox.say("show latest --json").json();
    assert_eq!(show["status"], "running");
    assert_eq!(show["metrics"]["loss"]["count"], LINES);
    assert_eq!(show["metrics"]["loss"]["last"], 1.0 / LINES as f64);
    let ended = sandbox.run([
        "end",
        "--run",
        &run,
        "--status",
        "failed",
        "--error",
        "killed by hand",
    ]);
    assert_eq!(ended.ok(), "run training/run-001 is failed\n");
    let text = sandbox.say("show training/latest").ok();
    assert!(
        text.contains("error        error: killed by hand"),
        "{text}"
    );
    assert_eq!(
        sandbox.say("list --status failed --json").json()["total"],
        1
    );
    drop(input);
}

#[test]
fn a_book_that_moved_to_another_machine_is_the_same() {
    let old = Sandbox::new();
    let run = old.start("--experiment tuning --param lr=0.1 --note moved");
    old.say_in(&run, "log metric loss=0.5").ok();
    fs::write(old.work().join("model.pt"), b"weights").unwrap();
    old.say_in(&run, "log artifact model.pt --role best").ok();
    let new = Sandbox::new();
    copy(&old.book(), &new.book());
    let (before, after) = (
        old.say("show latest --json").json(),
        new.say("show latest --json").json(),
    );
    assert_eq!(before, after);
    new.say_in(&run, "log metric loss=0.25").ok();
    new.say_in(&run, "end").ok();
    let show = new.say("show latest --json").json();
    assert_eq!(show["status"], "completed");
    assert_eq!(show["metrics"]["loss"]["last"], 0.25);
    assert_eq!(show["artifacts"][0]["path"], "model.pt");
    assert_eq!(old.say("show latest --json").json()["status"], "running");
    let doctor = new.say("doctor --json").json();
    assert_eq!(doctor["healthy"], true, "{doctor}");
}

#[test]
fn runs_of_a_wrapper_are_joined_once() {
    use trialbook_model::id::{RunUid, Uid};
    use trialbook_model::record::{Op, StartRun};
    let sandbox = Sandbox::new();
    let wrapped = RunUid(Uid([7; 16]));
    // The wrapper lives as long as its recorder.
    let wrapper = sandbox::recording(
        &sandbox,
        &[Op::StartRun(StartRun {
            source: "wrapper".to_owned(),
            name: Some("wrapped".to_owned()),
            ..StartRun::of(wrapped)
        })],
    );
    let id = wrapped.to_string();
    let first = sandbox.say_in(&id, "start --param lr=0.1").ok();
    assert_eq!(first.trim(), id);
    let child = sandbox.say_in(&id, "start --name part").ok();
    assert_ne!(child.trim(), id);
    let text = sandbox.say("show part").ok();
    assert!(text.contains("part of      Default/run-001"), "{text}");
    let said = sandbox.say_in(&id, "end").ok();
    assert!(
        said.contains("is ended by the process that executes it"),
        "{said}"
    );
    let show = sandbox.say("show wrapped --json").json();
    assert_eq!(
        (&show["status"], &show["params"]["lr"]),
        (&"running".into(), &0.1.into())
    );
    wrapper.finish().unwrap();
    let refused = ended(
        sandbox
            .command()
            .env("TRIALBOOK_RUN", &id)
            .args(["log", "param", "lr=0.2"]),
    );
    assert!(
        refused
            .failed(6)
            .contains("`lr` of run Default/run-001 is `0.1` already")
    );
}

/// T-7.
#[test]
fn many_runs_are_searched() {
    use trialbook_model::id::{RunUid, Uid};
    use trialbook_model::record::{Op, Param, ParamKind, SetParams, StartRun};
    const RUNS: u64 = 100_000;
    let sandbox = Sandbox::new();
    let mut ops = Vec::new();
    for number in 0..RUNS {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        let run = RunUid(Uid(bytes));
        ops.push(Op::StartRun(StartRun {
            name: Some(format!("trial-{number}")),
            ..StartRun::of(run)
        }));
        let param = Param {
            text: (number % 100).to_string(),
            kind: ParamKind::Number,
        };
        let params = vec![("depth".to_owned(), param)];
        ops.push(Op::SetParams(SetParams { run, params }));
    }
    sandbox::record(&sandbox, &ops);
    let found = sandbox.run([
        "search",
        "params.depth >= 95",
        "--sort-by",
        "depth",
        "--top",
        "3",
        "--json",
    ]);
    let found = found.json();
    assert_eq!(found["total"], RUNS / 20);
    let depths: Vec<&serde_json::Value> = found["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["values"]["depth"])
        .collect();
    assert_eq!(depths, [99, 99, 99]);
    // Ties: the newest first.
    assert_eq!(found["runs"][0]["name"], format!("trial-{}", RUNS - 1));
    assert_eq!(
        sandbox.say("show trial-1234 --json").json()["params"]["depth"],
        34
    );
    let list = sandbox.say("list").ok();
    assert_eq!(list.lines().count(), 22, "{list}");
    assert!(
        list.contains("\n… and ") && list.ends_with(" more: `--limit 0` shows all\n"),
        "{list}"
    );
}

/// In a container whose shell was brought in from outside, the session of the shell has no number.
#[test]
fn a_shell_in_a_container_knows_its_run() {
    let permitted = std::process::Command::new("unshare")
        .args(["--pid", "--fork", "--mount-proc", "true"])
        .output();
    if !permitted.is_ok_and(|output| output.status.success()) {
        not_exercised("a shell in a container", "the right to make pid namespaces");
        return;
    }
    let sandbox = Sandbox::new();
    let script = "
        unshare --pid --fork --mount-proc sh -c '
            trialbook start --name inside
            trialbook log metric loss=1
        '
        trialbook log metric loss=2
    ";
    let said = sandbox.shell(script);
    assert!(
        said.err
            .contains("the only one that this shell has running"),
        "{said:?}"
    );
    assert!(said.err.contains("error: which run is meant?"), "{said:?}");
}

#[test]
fn a_second_terminal_does_not_write_into_the_first_ones_run() {
    let sandbox = Sandbox::new();
    sandbox
        .shell("setsid trialbook start --name theirs 2>/dev/null >id")
        .ok();
    let refused = sandbox.say("log metric loss=1").failed(2);
    assert!(refused.contains("theirs"), "{refused}");
    let gone = sandbox
        .say_in("00000000000000000000000000000000", "log metric loss=1")
        .failed(3);
    assert!(gone.contains("TRIALBOOK_RUN is set to `0000"), "{gone}");
}
