//! Descriptions of samples.

use trialbook_stats::{Level, describe, quantile, shape};

use crate::args::Args;
use crate::found::{Outcome, record};

/// Functions of this family that the crate does not offer.
pub(crate) const NOT_OFFERED: &[&str] = &[];

/// Asks the crate.
pub(crate) fn ask(function: &str, args: &Args<'_>) -> Option<Outcome> {
    (function == "describe").then(|| description(&args.sample("x")))
}

fn description(values: &[f64]) -> Outcome {
    let (description, shape) = (describe(values)?, shape(values)?);
    let interval = description.mean_interval(Level::NINETY_FIVE);
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
        "ci95_mean" => interval.map(|interval| (interval.low, interval.high)),
        "iqr" => shape.iqr,
        "mad_raw" => shape.mad,
        "iqm" => shape.iqm,
        "trimmed_mean_10" => shape.trimmed_mean,
        "skewness_g1" => shape.skewness,
        "skewness_G1" => shape.skewness_adjusted,
        "excess_kurtosis_g2" => shape.excess_kurtosis,
        "excess_kurtosis_G2" => shape.excess_kurtosis_adjusted,
        "lag1_autocorrelation" => shape.lag1_autocorrelation,
        "geometric_mean" => shape.geometric_mean,
    };
    for p in ["0.01", "0.05", "0.25", "0.75", "0.9", "0.95", "0.99"] {
        found = found.with(format!("q{p}"), quantile(values, p.parse().unwrap()));
    }
    Ok(found)
}
