//! A book that is read from afar: each question as bytes, each answer as bytes.
//!
//! [`answer`] stands where the book is, [`Asked`] where the reader is; between them lies any [`Transport`]. What
//! goes over is MessagePack with the names of fields, which keeps every bit of numbers and whose readers pass over
//! what they do not know. Not here: HTTP.
//! Invariant: an [`Asked`] book gives the answers that the book itself gives, but for secrets that are withheld.

mod asked;

use serde::{Deserialize, Serialize};
use trialbook_model::filter::KeyKind;
use trialbook_model::id::{
    EntryNo, EntryUid, ExperimentNo, OperationUid, RunNo, RunUid, WriterUid,
};
use trialbook_model::record::{Op, SeriesKey, Signed};
use trialbook_model::time::Timestamp;
use trialbook_spool::codec::BucketSpec;

pub use asked::{Asked, Transport};

use crate::nouns::{EntryRow, Owner};
use crate::query::{Entries, Query};
use crate::reading::Reading;

/// A question to a book, one for each method of [`Reading`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is documented where the book answers it")]
pub enum Question {
    Experiments,
    Experiment(ExperimentNo),
    Project(String),
    Projects,
    EntryNo(EntryUid),
    Entry(EntryNo),
    Entries(Entries),
    Collection {
        project: String,
        name: String,
    },
    RunNo(RunUid),
    RunsBeginning {
        digits: String,
        limit: u64,
    },
    Runs(Vec<RunNo>),
    Search(Box<Query>),
    CountRuns,
    Series {
        of: Owner,
        key: SeriesKey,
    },
    Buckets {
        of: Owner,
        key: SeriesKey,
        spec: BucketSpec,
    },
    BucketsEach {
        of: Vec<Owner>,
        key: SeriesKey,
        spec: BucketSpec,
    },
    Events(Owner),
    Spans(Owner),
    Logs(RunNo),
    Items(RunNo),
    Assessments(RunNo),
    GroupItems {
        runs: Vec<RunNo>,
        labels: Vec<String>,
    },
    Unknown,
    Snapshot(String),
    RunCount,
    Newest(u64),
    ExperimentFacts,
    KeyNames(KeyKind),
    Damaged,
}

/// What an answer may hold of what is kept and never shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// The asker may have the secrets of webhooks too.
    Told,
    /// They are left out.
    Withheld,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError<E: std::error::Error + 'static> {
    /// The book refused.
    #[error(transparent)]
    Book(#[from] E),
    /// The answer cannot be written as bytes.
    #[error("the answer cannot be packed")]
    Pack(#[source] rmp_serde::encode::Error),
}

/// A record of an unknown kind on its way.
#[derive(Debug, Serialize, Deserialize)]
struct UnknownRecord {
    time: Timestamp,
    writer: WriterUid,
    seq: u64,
    actor: Option<String>,
    operation: Option<OperationUid>,
    kind: u8,
    flags: u8,
    payload: Vec<u8>,
}

impl UnknownRecord {
    /// `None` for a record of a known kind, of which no book says that it is unknown.
    fn of(signed: Signed) -> Option<Self> {
        let Op::Unknown {
            kind,
            flags,
            payload,
        } = signed.op
        else {
            return None;
        };
        Some(Self {
            time: signed.time,
            writer: signed.writer,
            seq: signed.seq,
            actor: signed.actor,
            operation: signed.operation,
            kind,
            flags,
            payload,
        })
    }

    fn into_signed(self) -> Signed {
        Signed {
            time: self.time,
            writer: self.writer,
            seq: self.seq,
            actor: self.actor,
            operation: self.operation,
            op: Op::Unknown {
                kind: self.kind,
                flags: self.flags,
                payload: self.payload,
            },
        }
    }
}

/// A question's bytes.
pub fn bytes_of(question: &Question) -> Result<Vec<u8>, rmp_serde::encode::Error> {
    rmp_serde::to_vec_named(question)
}

/// The question that bytes are.
pub fn question_of(bytes: &[u8]) -> Result<Question, rmp_serde::decode::Error> {
    rmp_serde::from_slice(bytes)
}

/// Answers a question as bytes.
#[expect(clippy::too_many_lines, reason = "one line for each question")]
pub fn answer<V: Reading>(
    view: &V,
    question: &Question,
    secrets: Secrets,
) -> Result<Vec<u8>, AnswerError<V::Error>> {
    use Question as Q;
    match question {
        Q::Experiments => pack(&view.experiments()?),
        Q::Experiment(no) => pack(&view.experiment(*no)?),
        Q::Project(name) => pack(&view.project(name)?),
        Q::Projects => pack(&view.projects()?),
        Q::EntryNo(uid) => pack(&view.entry_no(*uid)?),
        Q::Entry(no) => pack(&view.entry(*no)?.map(|row| shown(row, secrets))),
        Q::Entries(wanted) => {
            let rows = view.entries(wanted)?.into_iter();
            pack(&rows.map(|row| shown(row, secrets)).collect::<Vec<_>>())
        }
        Q::Collection { project, name } => pack(&view.collection(project, name)?),
        Q::RunNo(uid) => pack(&view.run_no(*uid)?),
        Q::RunsBeginning { digits, limit } => pack(&view.runs_beginning(digits, at_most(*limit))?),
        Q::Runs(numbers) => pack(&view.runs(numbers)?),
        Q::Search(query) => pack(&view.search(query)?),
        Q::CountRuns => pack(&view.count_runs()?),
        Q::GroupItems { runs, labels } => pack(&view.group_items(runs, labels)?),
        Q::Snapshot(sha256) => pack(&view.snapshot(sha256)?),
        Q::RunCount => pack(&view.run_count()?),
        Q::Newest(limit) => pack(&view.newest(at_most(*limit))?),
        Q::ExperimentFacts => pack(&view.experiment_facts()?),
        Q::KeyNames(kind) => pack(&view.key_names(*kind)?),
        Q::Damaged => pack(&view.damaged()?),
        Q::Series { of, key } => pack(&view.series(of, key)?),
        Q::Buckets { of, key, spec } => pack(&view.buckets(of, key, *spec)?),
        Q::BucketsEach { of, key, spec } => pack(&view.buckets_each(of, key, *spec)?),
        Q::Events(of) => pack(&view.events(of)?),
        Q::Spans(of) => pack(&view.spans(of)?),
        Q::Logs(run) => pack(&view.logs(*run)?),
        Q::Items(run) => pack(&view.items(*run)?),
        Q::Assessments(run) => pack(&view.assessments(*run)?),
        Q::Unknown => {
            let all = view.unknown()?.into_iter();
            pack(&all.filter_map(UnknownRecord::of).collect::<Vec<_>>())
        }
    }
}

fn pack<T: Serialize, E: std::error::Error>(answer: &T) -> Result<Vec<u8>, AnswerError<E>> {
    rmp_serde::to_vec_named(answer).map_err(AnswerError::Pack)
}

/// A wish for more than there can be is one for all.
fn at_most(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn shown(mut row: EntryRow, secrets: Secrets) -> EntryRow {
    if secrets == Secrets::Withheld {
        row.state.secret = None;
    }
    row
}
