//! Streams of random numbers: one for each replicate, and unbiased indices drawn from it.
//!
//! Not here: the generator itself (`random`).
//! Invariant: replicate `r` of seed `s` draws the same indices whichever thread draws them, on every platform; a
//! change of any of it is a new name of the engine.

use crate::random::{SplitMix64, mix};

/// The name of the generator and of the way indices are drawn from it, to be kept beside a seed.
pub const ENGINE: &str = "splitmix64/1";

/// The odd distance of two streams: the golden ratio's fraction of 2⁶⁴.
const DISTANCE: u64 = 0x9E37_79B9_7F4A_7C15;

/// The stream of one replicate: it starts at mix(mix(seed) + replicate · distance).
///
/// Two of B streams of n numbers each overlap with a chance below B² n / 2⁶⁴.
pub(crate) const fn stream(seed: u64, replicate: u64) -> SplitMix64 {
    SplitMix64::new(mix(mix(seed).wrapping_add(replicate.wrapping_mul(DISTANCE))))
}

/// Two indices below `bound` (at least 1), from the halves of one number, each without bias (Lemire 2019).
#[inline]
pub(crate) fn two_below(random: &mut SplitMix64, bound: u32) -> (usize, usize) {
    let word = random.word();
    let low = scaled(word as u32, bound).unwrap_or_else(|| one_below(random, bound));
    let high = scaled((word >> 32) as u32, bound).unwrap_or_else(|| one_below(random, bound));
    (low, high)
}

/// One index below `bound` (at least 1), from the low half of a number; its high half is thrown away.
#[inline]
pub(crate) fn one_below(random: &mut SplitMix64, bound: u32) -> usize {
    loop {
        if let Some(index) = scaled(random.word() as u32, bound) {
            return index;
        }
    }
}

/// An index below `bound` out of 32 bits; `None` where taking it would favour some indices.
#[inline]
const fn scaled(bits: u32, bound: u32) -> Option<usize> {
    let wide = bits as u64 * bound as u64;
    let rest = wide as u32;
    if rest < bound && rest < bound.wrapping_neg() % bound {
        return None;
    }
    Some((wide >> 32) as usize)
}

/// Independent indices below `largest`, `largest − 1`, … out of one number (Brackett-Rozinsky & Lemire 2024).
///
/// `largest` is at least `N`, and its `N`-th power is below 2⁶⁴.
#[inline]
pub(crate) fn below_each<const N: usize>(random: &mut SplitMix64, largest: u64) -> [usize; N] {
    let mut indices = [0; N];
    loop {
        let mut rest = random.word();
        for (index, less) in indices.iter_mut().zip(0_u64..) {
            let wide = u128::from(rest) * u128::from(largest - less);
            *index = (wide >> 64) as usize;
            rest = wide as u64;
        }
        // The product is below this power, so it is only needed where the rest is.
        if rest >= largest.pow(N as u32) || rest >= favoured(largest, N as u64) {
            return indices;
        }
    }
}

/// How many of the 2⁶⁴ numbers are too many to be shared evenly among all outcomes.
#[cold]
fn favoured(largest: u64, n: u64) -> u64 {
    let product: u64 = (largest + 1 - n..=largest).product();
    product.wrapping_neg() % product
}

#[cfg(test)]
mod tests {
    use super::*;

    /// χ² of counts against equal chances, in units of its standard deviation.
    fn excess(counts: &[u64]) -> f64 {
        let draws: u64 = counts.iter().sum();
        let expected = draws as f64 / counts.len() as f64;
        let chi2: f64 = counts
            .iter()
            .map(|&count| (count as f64 - expected).powi(2) / expected)
            .sum();
        let df = (counts.len() - 1) as f64;
        (chi2 - df) / (2.0 * df).sqrt()
    }

    #[test]
    fn indices_are_uniform() {
        for bound in [1, 2, 3, 7, 100] {
            let mut counts = vec![0; bound as usize];
            let mut random = stream(1, 2);
            for _ in 0..20_000 {
                let (low, high) = two_below(&mut random, bound);
                counts[low] += 1;
                counts[high] += 1;
            }
            assert!(bound == 1 || excess(&counts).abs() < 5.0, "{counts:?}");
        }
    }

    #[test]
    fn a_large_bound_rejects_what_would_favour_small_indices() {
        // Three quarters of 2³²: without rejection every third index were twice as likely.
        let bound = 3 << 30;
        let mut thirds = [0_u64; 3];
        let mut random = stream(3, 0);
        for _ in 0..20_000 {
            let (low, high) = two_below(&mut random, bound);
            thirds[low % 3] += 1;
            thirds[high % 3] += 1;
        }
        assert!(excess(&thirds).abs() < 5.0, "{thirds:?}");
    }

    #[test]
    fn indices_out_of_one_number_are_independent() {
        let mut cells = vec![0; 5 * 4 * 3];
        let mut random = stream(9, 1);
        for _ in 0..60_000 {
            let [a, b, c] = below_each::<3>(&mut random, 5);
            cells[(a * 4 + b) * 3 + c] += 1;
        }
        assert!(excess(&cells).abs() < 5.0, "{cells:?}");
    }

    #[test]
    fn streams_differ() {
        let first: Vec<_> = (0..1000).map(|at| stream(1, at).word()).collect();
        let mut distinct = first.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), first.len());
        assert_ne!(stream(1, 0), stream(2, 0));
    }
}
