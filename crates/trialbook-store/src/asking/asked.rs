//! The reader's side: a book that is asked over a transport.
//!
//! Invariant: what cannot be understood is an error, never half an answer.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use trialbook_model::code::ErrorCode;
use trialbook_model::filter::KeyKind;
use trialbook_model::id::{EntryNo, EntryUid, ExperimentNo, RunNo, RunUid};
use trialbook_model::record::{SeriesKey, Signed};
use trialbook_model::state::ProjectState;
use trialbook_spool::codec::{BucketSpec, Buckets};

use super::{Question, UnknownRecord};
use crate::error::{BookError, Elsewhere};
use crate::index::ExperimentFacts;
use crate::nouns::{
    AssessRecord, EntryRow, EventRecord, ExperimentRow, ItemRecord, LogRecord, Owner, RunRow,
    Series, SpanRecord,
};
use crate::query::{Entries, Hits, ItemGroup, Query};
use crate::reading::Reading;

/// Carries a question to where the book is, and brings the answer's bytes.
pub trait Transport {
    /// Asks.
    fn ask(&self, question: &Question) -> Result<Vec<u8>, BookError>;
}

/// A book that is asked over a transport.
#[derive(Debug)]
pub struct Asked<T> {
    transport: T,
}

impl<T: Transport> Asked<T> {
    /// A book behind a transport.
    pub const fn new(transport: T) -> Self {
        Self { transport }
    }

    fn ask<A: DeserializeOwned>(&self, question: &Question) -> Result<A, BookError> {
        let bytes = self.transport.ask(question)?;
        rmp_serde::from_slice(&bytes).map_err(|error| {
            BookError::Elsewhere(Box::new(Elsewhere {
                code: ErrorCode::NotSupportedYet,
                message: format!("the book's answer is not understood: {error}"),
                hint: Some("program and server are of different versions".to_owned()),
            }))
        })
    }
}

/// A wish for all is one for more than there can be.
fn limit_of(limit: usize) -> u64 {
    u64::try_from(limit).unwrap_or(u64::MAX)
}

impl<T: Transport> Reading for Asked<T> {
    type Error = BookError;

    fn experiments(&self) -> Result<Vec<ExperimentRow>, BookError> {
        self.ask(&Question::Experiments)
    }

    fn experiment(&self, no: ExperimentNo) -> Result<Option<ExperimentRow>, BookError> {
        self.ask(&Question::Experiment(no))
    }

    fn project(&self, name: &str) -> Result<ProjectState, BookError> {
        self.ask(&Question::Project(name.to_owned()))
    }

    fn projects(&self) -> Result<Vec<String>, BookError> {
        self.ask(&Question::Projects)
    }

    fn entry_no(&self, uid: EntryUid) -> Result<Option<EntryNo>, BookError> {
        self.ask(&Question::EntryNo(uid))
    }

    fn entry(&self, no: EntryNo) -> Result<Option<EntryRow>, BookError> {
        self.ask(&Question::Entry(no))
    }

    fn entries(&self, wanted: &Entries) -> Result<Vec<EntryRow>, BookError> {
        self.ask(&Question::Entries(wanted.clone()))
    }

    fn collection(&self, project: &str, name: &str) -> Result<Option<EntryNo>, BookError> {
        let (project, name) = (project.to_owned(), name.to_owned());
        self.ask(&Question::Collection { project, name })
    }

    fn run_no(&self, uid: RunUid) -> Result<Option<RunNo>, BookError> {
        self.ask(&Question::RunNo(uid))
    }

    fn runs_beginning(&self, digits: &str, limit: usize) -> Result<Vec<RunNo>, BookError> {
        self.ask(&Question::RunsBeginning {
            digits: digits.to_owned(),
            limit: limit_of(limit),
        })
    }

    fn runs(&self, numbers: &[RunNo]) -> Result<Vec<RunRow>, BookError> {
        /// One answer does not hold more, so that neither side needs memory for all of them as bytes.
        const PART: usize = 1024;
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let mut rows = Vec::with_capacity(numbers.len());
        for part in numbers.chunks(PART) {
            rows.extend(self.ask::<Vec<RunRow>>(&Question::Runs(part.to_vec()))?);
        }
        Ok(rows)
    }

    fn search(&self, query: &Query) -> Result<Hits, BookError> {
        self.ask(&Question::Search(Box::new(query.clone())))
    }

    fn count_runs(&self) -> Result<BTreeMap<ExperimentNo, u64>, BookError> {
        self.ask(&Question::CountRuns)
    }

    fn series(&self, of: &Owner, key: &SeriesKey) -> Result<Series, BookError> {
        let (of, key) = (of.clone(), key.clone());
        self.ask(&Question::Series { of, key })
    }

    fn buckets(&self, of: &Owner, key: &SeriesKey, spec: BucketSpec) -> Result<Buckets, BookError> {
        let (of, key) = (of.clone(), key.clone());
        self.ask(&Question::Buckets { of, key, spec })
    }

    fn buckets_each(
        &self,
        of: &[Owner],
        key: &SeriesKey,
        spec: BucketSpec,
    ) -> Result<Vec<Buckets>, BookError> {
        let (of, key) = (of.to_vec(), key.clone());
        self.ask(&Question::BucketsEach { of, key, spec })
    }

    fn events(&self, of: &Owner) -> Result<Vec<EventRecord>, BookError> {
        self.ask(&Question::Events(of.clone()))
    }

    fn spans(&self, of: &Owner) -> Result<Vec<SpanRecord>, BookError> {
        self.ask(&Question::Spans(of.clone()))
    }

    fn logs(&self, run: RunNo) -> Result<Vec<LogRecord>, BookError> {
        self.ask(&Question::Logs(run))
    }

    fn items(&self, run: RunNo) -> Result<Vec<ItemRecord>, BookError> {
        self.ask(&Question::Items(run))
    }

    fn assessments(&self, run: RunNo) -> Result<Vec<AssessRecord>, BookError> {
        self.ask(&Question::Assessments(run))
    }

    fn group_items(&self, runs: &[RunNo], labels: &[String]) -> Result<Vec<ItemGroup>, BookError> {
        let (runs, labels) = (runs.to_vec(), labels.to_vec());
        self.ask(&Question::GroupItems { runs, labels })
    }

    fn unknown(&self) -> Result<Vec<Signed>, BookError> {
        let records: Vec<UnknownRecord> = self.ask(&Question::Unknown)?;
        Ok(records
            .into_iter()
            .map(UnknownRecord::into_signed)
            .collect())
    }

    fn snapshot(&self, sha256: &str) -> Result<Option<serde_json::Value>, BookError> {
        self.ask(&Question::Snapshot(sha256.to_owned()))
    }

    fn run_count(&self) -> Result<u64, BookError> {
        self.ask(&Question::RunCount)
    }

    fn newest(&self, limit: usize) -> Result<Vec<RunNo>, BookError> {
        self.ask(&Question::Newest(limit_of(limit)))
    }

    fn experiment_facts(&self) -> Result<Vec<ExperimentFacts>, BookError> {
        self.ask(&Question::ExperimentFacts)
    }

    fn key_names(&self, kind: KeyKind) -> Result<BTreeSet<String>, BookError> {
        self.ask(&Question::KeyNames(kind))
    }

    fn damaged(&self) -> Result<BTreeSet<RunNo>, BookError> {
        self.ask(&Question::Damaged)
    }
}
