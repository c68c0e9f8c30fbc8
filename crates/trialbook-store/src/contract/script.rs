//! Random steps: few names and numbers, so that they meet again and again.

use proptest::option;
use proptest::prelude::*;
use serde_json::json;
use trialbook_model::id::{EntryUid, ExperimentUid, OperationUid, RunUid, Uid};
use trialbook_model::record::*;
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;

use super::WRITERS;

/// Runs that scripts speak of.
pub(super) const RUNS: u8 = 4;

/// Entries of the register that scripts speak of.
pub(super) const ENTRIES: u8 = 6;

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

pub(super) fn run_uid(at: u8) -> RunUid {
    RunUid(Uid([at + 1; 16]))
}

pub(super) fn sum(at: u8) -> String {
    format!("{at:02x}").repeat(32)
}

fn run() -> impl Strategy<Value = RunUid> {
    (0..RUNS).prop_map(run_uid)
}

pub(super) fn entry_uid(at: u8) -> EntryUid {
    EntryUid(Uid([at + 1; 16]))
}

fn entry() -> impl Strategy<Value = EntryUid> {
    (0..ENTRIES).prop_map(entry_uid)
}

fn experiment() -> impl Strategy<Value = ExperimentUid> {
    (0_u8..4).prop_map(|at| ExperimentUid(Uid([at; 16])))
}

fn subject() -> impl Strategy<Value = Subject> {
    prop_oneof![
        6 => run().prop_map(Subject::Run),
        1 => experiment().prop_map(Subject::Experiment),
        1 => "[pq]".prop_map(Subject::Project),
        2 => entry().prop_map(Subject::Entry),
    ]
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => any::<f32>().prop_map(f64::from),
        3 => (0_i32..4).prop_map(f64::from),
        2 => any::<f64>(),
        1 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
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
    (subject(), 0_i64..6, 0_i64..6, any::<bool>(), values).prop_map(
        |(subject, step, time, set, values)| {
            Op::Points(Points {
                subject,
                step,
                time: Timestamp(time),
                set: set && step < 3,
                values,
            })
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
                json!({"a": [1, 2.5, null]})
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
            tags: vec![("t".to_owned(), value)],
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
        Just(Score::Text("good".to_owned())),
    ];
    let labels = proptest::collection::btree_map("[ab]", "[xyz]", 0..3);
    let numbers = (option::of(value()), option::of(0.0_f64..9.0));
    let which = ("[ij]", option::of(1_u64..3), option::of(1_u64..3));
    (
        run(),
        labels,
        option::of(score),
        numbers,
        (any::<bool>(), which),
    )
        .prop_map(
            |(run, labels, score, (latency_ms, cost), (failed, (id, repeat, attempt)))| {
                Op::Item(Box::new(Item {
                    run,
                    id,
                    repeat,
                    attempt,
                    labels,
                    scores: score
                        .map(|score| ("s".to_owned(), score))
                        .into_iter()
                        .collect(),
                    primary: None,
                    expected: Some("e".to_owned()),
                    predicted: None,
                    input: None,
                    output: Some("o".to_owned()),
                    latency_ms,
                    tokens_in: Some(5),
                    tokens_out: None,
                    cost,
                    currency: None,
                    cached: Some(failed),
                    error: failed.then(RunError::default),
                    agent: None,
                    trace: None,
                }))
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
    let link = (run(), 0_u8..3, option::of(0_i32..3)).prop_map(|(run, at, document)| {
        Op::LinkSnapshot(LinkSnapshot {
            run,
            kind: "config".to_owned(),
            sha256: sum(at),
            document: document.map(|document| json!({"d": document})),
        })
    });
    let progress = (run(), 0.0_f64..9.0).prop_map(|(run, done)| {
        Op::Progress(Progress {
            run,
            done,
            total: None,
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
    let unknown = Just(Op::Unknown {
        kind: 99,
        flags: 128,
        payload: vec![1, 2, 3],
    });
    prop_oneof![artifact, link, progress, beat, unknown]
}

fn purge() -> impl Strategy<Value = Op> {
    let subject = prop_oneof![
        run().prop_map(Subject::Run),
        entry().prop_map(Subject::Entry)
    ];
    subject.prop_map(|subject| Op::Purge(Purge { subject }))
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

fn register() -> impl Strategy<Value = Op> {
    let fields = prop_oneof![
        "[cd]".prop_map(|name| ("name", json!(name))),
        Just(("deleted", json!(true))),
        Just(("deleted", json!(null))),
        (0_u64..3).prop_map(|number| ("alias.a", json!(number))),
    ];
    let field = (entry(), fields).prop_map(|(entry, (field, value))| {
        Op::SetField(SetField {
            subject: Subject::Entry(entry),
            field: field.to_owned(),
            value,
        })
    });
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
    let span = (subject(), option::of("[st]")).prop_map(|(subject, id)| {
        Op::Span(Span {
            subject,
            trace: "t".to_owned(),
            id,
            form: SpanForm::Otlp,
            data: json!({"name": "s", "at": [1, 2.5]}),
        })
    });
    prop_oneof![
        4 => create_entry().boxed(),
        2 => field.boxed(),
        1 => secret.boxed(),
        1 => dataset.boxed(),
        1 => link.boxed(),
        1 => span.boxed(),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => points().boxed(),
        3 => start().boxed(),
        2 => create().boxed(),
        1 => status().boxed(),
        1 => param().boxed(),
        3 => annotation().boxed(),
        2 => item().boxed(),
        2 => saying().boxed(),
        2 => rest().boxed(),
        5 => register().boxed(),
        1 => purge().boxed(),
    ]
}
