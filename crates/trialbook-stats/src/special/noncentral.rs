//! Noncentral t, F and χ²: what the power of a test is computed from.
//!
//! Invariant: each tail is a sum or an integral of positive terms; no series that cancels.

use super::loader::{deviance, stirling_error};
use super::normal::{ln_density, normal};
use super::{Tails, fisher, gamma, legendre, positive};
use crate::undefined::Undefined;

/// Both tails of the noncentral t distribution: (Z + shift) / √(χ²/df).
///
/// # Errors
/// [`Undefined::NonFiniteInput`]; [`Undefined::DomainError`] where `df` is less than 1.
pub fn noncentral_t(x: f64, df: f64, shift: f64) -> Result<Tails, Undefined> {
    positive(&[df])?;
    if !x.is_finite() || !shift.is_finite() {
        return Err(Undefined::NonFiniteInput);
    }
    if df < 1.0 {
        return Err(Undefined::DomainError);
    }
    Ok(Tails::of_both(
        noncentral_student_upper(-x, df, -shift),
        noncentral_student_upper(x, df, shift),
    ))
}

/// Both tails of the noncentral F distribution.
///
/// # Errors
/// [`Undefined::NonFiniteInput`]; [`Undefined::DomainError`] where a df is not greater than 0 or `shift` is negative.
pub fn noncentral_f(x: f64, (df1, df2): (f64, f64), shift: f64) -> Result<Tails, Undefined> {
    check_mixture(x, &[df1, df2], shift)?;
    let lower = mixture(shift, |j| {
        let scale = df1 / (df1 + 2.0 * j);
        fisher(x * scale, df1 + 2.0 * j, df2).lower
    });
    Ok(Tails::of_both(
        lower,
        noncentral_fisher_upper(x, (df1, df2), shift),
    ))
}

/// Both tails of the noncentral χ² distribution.
///
/// # Errors
/// As [`noncentral_f`].
pub fn noncentral_chi_squared(x: f64, df: f64, shift: f64) -> Result<Tails, Undefined> {
    check_mixture(x, &[df], shift)?;
    let lower = mixture(shift, |j| gamma::tails(df / 2.0 + j, x / 2.0).lower);
    Ok(Tails::of_both(
        lower,
        noncentral_chi_squared_upper(x, df, shift),
    ))
}

fn check_mixture(x: f64, parameters: &[f64], shift: f64) -> Result<(), Undefined> {
    /// The sum has about as many terms as the square root of the shift.
    const LARGEST_SHIFT: f64 = 1e9;
    positive(parameters)?;
    if x.is_nan() || !shift.is_finite() {
        Err(Undefined::NonFiniteInput)
    } else if (0.0..=LARGEST_SHIFT).contains(&shift) {
        Ok(())
    } else {
        Err(Undefined::DomainError)
    }
}

/// P(T > t) of the noncentral t, for df ≥ 1.
pub(crate) fn noncentral_student_upper(t: f64, df: f64, shift: f64) -> f64 {
    if shift == 0.0 {
        return super::student(t, df).upper;
    }
    let integrand = Integrand::new(t, df, shift);
    let (low, high) = integrand.range();
    // With s = u⁴ the density has no kink at 0 that the rule would feel, whatever the degrees of freedom.
    let root = |s: f64| s.sqrt().sqrt();
    legendre::integral(root(low), root(high), |u| {
        4.0 * u * u * u * integrand.value(u * u * u * u)
    })
    .clamp(0.0, 1.0)
}

/// The density of s = √(χ²/df) times Φ(shift − t s): log-concave in s for df ≥ 1.
struct Integrand {
    t: f64,
    df: f64,
    shift: f64,
    /// The logarithm of the density's constant.
    ln_constant: f64,
}

impl Integrand {
    fn new(t: f64, df: f64, shift: f64) -> Self {
        const LN_SQRT_2PI: f64 = 0.918_938_533_204_672_8;
        let half = df / 2.0;
        Self {
            t,
            df,
            shift,
            ln_constant: std::f64::consts::LN_2 + 0.5 * libm::log(half)
                - LN_SQRT_2PI
                - stirling_error(half),
        }
    }

    /// ln of the density, less that of 1/s: Loader's saddle-point form of χ²_df/df at s², times 2 s.
    fn ln_bell(&self, s: f64) -> f64 {
        /// Up to here the plain form loses less than 1e-13.
        const PLAIN: f64 = 1000.0;
        let above = (1.0 - s) * (1.0 + s);
        let deviance = if self.df < PLAIN {
            -2.0 * libm::log(s) - above
        } else {
            deviance(1.0, s * s, above)
        };
        self.ln_constant - self.df / 2.0 * deviance
    }

    fn value(&self, s: f64) -> f64 {
        let z = self.shift - self.t * s;
        let below = libm::erfc(z * -std::f64::consts::FRAC_1_SQRT_2) / 2.0;
        libm::exp(self.ln_bell(s)) / s * below
    }

    fn ln(&self, s: f64) -> f64 {
        self.ln_bell(s) - libm::log(s) + normal(self.shift - self.t * s).ln_lower
    }

    /// The derivative of the logarithm.
    fn slope(&self, s: f64) -> f64 {
        let z = self.shift - self.t * s;
        let mills = libm::exp(ln_density(z) - normal(z).ln_lower);
        (self.df - 1.0) / s - self.df * s - self.t * mills
    }

    /// Where the integrand is not negligible.
    fn range(&self) -> (f64, f64) {
        /// So many nats below the top nothing is left.
        const DEPTH: f64 = 42.0;
        let mut high = 1.0;
        while self.slope(high) > 0.0 {
            high *= 2.0;
        }
        let mode = bisected(0.0, high, |s| self.slope(s) > 0.0);
        let floor = self.ln(mode.max(f64::MIN_POSITIVE.sqrt())) - DEPTH;
        let low = bisected(0.0, mode, |s| self.ln(s) < floor);
        while self.ln(high) > floor {
            high *= 2.0;
        }
        let high = bisected(mode, high, |s| self.ln(s) > floor);
        (low, high)
    }
}

/// The border within an interval up to which a predicate holds, roughly.
fn bisected(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    const STEPS: usize = 40;
    for _ in 0..STEPS {
        let middle = f64::midpoint(low, high);
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
        if high - low < 2e-3 * high {
            break;
        }
    }
    f64::midpoint(low, high)
}

/// P(F > f) of the noncentral F.
pub(crate) fn noncentral_fisher_upper(f: f64, (df1, df2): (f64, f64), shift: f64) -> f64 {
    mixture(shift, |j| {
        let scale = df1 / (df1 + 2.0 * j);
        fisher(f * scale, df1 + 2.0 * j, df2).upper
    })
}

/// P(X > x) of the noncentral χ².
pub(crate) fn noncentral_chi_squared_upper(x: f64, df: f64, shift: f64) -> f64 {
    mixture(shift, |j| gamma::tails(df / 2.0 + j, x / 2.0).upper)
}

/// Σ Poisson(j; shift/2) · tail(j), from the Poisson mode outwards.
fn mixture(shift: f64, tail: impl Fn(f64) -> f64) -> f64 {
    /// A term smaller than this part of the sum ends its direction, once the terms fall.
    const NEGLIGIBLE: f64 = 1e-18;
    let rate = shift / 2.0;
    if rate == 0.0 {
        return tail(0.0);
    }
    let mode = rate.floor();
    let top = if mode == 0.0 {
        libm::exp(-rate)
    } else {
        libm::exp(gamma::ln_poisson(mode, rate))
    };
    let mut sum = 0.0;
    let (mut j, mut weight, mut last) = (mode, top, 0.0);
    loop {
        let term = weight * tail(j);
        sum += term;
        if (term <= last && term <= NEGLIGIBLE * sum) || weight == 0.0 {
            break;
        }
        last = term;
        j += 1.0;
        weight *= rate / j;
    }
    (j, weight, last) = (mode, top, 0.0);
    while j > 0.0 {
        weight *= j / rate;
        j -= 1.0;
        let term = weight * tail(j);
        sum += term;
        if (term <= last && term <= NEGLIGIBLE * sum) || weight == 0.0 {
            break;
        }
        last = term;
    }
    sum.clamp(0.0, 1.0)
}
