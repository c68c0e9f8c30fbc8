//! The regularised incomplete beta function and its inverse.
//!
//! Invariant: x and y = 1 − x are both handed over, so that nothing is lost where one of them is close to 1.

use super::loader::{deviance, ln_beta, ln_gamma_ratio, stirling_error};
use super::normal::normal_quantile;
use super::root::{Slope, newton};
use super::{Tail, Tails};

/// Below this argument the leading term of the series is the whole function.
const NEAR_ZERO: f64 = 1e-290;
/// Below this shape one tail is near 1 left of the mean.
const NEAR_CERTAIN: f64 = 0.1;
/// Below this shape the saddle-point form has no saddle.
const SMALL_SHAPE: f64 = 0.01;

/// Both tails of Beta(a, b) at `x`, where `y` is 1 − x.
pub(crate) fn tails(a: f64, b: f64, x: f64, y: f64) -> Tails {
    if x <= 0.0 {
        return Tails::below_all();
    }
    if y <= 0.0 {
        return Tails::below_all().swapped();
    }
    if x < NEAR_ZERO {
        return near_zero(a, b, libm::log(x));
    }
    if y < NEAR_ZERO {
        return near_zero(b, a, libm::log(y)).swapped();
    }
    let from_mean = if y < x {
        (a + b) * y - b
    } else {
        a - (a + b) * x
    };
    if from_mean >= 0.0 && a <= b && a < NEAR_CERTAIN {
        return near_certain(a, b, x);
    }
    if from_mean <= 0.0 && b <= a && b < NEAR_CERTAIN {
        return near_certain(b, a, y).swapped();
    }
    let ln_front = ln_front(a, b, x, y);
    if from_mean >= 0.0 {
        Tails::of_lower_product(ln_front, 1.0 / fraction(a, b, (x, y), from_mean))
    } else {
        Tails::of_lower_product(ln_front, 1.0 / fraction(b, a, (y, x), -from_mean)).swapped()
    }
}

/// Both tails for a small `a`, left of the mean: nearly all lies still further left, so that it is the upper tail
/// that would cancel. I = xᵃ Γ(a+b)/(Γ(a+1) Γ(b)) (1 + a Σ (1−b)ₙ xⁿ / (n! (a+n))), whose logarithm is small.
fn near_certain(a: f64, b: f64, x: f64) -> Tails {
    const MOST_TERMS: u32 = 1_000;
    let (mut sum, mut term) = (0.0, 1.0);
    for n in 1..=MOST_TERMS {
        let n = f64::from(n);
        term *= (n - b) / n * x;
        let next = sum + term / (a + n);
        if next == sum {
            break;
        }
        sum = next;
    }
    let ln_lower =
        a * libm::log(x) + ln_gamma_ratio(b, a) - libm::lgamma(a + 1.0) + libm::log1p(a * sum);
    let upper = -libm::expm1(ln_lower);
    Tails {
        lower: libm::exp(ln_lower),
        upper,
        ln_lower,
        ln_upper: libm::log(upper),
    }
}

/// Both tails where x is so near 0 that only its logarithm may be a float: I = xᵃ / (a B(a, b)).
pub(super) fn near_zero(a: f64, b: f64, ln_x: f64) -> Tails {
    let ln = a * ln_x - libm::log(a) - ln_beta(a, b);
    Tails::of_lower(ln, libm::exp(ln))
}

/// ln of xᵃ yᵇ / B(a, b), by Loader's saddle-point expansion.
pub(super) fn ln_front(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if a.min(b) < SMALL_SHAPE {
        return a * libm::log(x) + b * libm::log(y) - ln_beta(a, b);
    }
    let n = a + b;
    let d = if y < x { n * y - b } else { a - n * x };
    stirling_error(n)
        - stirling_error(a)
        - stirling_error(b)
        - deviance(a, n * x, d)
        - deviance(b, n * y, -d)
        + 0.5 * libm::log(a / n * b / std::f64::consts::TAU)
}

/// The continued fraction of Didonato & Morris 1992 (TOMS 708), equation 9: the front divided by I_x(a, b). `from_mean`
/// is a − (a + b) x and not negative.
///
/// Numerator and denominator follow Wallis' recurrence, so that a step divides once; the quotient is looked at after a
/// few steps only.
fn fraction(a: f64, b: f64, (x, y): (f64, f64), from_mean: f64) -> f64 {
    const MOST_STEPS: u32 = 100_000;
    /// Steps from one look to the next.
    const LOOK: u32 = 4;
    /// Beyond this all terms are scaled down together.
    const LARGE: f64 = 1e140;
    let (mut over, mut under) = (a / (a + 1.0) * (from_mean + 1.0), 1.0);
    let (mut over_before, mut under_before) = (1.0, 0.0);
    let mut quotient = over;
    // 1 / (a + 2n − 1) and 1 / (a + 2n + 1).
    let mut inverse = 1.0 / (a + 1.0);
    for step in 1..=MOST_STEPS {
        let n = f64::from(step);
        let next_inverse = 1.0 / (a + 2.0 * n + 1.0);
        let left = n * (b - n) * x;
        let alpha = ((a + n - 1.0) * inverse) * ((a + b + n - 1.0) * inverse) * left * x;
        let beta = n + left * inverse + (a + n) * next_inverse * (from_mean + 1.0 + n * (1.0 + y));
        inverse = next_inverse;
        let (over_next, under_next) = (
            beta * over + alpha * over_before,
            beta * under + alpha * under_before,
        );
        (over_before, under_before) = (over, under);
        (over, under) = (over_next, under_next);
        if step % LOOK != 0 {
            continue;
        }
        let found = over / under;
        if (found - quotient).abs() <= f64::EPSILON / 2.0 * found.abs() || !found.is_finite() {
            return found;
        }
        quotient = found;
        if over.abs() > LARGE || under.abs() > LARGE {
            let scale = 1.0 / over.abs().max(under.abs());
            over *= scale;
            under *= scale;
            over_before *= scale;
            under_before *= scale;
        }
    }
    quotient
}

/// The point of Beta(a, b) with this tail.
pub(crate) fn quantile(a: f64, b: f64, tail: Tail) -> f64 {
    let ln_odds = ln_odds(a, b, tail);
    if ln_odds < 0.0 {
        let odds = libm::exp(ln_odds);
        odds / (1.0 + odds)
    } else {
        1.0 / (1.0 + libm::exp(-ln_odds))
    }
}

/// ln(x/y) of the point with this tail: on this scale nothing under- or overflows.
pub(super) fn ln_odds(a: f64, b: f64, tail: Tail) -> f64 {
    match tail.smaller() {
        Tail::Lower(p) => lower_ln_odds(a, b, p),
        Tail::Upper(p) => -lower_ln_odds(b, a, p),
    }
}

/// ln(x/y) where I_x(a, b) = p ≤ ½, by Newton's method on ln I, which is concave in ln(x/y).
fn lower_ln_odds(a: f64, b: f64, p: f64) -> f64 {
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    let spread = (1.0 / a + 1.0 / b).sqrt();
    let guess = libm::log(a / b) + normal_quantile(Tail::Lower(p)) * spread;
    lower_ln_odds_near(a, b, (p, guess))
}

/// The same for 0 < p ≤ ½, from a guess.
pub(super) fn lower_ln_odds_near(a: f64, b: f64, (p, guess): (f64, f64)) -> f64 {
    let ln_p = libm::log(p);
    // The leading term exceeds I, so that its root lies left of the true one.
    let left = (ln_p + libm::log(a) + ln_beta(a, b)) / a;
    newton((left, f64::INFINITY), guess.max(left), |ln_odds| {
        let (lower, slope) = ln_lower_and_slope(a, b, ln_odds);
        Slope {
            value: lower - ln_p,
            slope,
        }
    })
}

/// ln I and its derivative in ln(x/y), which is the front divided by I.
fn ln_lower_and_slope(a: f64, b: f64, ln_odds: f64) -> (f64, f64) {
    /// Beyond this x or y is no normal float.
    const FAR: f64 = 660.0;
    if ln_odds < -FAR {
        return (near_zero(a, b, ln_odds).ln_lower, a);
    }
    if ln_odds > FAR {
        return (near_zero(b, a, -ln_odds).ln_upper, 0.0);
    }
    let odds = libm::exp(-ln_odds.abs());
    let (small, large) = (odds / (1.0 + odds), 1.0 / (1.0 + odds));
    let (x, y) = if ln_odds < 0.0 {
        (small, large)
    } else {
        (large, small)
    };
    let lower = tails(a, b, x, y).ln_lower;
    (lower, libm::exp(ln_front(a, b, x, y) - lower))
}
