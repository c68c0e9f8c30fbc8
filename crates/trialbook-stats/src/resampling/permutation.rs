//! Permutation tests of means: every arrangement where they are few, else some of them at random.
//!
//! Invariant: an arrangement whose sum equals the observed one, as printed decimals, counts as at least as extreme.

use super::Draws;
use super::decimals::Integers;
use crate::counting::binomial;
use crate::probability::{PValue, PValues};
use crate::random::SplitMix64;
use crate::streams::{below_each, one_below};
use crate::undefined::Undefined;

/// Most arrangements that are all tried.
const MOST_TRIED: u64 = 1 << 20;

/// How arrangements were chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrangements {
    /// All of them, this many.
    All(u64),
    /// This many at random.
    Drawn(u32),
}

/// A permutation test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Permutation {
    /// The difference of means, or the mean difference.
    pub statistic: f64,
    /// How many arrangements were compared with the observed one.
    pub arrangements: Arrangements,
    /// The shares of arrangements with a statistic at most, at least, and (two-sided) as far from 0 as the observed
    /// one.
    pub p: PValues,
    /// Twice the smaller of the one-sided p, at most 1.
    pub p_doubled: PValue,
}

impl Permutation {
    /// The standard error of the two-sided p from drawing arrangements; 0 where all were tried.
    pub fn monte_carlo_error(&self) -> f64 {
        match self.arrangements {
            Arrangements::All(_) => 0.0,
            Arrangements::Drawn(draws) => {
                (self.p.two_sided.p * (1.0 - self.p.two_sided.p) / f64::from(draws)).sqrt()
            }
        }
    }

    fn new(statistic: f64, arrangements: Arrangements, hits: Hits) -> Self {
        let share = |hits: u64| match arrangements {
            Arrangements::All(all) => hits as f64 / all as f64,
            Arrangements::Drawn(draws) => (hits + 1) as f64 / (f64::from(draws) + 1.0),
        };
        let (less, greater) = (share(hits.less), share(hits.greater));
        Self {
            statistic,
            arrangements,
            p: PValues {
                two_sided: PValue::of(share(hits.far)),
                less: PValue::of(less),
                greater: PValue::of(greater),
            },
            p_doubled: PValue::of(2.0 * less.min(greater)),
        }
    }
}

/// The p of a Monte Carlo test: (hits + 1) / (draws + 1), never 0 (Phipson & Smyth 2010).
///
/// # Errors
/// [`Undefined::DomainError`] for more hits than draws.
pub fn monte_carlo_p(hits: u64, draws: u64) -> Result<f64, Undefined> {
    if hits > draws {
        return Err(Undefined::DomainError);
    }
    Ok((hits as f64 + 1.0) / (draws as f64 + 1.0))
}

/// Whether two samples could have come in any arrangement: the difference of means, first minus second, against all
/// (up to 2²⁰) or random exchanges of values between the samples (Fisher 1935; Pitman 1937).
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::TooFewObservations`] where a sample is empty or one draw is to be
/// made of none, [`Undefined::ZeroVariance`] where all values are equal.
pub fn permute_difference(x: &[f64], y: &[f64], draws: Draws) -> Result<Permutation, Undefined> {
    let pooled = [x, y].concat();
    check(&pooled, draws)?;
    if x.is_empty() || y.is_empty() {
        return Err(Undefined::TooFewObservations);
    }
    if pooled.iter().all(|value| *value == pooled[0]) {
        return Err(Undefined::ZeroVariance);
    }
    // The smaller sample is chosen; which of the two decides the direction.
    let swapped = y.len() < x.len();
    let (few, many) = if swapped { (y, x) } else { (x, y) };
    let values = [few, many].concat();
    let choice = Choice {
        integers: Integers::of(&values),
        chosen: few.len(),
    };
    let arrangements = binomial(values.len(), few.len());
    let (arrangements, mut hits) = if arrangements <= MOST_TRIED as f64 {
        choice.all()
    } else {
        choice.drawn(draws)
    };
    if swapped {
        std::mem::swap(&mut hits.less, &mut hits.greater);
    }
    let statistic = difference_of_means(x, y);
    Ok(Permutation::new(statistic, arrangements, hits))
}

/// Whether paired differences could have had any signs: their mean against all (up to 20 values) or random signs
/// (Fisher 1935).
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::EmptyInput`], [`Undefined::TooFewObservations`] where no draw is to
/// be made, [`Undefined::ZeroVariance`] where every difference is 0.
pub fn permute_signs(differences: &[f64], draws: Draws) -> Result<Permutation, Undefined> {
    check(differences, draws)?;
    if differences.is_empty() {
        return Err(Undefined::EmptyInput);
    }
    if differences.iter().all(|&difference| difference == 0.0) {
        return Err(Undefined::ZeroVariance);
    }
    let signs = Signs(Integers::of(differences));
    let (arrangements, hits) = if differences.len() <= MOST_TRIED.ilog2() as usize {
        signs.all()
    } else {
        signs.drawn(draws)
    };
    let statistic = difference_of_means(differences, &[0.0]);
    Ok(Permutation::new(statistic, arrangements, hits))
}

fn check(values: &[f64], draws: Draws) -> Result<(), Undefined> {
    if values.iter().any(|value| !value.is_finite()) {
        return Err(Undefined::NonFiniteInput);
    }
    if u32::try_from(values.len()).is_err() {
        return Err(Undefined::DomainError);
    }
    if draws.replicates == 0 {
        return Err(Undefined::TooFewObservations);
    }
    Ok(())
}

/// As the decimals say where they can be added exactly.
fn difference_of_means(x: &[f64], y: &[f64]) -> f64 {
    let mean = |values: &[f64]| {
        let n = values.len() as f64;
        crate::exact::sum(values.iter().map(|value| value / n)).value()
    };
    mean(x) - mean(y)
}

/// How many arrangements were as extreme as the observed one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Hits {
    less: u64,
    greater: u64,
    far: u64,
}

impl Hits {
    fn plus(self, other: Self) -> Self {
        Self {
            less: self.less + other.less,
            greater: self.greater + other.greater,
            far: self.far + other.far,
        }
    }
}

/// What sums are compared with: the observed one, and the two from which on a sum is as far from the middle.
#[derive(Debug, Clone, Copy)]
struct Bounds<T> {
    observed: T,
    far_low: T,
    far_high: T,
}

impl Bounds<i128> {
    /// Of a sum of `chosen` of `n` values that sum to `total`: as far means |n · sum − chosen · total| at least as
    /// large.
    fn new(observed: i128, total: i128, chosen: usize, n: usize) -> Self {
        let (n, middle) = (n as i128, total * chosen as i128);
        let distance = (n * observed - middle).abs();
        Self {
            observed,
            far_low: (middle - distance).div_euclid(n),
            far_high: -(-(middle + distance)).div_euclid(n),
        }
    }

    /// Sums within the slack of a bound count as beyond it.
    fn hits(self, sum: i128, slack: i128) -> Hits {
        Hits {
            less: u64::from(sum <= self.observed + slack),
            greater: u64::from(sum >= self.observed - slack),
            far: u64::from(sum <= self.far_low + slack || sum >= self.far_high - slack),
        }
    }

    fn narrow(self) -> Bounds<i64> {
        let narrow = |bound: i128| bound.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        Bounds {
            observed: narrow(self.observed),
            far_low: narrow(self.far_low),
            far_high: narrow(self.far_high),
        }
    }
}

impl Bounds<i64> {
    fn hits(self, sum: i64) -> Hits {
        Hits {
            less: u64::from(sum <= self.observed),
            greater: u64::from(sum >= self.observed),
            far: u64::from(sum <= self.far_low || sum >= self.far_high),
        }
    }

    /// Whether a sum is so near a bound that its rounding could decide.
    fn doubtful(self, sum: i64, slack: i64) -> bool {
        let near = |bound: i64| sum.abs_diff(bound) <= slack as u64;
        slack > 0 && (near(self.observed) || near(self.far_low) || near(self.far_high))
    }
}

/// Values of which some are chosen; the observed choice are the first ones.
struct Choice {
    integers: Integers,
    chosen: usize,
}

impl Choice {
    /// The values in as many bits as they need, and the slack of their sums.
    fn wide(&self) -> (Vec<i128>, i128) {
        wide(&self.integers)
    }

    fn bounds(&self, values: &[i128]) -> Bounds<i128> {
        Bounds::new(
            values[..self.chosen].iter().sum(),
            values.iter().sum(),
            self.chosen,
            values.len(),
        )
    }

    fn all(&self) -> (Arrangements, Hits) {
        let (values, slack) = self.wide();
        let bounds = self.bounds(&values);
        let (mut tried, mut hits) = (0, Hits::default());
        each_sum(&values, self.chosen, 0, &mut |sum| {
            tried += 1;
            hits = hits.plus(bounds.hits(sum, slack));
        });
        (Arrangements::All(tried), hits)
    }

    fn drawn(&self, draws: Draws) -> (Arrangements, Hits) {
        let quick = &self.integers.quick;
        let widened: Vec<i128> = quick.iter().map(|&value| value.into()).collect();
        let bounds = self.bounds(&widened).narrow();
        let (exact, slack) = self.wide();
        let exactly = self.bounds(&exact);
        let hits = draws.collect(
            || quick.clone(),
            |pool, random| {
                pool.copy_from_slice(quick);
                let before = random.clone();
                let sum = chosen_sum(pool, self.chosen, random);
                if !bounds.doubtful(sum, self.integers.slack) {
                    return bounds.hits(sum);
                }
                // The same choice again, of the values that decide.
                let mut pool = exact.clone();
                let sum = chosen_sum(&mut pool, self.chosen, &mut before.clone());
                exactly.hits(sum, slack)
            },
        );
        let hits = hits.into_iter().fold(Hits::default(), Hits::plus);
        (Arrangements::Drawn(draws.replicates), hits)
    }
}

fn wide(integers: &Integers) -> (Vec<i128>, i128) {
    if let Some(exact) = &integers.exact {
        return (exact.clone(), 0);
    }
    let quick = integers.quick.iter().map(|&value| value.into());
    (quick.collect(), integers.slack.into())
}

/// Visits the sum of every choice of `chosen` of the values.
fn each_sum(values: &[i128], chosen: usize, sum: i128, visit: &mut impl FnMut(i128)) {
    if chosen == 0 {
        visit(sum);
        return;
    }
    for (at, value) in values[..=values.len() - chosen].iter().enumerate() {
        each_sum(&values[at + 1..], chosen - 1, sum + value, visit);
    }
}

/// The sum of `chosen` of the pool's values at random (Fisher & Yates, up to the last one that is needed).
fn chosen_sum<T: Copy + Default + std::ops::AddAssign>(
    pool: &mut [T],
    chosen: usize,
    random: &mut SplitMix64,
) -> T {
    /// Bounds whose eighth, fifth and third power are below 2⁶⁴.
    const EIGHT: usize = 255;
    const FIVE: usize = 7_131;
    const THREE: usize = 2_642_245;
    let mut sum = T::default();
    let mut done = 0;
    while done < chosen {
        let (left, wanted) = (pool.len() - done, chosen - done);
        if left <= EIGHT && wanted >= 8 {
            take::<T, 8>(pool, &mut done, &mut sum, random);
        } else if left <= FIVE && wanted >= 5 {
            take::<T, 5>(pool, &mut done, &mut sum, random);
        } else if left <= THREE && wanted >= 3 {
            take::<T, 3>(pool, &mut done, &mut sum, random);
        } else {
            take_at(pool, done, one_below(random, left as u32), &mut sum);
            done += 1;
        }
    }
    sum
}

/// Takes the next `N` values.
#[inline]
fn take<T: Copy + std::ops::AddAssign, const N: usize>(
    pool: &mut [T],
    done: &mut usize,
    sum: &mut T,
    random: &mut SplitMix64,
) {
    let left = (pool.len() - *done) as u64;
    for index in below_each::<N>(random, left) {
        take_at(pool, *done, index, sum);
        *done += 1;
    }
}

#[inline]
fn take_at<T: Copy + std::ops::AddAssign>(pool: &mut [T], done: usize, index: usize, sum: &mut T) {
    *sum += pool[done + index];
    pool[done + index] = pool[done];
}

/// Differences whose signs are flipped.
struct Signs(Integers);

impl Signs {
    fn bounds(values: &[i128]) -> Bounds<i128> {
        // The middle of a sum of signed values is 0.
        Bounds::new(values.iter().sum(), 0, 0, 1)
    }

    fn all(&self) -> (Arrangements, Hits) {
        let (values, slack) = wide(&self.0);
        let bounds = Self::bounds(&values);
        let all = 1_u64 << values.len();
        let mut sum: i128 = values.iter().sum();
        let mut hits = bounds.hits(sum, slack);
        // In Gray's order each arrangement flips one sign of the one before.
        for number in 1..all {
            let flipped = number.trailing_zeros() as usize;
            let gray = number ^ (number >> 1);
            let step = 2 * values[flipped];
            sum += if gray >> flipped & 1 == 1 {
                -step
            } else {
                step
            };
            hits = hits.plus(bounds.hits(sum, slack));
        }
        (Arrangements::All(all), hits)
    }

    fn drawn(&self, draws: Draws) -> (Arrangements, Hits) {
        let quick = &self.0.quick;
        let widened: Vec<i128> = quick.iter().map(|&value| value.into()).collect();
        let bounds = Self::bounds(&widened).narrow();
        let (exact, slack) = wide(&self.0);
        let exactly = Self::bounds(&exact);
        let hits = draws.collect(
            || (),
            |(), random| {
                let before = random.clone();
                let sum = signed_sum(quick, random);
                if bounds.doubtful(sum, self.0.slack) {
                    exactly.hits(signed_sum(&exact, &mut before.clone()), slack)
                } else {
                    bounds.hits(sum)
                }
            },
        );
        let hits = hits.into_iter().fold(Hits::default(), Hits::plus);
        (Arrangements::Drawn(draws.replicates), hits)
    }
}

/// The sum of values each of which keeps or changes its sign at random.
fn signed_sum<T>(values: &[T], random: &mut SplitMix64) -> T
where
    T: Copy + Default + std::ops::AddAssign + std::ops::SubAssign,
{
    let mut sum = T::default();
    for block in values.chunks(64) {
        let mut signs = random.word();
        for &value in block {
            if signs & 1 == 0 {
                sum += value;
            } else {
                sum -= value;
            }
            signs >>= 1;
        }
    }
    sum
}
