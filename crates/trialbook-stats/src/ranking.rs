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

/// The keys of a sample, sorted.
pub(crate) fn sorted_keys(values: &[f64]) -> Vec<u64> {
    /// Below this the standard sort is faster than counting digits.
    const FEW: usize = 2_000;
    let mut keys: Vec<u64> = values.iter().map(|&value| key_of(value)).collect();
    if keys.len() < FEW {
        keys.sort_unstable();
    } else {
        sort_by_digits(&mut keys);
    }
    keys
}

/// Sorts by digits of eleven bits, from the lowest to the highest; digits that all keys share are skipped.
fn sort_by_digits(keys: &mut Vec<u64>) {
    /// Bits of a digit.
    const BITS: usize = 11;
    /// Digits of a key.
    const DIGITS: usize = 6;
    let digit = |key: u64, at: usize| (key >> (at * BITS)) as usize & ((1 << BITS) - 1);
    let mut counts = vec![[0_usize; 1 << BITS]; DIGITS];
    for &key in keys.iter() {
        for (at, counts) in counts.iter_mut().enumerate() {
            counts[digit(key, at)] += 1;
        }
    }
    let mut moved = vec![0; keys.len()];
    for (at, counts) in counts.iter_mut().enumerate() {
        if counts.contains(&keys.len()) {
            continue;
        }
        let mut start = 0;
        for count in counts.iter_mut() {
            start += std::mem::replace(count, start);
        }
        for &key in keys.iter() {
            let place = &mut counts[digit(key, at)];
            moved[*place] = key;
            *place += 1;
        }
        std::mem::swap(keys, &mut moved);
    }
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
        let mut order: Vec<(u64, u32)> = values
            .into_iter()
            .zip(0..)
            .map(|(value, at)| (key_of(value), at))
            .collect();
        order.sort_unstable();
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
        }

        #[test]
        fn digits_sort_as_comparisons_do(mut keys in prop::collection::vec(any::<u64>(), 0..300)) {
            let mut expected = keys.clone();
            expected.sort_unstable();
            sort_by_digits(&mut keys);
            prop_assert_eq!(keys, expected);
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
