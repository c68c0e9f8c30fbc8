//! Numbers and choices as proto2's JSON has them: 64-bit integers as numbers or texts, doubles with names for
//! what JSON has no number for.
//!
//! Invariant: an integer that is read is exactly the one that was written, or is refused.

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A 64-bit integer that was given as `5`, `"5"` or `5.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::mlflow) struct Whole(pub i64);

/// A double that was given as a number or as a text such as `"NaN"`, `"-Infinity"` or `"0.5"`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::mlflow) struct Real(pub f64);

/// A choice that was given by its name or its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::mlflow) struct Word(pub String);

/// A double in an answer. NaN is a text; what is infinite is the greatest double, as MLflow's clients expect it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::mlflow) struct Double(pub f64);

impl Serialize for Double {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_nan() {
            serializer.serialize_str("NaN")
        } else {
            serializer.serialize_f64(self.0.clamp(f64::MIN, f64::MAX))
        }
    }
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl Visitor<'_> for Reads {
            type Value = Whole;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number of 64 bits")
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Whole, E> {
                Ok(Whole(value))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Whole, E> {
                let whole = i64::try_from(value).map(Whole);
                whole.map_err(|_too_large| E::invalid_value(Unexpected::Unsigned(value), &self))
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Whole, E> {
                // Below 2^53 every whole double is one integer and no other.
                let is_exact = value.trunc() == value && value.abs() < 9_007_199_254_740_992.0;
                if is_exact {
                    Ok(Whole(value as i64))
                } else {
                    Err(E::invalid_value(Unexpected::Float(value), &self))
                }
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Whole, E> {
                let whole = text.parse().map(Whole);
                whole.map_err(|_reason| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Reads)
    }
}

impl<'de> Deserialize<'de> for Real {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl Visitor<'_> for Reads {
            type Value = Real;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Real, E> {
                Ok(Real(value as f64))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Real, E> {
                Ok(Real(value as f64))
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Real, E> {
                Ok(Real(value))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Real, E> {
                let real = text.parse().map(Real);
                real.map_err(|_reason| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Reads)
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl Visitor<'_> for Reads {
            type Value = Word;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name or number of a choice")
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Word, E> {
                Ok(Word(value.to_string()))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Word, E> {
                Ok(Word(value.to_string()))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Word, E> {
                Ok(Word(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Reads)
    }
}
