//! Arrangements of a sample, all of them or some at random, and how extreme each one's sum is.
//!
//! Invariant: a sum that is within its rounding of a bound is added up again exactly before it is judged.

use super::Draws;
use super::decimals::Integers;
use super::permutation::Arrangements;
use crate::random::SplitMix64;
use crate::streams::{below_each, one_below};

/// Most arrangements that are all tried.
pub(super) const MOST_TRIED: u64 = 1 << 20;

/// How many arrangements were as extreme as the observed one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Hits {
    pub(super) less: u64,
    pub(super) greater: u64,
    pub(super) far: u64,
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
pub(super) struct Choice {
    pub(super) integers: Integers,
    pub(super) chosen: usize,
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

    pub(super) fn all(&self) -> (Arrangements, Hits) {
        let (values, slack) = self.wide();
        let bounds = self.bounds(&values);
        let (mut tried, mut hits) = (0, Hits::default());
        each_sum(&values, self.chosen, 0, &mut |sum| {
            tried += 1;
            hits = hits.plus(bounds.hits(sum, slack));
        });
        (Arrangements::All(tried), hits)
    }

    pub(super) fn drawn(&self, draws: Draws) -> (Arrangements, Hits) {
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
pub(super) struct Signs(pub(super) Integers);

impl Signs {
    fn bounds(values: &[i128]) -> Bounds<i128> {
        // The middle of a sum of signed values is 0.
        Bounds::new(values.iter().sum(), 0, 0, 1)
    }

    pub(super) fn all(&self) -> (Arrangements, Hits) {
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

    pub(super) fn drawn(&self, draws: Draws) -> (Arrangements, Hits) {
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
