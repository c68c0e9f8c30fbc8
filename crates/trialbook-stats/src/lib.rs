//! What may be concluded from these numbers?
//!
//! Not here: what a run is, how a result is worded, missing values (the caller removes and counts them).
//! Invariant: a procedure that cannot answer says why ([`Undefined`]); it never answers with NaN.

#![expect(
    clippy::many_single_char_names,
    reason = "formulas keep the letters of their sources"
)]

mod adjustment;
mod counting;
mod describe;
mod exact;
mod interval;
mod probability;
mod random;
mod ranking;
mod resampling;
mod special;
mod streams;
mod undefined;

pub use adjustment::{Correction, adjust, adjust_ln};
pub use describe::{Description, describe, quantile};
pub use interval::Interval;
pub use probability::{Alternative, Level, PValue, PValues};
pub use random::SplitMix64;
pub use resampling::{
    Arrangements, Bca, BootstrapIntervals, Bootstrapped, Draws, Enumerated, MOST_ENUMERATED,
    Permutation, Statistic, Studentized, bootstrap, bootstrap_clusters, bootstrap_difference,
    bootstrap_exact, bootstrap_ratio, bootstrap_t, bootstrap_t_difference, bootstrap_with,
    intervals_from_replicates, monte_carlo_p, permute_difference, permute_signs,
};
pub use special::{
    Distribution, Tail, Tails, Urn, binomial, binomial_mass, hypergeometric, hypergeometric_mass,
    noncentral_chi_squared, noncentral_f, noncentral_t, normal_density,
};
pub use streams::ENGINE;
pub use undefined::Undefined;
