//! What may be concluded from these numbers?
//!
//! Not here: what a run is, how a result is worded, missing values (the caller removes and counts them).
//! Invariant: a procedure that cannot answer says why ([`Undefined`]); it never answers with NaN.

mod adjustment;
mod counting;
mod describe;
mod exact;
mod random;
mod ranking;
mod streams;
mod undefined;

pub use adjustment::{Correction, adjust, adjust_ln};
pub use describe::{Description, describe, quantile};
pub use random::SplitMix64;
pub use streams::ENGINE;
pub use undefined::Undefined;
