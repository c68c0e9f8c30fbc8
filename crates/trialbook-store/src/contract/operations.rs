//! Random operations: few names and numbers, so that they meet again and again.
//!
//! The tests of the rooms that move books read this file as well, so it stands on the model alone.
//! Invariant: a snapshot's document has the sum that it is called by.

use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};
use trialbook_model::canonical;
use trialbook_model::id::{EntryUid, ExperimentUid, RunUid, Uid};
use trialbook_model::record::*;
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;

/// Runs that are spoken of.
pub(crate) const RUNS: u8 = 4;

/// Entries of the register that are spoken of.
pub(crate) const ENTRIES: u8 = 6;

/// Documents that runs are linked with.
pub(crate) const SNAPSHOTS: u8 = 3;

pub(crate) fn run_uid(at: u8) -> RunUid {
    RunUid(Uid([at + 1; 16]))
}

fn document(at: u8) -> Value {
    json!({"d": at})
}

/// The sum of a document that runs are linked with.
pub(crate) fn sum(at: u8) -> String {
    canonical::hash(&document(at))
}

/// A run that is spoken of.
pub(crate) fn run() -> impl Strategy<Value = RunUid> {
    (0..RUNS).prop_map(run_uid)
}

pub(crate) fn entry_uid(at: u8) -> EntryUid {
    EntryUid(Uid([at + 1; 16]))
}

/// An entry that is spoken of.
pub(crate) fn entry() -> impl Strategy<Value = EntryUid> {
    (0..ENTRIES).prop_map(entry_uid)
}

/// An experiment that is spoken of.
pub(crate) fn experiment() -> impl Strategy<Value = ExperimentUid> {
    (0_u8..4).prop_map(|at| ExperimentUid(Uid([at; 16])))
}

/// What is spoken of.
pub(crate) fn subject() -> impl Strategy<Value = Subject> {
    prop_oneof![
        6 => run().prop_map(Subject::Run),
        1 => experiment().prop_map(Subject::Experiment),
        1 => "[pq]".prop_map(Subject::Project),
        1 => entry().prop_map(Subject::Entry),
    ]
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        2 => any::<f32>().prop_map(f64::from),
        3 => (0_i32..4).prop_map(f64::from),
        2 => any::<u64>().prop_map(f64::from_bits),
        1 => Just(f64::NAN),
        1 => prop_oneof![Just(f64::INFINITY), Just(f64::NEG_INFINITY)],
        1 => Just(-0.0),
    ]
}

fn key() -> impl Strategy<Value = SeriesKey> {
    prop_oneof![
        4 => "[abc]".prop_map(SeriesKey::plain),
        1 => Just(SeriesKey { key: "a".to_owned(), context: "{\"r\":1}".to_owned() }),
    ]
}

fn points() -> impl Strategy<Value = Op> {
    let values = proptest::collection::vec((key(), value()), 0..4);
    (subject(), -2_i64..6, -9_i64..60, any::<bool>(), values).prop_map(
        |(subject, step, time, set, values)| {
            Op::Points(Points {
                subject,
                step,
                time: Timestamp(time),
                set,
                values,
            })
        },
    )
}

fn start() -> impl Strategy<Value = Op> {
    (
        run(),
        experiment(),
        option::of(1_u64..4),
        option::of("[mn]"),
    )
        .prop_map(|(run, experiment, number, name)| {
            Op::StartRun(StartRun {
                experiment,
                number,
                name,
                seed: Some(u64::MAX),
                command: vec!["run".to_owned(), "--x".to_owned()],
                links: vec![(LinkKind::Parent, run_uid(0))],
                ..StartRun::of(run)
            })
        })
}

fn create() -> impl Strategy<Value = Op> {
    (experiment(), "[pq]", "[ef]", any::<bool>()).prop_map(|(experiment, project, name, full)| {
        Op::CreateExperiment(CreateExperiment {
            experiment,
            project,
            name,
            handle: full.then(|| "EXP-1".to_owned()),
            document: if full {
                json!({"b": 1, "a": [2.5, null]})
            } else {
                json!(null)
            },
            config_hash: None,
        })
    })
}

fn status() -> impl Strategy<Value = Op> {
    (run(), 0_usize..5, option::of(0_i64..9)).prop_map(|(run, at, started)| {
        Op::SetStatus(SetStatus {
            run,
            status: RunStatus::ALL[at],
            started: started.map(Timestamp),
            ended: Some(Timestamp(9)),
            error: Some(RunError::default()),
            exit_code: Some(-1),
        })
    })
}

fn param() -> impl Strategy<Value = Op> {
    (run(), "[kl]", 0_u8..3).prop_map(|(run, key, value)| {
        let param = Param {
            text: ["1", "1.0", "2"][usize::from(value)].to_owned(),
            kind: ParamKind::Number,
        };
        Op::SetParams(SetParams {
            run,
            params: vec![(key, param)],
        })
    })
}

fn annotation() -> impl Strategy<Value = Op> {
    let tags = (subject(), option::of("[uv]")).prop_map(|(subject, value)| {
        Op::SetTags(SetTags {
            subject,
            tags: vec![("t".to_owned(), value), ("s".to_owned(), None)],
        })
    });
    let fields = prop_oneof![
        Just(("name", json!("e"))),
        Just(("archived", json!(true))),
        Just(("deleted", json!(true))),
        Just(("deleted", json!(null))),
        Just(("totals.cost", json!(1.5))),
        Just(("project", json!("q"))),
        (0_u8..4).prop_map(|at| ("experiment", json!(Uid([at; 16]).to_string()))),
    ];
    let field = (subject(), fields).prop_map(|(subject, (field, value))| {
        Op::SetField(SetField {
            subject,
            field: field.to_owned(),
            value,
        })
    });
    let note = (subject(), option::of("[a-z]{0,3}")).prop_map(|(subject, text)| {
        Op::PutNote(PutNote {
            subject,
            key: String::new(),
            namespace: "default".to_owned(),
            text,
            tags: vec!["x".to_owned()],
            data: json!({"n": 1}),
        })
    });
    let pointer = ("[pq]", 0_i32..3).prop_map(|(project, value)| {
        Op::SetPointer(SetPointer {
            project,
            kind: "baseline".to_owned(),
            name: "main".to_owned(),
            value: json!(value),
        })
    });
    let define = (subject(), option::of(Just(Goal::Min))).prop_map(|(subject, goal)| {
        Op::DefineMetric(DefineMetric {
            subject,
            key: "a".to_owned(),
            unit: None,
            goal,
        })
    });
    prop_oneof![
        tags.boxed(),
        field.boxed(),
        note.boxed(),
        pointer.boxed(),
        define.boxed()
    ]
}

fn item() -> impl Strategy<Value = Op> {
    let score = prop_oneof![
        any::<bool>().prop_map(Score::Bool),
        value().prop_map(Score::Number),
        prop_oneof![Just("good"), Just("NaN")].prop_map(|text| Score::Text(text.to_owned())),
    ];
    let labels = proptest::collection::btree_map("[ab]", "[xyz]", 0..3);
    let numbers = (option::of(value()), option::of(0.0_f64..9.0));
    let which = ("[ij]", option::of(1_u64..3), option::of(1_u64..3));
    let rest = (any::<bool>(), which);
    (run(), labels, option::of(score), numbers, rest).prop_map(
        |(run, labels, score, (latency_ms, cost), (failed, (id, repeat, attempt)))| {
            let fields =
                json!({"run": run, "id": id, "expected": "e", "output": "o", "tokens_in": 5});
            let mut item: Item = serde_json::from_value(fields).expect("an item has an id");
            (item.repeat, item.attempt, item.labels) = (repeat, attempt, labels);
            let scores = score.map(|score| ("s".to_owned(), score));
            item.scores = scores.into_iter().collect();
            (item.latency_ms, item.cost) = (latency_ms, cost);
            item.cached = Some(failed);
            item.error = failed.then(RunError::default);
            Op::Item(Box::new(item))
        },
    )
}

fn saying() -> impl Strategy<Value = Op> {
    let event = (subject(), option::of(0_i64..3)).prop_map(|(subject, step)| {
        Op::Event(Event {
            subject,
            kind: "decision".to_owned(),
            severity: None,
            text: "text".to_owned(),
            data: json!({"x": -1}),
            step,
        })
    });
    let log = (run(), ".{0,4}").prop_map(|(run, text)| {
        Op::Log(Log {
            run,
            stream: LogStream::Stderr,
            text,
        })
    });
    let assess = (run(), value()).prop_map(|(run, value)| {
        Op::Assess(Assess {
            run,
            item: "i".to_owned(),
            scorer: "s".to_owned(),
            source: "me".to_owned(),
            score: Score::Number(value),
        })
    });
    prop_oneof![event, log, assess]
}

fn rest() -> impl Strategy<Value = Op> {
    let artifact = (subject(), any::<bool>()).prop_map(|(subject, removed)| {
        Op::PutArtifact(PutArtifact {
            subject,
            path: "p/q".to_owned(),
            sha256: Some(sum(0)),
            size: Some(3),
            uri: None,
            r#type: None,
            role: None,
            step: None,
            description: None,
            removed,
        })
    });
    let link = (run(), 0..SNAPSHOTS, any::<bool>()).prop_map(|(run, at, given)| {
        Op::LinkSnapshot(LinkSnapshot {
            run,
            kind: "config".to_owned(),
            sha256: sum(at),
            document: given.then(|| document(at)),
        })
    });
    let progress = (run(), value(), option::of(value())).prop_map(|(run, done, total)| {
        Op::Progress(Progress {
            run,
            done,
            total,
            stage: None,
        })
    });
    let beat = (run(), 0_u64..9).prop_map(|(run, accepted)| {
        Op::Heartbeat(Heartbeat {
            run,
            accepted,
            dropped: 0,
            cost_ns: 1,
        })
    });
    let unknown = (98_u8..100, any::<bool>(), any::<[u8; 3]>());
    let unknown = unknown.prop_map(|(kind, flagged, payload)| Op::Unknown {
        kind,
        flags: u8::from(flagged) << 7,
        payload: payload.to_vec(),
    });
    prop_oneof![artifact, link, progress, beat, unknown]
}

fn purge() -> impl Strategy<Value = Op> {
    run().prop_map(|run| {
        let subject = Subject::Run(run);
        Op::Purge(Purge { subject })
    })
}

/// What runs have to do with entries, and what is kept beside both.
fn uses() -> impl Strategy<Value = Op> {
    let secret = (entry(), option::of("[st]")).prop_map(|(entry, secret)| {
        Op::SetSecret(SetSecret {
            entry,
            secret: secret.map(Hidden::new),
        })
    });
    let dataset = (run(), "[dg]", any::<bool>()).prop_map(|(run, name, tagged)| {
        let context = tagged.then(|| ("context".to_owned(), "train".to_owned()));
        Op::UseDataset(Box::new(UseDataset {
            run,
            tags: context.into_iter().collect(),
            dataset: Dataset {
                name,
                digest: "1".to_owned(),
                schema: tagged.then(|| "{}".to_owned()),
                ..Dataset::default()
            },
        }))
    });
    let link = (run(), entry(), option::of(0_i64..3)).prop_map(|(run, model, step)| {
        Op::LinkModel(LinkModel {
            run,
            model,
            role: step.map_or(ModelRole::Input, |_step| ModelRole::Output),
            step,
        })
    });
    let span = (subject(), option::of("[st]"), any::<bool>()).prop_map(|(subject, id, otlp)| {
        let form = if otlp {
            SpanForm::Otlp
        } else {
            SpanForm::TraceInfo
        };
        Op::Span(Span {
            subject,
            trace: "t".to_owned(),
            id,
            form,
            data: json!({"name": "s", "at": [1, 2.5]}),
        })
    });
    prop_oneof![secret, dataset, link, span]
}

/// Anything that a writer can say, but for the making and naming of entries.
pub(crate) fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => points().boxed(),
        3 => start().boxed(),
        3 => create().boxed(),
        2 => status().boxed(),
        2 => param().boxed(),
        5 => annotation().boxed(),
        3 => item().boxed(),
        3 => saying().boxed(),
        4 => rest().boxed(),
        2 => uses().boxed(),
        1 => purge().boxed(),
    ]
}
