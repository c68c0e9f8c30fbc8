//! Whether a condition holds for a run, and which of two runs comes first.
//!
//! Not here: how one value is judged ([`super::value`]) and how a store finds runs without asking each.
//! Invariant: every condition holds or does not; there is no third answer, so De Morgan's laws hold.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::ast::{Collation, Direction, Expr, Key, KeyKind, OrderTerm, Wanted};
use super::value::{Value, holds_for, wanted};
use crate::record::Goal;

/// What a run answers.
pub trait Row {
    /// The value that the run has for `key` as a `kind`, which is never a dataset nor bare; absent when
    /// it has none. Attributes answer by their type: text, status (its canonical word) and flag
    /// (`true` or `false`) as [`Value::word`], time as [`Value::Time`], a number as [`Value::Number`];
    /// metrics with the number that the key's context and aggregate name; params as text with the number
    /// that they mean; tags as [`Value::text`].
    fn value(&self, kind: KeyKind, key: &Key) -> Option<Value<'_>>;

    /// What `field` (`name`, `digest` or `context`) says of each of the run's datasets that has it.
    fn datasets(&self, field: &str) -> Vec<Cow<'_, str>>;
}

/// The value that `key` has in a row: the first of its [`Key::kinds`] that has one. Datasets, of which
/// a row can have several, have none.
pub fn lookup<'a>(row: &'a dyn Row, key: &Key, wanted: Wanted) -> Option<Value<'a>> {
    key.kinds(wanted)
        .iter()
        .filter(|&&kind| kind != KeyKind::Dataset)
        .find_map(|&kind| row.value(kind, key))
}

/// Whether a condition holds for a row.
pub fn holds(expr: &Expr, row: &dyn Row) -> bool {
    match expr {
        Expr::And(parts) => parts.iter().all(|part| holds(part, row)),
        Expr::Or(parts) => parts.iter().any(|part| holds(part, row)),
        Expr::Not(inner) => !holds(inner, row),
        Expr::Compare { key, .. }
        | Expr::Like { key, .. }
        | Expr::In { key, .. }
        | Expr::IsNull { key, .. } => {
            if key.kind == KeyKind::Dataset {
                return holds_for_datasets(expr, row.datasets(&key.name));
            }
            holds_for(expr, lookup(row, key, wanted(expr)).as_ref())
        }
    }
}

/// A condition on datasets holds when it holds for one of them; to have none is to have no value.
pub fn holds_for_datasets(condition: &Expr, datasets: Vec<Cow<'_, str>>) -> bool {
    if datasets.is_empty() {
        return holds_for(condition, None);
    }
    datasets
        .into_iter()
        .any(|text| holds_for(condition, Some(&Value::Text(text, None))))
}

impl OrderTerm {
    /// The direction that counts: the one named, else the one that puts the best first for this goal,
    /// which is the greatest without one.
    pub fn direction_for(&self, goal: Option<Goal>) -> Direction {
        self.direction.unwrap_or(match goal {
            Some(Goal::Min) => Direction::Ascending,
            Some(Goal::Max | Goal::None) | None => Direction::Descending,
        })
    }
}

/// Which of two rows comes first. A term without a direction is descending; let
/// [`OrderTerm::direction_for`] fill it in where goals are known. Rows that all terms find equal are
/// equal; the caller breaks the tie.
pub fn compare_rows(terms: &[OrderTerm], a: &dyn Row, b: &dyn Row) -> Ordering {
    terms
        .iter()
        .map(|term| {
            let left = lookup(a, &term.key, Wanted::Any);
            let right = lookup(b, &term.key, Wanted::Any);
            compare_values(term, left.as_ref(), right.as_ref())
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Which of two values comes first for one term: NaN after all numbers and texts, missing last, both in
/// either direction; else numbers before texts when ascending and behind them when descending.
pub fn compare_values(term: &OrderTerm, a: Option<&Value<'_>>, b: Option<&Value<'_>>) -> Ordering {
    let (a, b) = (sortable(term.collation, a), sortable(term.collation, b));
    let order = match (a, b) {
        (Sortable::Number(a), Sortable::Number(b)) => a.total_cmp(&b),
        (Sortable::Time(a), Sortable::Time(b)) => a.cmp(&b),
        (Sortable::Text(a), Sortable::Text(b)) => a.cmp(b),
        (Sortable::NaN | Sortable::Missing, _) | (_, Sortable::NaN | Sortable::Missing) => {
            return a.class().cmp(&b.class());
        }
        (Sortable::Number(_) | Sortable::Time(_) | Sortable::Text(_), _) => {
            a.class().cmp(&b.class())
        }
    };
    match term.direction_for(None) {
        Direction::Ascending => order,
        Direction::Descending => order.reverse(),
    }
}

/// A value as a sort sees it.
#[derive(Debug, Clone, Copy)]
enum Sortable<'a> {
    /// Not NaN, and never the negative zero.
    Number(f64),
    Time(i64),
    Text(&'a str),
    NaN,
    Missing,
}

impl Sortable<'_> {
    const fn class(self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Time(_) => 1,
            Self::Text(_) => 2,
            Self::NaN => 3,
            Self::Missing => 4,
        }
    }
}

fn sortable<'a>(collation: Collation, value: Option<&'a Value<'_>>) -> Sortable<'a> {
    match (value, collation) {
        (None, Collation::Natural | Collation::Text) => Sortable::Missing,
        (Some(Value::Time(millis)), Collation::Natural | Collation::Text) => {
            Sortable::Time(*millis)
        }
        (Some(Value::Number(number)), Collation::Natural | Collation::Text)
        | (Some(Value::Text(_, Some(number))), Collation::Natural) => {
            if number.is_nan() {
                Sortable::NaN
            } else {
                // Adding zero turns the negative zero into the other one.
                Sortable::Number(*number + 0.0)
            }
        }
        (Some(Value::Text(text, None)), Collation::Natural)
        | (Some(Value::Text(text, _)), Collation::Text) => Sortable::Text(text),
    }
}

#[cfg(test)]
mod tests;
