//! Quality gates of a run, hints on an experiment.

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod sandbox;

use sandbox::Sandbox;
use serde_json::{Value, json};

fn state<'a>(checked: &'a Value, gate: &str) -> &'a str {
    let gates = checked["gates"].as_array().unwrap();
    let found = gates.iter().find(|it| it["gate"] == gate);
    found.unwrap()["state"].as_str().unwrap()
}

/// Whether the reason why a gate was not passed is there in whole.
#[track_caller]
fn tells_the_reason_on_a_narrow_terminal(sandbox: &Sandbox, skip: &str) {
    let mut narrow = sandbox.command();
    narrow.env("COLUMNS", "40");
    narrow.args(["check", "good", "--skip", skip]);
    let narrow = sandbox::ended(&mut narrow);
    let words: Vec<&str> = narrow.out.split_whitespace().collect();
    assert!(
        words
            .join(" ")
            .contains("NOT PASSED steps are missing in loss"),
        "{narrow:?}"
    );
}

/// T-23.
#[test]
fn a_bare_run_fails_the_gates_and_a_documented_one_passes_them() {
    let sandbox = Sandbox::new();
    let bare = sandbox.start("--name bare");
    sandbox.say(&format!("log metric loss=1 --run {bare}")).ok();
    sandbox.say(&format!("log param late=1 --run {bare}")).ok();
    sandbox.say(&format!("end --run {bare}")).ok();
    let said = sandbox.say("check bare --json");
    assert_eq!(said.code, 10, "{said:?}");
    let checked: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(checked["passed"], false);
    for gate in [
        "tagged",
        "params_first",
        "artifacts",
        "checkpoints",
        "command",
        "noted",
    ] {
        assert_eq!(state(&checked, gate), "failed", "{gate}");
    }
    assert_eq!(state(&checked, "named"), "passed");
    assert_eq!(state(&checked, "measured"), "passed");
    assert_eq!(state(&checked, "without_gaps"), "not_applicable");

    let good = sandbox.start("--name good --param lr=0.1");
    for step in [1, 2, 3, 5] {
        sandbox
            .say(&format!(
                "log metric loss=0.{step} --step {step} --run {good}"
            ))
            .ok();
    }
    std::fs::write(sandbox.work().join("m.pt"), "weights").unwrap();
    sandbox
        .say(&format!("log artifact m.pt --role best --run {good}"))
        .ok();
    std::fs::write(sandbox.work().join("n.pt"), "weights 2").unwrap();
    sandbox
        .say(&format!("log artifact n.pt --role last --run {good}"))
        .ok();
    sandbox.say(&format!("end --run {good} --note done")).ok();
    sandbox.say("tag good stage=test").ok();
    sandbox.say("baseline good").ok();
    let skip = "command,commit,environment,data,reproduced";
    let said = sandbox.say(&format!("check good --skip {skip}"));
    assert_eq!(said.code, 10, "{said:?}");
    assert!(
        said.out
            .contains("without_gaps  NOT PASSED  steps are missing in loss"),
        "{said:?}"
    );
    tells_the_reason_on_a_narrow_terminal(&sandbox, skip);
    sandbox
        .say(&format!("log metric loss=0.4 --step 4 --run {good}"))
        .ok();
    let said = sandbox.say(&format!("check good --skip {skip}")).ok();
    assert!(said.contains("9 gates passed, 0 not passed"), "{said}");
    sandbox.say("check good --skip nothing").failed(2);
    sandbox.say("check nobody").failed(3);
    sandbox.say("check good --tolerance x").failed(2);
}

/// M-28.
#[test]
fn an_experiment_gets_hints() {
    let sandbox = Sandbox::new();
    for (name, param) in [("a", "--param lr=1"), ("b", "--param lr=2"), ("c", "")] {
        let id = sandbox.start(&format!("--experiment test --name {name} {param}"));
        sandbox.say(&format!("log metric loss=1 --run {id}")).ok();
        sandbox.say(&format!("end --run {id}")).ok();
    }
    let json = sandbox.say("lint test --json").json();
    let codes: Vec<&str> = json["hints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hint| hint["code"].as_str().unwrap())
        .collect();
    let expected = [
        "name",
        "without_params",
        "few_trials",
        "no_baseline",
        "no_tags",
        "no_notes",
        "goals_assumed",
    ];
    assert_eq!(codes, expected);
    assert_eq!(json["hints"][1]["runs"], 1);
    assert_eq!(json["hints"][2]["arms"], json!([["lr=1", 1], ["lr=2", 1]]));
    let said = sandbox.say("lint test").ok();
    assert!(said.contains("params: 1 of 3 runs have none"), "{said}");
    sandbox.say("lint test --strict").failed(10);
}

/// A reproduction is found however many runs came after it, and in whichever experiment it is.
#[test]
fn a_reproduction_is_found_behind_a_thousand_later_runs() {
    let sandbox = Sandbox::new();
    let uid = |at: u64| format!("{at:032x}");
    let mut records = Vec::new();
    let mut said = |time: u64, op: Value| records.push(json!({"time": time, "op": op}));
    for (at, name) in [(1, "tuning"), (2, "again")] {
        let create = json!({"experiment": uid(900_000 + at), "project": "default", "name": name});
        said(at, json!({"create_experiment": create}));
    }
    for at in 1..=1_100 {
        let is_again = at == 2;
        let experiment = uid(900_001 + u64::from(is_again));
        let links = if is_again {
            json!([["reproduces", uid(1)]])
        } else {
            json!([])
        };
        let start = json!({"run": uid(at), "experiment": experiment, "started": at, "status": "running", "links": links});
        said(10 * at, json!({"start_run": start}));
        let end = json!({"run": uid(at), "status": "completed", "ended": 10 * at + 1});
        said(10 * at + 1, json!({"set_status": end}));
    }
    let mut lines: Vec<String> = records.iter().map(Value::to_string).collect();
    for (at, value) in [(1, 0.5), (2, 0.501)] {
        let points = json!({"of": {"run": uid(at)}, "series": [{"key": "loss"}], "steps": [1], "times": [10 * at], "values": [[value]]});
        lines.push(json!({"points": points}).to_string());
    }
    let text = format!(
        "{{\"format\":\"trialbook-export\",\"version\":1,\"records\":[\n{}\n],\"count\":{}}}",
        lines.join(",\n"),
        lines.len()
    );
    let said = sandbox.feed("import - --json", text.as_bytes()).json();
    assert_eq!(said["runs"], 1_100);
    let outcome = |words: &str| {
        let ended = sandbox.say(&format!("check {} --json {words}", uid(1)));
        let document: Value = serde_json::from_str(&ended.out).unwrap();
        let gates = document["gates"].as_array().unwrap().clone();
        let gate = gates.into_iter().find(|it| it["gate"] == "reproduced");
        gate.unwrap()
    };
    assert!(outcome("--tolerance 1%").to_string().contains(&uid(2)));
    assert!(outcome("--tolerance 0.01%").to_string().contains("0.501"));
}
