//! The sign test of paired differences.

use crate::coin::heads;
use crate::probability::PValues;
use crate::undefined::Undefined;

/// The sign test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignTest {
    /// Positive differences.
    pub positive: usize,
    /// Negative differences.
    pub negative: usize,
    /// Differences of 0, which say nothing.
    pub zeros: usize,
    /// Exact: `greater` is small where differences tend to be positive.
    pub p: PValues,
}

/// Whether positive differences are more or less frequent than negative ones (Arbuthnott 1710): exact binomial.
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::TooFewObservations`] for no difference, [`Undefined::AllTies`] where
/// every difference is 0.
pub fn sign_test(differences: &[f64]) -> Result<SignTest, Undefined> {
    if differences.iter().any(|value| !value.is_finite()) {
        return Err(Undefined::NonFiniteInput);
    }
    if differences.is_empty() {
        return Err(Undefined::TooFewObservations);
    }
    let positive = differences.iter().filter(|&&value| value > 0.0).count();
    let negative = differences.iter().filter(|&&value| value < 0.0).count();
    if positive + negative == 0 {
        return Err(Undefined::AllTies);
    }
    Ok(SignTest {
        positive,
        negative,
        zeros: differences.len() - positive - negative,
        p: heads(positive as u64, (positive + negative) as u64)?,
    })
}
