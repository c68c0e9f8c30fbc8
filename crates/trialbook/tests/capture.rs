//! What `trialbook run` captures around its runs, and grids over configs: the real binary, real processes.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it has to be"
)]

mod sandbox;

use std::fs;
use std::path::Path;
use std::process::Command;

use sandbox::{PATH, Sandbox, ended, on_path as say, write};
use serde_json::Value;

/// A config of one trial that does nothing.
fn idle(sandbox: &Sandbox) {
    write(
        sandbox,
        "exp.yaml",
        "experiment: {id: EXP-1, name: exp}\ntask: {command: [sh, -c, 'echo m=1; echo text']}\n",
    );
}

#[track_caller]
fn shown(sandbox: &Sandbox, run: &str) -> Value {
    say(sandbox, &format!("show {run} --json")).json()
}

fn git(folder: &Path, words: &[&str]) -> bool {
    let identity = [
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
        "-c",
        "commit.gpgsign=false",
    ];
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(identity).args(words);
    command.output().is_ok_and(|output| output.status.success())
}

/// A-17, C-5, S-55, S-58.
#[test]
fn code_surroundings_and_variables_are_captured_without_secrets() {
    let sandbox = Sandbox::new();
    idle(&sandbox);
    write(&sandbox, "uv.lock", "version = 1");
    assert!(git(&sandbox.work(), &["init", "-q"]));
    assert!(git(&sandbox.work(), &["add", "exp.yaml"]));
    assert!(git(&sandbox.work(), &["commit", "-q", "-m", "first"]));
    let text = fs::read_to_string(sandbox.work().join("exp.yaml")).unwrap();
    let changed = format!("{text}# api_key = \"sk-hunter2hunter2\"\n# another line\n");
    write(&sandbox, "exp.yaml", &changed);
    let run = ended(
        sandbox
            .command()
            .env("PATH", PATH)
            .env("MY_SETTING", "7")
            .env("MY_TOKEN", "hunter2")
            .args(["run", "exp.yaml"]),
    );
    run.ok();
    let document = shown(&sandbox, "EXP-1/run-001");
    let environment = &document["environment"];
    assert_eq!(environment["git_dirty"], true, "{environment}");
    assert!(environment["git_diff"].is_string());
    assert!(
        environment["lock_files"]["uv.lock"].is_string(),
        "{environment}"
    );
    assert!(environment["memory_bytes"].as_u64() > Some(0));
    for kind in ["code", "config", "environment", "variables"] {
        assert!(
            document["snapshots"][kind].is_string(),
            "{kind}: {document}"
        );
    }
    let page = say(&sandbox, "show EXP-1/run-001 --full").ok();
    assert!(
        page.contains("MY_SETTING") && page.contains("another line"),
        "{page}"
    );
    let mut files = Vec::new();
    collect(&sandbox.book(), &mut files);
    let secret = b"hunter2";
    let holds = |bytes: &Vec<u8>| bytes.windows(secret.len()).any(|it| it == secret);
    assert!(!files.iter().any(holds), "a secret is in the book");
}

fn collect(folder: &Path, files: &mut Vec<Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(fs::read(&path).unwrap());
        }
    }
}

/// S-55.
#[test]
fn packages_of_the_interpreter_are_captured_and_their_change_is_told() {
    let sandbox = Sandbox::new();
    let version = |version: &str| {
        fs::remove_dir_all(sandbox.work().join("site")).ok();
        write(
            &sandbox,
            &format!("site/thing-{version}.dist-info/METADATA"),
            "",
        );
    };
    write(
        &sandbox,
        "exp.yaml",
        "experiment: {id: EXP-1, name: exp}\ntask: {command: [python3, -c, 'print(\"m=1\")']}\nenvironment: {git_commit: abc123, packages: {thing: '2.0'}}\n",
    );
    let run = |trials: &str| {
        ended(
            sandbox
                .command()
                .env("PATH", PATH)
                .env("PYTHONPATH", sandbox.work().join("site"))
                .args(["run", "exp.yaml", "--trials", trials]),
        )
    };
    version("1.0");
    let first = run("1");
    assert_eq!(first.code, 0, "{first:?}");
    assert!(
        first
            .err
            .contains("the config says packages.thing `2.0`; found `1.0`"),
        "{first:?}"
    );
    assert!(
        first
            .err
            .contains("the config says git_commit `abc123`; that was not captured: unchecked"),
        "{first:?}"
    );
    let document = shown(&sandbox, "EXP-1/run-001");
    assert_eq!(document["environment"]["packages"]["thing"], "1.0");
    assert!(document["environment"]["python_version"].is_string());
    version("1.1");
    let second = run("2");
    let told = "were done with package thing `1.0`; now it is `1.1`";
    assert!(second.err.contains(told), "{second:?}");
}

#[test]
fn each_part_is_switched_off_by_the_command_line_or_the_config() {
    let sandbox = Sandbox::new();
    idle(&sandbox);
    say(&sandbox, "run exp.yaml --no-capture all").ok();
    let document = shown(&sandbox, "EXP-1/run-001");
    let kinds: Vec<&String> = document["snapshots"].as_object().unwrap().keys().collect();
    assert_eq!(kinds, ["config"]);
    assert_eq!(document["counts"]["log_bytes"], 0);
    assert_eq!(
        document["metrics"].as_object().unwrap().len(),
        1,
        "{document}"
    );
    write(
        &sandbox,
        "other.yaml",
        "experiment: {id: EXP-2, name: other}\ntask: {command: [sh, -c, 'echo text']}\ncapture: {environment: false, variables: false}\n",
    );
    say(&sandbox, "run other.yaml --no-capture git").ok();
    let document = shown(&sandbox, "EXP-2/run-001");
    let kinds: Vec<&String> = document["snapshots"].as_object().unwrap().keys().collect();
    assert_eq!(kinds, ["config"]);
    assert!(document["counts"]["log_bytes"].as_u64() > Some(0));
    assert!(
        document["metrics"]["system.cpu_seconds"].is_object(),
        "{document}"
    );
    let refused = say(&sandbox, "run exp.yaml --no-capture gti").failed(2);
    assert!(refused.contains("did you mean `git`?"), "{refused}");
}

fn manifest(sandbox: &Sandbox, digits: &str) {
    let text = format!("data_sources:\n  - {{path: data, checksum: 'sha256:{digits}'}}\n");
    write(sandbox, "data-manifest.yaml", &text);
}

/// A-10, S-57.
#[test]
fn data_is_held_against_its_manifest() {
    let sandbox = Sandbox::new();
    idle(&sandbox);
    write(&sandbox, "data/a", "one");
    manifest(&sandbox, &"0".repeat(64));
    let refused = say(&sandbox, "run exp.yaml --strict-data").failed(7);
    assert!(refused.contains("as the manifest says"), "{refused}");
    assert!(
        !say(&sandbox, "list").out.contains("EXP-1"),
        "nothing was begun"
    );
    let warned = say(&sandbox, "run exp.yaml");
    assert_eq!(warned.code, 0, "{warned:?}");
    assert!(warned.err.contains("as the manifest says"), "{warned:?}");
    let sum = warned.err.split("has sha256:").nth(1).unwrap()[..64].to_owned();
    manifest(&sandbox, &sum);
    let right = say(&sandbox, "run exp.yaml --trials 2 --strict-data");
    assert_eq!(right.code, 0, "{right:?}");
    assert!(!right.err.contains("manifest"), "{right:?}");
    for run in ["EXP-1/run-001", "EXP-1/run-002"] {
        let snapshots = &shown(&sandbox, run)["snapshots"];
        assert!(snapshots["dataset"].is_string(), "{snapshots}");
    }
    // Other data, and a manifest that says so: results are no longer of the same data.
    write(&sandbox, "data/a", "two");
    let changed = say(&sandbox, "run exp.yaml --trials 3");
    assert!(
        changed
            .err
            .contains("runs of this experiment were done with `data`"),
        "{changed:?}"
    );
    write(&sandbox, "data-manifest.yaml", "data_sources: 3\n");
    let broken = say(&sandbox, "run exp.yaml --trials 4");
    assert_eq!(broken.code, 0);
    assert!(broken.err.contains("the data is not checked"), "{broken:?}");
    assert_eq!(
        say(&sandbox, "run exp.yaml --trials 5 --strict-data").code,
        4
    );
    fs::remove_file(sandbox.work().join("data-manifest.yaml")).unwrap();
    let refused = say(&sandbox, "run exp.yaml --trials 5 --strict-data").failed(2);
    assert!(refused.contains("no `data-manifest.yaml`"), "{refused}");
}

const TWO: &str = "experiment: {id: EXP-1, name: exp}\n\
    task: {command: [sh, -c, 'echo m={n}']}\n\
    variations: [{name: a, n: 1}, {name: b, n: 2}]\n\
    success_criteria: ['m < 10']\n";

#[test]
fn a_grid_over_a_config_stands_beside_its_own_runs() {
    let sandbox = Sandbox::new();
    write(&sandbox, "exp.yaml", TWO);
    say(&sandbox, "run exp.yaml").ok();
    let plan = say(
        &sandbox,
        "run exp.yaml --set n=5,6 --only a --dry-run --json",
    )
    .json();
    let names: Vec<&Value> = plan["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["variation"])
        .collect();
    assert_eq!(names, ["a n=5", "a n=6"]);
    let grid = say(&sandbox, "run exp.yaml --set n=5,60 --only a");
    assert_eq!(grid.code, 10, "the verdict is on the grid: {grid:?}");
    // The config itself has not changed, and none of its runs is left out.
    let again = say(&sandbox, "run exp.yaml");
    assert_eq!(again.code, 0, "{again:?}");
    assert!(!again.err.contains("has changed"), "{again:?}");
    assert!(again.out.contains("a n=5"), "{again:?}");
    let refused = say(&sandbox, "run exp.yaml --set n=1 --only c").failed(3);
    assert!(refused.contains("there is no variation `c`"), "{refused}");
    let odd = say(&sandbox, "run exp.yaml --set nn=1 --dry-run");
    assert!(odd.err.contains("did you mean `n`?"), "{odd:?}");
    assert_eq!(say(&sandbox, "run exp.yaml --set n").code, 2);
}

#[test]
fn a_dry_run_says_why_each_run_would_be_done() {
    let sandbox = Sandbox::new();
    write(
        &sandbox,
        "exp.yaml",
        "experiment: {id: EXP-1, name: exp}\n\
         task: {command: [sh, -c, 'exit {n}']}\n\
         variations: [{name: a, n: 0}, {name: b, n: 1}]\n",
    );
    let reasons = |words: &str| {
        let plan = say(&sandbox, &format!("run exp.yaml --dry-run --json {words}")).json();
        let runs = plan["runs"].as_array().unwrap().iter();
        let reasons = runs.map(|run| run["reason"].as_str().unwrap().to_owned());
        reasons.collect::<Vec<_>>()
    };
    assert_eq!(reasons("--trials 1"), ["never_run", "never_run"]);
    assert_eq!(say(&sandbox, "run exp.yaml").code, 11);
    assert_eq!(reasons("--trials 1"), ["done", "failed"]);
    let more = ["done", "never_run", "failed", "never_run"];
    assert_eq!(
        reasons("--trials 2"),
        more,
        "more trials plan only the new ones"
    );
    assert_eq!(reasons("--retry-failed"), ["done", "failed"]);
    assert_eq!(reasons("--rerun"), ["rerun", "rerun"]);
    let told = say(&sandbox, "run exp.yaml --dry-run --retry-failed").ok();
    assert!(told.contains("start: attempt 2, since"), "{told}");
}
