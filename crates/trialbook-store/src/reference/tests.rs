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
