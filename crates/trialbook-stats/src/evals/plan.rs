//! How many items an evaluation needs.

use crate::special::{Tail, normal_quantile};
use crate::undefined::Undefined;

/// What is planned: a comparison of two over the same items.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EvalPlan {
    /// The variance between items of the difference of the two's expected scores.
    pub between: f64,
    /// The variances of one answer of the first and of the second to the same item.
    pub within: (f64, f64),
    /// How often the first and the second answer each item; at least once.
    pub repeats: (u32, u32),
    /// The level of the two-sided test.
    pub alpha: f64,
    /// The chance to find the difference.
    pub power: f64,
    /// The difference that is to be found.
    pub difference: f64,
}

/// How many items are needed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EvalSize {
    /// As the formula gives it.
    pub exact: f64,
    /// Whole items.
    pub items: u64,
    /// The difference that this many items find with the planned power.
    pub detectable: f64,
}

/// (z_{α/2} + z_β)² (ω² + σ_A² / K_A + σ_B² / K_B) / δ² items (Miller 2024).
///
/// # Errors
/// [`Undefined::NonFiniteInput`]; [`Undefined::DomainError`] where a variance is negative, a number of repeats is 0,
/// α or the power is not inside 0..1 or the power not above α/2, the difference is 0, or more items are needed than can be counted;
/// [`Undefined::ZeroVariance`] where every variance is 0.
pub fn eval_sample_size(plan: &EvalPlan) -> Result<EvalSize, Undefined> {
    /// Beyond this floats skip whole numbers.
    const MOST: f64 = 9e15;
    let &EvalPlan {
        between,
        within: (first, second),
        repeats: (of_first, of_second),
        alpha,
        power,
        difference,
    } = plan;
    let numbers = [between, first, second, alpha, power, difference];
    if numbers.iter().any(|number| !number.is_finite()) {
        return Err(Undefined::NonFiniteInput);
    }
    let inside = |share: f64| share > 0.0 && share < 1.0;
    if [between, first, second]
        .iter()
        .any(|&variance| variance < 0.0)
        || of_first == 0
        || of_second == 0
        || !inside(alpha)
        || !inside(power)
        || difference == 0.0
    {
        return Err(Undefined::DomainError);
    }
    let variance = between + first / f64::from(of_first) + second / f64::from(of_second);
    if variance == 0.0 {
        return Err(Undefined::ZeroVariance);
    }
    let z = normal_quantile(Tail::Upper(alpha / 2.0)) + normal_quantile(Tail::Lower(power));
    // A power of at most α/2 is had without any item.
    if z <= 0.0 {
        return Err(Undefined::DomainError);
    }
    let exact = z * z * variance / (difference * difference);
    if exact.is_nan() || exact > MOST {
        return Err(Undefined::DomainError);
    }
    let items = exact.ceil().max(1.0);
    Ok(EvalSize {
        exact,
        items: items as u64,
        detectable: z * (variance / items).sqrt(),
    })
}
