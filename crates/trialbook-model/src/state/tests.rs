use proptest::prelude::*;

use super::*;
use crate::id::{RunUid, Uid, WriterUid};
use crate::record::*;
use crate::status::RunStatus;
use crate::time::Timestamp;

const RUN: RunUid = RunUid(Uid([1; 16]));

/// What went in and what came out.
fn lineage() -> impl Strategy<Value = Op> {
    let dataset = ("[ab]", "[xy]").prop_map(|(name, source)| {
        Op::UseDataset(Box::new(UseDataset {
            run: RUN,
            dataset: Dataset {
                name,
                source,
                ..Dataset::default()
            },
            tags: [("context".to_owned(), "train".to_owned())].into(),
        }))
    });
    let model = (0_u8..2, proptest::bool::ANY, 0_i64..3).prop_map(|(model, made, step)| {
        Op::LinkModel(LinkModel {
            run: RUN,
            model: crate::id::EntryUid(Uid([model; 16])),
            role: if made {
                ModelRole::Output
            } else {
                ModelRole::Input
            },
            step: made.then_some(step),
        })
    });
    prop_oneof![dataset, model]
}

fn op() -> impl Strategy<Value = Op> {
    let key = prop_oneof!["[ab]", "[xy]"];
    let value = prop_oneof![
        any::<f64>(),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(-0.0),
        Just(0.0),
    ];
    let points = (0_i64..4, 0_i64..4, key.clone(), value).prop_map(|(step, time, key, value)| {
        Op::Points(Points {
            subject: Subject::Run(RUN),
            step,
            time: Timestamp(time),
            set: false,
            values: vec![(SeriesKey::plain(key), value)],
        })
    });
    let param = (key.clone(), 0_u8..3).prop_map(|(key, value)| {
        Op::SetParams(SetParams {
            run: RUN,
            params: vec![(key, Param::text(value.to_string()))],
        })
    });
    let tag = (key, proptest::option::of("[pq]")).prop_map(|(tag, value)| {
        Op::SetTags(SetTags {
            subject: Subject::Run(RUN),
            tags: vec![(tag, value)],
        })
    });
    let status = (0_usize..5, proptest::option::of(0_i64..9)).prop_map(|(status, started)| {
        Op::SetStatus(SetStatus {
            run: RUN,
            status: RunStatus::ALL[status],
            started: started.map(Timestamp),
            ended: None,
            error: None,
            exit_code: None,
        })
    });
    let start = (proptest::option::of("[mn]"), 0_i64..9).prop_map(|(name, started)| {
        Op::StartRun(StartRun {
            name,
            started: Timestamp(started),
            ..StartRun::of(RUN)
        })
    });
    prop_oneof![points, param, tag, status, start, lineage()]
}

fn signed() -> impl Strategy<Value = Vec<Signed>> {
    proptest::collection::vec((0_i64..20, 0_u8..3, op()), 0..24).prop_map(|ops| {
        ops.into_iter()
            .enumerate()
            .map(|(at, (time, writer, op))| Signed {
                time: Timestamp(time),
                writer: WriterUid(Uid([writer; 16])),
                seq: at as u64,
                actor: None,
                operation: None,
                op,
            })
            .collect()
    })
}

fn folded<'a>(ops: impl IntoIterator<Item = &'a Signed>) -> RunState {
    let mut state = RunState::default();
    for op in ops {
        state.apply(op);
    }
    state
}

proptest! {
    #[test]
    fn any_order_of_operations_gives_an_equal_run(
        (ops, shuffled) in signed().prop_flat_map(|ops| (Just(ops.clone()), Just(ops).prop_shuffle())),
    ) {
        let text = |state: &RunState| format!("{state:?}");
        prop_assert_eq!(text(&folded(&ops)), text(&folded(&shuffled)));
    }

    #[test]
    fn merged_summaries_equal_the_summary_of_all(
        values in proptest::collection::vec((0_i64..5, 0_i64..3, any::<f64>()), 2..40),
        cut in 1_usize..39,
    ) {
        let points: Vec<Point> = values
            .iter()
            .map(|&(step, time, value)| Point { step, time: Timestamp(time), value })
            .collect();
        let cut = cut.min(points.len() - 1);
        let of = |points: &[Point]| {
            let mut summary = SeriesSummary::new(points[0]);
            points[1..].iter().for_each(|point| summary.add(*point));
            summary
        };
        let mut merged = of(&points[cut..]);
        merged.merge(&of(&points[..cut]));
        prop_assert_eq!(format!("{merged:?}"), format!("{:?}", of(&points)));
    }
}

fn at(time: i64, op: Op) -> Signed {
    Signed {
        time: Timestamp(time),
        writer: WriterUid::default(),
        seq: time as u64,
        actor: None,
        operation: None,
        op,
    }
}

#[test]
fn the_earliest_param_holds_and_the_loser_is_kept() {
    let set = |value: &str| {
        Op::SetParams(SetParams {
            run: RUN,
            params: vec![("lr".to_owned(), Param::text(value))],
        })
    };
    let state = folded(&[at(5, set("0.2")), at(3, set("0.1")), at(9, set("0.2"))]);
    assert_eq!(state.params["lr"].param().text, "0.1");
    let conflicts: Vec<_> = state.conflicts().collect();
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].2[0].1.text, "0.2");
    assert_eq!(conflicts[0].2[0].0.time, Timestamp(5));
}

#[test]
fn a_joiner_does_not_reopen_an_ended_run() {
    let start = Op::StartRun(StartRun::of(RUN));
    let end = Op::SetStatus(SetStatus {
        run: RUN,
        status: RunStatus::Completed,
        started: None,
        ended: Some(Timestamp(7)),
        error: None,
        exit_code: Some(0),
    });
    let state = folded(&[at(1, start.clone()), at(7, end), at(9, start)]);
    assert_eq!(state.status(), RunStatus::Completed);
    assert_eq!(state.ended(), Some(Timestamp(7)));
}

#[test]
fn nan_is_the_lowest_last_value_and_counts_apart() {
    let point = |value| Point {
        step: 1,
        time: Timestamp(1),
        value,
    };
    let mut summary = SeriesSummary::new(point(f64::NAN));
    assert_eq!((summary.min(), summary.mean()), (None, None));
    summary.add(point(f64::NEG_INFINITY));
    summary.add(point(2.0));
    assert_eq!(summary.last.value, 2.0);
    assert_eq!((summary.count, summary.nan, summary.finite()), (3, 1, 1));
    assert_eq!(summary.mean(), Some(2.0));
}
