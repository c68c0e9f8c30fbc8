//! Random steps of several writers, with seals and looks in between. Not here: what they say.

use proptest::option;
use proptest::prelude::*;
use serde_json::json;
use trialbook_model::id::{OperationUid, Uid};
use trialbook_model::record::{
    CreateEntry, EntryKind, Op, Points, Purge, SeriesKey, SetField, Subject,
};
use trialbook_model::time::Timestamp;

use super::WRITERS;
use super::operations::{entry, experiment, op, run, subject};

/// What a writer says at once.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) writer: usize,
    pub(super) time: i64,
    pub(super) actor: Option<String>,
    pub(super) operation: Option<OperationUid>,
    pub(super) ops: Vec<Op>,
}

/// A step of a script.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Record(Record),
    /// A writer ends in order.
    End(usize),
    /// A writer dies.
    Leave(usize),
    Seal,
    Reopen,
    Check,
}

pub(super) fn script() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        24 => record().prop_map(Step::Record).boxed(),
        1 => (0..WRITERS).prop_map(Step::End),
        1 => (0..WRITERS).prop_map(Step::Leave),
        3 => Just(Step::Seal),
        1 => Just(Step::Reopen),
        1 => Just(Step::Check),
    ];
    proptest::collection::vec(step, 1..60)
}

fn record() -> impl Strategy<Value = Record> {
    let operation = option::weighted(0.1, 0_u8..3);
    let actor = option::weighted(0.1, "[xy]");
    let ops = prop_oneof![8 => said().prop_map(|op| vec![op]).boxed(), 1 => burst().boxed()];
    (0..WRITERS, 0_i64..40, actor, operation, ops).prop_map(
        |(writer, time, actor, operation, ops)| Record {
            writer,
            time,
            actor,
            operation: operation.map(|uid| OperationUid(Uid([uid; 16]))),
            ops,
        },
    )
}

/// So many calls that series get chunks of their own.
fn burst() -> impl Strategy<Value = Vec<Op>> {
    (run(), 0_i64..9, 100_i64..600, any::<bool>()).prop_map(|(run, from, count, two)| {
        let call = |step: i64| {
            let mut values = vec![(SeriesKey::plain("a"), step as f64 / 7.0)];
            if two {
                values.push((SeriesKey::plain("b"), f64::from((step % 5) as f32)));
            }
            Op::Points(Points {
                subject: Subject::Run(run),
                step,
                time: Timestamp(step * 10),
                set: false,
                values,
            })
        };
        (from..from + count).map(call).collect()
    })
}

/// Entries and what they belong to: mostly what fits their kind, and entries of few names.
fn create_entry() -> impl Strategy<Value = Op> {
    let fitting = prop_oneof![
        4 => ("[pq]", 0_usize..2).prop_map(|(project, at)| {
            let kind = [EntryKind::Collection, EntryKind::Webhook][at];
            (kind, Subject::Project(project))
        }),
        4 => entry().prop_map(|of| (EntryKind::Version, Subject::Entry(of))),
        2 => experiment().prop_map(|of| (EntryKind::LoggedModel, Subject::Experiment(of))),
        1 => (0_usize..4, subject()).prop_map(|(at, of)| (EntryKind::ALL[at], of)),
    ];
    let number = option::weighted(0.3, 1_u64..4);
    (entry(), fitting, option::weighted(0.8, "[cd]"), number).prop_map(
        |(entry, (kind, of), name, number)| {
            let mut create = CreateEntry::of(entry, kind, of);
            create
                .fields
                .extend(name.clone().map(|name| (name, json!("x"))));
            create
                .tags
                .extend(name.clone().map(|name| (name, "y".to_owned())));
            create.name = name;
            create.number = number;
            Op::CreateEntry(Box::new(create))
        },
    )
}

/// Names, aliases and the bin of entries.
fn change_entry() -> impl Strategy<Value = Op> {
    let fields = prop_oneof![
        "[cd]".prop_map(|name| ("name", json!(name))),
        Just(("deleted", json!(true))),
        Just(("deleted", json!(null))),
        (0_u64..3).prop_map(|number| ("alias.a", json!(number))),
    ];
    (entry(), fields).prop_map(|(entry, (field, value))| {
        Op::SetField(SetField {
            subject: Subject::Entry(entry),
            field: field.to_owned(),
            value,
        })
    })
}

fn purge_entry() -> impl Strategy<Value = Op> {
    entry().prop_map(|entry| {
        let subject = Subject::Entry(entry);
        Op::Purge(Purge { subject })
    })
}

/// Anything that a writer can say.
fn said() -> impl Strategy<Value = Op> {
    prop_oneof![
        36 => op().boxed(),
        4 => create_entry().boxed(),
        2 => change_entry().boxed(),
        1 => purge_entry().boxed(),
    ]
}
