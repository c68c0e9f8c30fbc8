//! Setting a run up again from what was recorded.

mod sandbox;

use std::fs;

use sandbox::Sandbox;

/// C-31.
#[test]
#[expect(clippy::too_many_lines, reason = "a day is told in its order")]
fn a_planned_run_becomes_a_config_that_runs_as_it_did() {
    let sandbox = Sandbox::new();
    let config = "
experiment: {name: tuning, project: nlp}
task: {command: [sh, -c, 'echo loss=0.{depth}; echo seed_seen={seed}']}
variations: [{name: flat, params: {depth: 1}}, {name: deep, params: {depth: 25, rate: 3.10}}]
trials: 2
random_seed: 11
success_criteria: [{metric: loss, condition: '< 0.9'}]
";
    fs::write(sandbox.work().join("tuning.yaml"), config).unwrap();
    sandbox.say("run tuning.yaml").ok();
    let old = sandbox.say("show tuning/run-004 --json").json();
    let said = sandbox.say("revert tuning/run-004 -o again.yaml");
    assert!(
        said.err
            .contains("`trialbook run again.yaml` sets it up again"),
        "{said:?}"
    );
    assert_eq!(
        said.ok(),
        "Wrote the config of tuning/run-004 to again.yaml\n"
    );
    let file = fs::read_to_string(sandbox.work().join("again.yaml")).unwrap();
    assert!(
        file.contains("rate: 3.10\n") && !file.contains("flat"),
        "{file}"
    );
    // What is printed is what is written.
    assert_eq!(sandbox.say("revert tuning/run-004").ok(), file);
    sandbox.say("run again.yaml").ok();
    let new = sandbox.say("show tuning-run-004/run-001 --json").json();
    assert_eq!(new["params"], old["params"]);
    assert_eq!(new["seed"], old["seed"]);
    assert_eq!(new["command"], old["command"]);
    assert_eq!(new["project"], "nlp");
    assert_eq!(
        new["metrics"]["loss"]["last"],
        old["metrics"]["loss"]["last"]
    );
    assert_eq!(
        new["metrics"]["seed_seen"]["last"],
        old["metrics"]["seed_seen"]["last"]
    );

    // The same file again is no matter, another one is not overwritten.
    sandbox.say("revert tuning/run-004 -o again.yaml").ok();
    let refused = sandbox.say("revert tuning/run-001 -o again.yaml").failed(6);
    assert!(
        refused.contains("`again.yaml` is there already and is a different file"),
        "{refused}"
    );
    assert_eq!(
        fs::read_to_string(sandbox.work().join("again.yaml")).unwrap(),
        file
    );
    sandbox
        .say("revert tuning/run-001 -o again.yaml --force")
        .ok();
    let refused = sandbox
        .say("revert tuning/run-001 -o nowhere/a.yaml")
        .failed(1);
    assert!(
        refused.contains("cannot write `nowhere/a.yaml`"),
        "{refused}"
    );
    sandbox.say("revert nobody").failed(3);
}

#[test]
fn a_command_becomes_a_config_with_its_braces() {
    let sandbox = Sandbox::new();
    let command = ["run", "--", "sh", "-c", "x={loss}; echo $x; echo loss=0.5"];
    sandbox.run(command).ok();
    // Another command takes the place of the recorded config; the run keeps its own.
    sandbox.run(["run", "--", "sh", "-c", "echo loss=9"]).ok();
    sandbox.say("revert sh/run-001 -o again.yaml").ok();
    sandbox.say("run again.yaml").ok();
    let (old, new) = (
        sandbox.say("show sh/run-001 --json").json(),
        sandbox.say("show sh-run-001/run-001 --json").json(),
    );
    assert_eq!(new["command"], old["command"]);
    assert_eq!(new["metrics"]["loss"]["last"], 0.5);
}

/// C-31.
#[test]
fn a_setup_becomes_a_file_that_start_takes() {
    let sandbox = Sandbox::new();
    let setup =
        "agents: [{name: a, model: m, temperature: 0.5}]\nsystem: {level: INFO}\nparams: {k: 3}\n";
    fs::write(sandbox.work().join("setup.yaml"), setup).unwrap();
    sandbox.start("--name one --alias exp_20241227_143022 --config setup.yaml");
    sandbox
        .say("revert exp_20241227_143022 -o revert_config.json")
        .ok();
    let text = fs::read_to_string(sandbox.work().join("revert_config.json")).unwrap();
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(file["agents"]["a"]["model"], "m");
    let said = sandbox.say("start --name two --config revert_config.json");
    assert!(
        said.err.contains("same configuration as Default/run-001"),
        "{said:?}"
    );
    let (one, two) = (
        sandbox.say("show one --json").json(),
        sandbox.say("show two --json").json(),
    );
    assert_eq!(one["config_hash"], two["config_hash"]);
    assert_eq!(one["params"], two["params"]);
    assert_eq!(one["snapshots"], two["snapshots"]);
    sandbox.start("--name bare");
    let refused = sandbox.say("revert bare").failed(2);
    assert!(
        refused.contains("nothing was recorded that the run could be set up from"),
        "{refused}"
    );
}
