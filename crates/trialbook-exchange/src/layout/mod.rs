//! An experiment as text files, for git and for people: `config.yaml`, and for each run `metrics.jsonl` and
//! `summary.json`, with `records.jsonl` beside them for all that those have no place for.
//! `docs/format/layout.md` describes it.
//!
//! Read are these folders and those of others, with `run-001/` or `runs/run-001/`. Not here: git.
//! Invariant: equal experiments give equal bytes, file by file, and what was written is taken in equal.

mod foreign;
mod held;
mod line;
mod names;
mod read;
mod summary;
mod text;
mod told;
mod whole;
mod write;

pub use read::{is_layout, is_ours, read};
pub(crate) use told::flatten;
pub use write::{ChangedConfig, Elsewhere, Experiment, experiment_in, write};

/// The name of the format.
pub const FORMAT: &str = "trialbook-layout";

/// The version that is written, and the newest that is read.
pub const VERSION: u64 = 3;

const CONFIG: &str = "config.yaml";
const EXPERIMENT: &str = "experiment.jsonl";
const RUNS: &str = "runs";
const RECORDS: &str = "records.jsonl";
const METRICS: &str = "metrics.jsonl";
const SUMMARY: &str = "summary.json";
const SNAPSHOTS: &str = "snapshots";
/// What keeps git from asking about lines that two sides added.
const ATTRIBUTES: &str = ".gitattributes";
/// The folder of artifacts' bytes.
pub const ARTIFACTS: &str = "artifacts";
