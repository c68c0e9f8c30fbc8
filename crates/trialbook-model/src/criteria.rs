//! Success criteria: a metric, a comparison, a number with or without a unit (`< 60s`).
//!
//! Not here: where metrics come from and how verdicts are shown. Invariant: a criterion that cannot be
//! judged (missing, not a number) is not met, and says why.

mod judge;
mod threshold;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::canonical::Decimal;
use crate::record::Goal;
use crate::unit::Unit;

pub use judge::{Cell, ExperimentVerdict, Observed, Outcome, VariationVerdict, judge, judge_value};
pub use threshold::{CONDITION_UNITS, MetricUnit};

/// How a metric is compared with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Operator {
    /// `<`
    #[serde(rename = "<")]
    Less,
    /// `<=`
    #[serde(rename = "<=")]
    AtMost,
    /// `>`
    #[serde(rename = ">")]
    Greater,
    /// `>=`
    #[serde(rename = ">=")]
    AtLeast,
    /// `==`
    #[serde(rename = "==")]
    Equal,
    /// `!=`
    #[serde(rename = "!=")]
    Unequal,
}

impl Operator {
    /// All operators; those of two signs first, so that the first match of a text is the right one.
    pub const ALL: [Self; 6] = [
        Self::AtMost,
        Self::AtLeast,
        Self::Equal,
        Self::Unequal,
        Self::Less,
        Self::Greater,
    ];

    /// Its sign.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Equal => "==",
            Self::Unequal => "!=",
        }
    }

    /// Whether `value` stands in this relation to `threshold`. A value that is not a number stands in
    /// none, not even in `!=`.
    pub fn holds(self, value: f64, threshold: f64) -> bool {
        if value.is_nan() || threshold.is_nan() {
            return false;
        }
        match self {
            Self::Less => value < threshold,
            Self::AtMost => value <= threshold,
            Self::Greater => value > threshold,
            Self::AtLeast => value >= threshold,
            Self::Equal => value == threshold,
            Self::Unequal => value != threshold,
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.sign())
    }
}

/// An operator, a number and perhaps a unit, as written: `< 0.05`, `<= 60s`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Condition {
    /// The comparison.
    pub operator: Operator,
    /// The number as written.
    pub number: String,
    /// The unit as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operator, self.number)?;
        self.unit.map_or(Ok(()), |unit| f.write_str(unit.word()))
    }
}

/// A condition on a metric, with the threshold in the metric's own unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Criterion {
    /// The metric's name.
    pub metric: String,
    /// The condition as written.
    pub condition: Condition,
    /// The number to compare with, in the metric's unit.
    pub threshold: f64,
    /// The unit of the metric, where the condition has one; says whether it was assumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_unit: Option<MetricUnit>,
}

impl fmt::Display for Criterion {
    /// As the one-text form of the config: `completion_time_ms < 60s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.metric, self.condition)
    }
}

/// Why a text is not a criterion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CriterionError {
    /// There is no operator where one has to be.
    #[error("`{text}` has no comparison")]
    NoOperator {
        /// The text.
        text: String,
    },
    /// The metric's name is missing before the operator.
    #[error("`{text}` names no metric")]
    NoMetric {
        /// The text.
        text: String,
    },
    /// What follows the operator is not a number.
    #[error("`{found}` in `{text}` is not a number")]
    NotANumber {
        /// The text.
        text: String,
        /// What stands in the number's place.
        found: String,
    },
    /// The number is beyond what a metric can be.
    #[error("the number of `{text}` is beyond 1.8e308")]
    TooLarge {
        /// The text.
        text: String,
    },
    /// The unit is none that we know.
    #[error("`{found}` in `{text}` is not a unit")]
    UnknownUnit {
        /// The text.
        text: String,
        /// What stands in the unit's place.
        found: String,
    },
    /// The condition has a unit and the metric has none.
    #[error("`{condition}` has a unit, but the unit of `{metric}` is not known")]
    NoMetricUnit {
        /// The condition.
        condition: String,
        /// The metric.
        metric: String,
    },
    /// The two units measure different things.
    #[error("`{condition}` cannot be compared with `{metric}`, which is in {unit}")]
    OtherDimension {
        /// The condition.
        condition: String,
        /// The metric.
        metric: String,
        /// The metric's unit.
        unit: String,
    },
}

impl CriterionError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::NoOperator { .. } | Self::NoMetric { .. } | Self::NotANumber { .. } => {
                "write a metric, one of < <= > >= == !=, and a number, such as `error_rate < 0.05`"
                    .to_owned()
            }
            Self::TooLarge { .. } => "write a smaller number".to_owned(),
            Self::UnknownUnit { .. } => {
                format!("units are {}", CONDITION_UNITS.map(Unit::word).join(", "))
            }
            Self::NoMetricUnit { metric, .. } => format!(
                "declare it under metrics as `{{name: {metric}, unit: ms}}`, or leave the unit out"
            ),
            Self::OtherDimension { unit, .. } => format!("write the number in {unit}"),
        }
    }
}

impl Condition {
    /// Reads `< 0.05` or `<= 60s`.
    pub fn parse(text: &str) -> Result<Self, CriterionError> {
        let trimmed = text.trim();
        let (operator, rest) = Operator::ALL
            .into_iter()
            .find_map(|operator| Some((operator, trimmed.strip_prefix(operator.sign())?)))
            .ok_or_else(|| CriterionError::NoOperator {
                text: text.to_owned(),
            })?;
        let rest = rest.trim();
        let end = number_length(rest);
        let (number, unit) = (&rest[..end], rest[end..].trim_start());
        if Decimal::parse(number).is_none() {
            return Err(CriterionError::NotANumber {
                text: text.to_owned(),
                found: rest.to_owned(),
            });
        }
        let unit = match unit {
            "" => None,
            word => Some(unit_of(word).ok_or_else(|| CriterionError::UnknownUnit {
                text: text.to_owned(),
                found: word.to_owned(),
            })?),
        };
        Ok(Self {
            operator,
            number: number.to_owned(),
            unit,
        })
    }

    /// The condition for a metric. `declared` is the unit of the metric's definition, if it has one;
    /// else the unit is assumed from the end of the name.
    pub fn for_metric(
        self,
        metric: &str,
        declared: Option<&str>,
    ) -> Result<Criterion, CriterionError> {
        let not_a_number = || CriterionError::NotANumber {
            text: self.to_string(),
            found: self.number.clone(),
        };
        let decimal = Decimal::parse(&self.number).ok_or_else(not_a_number)?;
        let (threshold, metric_unit) = match self.unit {
            None => (decimal.to_f64(), None),
            Some(unit) => self.converted(unit, &decimal, metric, declared)?,
        };
        if !threshold.is_finite() {
            return Err(CriterionError::TooLarge {
                text: self.to_string(),
            });
        }
        Ok(Criterion {
            metric: metric.to_owned(),
            condition: self,
            threshold,
            metric_unit,
        })
    }

    fn converted(
        &self,
        unit: Unit,
        number: &Decimal,
        metric: &str,
        declared: Option<&str>,
    ) -> Result<(f64, Option<MetricUnit>), CriterionError> {
        let other_dimension = |unit: &str| CriterionError::OtherDimension {
            condition: self.to_string(),
            metric: metric.to_owned(),
            unit: unit.to_owned(),
        };
        let metric_unit = match declared {
            Some(word) => MetricUnit {
                unit: Unit::parse(word).ok_or_else(|| other_dimension(word))?,
                assumed: false,
            },
            None => {
                threshold::assumed(metric, unit).ok_or_else(|| CriterionError::NoMetricUnit {
                    condition: self.to_string(),
                    metric: metric.to_owned(),
                })?
            }
        };
        let threshold = threshold::convert(number, unit, metric_unit.unit)
            .ok_or_else(|| other_dimension(metric_unit.unit.word()))?;
        Ok((threshold, Some(metric_unit)))
    }
}

/// Which direction of metrics is better, as criteria say it: who demands less than a number wants less. A metric that
/// is bounded on both sides, or has to be a number, has no such direction.
pub fn goals(criteria: &[Criterion]) -> BTreeMap<&str, Goal> {
    let mut goals: BTreeMap<&str, Goal> = BTreeMap::new();
    for criterion in criteria {
        let goal = match criterion.condition.operator {
            Operator::Less | Operator::AtMost => Goal::Min,
            Operator::Greater | Operator::AtLeast => Goal::Max,
            Operator::Equal | Operator::Unequal => Goal::None,
        };
        goals
            .entry(&criterion.metric)
            .and_modify(|known| {
                if *known != goal {
                    *known = Goal::None;
                }
            })
            .or_insert(goal);
    }
    goals.retain(|_, goal| *goal != Goal::None);
    goals
}

/// Splits the one-text form `completion_time < 60s` into the metric's name and the condition.
pub fn parse(text: &str) -> Result<(String, Condition), CriterionError> {
    let at = text
        .find(['<', '>', '=', '!'])
        .ok_or_else(|| CriterionError::NoOperator {
            text: text.to_owned(),
        })?;
    let metric = text[..at].trim();
    if metric.is_empty() {
        return Err(CriterionError::NoMetric {
            text: text.to_owned(),
        });
    }
    Ok((metric.to_owned(), Condition::parse(&text[at..])?))
}

/// The grammar's own words only, which conditions print again.
fn unit_of(word: &str) -> Option<Unit> {
    CONDITION_UNITS.into_iter().find(|unit| unit.word() == word)
}

/// How many bytes of the text belong to the number: an `e` belongs to it only before digits.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let sign = |at: usize| at + usize::from(matches!(bytes.get(at), Some(b'+' | b'-')));
    let mut end = digits(sign(0));
    if bytes.get(end) == Some(&b'.') {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let from = sign(end + 1);
        let after = digits(from);
        if after > from {
            end = after;
        }
    }
    end
}

#[cfg(test)]
mod tests;
