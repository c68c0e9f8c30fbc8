//! Sums in twice the precision of a float, so that neither offsets nor mixed magnitudes cost digits.
//!
//! A number is the unevaluated sum of two floats (Dekker 1971, Numer. Math. 18; Knuth, TAOCP 2, 4.2.2).
//! Invariant: inputs are scaled so that no product overflows; no fused multiply-add is used.

/// `high + low`, where `low` is at most half a unit in the last place of `high`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Double {
    high: f64,
    low: f64,
}

impl From<f64> for Double {
    fn from(value: f64) -> Self {
        Self {
            high: value,
            low: 0.0,
        }
    }
}

impl Double {
    /// The nearest float.
    pub(crate) fn value(self) -> f64 {
        self.high + self.low
    }

    /// The sum.
    pub(crate) fn plus(self, other: Self) -> Self {
        let (high, error) = two_sum(self.high, other.high);
        let (low, rest) = two_sum(self.low, other.low);
        let (high, carried) = quick_two_sum(high, error + low);
        let (high, low) = quick_two_sum(high, carried + rest);
        Self { high, low }
    }

    /// The negated number.
    pub(crate) fn negated(self) -> Self {
        Self {
            high: -self.high,
            low: -self.low,
        }
    }

    /// The square.
    pub(crate) fn squared(self) -> Self {
        let (high, error) = two_product(self.high, self.high);
        let (high, low) = quick_two_sum(high, error + 2.0 * self.high * self.low);
        Self { high, low }
    }

    /// The product with a power of two.
    pub(crate) fn times_power(self, power: f64) -> Self {
        Self {
            high: self.high * power,
            low: self.low * power,
        }
    }

    /// The product with a float.
    pub(crate) fn times(self, factor: f64) -> Self {
        let (high, error) = two_product(self.high, factor);
        let (high, low) = quick_two_sum(high, error + self.low * factor);
        Self { high, low }
    }

    /// The product.
    pub(crate) fn by(self, other: Self) -> Self {
        let (high, error) = two_product(self.high, other.high);
        let (high, low) = quick_two_sum(
            high,
            error + (self.high * other.low + self.low * other.high),
        );
        Self { high, low }
    }

    /// The quotient by a float.
    pub(crate) fn over(self, divisor: f64) -> Self {
        let first = self.high / divisor;
        let (product, error) = two_product(first, divisor);
        let rest = self.plus(Self {
            high: -product,
            low: -error,
        });
        let (high, low) = quick_two_sum(first, rest.value() / divisor);
        Self { high, low }
    }
}

/// Sum of a column.
pub(crate) fn sum(values: impl Iterator<Item = f64>) -> Double {
    values.fold(Double::default(), |sum, value| sum.plus(value.into()))
}

fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let of_b = sum - a;
    (sum, (a - (sum - of_b)) + (b - of_b))
}

fn quick_two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// The product, and what its rounding lost.
pub(crate) fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    let (a_high, a_low) = split(a);
    let (b_high, b_low) = split(b);
    let error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
    (product, error)
}

/// Two halves of 26 bits each.
fn split(value: f64) -> (f64, f64) {
    const FACTOR: f64 = 134_217_729.0;
    let wide = FACTOR * value;
    let high = wide - (wide - value);
    (high, value - high)
}

/// A power of two that brings the largest magnitude near 1, exactly invertible; 1 for zeros.
pub(crate) fn scale_of(largest: f64) -> f64 {
    /// Beyond this a power of two or its inverse would leave the normal numbers.
    const LARGEST_EXPONENT: i32 = 1000;
    if largest == 0.0 {
        return 1.0;
    }
    let exponent = largest.log2().floor() as i32;
    2.0_f64.powi(exponent.clamp(-LARGEST_EXPONENT, LARGEST_EXPONENT))
}
