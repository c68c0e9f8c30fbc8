//! Which runs of a segment satisfy a condition.
//!
//! Not here: what a condition means ([`trialbook_model::filter`] says it). Invariant: the answer is that of
//! `holds` for each run. Texts are judged once for each entry of a dictionary, numbers in one pass.

use std::borrow::Cow;

use trialbook_model::filter::{
    Case, CompareOp, Expr, Key, KeyKind, Literal, Value, holds_for, holds_for_datasets, wanted,
};

use super::bits::Bits;
use super::column::Lanes;
use super::dictionary::Words;
use super::layout::Damaged;
use super::source::{Scene, Source, word};

/// Below one place in so many, asking for each value is faster than a pass over a column of numbers.
const FEW: u64 = 32;

/// Roughly how many bytes of each run a condition reads. Which part of a conjunction is judged first
/// changes nothing but that later parts have fewer runs to look at.
fn cost(expr: &Expr) -> usize {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().map(cost).sum(),
        Expr::Not(inner) => cost(inner),
        Expr::Compare { key, .. }
        | Expr::Like { key, .. }
        | Expr::In { key, .. }
        | Expr::IsNull { key, .. } => match key.kind {
            KeyKind::Attribute | KeyKind::Param | KeyKind::Tag | KeyKind::Dataset => 1,
            KeyKind::Metric | KeyKind::Bare => 8,
        },
    }
}

/// Places that have a value, and those of them whose value satisfies the condition.
struct Judged {
    present: Bits,
    yes: Bits,
}

impl Scene<'_> {
    /// The places among `of` whose run satisfies a condition.
    pub(super) fn judge(&self, expr: &Expr, of: &Bits) -> Result<Bits, Damaged> {
        match expr {
            Expr::And(parts) => {
                let mut left = of.clone();
                let mut parts: Vec<&Expr> = parts.iter().collect();
                parts.sort_by_key(|part| cost(part));
                for part in parts {
                    if left.is_empty() {
                        break;
                    }
                    left = self.judge(part, &left)?;
                }
                Ok(left)
            }
            Expr::Or(parts) => {
                let mut found = Bits::none(of.len());
                for part in parts {
                    found.or(&self.judge(part, of)?);
                }
                Ok(found)
            }
            Expr::Not(inner) => {
                let mut left = of.clone();
                left.and_not(&self.judge(inner, of)?);
                Ok(left)
            }
            Expr::Compare { key, .. }
            | Expr::Like { key, .. }
            | Expr::In { key, .. }
            | Expr::IsNull { key, .. } => self.judge_key(expr, key, of),
        }
    }

    fn judge_key(&self, condition: &Expr, key: &Key, of: &Bits) -> Result<Bits, Damaged> {
        let mut judged = if key.kind == KeyKind::Dataset {
            self.judge_datasets(condition, &key.name)?
        } else {
            self.judge_sources(condition, key, of)?
        };
        judged.yes.and(of);
        if holds_for(condition, None) {
            let mut missing = of.clone();
            missing.and_not(&judged.present);
            judged.yes.or(&missing);
        }
        Ok(judged.yes)
    }

    fn judge_sources(&self, condition: &Expr, key: &Key, of: &Bits) -> Result<Judged, Damaged> {
        let mut all: Option<Judged> = None;
        for source in self.sources(key, wanted(condition))? {
            let mut judged = source.judge(self, condition, of);
            all = Some(match all {
                None => judged,
                Some(mut before) => {
                    judged.yes.and_not(&before.present);
                    before.yes.or(&judged.yes);
                    before.present.or(&judged.present);
                    before
                }
            });
        }
        Ok(all.unwrap_or_else(|| Judged {
            present: Bits::none(self.len),
            yes: Bits::none(self.len),
        }))
    }

    fn judge_datasets(&self, condition: &Expr, field: &str) -> Result<Judged, Damaged> {
        let Some((words, lists)) = self.datasets()? else {
            let none = Bits::none(self.len);
            return Ok(Judged {
                present: none.clone(),
                yes: none,
            });
        };
        let fields: Vec<Vec<&str>> = lists
            .iter()
            .map(|list| {
                list.iter()
                    .filter_map(|dataset| dataset.field(field))
                    .collect()
            })
            .collect();
        let has: Vec<bool> = fields.iter().map(|fields| !fields.is_empty()).collect();
        let passes: Vec<bool> = fields
            .iter()
            .map(|fields| {
                let fields: Vec<Cow<'_, str>> =
                    fields.iter().map(|field| Cow::from(*field)).collect();
                !fields.is_empty() && holds_for_datasets(condition, fields)
            })
            .collect();
        Ok(Judged {
            present: words.presence.pick(&words.codes.pick(&has)),
            yes: words.presence.pick(&words.codes.pick(&passes)),
        })
    }
}

impl<'a> Source<'a> {
    fn judge(&self, scene: &Scene<'a>, condition: &Expr, of: &Bits) -> Judged {
        match self {
            Self::Numbers { .. } | Self::Times(_) if of.count() * FEW < of.len() as u64 => {
                self.judge_each(scene, condition, of)
            }
            Self::Numbers { column, partial } => {
                let mut present = column.presence.bits();
                if *partial {
                    let finite = column
                        .values
                        .pick(|value| !f64::from_le_bytes(value).is_nan());
                    present.and(&column.presence.pick(&finite));
                }
                let mut yes = column
                    .presence
                    .pick(&pick_numbers(&column.values, condition));
                if *partial {
                    yes.and(&present);
                }
                Judged { present, yes }
            }
            Self::Times(column) => Judged {
                present: column.presence.bits(),
                yes: column.presence.pick(&pick_times(&column.values, condition)),
            },
            Self::Words(words) => Judged {
                present: words.presence.bits(),
                yes: words
                    .presence
                    .pick(&words.codes.pick(&judge_words(words, condition))),
            },
            Self::ByExperiment(values) => {
                let has: Vec<bool> = values.iter().map(Option::is_some).collect();
                let passes: Vec<bool> = values
                    .iter()
                    .map(|value| value.is_some() && holds_for(condition, value.as_ref()))
                    .collect();
                let codes = &scene.codes;
                Judged {
                    present: codes.presence.pick(&codes.codes.pick(&has)),
                    yes: codes.presence.pick(&codes.codes.pick(&passes)),
                }
            }
            Self::Flag { .. }
            | Self::No
            | Self::Id(..)
            | Self::Handle(_)
            | Self::Either(..)
            | Self::Best { .. } => self.judge_each(scene, condition, of),
        }
    }

    /// Run by run, for values that no column keeps as they are.
    fn judge_each(&self, scene: &Scene<'a>, condition: &Expr, of: &Bits) -> Judged {
        let (mut present, mut yes) = (Bits::none(scene.len), Bits::none(scene.len));
        for place in of.iter() {
            if let Some(value) = self.at(scene, place) {
                present.set(place);
                if holds_for(condition, Some(&value)) {
                    yes.set(place);
                }
            }
        }
        Judged { present, yes }
    }
}

/// The slots whose number satisfies a condition.
fn pick_numbers(values: &Lanes<'_>, condition: &Expr) -> Bits {
    let number = f64::from_le_bytes;
    let Expr::Compare {
        op,
        value: Literal::Number(right, _),
        ..
    } = condition
    else {
        return values.pick(|value| holds_for(condition, Some(&Value::Number(number(value)))));
    };
    let right = *right;
    match op {
        CompareOp::Equal => values.pick(|value| number(value) == right),
        CompareOp::NotEqual => values.pick(|value| number(value) != right),
        CompareOp::Less => values.pick(|value| number(value) < right),
        CompareOp::LessEqual => values.pick(|value| number(value) <= right),
        CompareOp::Greater => values.pick(|value| number(value) > right),
        CompareOp::GreaterEqual => values.pick(|value| number(value) >= right),
    }
}

/// The slots whose time satisfies a condition.
fn pick_times(values: &Lanes<'_>, condition: &Expr) -> Bits {
    let time = i64::from_le_bytes;
    let Expr::Compare {
        op,
        value: Literal::Time(right, _),
        ..
    } = condition
    else {
        return values.pick(|value| holds_for(condition, Some(&Value::Time(time(value)))));
    };
    let right = *right;
    match op {
        CompareOp::Equal => values.pick(|value| time(value) == right),
        CompareOp::NotEqual => values.pick(|value| time(value) != right),
        CompareOp::Less => values.pick(|value| time(value) < right),
        CompareOp::LessEqual => values.pick(|value| time(value) <= right),
        CompareOp::Greater => values.pick(|value| time(value) > right),
        CompareOp::GreaterEqual => values.pick(|value| time(value) >= right),
    }
}

/// Which entries of a dictionary satisfy a condition.
fn judge_words(words: &Words<'_>, condition: &Expr) -> Vec<bool> {
    let codes = 0..words.len();
    if let Expr::Compare {
        op: CompareOp::Equal,
        value: Literal::Text(right),
        ..
    } = condition
    {
        let right = right.as_bytes();
        return codes.map(|code| words.bytes(code) == right).collect();
    }
    if let Expr::Like {
        pattern,
        case: Case::Sensitive,
        negated,
        ..
    } = condition
        && let Some(simple) = Simple::of(pattern)
    {
        let mut fits = match simple {
            Simple::Inside(inside) => words.containing(inside),
            Simple::Whole(_) | Simple::Start(_) | Simple::End(_) => {
                codes.map(|code| simple.fits(words.text(code))).collect()
            }
        };
        if *negated {
            for fits in &mut fits {
                *fits = !*fits;
            }
        }
        return fits;
    }
    codes
        .map(|code| holds_for(condition, Some(&word(words, code))))
        .collect()
}

/// A pattern with `%` at its ends only and without `_`, which needs no walk character by character.
enum Simple<'a> {
    Whole(&'a str),
    Start(&'a str),
    End(&'a str),
    Inside(&'a str),
}

impl<'a> Simple<'a> {
    fn of(pattern: &'a str) -> Option<Self> {
        let (front, tail) = match pattern.strip_prefix('%') {
            Some(tail) => (true, tail),
            None => (false, pattern),
        };
        let (back, middle) = match tail.strip_suffix('%') {
            Some(middle) => (true, middle),
            None => (false, tail),
        };
        if middle.contains(['%', '_']) {
            return None;
        }
        Some(match (front, back) {
            (false, false) => Self::Whole(middle),
            (false, true) => Self::Start(middle),
            (true, false) => Self::End(middle),
            (true, true) => Self::Inside(middle),
        })
    }

    fn fits(&self, text: &str) -> bool {
        match self {
            Self::Whole(whole) => text == *whole,
            Self::Start(start) => text.starts_with(start),
            Self::End(end) => text.ends_with(end),
            Self::Inside(inside) => text.contains(inside),
        }
    }
}
