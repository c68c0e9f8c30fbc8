//! Random books: few names and numbers, so that they meet again and again.
//!
//! Invariant: every experiment is created before it is spoken of, as all writers do; a snapshot's document has the hash that it is called by.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use proptest::option;
use proptest::prelude::*;
use serde_json::json;
use trialbook_model::canonical;
use trialbook_model::id::{EntryUid, ExperimentUid, RunUid, Uid};
use trialbook_model::record::*;
use trialbook_model::status::RunStatus;
use trialbook_model::time::{Clock, Timestamp};
use trialbook_spool::sim::SimFiles;
use trialbook_spool::{Background, Mode, Note};
use trialbook_store::{Book, Effort, RecorderOptions};

/// What a writer says, when, and whether the book is sealed then.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    writer: usize,
    time: i64,
    actor: Option<String>,
    op: Op,
    seal: bool,
}

/// A whole book.
pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (
        0_usize..2,
        0_i64..40,
        option::weighted(0.1, "[xy]"),
        op(),
        prop::bool::weighted(0.1),
    );
    let step = step.prop_map(|(writer, time, actor, op, seal)| Step {
        writer,
        time,
        actor,
        op,
        seal,
    });
    proptest::collection::vec(step, 1..60).prop_map(|steps| created().chain(steps).collect())
}

/// Three experiments, two of which are one; six entries, of which two are one.
fn created() -> impl Iterator<Item = Step> {
    let named = [(1, "p", "e"), (2, "p", "e"), (3, "q", "f")];
    let experiments = named.into_iter().map(|(at, project, name)| {
        Op::CreateExperiment(CreateExperiment {
            experiment: ExperimentUid(Uid([at; 16])),
            project: project.to_owned(),
            name: name.to_owned(),
            handle: None,
            document: json!(null),
            config_hash: None,
        })
    });
    let entries = (0..6).map(|at| Op::CreateEntry(Box::new(entry(at, 1))));
    experiments.chain(entries).map(|op| Step {
        writer: 0,
        time: 0,
        actor: None,
        op,
        seal: false,
    })
}

/// The making of an entry: two collections of one name, two versions, a logged model, a webhook.
fn entry(at: u8, experiment: u8) -> CreateEntry {
    let project = || Subject::Project("p".to_owned());
    let experiment = ExperimentUid(Uid([experiment; 16]));
    let (kind, of) = match at {
        0 | 1 => (EntryKind::Collection, project()),
        2 | 3 => (EntryKind::Version, Subject::Entry(entry_uid(at - 2))),
        4 => (EntryKind::LoggedModel, Subject::Experiment(experiment)),
        _ => (EntryKind::Webhook, project()),
    };
    let mut create = CreateEntry::of(entry_uid(at), kind, of);
    create.name = Some("c".to_owned());
    create
}

struct Set(AtomicI64);

impl Clock for Set {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// A book in memory: its folder is nowhere.
pub(crate) fn empty() -> Book {
    Book::simulated(Path::new("nowhere/book"), SimFiles::new(7).shared()).unwrap()
}

/// Writes a book.
pub(crate) fn book(steps: &[Step]) -> Book {
    let book = empty();
    let clock = Arc::new(Set(AtomicI64::new(0)));
    let options = || RecorderOptions {
        mode: Mode::Written,
        background: Background::None,
        ..RecorderOptions::new("", Arc::clone(&clock) as Arc<dyn Clock>)
    };
    let mut writers = [
        book.recorder(options()).unwrap(),
        book.recorder(options()).unwrap(),
    ];
    for step in steps {
        clock.0.store(step.time, Ordering::Relaxed);
        let note = Note {
            actor: step.actor.clone(),
            ..Note::default()
        };
        writers[step.writer].record_with(&step.op, &note).unwrap();
        if step.seal {
            book.seal(Effort::All).unwrap();
        }
    }
    for writer in writers {
        writer.finish().unwrap();
    }
    book
}

pub(crate) fn run_uid(at: u8) -> RunUid {
    RunUid(Uid([at + 1; 16]))
}

fn run() -> impl Strategy<Value = RunUid> {
    (0_u8..4).prop_map(run_uid)
}

fn entry_uid(at: u8) -> EntryUid {
    EntryUid(Uid([at + 1; 16]))
}

/// Entries of the register, what is said of them, and what runs have to do with them. Names are neither changed nor
/// freed: whether two were one collection follows from what was said in between, which a stream does not tell.
fn register() -> impl Strategy<Value = Op> {
    let create = (0_u8..6, 0_u8..4, option::of(1_u64..4)).prop_map(|(at, experiment, number)| {
        let mut create = entry(at, experiment);
        create.number = number;
        create.tags = [("t".to_owned(), "x".to_owned())].into();
        create.fields = [("run".to_owned(), json!(run_uid(0).to_string()))].into();
        Op::CreateEntry(Box::new(create))
    });
    let field = (0_u8..6, 0_u8..6).prop_map(|(at, to)| {
        Op::SetField(SetField {
            subject: Subject::Entry(entry_uid(at)),
            field: "alias.a".to_owned(),
            value: json!(entry_uid(to).to_string()),
        })
    });
    let secret = (0_u8..6).prop_map(|at| {
        Op::SetSecret(SetSecret {
            entry: entry_uid(at),
            secret: Some(Hidden::new("pssst")),
        })
    });
    let dataset = (run(), "[dg]").prop_map(|(run, name)| {
        Op::UseDataset(Box::new(UseDataset {
            run,
            tags: [("context".to_owned(), name.clone())].into(),
            dataset: Dataset {
                name,
                schema: Some("{}".to_owned()),
                ..Dataset::default()
            },
        }))
    });
    let link = (run(), 0_u8..6, option::of(0_i64..3)).prop_map(|(run, at, step)| {
        Op::LinkModel(LinkModel {
            run,
            model: entry_uid(at),
            role: step.map_or(ModelRole::Input, |_step| ModelRole::Output),
            step,
        })
    });
    let span = (subject(), option::of("[st]")).prop_map(|(subject, id)| {
        Op::Span(Span {
            subject,
            trace: "t".to_owned(),
            id,
            form: SpanForm::TraceInfo,
            data: json!({"name": "s"}),
        })
    });
    prop_oneof![create, field, secret, dataset, link, span]
}

fn experiment() -> impl Strategy<Value = ExperimentUid> {
    (0_u8..4).prop_map(|at| ExperimentUid(Uid([at; 16])))
}

fn subject() -> impl Strategy<Value = Subject> {
    prop_oneof![
        6 => run().prop_map(Subject::Run),
        1 => experiment().prop_map(Subject::Experiment),
        1 => "[pq]".prop_map(Subject::Project),
        1 => (0_u8..6).prop_map(|at| Subject::Entry(entry_uid(at))),
    ]
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => (0_i32..4).prop_map(f64::from),
        2 => any::<u64>().prop_map(f64::from_bits),
        1 => Just(f64::NAN),
        1 => Just(f64::NEG_INFINITY),
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
    let values = proptest::collection::vec((key(), value()), 1..4);
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
    let number = option::of(1_u64..4);
    (run(), experiment(), number, option::of("[mn]")).prop_map(|(run, experiment, number, name)| {
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
    (run(), "[kl]", 0_usize..3).prop_map(|(run, key, at)| {
        let param = Param {
            text: ["1", "1.0", "2"][at].to_owned(),
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
        let tags = vec![("t".to_owned(), value), ("s".to_owned(), None)];
        Op::SetTags(SetTags { subject, tags })
    });
    let fields = prop_oneof![
        Just(("name", json!("e"))),
        Just(("archived", json!(true))),
        Just(("deleted", json!(true))),
        Just(("experiment", json!("03".repeat(16)))),
        Just(("project", json!("p"))),
        Just(("totals.cost", json!(1.5))),
    ];
    let field = (subject(), fields).prop_map(|(subject, (field, value))| {
        let field = field.to_owned();
        Op::SetField(SetField {
            subject,
            field,
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
        Just(Score::Text("NaN".to_owned())),
    ];
    let labels = proptest::collection::btree_map("[ab]", "[xyz]", 0..3);
    (run(), labels, option::of(score), option::of(value())).prop_map(
        |(run, labels, score, latency)| {
            let fields =
                json!({"run": run, "id": "i", "repeat": 2, "expected": "e", "output": "o"});
            let mut item: Item = serde_json::from_value(fields).unwrap();
            item.labels = labels;
            item.scores
                .extend(score.map(|score| ("s".to_owned(), score)));
            item.latency_ms = latency;
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
        let stream = LogStream::Stderr;
        Op::Log(Log { run, stream, text })
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
            sha256: Some("0a".repeat(32)),
            size: Some(3),
            uri: None,
            r#type: None,
            role: None,
            step: None,
            description: None,
            removed,
        })
    });
    let link = (run(), 0_i32..3, any::<bool>()).prop_map(|(run, at, given)| {
        let document = json!({"d": at});
        Op::LinkSnapshot(LinkSnapshot {
            run,
            kind: "config".to_owned(),
            sha256: canonical::hash(&document),
            document: given.then_some(document),
        })
    });
    let progress = (run(), value()).prop_map(|(run, done)| {
        let (total, stage) = (Some(f64::INFINITY), None);
        Op::Progress(Progress {
            run,
            done,
            total,
            stage,
        })
    });
    let beat = (run(), 0_u64..9).prop_map(|(run, accepted)| {
        Op::Heartbeat(Heartbeat {
            run,
            accepted,
            dropped: 0,
            cost_ns: 5,
        })
    });
    let unknown = (98_u8..100, any::<[u8; 3]>()).prop_map(|(kind, payload)| Op::Unknown {
        kind,
        flags: 0,
        payload: payload.to_vec(),
    });
    let purge = run().prop_map(|run| {
        let subject = Subject::Run(run);
        Op::Purge(Purge { subject })
    });
    prop_oneof![
        4 => artifact.boxed(),
        4 => link.boxed(),
        4 => progress.boxed(),
        4 => beat.boxed(),
        2 => unknown.boxed(),
        1 => purge.boxed()
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => points().boxed(),
        3 => start().boxed(),
        3 => create().boxed(),
        3 => status().boxed(),
        3 => param().boxed(),
        6 => annotation().boxed(),
        3 => item().boxed(),
        4 => saying().boxed(),
        5 => rest().boxed(),
        5 => register().boxed(),
    ]
}
