//! Calibration: in simulated experiments no default test rejects more often than its level when nothing is there,
//! intervals hold the truth as often as they promise, and power is what was planned.
//!
//! Everything is seeded, so that a run finds what the last one found. Bounds are Monte Carlo's: a share of R
//! experiments may depart from its promise by four of its standard errors, which chance alone exceeds once in 15 000
//! checks; where a procedure promises its level only nearly, what it may depart by stands beside it.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it has to be"
)]

mod answers;
mod coverage;
mod level;
mod off_model;
mod simulated;
