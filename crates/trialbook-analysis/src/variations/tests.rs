use trialbook_model::criteria::Outcome;
use trialbook_model::id::{ExperimentNo, ExperimentUid, RunUid, Uid, WriterUid};
use trialbook_model::plan::INTERRUPTED;
use trialbook_model::record::*;
use trialbook_model::time::Timestamp;
use trialbook_store::query::Query;
use trialbook_store::reference::Reference;

use super::*;

const EXPERIMENT: ExperimentUid = ExperimentUid(Uid([1; 16]));

/// Writes operations one after the other.
#[derive(Default)]
struct Writer {
    operations: Vec<Signed>,
}

impl Writer {
    fn say(&mut self, op: Op) {
        let seq = self.operations.len() as u64 + 1;
        self.operations.push(Signed {
            time: Timestamp(seq as i64),
            writer: WriterUid::default(),
            seq,
            actor: None,
            operation: None,
            op,
        });
    }

    fn run(&mut self, uid: u8, variation: &str, trial: u64, attempt: u64) -> RunUid {
        let run = RunUid(Uid([uid; 16]));
        self.say(Op::StartRun(StartRun {
            experiment: EXPERIMENT,
            variation: Some(variation.to_owned()),
            trial: Some(trial),
            attempt: Some(attempt),
            ..StartRun::of(run)
        }));
        run
    }

    fn metric(&mut self, run: RunUid, key: &str, value: f64) {
        self.say(Op::Points(Points {
            subject: Subject::Run(run),
            step: 0,
            time: Timestamp(0),
            set: false,
            values: vec![(SeriesKey::plain(key), value)],
        }));
    }

    fn end(&mut self, run: RunUid, status: RunStatus) {
        self.say(Op::SetStatus(SetStatus {
            run,
            status,
            started: None,
            ended: Some(Timestamp(9)),
            error: None,
            exit_code: None,
        }));
    }

    fn completed(&mut self, uid: u8, variation: &str, trial: u64, value: Option<f64>) {
        let run = self.run(uid, variation, trial, 1);
        if let Some(value) = value {
            self.metric(run, "time_ms", value);
        }
        self.end(run, RunStatus::Completed);
    }

    fn table(self) -> VariationTable {
        self.table_of(&[])
    }

    fn table_of(self, only: &[&str]) -> VariationTable {
        let only: Vec<String> = only.iter().map(|&name| name.to_owned()).collect();
        let mut book = Reference::new();
        book.seal(&self.operations);
        let experiment = book.experiment(ExperimentNo(1)).unwrap().unwrap();
        VariationTable::of_chosen(&book, &experiment, &only).unwrap()
    }
}

fn config() -> Config {
    let text = "
experiment: {name: t}
task: {command: [\"true\"]}
variations: [{name: b}, {name: a}]
trials: 3
metrics: [time_ms]
success_criteria: [\"time_ms < 3s\"]
";
    trialbook_model::config::parse(text, "t.yaml")
        .unwrap()
        .config
}

fn experiment() -> Writer {
    let mut writer = Writer::default();
    writer.say(Op::CreateExperiment(CreateExperiment {
        experiment: EXPERIMENT,
        project: "default".to_owned(),
        name: "t".to_owned(),
        handle: None,
        document: serde_json::to_value(config()).unwrap(),
        config_hash: None,
    }));
    writer
}

#[test]
fn variations_stand_in_the_order_of_the_config_with_what_is_missing() {
    let mut writer = experiment();
    writer.completed(10, "a", 1, Some(1000.0));
    writer.completed(11, "a", 2, None);
    writer.completed(12, "a", 3, Some(f64::NAN));
    writer.completed(13, "b", 1, Some(2000.0));
    writer.completed(14, "b", 2, Some(5000.0));
    let table = writer.table();
    let names: Vec<_> = table.rows.iter().map(|row| row.name.as_deref()).collect();
    assert_eq!(names, [Some("b"), Some("a")]);
    let a = &table.rows[1].metrics[0];
    assert_eq!((a.missing, a.not_finite), (1, 1));
    let described = a.description.unwrap();
    assert_eq!(
        (described.n, described.mean, described.sd),
        (1, 1000.0, None)
    );
    let verdict = table.verdict.unwrap();
    assert!(!verdict.met, "the mean of b is 3500 ms");
    assert!(!verdict.variations[0].met && verdict.variations[1].met);
    assert_eq!(verdict.variations[0].cells[0].met, 1);
    assert_eq!(verdict.variations[1].cells[0].missing, 1);
}

#[test]
fn failed_runs_give_no_metrics_and_the_latest_attempt_counts() {
    let mut writer = experiment();
    let failed = writer.run(10, "a", 1, 1);
    writer.metric(failed, "time_ms", 9.0);
    writer.end(failed, RunStatus::Failed);
    let again = writer.run(11, "a", 1, 2);
    writer.metric(again, "time_ms", 7.0);
    writer.end(again, RunStatus::Completed);
    let other = writer.run(12, "a", 2, 1);
    writer.metric(other, "extra", 1.0);
    writer.end(other, RunStatus::Failed);
    let table = writer.table();
    let a = &table.rows[1];
    assert_eq!(
        (a.statuses.completed, a.statuses.failed, a.superseded),
        (1, 1, 1)
    );
    assert_eq!(a.statuses.success_rate(), Some(0.5));
    assert_eq!(a.metrics[0].description.unwrap().mean, 7.0);
    let keys: Vec<_> = table
        .columns
        .iter()
        .map(|column| (column.key.as_str(), column.expected))
        .collect();
    assert_eq!(keys, [("time_ms", true), ("extra", false)]);
    assert_eq!(a.metrics[1].description, Err(Undefined::EmptyInput));
}

#[test]
fn without_an_ended_run_there_is_no_verdict() {
    let mut writer = experiment();
    writer.run(10, "a", 1, 1);
    let table = writer.table();
    assert_eq!(table.verdict, None);
    assert_eq!(table.statuses().running, 1);
    assert_eq!(table.statuses().success_rate(), None);
}

#[test]
fn an_attempt_that_only_waits_or_was_stopped_hides_no_result() {
    let mut writer = experiment();
    for (trial, ends) in [
        (1, None),
        (2, Some(RunStatus::Cancelled)),
        (3, Some(RunStatus::Failed)),
    ] {
        writer.completed(10 + trial as u8, "a", trial, Some(1.0));
        let again = writer.run(20 + trial as u8, "a", trial, 2);
        if let Some(ends) = ends {
            writer.end(again, ends);
        }
    }
    let a = &writer.table().rows[1];
    assert_eq!((a.statuses.completed, a.statuses.failed), (2, 1));
    assert_eq!((a.statuses.total(), a.superseded), (3, 1));
}

/// Of `a` all three trials are completed; of `b` the first is completed, the second cancelled, and the third
/// lost its process.
fn half_done() -> Writer {
    let mut writer = experiment();
    for trial in 1..=3 {
        writer.completed(10 + trial as u8, "a", trial, Some(1.0));
    }
    writer.completed(21, "b", 1, Some(2.0));
    let cancelled = writer.run(22, "b", 2, 1);
    writer.metric(cancelled, "time_ms", 3.0);
    writer.end(cancelled, RunStatus::Cancelled);
    let lost = writer.run(23, "b", 3, 1);
    writer.say(Op::SetStatus(SetStatus {
        run: lost,
        status: RunStatus::Failed,
        started: None,
        ended: Some(Timestamp(9)),
        error: Some(RunError {
            kind: INTERRUPTED.to_owned(),
            message: String::new(),
        }),
        exit_code: None,
    }));
    writer
}

#[test]
fn a_verdict_says_what_it_rests_on_and_open_trials_are_in_none() {
    let table = half_done().table();
    let judged = |ended, planned, variations| Judged {
        ended,
        planned,
        variations,
    };
    assert_eq!(table.judged, judged(4, 6, 2));
    assert!(!table.judged.is_whole());
    let b = &table.verdict.unwrap().variations[0];
    assert_eq!((b.cells[0].runs, b.cells[0].met), (1, 1));
    let chosen = half_done().table_of(&["a"]);
    assert_eq!(chosen.judged, judged(3, 3, 1));
    assert_eq!(chosen.verdict.unwrap().variations.len(), 1);
    assert_eq!(chosen.rows.len(), 2, "the table shows all");
    let mut begun = experiment();
    begun.completed(10, "a", 1, Some(1.0));
    let begun = begun.table();
    assert_eq!(begun.judged, judged(1, 6, 2), "b has not begun");
    assert_eq!(begun.verdict.unwrap().variations.len(), 1);
}

#[test]
fn a_run_is_judged_when_it_has_ended() {
    let mut writer = experiment();
    writer.completed(10, "a", 1, Some(1000.0));
    writer.completed(11, "a", 2, Some(4000.0));
    writer.completed(12, "a", 3, None);
    let failed = writer.run(13, "b", 1, 1);
    writer.metric(failed, "time_ms", 1.0);
    writer.end(failed, RunStatus::Failed);
    writer.run(14, "b", 2, 1);
    let mut book = Reference::new();
    book.seal(&writer.operations);
    let experiment = book.experiment(ExperimentNo(1)).unwrap().unwrap();
    let mut numbers = book.search(&Query::all()).unwrap().runs;
    numbers.sort();
    let judged: Vec<Vec<(Option<f64>, Outcome)>> = book
        .runs(&numbers)
        .unwrap()
        .iter()
        .map(|run| {
            let cells = judge_run(&experiment, run).into_iter();
            cells.map(|cell| (cell.value, cell.outcome)).collect()
        })
        .collect();
    assert_eq!(
        judged,
        [
            vec![(Some(1000.0), Outcome::Met)],
            vec![(Some(4000.0), Outcome::NotMet)],
            vec![(None, Outcome::Missing)],
            vec![(None, Outcome::Missing)],
            vec![],
        ]
    );
}

#[test]
fn a_run_that_did_something_else_is_no_attempt() {
    let mut writer = experiment();
    for (uid, key) in [(10, "old"), (11, "new")] {
        let run = RunUid(Uid([uid; 16]));
        writer.say(Op::StartRun(StartRun {
            experiment: EXPERIMENT,
            variation: Some("a".to_owned()),
            trial: Some(1),
            attempt: Some(1),
            run_key: Some(key.to_owned()),
            ..StartRun::of(run)
        }));
        if key == "old" {
            writer.metric(run, "time_ms", 1.0);
            writer.end(run, RunStatus::Completed);
        }
    }
    let a = &writer.table().rows[1];
    assert_eq!((a.statuses.completed, a.statuses.running), (0, 1));
    assert_eq!(a.superseded, 1);
}

#[test]
fn what_the_recorded_config_asks_for_counts_before_later_runs_of_something_else() {
    let mut writer = experiment();
    let plan = trialbook_model::plan::expand(&config(), 0);
    let planned = plan
        .iter()
        .find(|run| run.variation == "a" && run.trial == 1);
    let key = planned.unwrap().key.clone();
    for (uid, attempt, key, value) in [(10, 1, key, 7.0), (11, 2, "other".to_owned(), 9.0)] {
        let run = RunUid(Uid([uid; 16]));
        writer.say(Op::StartRun(StartRun {
            experiment: EXPERIMENT,
            variation: Some("a".to_owned()),
            trial: Some(1),
            attempt: Some(attempt),
            run_key: Some(key),
            ..StartRun::of(run)
        }));
        writer.metric(run, "time_ms", value);
        writer.end(run, RunStatus::Completed);
    }
    let table = writer.table();
    assert_eq!(table.rows[1].metrics[0].description.unwrap().mean, 7.0);
    assert_eq!(table.rows[1].superseded, 1);
}
