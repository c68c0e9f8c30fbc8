//! Pearson's correlation of values.

use super::check;
use crate::exact::Double;
use crate::interval::Interval;
use crate::moments::Deviations;
use crate::probability::{Level, PValue, PValues};
use crate::special::{Tail, normal_quantile};
use crate::undefined::Undefined;

/// Pearson's correlation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pearson {
    /// The correlation.
    pub r: f64,
    /// Pairs.
    pub n: usize,
    /// The test of no correlation; none of two pairs.
    pub test: Option<StudentForm>,
    /// By Fisher's z; none of fewer than four pairs, or of a perfect correlation.
    pub interval: Option<Interval>,
}

/// A statistic that follows Student's t under the null hypothesis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StudentForm {
    /// t; infinite of a perfect correlation.
    pub t: f64,
    /// Degrees of freedom.
    pub df: usize,
    /// Its p-values: `greater` is small where the statistic is positive.
    pub p: PValues,
}

impl StudentForm {
    /// Of a correlation and the part 1 − r² that it leaves unexplained.
    pub(super) fn of(r: f64, unexplained: f64, n: usize) -> Option<Self> {
        let df = n.checked_sub(2).filter(|&df| df > 0)?;
        if unexplained == 0.0 {
            let (certain, impossible) =
                (PValue::new(1.0, 0.0), PValue::new(0.0, f64::NEG_INFINITY));
            let positive = r > 0.0;
            return Some(Self {
                t: f64::INFINITY.copysign(r),
                df,
                p: PValues {
                    two_sided: impossible,
                    less: if positive { certain } else { impossible },
                    greater: if positive { impossible } else { certain },
                },
            });
        }
        let t = r * (df as f64 / unexplained).sqrt();
        Some(Self {
            t,
            df,
            p: PValues::of_student(t, df as f64),
        })
    }
}

/// Fisher's interval: tanh(artanh r ± z se); `None` of a perfect correlation.
pub(super) fn fisher_interval(
    r: f64,
    unexplained: f64,
    (se, level): (f64, Level),
) -> Option<Interval> {
    if unexplained == 0.0 {
        return None;
    }
    // ½ ln((1 + |r|) / (1 − |r|)), where 1 − |r| is the unexplained part over 1 + |r|.
    let above = 1.0 + r.abs();
    let centre = (libm::log(above) - libm::log(unexplained) / 2.0).copysign(r);
    let half = normal_quantile(Tail::Upper(level.outside() / 2.0)) * se;
    Some(Interval::new(
        libm::tanh(centre - half),
        libm::tanh(centre + half),
    ))
}

/// Pearson's correlation of pairs, its t test and Fisher's interval (Fisher 1921).
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::LengthMismatch`], [`Undefined::TooFewObservations`] for fewer than two
/// pairs, [`Undefined::ZeroVariance`] where either sample is constant. There are fewer than 2³² pairs, else
/// [`Undefined::DomainError`].
pub fn pearson(x: &[f64], y: &[f64], level: Level) -> Result<Pearson, Undefined> {
    check(x, y)?;
    let n = x.len();
    let (r, unexplained) = correlation(x, y);
    let se = 1.0 / (n as f64 - 3.0).sqrt();
    Ok(Pearson {
        r,
        n,
        test: StudentForm::of(r, unexplained, n),
        interval: (n > 3)
            .then(|| fisher_interval(r, unexplained, (se, level)))
            .flatten(),
    })
}

/// r and 1 − r², the latter from the residuals of the regression of y on x.
fn correlation(x: &[f64], y: &[f64]) -> (f64, f64) {
    /// Residuals below this are the rounding of twice the precision.
    const ROUNDING: f64 = 1e-58;
    let (dx, dy) = (deviations(x), deviations(y));
    let squares = |of: &[Double]| fold(of.iter().map(|deviation| deviation.squared()));
    let (sxx, syy) = (squares(&dx), squares(&dy));
    let sxy = fold(dx.iter().zip(&dy).map(|(&a, &b)| a.by(b)));
    let slope = sxy / sxx;
    let (mut left, mut still) = (Double::default(), Double::default());
    for (&a, &b) in dx.iter().zip(&dy) {
        let residual = b.plus(a.times(-slope));
        left = left.plus(residual.squared());
        still = still.plus(residual.by(a));
    }
    // What the rounded slope left to be explained.
    let still = still.value();
    let unexplained = (left.value() - still * still / sxx) / syy;
    let r = (sxy / sxx.sqrt() / syy.sqrt()).clamp(-1.0, 1.0);
    if unexplained <= ROUNDING {
        return (1.0_f64.copysign(r), 0.0);
    }
    (r, unexplained.min(1.0))
}

fn deviations(values: &[f64]) -> Vec<Double> {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Deviations::of(values, (low, high)).each().collect()
}

fn fold(values: impl Iterator<Item = Double>) -> f64 {
    values.fold(Double::default(), Double::plus).value()
}
