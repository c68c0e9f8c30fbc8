//! Numbers in JSON: NaN and infinities are the texts `NaN`, `Infinity`, `-Infinity`, as everywhere.
//!
//! Invariant: what is missing is null; a number that is not finite is never null.

use serde::Serializer;

/// A number.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
pub(crate) fn one<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_nan() {
        serializer.serialize_str("NaN")
    } else if value.is_finite() {
        serializer.serialize_f64(*value)
    } else if *value > 0.0 {
        serializer.serialize_str("Infinity")
    } else {
        serializer.serialize_str("-Infinity")
    }
}

/// A number that may be missing.
#[expect(clippy::ref_option, reason = "serde calls it so")]
pub(crate) fn option<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => one(value, serializer),
        None => serializer.serialize_none(),
    }
}
