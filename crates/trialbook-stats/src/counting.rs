//! How many arrangements of ranks are as extreme as the observed one, counted exactly.
//!
//! Not here: which arrangements a test compares; floats, but for the quotients at the end.
//! Invariant: counts are integers; where they may exceed 128 bits they are kept in 320, which the callers' limits
//! of size never exceed.

/// The chances of a statistic at most and at least as large as the observed one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Extremes {
    /// P(statistic ≤ observed).
    pub(crate) at_most: f64,
    /// P(statistic ≥ observed).
    pub(crate) at_least: f64,
}

impl Extremes {
    /// With the two ends exchanged.
    pub(crate) const fn turned(self) -> Self {
        Self {
            at_most: self.at_least,
            at_least: self.at_most,
        }
    }
}

/// An integer that wraps around: differences of wrapped counts are right as long as the counts themselves fit.
trait Count: Copy {
    const ZERO: Self;
    const ONE: Self;
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn float(self) -> f64;
}

impl Count for u128 {
    const ZERO: Self = 0;
    const ONE: Self = 1;

    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }

    fn float(self) -> f64 {
        self as f64
    }
}

/// Words of a wide count.
const WORDS: usize = 5;

/// An integer of 320 bits, the lowest word first.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Wide([u64; WORDS]);

impl Count for Wide {
    const ZERO: Self = Self([0; WORDS]);
    const ONE: Self = Self([1, 0, 0, 0, 0]);

    fn plus(self, other: Self) -> Self {
        let mut carry = false;
        let mut words = self.0;
        for (word, other) in words.iter_mut().zip(other.0) {
            let (sum, first) = word.overflowing_add(other);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            (*word, carry) = (sum, first | second);
        }
        Self(words)
    }

    fn minus(self, other: Self) -> Self {
        let mut borrow = false;
        let mut words = self.0;
        for (word, other) in words.iter_mut().zip(other.0) {
            let (difference, first) = word.overflowing_sub(other);
            let (difference, second) = difference.overflowing_sub(u64::from(borrow));
            (*word, borrow) = (difference, first | second);
        }
        Self(words)
    }

    fn float(self) -> f64 {
        /// 2⁶⁴.
        const BASE: f64 = 18_446_744_073_709_551_616.0;
        self.0
            .iter()
            .rev()
            .fold(0.0, |number, &word| number * BASE + word as f64)
    }
}

/// Most pairs of two samples whose rank sums are counted.
pub(crate) const MOST_PAIRS: usize = 20_000;

/// Mann & Whitney's U of two samples without ties, `n1 · n2` at most [`MOST_PAIRS`]; Gaussian binomial coefficients
/// (Harding 1984).
pub(crate) fn mann_whitney(n1: usize, n2: usize, u: usize) -> Extremes {
    /// Below this every count of the arrangements fits into 128 bits.
    const FITS: f64 = 1e37;
    let pairs = n1 * n2;
    if u > pairs - u {
        return mann_whitney(n1, n2, pairs - u).turned();
    }
    let (few, many) = (n1.min(n2), n1.max(n2));
    let total = binomial(few + many, few);
    // Factor i of the product is (1 − q^(many+i)) / (1 − q^i).
    let factors = (1..=few).map(|i| (many + i, i));
    if total < FITS {
        tail(factors, u, u128::ONE, total)
    } else {
        tail(factors, u, Wide::ONE, total)
    }
}

/// Most values whose inversions are counted.
pub(crate) const MOST_INVERTED: usize = 40;

/// The number of inversions of a random order of `n` values, at most [`MOST_INVERTED`].
pub(crate) fn inversions(n: usize, inverted: usize) -> Extremes {
    let pairs = n * (n - 1) / 2;
    if inverted > pairs - inverted {
        return inversions(n, pairs - inverted).turned();
    }
    let total: f64 = (1..=n).map(|at| at as f64).product();
    tail((2..=n).map(|m| (m, 1)), inverted, Wide::ONE, total)
}

/// The tails at `u` of the polynomial Π (1 − q^a) / (1 − q^b), whose coefficients sum to `total`; `u` lies in the
/// lower half. Only the coefficients up to `u` are computed.
fn tail<C: Count>(
    factors: impl Iterator<Item = (usize, usize)>,
    u: usize,
    one: C,
    total: f64,
) -> Extremes {
    let counts = counted(factors, u, one);
    let below = counts[..u]
        .iter()
        .fold(C::ZERO, |sum, &count| sum.plus(count));
    Extremes {
        at_most: below.plus(counts[u]).float() / total,
        at_least: 1.0 - below.float() / total,
    }
}

/// The coefficients of the polynomial Π (1 − q^a) / (1 − q^b) up to `u`.
fn counted<C: Count>(factors: impl Iterator<Item = (usize, usize)>, u: usize, one: C) -> Vec<C> {
    let mut counts = vec![C::ZERO; u + 1];
    counts[0] = one;
    for (a, b) in factors {
        for at in (a..=u).rev() {
            counts[at] = counts[at].minus(counts[at - a]);
        }
        for at in b..=u {
            counts[at] = counts[at].plus(counts[at - b]);
        }
    }
    counts
}

/// The greatest number that U lies below with a chance of at most `p`, which is less than a half; 0 where even a U of 0
/// is likelier. Samples as in [`mann_whitney`].
pub(crate) fn mann_whitney_below(n1: usize, n2: usize, p: f64) -> usize {
    let (few, many) = (n1.min(n2), n1.max(n2));
    let total = binomial(few + many, few);
    let factors = (1..=few).map(|i| (many + i, i));
    let counts = counted(factors, n1 * n2 / 2, Wide::ONE);
    below(counts.into_iter(), total, p)
}

/// As [`mann_whitney_below`], of the sum of those of the ranks 1 … n, at most [`MOST_SCORED`], that a fair coin chooses.
pub(crate) fn signed_below(n: usize, p: f64) -> usize {
    let ranks: Vec<u64> = (1..=n as u64).collect();
    let total = 2.0_f64.powi(n as i32);
    below(signed_counts(&ranks).into_iter().map(u128::from), total, p)
}

fn below<C: Count>(counts: impl Iterator<Item = C>, total: f64, p: f64) -> usize {
    let mut at_most = C::ZERO;
    let mut number = 0;
    for count in counts {
        at_most = at_most.plus(count);
        if at_most.float() / total > p {
            break;
        }
        number += 1;
    }
    number
}

/// n over k.
pub(crate) fn binomial(n: usize, k: usize) -> f64 {
    (1..=k.min(n - k)).fold(1.0, |product, at| {
        product * (n - k.min(n - k) + at) as f64 / at as f64
    })
}

/// Most values whose selections or signs are counted one by one.
pub(crate) const MOST_SCORED: usize = 60;

/// The sum of `chosen` of the scores, at most [`MOST_SCORED`] of them, chosen at random (shift algorithm, Streitberg
/// & Röhmel 1986).
pub(crate) fn chosen_sum(scores: &[u64], chosen: usize, observed: u64) -> Extremes {
    let largest: u64 = scores.iter().sum();
    let width = largest as usize + 1;
    let mut counts = vec![0_u64; (chosen + 1) * width];
    counts[0] = 1;
    for &score in scores {
        let score = score as usize;
        for row in (1..=chosen).rev() {
            let (below, own) = counts.split_at_mut(row * width);
            let below = &below[(row - 1) * width..];
            for (own, &below) in own[score..width].iter_mut().zip(below) {
                *own += below;
            }
        }
    }
    extremes_of(&counts[chosen * width..], observed as usize)
}

/// The sum of those of the scores, at most [`MOST_SCORED`], that a fair coin chooses for each.
pub(crate) fn signed_sum(scores: &[u64], observed: u64) -> Extremes {
    extremes_of(&signed_counts(scores), observed as usize)
}

/// How many choices of scores have each sum.
fn signed_counts(scores: &[u64]) -> Vec<u64> {
    let largest: u64 = scores.iter().sum();
    let mut counts = vec![0_u64; largest as usize + 1];
    counts[0] = 1;
    let mut reached = 0;
    for &score in scores {
        let score = score as usize;
        for at in (0..=reached).rev() {
            counts[at + score] += counts[at];
        }
        reached += score;
    }
    counts
}

/// The extremes of a statistic whose values' counts, at most 2⁶⁰ altogether, are given.
fn extremes_of(counts: &[u64], observed: usize) -> Extremes {
    let below: u64 = counts[..observed].iter().sum();
    let total: u64 = counts.iter().sum();
    Extremes {
        at_most: (below + counts[observed]) as f64 / total as f64,
        at_least: (total - below) as f64 / total as f64,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ranking::Ranking;

    #[test]
    fn wide_counts_agree_with_narrow_ones() {
        for (n1, n2) in [(5, 7), (30, 31), (60, 60)] {
            for u in [0, 1, n1, n1 * n2 / 3, n1 * n2 / 2] {
                let factors = || (1..=n1).map(|i| (n2 + i, i));
                let total = binomial(n1 + n2, n1);
                let narrow = tail(factors(), u, u128::ONE, total);
                assert_eq!(narrow, tail(factors(), u, Wide::ONE, total));
            }
        }
    }

    #[test]
    fn the_largest_samples_are_counted() {
        // Near its mean U is nearly normal: P(U ≤ mean) is a half and half the chance of the mean itself.
        let extremes = mann_whitney(141, 141, 9940);
        assert!((extremes.at_most + extremes.at_least - 1.0).abs() < 1e-3);
        assert!((extremes.at_most - 0.5).abs() < 1e-3);
        let smallest = mann_whitney(141, 141, 0).at_most;
        assert!((smallest * binomial(282, 141) - 1.0).abs() < 1e-14);
    }

    proptest! {
        #[test]
        fn without_ties_a_selection_is_counted_as_u_is(n1 in 1_usize..8, n2 in 1_usize..8, part in 0.0..1.0_f64) {
            let u = (part * (n1 * n2) as f64).round() as usize;
            let scores: Vec<u64> = (1..=(n1 + n2) as u64).map(|rank| 2 * rank).collect();
            let sum = 2 * (u + n1 * (n1 + 1) / 2) as u64;
            let (by_u, by_sum) = (mann_whitney(n1, n2, u), chosen_sum(&scores, n1, sum));
            prop_assert!((by_u.at_most - by_sum.at_most).abs() < 1e-15);
            prop_assert!((by_u.at_least - by_sum.at_least).abs() < 1e-15);
        }

        #[test]
        fn signs_are_counted_as_by_enumeration(values in prop::collection::vec(1_u8..6, 1..9), signs in any::<u16>()) {
            let scores = Ranking::of(values.iter().map(|&value| f64::from(value))).doubled;
            let sum_of = |signs: u16| -> u64 {
                scores.iter().enumerate().filter(|(at, _)| signs & 1 << at != 0).map(|(_, score)| score).sum()
            };
            let all = 1_u16 << scores.len();
            let observed = sum_of(signs % all);
            let at_least = (0..all).filter(|&signs| sum_of(signs) >= observed).count();
            let found = signed_sum(&scores, observed);
            prop_assert_eq!(found.at_least, at_least as f64 / f64::from(all));
        }
    }

    #[test]
    fn inversions_of_four_values() {
        // 1, 3, 5, 6, 5, 3, 1 of the 24 orders have 0 … 6 inversions.
        let found = inversions(4, 4);
        assert_eq!((found.at_most, found.at_least), (20.0 / 24.0, 9.0 / 24.0));
    }
}
