//! Student's t, Fisher's F and χ², each a form of the incomplete beta or gamma function.

use super::normal::normal_quantile;
use super::{Tail, Tails, beta, gamma};

/// Beyond this ratio of squares only logarithms hold the tail.
const FAR: f64 = 1e290;

/// Both tails of Student's t.
pub(crate) fn student(t: f64, df: f64) -> Tails {
    let beyond = halved(two_sided(t.abs(), df));
    if t > 0.0 { beyond.swapped() } else { beyond }
}

/// P(|T| > t) as the lower tail, for t ≥ 0.
fn two_sided(t: f64, df: f64) -> Tails {
    if t.is_infinite() {
        return Tails::below_all();
    }
    let square = t * t;
    if square > FAR * df {
        return beta::near_zero(df / 2.0, 0.5, libm::log(df) - 2.0 * libm::log(t));
    }
    let sum = df + square;
    beta::tails(df / 2.0, 0.5, df / sum, square / sum)
}

/// One side of a symmetric distribution, from both sides together.
fn halved(both: Tails) -> Tails {
    /// Below this a half may lose a digit that the logarithm still has.
    const SMALL: f64 = 1e-290;
    let ln_lower = both.ln_lower - std::f64::consts::LN_2;
    if both.lower < SMALL {
        return Tails::of_lower(ln_lower, libm::exp(ln_lower));
    }
    Tails::of_lower(ln_lower, both.lower / 2.0)
}

/// ln and value of P(|T| > |t|).
pub(crate) fn student_two_sided(t: f64, df: f64) -> (f64, f64) {
    let both = two_sided(t.abs(), df);
    (both.lower, both.ln_lower)
}

/// The point of Student's t with this tail.
pub(super) fn student_quantile(tail: Tail, df: f64) -> f64 {
    let (p, sign) = match tail.smaller() {
        Tail::Lower(p) => (p, -1.0),
        Tail::Upper(p) => (p, 1.0),
    };
    sign * student_two_sided_quantile(2.0 * p, df)
}

/// The t with P(|T| > t) = p.
pub(crate) fn student_two_sided_quantile(p: f64, df: f64) -> f64 {
    let ln_odds = match normal_like(p, df) {
        Some(t) => beta::lower_ln_odds_near(df / 2.0, 0.5, (p, libm::log(df / t / t))),
        None => beta::ln_odds(df / 2.0, 0.5, Tail::Lower(p)),
    };
    df.sqrt() * libm::exp(-ln_odds / 2.0)
}

/// Student's quantile by the normal one (Abramowitz & Stegun 26.7.5), to begin from; `None` where they are too far
/// apart, or p is no small tail.
fn normal_like(p: f64, df: f64) -> Option<f64> {
    if !(p > 0.0 && p <= 0.5) {
        return None;
    }
    let z = normal_quantile(Tail::Upper(p / 2.0));
    let square = z * z;
    if square > df {
        return None;
    }
    let first = (square + 1.0) / 4.0;
    let second = ((5.0 * square + 16.0) * square + 3.0) / 96.0;
    let third = (((3.0 * square + 19.0) * square + 17.0) * square - 15.0) / 384.0;
    Some(z * (1.0 + (first + (second + third / df) / df) / df))
}

/// Both tails of Fisher's F.
pub(crate) fn fisher(f: f64, df1: f64, df2: f64) -> Tails {
    if f <= 0.0 {
        return Tails::below_all();
    }
    if f.is_infinite() {
        return Tails::below_all().swapped();
    }
    let (a, b) = (df1 / 2.0, df2 / 2.0);
    let ratio = df1 / df2 * f;
    if !(1.0 / FAR..=FAR).contains(&ratio) {
        let ln_ratio = libm::log(df1 / df2) + libm::log(f);
        return if ratio > 1.0 {
            beta::near_zero(b, a, -ln_ratio).swapped()
        } else {
            beta::near_zero(a, b, ln_ratio)
        };
    }
    // Of the two ways to write the shares, the one without a rounded quotient.
    let (above, below) = (df1 * f, df2);
    beta::tails(a, b, above / (above + below), below / (above + below))
}

/// The point of Fisher's F with this tail.
pub(super) fn fisher_quantile(tail: Tail, df1: f64, df2: f64) -> f64 {
    df2 / df1 * libm::exp(beta::ln_odds(df1 / 2.0, df2 / 2.0, tail))
}

/// The F with P(F > f) = p.
pub(crate) fn fisher_upper_quantile(p: f64, df1: f64, df2: f64) -> f64 {
    fisher_quantile(Tail::Upper(p), df1, df2)
}

/// Both tails of χ².
pub(crate) fn chi_squared(x: f64, df: f64) -> Tails {
    gamma::tails(df / 2.0, x / 2.0)
}

/// The point of χ² with this tail.
pub(crate) fn chi_squared_quantile(tail: Tail, df: f64) -> f64 {
    2.0 * gamma::quantile(df / 2.0, tail)
}
