//! A run with so many names that nobody meant it: it is kept, found and shown all the same.

use std::fmt::Write as _;

use trialbook_spool::sim::rounds;

use super::sandbox::Sandbox;

/// A million in the long form, which takes some minutes; else a tenth of it.
fn keys() -> u64 {
    if rounds::duration().is_some() {
        1_000_000
    } else {
        100_000
    }
}

#[test]
fn a_run_with_very_many_names() {
    let keys = keys();
    let sandbox = Sandbox::new();
    let run = sandbox.start("--name wide");
    let mut text = String::new();
    for line in 0..keys / 100 {
        let pairs: Vec<String> = (0..100)
            .map(|at| format!("\"key/{}\": {at}", line * 100 + at))
            .collect();
        writeln!(text, "{{\"step\": 0, {}}}", pairs.join(", ")).unwrap();
    }
    let log = format!("log - --run {run}");
    sandbox.feed(&log, text.as_bytes()).ok();
    let last = format!("series wide key/{} --csv", keys - 1);
    let before = sandbox.say(&last).ok();
    assert!(before.ends_with(",99\n"), "{before}");
    sandbox.say("doctor --rebuild").ok();
    assert_eq!(sandbox.say(&last).ok(), before);
    let show = sandbox.say("show wide --json").json();
    assert_eq!(show["counts"]["points"], keys);
    assert_eq!(show["metrics"].as_object().unwrap().len() as u64, keys);
    let page = sandbox.say("show wide").ok().lines().count();
    assert!(page < 1_000, "a page of {page} lines");
    let search = ["search", "metrics.\"key/77\" = 77", "--json"];
    assert_eq!(sandbox.run(search).json()["total"], 1);
    let odd = sandbox.run(["search", "metrics.\"kay/77\" = 77"]);
    assert!(odd.err.contains("nearest: `key/77`"), "{odd:?}");
}
