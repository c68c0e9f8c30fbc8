//! A consistent look at a book, whatever keeps it.
//!
//! Invariant: verbs cannot tell the one from the other but by what the book is called.

use std::collections::{BTreeMap, BTreeSet};

use trialbook_client::RemoteView;
use trialbook_model::filter::KeyKind;
use trialbook_model::id::{EntryNo, EntryUid, ExperimentNo, RunNo, RunUid};
use trialbook_model::record::{SeriesKey, Signed};
use trialbook_model::state::ProjectState;
use trialbook_spool::codec::{BucketSpec, Buckets};
use trialbook_store::index::ExperimentFacts;
use trialbook_store::nouns::{
    AssessRecord, EntryRow, EventRecord, ExperimentRow, ItemRecord, LogRecord, Owner, RunRow,
    Series, SpanRecord,
};
use trialbook_store::query::{Entries, Hits, ItemGroup, Query};
use trialbook_store::reading::Reading;
use trialbook_store::{BookError, BookView};

/// A consistent look at a book. Verbs name this type, or are generic over `Reading`.
pub(crate) enum View<'a> {
    /// At one in a folder.
    Folder(Box<BookView<'a>>),
    /// At one on a server.
    Server(RemoteView),
}

impl View<'_> {
    /// Ends the look of a process that is about to end.
    pub(crate) fn leave(self) {
        match self {
            Self::Folder(view) => view.leave(),
            Self::Server(_) => {}
        }
    }
}

/// Asks whichever it is.
macro_rules! each {
    ($($name:ident($($arg:ident: $of:ty),*) -> $gives:ty;)*) => {
        impl Reading for View<'_> {
            type Error = BookError;
            $(
                fn $name(&self, $($arg: $of),*) -> Result<$gives, BookError> {
                    match self {
                        Self::Folder(view) => view.$name($($arg),*),
                        Self::Server(view) => view.$name($($arg),*),
                    }
                }
            )*
        }
    };
}

each! {
    experiments() -> Vec<ExperimentRow>;
    experiment(no: ExperimentNo) -> Option<ExperimentRow>;
    project(name: &str) -> ProjectState;
    projects() -> Vec<String>;
    entry_no(uid: EntryUid) -> Option<EntryNo>;
    entry(no: EntryNo) -> Option<EntryRow>;
    entries(wanted: &Entries) -> Vec<EntryRow>;
    collection(project: &str, name: &str) -> Option<EntryNo>;
    run_no(uid: RunUid) -> Option<RunNo>;
    runs_beginning(digits: &str, limit: usize) -> Vec<RunNo>;
    runs(numbers: &[RunNo]) -> Vec<RunRow>;
    search(query: &Query) -> Hits;
    count_runs() -> BTreeMap<ExperimentNo, u64>;
    series(of: &Owner, key: &SeriesKey) -> Series;
    buckets(of: &Owner, key: &SeriesKey, spec: BucketSpec) -> Buckets;
    buckets_each(of: &[Owner], key: &SeriesKey, spec: BucketSpec) -> Vec<Buckets>;
    events(of: &Owner) -> Vec<EventRecord>;
    spans(of: &Owner) -> Vec<SpanRecord>;
    logs(run: RunNo) -> Vec<LogRecord>;
    items(run: RunNo) -> Vec<ItemRecord>;
    assessments(run: RunNo) -> Vec<AssessRecord>;
    group_items(runs: &[RunNo], labels: &[String]) -> Vec<ItemGroup>;
    unknown() -> Vec<Signed>;
    snapshot(sha256: &str) -> Option<serde_json::Value>;
    run_count() -> u64;
    newest(limit: usize) -> Vec<RunNo>;
    experiment_facts() -> Vec<ExperimentFacts>;
    key_names(kind: KeyKind) -> BTreeSet<String>;
    damaged() -> BTreeSet<RunNo>;
}
