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
use trialbook_model::record::{CreateExperiment, Op};
use trialbook_model::time::{Clock, Timestamp};
use trialbook_spool::sim::SimFiles;
use trialbook_spool::{Background, Mode, Note};
use trialbook_store::{Book, Effort, RecorderOptions};

use operations::op;

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

/// Three experiments, two of which are one.
fn created() -> impl Iterator<Item = Step> {
    let named = [(1, "p", "e"), (2, "p", "e"), (3, "q", "f")];
    named.into_iter().map(|(at, project, name)| Step {
        writer: 0,
        time: 0,
        actor: None,
        op: Op::CreateExperiment(CreateExperiment {
            experiment: ExperimentUid(Uid([at; 16])),
            project: project.to_owned(),
            name: name.to_owned(),
            handle: None,
            document: json!(null),
            config_hash: None,
        }),
        seal: false,
    })
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
