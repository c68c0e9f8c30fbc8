//! pass@k and pass^k: at least one, or all, of k answers are right.

use crate::undefined::Undefined;

/// The chances of k answers drawn from n, of which c are right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PassRates {
    /// pass@k: at least one is right, 1 − C(n − c, k) / C(n, k).
    pub any: f64,
    /// pass^k: all are right, C(c, k) / C(n, k).
    pub all: f64,
}

/// The unbiased estimates of pass@k (Chen et al. 2021) and pass^k (Yao et al. 2024) from `right` of `answers`.
///
/// # Errors
/// [`Undefined::DomainError`] where more are right than there are, or `k` is 0 or greater than their number.
pub fn pass_rates(answers: u64, right: u64, k: u64) -> Result<PassRates, Undefined> {
    if right > answers || k > answers || k == 0 {
        return Err(Undefined::DomainError);
    }
    let (n, wrong) = (answers as f64, (answers - right) as f64);
    let any = if answers - right < k {
        1.0
    } else {
        // Π (1 − k / i) for i = n − c + 1 … n is the chance that none is right.
        let ln_none: f64 = (1..=right)
            .map(|at| libm::log1p(-(k as f64) / (wrong + at as f64)))
            .sum();
        -libm::expm1(ln_none)
    };
    let all = (0..k)
        .map(|at| (right.saturating_sub(at) as f64) / (n - at as f64))
        .product();
    Ok(PassRates { any, all })
}
