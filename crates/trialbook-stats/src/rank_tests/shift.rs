//! How far one sample lies from another, in the middle of all pairs: the estimate that belongs to a test of ranks.
//!
//! No difference is kept: of sorted samples those at most as large as a bound are counted in one walk, and the bound is
//! halved down to the one that is asked for. Invariant: the interval holds what its test at that level does not reject,
//! ends included, so that ties only make it hold more often.

use crate::counting::{self, MOST_PAIRS, MOST_SCORED};
use crate::interval::Interval;
use crate::moments::{finite, within_floats};
use crate::probability::Level;
use crate::ranking::{key_of, value_of};
use crate::special::{Tail, normal_quantile};
use crate::undefined::Undefined;

/// The shift between two samples, or of differences from 0 (Hodges & Lehmann 1963).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// The median of the differences of all pairs; of paired differences the median of the means of any two.
    pub estimate: f64,
    /// The level of the interval.
    pub level: Level,
    /// The interval; `None` where so few values reach the level with no interval.
    pub interval: Option<Interval>,
    /// Whether the interval rests on all arrangements of the ranks, not on the normal distribution.
    pub exact: bool,
}

/// How far the first of two independent samples lies above the second. The interval inverts Mann & Whitney's test:
/// exactly up to 20,000 pairs, else by the normal distribution with continuity correction.
///
/// # Errors
/// [`Undefined::NonFiniteInput`]; [`Undefined::TooFewObservations`] where a sample is empty;
/// [`Undefined::DomainError`] where a sample has 2³² values or more, or a result leaves the floats.
pub fn shift(x: &[f64], y: &[f64], level: Level) -> Result<Shift, Undefined> {
    finite(&[x, y])?;
    if u32::try_from(x.len() + y.len()).is_err() {
        return Err(Undefined::DomainError);
    }
    if x.is_empty() || y.is_empty() {
        return Err(Undefined::TooFewObservations);
    }
    let (x, y) = (sorted(x), sorted(y));
    let pairs = x.len() as u64 * y.len() as u64;
    let exact = pairs <= MOST_PAIRS as u64;
    let outside = level.outside() / 2.0;
    let cut = if exact {
        counting::mann_whitney_below(x.len(), y.len(), outside) as u64
    } else {
        let all = (x.len() + y.len()) as f64;
        normal_cut(pairs as f64, pairs as f64 * (all + 1.0) / 12.0, outside)
    };
    let range = (x[0] - y[y.len() - 1], x[x.len() - 1] - y[0]);
    let at_most = |bound: f64| {
        let mut first = 0;
        let mut number = 0;
        for value in &x {
            while first < y.len() && value - y[first] > bound {
                first += 1;
            }
            number += (y.len() - first) as u64;
        }
        number
    };
    Pairs {
        number: pairs,
        range,
    }
    .shift(&at_most, (cut, exact), level)
}

/// How far paired differences lie above 0. The interval inverts Wilcoxon's test: exactly up to 60 differences, else by
/// the normal distribution with continuity correction.
///
/// # Errors
/// As [`shift`], of the differences.
pub fn paired_shift(differences: &[f64], level: Level) -> Result<Shift, Undefined> {
    finite(&[differences])?;
    if u32::try_from(differences.len()).is_err() {
        return Err(Undefined::DomainError);
    }
    if differences.is_empty() {
        return Err(Undefined::TooFewObservations);
    }
    let values = sorted(differences);
    let n = values.len();
    let pairs = n as u64 * (n as u64 + 1) / 2;
    let exact = n <= MOST_SCORED;
    let outside = level.outside() / 2.0;
    let cut = if exact {
        counting::signed_below(n, outside) as u64
    } else {
        let size = n as f64;
        let variance = size * (size + 1.0) * (2.0 * size + 1.0) / 24.0;
        normal_cut(pairs as f64, variance, outside)
    };
    let at_most = |bound: f64| {
        let mut end = n;
        let mut number = 0;
        for (at, value) in values.iter().enumerate() {
            while end > 0 && value.midpoint(values[end - 1]) > bound {
                end -= 1;
            }
            number += end.saturating_sub(at) as u64;
        }
        number
    };
    Pairs {
        number: pairs,
        range: (values[0], values[n - 1]),
    }
    .shift(&at_most, (cut, exact), level)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// How many pairs may be left out at each end, by a normal statistic around half of the pairs.
fn normal_cut(pairs: f64, variance: f64, outside: f64) -> u64 {
    let distance = normal_quantile(Tail::Upper(outside)) * variance.sqrt();
    (pairs / 2.0 + 0.5 - distance).max(0.0) as u64
}

/// What is known of all pairs: their number, the smallest and the greatest value.
struct Pairs {
    number: u64,
    range: (f64, f64),
}

impl Pairs {
    fn shift(
        &self,
        at_most: &dyn Fn(f64) -> u64,
        (cut, exact): (u64, bool),
        level: Level,
    ) -> Result<Shift, Undefined> {
        within_floats(&[self.range.0, self.range.1])?;
        let middle = self.number.div_ceil(2);
        let lower = self.place(at_most, middle);
        let upper = if self.number.is_multiple_of(2) {
            self.place(at_most, middle + 1)
        } else {
            lower
        };
        let interval = (cut > 0).then(|| {
            let low = self.place(at_most, cut);
            Interval::new(low, self.place(at_most, self.number + 1 - cut))
        });
        Ok(Shift {
            estimate: lower.midpoint(upper),
            level,
            interval,
            exact,
        })
    }

    /// The value at a place, from 1, in the order of all pairs' values.
    fn place(&self, at_most: &dyn Fn(f64) -> u64, place: u64) -> f64 {
        let (mut low, mut high) = (key_of(self.range.0), key_of(self.range.1));
        while low < high {
            let middle = low.midpoint(high);
            if at_most(value_of(middle)) >= place {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        value_of(low)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rank_tests::{mann_whitney, signed_rank};

    /// R 4: `wilcox.test(x, y, conf.int = TRUE)` of Hollander & Wolfe's permeability of the placenta gives the shift
    /// -0.305 and the interval (-0.76, 0.15); theirs of depression ratings gives the pseudomedian 0.46.
    #[test]
    fn published_shifts_are_found() {
        let x = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
        let y = [1.15, 0.88, 0.90, 0.74, 1.21];
        let found = shift(&x, &y, Level::NINETY_FIVE).unwrap();
        let interval = found.interval.unwrap();
        let near = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-9, "{value}");
        near(found.estimate, 0.305);
        near(interval.low, -0.15);
        near(interval.high, 0.76);
        let differences = [0.952, -0.147, 1.022, 0.43, 0.62, 0.59, 0.49, -0.08, 0.01];
        near(
            paired_shift(&differences, Level::NINETY_FIVE)
                .unwrap()
                .estimate,
            0.46,
        );
    }

    #[test]
    fn few_values_have_an_estimate_and_no_interval() {
        let found = shift(&[1.0, 2.0, 3.0], &[1.5, 0.5, 2.5], Level::NINETY_FIVE).unwrap();
        assert_eq!((found.estimate, found.interval), (0.5, None));
        assert_eq!(
            shift(&[], &[1.0], Level::NINETY_FIVE),
            Err(Undefined::TooFewObservations)
        );
        let five = paired_shift(&[1.0, 2.0, 3.0, 4.0, 5.0], Level::NINETY_FIVE).unwrap();
        assert_eq!((five.estimate, five.interval), (3.0, None));
        let huge = shift(&[f64::MAX], &[-f64::MAX], Level::NINETY_FIVE);
        assert_eq!(huge, Err(Undefined::DomainError));
    }

    fn samples() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
        let sample = || prop::collection::vec((-900_i32..900).prop_map(f64::from), 4..14);
        (sample(), sample())
    }

    proptest! {
        #[test]
        fn a_place_is_that_of_all_differences((x, y) in samples()) {
            let mut all: Vec<f64> = x.iter().flat_map(|x| y.iter().map(move |y| x - y)).collect();
            all.sort_unstable_by(f64::total_cmp);
            let n = all.len();
            let found = shift(&x, &y, Level::NINETY_FIVE).unwrap();
            prop_assert_eq!(found.estimate, all[(n - 1) / 2].midpoint(all[n / 2]));
            if let Some(interval) = found.interval {
                prop_assert!(all.contains(&interval.low) && all.contains(&interval.high));
                prop_assert!(interval.contains(found.estimate));
            }
        }

        /// What lies outside of the interval is rejected by the test at that level, what lies inside is not.
        #[test]
        fn the_interval_is_what_the_test_does_not_reject((x, y) in samples(), by in -1800_i32..1800) {
            // A quarter beside all differences: no ties with it.
            let by = f64::from(by) + 0.25;
            let moved: Vec<f64> = x.iter().zip(1..).map(|(x, at)| x - by + f64::from(at) * 1e-7).collect();
            let still: Vec<f64> = y.iter().zip(1..).map(|(y, at)| y + f64::from(at) * 1.7e-9).collect();
            let found = shift(&moved, &still, Level::NINETY_FIVE).unwrap();
            let p = mann_whitney(&moved, &still).unwrap().p.exact;
            if let (Some(interval), Some(p)) = (found.interval, p) {
                prop_assert_eq!(interval.contains(0.0), p.two_sided.p > 0.05, "{:?} {:?}", interval, p);
            }
            let differences: Vec<f64> = moved.iter().zip(&still).map(|(x, y)| x - y).collect();
            let found = paired_shift(&differences, Level::NINETY_FIVE).unwrap();
            let p = signed_rank(&differences).unwrap().dropped.p.exact;
            if let (Some(interval), Some(p)) = (found.interval, p) {
                prop_assert_eq!(interval.contains(0.0), p.two_sided.p > 0.05, "{:?} {:?}", interval, p);
            }
        }
    }

    /// Where the normal distribution takes over, the interval changes by little.
    #[test]
    fn many_values_are_cut_by_the_normal_distribution() {
        for n in [100_usize, 141] {
            let exact = counting::mann_whitney_below(n, n, 0.025) as f64;
            let size = n as f64;
            let normal = normal_cut(size * size, size * size * (2.0 * size + 1.0) / 12.0, 0.025);
            assert!(
                (exact - normal as f64).abs() <= 2.0,
                "{n}: {exact} {normal}"
            );
        }
        let exact = counting::signed_below(60, 0.025) as f64;
        let normal = normal_cut(1830.0, 60.0 * 61.0 * 121.0 / 24.0, 0.025) as f64;
        assert!((exact - normal).abs() <= 2.0, "{exact} {normal}");
    }
}
