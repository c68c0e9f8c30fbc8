//! The metrics of a run's process tree, which its wrapper records beside those of the program.
//!
//! Not here: measuring. Invariant: every name begins with [`PREFIX`], so that tables and tests of results can
//! leave them out.

/// What the names begin with.
pub const PREFIX: &str = "system.";
/// Processor time of the tree since the sample before, in percent of one processor.
pub const CPU_PERCENT: &str = "system.cpu_percent";
/// Memory that the tree holds, in bytes.
pub const MEMORY_BYTES: &str = "system.memory_bytes";
/// How many processes the tree has.
pub const PROCESSES: &str = "system.processes";
/// Processor time of the tree in all, in seconds; told at the end.
pub const CPU_SECONDS: &str = "system.cpu_seconds";
/// The most memory that a sample found, in bytes; told at the end.
pub const PEAK_MEMORY_BYTES: &str = "system.peak_memory_bytes";

/// Whether a metric is one of the process tree and no result of the program.
pub fn is_system(key: &str) -> bool {
    key.starts_with(PREFIX)
}
