//! What is being done now: plans, claims, attempts, and the wrapper around a run's process.
//!
//! Not here: SQL, HTTP, statistics, anything printed. Invariant: a run that was started ends in a final
//! state, or is found later by what it left behind and put into one.

pub mod guard;
pub mod protocol;
pub mod stop;
pub mod wrapper;
