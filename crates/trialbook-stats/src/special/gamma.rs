//! The regularised incomplete gamma function and its inverse.

use super::loader::{deviance, ln_gamma_ratio, stirling_error};
use super::normal::normal_quantile;
use super::root::{Slope, newton};
use super::{Tail, Tails};

/// Both tails of the gamma distribution of shape `a` and scale 1 at `x`.
pub(super) fn tails(a: f64, x: f64) -> Tails {
    if x <= 0.0 {
        return Tails::below_all();
    }
    if x.is_infinite() {
        return Tails::below_all().swapped();
    }
    let ln_poisson = ln_poisson(a, x);
    if x < a + 1.0 {
        Tails::of_lower_product(ln_poisson, series(a, x))
    } else {
        Tails::of_lower_product(ln_poisson, a * fraction(a, x)).swapped()
    }
}

/// ln of xᵃ e⁻ˣ / Γ(a + 1).
pub(super) fn ln_poisson(a: f64, x: f64) -> f64 {
    -stirling_error(a) - deviance(a, x, a - x) - 0.5 * libm::log(std::f64::consts::TAU * a)
}

/// 1 + x/(a+1) + x²/((a+1)(a+2)) + …
fn series(a: f64, x: f64) -> f64 {
    let (mut sum, mut term, mut n) = (1.0, 1.0, a);
    while term > sum * (f64::EPSILON / 8.0) {
        n += 1.0;
        term *= x / n;
        sum += term;
    }
    sum
}

/// Legendre's continued fraction, by Lentz's modified method.
fn fraction(a: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    const MOST_STEPS: u32 = 100_000_000;
    let not_zero = |value: f64| if value == 0.0 { TINY } else { value };
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / not_zero(b);
    let mut value = d;
    for step in 1..=MOST_STEPS {
        let n = f64::from(step);
        let factor = -n * (n - a);
        b += 2.0;
        d = 1.0 / not_zero(factor * d + b);
        c = not_zero(b + factor / c);
        let change = c * d;
        value *= change;
        if (change - 1.0).abs() < f64::EPSILON / 2.0 || !change.is_finite() {
            break;
        }
    }
    value
}

/// The point with this tail: Newton's method on the logarithm of the smaller tail, in ln x.
pub(super) fn quantile(a: f64, tail: Tail) -> f64 {
    /// Below this the point is no normal float, and the leading term is exact.
    const FAR: f64 = -690.0;
    let tail = tail.smaller();
    let p = tail.probability();
    let ln_p = libm::log(p);
    match tail {
        Tail::Lower(_) if p <= 0.0 => 0.0,
        Tail::Upper(_) if p <= 0.0 => f64::INFINITY,
        Tail::Lower(_) => {
            // xᵃ/Γ(a+1) exceeds the tail, so that its root lies left of the true one.
            let left = (ln_p + ln_factorial(a)) / a;
            if left < FAR {
                return libm::exp(left);
            }
            let start = wilson_hilferty(a, tail).max(left);
            libm::exp(newton((left, f64::INFINITY), start, |ln_x| {
                let x = libm::exp(ln_x);
                let ln_tail = tails(a, x).ln_lower;
                Slope {
                    value: ln_tail - ln_p,
                    slope: a * libm::exp(ln_poisson(a, x) - ln_tail),
                }
            }))
        }
        Tail::Upper(_) => {
            // P(X > a + √(2 a t) + t) ≤ e⁻ᵗ: Laurent & Massart 2000.
            let right = libm::log(a + (-2.0 * a * ln_p).sqrt() - ln_p);
            let start = wilson_hilferty(a, tail).min(right);
            libm::exp(newton((f64::NEG_INFINITY, right), start, |ln_x| {
                let x = libm::exp(ln_x);
                let ln_tail = tails(a, x).ln_upper;
                Slope {
                    value: ln_p - ln_tail,
                    slope: a * libm::exp(ln_poisson(a, x) - ln_tail),
                }
            }))
        }
    }
}

/// ln Γ(a + 1).
fn ln_factorial(a: f64) -> f64 {
    libm::lgamma(a) + ln_gamma_ratio(a, 1.0)
}

/// The logarithm of the point by Wilson & Hilferty's approximation of 1931; far left where it has none.
fn wilson_hilferty(a: f64, tail: Tail) -> f64 {
    let part = 1.0 / (9.0 * a);
    let root = 1.0 - part + normal_quantile(tail) * part.sqrt();
    if root > 0.0 {
        libm::log(a) + 3.0 * libm::log(root)
    } else {
        f64::NEG_INFINITY
    }
}
