//! Brunner & Munzel's test: which sample tends to be greater where the spreads differ too.

use crate::probability::PValues;
use crate::ranking::Ranking;
use crate::undefined::Undefined;

/// Brunner & Munzel's test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BrunnerMunzel {
    /// The standardised difference of mean ranks, second sample minus first.
    pub statistic: f64,
    /// Degrees of freedom, after Satterthwaite.
    pub df: f64,
    /// By Student's t: `greater` is small where the first sample tends to be greater.
    pub p: PValues,
    /// The chance that a value of the first sample is smaller than one of the second; ties count half.
    pub first_smaller: f64,
}

/// Whether one of two samples tends to be greater (Brunner & Munzel 2000), also where their spreads differ.
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::TooFewObservations`] for fewer than two values in a sample,
/// [`Undefined::ZeroVariance`] where the samples do not overlap, or all values are equal.
pub fn brunner_munzel(x: &[f64], y: &[f64]) -> Result<BrunnerMunzel, Undefined> {
    if x.iter().chain(y).any(|value| !value.is_finite()) {
        return Err(Undefined::NonFiniteInput);
    }
    if u32::try_from(x.len() + y.len()).is_err() {
        return Err(Undefined::DomainError);
    }
    if x.len() < 2 || y.len() < 2 {
        return Err(Undefined::TooFewObservations);
    }
    let pooled = Ranking::of(x.iter().chain(y).copied()).doubled;
    let first = Placements::of(x, &pooled[..x.len()]);
    let second = Placements::of(y, &pooled[x.len()..]);
    let (n1, n2) = (x.len() as f64, y.len() as f64);
    // n S of each sample, S being the variance of its placements.
    let (v1, v2) = (first.variance * n1, second.variance * n2);
    let v = v1 + v2;
    if v == 0.0 {
        return Err(Undefined::ZeroVariance);
    }
    let difference = x.len() as i128 * second.rank_sum - y.len() as i128 * first.rank_sum;
    let statistic = difference as f64 / 2.0 / ((n1 + n2) * v.sqrt());
    let df = v / (v1 / v * v1 / (n1 - 1.0) + v2 / v * v2 / (n2 - 1.0));
    Ok(BrunnerMunzel {
        statistic,
        df,
        p: PValues::of_student(-statistic, df),
        first_smaller: second.sum as f64 / 2.0 / (n1 * n2),
    })
}

/// How many values of the other sample are smaller than each value of a sample, doubled so that ties count half.
struct Placements {
    sum: i128,
    rank_sum: i128,
    variance: f64,
}

impl Placements {
    fn of(values: &[f64], pooled: &[u64]) -> Self {
        let own = Ranking::of(values.iter().copied()).doubled;
        let n = values.len() as i128;
        let (mut sum, mut squares, mut rank_sum) = (0, 0, 0);
        for (&pooled, own) in pooled.iter().zip(own) {
            let placement = i128::from(pooled - own);
            sum += placement;
            squares += placement * placement;
            rank_sum += i128::from(pooled);
        }
        let about_mean = n * squares - sum * sum;
        Self {
            sum,
            rank_sum,
            variance: about_mean as f64 / 4.0 / n as f64 / (n - 1) as f64,
        }
    }
}
