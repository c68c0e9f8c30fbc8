//! Gauss-Legendre quadrature of a smooth function over an interval.

use std::sync::OnceLock;

/// Nodes of the rule: enough for a bell that is cut 46 nats below its top.
const NODES: usize = 160;

/// ∫ f over an interval.
pub(super) fn integral(low: f64, high: f64, function: impl Fn(f64) -> f64) -> f64 {
    let (middle, half) = (f64::midpoint(low, high), (high - low) / 2.0);
    let sum: f64 = rule()
        .iter()
        .map(|&(node, weight)| {
            let away = half * node;
            weight * (function(middle - away) + function(middle + away))
        })
        .sum();
    sum * half
}

/// The positive nodes and their weights.
fn rule() -> &'static [(f64, f64); NODES / 2] {
    static RULE: OnceLock<[(f64, f64); NODES / 2]> = OnceLock::new();
    RULE.get_or_init(|| std::array::from_fn(node))
}

/// A node and its weight: Newton's method on the Legendre polynomial, from Tricomi's approximation.
fn node(at: usize) -> (f64, f64) {
    const STEPS: usize = 10;
    let n = NODES as f64;
    let mut x = libm::cos(std::f64::consts::PI * (at as f64 + 0.75) / (n + 0.5));
    let mut slope = 1.0;
    for _ in 0..STEPS {
        let (value, derivative) = legendre(x);
        slope = derivative;
        x -= value / derivative;
    }
    (x, 2.0 / ((1.0 - x * x) * slope * slope))
}

/// The Legendre polynomial and its derivative, by Bonnet's recurrence.
fn legendre(x: f64) -> (f64, f64) {
    let (mut before, mut value) = (1.0, x);
    for degree in 2..=NODES {
        let k = degree as f64;
        (before, value) = (
            value,
            ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k,
        );
    }
    let n = NODES as f64;
    (value, n * (x * value - before) / (x * x - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_and_bells_are_exact() {
        assert!((integral(-1.0, 2.0, |x| x * x) - 3.0).abs() < 1e-13);
        let bell = integral(-9.0, 9.0, |x| libm::exp(-x * x / 2.0));
        assert!((bell / std::f64::consts::TAU.sqrt() - 1.0).abs() < 1e-14);
    }
}
