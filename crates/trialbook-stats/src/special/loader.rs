//! Gamma functions in a form that does not cancel: what Stirling's formula leaves, and the deviance.
//!
//! C. Loader 2000, "Fast and accurate computation of binomial probabilities". Invariant: no difference of two large
//! log-gammas is ever taken.

const LN_SQRT_2PI: f64 = 0.918_938_533_204_672_8;

/// ln Γ(n+1) − [(n + ½) ln n − n + ln √(2π)], for n > 0.
pub(crate) fn stirling_error(n: f64) -> f64 {
    /// From here on the series below has all digits.
    const SERIES: f64 = 15.0;
    const TERMS: [f64; 8] = [
        1.0 / 12.0,
        1.0 / 360.0,
        1.0 / 1260.0,
        1.0 / 1680.0,
        1.0 / 1188.0,
        691.0 / 360_360.0,
        1.0 / 156.0,
        3617.0 / 122_400.0,
    ];
    if n <= SERIES {
        return libm::lgamma(n + 1.0) - (n + 0.5) * libm::log(n) + n - LN_SQRT_2PI;
    }
    let square = n * n;
    let sum = TERMS
        .iter()
        .rev()
        .fold(0.0, |rest, term| term - rest / square);
    sum / n
}

/// x ln(x/m) − d, where d = x − m is given exactly; x and m are greater than 0.
pub(super) fn deviance(x: f64, m: f64, d: f64) -> f64 {
    /// Up to this |d|/(x + m) the logarithm cancels against `d`, and the series is better.
    const NEAR: f64 = 0.35;
    let ratio = d / (x + m);
    if ratio.abs() >= NEAR || ratio.is_nan() {
        return x * libm::log(x / m) - d;
    }
    let square = ratio * ratio;
    let (mut sum, mut power, mut odd) = (d * ratio, 2.0 * x * ratio, 1.0);
    loop {
        power *= square;
        odd += 2.0;
        let next = sum + power / odd;
        if next == sum {
            return sum;
        }
        sum = next;
    }
}

/// ln Γ(a + d) − ln Γ(a), for a > 0 and a + d > 0, without subtracting two log-gammas where they are large.
pub(crate) fn ln_gamma_ratio(a: f64, d: f64) -> f64 {
    if a < 1.0 {
        return libm::lgamma(a + d) - libm::lgamma(a);
    }
    let sum = a + d;
    (a - 0.5) * libm::log1p(d / a) + d * libm::log(sum) - d + stirling_error(sum)
        - stirling_error(a)
}

/// ln B(a, b).
pub(super) fn ln_beta(a: f64, b: f64) -> f64 {
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    libm::lgamma(small) - ln_gamma_ratio(large, small)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_branches_of_the_stirling_error_meet() {
        for n in [14.9_f64, 15.1, 30.0] {
            let direct = libm::lgamma(n + 1.0) - (n + 0.5) * libm::log(n) + n - LN_SQRT_2PI;
            assert!((stirling_error(n) - direct).abs() < 1e-14, "{n}");
        }
    }

    #[test]
    fn factorials_come_out() {
        assert!((ln_gamma_ratio(5.0, 1.0) - libm::log(5.0)).abs() < 1e-15);
        assert!((ln_gamma_ratio(1e6, 1.0) - libm::log(1e6)).abs() < 1e-14);
        // B(2, 3) = 1!·2!/4! = 1/12.
        assert!((ln_beta(2.0, 3.0) + libm::log(12.0)).abs() < 1e-15);
    }
}
