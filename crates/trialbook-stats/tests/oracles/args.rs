//! The inputs of a case: numbers, samples (also generated ones), counts, words.

use serde_json::Value;
use trialbook_stats::{SplitMix64, Undefined};

/// The arguments of a case. A missing argument is a bug of the case or of its family's module.
pub(crate) struct Args<'case>(&'case Value);

impl<'case> Args<'case> {
    pub(crate) const fn of(value: &'case Value) -> Self {
        Self(value)
    }

    /// The argument as it stands in the file.
    pub(crate) fn value(&self, name: &str) -> &'case Value {
        let value = &self.0[name];
        assert!(!value.is_null(), "no argument `{name}` in {}", self.0);
        value
    }

    /// All arguments, as they stand in the file.
    pub(crate) const fn all(&self) -> &'case Value {
        self.0
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        !self.0[name].is_null()
    }

    pub(crate) fn number(&self, name: &str) -> f64 {
        number(self.value(name))
    }

    pub(crate) fn word(&self, name: &str) -> &'case str {
        self.value(name).as_str().unwrap()
    }

    /// A count: what is no natural number is outside the domain of every function that takes one.
    pub(crate) fn count(&self, name: &str) -> Result<u64, Undefined> {
        count(self.value(name))
    }

    pub(crate) fn sample(&self, name: &str) -> Vec<f64> {
        sample(self.value(name))
    }

    /// Groups, or rows of a table.
    pub(crate) fn samples(&self, name: &str) -> Vec<Vec<f64>> {
        self.value(name)
            .as_array()
            .unwrap()
            .iter()
            .map(sample)
            .collect()
    }
}

pub(crate) fn count(value: &Value) -> Result<u64, Undefined> {
    value.as_u64().ok_or(Undefined::DomainError)
}

/// A number, also as one of the words for the special ones.
pub(crate) fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some(word) => word.parse().unwrap(),
        None => value.as_f64().unwrap(),
    }
}

/// A list, or what describes one.
pub(crate) fn sample(value: &Value) -> Vec<f64> {
    if let Some(list) = value.as_array() {
        return list.iter().map(number).collect();
    }
    if let Some(digits) = value["$digits"].as_str() {
        return digits
            .bytes()
            .map(|digit| f64::from(digit - b'0'))
            .collect();
    }
    let alternating = &value["$alternating"];
    if !alternating.is_null() {
        let n = alternating["n"].as_u64().unwrap();
        let of = |name: &str| number(&alternating[name]);
        let rest = (1..n).map(|at| of(if at % 2 == 1 { "a" } else { "b" }));
        return std::iter::once(of("first")).chain(rest).collect();
    }
    generated(&value["$gen"])
}

/// The values of a description `{"gen": kind, "seed": …, "n": …}`.
pub(crate) fn generated(description: &Value) -> Vec<f64> {
    let of = |name: &str| number(&description[name]);
    let mut random = SplitMix64::new(description["seed"].as_u64().unwrap());
    let kind = description["gen"].as_str().unwrap();
    (0..description["n"].as_u64().unwrap())
        .map(|_| match kind {
            "uniform" => of("loc") + of("scale") * random.unit(),
            "levels" => of("loc") + of("scale") * (random.unit() * of("levels")).floor(),
            "irwin_hall" => {
                let mut sum = 0.0;
                for _ in 0..12 {
                    sum += random.unit();
                }
                of("loc") + of("scale") * (sum - 6.0)
            }
            "bernoulli" => f64::from(random.unit() < of("p")),
            other => panic!("generator `{other}`"),
        })
        .collect()
}
