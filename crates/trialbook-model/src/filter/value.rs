//! How one value is judged: the meaning that rows and a column index share.
//!
//! Not here: where values come from ([`super::evaluate::Row`]). Invariant: a missing value satisfies
//! nothing but `IS NULL`.

use std::borrow::Cow;

use super::ast::{Case, CompareOp, Expr, Literal, Wanted};
use super::lex;

/// A value that a run has.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// A metric's or an attribute's number.
    Number(f64),
    /// An instant, as whole milliseconds since 1970.
    Time(i64),
    /// A text and the number that it is, if it is one.
    Text(Cow<'a, str>, Option<f64>),
}

impl<'a> Value<'a> {
    /// A text that no number can be, such as a name.
    pub const fn word(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text), None)
    }

    /// A text that counts as a number if it reads as one, such as a tag's value.
    pub fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text), number_in(text))
    }
}

/// The number that a text reads as: decimal digits with sign, point and exponent, or `inf`.
pub fn number_in(text: &str) -> Option<f64> {
    lex::number(text)
}

/// Whether a condition holds for a run whose value for every key of it is `value`. Of use for conditions
/// on one key: an index judges each entry of a dictionary once. Datasets are judged one by one.
pub fn holds_for(expr: &Expr, value: Option<&Value<'_>>) -> bool {
    match expr {
        Expr::And(parts) => parts.iter().all(|part| holds_for(part, value)),
        Expr::Or(parts) => parts.iter().any(|part| holds_for(part, value)),
        Expr::Not(inner) => !holds_for(inner, value),
        Expr::Compare {
            op, value: literal, ..
        } => value.is_some_and(|value| compare(*op, value, literal)),
        Expr::Like {
            pattern,
            case,
            negated,
            ..
        } => match value {
            Some(Value::Text(text, _)) => like_matches(pattern, *case, text) != *negated,
            Some(Value::Number(_) | Value::Time(_)) | None => false,
        },
        Expr::In {
            values, negated, ..
        } => value.is_some_and(|value| {
            values
                .iter()
                .any(|literal| compare(CompareOp::Equal, value, literal))
                != *negated
        }),
        Expr::IsNull { negated, .. } => value.is_none() != *negated,
    }
}

/// What kind of value a condition looks for, which decides what its bare key can mean.
pub fn wanted(condition: &Expr) -> Wanted {
    match condition {
        Expr::Compare { value, .. } => value.wanted(),
        Expr::Like { .. } => Wanted::Text,
        Expr::In { values, .. } if values.iter().all(|v| v.wanted() == Wanted::Text) => {
            Wanted::Text
        }
        Expr::In { .. } | Expr::IsNull { .. } | Expr::And(_) | Expr::Or(_) | Expr::Not(_) => {
            Wanted::Any
        }
    }
}

/// Whether `value op literal` holds. Numbers are compared when both sides are numbers, times as whole
/// milliseconds, all else by its text.
pub fn compare(op: CompareOp, value: &Value<'_>, literal: &Literal) -> bool {
    match (value, literal) {
        (Value::Number(number), Literal::Number(..) | Literal::Time(..)) => {
            compare_number(op, *number, literal)
        }
        (Value::Time(millis), Literal::Number(..) | Literal::Time(..)) => {
            compare_time(op, *millis, literal)
        }
        (Value::Text(_, Some(number)), Literal::Number(..)) => compare_number(op, *number, literal),
        (Value::Text(text, _), Literal::Number(..) | Literal::Time(..) | Literal::Text(_)) => {
            compare_text(op, text, literal)
        }
        (Value::Number(_) | Value::Time(_), Literal::Text(_)) => op == CompareOp::NotEqual,
    }
}

/// Whether `number op literal` holds. No number equals a text.
pub fn compare_number(op: CompareOp, number: f64, literal: &Literal) -> bool {
    match literal {
        Literal::Number(right, _) => op.holds(number, *right),
        Literal::Time(right, _) => op.holds(number, *right as f64),
        Literal::Text(_) => op == CompareOp::NotEqual,
    }
}

/// Whether `millis op literal` holds for an instant. No instant equals a text.
pub fn compare_time(op: CompareOp, millis: i64, literal: &Literal) -> bool {
    match literal {
        Literal::Time(right, _) => match op {
            CompareOp::Equal => millis == *right,
            CompareOp::NotEqual => millis != *right,
            CompareOp::Less => millis < *right,
            CompareOp::LessEqual => millis <= *right,
            CompareOp::Greater => millis > *right,
            CompareOp::GreaterEqual => millis >= *right,
        },
        Literal::Number(right, _) => op.holds(millis as f64, *right),
        Literal::Text(_) => op == CompareOp::NotEqual,
    }
}

/// Whether `text op literal` holds for a text that is no number: a literal counts by its text as
/// written. Texts have no order, so only `=` and `!=` can hold.
pub fn compare_text(op: CompareOp, text: &str, literal: &Literal) -> bool {
    let (Literal::Number(_, right) | Literal::Time(_, right) | Literal::Text(right)) = literal;
    match op {
        CompareOp::Equal => text == right,
        CompareOp::NotEqual => text != right,
        CompareOp::Less | CompareOp::LessEqual | CompareOp::Greater | CompareOp::GreaterEqual => {
            false
        }
    }
}

/// Whether a text fits a pattern as a whole: `%` stands for any text, `_` for one character.
pub fn like_matches(pattern: &str, case: Case, text: &str) -> bool {
    match case {
        Case::Sensitive => fits(pattern, text),
        Case::Insensitive => fits(&pattern.to_lowercase(), &text.to_lowercase()),
    }
}

/// Walks both texts once; where they part, the last `%` swallows one more character.
fn fits(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    let mut retry = None;
    loop {
        let step = match (pattern.next(), text.clone().next()) {
            (Some('%'), _) => {
                retry = Some((pattern.clone(), text.clone()));
                continue;
            }
            (None, None) => return true,
            (Some('_'), Some(_)) => true,
            (Some(wanted), Some(found)) => wanted == found,
            (Some(_), None) => return false,
            (None, Some(_)) => false,
        };
        if step {
            text.next();
            continue;
        }
        match &mut retry {
            Some((after, swallowed)) => {
                swallowed.next();
                pattern = after.clone();
                text = swallowed.clone();
            }
            None => return false,
        }
    }
}
