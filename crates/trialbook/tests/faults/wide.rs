//! A run with so many names that nobody meant it: it is kept, found and shown all the same.

use std::fmt::Write as _;

use trialbook_model::id::{ExperimentUid, RunUid, Uid};
use trialbook_model::record::{CreateExperiment, Op, Points, SeriesKey, StartRun, Subject};
use trialbook_model::time::Timestamp;
use trialbook_spool::sim::rounds;
use trialbook_store::{Book, Effort};

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

/// An experiment of very many runs, as an import makes it.
fn many_runs(book: &Book, runs: u64) {
    let experiment = ExperimentUid(Uid([7; 16]));
    let mut draft = book.draft(Timestamp(1)).unwrap();
    let mut say = |time: u64, op: &Op| {
        let time = i64::try_from(time).unwrap();
        draft.say(Timestamp(time), None, op).unwrap();
    };
    let create = Op::CreateExperiment(CreateExperiment {
        experiment,
        project: "default".to_owned(),
        name: "many".to_owned(),
        handle: None,
        document: serde_json::Value::Null,
        config_hash: None,
    });
    say(1, &create);
    for at in 0..runs {
        let mut uid = [9; 16];
        uid[8..].copy_from_slice(&at.to_be_bytes());
        let run = RunUid(Uid(uid));
        say(
            2 + at,
            &Op::StartRun(StartRun {
                experiment,
                name: Some(format!("r{at}")),
                started: Timestamp(i64::try_from(at).unwrap()),
                ..StartRun::of(run)
            }),
        );
        say(
            2 + at,
            &Op::Points(Points {
                subject: Subject::Run(run),
                step: 0,
                time: Timestamp(2),
                set: false,
                values: vec![(SeriesKey::plain("loss"), at as f64)],
            }),
        );
    }
    draft.commit().unwrap();
    book.seal(Effort::All).unwrap();
}

/// Nobody reads a table of 10⁵ rows: the newest are compared, and what is left out is said, with what shows it.
#[test]
fn a_comparison_of_very_many_runs_shows_the_newest() {
    let runs = keys() / 10;
    let sandbox = Sandbox::new();
    many_runs(&Book::create(&sandbox.book()).unwrap(), runs);
    for words in ["compare many --json", "compare many/run-* --json"] {
        let said = sandbox.say(words);
        for told in [
            "the newest 100 are compared",
            "--limit changes that",
            "`trialbook leaderboard` ranks all",
        ] {
            assert!(said.err.contains(told), "{words}: {}", said.err);
        }
        let json = said.json();
        let subjects = json["subjects"].as_array().unwrap();
        assert_eq!(subjects.len(), 100, "{words}");
        let newest = format!("r{}", runs - 1);
        assert!(subjects.iter().any(|it| it["title"] == newest), "{words}");
    }
    let board = sandbox.say("leaderboard many --sort-by loss --json").json();
    assert_eq!(board["ranked"], runs);
}
