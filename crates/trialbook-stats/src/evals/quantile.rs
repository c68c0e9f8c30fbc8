//! The interval of a quantile between two values of the sample.

use crate::describe::quantile;
use crate::interval::Interval;
use crate::probability::Level;
use crate::special::binomial;
use crate::undefined::Undefined;

/// A quantile and its interval between order statistics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileInterval {
    /// The quantile (type 7).
    pub estimate: f64,
    /// The rank of the low end, 1 being the smallest value's; none where no value is low enough, then the end is
    /// minus infinity.
    pub rank_low: Option<usize>,
    /// The rank of the high end; none where no value is high enough, then the end is infinite.
    pub rank_high: Option<usize>,
    /// The interval.
    pub interval: Interval,
    /// How often such an interval contains the quantile, whatever the distribution: at least the level.
    pub coverage: f64,
}

/// The interval of a quantile that holds whatever the distribution (David & Nagaraja 2003, section 7.1), with at
/// most half of what is outside the level on either side.
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::DomainError`] where `p` is not inside 0..1, [`Undefined::EmptyInput`].
pub fn quantile_interval(
    values: &[f64],
    p: f64,
    level: Level,
) -> Result<QuantileInterval, Undefined> {
    if p.is_nan() || values.iter().any(|value| !value.is_finite()) {
        return Err(Undefined::NonFiniteInput);
    }
    if p <= 0.0 || p >= 1.0 {
        return Err(Undefined::DomainError);
    }
    let estimate = quantile(values, p)?;
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    let outside = level.outside() / 2.0;
    // How many of the sample lie below the quantile is binomial.
    let tails = |fewer: usize| binomial(fewer as u64, n as u64, p);
    let mut below = vec![0.0; n];
    let mut above = vec![0.0; n];
    for rank in 1..=n {
        let tails = tails(rank - 1)?;
        (below[rank - 1], above[rank - 1]) = (tails.lower, tails.upper);
    }
    let low = below.partition_point(|&chance| chance <= outside);
    let high = above.partition_point(|&chance| chance > outside) + 1;
    let rank_low = Some(low).filter(|&rank| rank > 0);
    let rank_high = Some(high).filter(|&rank| rank <= n);
    let missed_low = rank_low.map_or(0.0, |rank| below[rank - 1]);
    let missed_high = rank_high.map_or(0.0, |rank| above[rank - 1]);
    Ok(QuantileInterval {
        estimate,
        rank_low,
        rank_high,
        interval: Interval::new(
            rank_low.map_or(f64::NEG_INFINITY, |rank| sorted[rank - 1]),
            rank_high.map_or(f64::INFINITY, |rank| sorted[rank - 1]),
        ),
        coverage: 1.0 - missed_low - missed_high,
    })
}
