//! Sets of places in a segment, a bit each.
//!
//! Not here: what the places mean. Invariant: bits beyond the length are never set.

/// A set of places below a length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    /// No place of so many.
    pub(super) fn none(len: usize) -> Self {
        Self {
            words: vec![0; len.div_ceil(64)],
            len,
        }
    }

    /// All of so many places.
    pub(super) fn all(len: usize) -> Self {
        let mut bits = Self {
            words: vec![u64::MAX; len.div_ceil(64)],
            len,
        };
        bits.cut();
        bits
    }

    /// The places whose value satisfies a test.
    #[inline]
    pub(super) fn of<T: Copy>(values: &[T], test: impl Fn(T) -> bool) -> Self {
        // Answers as bytes first: that loop becomes vector instructions, one that shifts bits does not.
        let words = values.chunks(64).map(|chunk| {
            let mut answers = [0_u8; 64];
            for (answer, value) in answers.iter_mut().zip(chunk) {
                *answer = u8::from(test(*value));
            }
            pack(&answers)
        });
        let words = words.collect();
        Self {
            words,
            len: values.len(),
        }
    }

    /// From little-endian words; bits beyond the length are dropped.
    pub(super) fn from_words(bytes: &[u8], len: usize) -> Self {
        let (chunks, _rest) = bytes.as_chunks::<8>();
        let mut bits = Self {
            words: chunks
                .iter()
                .map(|word| u64::from_le_bytes(*word))
                .collect(),
            len,
        };
        bits.words.resize(len.div_ceil(64), 0);
        bits.cut();
        bits
    }

    /// Its words.
    pub(super) fn words(&self) -> &[u64] {
        &self.words
    }

    fn cut(&mut self) {
        let used = self.len % 64;
        if used > 0
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << used) - 1;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn set(&mut self, at: usize) {
        self.words[at / 64] |= 1 << (at % 64);
    }

    pub(super) fn clear(&mut self, at: usize) {
        self.words[at / 64] &= !(1 << (at % 64));
    }

    #[cfg(test)]
    fn get(&self, at: usize) -> bool {
        at < self.len && self.words[at / 64] >> (at % 64) & 1 == 1
    }

    pub(super) fn and(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    pub(super) fn and_not(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    pub(super) fn or(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.words
            .iter()
            .map(|word| u64::from(word.count_ones()))
            .sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The places in it, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros() as usize;
                    rest &= rest - 1;
                    at * 64 + bit
                })
            })
        })
    }

    /// The places in it, descending.
    pub(super) fn iter_down(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().rev().flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = 63 - rest.leading_zeros() as usize;
                    rest &= !(1 << bit);
                    at * 64 + bit
                })
            })
        })
    }
}

/// A bit for each byte, which is 0 or 1.
#[inline]
fn pack(answers: &[u8; 64]) -> u64 {
    /// Bit 0 of byte `i` times this lands in bit `i` of the highest byte, and nothing else lands there.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let (eights, _) = answers.as_chunks::<8>();
    eights.iter().rev().fold(0, |word, eight| {
        word << 8 | u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_behave_like_sets_at_word_borders() {
        for len in [0, 1, 63, 64, 65, 130] {
            let odd = Bits::of(&(0..len).collect::<Vec<_>>(), |at| at % 2 == 1);
            let all = Bits::all(len);
            assert_eq!(all.count(), len as u64);
            assert_eq!(
                odd.iter().collect::<Vec<_>>(),
                (0..len).filter(|at| at % 2 == 1).collect::<Vec<_>>()
            );
            let mut down: Vec<_> = odd.iter_down().collect();
            down.reverse();
            assert_eq!(down, odd.iter().collect::<Vec<_>>());
            let mut even = all.clone();
            even.and_not(&odd);
            assert_eq!(even.count() + odd.count(), len as u64);
            even.or(&odd);
            assert_eq!(even, all);
            let bytes: Vec<u8> = odd
                .words()
                .iter()
                .flat_map(|word| word.to_le_bytes())
                .collect();
            assert_eq!(Bits::from_words(&bytes, len), odd);
            assert!(!all.get(len));
        }
    }
}
