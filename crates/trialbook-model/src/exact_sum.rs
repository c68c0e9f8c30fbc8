//! Exact sums of floating-point numbers: the same result whatever the order and the grouping.
//!
//! A sum is a whole multiple of 2⁻¹⁰⁷⁴, held in limbs of 32 bits over only the stretch of bits that the
//! values reach (most sums need two to four limbs). Shewchuk's expansions give the same rounded value,
//! but not the same state after another order, and they overflow between huge values; limbs do neither.
//!
//! Not here: counting values that are not finite; they are not numbers to be summed.
//! Invariant: the value read is the exact sum rounded once (to nearest, ties to even).
//! Invariant: sums of the same values are equal, and serialize to the same bytes, whatever the order of
//! [`ExactSum::add`] and [`ExactSum::merge`].

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const LIMB_BITS: u32 = 32;
const LIMB_BYTES: usize = 4;
/// Limbs for the greatest finite value times 2⁶⁴ additions.
const MOST_LIMBS: usize = 68;
/// So many additions of less than 2³² each fit in a limb of 63 bits beside its own.
const ADDITIONS_BEFORE_CARRY: u32 = 1 << 30;
/// Explicit bits of a 64-bit float.
const FRACTION_BITS: u32 = 52;

/// An exact sum of finite numbers.
#[derive(Clone, Default)]
pub struct ExactSum {
    /// Index of the first limb held.
    low: usize,
    /// The limbs, each worth 2^(32 (low + at) − 1074), not carried.
    limbs: Vec<i64>,
    /// Additions since the last carry.
    additions: u32,
}

/// A sum to be packed: its magnitude as bytes, those that are zero at either end left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SumParts {
    /// Whether it is below zero.
    pub negative: bool,
    /// Place of the lowest byte that is not zero, in bytes above 2⁻¹⁰⁷⁴.
    pub low: usize,
    /// The bytes from there to the highest that is not zero.
    pub bytes: Vec<u8>,
}

/// A sum in its one canonical form: sign and magnitude, no zero limb at either end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Canonical {
    negative: bool,
    low: u16,
    limbs: Vec<u32>,
}

impl ExactSum {
    /// The sum of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a number. NaN and the infinities are left out; whoever sums counts them.
    pub fn add(&mut self, value: f64) {
        if !value.is_finite() || value == 0.0 {
            return;
        }
        let bits = value.to_bits();
        let fraction = bits & ((1 << FRACTION_BITS) - 1);
        let exponent = (bits >> FRACTION_BITS) as u32 & 0x7ff;
        let (mantissa, offset) = if exponent == 0 {
            (fraction, 0)
        } else {
            (fraction | 1 << FRACTION_BITS, exponent - 1)
        };
        let at = (offset / LIMB_BITS) as usize;
        let wide = u128::from(mantissa) << (offset % LIMB_BITS);
        let pieces = [
            wide as u32,
            (wide >> LIMB_BITS) as u32,
            (wide >> (2 * LIMB_BITS)) as u32,
        ];
        self.add_limbs(at, &pieces, if value < 0.0 { -1 } else { 1 });
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: &Self) {
        let other = other.canonical();
        self.add_limbs(usize::from(other.low), &other.limbs, other.sign());
    }

    /// The sum rounded once; an infinity where it is beyond the greatest finite number.
    pub fn value(&self) -> f64 {
        self.canonical().rounded(0)
    }

    /// The sum over a count, finite wherever the quotient is; `None` for a count of zero.
    pub fn mean(&self, count: u64) -> Option<f64> {
        /// More than any count's bits, so that the scaled sum is finite.
        const SCALE: u32 = 128;
        if count == 0 {
            return None;
        }
        let canonical = self.canonical();
        let sum = canonical.rounded(0);
        if sum.is_finite() {
            return Some(sum / count as f64);
        }
        let scale = f64::from_bits(u64::from(1023 + SCALE) << FRACTION_BITS);
        Some(canonical.rounded(SCALE) / count as f64 * scale)
    }

    /// The sum in few bytes. Equal sums have equal parts.
    pub fn to_parts(&self) -> SumParts {
        let canonical = self.canonical();
        let mut bytes: Vec<u8> = canonical
            .limbs
            .iter()
            .flat_map(|limb| limb.to_le_bytes())
            .collect();
        let end = bytes.iter().rposition(|&byte| byte != 0);
        bytes.truncate(end.map_or(0, |at| at + 1));
        let start = bytes.iter().position(|&byte| byte != 0).unwrap_or(0);
        bytes.drain(..start);
        let low = usize::from(canonical.low) * LIMB_BYTES + start;
        SumParts {
            negative: canonical.negative,
            low,
            bytes,
        }
    }

    /// The sum of which [`ExactSum::to_parts`] gave the parts; `None` where they are of no sum.
    pub fn from_parts(parts: &SumParts) -> Option<Self> {
        let SumParts {
            negative,
            low,
            ref bytes,
        } = *parts;
        let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
            return (low == 0 && !negative).then(Self::new);
        };
        if *first == 0 || *last == 0 || low.checked_add(bytes.len())? > MOST_LIMBS * LIMB_BYTES {
            return None;
        }
        let mut padded = vec![0; low % LIMB_BYTES];
        padded.extend_from_slice(bytes);
        padded.resize(padded.len().next_multiple_of(LIMB_BYTES), 0);
        let limbs = padded
            .chunks_exact(LIMB_BYTES)
            .map(|limb| u32::from_le_bytes(limb.try_into().expect("chunks of four bytes")))
            .collect();
        Some(Self::from(Canonical {
            negative,
            low: (low / LIMB_BYTES) as u16,
            limbs,
        }))
    }

    fn add_limbs(&mut self, at: usize, pieces: &[u32], sign: i64) {
        if pieces.is_empty() {
            return;
        }
        if self.additions >= ADDITIONS_BEFORE_CARRY {
            *self = Self::from(self.canonical());
        }
        self.additions += 1;
        self.reach(at, at + pieces.len());
        let start = at - self.low;
        for (limb, &piece) in self.limbs[start..].iter_mut().zip(pieces) {
            *limb += sign * i64::from(piece);
        }
    }

    /// Widens the limbs held to cover `from..to`.
    fn reach(&mut self, from: usize, to: usize) {
        if self.limbs.is_empty() {
            self.low = from;
        }
        if from < self.low {
            let missing = self.low - from;
            self.limbs.splice(0..0, std::iter::repeat_n(0, missing));
            self.low = from;
        }
        if to > self.low + self.limbs.len() {
            self.limbs.resize(to - self.low, 0);
        }
    }

    fn canonical(&self) -> Canonical {
        let (mut limbs, mut carry) = carried(self.limbs.iter().copied());
        let negative = carry < 0;
        if negative {
            (limbs, carry) = carried(self.limbs.iter().map(|limb| -limb));
        }
        while carry > 0 {
            limbs.push(carry as u32);
            carry >>= LIMB_BITS;
        }
        let end = limbs
            .iter()
            .rposition(|&limb| limb != 0)
            .map_or(0, |at| at + 1);
        limbs.truncate(end);
        let start = limbs.iter().position(|&limb| limb != 0).unwrap_or(0);
        limbs.drain(..start);
        if limbs.is_empty() {
            return Canonical::default();
        }
        Canonical {
            negative,
            low: (self.low + start) as u16,
            limbs,
        }
    }
}

/// Limbs brought below 2³² each, and what is carried out of the last; negative for a negative sum.
fn carried(limbs: impl Iterator<Item = i64>) -> (Vec<u32>, i64) {
    let mut carry = 0_i64;
    let limbs = limbs
        .map(|limb| {
            let whole = limb + carry;
            carry = whole >> LIMB_BITS;
            whole as u32
        })
        .collect();
    (limbs, carry)
}

impl Canonical {
    fn sign(&self) -> i64 {
        if self.negative { -1 } else { 1 }
    }

    /// The value times 2^−`scale`, to nearest, ties to even. The scale may only be used where the
    /// result has its full 53 bits.
    fn rounded(&self, scale: u32) -> f64 {
        let Some(last) = self.limbs.last() else {
            return 0.0;
        };
        let limbs = u32::from(self.low) + self.limbs.len() as u32;
        let top = limbs * LIMB_BITS - 1 - last.leading_zeros();
        let magnitude = if top <= FRACTION_BITS {
            f64::from_bits(self.bits_from(0))
        } else {
            let lowest = top - FRACTION_BITS;
            let mantissa = self.bits_from(lowest);
            let half = self.bit(lowest - 1);
            let above_half = half && self.any_bit_below(lowest - 1);
            let up = above_half || half && mantissa & 1 == 1;
            let bits = (u64::from(lowest.saturating_sub(scale)) << FRACTION_BITS)
                + mantissa
                + u64::from(up);
            f64::from_bits(bits.min(f64::INFINITY.to_bits()))
        };
        if self.negative { -magnitude } else { magnitude }
    }

    fn limb(&self, at: u32) -> u32 {
        at.checked_sub(u32::from(self.low))
            .and_then(|at| self.limbs.get(at as usize))
            .copied()
            .unwrap_or(0)
    }

    /// 64 bits at most, from this bit upwards.
    fn bits_from(&self, lowest: u32) -> u64 {
        let at = lowest / LIMB_BITS;
        let wide = u128::from(self.limb(at))
            | u128::from(self.limb(at + 1)) << LIMB_BITS
            | u128::from(self.limb(at + 2)) << (2 * LIMB_BITS);
        (wide >> (lowest % LIMB_BITS)) as u64
    }

    fn bit(&self, at: u32) -> bool {
        self.limb(at / LIMB_BITS) >> (at % LIMB_BITS) & 1 == 1
    }

    fn any_bit_below(&self, at: u32) -> bool {
        let whole = at / LIMB_BITS;
        let in_part = self.limb(whole) & ((1 << (at % LIMB_BITS)) - 1) != 0;
        // The canonical form has no zero limb at its low end.
        in_part || whole > u32::from(self.low)
    }
}

impl From<Canonical> for ExactSum {
    fn from(canonical: Canonical) -> Self {
        let sign = canonical.sign();
        Self {
            low: usize::from(canonical.low),
            limbs: canonical
                .limbs
                .iter()
                .map(|&limb| sign * i64::from(limb))
                .collect(),
            additions: 1,
        }
    }
}

impl fmt::Debug for ExactSum {
    /// The canonical form, so that equal sums show equal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.canonical(), f)
    }
}

impl PartialEq for ExactSum {
    fn eq(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

impl Eq for ExactSum {}

impl Extend<f64> for ExactSum {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        for value in values {
            self.add(value);
        }
    }
}

impl FromIterator<f64> for ExactSum {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut sum = Self::new();
        sum.extend(values);
        sum
    }
}

impl Serialize for ExactSum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let canonical = self.canonical();
        (canonical.negative, canonical.low, canonical.limbs).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ExactSum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (negative, low, limbs) = <(bool, u16, Vec<u32>)>::deserialize(deserializer)?;
        if usize::from(low) + limbs.len() > MOST_LIMBS {
            return Err(serde::de::Error::custom(
                "an exact sum reaches beyond the numbers it can hold",
            ));
        }
        Ok(Self::from(Canonical {
            negative,
            low,
            limbs,
        }))
    }
}

#[cfg(test)]
mod tests;
