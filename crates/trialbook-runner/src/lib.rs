//! What is being done now: plans, claims, attempts, and the wrapper around a run's process.
//!
//! Not here: SQL, HTTP, statistics, anything printed. Invariant: a run that was started ends in a final
//! state, or is found later by what it left behind and put into one.

pub mod begun;
pub mod engine;
pub mod guard;
pub mod known;
pub mod leading;
pub mod lease;
pub mod ledger;
pub mod outline;
pub mod preparation;
pub mod protocol;
pub mod recording;
pub mod requests;
pub mod sample;
pub mod shim;
pub mod signals;
pub mod snapshot;
pub mod standing;
pub mod stop;
pub mod swarm;
pub mod wrapper;
