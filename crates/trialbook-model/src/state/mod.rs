//! What a book knows of its nouns: operations folded into the state of a run, an experiment, a project,
//! an entry of the register.
//!
//! Not here: points, events, items and logs themselves (the store keeps them as columns and blocks), ids
//! made dense, files. Invariant: every fold is commutative and idempotent in its registers: any order of
//! the same operations gives an equal state, so the order in which spools are sealed cannot change a book.

mod annotations;
mod baseline;
mod entry;
mod experiment;
mod lineage;
mod progress;
mod records;
mod register;
mod run;
mod series;

pub use annotations::{Annotations, BIN_DAYS, SUMMARIES};
pub use baseline::{BASELINE, Baseline, unmark};
pub use entry::{ALIAS, ENTRY_PARAM, EntryPlace, EntryState, MODEL, PROMPT};
pub use experiment::{
    ConfigDocument, DEFAULT_EXPERIMENT, DEFAULT_PROJECT, ExperimentPlace, ExperimentState,
    MetricDefinitions, ProjectState,
};
pub use lineage::Lineage;
pub use progress::{MOST_REPORTS, ProgressHistory};
pub use records::{Counts, Records};
pub use register::{Earliest, Latest, Stamp, WriteOnce};
pub use run::RunState;
pub use series::{Point, SeriesSummary};

#[cfg(test)]
mod tests;
