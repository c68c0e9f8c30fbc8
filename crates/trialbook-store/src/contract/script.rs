//! Random steps of several writers, with seals and looks in between. Not here: what they say.

use proptest::option;
use proptest::prelude::*;
use trialbook_model::id::{OperationUid, Uid};
use trialbook_model::record::{Op, Points, SeriesKey, Subject};
use trialbook_model::time::Timestamp;

use super::WRITERS;
use super::operations::{op, run};

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
    let ops = prop_oneof![8 => op().prop_map(|op| vec![op]).boxed(), 1 => burst().boxed()];
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
