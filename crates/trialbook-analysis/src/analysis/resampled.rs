//! Bootstrap-t intervals of means, beside the t interval where few values are skewed, such as costs and latencies.
//!
//! Not here: words, and the t interval itself. Invariant: the same values give the same interval, on any machine.

use trialbook_stats::{
    Draws, ENGINE, Level, Studentized, Undefined, bootstrap_t, bootstrap_t_difference, shape,
};

use crate::finding::Resampled;

/// Values from which skewness matters little.
const MANY: usize = 200;
/// Skewness beyond this, with fewer than [`MANY`] values, makes the t interval too narrow.
const SKEWED: f64 = 1.0;
/// Different values below which resamples say little: too many of them do not vary.
const DIFFERENT: usize = 5;
/// The seed of all draws: another one would be a choice among answers.
const SEED: u64 = 1;

/// The skewness of values that are few and skewed.
pub(crate) fn skewness(values: &[f64]) -> Option<f64> {
    let found = shape(values).ok()?.skewness_adjusted?;
    (values.len() < MANY && found.abs() > SKEWED).then_some(found)
}

/// The interval of a mean.
pub(super) fn of_mean(values: &[f64], level: Level) -> Option<Resampled> {
    skewness(values)?;
    has_enough(values)
        .then(|| bootstrap_t(values, level, draws()))
        .and_then(resampled)
}

/// The interval of a difference of two means.
pub(super) fn of_difference((arm, baseline): (&[f64], &[f64]), level: Level) -> Option<Resampled> {
    skewness(arm).or_else(|| skewness(baseline))?;
    (has_enough(arm) && has_enough(baseline))
        .then(|| bootstrap_t_difference((arm, baseline), level, draws()))
        .and_then(resampled)
}

const fn draws() -> Draws {
    Draws::new(SEED, Draws::INTERVAL)
}

fn has_enough(values: &[f64]) -> bool {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.dedup();
    sorted.len() >= DIFFERENT
}

fn resampled(found: Result<Studentized, Undefined>) -> Option<Resampled> {
    let found = found.ok()?;
    Some(Resampled {
        low: found.interval.low,
        high: found.interval.high,
        method: "bootstrap-t",
        replicates: found.draws.replicates,
        dropped: found.dropped,
        seed: found.draws.seed,
        engine: ENGINE,
    })
}
