//! Order of samples: sorting, mid-ranks, sizes of ties.
//!
//! Invariant: `0.0` and `-0.0` are the same value; inputs are finite.

/// The number whose order among unsigned integers is the value's order among floats.
pub(crate) fn key_of(value: f64) -> u64 {
    /// The sign of a float.
    const SIGN: u64 = 1 << 63;
    // Adding zero turns −0 into 0.
    let bits = (value + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// The value of a key.
pub(crate) fn value_of(key: u64) -> f64 {
    const SIGN: u64 = 1 << 63;
    f64::from_bits(if key & SIGN == 0 { !key } else { key ^ SIGN })
}

/// The keys of a sample, sorted.
pub(crate) fn sorted_keys(values: &[f64]) -> Vec<u64> {
    let mut keys: Vec<u64> = values.iter().map(|&value| key_of(value)).collect();
    keys.sort_unstable();
    keys
}

/// The keys of a sample with their places, sorted; equal ones in any order.
///
/// They are spread over as many buckets as there are, by how far each value lies from the smallest to the greatest one;
/// then none has far to go. Values that crowd together are sorted as ever.
pub(crate) fn sorted_places(values: &[f64]) -> Vec<(u64, u32)> {
    /// Below this many the buckets do not pay, beyond they outgrow the near caches.
    const SOME: std::ops::Range<usize> = 1_000..32_768;
    /// A bucket of more than this many is sorted for itself.
    const CROWD: usize = 12;
    let mut places: Vec<(u64, u32)> = values.iter().map(|&value| key_of(value)).zip(0..).collect();
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for &value in values {
        low = low.min(value);
        high = high.max(value);
    }
    let buckets = values.len();
    let scale = buckets.saturating_sub(1) as f64 / (high - low);
    // A range that is no normal float has no buckets.
    if !SOME.contains(&buckets) || !scale.is_normal() {
        places.sort_unstable();
        return places;
    }
    let bucket = |value: f64| (((value - low) * scale) as usize).min(buckets - 1);
    let mut ends = vec![0_u32; buckets + 1];
    for &value in values {
        ends[bucket(value) + 1] += 1;
    }
    let mut sum = 0;
    for end in &mut ends {
        sum += *end;
        *end = sum;
    }
    let mut spread = places.clone();
    for (&value, &place) in values.iter().zip(&places) {
        let end = &mut ends[bucket(value)];
        spread[*end as usize] = place;
        *end += 1;
    }
    let mut first = 0;
    for &end in &ends[..buckets] {
        let end = end as usize;
        if end - first > CROWD {
            spread[first..end].sort_unstable();
        }
        first = end;
    }
    // Nothing has far to go any more.
    for at in 1..spread.len() {
        let item = spread[at];
        let mut place = at;
        while place > 0 && item.0 < spread[place - 1].0 {
            spread[place] = spread[place - 1];
            place -= 1;
        }
        spread[place] = item;
    }
    spread
}

/// A sample's order: which values are equal, and the rank of each.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ranking {
    /// Twice the mid-rank of each value, in the order of the sample; rank 1 is the smallest value's.
    pub(crate) doubled: Vec<u64>,
    /// How many values share each rank, in increasing order of the values.
    pub(crate) ties: Vec<u64>,
}

impl Ranking {
    /// Ranks a sample of fewer than 2³² values.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.into_iter().collect();
        let order = sorted_places(&values);
        let mut doubled = vec![0; order.len()];
        let mut ties = Vec::new();
        let mut first = 0_usize;
        for run in order.chunk_by(|(a, _), (b, _)| a == b) {
            // Ranks first + 1 … first + len, so twice their mean is:
            let rank = (2 * first + run.len() + 1) as u64;
            for &(_, at) in run {
                doubled[at as usize] = rank;
            }
            ties.push(run.len() as u64);
            first += run.len();
        }
        Self { doubled, ties }
    }

    /// Whether any two values are equal.
    pub(crate) fn has_ties(&self) -> bool {
        self.ties.iter().any(|&size| size > 1)
    }
}

/// Σ(t³ − t) of the sizes of ties: what ties take from the variance of rank sums.
pub(crate) fn tie_term(sizes: &[u64]) -> u128 {
    sizes
        .iter()
        .map(|&size| u128::from(size))
        .map(|size| size * size * size - size)
        .sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_are_ordered_as_the_values(a in any::<f64>(), b in any::<f64>()) {
            prop_assume!(!a.is_nan() && !b.is_nan());
            prop_assert_eq!(key_of(a).cmp(&key_of(b)), a.partial_cmp(&b).unwrap());
            prop_assert_eq!(value_of(key_of(a)), a);
        }

        #[test]
        fn buckets_sort_as_comparisons_do(
            seed in prop::collection::vec(any::<f64>().prop_filter("finite", |x| x.is_finite()), 1..30),
            kind in 0..4_usize,
        ) {
            // Spread evenly, in crowds, with ties, and over all magnitudes.
            let values: Vec<f64> = (0..1500_u32).map(|at| {
                let given = seed[at as usize % seed.len()];
                let turn = f64::from(at.wrapping_mul(2_654_435_761) >> 8) / 16_777_216.0;
                match kind {
                    0 => turn,
                    1 => if at % 7 == 0 { given } else { turn * 1e-9 },
                    2 => (turn * 5.0).floor() - 2.0,
                    _ => given * turn,
                }
            }).collect();
            let mut expected: Vec<u64> = values.iter().map(|&value| key_of(value)).collect();
            expected.sort_unstable();
            prop_assert_eq!(sorted_keys(&values), expected.clone());
            let places = sorted_places(&values);
            let keys: Vec<u64> = places.iter().map(|&(key, _)| key).collect();
            prop_assert_eq!(keys, expected);
            prop_assert!(places.iter().all(|&(key, at)| key == key_of(values[at as usize])));
        }

        #[test]
        fn doubled_ranks_count_smaller_and_equal(values in prop::collection::vec(-3_i8..3, 1..40)) {
            let ranking = Ranking::of(values.iter().map(|&value| f64::from(value)));
            for (&value, &doubled) in values.iter().zip(&ranking.doubled) {
                let smaller = values.iter().filter(|&&other| other < value).count();
                let equal = values.iter().filter(|&&other| other == value).count();
                prop_assert_eq!(doubled, (2 * smaller + equal + 1) as u64);
            }
            prop_assert_eq!(ranking.ties.iter().sum::<u64>(), values.len() as u64);
        }
    }

    #[test]
    fn zeros_of_both_signs_are_tied() {
        let ranking = Ranking::of([0.0, -0.0, 1.0]);
        assert_eq!((ranking.doubled, ranking.ties), (vec![3, 3, 6], vec![2, 1]));
    }
}
