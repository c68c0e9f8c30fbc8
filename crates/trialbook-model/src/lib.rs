//! What is true of an experiment: nouns, ids, states and transitions, the config schema, the filter
//! language, canonical JSON and hashes, metric directions, the secret filter, derived metrics.
//!
//! Not here: files, SQL, HTTP, threads. Invariant: nothing in this crate does IO, reads the time or
//! draws randomness by itself; the clock and the entropy are arguments.

pub mod canonical;
pub mod capture;
pub mod code;
pub mod config;
pub mod criteria;
pub mod derived;
pub mod exact_sum;
pub mod filter;
pub mod float;
pub mod goal;
pub mod handle;
pub mod id;
pub mod manifest;
pub mod nearest;
pub mod plan;
pub mod progress;
pub mod record;
pub mod secret;
pub mod seed;
pub mod setup;
pub mod stale;
pub mod state;
pub mod status;
pub mod study;
pub mod system;
pub mod template;
pub mod time;
pub mod unit;
pub mod yaml;
