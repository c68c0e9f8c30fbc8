//! What does the recorded data answer? Aggregates by variation, the verdicts of success criteria, comparisons.
//!
//! Not here: words and presentation, how data is kept. Invariant: a number that cannot be computed is
//! `None` or carries its reason; missing values are counted, never taken as 0.

pub mod analysis;
pub mod arms;
pub mod baseline;
pub mod comparison;
pub mod experiment_status;
pub mod finding;
pub mod gates;
pub mod history;
pub mod items;
pub mod lint;
pub mod measure;
mod number;
pub mod separation;
pub mod success;
pub mod variations;

pub use experiment_status::ExperimentStatus;
pub use variations::{MetricColumn, MetricSummary, Statuses, VariationRow, VariationTable};
