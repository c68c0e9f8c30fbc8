//! A consistent look at a book: what is sealed, and the unsealed tails of all spools laid over it.

use std::convert::Infallible;
use std::marker::PhantomData;

use trialbook_model::id::{ExperimentNo, RunNo, RunUid};
use trialbook_model::record::{Param, SeriesKey};
use trialbook_model::state::ProjectState;
use trialbook_spool::codec::{BucketSpec, Buckets};

use crate::book::Book;
use crate::error::BookError;
use crate::nouns::{
    AssessRecord, EventRecord, ExperimentRow, ItemRecord, LogRecord, Owner, RunRow, Series,
};
use crate::query::{Hits, ItemGroup, Query};
use crate::reading::Reading;
use crate::reference::Reference;
use crate::tails::all_operations;

/// A consistent look at a book. It does not change while others write.
pub struct BookView<'a> {
    model: Reference,
    book: PhantomData<&'a Book>,
}

impl<'a> BookView<'a> {
    pub(crate) fn open(book: &'a Book) -> Result<Self, BookError> {
        let mut model = Reference::new();
        model.seal(&all_operations(book.files(), &book.spool_folder())?);
        Ok(Self {
            model,
            book: PhantomData,
        })
    }

    /// The run of a uid.
    pub fn run_by_uid(&self, uid: RunUid) -> Result<Option<RunRow>, BookError> {
        let Some(no) = self.run_no(uid)? else {
            return Ok(None);
        };
        Ok(self.runs(&[no])?.pop())
    }

    /// The present value of a param, so that a differing one can be refused at once (M-5).
    pub fn param(&self, uid: RunUid, key: &str) -> Result<Option<Param>, BookError> {
        let row = self.run_by_uid(uid)?;
        Ok(row.and_then(|row| row.state.params.get(key).map(|param| param.param().clone())))
    }

    /// How many runs there are, those in the bin too.
    pub fn run_count(&self) -> Result<u64, BookError> {
        Ok(self.newest(usize::MAX)?.len() as u64)
    }

    /// The runs seen last, newest first.
    pub fn newest(&self, limit: usize) -> Result<Vec<RunNo>, BookError> {
        let query = Query {
            shown: crate::query::Shown::All,
            limit,
            ..Query::all()
        };
        Ok(self.search(&query)?.runs)
    }
}

fn sure<T>(answer: Result<T, Infallible>) -> Result<T, BookError> {
    Ok(answer.unwrap_or_else(|never| match never {}))
}

impl Reading for BookView<'_> {
    type Error = BookError;

    fn experiments(&self) -> Result<Vec<ExperimentRow>, BookError> {
        sure(self.model.experiments())
    }

    fn experiment(&self, no: ExperimentNo) -> Result<Option<ExperimentRow>, BookError> {
        sure(self.model.experiment(no))
    }

    fn project(&self, name: &str) -> Result<ProjectState, BookError> {
        sure(self.model.project(name))
    }

    fn projects(&self) -> Result<Vec<String>, BookError> {
        sure(self.model.projects())
    }

    fn run_no(&self, uid: RunUid) -> Result<Option<RunNo>, BookError> {
        sure(self.model.run_no(uid))
    }

    fn runs(&self, numbers: &[RunNo]) -> Result<Vec<RunRow>, BookError> {
        sure(self.model.runs(numbers))
    }

    fn search(&self, query: &Query) -> Result<Hits, BookError> {
        sure(self.model.search(query))
    }

    fn series(&self, of: &Owner, key: &SeriesKey) -> Result<Series, BookError> {
        sure(self.model.series(of, key))
    }

    fn buckets(&self, of: &Owner, key: &SeriesKey, spec: BucketSpec) -> Result<Buckets, BookError> {
        sure(self.model.buckets(of, key, spec))
    }

    fn events(&self, of: &Owner) -> Result<Vec<EventRecord>, BookError> {
        sure(self.model.events(of))
    }

    fn logs(&self, run: RunNo) -> Result<Vec<LogRecord>, BookError> {
        sure(self.model.logs(run))
    }

    fn items(&self, run: RunNo) -> Result<Vec<ItemRecord>, BookError> {
        sure(self.model.items(run))
    }

    fn assessments(&self, run: RunNo) -> Result<Vec<AssessRecord>, BookError> {
        sure(self.model.assessments(run))
    }

    fn group_items(&self, runs: &[RunNo], labels: &[String]) -> Result<Vec<ItemGroup>, BookError> {
        sure(self.model.group_items(runs, labels))
    }

    fn snapshot(&self, sha256: &str) -> Result<Option<serde_json::Value>, BookError> {
        sure(self.model.snapshot(sha256))
    }
}
