//! The data manifest: added to, checked, brought up to date.

mod sandbox;

use std::fs;

use sandbox::{Sandbox, write};
use serde_json::json;

///
#[test]
fn a_manifest_is_made_checked_and_brought_up_to_date() {
    let sandbox = Sandbox::new();
    let data = sandbox.work().join("exp/data/texts");
    fs::create_dir_all(data.join("deep")).unwrap();
    fs::write(data.join("a.txt"), "one").unwrap();
    fs::write(data.join("deep/b.txt"), "two").unwrap();
    let add = "dataset add exp/data/texts --name texts --manifest exp/data-manifest.yaml --json";
    let added = sandbox.say(add).json();
    assert_eq!(added["datasets"][0]["path"], "data/texts");
    assert_eq!(
        (
            &added["datasets"][0]["files"],
            &added["datasets"][0]["bytes"]
        ),
        (&json!(2), &json!(6))
    );
    let said = sandbox.say(add).failed(2);
    assert!(said.contains("in the manifest already"), "{said}");
    let path = sandbox.work().join("exp/data-manifest.yaml");
    // What people wrote beside it stays.
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("# ours\n{text}")).unwrap();
    fs::write(sandbox.work().join("exp/data/labels.csv"), "a,b\n").unwrap();
    sandbox
        .say("dataset add exp/data/labels.csv --manifest exp/data-manifest.yaml")
        .ok();
    sandbox
        .say("dataset verify --manifest exp/data-manifest.yaml")
        .ok();
    fs::write(data.join("a.txt"), "changed").unwrap();
    let verify = "dataset verify --manifest exp/data-manifest.yaml --json";
    let ended = sandbox.say(verify);
    assert_ne!(ended.code, 0);
    let document: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let outcomes: Vec<_> = document["datasets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["outcome"])
        .collect();
    assert_eq!(outcomes, ["changed", "same"]);
    assert!(
        ended.err.contains("data/texts` is changed"),
        "{}",
        ended.err
    );
    sandbox
        .say("dataset update texts --manifest exp/data-manifest.yaml")
        .ok();
    sandbox
        .say("dataset verify --manifest exp/data-manifest.yaml")
        .ok();
    fs::remove_file(sandbox.work().join("exp/data/labels.csv")).unwrap();
    let ended = sandbox.say("dataset verify --manifest exp/data-manifest.yaml");
    assert!(ended.out.contains("missing"), "{}", ended.out);
    sandbox
        .say("dataset verify texts --manifest exp/data-manifest.yaml")
        .ok();
    sandbox
        .say("dataset verify nothing --manifest exp/data-manifest.yaml")
        .failed(3);
    sandbox.say("dataset verify --manifest none.yaml").failed(3);
}

#[test]
fn data_above_the_manifest_are_found_as_a_run_finds_them() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.work().join("data")).unwrap();
    fs::create_dir_all(sandbox.work().join("experiments/one")).unwrap();
    fs::write(sandbox.work().join("data/a"), "one").unwrap();
    sandbox.say("dataset add data").ok();
    fs::rename(
        sandbox.work().join("data-manifest.yaml"),
        sandbox.work().join("experiments/one/data-manifest.yaml"),
    )
    .unwrap();
    let verify = "dataset verify --manifest experiments/one/data-manifest.yaml";
    sandbox.say(verify).ok();
    fs::write(sandbox.work().join("data/a"), "two").unwrap();
    let ended = sandbox.say(verify);
    assert!(ended.out.contains("changed"), "{}", ended.out);
    sandbox.say(&verify.replace("verify", "update")).ok();
    sandbox.say(verify).ok();
}

#[test]
fn the_short_form_keeps_its_form_and_its_comments() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.work().join("data")).unwrap();
    fs::write(sandbox.work().join("data/a"), "one").unwrap();
    sandbox.say("dataset add data").ok();
    let path = sandbox.work().join("data-manifest.yaml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with("data_sources:\n  - path: \"data\"\n"),
        "{text}"
    );
    fs::write(&path, format!("# ours\n{text}")).unwrap();
    fs::write(sandbox.work().join("data/a"), "two").unwrap();
    sandbox.say("dataset update").ok();
    let after = fs::read_to_string(&path).unwrap();
    assert!(
        after.starts_with("# ours\n") && after != format!("# ours\n{text}"),
        "{after}"
    );
    sandbox.say("dataset verify").ok();
    fs::write(&path, "data_sources: [{path: a}]").unwrap();
    let said = sandbox.say("dataset verify").failed(4);
    assert!(said.contains("data-manifest.yaml:1:"), "{said}");
}

#[test]
fn data_without_a_manifest_is_compared_with_that_of_earlier_runs() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.work().join("data")).unwrap();
    fs::write(sandbox.work().join("data/a"), "one").unwrap();
    let config = "experiment: {name: e}\ntask: {command: [/bin/echo, m=1], data_path: data}\nvariations: [{name: v}]\n";
    fs::write(sandbox.work().join("e.yaml"), config).unwrap();
    let run = |words: &str| sandbox.say(format!("run e.yaml {words}").trim());
    assert!(!run("").err.contains("were done with"));
    let shown = sandbox.say("show e/run-001 --json").json();
    let snapshots = shown["snapshots"].to_string();
    assert!(snapshots.contains("dataset"), "{shown}");
    assert!(!run("--rerun").err.contains("were done with"));
    fs::write(sandbox.work().join("data/a"), "two").unwrap();
    let said = run("--rerun").err;
    assert!(said.contains("were done with `data` sha256:"), "{said}");
    assert!(
        !run("--rerun --no-capture data")
            .err
            .contains("were done with")
    );
}

#[test]
fn what_goes_wrong_says_what_to_type() {
    let sandbox = Sandbox::new();
    let refused = sandbox.say("dataset verify").failed(3);
    assert!(
        refused.contains("`trialbook dataset add PATH`"),
        "{refused}"
    );
    write(&sandbox, "d/a", "1");
    std::os::unix::fs::symlink(".", sandbox.work().join("d/loop")).unwrap();
    let refused = sandbox.say("dataset add d").failed(4);
    assert!(refused.contains("hint: remove it"), "{refused}");
    std::fs::remove_file(sandbox.work().join("d/loop")).unwrap();
    sandbox.say("dataset add d").ok();
    write(&sandbox, "d/a", "2");
    let refused = sandbox.say("dataset verify").failed(7);
    assert!(
        refused.contains("`trialbook run CONFIG` without"),
        "{refused}"
    );
}
