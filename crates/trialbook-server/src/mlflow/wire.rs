//! MLflow's wire: proto2 messages as JSON, read with presence and written compactly.
//!
//! A message is declared once by [`message!`]; that gives the struct, its reading from bodies and queries, and
//! what a refusal says of its fields. Not here: what a message means.
//! Invariant: an absent field and a null are the same; a field that was given is `Some`, also where it is 0 or
//! empty; reading never panics and never turns one value into another.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};

mod body;
mod numbers;
mod query;
mod refusal;
#[cfg(test)]
mod tests;

pub(in crate::mlflow) use crate::http::query::{pairs, unescaped};
pub(in crate::mlflow) use body::read_body;
pub(in crate::mlflow) use numbers::{Double, Real, Whole, Word};
pub(in crate::mlflow) use query::read_query;
pub(in crate::mlflow) use refusal::{WireError, compact};

/// What a request says.
pub(in crate::mlflow) trait Message: DeserializeOwned {
    /// Its fields, in the order in which they are looked at for a refusal.
    const FIELDS: &'static [Field];
}

/// One field of a message.
#[derive(Debug, Clone, Copy)]
pub(in crate::mlflow) struct Field {
    /// Its name in the protocol's file, such as `run_id`.
    pub name: &'static str,
    /// Its other spelling, such as `runId`; empty where both are one.
    pub camel: &'static str,
    /// What its values are.
    pub form: Form,
}

/// What the values of a field are.
#[derive(Debug, Clone, Copy)]
pub(in crate::mlflow) enum Form {
    /// A text.
    Text,
    /// A whole number, or a text that is one.
    Whole,
    /// A number, or a text that is one.
    Number,
    /// `true` or `false`.
    Flag,
    /// The name or the number of a choice.
    Word,
    /// Texts.
    Texts,
    /// One message.
    One(&'static [Field]),
    /// Messages.
    Many(&'static [Field]),
    /// Any JSON value.
    Any,
}

impl Form {
    /// Whether a query may name the field several times.
    const fn is_list(self) -> bool {
        match self {
            Self::Texts | Self::Many(_) => true,
            Self::Text
            | Self::Whole
            | Self::Number
            | Self::Flag
            | Self::Word
            | Self::One(_)
            | Self::Any => false,
        }
    }
}

/// A type that a field of a message can have.
pub(in crate::mlflow) trait Formed {
    /// What its values are on the wire.
    const FORM: Form;
}

impl Formed for Option<String> {
    const FORM: Form = Form::Text;
}
impl Formed for Option<Whole> {
    const FORM: Form = Form::Whole;
}
impl Formed for Option<Real> {
    const FORM: Form = Form::Number;
}
impl Formed for Option<bool> {
    const FORM: Form = Form::Flag;
}
impl Formed for Option<Word> {
    const FORM: Form = Form::Word;
}
impl Formed for Option<serde_json::Value> {
    const FORM: Form = Form::Any;
}
impl<M: Message> Formed for Option<M> {
    const FORM: Form = Form::One(M::FIELDS);
}
impl Formed for List<String> {
    const FORM: Form = Form::Texts;
}
impl<M: Message> Formed for List<M> {
    const FORM: Form = Form::Many(M::FIELDS);
}

/// A repeated field: absent, null and empty are one.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::mlflow) struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> std::ops::Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = Option::<Vec<T>>::deserialize(deserializer)?;
        Ok(Self(list.unwrap_or_default()))
    }
}

/// A field that has to be there; an empty text counts as absent, as MLflow has it.
pub(in crate::mlflow) fn required<'a>(
    field: &'static str,
    value: Option<&'a String>,
) -> Result<&'a str, WireError> {
    match value {
        Some(text) if !text.is_empty() => Ok(text),
        Some(_) | None => Err(WireError::missing(field)),
    }
}

/// As [`required`], of a field of any other type.
pub(in crate::mlflow) fn given<T>(field: &'static str, value: Option<T>) -> Result<T, WireError> {
    value.ok_or_else(|| WireError::missing(field))
}

/// Declares messages: the fields in snake case, behind `/` the other spelling where it differs.
macro_rules! message {
    ($(
        $(#[$doc:meta])*
        $vis:vis struct $name:ident {
            $( $(#[$field_doc:meta])* $field:ident $(/ $camel:literal)? : $type:ty ),* $(,)?
        }
    )+) => {$(
        $(#[$doc])*
        #[derive(Debug, Default, serde::Deserialize)]
        #[serde(default)]
        $vis struct $name {
            $( $(#[$field_doc])* $(#[serde(alias = $camel)])? pub(in crate::mlflow) $field: $type, )*
        }

        impl $crate::mlflow::wire::Message for $name {
            const FIELDS: &'static [$crate::mlflow::wire::Field] = &[$(
                $crate::mlflow::wire::Field {
                    name: stringify!($field),
                    camel: concat!("" $(, $camel)?),
                    form: <$type as $crate::mlflow::wire::Formed>::FORM,
                },
            )*];
        }
    )+};
}
pub(in crate::mlflow) use message;
