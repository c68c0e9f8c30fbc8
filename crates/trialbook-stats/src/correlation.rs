//! Correlations: of values, of ranks, of the order of pairs.
//!
//! Not here: which of many parameters matters (the caller corrects for how many it asks about). Invariant: what is
//! left unexplained is computed itself, never as 1 − r².

mod kendall;
mod pearson;
mod spearman;
#[cfg(test)]
mod tests;

pub use kendall::{Kendall, kendall};
pub use pearson::{Pearson, StudentForm, pearson};
pub use spearman::{Spearman, spearman};

use crate::moments::finite;
use crate::undefined::Undefined;

/// What every pair of samples has to be: finite, equally long, at least two pairs, and neither constant.
fn check(x: &[f64], y: &[f64]) -> Result<(), Undefined> {
    finite(&[x, y])?;
    if u32::try_from(x.len()).is_err() {
        return Err(Undefined::DomainError);
    }
    if x.len() != y.len() {
        return Err(Undefined::LengthMismatch);
    }
    if x.len() < 2 {
        return Err(Undefined::TooFewObservations);
    }
    let constant = |values: &[f64]| values.iter().all(|value| *value == values[0]);
    if constant(x) || constant(y) {
        return Err(Undefined::ZeroVariance);
    }
    Ok(())
}
