use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;
use trialbook_model::id::{
    ExperimentNo, ExperimentUid, OperationUid, RunNo, RunUid, Uid, WriterUid,
};
use trialbook_model::record::*;
use trialbook_model::time::Timestamp;

use super::Reference;
use crate::nouns::Owner;
use crate::query::Query;
use crate::reading::Reading as _;

fn signed(time: i64, op: Op) -> Signed {
    Signed {
        time: Timestamp(time),
        writer: WriterUid::default(),
        seq: time as u64,
        actor: None,
        operation: None,
        op,
    }
}

fn create(uid: u8, name: &str) -> Op {
    Op::CreateExperiment(CreateExperiment {
        experiment: ExperimentUid(Uid([uid; 16])),
        project: "default".to_owned(),
        name: name.to_owned(),
        handle: None,
        document: serde_json::Value::Null,
        config_hash: None,
    })
}

fn start(uid: u8, experiment: u8, number: Option<u64>) -> Op {
    Op::StartRun(StartRun {
        experiment: ExperimentUid(Uid([experiment; 16])),
        number,
        ..StartRun::of(RunUid(Uid([uid; 16])))
    })
}

#[test]
fn experiments_of_one_name_are_one_and_runs_are_numbered_inside_it() {
    let mut book = Reference::new();
    book.seal(&[
        signed(1, create(1, "a")),
        signed(2, start(10, 1, None)),
        signed(3, create(2, "a")),
        signed(4, start(11, 2, Some(7))),
        signed(5, start(12, 2, Some(7))),
    ]);
    assert_eq!(book.experiments().unwrap().len(), 2);
    let rows = book.runs(&[RunNo(1), RunNo(2), RunNo(3)]).unwrap();
    let numbers: Vec<_> = rows
        .iter()
        .map(|row| (row.experiment, row.number))
        .collect();
    let one = ExperimentNo(1);
    assert_eq!(numbers, [(one, Some(1)), (one, Some(7)), (one, Some(8))]);
    assert_eq!(
        book.search(&Query::all()).unwrap().runs,
        [RunNo(3), RunNo(2), RunNo(1)]
    );
}

#[test]
fn a_purged_run_swallows_what_arrives_later() {
    let mut book = Reference::new();
    let run = RunUid(Uid([9; 16]));
    book.seal(&[signed(1, start(9, 0, None))]);
    book.seal(&[signed(
        2,
        Op::Purge(Purge {
            subject: Subject::Run(run),
        }),
    )]);
    book.seal(&[signed(3, start(9, 0, None)), signed(4, start(8, 0, None))]);
    assert_eq!(book.run_no(run).unwrap(), None);
    let rows = book.runs(&[RunNo(1), RunNo(2)]).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].no, RunNo(2));
}

#[test]
fn an_operation_sent_twice_is_applied_once() {
    let mut book = Reference::new();
    let mut op = signed(1, start(9, 0, None));
    op.operation = Some(OperationUid(Uid([5; 16])));
    book.seal(&[op.clone()]);
    let event = Op::Event(Event {
        subject: Subject::Run(RunUid(Uid([9; 16]))),
        kind: "note".to_owned(),
        severity: None,
        text: String::new(),
        data: serde_json::Value::Null,
        step: None,
    });
    op.op = event;
    book.seal(&[op]);
    let owner = crate::nouns::Owner::Run(RunNo(1));
    assert!(book.events(&owner).unwrap().is_empty());
}

#[test]
fn only_runs_can_be_purged() {
    let mut book = Reference::new();
    let uid = ExperimentUid(Uid([4; 16]));
    let purge = |subject| Op::Purge(Purge { subject });
    book.seal(&[
        signed(1, purge(Subject::Experiment(uid))),
        signed(2, purge(Subject::Project("default".to_owned()))),
    ]);
    let event = |subject| {
        let event = serde_json::json!({"subject": subject, "kind": "note"});
        Op::Event(serde_json::from_value(event).unwrap())
    };
    book.seal(&[
        signed(3, event(Subject::Experiment(uid))),
        signed(4, event(Subject::Project("default".to_owned()))),
    ]);
    let of = Owner::Experiment(ExperimentNo(1));
    assert_eq!(book.events(&of).unwrap().len(), 1);
    let of = Owner::Project("default".to_owned());
    assert_eq!(book.events(&of).unwrap().len(), 1);
}

/// Operations on two runs: params, points, tags, states, events, items and judgements.
fn any_op() -> impl Strategy<Value = Op> {
    let run = || (0_u8..2).prop_map(|run| RunUid(Uid([run + 1; 16])));
    let points = (run(), 0_i64..4, "[xy]", any::<f64>()).prop_map(|(run, step, key, value)| {
        Op::Points(Points {
            subject: Subject::Run(run),
            step,
            time: Timestamp(step),
            set: false,
            values: vec![(SeriesKey::plain(key), value)],
        })
    });
    let params = (run(), "[ab]", 0_u8..3).prop_map(|(run, key, value)| {
        let params = vec![(key, Param::text(value.to_string()))];
        Op::SetParams(SetParams { run, params })
    });
    let document = |kind: &'static str| {
        (run(), "[pq]", any::<bool>()).prop_map(move |(run, id, right)| {
            let text = match kind {
                "item" => json!({"run": run, "id": id, "scores": {"correct": right}}),
                "assess" => json!({"run": run, "item": id, "scorer": "correct", "source": "me", "score": right}),
                _ => json!({"subject": {"run": run}, "kind": "task_end", "data": {"task_id": id}}),
            };
            match kind {
                "item" => Op::Item(serde_json::from_value(text).unwrap()),
                "assess" => Op::Assess(serde_json::from_value(text).unwrap()),
                _ => Op::Event(serde_json::from_value(text).unwrap()),
            }
        })
    };
    let started = run().prop_map(|run| start(run.0.0[0], 0, None));
    prop_oneof![
        4 => points,
        2 => params,
        1 => started,
        2 => document("item"),
        2 => document("assess"),
        1 => document("event"),
    ]
}

/// What a book knows of each run but for the numbers that name it.
fn states(book: &Reference) -> BTreeMap<RunUid, String> {
    let numbers = book.search(&Query::all()).unwrap().runs;
    let rows = book.runs(&numbers).unwrap().into_iter();
    rows.map(|row| (row.uid, format!("{:?}", row.state)))
        .collect()
}

proptest! {
    #[test]
    fn the_order_and_the_cuts_of_seals_change_no_state(
        (ops, shuffled) in proptest::collection::vec(any_op(), 1..40)
            .prop_map(|ops| (1..).zip(ops).map(|(at, op)| signed(at, op)).collect::<Vec<_>>())
            .prop_flat_map(|ops| (Just(ops.clone()), Just(ops).prop_shuffle())),
        cut in 1_usize..12,
    ) {
        let mut whole = Reference::new();
        whole.seal(&ops);
        let mut pieces = Reference::new();
        shuffled.chunks(cut).for_each(|piece| pieces.seal(piece));
        prop_assert_eq!(states(&whole), states(&pieces));
    }
}
