//! Any operation, for tests: every kind, every optional field, odd texts and odd numbers.
//!
//! Invariant: what is made here is legal, so that it has to come back as it was.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::Value;
use trialbook_model::id::{EntryUid, ExperimentUid, OperationUid, RunUid, Uid};
use trialbook_model::record::{
    Assess, CreateEntry, CreateExperiment, Dataset, DefineMetric, EntryKind, Event, Goal,
    Heartbeat, Hidden, Item, LinkKind, LinkModel, LinkSnapshot, Log, LogStream, ModelRole, Op,
    Param, ParamKind, Points, Progress, Purge, PutArtifact, PutNote, RunError, Score, SeriesKey,
    SetField, SetParams, SetPointer, SetSecret, SetStatus, SetTags, Span, SpanForm, StartRun,
    Subject, UseDataset,
};
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;

use crate::writer::Note;

pub(crate) fn uid() -> BoxedStrategy<Uid> {
    any::<[u8; 16]>().prop_map(Uid).boxed()
}

fn run() -> BoxedStrategy<RunUid> {
    uid().prop_map(RunUid).boxed()
}

fn text() -> BoxedStrategy<String> {
    prop_oneof![
        Just(String::new()),
        Just("train/loss".to_owned()),
        Just("a\0b ü 🦀".to_owned()),
        "[a-z]{1,6}".prop_map(String::from),
        (0_usize..400).prop_map(|len| "x".repeat(len)),
    ]
    .boxed()
}

fn number() -> BoxedStrategy<f64> {
    prop_oneof![
        any::<f64>(),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(-0.0),
        any::<u64>().prop_map(f64::from_bits),
    ]
    .boxed()
}

/// Numbers that compare by `==`.
fn plain_number() -> BoxedStrategy<f64> {
    number()
        .prop_map(|number| if number.is_nan() { 1.5 } else { number })
        .boxed()
}

fn time() -> BoxedStrategy<Timestamp> {
    any::<i64>().prop_map(Timestamp).boxed()
}

pub(crate) fn subject() -> BoxedStrategy<Subject> {
    prop_oneof![
        run().prop_map(Subject::Run),
        uid().prop_map(|uid| Subject::Experiment(ExperimentUid(uid))),
        text().prop_map(Subject::Project),
        uid().prop_map(|uid| Subject::Entry(EntryUid(uid))),
    ]
    .boxed()
}

fn json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        plain_number().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((text(), inner), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
    .boxed()
}

fn key() -> BoxedStrategy<SeriesKey> {
    (text(), text())
        .prop_map(|(key, context)| SeriesKey { key, context })
        .boxed()
}

fn score() -> BoxedStrategy<Score> {
    prop_oneof![
        any::<bool>().prop_map(Score::Bool),
        plain_number().prop_map(Score::Number),
        text().prop_map(Score::Text),
    ]
    .boxed()
}

fn status() -> BoxedStrategy<RunStatus> {
    proptest::sample::select(RunStatus::ALL.to_vec()).boxed()
}

fn param() -> BoxedStrategy<Param> {
    let kinds = [
        ParamKind::Text,
        ParamKind::Number,
        ParamKind::Bool,
        ParamKind::Null,
    ];
    (text(), proptest::sample::select(kinds.to_vec()))
        .prop_map(|(text, kind)| Param { text, kind })
        .boxed()
}

fn error() -> BoxedStrategy<RunError> {
    (text(), text())
        .prop_map(|(kind, message)| RunError { kind, message })
        .boxed()
}

fn points() -> BoxedStrategy<Op> {
    (
        subject(),
        any::<i64>(),
        time(),
        any::<bool>(),
        vec((key(), plain_number()), 0..30),
    )
        .prop_map(|(subject, step, time, set, values)| {
            Op::Points(Points {
                subject,
                step,
                time,
                set,
                values,
            })
        })
        .boxed()
}

fn start_run() -> BoxedStrategy<Op> {
    let links = proptest::sample::select(vec![
        LinkKind::RetryOf,
        LinkKind::Reproduces,
        LinkKind::Parent,
    ]);
    (
        (run(), uid(), option::of(text()), option::of(any::<u64>())),
        (
            option::of(text()),
            option::of(any::<u64>()),
            vec((links, run()), 0..3),
        ),
        (vec(text(), 0..4), text(), time(), status()),
    )
        .prop_map(
            |((run, experiment, name, number), (variation, trial, links), rest)| {
                let (command, source, started, status) = rest;
                Op::StartRun(StartRun {
                    run,
                    experiment: ExperimentUid(experiment),
                    run_key: name.clone(),
                    name,
                    number,
                    variation,
                    trial,
                    attempt: number,
                    seed: trial,
                    links,
                    command,
                    source,
                    started,
                    status,
                })
            },
        )
        .boxed()
}

fn item() -> BoxedStrategy<Op> {
    (
        (run(), text(), option::of(any::<u64>()), option::of(text())),
        (vec((text(), text()), 0..3), vec((text(), score()), 0..3)),
        (
            option::of(plain_number()),
            option::of(any::<bool>()),
            option::of(error()),
        ),
    )
        .prop_map(
            |((run, id, number, word), (labels, scores), (real, cached, error))| {
                Op::Item(Box::new(Item {
                    run,
                    id,
                    repeat: number,
                    attempt: number,
                    labels: labels.into_iter().collect::<BTreeMap<_, _>>(),
                    scores: scores.into_iter().collect::<BTreeMap<_, _>>(),
                    primary: word.clone(),
                    expected: word.clone(),
                    predicted: None,
                    input: word.clone(),
                    output: word.clone(),
                    latency_ms: real,
                    tokens_in: number,
                    tokens_out: None,
                    cost: real,
                    currency: word.clone(),
                    cached,
                    error,
                    agent: word.clone(),
                    trace: word,
                }))
            },
        )
        .boxed()
}

#[expect(clippy::too_many_lines, reason = "one list of kinds")]
fn about_a_run() -> BoxedStrategy<Op> {
    prop_oneof![
        (
            run(),
            status(),
            option::of(time()),
            option::of(error()),
            option::of(any::<i32>())
        )
            .prop_map(|(run, status, ended, error, exit_code)| {
                Op::SetStatus(SetStatus {
                    run,
                    status,
                    started: None,
                    ended,
                    error,
                    exit_code,
                })
            }),
        (run(), vec((text(), param()), 0..4))
            .prop_map(|(run, params)| Op::SetParams(SetParams { run, params })),
        (run(), any::<bool>(), text()).prop_map(|(run, error, text)| {
            let stream = if error {
                LogStream::Stderr
            } else {
                LogStream::Stdout
            };
            Op::Log(Log { run, stream, text })
        }),
        (run(), text(), text(), text(), score()).prop_map(|(run, item, scorer, source, score)| {
            Op::Assess(Assess {
                run,
                item,
                scorer,
                source,
                score,
            })
        }),
        (run(), text(), text(), option::of(json())).prop_map(|(run, kind, sha256, document)| {
            // A null document cannot be told from none.
            let document = document.filter(|document| !document.is_null());
            Op::LinkSnapshot(LinkSnapshot {
                run,
                kind,
                sha256,
                document,
            })
        }),
        (
            run(),
            plain_number(),
            option::of(plain_number()),
            option::of(text())
        )
            .prop_map(|(run, done, total, stage)| Op::Progress(Progress {
                run,
                done,
                total,
                stage
            })),
        (run(), any::<u64>(), any::<u64>()).prop_map(|(run, accepted, cost_ns)| {
            Op::Heartbeat(Heartbeat {
                run,
                accepted,
                dropped: 0,
                cost_ns,
            })
        }),
    ]
    .boxed()
}

#[expect(clippy::too_many_lines, reason = "one list of kinds")]
fn about_anything() -> BoxedStrategy<Op> {
    let goals = proptest::sample::select(vec![Goal::Max, Goal::Min, Goal::None]);
    prop_oneof![
        (uid(), text(), text(), option::of(text()), json()).prop_map(
            |(uid, project, name, handle, document)| {
                let experiment = ExperimentUid(uid);
                let config_hash = handle.clone();
                Op::CreateExperiment(CreateExperiment {
                    experiment,
                    project,
                    name,
                    handle,
                    document,
                    config_hash,
                })
            }
        ),
        (subject(), vec((text(), option::of(text())), 0..4))
            .prop_map(|(subject, tags)| Op::SetTags(SetTags { subject, tags })),
        (subject(), text(), json()).prop_map(|(subject, field, value)| Op::SetField(SetField {
            subject,
            field,
            value
        })),
        (
            subject(),
            text(),
            option::of(text()),
            vec(text(), 0..3),
            json()
        )
            .prop_map(|(subject, key, text, tags, data)| {
                let namespace = "default".to_owned();
                Op::PutNote(PutNote {
                    subject,
                    key,
                    namespace,
                    text,
                    tags,
                    data,
                })
            }),
        (text(), text(), text(), json()).prop_map(|(project, kind, name, value)| {
            Op::SetPointer(SetPointer {
                project,
                kind,
                name,
                value,
            })
        }),
        (subject(), text(), option::of(text()), option::of(goals)).prop_map(
            |(subject, key, unit, goal)| Op::DefineMetric(DefineMetric {
                subject,
                key,
                unit,
                goal
            })
        ),
        (
            subject(),
            text(),
            option::of(text()),
            json(),
            option::of(any::<i64>())
        )
            .prop_map(|(subject, kind, severity, data, step)| {
                let text = kind.clone();
                Op::Event(Event {
                    subject,
                    kind,
                    severity,
                    text,
                    data,
                    step,
                })
            }),
        subject().prop_map(|subject| Op::Purge(Purge { subject })),
        (65_u8.., any::<u8>(), vec(any::<u8>(), 0..50)).prop_map(|(kind, flags, payload)| {
            let flags = flags & !(3 | 16);
            Op::Unknown {
                kind,
                flags,
                payload,
            }
        }),
    ]
    .boxed()
}

/// Entries of the register, and what runs have to do with them.
fn about_the_register() -> BoxedStrategy<Op> {
    let kinds = proptest::sample::select(EntryKind::ALL.to_vec());
    let create = (uid(), kinds, subject(), option::of(text()), json());
    let create = create.prop_map(|(uid, kind, of, name, value)| {
        let mut create = CreateEntry::of(EntryUid(uid), kind, of);
        create.number = value.as_u64();
        create
            .tags
            .extend(name.clone().map(|name| (name.clone(), name)));
        create.fields.extend(name.clone().map(|name| (name, value)));
        create.name = name;
        Op::CreateEntry(Box::new(create))
    });
    let secret = (uid(), option::of(text())).prop_map(|(uid, secret)| {
        Op::SetSecret(SetSecret {
            entry: EntryUid(uid),
            secret: secret.map(Hidden::new),
        })
    });
    let dataset = (run(), text(), option::of(text())).prop_map(|(run, name, schema)| {
        Op::UseDataset(Box::new(UseDataset {
            run,
            tags: [(name.clone(), name.clone())].into(),
            dataset: Dataset {
                digest: name.clone(),
                name,
                schema,
                ..Dataset::default()
            },
        }))
    });
    let link = (run(), uid(), option::of(any::<i64>())).prop_map(|(run, uid, step)| {
        Op::LinkModel(LinkModel {
            run,
            model: EntryUid(uid),
            role: step.map_or(ModelRole::Input, |_step| ModelRole::Output),
            step,
        })
    });
    let span = (subject(), text(), option::of(text()), json());
    let span = span.prop_map(|(subject, trace, id, data)| {
        Op::Span(Span {
            subject,
            trace,
            id,
            form: SpanForm::Otlp,
            data,
        })
    });
    prop_oneof![create, secret, dataset, link, span].boxed()
}

fn artifact() -> BoxedStrategy<Op> {
    (
        subject(),
        text(),
        option::of(text()),
        option::of(any::<u64>()),
        any::<bool>(),
    )
        .prop_map(|(subject, path, word, size, removed)| {
            Op::PutArtifact(PutArtifact {
                subject,
                path,
                sha256: word.clone(),
                size,
                uri: word.clone(),
                r#type: word.clone(),
                role: None,
                step: size.map(|size| size as i64),
                description: word,
                removed,
            })
        })
        .boxed()
}

/// Any operation. It holds no NaN, so that it equals itself; NaN has tests of its own.
pub(crate) fn op() -> BoxedStrategy<Op> {
    prop_oneof![
        3 => points(),
        1 => start_run(),
        1 => item(),
        3 => about_a_run(),
        2 => about_the_register(),
        4 => about_anything(),
        1 => artifact(),
    ]
    .boxed()
}

/// Anything that may stand beside a record.
pub(crate) fn note() -> BoxedStrategy<Note> {
    (option::of(text()), option::of(uid()))
        .prop_map(|(actor, operation)| Note {
            actor,
            operation: operation.map(OperationUid),
            ..Note::default()
        })
        .boxed()
}
