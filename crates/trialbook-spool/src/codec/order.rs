//! The order of values behind "the last value": by (step, time, value), NaN lowest (M-4).
//!
//! Not here: sorting. Invariant: equal ranks mean equal bits, so a maximum by rank does not depend on the
//! order in which values are met.

/// A number whose order is that of values as "last" compares them: every NaN below −∞, then the reals with
/// −0 below 0, then +∞.
pub fn last_rank(value: f64) -> u64 {
    const POSITIVE_NANS: u64 = (1 << 52) - 1;
    let bits = value.to_bits();
    let ordered = if bits >> 63 == 1 {
        !bits
    } else {
        bits | 1 << 63
    };
    // In the IEEE total order the positive NaNs are the topmost 2^52 − 1 numbers; the addition wraps
    // exactly these to the bottom.
    ordered.wrapping_add(POSITIVE_NANS)
}

/// What orders a point among those of its series.
pub fn order_of(step: i64, time: i64, value: f64) -> (i64, i64, u64) {
    (step, time, last_rank(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_nan_is_below_every_number() {
        let rising = [
            f64::NEG_INFINITY,
            -1.0,
            -f64::MIN_POSITIVE,
            -0.0,
            0.0,
            f64::MIN_POSITIVE,
            1.0,
            f64::INFINITY,
        ];
        for pair in rising.windows(2) {
            assert!(last_rank(pair[0]) < last_rank(pair[1]), "{pair:?}");
        }
        for bits in [
            0x7ff8_0000_0000_0000,
            0x7ff0_0000_0000_0001,
            0x7fff_ffff_ffff_ffff,
            0xfff8_0000_0000_0000,
            0xfff0_0000_0000_0001,
            0xffff_ffff_ffff_ffff_u64,
        ] {
            assert!(last_rank(f64::from_bits(bits)) < last_rank(f64::NEG_INFINITY));
        }
    }
}
