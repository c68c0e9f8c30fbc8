//! Descriptions of samples.

use trialbook_stats::{describe, quantile};

use crate::args::Args;
use crate::found::{Outcome, record};

/// Functions and outputs of this family that the crate does not offer.
pub(crate) const NOT_OFFERED: &[&str] = &[
    "describe.iqr",
    "describe.mad_raw",
    "describe.iqm",
    "describe.trimmed_mean_10",
    "describe.ci95_mean",
    "describe.skewness_g1",
    "describe.skewness_G1",
    "describe.excess_kurtosis_g2",
    "describe.excess_kurtosis_G2",
    "describe.lag1_autocorrelation",
    "describe.geometric_mean",
];

/// Asks the crate.
pub(crate) fn ask(function: &str, args: &Args<'_>) -> Option<Outcome> {
    (function == "describe").then(|| description(&args.sample("x")))
}

fn description(values: &[f64]) -> Outcome {
    let description = describe(values)?;
    let mut found = record! {
        "n" => description.n,
        "sum" => description.sum,
        "mean" => description.mean,
        "min" => description.min,
        "max" => description.max,
        "median" => description.median,
        "var" => description.variance,
        "sd" => description.sd,
        "sem" => description.sem,
    };
    for p in ["0.01", "0.05", "0.25", "0.75", "0.9", "0.95", "0.99"] {
        found = found.with(format!("q{p}"), quantile(values, p.parse().unwrap()));
    }
    Ok(found)
}
