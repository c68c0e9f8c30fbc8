//! From a written condition to its expression: the way that both dialects go.
//!
//! Not here: what a key means and what it takes, which each dialect says as its [`Form`]. Invariant: an
//! expression is made only where the key takes the operator, and no text is ordered.

use super::ast::{Expr, Key, Literal};
use super::error::{Slip, clipped};
use super::fault::{Fault, ValueForm};
use super::written::{Condition, Predicate, Value, WrittenKey};

/// What a key takes on its right side, as a dialect has it.
pub(super) trait Form: Copy {
    /// The form of a key.
    fn of(key: &Key) -> Self;
    /// Whether it goes with an operator.
    fn takes(self, predicate: &Predicate) -> bool;
    /// The operators that it goes with, for a message.
    fn taken(self) -> &'static str;
    /// A value of it; `key` is for the message.
    fn literal(self, key: &str, value: Value) -> Result<Literal, Slip>;
    /// The text of a value that must stand between quotes.
    fn quoted(key: &str, value: Value) -> Result<String, Slip>;
}

/// A condition whose key takes its operator.
pub(super) struct Fit<F> {
    pub(super) key: Key,
    pub(super) form: F,
    /// The key as written.
    pub(super) text: String,
    pub(super) predicate: Predicate,
}

impl<F: Form> Fit<F> {
    /// A written condition whose key means what `key` says.
    pub(super) fn of(
        condition: Condition,
        key: impl FnOnce(WrittenKey) -> Result<Key, Slip>,
    ) -> Result<Self, Slip> {
        let Condition {
            key: written,
            operator_at,
            predicate,
        } = condition;
        let text = written.text.clone();
        let key = key(written)?;
        let form = F::of(&key);
        if !form.takes(&predicate) {
            let fault = Fault::Operator {
                key: text,
                operator: predicate.operator(),
                allowed: form.taken(),
            };
            return Err(Slip::new(operator_at, fault));
        }
        Ok(Self {
            key,
            form,
            text,
            predicate,
        })
    }

    /// Its expression.
    pub(super) fn expression(self) -> Result<Expr, Slip> {
        let Self {
            key,
            form,
            text,
            predicate,
        } = self;
        Ok(match predicate {
            Predicate::Null { negated } => Expr::IsNull { key, negated },
            Predicate::Like {
                case,
                negated,
                pattern,
            } => Expr::Like {
                key,
                pattern: F::quoted(&text, pattern)?,
                case,
                negated,
            },
            Predicate::In { negated, values } => Expr::In {
                key,
                values: values
                    .into_iter()
                    .map(|value| form.literal(&text, value))
                    .collect::<Result<_, _>>()?,
                negated,
            },
            Predicate::Compare(op, value) => {
                let at = value.at;
                let value = form.literal(&text, value)?;
                match value {
                    Literal::Text(found) if op.is_ordering() => {
                        return Err(misfit(at, &text, ValueForm::OrderedNumber, &found));
                    }
                    Literal::Number(..) | Literal::Time(..) | Literal::Text(_) => {
                        Expr::Compare { key, op, value }
                    }
                }
            }
        })
    }
}

/// That the value does not go with the key.
pub(super) fn misfit(at: usize, key: &str, wanted: ValueForm, found: &str) -> Slip {
    let (key, found) = (key.to_owned(), clipped(found));
    Slip::new(at, Fault::Value { key, wanted, found })
}
