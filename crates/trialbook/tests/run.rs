//! `trialbook run` as its users meet it: the real binary, real processes, real signals.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it has to be"
)]

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A folder with a book and configs.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trialbook"));
        command
            .args(words)
            .current_dir(self.folder.path())
            .env_remove("TRIALBOOK")
            .env_remove("TRIALBOOK_RUN")
            .env("HOME", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    fn start(&self, words: &[&str]) -> Started {
        let mut command = self.command(words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Started {
            child: command.spawn().unwrap(),
        }
    }

    /// Runs and reads the JSON on standard output.
    fn json(&self, words: &[&str]) -> Value {
        let output = self.run(words);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", told(&output)))
    }

    /// (done, to start) as a dry run counts them.
    fn counts(&self, config: &str) -> (u64, u64) {
        let plan = self.json(&["run", config, "--dry-run", "--json"]);
        let count = |name: &str| plan[name].as_u64().unwrap();
        (count("done"), count("to_start"))
    }
}

/// A `run` that is under way; it does not outlive its test.
struct Started {
    child: Child,
}

impl Started {
    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn end(mut self) -> Output {
        wait_for("the end of `run`", || {
            self.child.try_wait().unwrap().is_some()
        });
        let mut output = Output {
            status: self.child.wait().unwrap(),
            stdout: Vec::new(),
            stderr: Vec::new(),
        };
        let stdout = self.child.stdout.as_mut().unwrap();
        stdout.read_to_end(&mut output.stdout).unwrap();
        let stderr = self.child.stderr.as_mut().unwrap();
        stderr.read_to_end(&mut output.stderr).unwrap();
        output
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn wait_for(what: &str, mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !happened() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether a process runs; one that only waits to be reaped does not.
fn runs(pid: &str) -> bool {
    fs::read_to_string(Path::new("/proc").join(pid.trim()).join("stat")).is_ok_and(|stat| {
        stat.rsplit_once(')')
            .is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
    })
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn told(output: &Output) -> String {
    let (out, err) = (stdout(output), stderr(output));
    format!("exit {}\n{out}\n{err}", code(output))
}

fn check_says(output: &Output, text: &str) {
    let told = told(output);
    assert!(told.contains(text), "no `{text}` in: {told}");
}

/// Three variations, ten trials each. A trial waits at the gate where `gate-VARIATION-TRIAL` exists, and
/// leaves a line in `done` at its very end.
const GATED: &str = "
experiment: {id: EXP-1, name: gated}
task:
  command:
    - sh
    - -c
    - |
      if [ -e gate-{variation}-{trial} ]; then
        sleep 1000 & echo $! > inner; echo $$ > outer; wait
      fi
      echo time_ms=$TRIALBOOK_PARAM_MS error_rate=0.01
      echo {variation}-{trial} >> done
variations:
  - {name: a, ms: 10}
  - {name: b, ms: 20}
  - {name: c, ms: 30}
trials: 10
random_seed: 42
metrics: [time_ms, error_rate]
success_criteria:
  - {metric: error_rate, condition: '< 0.05'}
  - time_ms < 1s
";

/// Each trial once.
fn all_done() -> Vec<String> {
    let mut all: Vec<String> = ["a", "b", "c"]
        .iter()
        .flat_map(|variation| (1..=10).map(move |trial| format!("{variation}-{trial}")))
        .collect();
    all.sort();
    all
}

/// Ctrl-C in the fourth trial.
fn interrupt(desk: &Desk) {
    desk.write("gate-a-4", "");
    let running = desk.start(&["run", "exp.yaml"]);
    wait_for("trial a-4", || desk.path("outer").exists());
    running.signal(Signal::INT);
    let output = running.end();
    assert_eq!(code(&output), 130, "{}", told(&output));
    check_says(&output, "run-004  a #4  cancelled");
    check_says(&output, "Verdict so far, on 3 of 30 trials: criteria met");
    check_says(&output, "3 of 3");
    assert_eq!(desk.counts("exp.yaml"), (3, 27));
    wait_for("the death of the group", || !runs(&desk.read("inner")));
    fs::remove_file(desk.path("gate-a-4")).unwrap();
    fs::remove_file(desk.path("outer")).unwrap();
}

/// kill -9 in a trial of the second variation: its whole group dies too. Gives how many runs are missing.
fn kill(desk: &Desk) -> u64 {
    desk.write("gate-b-5", "");
    let running = desk.start(&["run", "exp.yaml", "--jobs", "2"]);
    wait_for("trial b-5", || desk.path("outer").exists());
    wait_for("the trials beside it", || {
        let done = desk.read("done");
        done.lines().filter(|line| line.starts_with('c')).count() == 10
    });
    running.signal(Signal::KILL);
    drop(running.end());
    wait_for("the death of the group", || {
        !runs(&desk.read("inner")) && !runs(&desk.read("outer"))
    });
    fs::remove_file(desk.path("gate-b-5")).unwrap();
    let (done, left) = desk.counts("exp.yaml");
    assert_eq!(done + left, 30);
    assert!(left >= 1);
    left
}

/// S-79.
#[test]
fn a_thirty_trial_experiment_is_interrupted_resumed_and_judged() {
    let desk = Desk::new();
    desk.write("exp.yaml", GATED);
    assert_eq!(desk.counts("exp.yaml"), (0, 30));
    interrupt(&desk);
    let left = kill(&desk);

    // Once more: exactly what is missing, and the verdict.
    let third = desk.run(&["run", "exp.yaml"]);
    assert_eq!(code(&third), 0, "{}", told(&third));
    // One, or two where the last trial of `c` was about to be recorded.
    check_says(&third, "attempted again");
    check_says(&third, "30 of 30 done");
    let completed = stderr(&third).matches("  completed in ").count() as u64;
    assert_eq!(completed, left, "{}", told(&third));
    let mut executed: Vec<String> = desk.read("done").lines().map(str::to_owned).collect();
    executed.sort();
    // The one that was killed may have ended well in the moment before it was recorded.
    executed.dedup();
    assert_eq!(executed, all_done());

    // And again: nothing is left, the table stays.
    let fourth = desk.run(&["run", "exp.yaml"]);
    assert_eq!(code(&fourth), 0);
    assert_eq!(stdout(&fourth), stdout(&third));
    let document = desk.json(&["run", "exp.yaml", "--json"]);
    assert_eq!(document["completed"], 30);
    let variations = document["variations"].as_array().unwrap().iter();
    let means: Vec<&Value> = variations
        .map(|variation| &variation["metrics"][0]["mean"])
        .collect();
    assert_eq!(means, [10.0, 20.0, 30.0]);
    assert_eq!(document["verdict"]["met"], true);
}

/// Killed at moments spread over the experiment, `run` still ends with one completed run a trial, and every
/// other attempt closed as interrupted.
/// S-79.
#[test]
fn killed_again_and_again_each_trial_completes_once() {
    let desk = Desk::new();
    let text = GATED.replace("echo time_ms", "sleep 0.02; echo time_ms");
    desk.write("exp.yaml", &text);
    let finished = || desk.read("done").lines().count();
    for moment in [1, 4, 5, 11, 20] {
        let running = desk.start(&["run", "exp.yaml", "--jobs", "2"]);
        wait_for("some trials", || finished() >= moment);
        running.signal(Signal::KILL);
        drop(running.end());
    }
    let last = desk.run(&["run", "exp.yaml", "--jobs", "2"]);
    assert_eq!(code(&last), 0, "{}", told(&last));
    let listed = desk.json(&["list", "--json", "--limit", "0"]);
    let mut completed: Vec<String> = Vec::new();
    for run in listed["runs"].as_array().unwrap() {
        let status = run["status"].as_str().unwrap();
        assert!(matches!(status, "completed" | "failed"), "{run}");
        if status == "completed" {
            let (variation, trial) = (&run["variation"], &run["trial"]);
            completed.push(format!("{}-{trial}", variation.as_str().unwrap()));
        }
    }
    completed.sort();
    assert_eq!(completed, all_done());
}

#[test]
fn a_second_ctrl_c_kills_what_does_not_heed_the_first() {
    let desk = Desk::new();
    let script = "trap '' TERM; echo $$ > outer; while :; do sleep 0.05; done";
    let running = desk.start(&["run", "--", "sh", "-c", script]);
    wait_for("the run", || !desk.read("outer").is_empty());
    // Two signals may arrive as one; more of them change nothing.
    wait_for("the kill", || {
        if runs(&desk.read("outer")) {
            running.signal(Signal::INT);
        }
        !runs(&desk.read("outer"))
    });
    let output = running.end();
    assert_eq!(code(&output), 130, "{}", told(&output));
    check_says(&output, "cancelled");
}

#[test]
fn an_experiment_is_run_by_one_process_at_a_time() {
    let desk = Desk::new();
    desk.write("exp.yaml", GATED);
    desk.write("gate-a-1", "");
    let first = desk.start(&["run", "exp.yaml"]);
    wait_for("trial a-1", || desk.path("outer").exists());
    let second = desk.run(&["run", "exp.yaml"]);
    assert_eq!(code(&second), 12, "{}", told(&second));
    check_says(
        &second,
        &format!("is being run by process {}", first.child.id()),
    );
    let plan = desk.json(&["run", "exp.yaml", "--dry-run", "--json"]);
    assert_eq!(plan["running"], 1, "a dry run only looks");
    // Another experiment of the same book goes on.
    assert_eq!(code(&desk.run(&["run", "--", "true"])), 0);
    first.signal(Signal::TERM);
    assert_eq!(code(&first.end()), 130);
}

///
#[test]
fn failed_runs_stop_no_others_and_are_retried_when_asked() {
    let desk = Desk::new();
    desk.write(
        "exp.yaml",
        "experiment: {name: flaky}\n\
         task: {command: [sh, -c, 'echo x=1; echo no luck >&2; test -e fixed -o {trial} != 2']}\n\
         variations: [{name: a}, {name: b}]\n\
         trials: 3\n",
    );
    let first = desk.run(&["run", "exp.yaml", "--jobs", "3"]);
    assert_eq!(code(&first), 11, "{}", told(&first));
    check_says(&first, "4 of 6 done");
    check_says(&first, "exit(1): no luck");
    let again = desk.run(&["run", "exp.yaml"]);
    assert_eq!(code(&again), 11);
    assert!(!stderr(&again).contains("completed in"), "{}", told(&again));
    desk.write("fixed", "");
    let retried = desk.run(&["run", "exp.yaml", "--retry-failed"]);
    assert_eq!(code(&retried), 0, "{}", told(&retried));
    assert_eq!(stderr(&retried).matches("completed in").count(), 2);
    let document = desk.json(&["run", "exp.yaml", "--json"]);
    assert_eq!(
        (&document["runs"], &document["failed"]),
        (&6.into(), &0.into())
    );
    assert_eq!(document["variations"][0]["superseded"], 1);
    // Document 001's word for the same.
    assert_eq!(code(&desk.run(&["run", "exp.yaml", "--resume"])), 0);
}

#[test]
fn an_interrupted_rerun_hides_no_result() {
    let desk = Desk::new();
    desk.write("exp.yaml", &GATED.replace("trials: 10", "trials: 2"));
    let first = desk.run(&["run", "exp.yaml"]);
    assert_eq!(code(&first), 0, "{}", told(&first));
    desk.write("gate-a-2", "");
    let rerun = desk.start(&["run", "exp.yaml", "--rerun"]);
    wait_for("trial a-2", || desk.path("outer").exists());
    rerun.signal(Signal::INT);
    assert_eq!(code(&rerun.end()), 130);
    let last = desk.run(&["run", "exp.yaml"]);
    assert_eq!(code(&last), 0, "{}", told(&last));
    check_says(&last, "6 of 6 done");
    assert_eq!(stdout(&last), stdout(&first));
    // The chosen variations are judged, the others stay as they are.
    desk.write("exp.yaml", GATED);
    fs::remove_file(desk.path("gate-a-2")).unwrap();
    let chosen = desk.run(&["run", "exp.yaml", "--only", "b"]);
    assert_eq!(code(&chosen), 0, "{}", told(&chosen));
    check_says(
        &chosen,
        "Verdict: criteria met: 1 of 1 variations meet all of them",
    );
    let all = desk.run(&["show", "EXP-1"]);
    check_says(&all, "Verdict so far, on 14 of 30 trials");
}

#[test]
fn unmet_criteria_have_their_own_exit_code() {
    let desk = Desk::new();
    desk.write("exp.yaml", &GATED.replace("time_ms < 1s", "time_ms < 15ms"));
    let output = desk.run(&["run", "exp.yaml", "--trials", "1", "--only", "c"]);
    assert_eq!(code(&output), 10, "{}", told(&output));
    check_says(&output, "not met");
    // Each run says for itself which criteria it meets.
    let run = desk.json(&["show", "EXP-1/run-001", "--json"]);
    let outcomes: Vec<(&Value, &Value)> = run["criteria"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| (&cell["criterion"], &cell["outcome"]))
        .collect();
    let expected: [Value; 4] =
        ["error_rate < 0.05", "met", "time_ms < 15ms", "not_met"].map(Value::from);
    assert_eq!(
        outcomes,
        [(&expected[0], &expected[1]), (&expected[2], &expected[3])]
    );
    let shown = desk.run(&["show", "EXP-1/run-001"]);
    check_says(&shown, "Success criteria (2)");
    check_says(&shown, "not met");
}

#[test]
fn a_grid_from_one_line_needs_no_file() {
    let desk = Desk::new();
    let grid = |values: &str| {
        let set = format!("lr={values}");
        let command = ["--", "sh", "-c", "echo loss={lr} seed={seed} t={trial}"];
        let options = ["--set", "n=1", "--trials", "2", "--experiment", "tune"];
        desk.run(&[&["run", "--set", &set][..], &options, &command].concat())
    };
    let output = grid("0.1,0.2");
    assert_eq!(code(&output), 0, "{}", told(&output));
    check_says(&output, "4 of 4 done");
    let output = grid("0.2,0.3");
    check_says(&output, "2 of 4 done, 2 to start");
    check_says(&output, "6 of 6 done");
}

#[test]
fn one_bare_command_is_another_trial_each_time() {
    let desk = Desk::new();
    for trial in 1..=3 {
        let command = ["--", "sh", "-c", "echo t=$TRIALBOOK_TRIAL"];
        let document = desk.json(&[&["run", "--json"][..], &command].concat());
        assert_eq!(document["completed"], trial);
        let metric = &document["variations"][0]["metrics"][0];
        assert_eq!(metric["max"], f64::from(trial));
    }
    let output = desk.run(&["run", "--", "no-such-program-anywhere"]);
    assert_eq!(code(&output), 11);
    check_says(&output, "was not found on the PATH");
    check_says(&output, "hint: install it");
}

#[test]
fn ends_of_runs_are_seen_also_where_the_caller_ignores_them() {
    let desk = Desk::new();
    let binary = env!("CARGO_BIN_EXE_trialbook");
    let script = format!("trap '' CHLD; exec {binary} run -- sh -c 'exit 3'");
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &script])
        .current_dir(desk.folder.path())
        .env("TRIALBOOK", desk.path("book"))
        .env_remove("TRIALBOOK_RUN");
    let output = shell.output().unwrap();
    assert_eq!(code(&output), 11, "{}", told(&output));
    check_says(&output, "exit(3)");
}

#[test]
fn a_changed_config_is_shown_and_asked_about() {
    let desk = Desk::new();
    let text = GATED.replace("trials: 10", "trials: 1");
    desk.write("exp.yaml", &text);
    assert_eq!(code(&desk.run(&["run", "exp.yaml"])), 0);
    desk.write("exp.yaml", &text.replace("ms: 30", "ms: 40"));
    let refused = desk.run(&["run", "exp.yaml"]);
    assert_eq!(code(&refused), 6, "{}", told(&refused));
    check_says(&refused, "variations[c].params.ms: 30 → 40");
    check_says(&refused, "--accept-change");
    let accepted = desk.run(&["run", "exp.yaml", "--accept-change"]);
    assert_eq!(code(&accepted), 0, "{}", told(&accepted));
    check_says(&accepted, "3 of 3 done");
    let less = text.replace("  - {name: c, ms: 30}\n", "");
    desk.write("exp.yaml", &less);
    assert_eq!(code(&desk.run(&["run", "exp.yaml"])), 6);
    let document = desk.json(&["run", "exp.yaml", "--accept-change", "--json"]);
    assert_eq!(document["variations"].as_array().unwrap().len(), 2);
    // Fewer trials leave no result out.
    desk.write("exp.yaml", &less.replace("trials: 1", "trials: 3"));
    assert_eq!(code(&desk.run(&["run", "exp.yaml"])), 0);
    let document = desk.json(&["run", "exp.yaml", "--trials", "2", "--json"]);
    assert_eq!(document["completed"], 6);
}

///
#[test]
fn surroundings_that_differ_and_metrics_that_lack_are_told() {
    let desk = Desk::new();
    let text = "experiment: {name: exp}\n\
                task: {command: [./python3, task]}\n\
                environment: {python_version: '1.2', hostname: null}\n\
                metrics: [m, lacking]\n";
    desk.write("exp.yaml", text);
    // Answers for its version, and is the task.
    let python = |version: &str| {
        let script = format!("#!/bin/sh\n[ \"$1\" = task ] && echo m=1 || echo Python {version}\n");
        desk.write("python3", &script);
        fs::set_permissions(desk.path("python3"), fs::Permissions::from_mode(0o755)).unwrap();
    };
    python("1.2.3");
    let first = desk.run(&["run", "exp.yaml"]);
    assert_eq!(code(&first), 0, "{}", told(&first));
    assert!(
        !stderr(&first).contains("python_version"),
        "{}",
        told(&first)
    );
    check_says(&first, "without the expected metric `lacking`");
    python("1.3.0");
    let second = desk.run(&["run", "exp.yaml", "--trials", "2"]);
    assert_eq!(code(&second), 0, "{}", told(&second));
    check_says(
        &second,
        "the config says python_version `1.2`; found `1.3.0`",
    );
    check_says(
        &second,
        "done with python_version `1.2.3`; now it is `1.3.0`",
    );
}

#[test]
fn a_timeout_is_a_failure_of_its_run_alone() {
    let desk = Desk::new();
    let limits = ["--timeout", "2s", "--grace", "100ms"];
    let command = ["--", "sleep", "{s}"];
    let output = desk.run(&[&["run", "--set", "s=1000,0"][..], &limits, &command].concat());
    assert_eq!(code(&output), 11);
    check_says(&output, "timeout: did not end within 2s");
    check_says(&output, "1 of 2 done");
}

#[test]
fn broken_configs_name_line_and_column() {
    let desk = Desk::new();
    desk.write(
        "bad.yaml",
        "experiment: {name: x}\ntask:\n  comand: [true]\n",
    );
    let output = desk.run(&["run", "bad.yaml"]);
    assert_eq!(code(&output), 4);
    check_says(&output, "bad.yaml:3:3: task: unknown key `comand`");
    check_says(&output, "did you mean `command`?");
    assert_eq!(code(&desk.run(&["run", "missing.yaml"])), 1);
    assert_eq!(code(&desk.run(&["run"])), 2);
    assert_eq!(code(&desk.run(&["run", "bad.yaml", "--", "true"])), 2);
    assert!(!desk.path(".trialbook").exists(), "nothing was begun");
}

/// Files below a folder in which a text occurs.
fn holding(folder: &Path, text: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            holding(&path, text, found);
        } else if fs::read(&path)
            .unwrap()
            .windows(text.len())
            .any(|bytes| bytes == text.as_bytes())
        {
            found.push(path);
        }
    }
}

fn check_holds_none_of(desk: &Desk, secrets: &[&str]) {
    for secret in secrets {
        let mut found = Vec::new();
        holding(&desk.path(".trialbook"), secret, &mut found);
        assert!(found.is_empty(), "`{secret}` in {found:?}");
    }
}

#[test]
fn no_secret_of_a_config_or_a_command_line_is_in_the_book() {
    let desk = Desk::new();
    desk.write(
        "exp.yaml",
        "experiment: {name: exp, tags: {token: tagsecret1}}\n\
         task:\n\
         \x20 command: [sh, -c, 'test \"{api_key} $DB_PASSWORD\" = \"$(cat expected)\" && test \"$2$4\" = \"$(cat arguments)\" && echo m=1', sh, --password, argsecret1, -u, 'bob:argsecret2']\n\
         \x20 env: {DB_PASSWORD: envsecret1, db_pwd: envsecret2}\n\
         variations: [{name: a, api_key: paramsecret1}]\n\
         trials: 1\n",
    );
    desk.write("expected", "paramsecret1 envsecret1");
    desk.write("arguments", "argsecret1bob:argsecret2");
    let output = desk.run(&["run", "exp.yaml"]);
    assert_eq!(code(&output), 0, "{}", told(&output));
    // The same once more is no change.
    let again = desk.run(&["run", "exp.yaml"]);
    check_says(&again, "1 of 1 done");
    let grid = [
        "run",
        "--set",
        "api_key=gridsecret1,gridsecret2",
        "--experiment",
        "grid",
        "--",
        "sh",
        "-c",
        "test -n {api_key} && echo m=1",
        "sh",
        "--token",
        "argsecret3",
    ];
    let document = desk.json(&[&grid[..1], &["--json"], &grid[1..]].concat());
    assert_eq!(
        document["variations"].as_array().unwrap().len(),
        2,
        "{document}"
    );
    assert_eq!(document["completed"], 2);
    assert!(!stderr(&desk.run(&grid)).contains("gridsecret"));
    check_holds_none_of(
        &desk,
        &[
            "argsecret",
            "paramsecret1",
            "envsecret1",
            "envsecret2",
            "tagsecret1",
            "gridsecret1",
            "gridsecret2",
        ],
    );
}

#[test]
fn a_dry_run_makes_nothing() {
    let desk = Desk::new();
    desk.write("exp.yaml", GATED);
    let output = desk.run(&["run", "exp.yaml", "--dry-run"]);
    assert_eq!(code(&output), 0);
    assert_eq!(stdout(&output).matches("start: never run").count(), 30);
    assert!(!desk.path(".trialbook").exists());
}

/// C-44.
#[test]
fn programs_that_log_by_themselves_join_the_run() {
    let desk = Desk::new();
    let mut script = String::new();
    let binary = env!("CARGO_BIN_EXE_trialbook");
    writeln!(
        script,
        "test \"$({binary} start --param k=v)\" = $TRIALBOOK_RUN || exit 3"
    )
    .unwrap();
    writeln!(script, "{binary} log metric inner=5 || exit 4").unwrap();
    writeln!(script, "cd / && {binary} log metric elsewhere=6 || exit 5").unwrap();
    let document = desk.json(&["run", "--json", "--", "sh", "-c", &script]);
    assert_eq!(document["completed"], 1, "{document}");
    let metrics = document["variations"][0]["metrics"].as_array().unwrap();
    let last: Vec<(&Value, &Value)> = metrics
        .iter()
        .map(|metric| (&metric["metric"], &metric["max"]))
        .collect();
    let (elsewhere, inner) = ("elsewhere".into(), "inner".into());
    assert_eq!(last, [(&elsewhere, &6.0.into()), (&inner, &5.0.into())]);
}

#[test]
fn an_engine_executes_a_planned_run_by_exec() {
    let desk = Desk::new();
    desk.write("exp.yaml", GATED);
    desk.write("gate-a-1", "");
    let running = desk.start(&["run", "exp.yaml"]);
    wait_for("trial a-1", || desk.path("outer").exists());
    running.signal(Signal::INT);
    assert_eq!(code(&running.end()), 130);
    let output = desk.run(&["exec", "EXP-1/run-003", "--exit-record", "exit.json"]);
    assert_eq!(code(&output), 0, "{}", told(&output));
    let record: Value = serde_json::from_str(&desk.read("exit.json")).unwrap();
    assert_eq!(record["status"], "completed");
    assert_eq!(record["exit_code"], 0);
    let run = desk.json(&["show", "EXP-1/run-003", "--json"]);
    assert!(run["environment"]["platform"].is_string(), "{run}");
    assert_eq!(desk.read("done"), "a-3\n");
    assert_eq!(desk.counts("exp.yaml"), (1, 29));
    let again = desk.run(&["exec", "EXP-1/run-003"]);
    assert_eq!(code(&again), 2, "it has run already");
    // While it runs, neither a second one nor `run` executes anything of the experiment.
    desk.write("gate-a-2", "");
    fs::remove_file(desk.path("outer")).unwrap();
    let first = desk.start(&["exec", "EXP-1/run-002"]);
    wait_for("trial a-2", || desk.path("outer").exists());
    for words in [&["exec", "EXP-1/run-002"][..], &["run", "exp.yaml"]] {
        let second = desk.run(words);
        assert_eq!(code(&second), 12, "{}", told(&second));
    }
    assert_eq!(
        code(&desk.run(&["exec", "EXP-1/run-005"])),
        0,
        "another run"
    );
    first.signal(Signal::KILL);
    drop(first.end());
    wait_for("the death of the group", || !runs(&desk.read("inner")));
}

#[test]
fn exec_tells_no_program_a_redacted_secret() {
    let desk = Desk::new();
    desk.write(
        "exp.yaml",
        "experiment: {id: EXP-1, name: exp}\n\
         task: {command: [sh, -c, 'echo $$ > outer; test {trial} != 1 || sleep 1000']}\n\
         variations: [{name: a, api_key: hunter2}]\n\
         trials: 2\n",
    );
    let running = desk.start(&["run", "exp.yaml"]);
    wait_for("the first trial", || !desk.read("outer").is_empty());
    running.signal(Signal::INT);
    assert_eq!(code(&running.end()), 130);
    let refused = desk.run(&["exec", "EXP-1/run-002"]);
    assert_eq!(code(&refused), 2, "{}", told(&refused));
    check_says(&refused, "without the secrets");
}

#[test]
fn single_commands_of_one_program_run_side_by_side() {
    let desk = Desk::new();
    let script = "echo $$ > up-{trial}; while ! [ -e go ]; do sleep 0.02; done; echo t={trial}";
    let words = ["run", "--", "sh", "-c", script];
    let first = desk.start(&words);
    wait_for("the first", || desk.path("up-1").exists());
    let second = desk.start(&words);
    wait_for("the second", || desk.path("up-2").exists());
    // A grid over the same experiment has to wait.
    let grid = desk.run(&["run", "--trials", "2", "--", "sh", "-c", "true"]);
    assert_eq!(code(&grid), 12, "{}", told(&grid));
    desk.write("go", "");
    for running in [first, second] {
        let output = running.end();
        assert_eq!(code(&output), 0, "{}", told(&output));
        assert!(!stderr(&output).contains("lost"), "{}", told(&output));
    }
    let document = desk.json(&["run", "--json", "--", "sh", "-c", script]);
    assert_eq!(document["completed"], 3, "{document}");
    assert_eq!(document["failed"], 0);
}

#[test]
fn no_trials_and_no_jobs_are_refused() {
    let desk = Desk::new();
    desk.write("exp.yaml", GATED);
    for option in ["--trials", "--jobs"] {
        assert_eq!(code(&desk.run(&["run", "exp.yaml", option, "0"])), 2);
    }
    assert!(!desk.path(".trialbook").exists());
}

#[test]
fn a_secret_that_a_program_prints_is_not_in_the_book() {
    let desk = Desk::new();
    let script = "echo {api_key}; echo $DB_PASSWORD is wrong >&2; exit 3";
    desk.write(
        "exp.yaml",
        &format!(
            "experiment: {{name: e}}\n\
             task: {{command: [sh, -c, '{script}'], env: {{DB_PASSWORD: horse77}}}}\n\
             variations: [{{name: a, api_key: paramsecret1}}]\n"
        ),
    );
    let output = desk.run(&["run", "exp.yaml"]);
    assert!(
        stderr(&output).contains("[redacted] is wrong"),
        "{}",
        told(&output)
    );
    desk.run(&[
        "run",
        "--set",
        "api_key=gridsecret1",
        "--",
        "sh",
        "-c",
        "echo {api_key}",
    ]);
    check_holds_none_of(&desk, &["horse77", "paramsecret1", "gridsecret1"]);
}
