//! Numbers of records in formats that people read: JSON has none for NaN and infinities, so they are texts there.
//!
//! Binary formats hold every double as it is. Not here: which fields are numbers. Invariant: what is written is
//! read back to the same number; a missing number stays missing.

use std::fmt;

use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::record::Score;

/// A double that is a text in JSON where it is not finite: `NaN`, `Infinity`, `-Infinity`. A NaN of other bits
/// than the usual one has them behind it, such as `NaN:fff8000000000000`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Float(pub f64);

impl Float {
    /// The text of a number that JSON has no number for; `None` for finite ones.
    pub fn word(self) -> Option<String> {
        let Self(value) = self;
        if value.is_finite() {
            None
        } else if value.is_nan() && value.to_bits() == f64::NAN.to_bits() {
            Some("NaN".to_owned())
        } else if value.is_nan() {
            Some(format!("NaN:{:016x}", value.to_bits()))
        } else if value > 0.0 {
            Some("Infinity".to_owned())
        } else {
            Some("-Infinity".to_owned())
        }
    }

    /// The number of a word.
    pub fn of_word(word: &str) -> Option<Self> {
        match word {
            "NaN" => return Some(Self(f64::NAN)),
            "Infinity" => return Some(Self(f64::INFINITY)),
            "-Infinity" => return Some(Self(f64::NEG_INFINITY)),
            _ => {}
        }
        let bits = word.strip_prefix("NaN:").filter(|bits| bits.len() == 16)?;
        let value = f64::from_bits(u64::from_str_radix(bits, 16).ok()?);
        value.is_nan().then_some(Self(value))
    }
}

impl Serialize for Float {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.word() {
            Some(word) if serializer.is_human_readable() => serializer.serialize_str(&word),
            Some(_) | None => serializer.serialize_f64(self.0),
        }
    }
}

struct FloatVisitor;

impl Visitor<'_> for FloatVisitor {
    type Value = Float;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, `NaN`, `Infinity` or `-Infinity`")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Float, E> {
        Ok(Float(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Float, E> {
        Ok(Float(value as f64))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Float, E> {
        Ok(Float(value as f64))
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Float, E> {
        Float::of_word(word).ok_or_else(|| E::invalid_value(Unexpected::Str(word), &self))
    }
}

impl<'de> Deserialize<'de> for Float {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FloatVisitor)
    }
}

/// For fields that are numbers: `#[serde(with = "float")]`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
pub(crate) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    Float(*value).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Float::deserialize(deserializer).map(|Float(value)| value)
}

/// For fields that may be missing: `#[serde(with = "float::optional")]`.
pub(crate) mod optional {
    use super::{Deserialize as _, Deserializer, Float, Serialize as _, Serializer};

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(crate) fn serialize<S: Serializer>(
        value: &Option<f64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(Float).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<f64>, D::Error> {
        let value = Option::<Float>::deserialize(deserializer)?;
        Ok(value.map(|Float(value)| value))
    }
}

impl Serialize for Score {
    /// A bool, a number or a text; in JSON a number that is not finite is `{"number": "NaN"}`, for the text
    /// alone would be a grade.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(right) => serializer.serialize_bool(*right),
            Self::Text(grade) => serializer.serialize_str(grade),
            Self::Number(value) => match Float(*value).word() {
                Some(word) if serializer.is_human_readable() => {
                    let mut map = serializer.serialize_map(Some(1))?;
                    map.serialize_entry("number", &word)?;
                    map.end()
                }
                Some(_) | None => serializer.serialize_f64(*value),
            },
        }
    }
}

struct ScoreVisitor;

impl<'de> Visitor<'de> for ScoreVisitor {
    type Value = Score;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`true`, `false`, a number, a text, or `{\"number\": \"NaN\"}`")
    }

    fn visit_bool<E: Error>(self, right: bool) -> Result<Score, E> {
        Ok(Score::Bool(right))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Score, E> {
        Ok(Score::Number(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Score, E> {
        Ok(Score::Number(value as f64))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Score, E> {
        Ok(Score::Number(value as f64))
    }

    fn visit_str<E: Error>(self, grade: &str) -> Result<Score, E> {
        Ok(Score::Text(grade.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Score, A::Error> {
        match map.next_entry::<String, Float>()? {
            Some((key, Float(value))) if key == "number" => match map.next_key::<String>()? {
                None => Ok(Score::Number(value)),
                Some(key) => Err(A::Error::unknown_field(&key, &["number"])),
            },
            Some((key, _)) => Err(A::Error::unknown_field(&key, &["number"])),
            None => Err(A::Error::missing_field("number")),
        }
    }
}

impl<'de> Deserialize<'de> for Score {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScoreVisitor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_without_a_number_in_json_are_words() {
        let check = |value: f64, text: &str| {
            assert_eq!(serde_json::to_string(&Float(value)).unwrap(), text);
            let Float(back) = serde_json::from_str(text).unwrap();
            assert_eq!(back.to_bits(), value.to_bits(), "{text}");
        };
        check(1.5, "1.5");
        check(-0.0, "-0.0");
        check(f64::NAN, "\"NaN\"");
        check(-f64::NAN, "\"NaN:fff8000000000000\"");
        check(f64::NEG_INFINITY, "\"-Infinity\"");
        for text in ["\"nan\"", "\"NaN:7f\"", "\"NaN:3ff0000000000000\"", "null"] {
            assert!(serde_json::from_str::<Float>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn scores_are_told_apart() {
        let check = |score: Score, text: &str| {
            assert_eq!(serde_json::to_string(&score).unwrap(), text);
            let back: Score = serde_json::from_str(text).unwrap();
            assert_eq!(format!("{back:?}"), format!("{score:?}"));
        };
        check(Score::Bool(true), "true");
        check(Score::Text("NaN".to_owned()), "\"NaN\"");
        check(Score::Number(f64::NAN), "{\"number\":\"NaN\"}");
        check(Score::Number(2.0), "2.0");
        assert!(serde_json::from_str::<Score>("{\"number\":1,\"more\":2}").is_err());
        assert!(serde_json::from_str::<Score>("{}").is_err());
        assert!(serde_json::from_str::<Score>("[]").is_err());
    }

    proptest! {
        #[test]
        fn every_number_comes_back(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            let text = serde_json::to_string(&Float(value)).unwrap();
            let Float(back) = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(back.to_bits(), bits);
            let packed = rmp_serde::to_vec(&Score::Number(value)).unwrap();
            let Score::Number(back) = rmp_serde::from_slice(&packed).unwrap() else {
                panic!("a number");
            };
            prop_assert_eq!(back.to_bits(), bits);
        }
    }
}
