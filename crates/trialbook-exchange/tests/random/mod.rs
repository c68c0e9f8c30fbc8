//! Random books. What is said in them is what the store's contract is tested with.
//!
//! Invariant: every experiment is created before it is spoken of, as all writers do.

#[path = "../../../trialbook-store/src/contract/operations.rs"]
pub(crate) mod operations;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use proptest::option;
use proptest::prelude::*;
use serde_json::json;
use trialbook_model::id::{ExperimentUid, Uid};
use trialbook_model::record::{CreateEntry, CreateExperiment, EntryKind, Op, SetField, Subject};
use trialbook_model::time::{Clock, Timestamp};
use trialbook_spool::sim::SimFiles;
use trialbook_spool::{Background, Mode, Note};
use trialbook_store::{Book, Effort, RecorderOptions};

use operations::{ENTRIES, entry_uid, op, run_uid};

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
        said(),
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

/// Anything that a writer can say; entries keep the names that they were made with. Whether two were one collection
/// follows from what was said in between, which a stream does not tell.
fn said() -> impl Strategy<Value = Op> {
    let create =
        (0..ENTRIES, 0_u8..4, option::of(1_u64..4)).prop_map(|(at, experiment, number)| {
            let mut create = entry(at, experiment);
            create.number = number;
            create.tags = [("t".to_owned(), "x".to_owned())].into();
            create.fields = [("run".to_owned(), json!(run_uid(0).to_string()))].into();
            Op::CreateEntry(Box::new(create))
        });
    let alias = (0..ENTRIES, 0..ENTRIES).prop_map(|(at, to)| {
        Op::SetField(SetField {
            subject: Subject::Entry(entry_uid(at)),
            field: "alias.a".to_owned(),
            value: json!(entry_uid(to).to_string()),
        })
    });
    prop_oneof![36 => op().boxed(), 2 => create.boxed(), 1 => alias.boxed()]
}
