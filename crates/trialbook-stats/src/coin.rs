//! A fair coin: the exact tests of signs and of discordant pairs.
//!
//! Invariant: the two-sided p is twice the smaller tail, at most 1.

use std::f64::consts::LN_2;

use crate::probability::{PValue, PValues};
use crate::special::binomial;
use crate::undefined::Undefined;

/// P(X ≤ k), P(X ≥ k) and twice the smaller one, of the heads in `n` tosses.
pub(crate) fn heads(k: u64, n: u64) -> Result<PValues, Undefined> {
    let up_to = binomial(k, n, 0.5)?;
    let less = PValue::new(up_to.lower, up_to.ln_lower);
    let greater = match k.checked_sub(1) {
        None => PValue::new(1.0, 0.0),
        Some(below) => {
            let below = binomial(below, n, 0.5)?;
            PValue::new(below.upper, below.ln_upper)
        }
    };
    let smaller = if less.ln_p < greater.ln_p {
        less
    } else {
        greater
    };
    let two_sided = PValue::new((2.0 * smaller.p).min(1.0), (smaller.ln_p + LN_2).min(0.0));
    Ok(PValues {
        two_sided,
        less,
        greater,
    })
}
