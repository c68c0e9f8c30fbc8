//! Tests and intervals of means: one sample, pairs, two samples, and equivalence within a margin.
//!
//! Welch's test is the default for two samples: it needs no equal variances and loses next to nothing where they are
//! equal; a pre-test of the variances would spoil the level. Pairs (the same item, the same seed) are tested as pairs.
//!
//! Not here: effect sizes, the choice of a test. Invariant: a result's statistic, degrees of freedom and standard
//! error determine its p-values and intervals.

#[cfg(test)]
mod tests;

use crate::interval::Interval;
use crate::moments::{Moments, finite, within_floats};
use crate::probability::{Level, PValue, PValues};
use crate::special::{student, student_two_sided_quantile};
use crate::undefined::Undefined;

/// Which t test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TVariant {
    /// The mean of one sample against a fixed value (Student 1908).
    OneSample,
    /// The mean of the differences of pairs against 0.
    Paired,
    /// Two samples with one common variance.
    Student,
    /// Two samples, each with its own variance (Welch 1947).
    Welch,
}

impl TVariant {
    /// The name used in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneSample => "one-sample t test",
            Self::Paired => "paired t test",
            Self::Student => "Student's t test",
            Self::Welch => "Welch's t test",
        }
    }
}

/// What a t test found. Differences are the first sample minus the second (or minus the fixed value).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TTest {
    /// Which test.
    pub variant: TVariant,
    /// Values of the first sample; pairs, where they are pairs.
    pub n1: usize,
    /// Values of the second sample, where there is one.
    pub n2: Option<usize>,
    /// The first sample's mean.
    pub mean1: f64,
    /// The second sample's mean, where there is one.
    pub mean2: Option<f64>,
    /// What the interval is for: the difference of the means, or one sample's mean.
    pub estimate: f64,
    /// The standard error of the estimate.
    pub se: f64,
    /// The statistic t.
    pub statistic: f64,
    /// Its degrees of freedom.
    pub df: f64,
    /// The p-values.
    pub p: PValues,
    /// The level of the interval.
    pub level: Level,
    /// The two-sided interval of the estimate.
    pub interval: Interval,
}

impl TTest {
    /// The two-sided interval of the estimate at another level.
    pub fn interval_at(&self, level: Level) -> Interval {
        let half = self.se * student_two_sided_quantile(level.outside(), self.df);
        Interval::new(self.estimate - half, self.estimate + half)
    }

    /// Cohen's d of one sample (from the fixed value) or of pairs (d_z, in units of the differences' sd): t/√n. For two
    /// samples see [`effect_size`](crate::effect_size()).
    pub fn standardized(&self) -> Option<f64> {
        match self.variant {
            TVariant::OneSample | TVariant::Paired => {
                Some(self.statistic / (self.n1 as f64).sqrt())
            }
            TVariant::Student | TVariant::Welch => None,
        }
    }

    /// Whether the estimate is equivalent to 0 within margins that were set before the data was seen: two one-sided
    /// tests (Schuirmann 1987). For one sample the margins are for the mean itself.
    ///
    /// # Errors
    /// [`Undefined::NonFiniteInput`]; [`Undefined::DomainError`] where `low` is not less than `high`.
    pub fn equivalence(&self, margins: Interval) -> Result<Equivalence, Undefined> {
        finite(&[&[margins.low, margins.high]])?;
        if margins.low >= margins.high {
            return Err(Undefined::DomainError);
        }
        let t_lower = (self.estimate - margins.low) / self.se;
        let t_upper = (self.estimate - margins.high) / self.se;
        within_floats(&[t_lower, t_upper])?;
        let (above, below) = (student(t_lower, self.df), student(t_upper, self.df));
        let p_lower = PValue::new(above.upper, above.ln_upper);
        let p_upper = PValue::new(below.lower, below.ln_lower);
        Ok(Equivalence {
            variant: self.variant,
            margins,
            t_lower,
            p_lower,
            t_upper,
            p_upper,
            p: if p_lower.ln_p > p_upper.ln_p {
                p_lower
            } else {
                p_upper
            },
            df: self.df,
            estimate: self.estimate,
            interval90: self.interval_at(Level::NINETY),
        })
    }
}

/// What two one-sided tests found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Equivalence {
    /// Which t test they were made of.
    pub variant: TVariant,
    /// Within what the difference counts as none.
    pub margins: Interval,
    /// The statistic against the lower margin.
    pub t_lower: f64,
    /// Its p-value: small where the difference is above the lower margin.
    pub p_lower: PValue,
    /// The statistic against the upper margin.
    pub t_upper: f64,
    /// Its p-value: small where the difference is below the upper margin.
    pub p_upper: PValue,
    /// The greater of both: the p-value of the equivalence.
    pub p: PValue,
    /// Degrees of freedom.
    pub df: f64,
    /// The difference.
    pub estimate: f64,
    /// The 90 % interval: it lies within the margins exactly where `p` is below 0.05.
    pub interval90: Interval,
}

/// The mean of one sample against `mu`; the interval is for the mean.
///
/// # Errors
/// [`Undefined::NonFiniteInput`]; [`Undefined::TooFewObservations`] with fewer than two values;
/// [`Undefined::ZeroVariance`] where all are equal; [`Undefined::DomainError`] where a result leaves the floats.
pub fn one_sample_t_test(values: &[f64], mu: f64, level: Level) -> Result<TTest, Undefined> {
    finite(&[values, &[mu]])?;
    let moments = at_least(values, 2)?;
    if moments.is_constant() {
        return Err(Undefined::ZeroVariance);
    }
    let from_mu = moments.mean.plus((-mu).into()).value();
    let parts = Parts {
        variant: TVariant::OneSample,
        n: (moments.n, None),
        means: (moments.mean(), None),
        estimate: moments.mean(),
        from_null: from_mu,
        se: moments.sem(),
        df: (moments.n - 1) as f64,
    };
    parts.test(level)
}

/// The mean of the differences `x[i] − y[i]` against 0.
///
/// # Errors
/// [`Undefined::NonFiniteInput`]; [`Undefined::LengthMismatch`]; [`Undefined::TooFewObservations`] with fewer than two
/// pairs; [`Undefined::ZeroVariance`] where all differences are equal up to rounding; [`Undefined::DomainError`] where
/// a result leaves the floats.
pub fn paired_t_test(x: &[f64], y: &[f64], level: Level) -> Result<TTest, Undefined> {
    let pairs = Pairs::of(x, y)?;
    let moments = at_least(&pairs.differences, 2)?;
    if pairs.are_constant() {
        return Err(Undefined::ZeroVariance);
    }
    let parts = Parts {
        variant: TVariant::Paired,
        n: (moments.n, Some(moments.n)),
        means: (pairs.x.mean(), Some(pairs.y.mean())),
        estimate: moments.mean.value(),
        from_null: moments.mean.value(),
        se: moments.sem(),
        df: (moments.n - 1) as f64,
    };
    parts.test(level)
}

/// Two samples whose variances are taken to be one and the same.
///
/// # Errors
/// [`Undefined::NonFiniteInput`]; [`Undefined::TooFewObservations`] where a sample is empty or both have fewer than
/// three values together; [`Undefined::ZeroVariance`] where each is constant; [`Undefined::DomainError`] where a
/// result leaves the floats.
pub fn student_t_test(x: &[f64], y: &[f64], level: Level) -> Result<TTest, Undefined> {
    finite(&[x, y])?;
    let (first, second) = (at_least(x, 1)?, at_least(y, 1)?);
    if x.len() + y.len() < 3 {
        return Err(Undefined::TooFewObservations);
    }
    let (n1, n2) = (first.n as f64, second.n as f64);
    let sd = pooled_sd(&first, &second)?;
    two_samples(&first, &second).test_with(
        TVariant::Student,
        sd * (1.0 / n1 + 1.0 / n2).sqrt(),
        n1 + n2 - 2.0,
        level,
    )
}

/// Two samples, each with its own variance; degrees of freedom by Welch and Satterthwaite. The default.
///
/// # Errors
/// [`Undefined::NonFiniteInput`]; [`Undefined::TooFewObservations`] where a sample has fewer than two values;
/// [`Undefined::ZeroVariance`] where each is constant; [`Undefined::DomainError`] where a result leaves the floats.
pub fn welch_t_test(x: &[f64], y: &[f64], level: Level) -> Result<TTest, Undefined> {
    finite(&[x, y])?;
    let (first, second) = (at_least(x, 2)?, at_least(y, 2)?);
    if first.is_constant() && second.is_constant() {
        return Err(Undefined::ZeroVariance);
    }
    let (of_first, of_second) = (first.sem(), second.sem());
    let se = libm::hypot(of_first, of_second);
    // Shares of the variance: squares of quotients, which neither over- nor underflow.
    let share = |sem: f64| (sem / se) * (sem / se);
    let part = |sem: f64, n: usize| share(sem) * share(sem) / (n - 1) as f64;
    let df = 1.0 / (part(of_first, first.n) + part(of_second, second.n));
    two_samples(&first, &second).test_with(TVariant::Welch, se, df, level)
}

/// The sd of two samples with a common variance.
pub(crate) fn pooled_sd(first: &Moments, second: &Moments) -> Result<f64, Undefined> {
    if first.is_constant() && second.is_constant() {
        return Err(Undefined::ZeroVariance);
    }
    let root = |moments: &Moments| moments.sd * ((moments.n - 1) as f64).sqrt();
    let df = (first.n + second.n - 2) as f64;
    Ok(libm::hypot(root(first), root(second)) / df.sqrt())
}

/// The moments of a sample of at least so many values.
pub(crate) fn at_least(values: &[f64], least: usize) -> Result<Moments, Undefined> {
    Moments::of(values)
        .filter(|moments| moments.n >= least)
        .ok_or(Undefined::TooFewObservations)
}

/// Values that belong together, and their differences.
pub(crate) struct Pairs {
    pub(crate) x: Moments,
    pub(crate) y: Moments,
    pub(crate) differences: Vec<f64>,
}

impl Pairs {
    /// Of finite samples of one length.
    pub(crate) fn of(x: &[f64], y: &[f64]) -> Result<Self, Undefined> {
        finite(&[x, y])?;
        if x.len() != y.len() {
            return Err(Undefined::LengthMismatch);
        }
        let differences: Vec<f64> = x.iter().zip(y).map(|(x, y)| x - y).collect();
        let pairs = Self {
            x: at_least(x, 1)?,
            y: at_least(y, 1)?,
            differences,
        };
        within_floats(&pairs.differences)?;
        Ok(pairs)
    }

    /// Whether the differences are equal up to the rounding of the values they come from: four units in the last
    /// place of the greatest of them.
    pub(crate) fn are_constant(&self) -> bool {
        let greatest = [self.x.range, self.y.range]
            .into_iter()
            .fold(0.0_f64, |most, (low, high)| {
                most.max(low.abs()).max(high.abs())
            });
        let unit = greatest.next_up() - greatest;
        let low = self
            .differences
            .iter()
            .copied()
            .fold(f64::INFINITY, f64::min);
        let high = self
            .differences
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max);
        high - low <= 4.0 * unit
    }
}

/// What all t tests are made of.
struct Parts {
    variant: TVariant,
    n: (usize, Option<usize>),
    means: (f64, Option<f64>),
    estimate: f64,
    from_null: f64,
    se: f64,
    df: f64,
}

impl Parts {
    fn test_with(
        self,
        variant: TVariant,
        se: f64,
        df: f64,
        level: Level,
    ) -> Result<TTest, Undefined> {
        Self {
            variant,
            se,
            df,
            ..self
        }
        .test(level)
    }

    fn test(self, level: Level) -> Result<TTest, Undefined> {
        if self.se == 0.0 {
            return Err(Undefined::ZeroVariance);
        }
        let statistic = self.from_null / self.se;
        within_floats(&[self.estimate, self.se, statistic])?;
        let mut test = TTest {
            variant: self.variant,
            n1: self.n.0,
            n2: self.n.1,
            mean1: self.means.0,
            mean2: self.means.1,
            estimate: self.estimate,
            se: self.se,
            statistic,
            df: self.df,
            p: PValues::of_student(statistic, self.df),
            level,
            interval: Interval::new(self.estimate, self.estimate),
        };
        test.interval = test.interval_at(level);
        within_floats(&[test.interval.low, test.interval.high])?;
        Ok(test)
    }
}

fn two_samples(first: &Moments, second: &Moments) -> Parts {
    let difference = first.difference(second);
    Parts {
        variant: TVariant::Welch,
        n: (first.n, Some(second.n)),
        means: (first.mean(), Some(second.mean())),
        estimate: difference,
        from_null: difference,
        se: 0.0,
        df: 1.0,
    }
}
