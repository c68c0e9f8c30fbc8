//! What the crate answered, and the rule by which it is compared with what a file expects.

use serde_json::Value;
use trialbook_stats::{PValues, Undefined};

use crate::args::number;

/// The answer to a whole case.
pub(crate) type Outcome = Result<Found, Undefined>;

/// An answer in the shape of the files.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found {
    Number(f64),
    Flag(bool),
    Word(String),
    List(Vec<Self>),
    Record(Vec<(String, Self)>),
    Undefined(Undefined),
    /// Not defined for this input, without a reason.
    Absent,
}

/// A record of named outputs: `record! { "p" => p, "df" => df }`; every value is what [`Found`] can be made from.
macro_rules! record {
    ($($name:expr => $value:expr),* $(,)?) => {
        $crate::found::Found::Record(vec![$(($name.to_string(), $value.into())),*])
    };
}
pub(crate) use record;

/// The p-values of a test, in both directions and in each.
pub(crate) fn p_values(p: PValues) -> Found {
    record! {
        "p_two_sided" => p.two_sided.p,
        "p_greater" => p.greater.p,
        "p_less" => p.less.p,
    }
}

impl Found {
    /// This record with one more output.
    pub(crate) fn with(mut self, name: String, value: impl Into<Self>) -> Self {
        if let Self::Record(outputs) = &mut self {
            outputs.push((name, value.into()));
        }
        self
    }
}

impl From<f64> for Found {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<usize> for Found {
    fn from(value: usize) -> Self {
        Self::Number(value as f64)
    }
}

impl From<u64> for Found {
    fn from(value: u64) -> Self {
        Self::Number(value as f64)
    }
}

impl From<bool> for Found {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl From<String> for Found {
    fn from(value: String) -> Self {
        Self::Word(value)
    }
}

impl From<Undefined> for Found {
    fn from(reason: Undefined) -> Self {
        Self::Undefined(reason)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Found {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Self>> From<(T, T)> for Found {
    fn from((low, high): (T, T)) -> Self {
        Self::List(vec![low.into(), high.into()])
    }
}

impl<T: Into<Self>> From<Option<T>> for Found {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Into::into)
    }
}

impl<T: Into<Self>> From<Result<T, Undefined>> for Found {
    fn from(value: Result<T, Undefined>) -> Self {
        value.map_or_else(Self::Undefined, Into::into)
    }
}

/// Information in the files that is no output: the digits that were certified for decimals, not for floats.
const INFORMATION: [&str; 1] = ["nist_certified"];

/// Where an answer departs from what the case expects; empty where it agrees.
pub(crate) fn differences(
    case: &Value,
    found: &Found,
    not_offered: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut comparison = Comparison {
        relative: number(&case["tol"]["rel"]),
        absolute: number(&case["tol"]["abs"]),
        function: case["fn"].as_str().unwrap(),
        not_offered,
        differences: Vec::new(),
    };
    let id = case["id"].as_str().unwrap();
    comparison.compare(id, &case["expected"], found);
    comparison.differences
}

struct Comparison<'case, F> {
    relative: f64,
    absolute: f64,
    function: &'case str,
    not_offered: F,
    differences: Vec<String>,
}

impl<F: Fn(&str) -> bool> Comparison<'_, F> {
    fn compare(&mut self, place: &str, expected: &Value, found: &Found) {
        let equal = match (expected, found) {
            (Value::Object(fields), Found::Record(outputs))
                if !fields.contains_key("undefined") =>
            {
                self.outputs(place, expected, outputs);
                true
            }
            (Value::Object(fields), Found::Undefined(reason)) => fields
                .get("undefined")
                .is_some_and(|word| word == reason.word()),
            (Value::Array(items), Found::List(values)) if items.len() == values.len() => {
                for (at, (item, value)) in items.iter().zip(values).enumerate() {
                    self.compare(&format!("{place}[{at}]"), item, value);
                }
                true
            }
            (Value::Null, Found::Absent | Found::Undefined(_)) => true,
            (Value::Bool(expected), Found::Flag(found)) => expected == found,
            (Value::Number(_) | Value::String(_), Found::Number(found)) => {
                self.near(number(expected), *found)
            }
            (Value::String(expected), Found::Word(found)) => expected == found,
            _ => false,
        };
        if !equal {
            self.differences
                .push(format!("{place}: found {found:?}, expected {expected}"));
        }
    }

    fn outputs(&mut self, place: &str, expected: &Value, outputs: &[(String, Found)]) {
        for (name, expected) in expected.as_object().unwrap() {
            let inner = format!("{place} {name}");
            match outputs.iter().find(|(output, _)| output == name) {
                Some((_, found)) => self.compare(&inner, expected, found),
                None if INFORMATION.contains(&name.as_str())
                    || (self.not_offered)(&format!("{}.{name}", self.function)) => {}
                None => self.differences.push(format!("{inner}: not offered")),
            }
        }
    }

    /// `g == e`, or both finite and `|g − e| ≤ abs + rel · max(|g|, |e|)`; NaN is matched by NaN only. The test for
    /// finite numbers matters: an infinite difference is not greater than an infinite tolerance.
    fn near(&self, expected: f64, found: f64) -> bool {
        let tolerance = self.absolute + self.relative * expected.abs().max(found.abs());
        found == expected
            || expected.is_nan() && found.is_nan()
            || expected.is_finite() && found.is_finite() && (found - expected).abs() <= tolerance
    }
}

#[test]
fn an_infinite_answer_matches_only_itself() {
    let comparison = Comparison {
        relative: 1e-9,
        absolute: 0.0,
        function: "",
        not_offered: |_: &str| false,
        differences: Vec::new(),
    };
    assert!(comparison.near(f64::INFINITY, f64::INFINITY));
    assert!(comparison.near(1.0, 1.0 + 1e-10));
    for (expected, found) in [
        (1.0, f64::INFINITY),
        (f64::INFINITY, 1.0),
        (f64::INFINITY, f64::NEG_INFINITY),
        (1.0, f64::NAN),
        (f64::NAN, 1.0),
        (1.0, 1.0 + 1e-8),
    ] {
        assert!(!comparison.near(expected, found), "{expected} {found}");
    }
}
