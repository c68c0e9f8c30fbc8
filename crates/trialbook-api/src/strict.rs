//! Requests are read strictly: what is not known is refused with the nearest known name, and every failure
//! names the parameter or key and what was expected.
//!
//! Not here: what requests mean. Invariant: nothing that was sent is passed over in silence.

mod body;
mod query;

use std::fmt;

use serde::de;
use trialbook_model::nearest::nearest;

pub use body::read_body;
pub use query::read_query;

/// Why a request cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The body is no JSON.
    #[error("the body is no JSON: {reason}")]
    Json {
        /// What is wrong.
        reason: String,
        /// Where, in bytes from 0.
        position: u64,
    },
    /// The query is not written as one.
    #[error("the query holds `{part}`, which stands for no text")]
    Query {
        /// The part.
        part: String,
    },
    /// A parameter or key that is not known.
    #[error("there is nothing called `{field}` here")]
    Unknown {
        /// As given; with what it stands in.
        field: String,
        /// What there is.
        known: &'static [&'static str],
    },
    /// A parameter or key is needed.
    #[error("`{field}` is missing")]
    Missing {
        /// Its name; with what it stands in.
        field: String,
    },
    /// A parameter or key is there twice.
    #[error("`{field}` is given twice")]
    Twice {
        /// Its name; with what it stands in.
        field: String,
    },
    /// A word that is none of those that may stand there.
    #[error("`{word}` is not known here")]
    Word {
        /// Where; empty for the whole.
        field: String,
        /// As given.
        word: String,
        /// What there is.
        known: &'static [&'static str],
    },
    /// A value of another kind.
    #[error("{reason}")]
    Wrong {
        /// Where; empty for the whole.
        field: String,
        /// What is wrong, and what was expected.
        reason: String,
    },
}

impl Unreadable {
    /// The parameter or key that is wrong.
    pub fn field(&self) -> Option<&str> {
        let field = match self {
            Self::Json { .. } | Self::Query { .. } => return None,
            Self::Unknown { field, .. }
            | Self::Missing { field }
            | Self::Twice { field }
            | Self::Word { field, .. }
            | Self::Wrong { field, .. } => field,
        };
        Some(field.as_str()).filter(|field| !field.is_empty())
    }

    /// Where in the text.
    pub const fn position(&self) -> Option<u64> {
        match self {
            Self::Json { position, .. } => Some(*position),
            Self::Query { .. }
            | Self::Unknown { .. }
            | Self::Missing { .. }
            | Self::Twice { .. }
            | Self::Word { .. }
            | Self::Wrong { .. } => None,
        }
    }

    /// What to do.
    pub fn hint(&self) -> Option<String> {
        let (given, known) = match self {
            Self::Unknown { field, known } => (last(field), *known),
            Self::Word { word, known, .. } => (word.as_str(), *known),
            Self::Json { .. }
            | Self::Query { .. }
            | Self::Missing { .. }
            | Self::Twice { .. }
            | Self::Wrong { .. } => return None,
        };
        if let Some(nearest) = nearest(given, known) {
            return Some(format!("nearest: `{nearest}`"));
        }
        match known {
            [] => Some("nothing can be said here".to_owned()),
            known => Some(format!("known: {}", known.join(", "))),
        }
    }

    /// The same failure inside something.
    #[must_use]
    fn under(mut self, outer: &str) -> Self {
        match &mut self {
            Self::Json { .. } | Self::Query { .. } => {}
            Self::Unknown { field, .. }
            | Self::Missing { field }
            | Self::Twice { field }
            | Self::Word { field, .. }
            | Self::Wrong { field, .. } => {
                *field = match field.as_str() {
                    "" => outer.to_owned(),
                    inner => format!("{outer}.{inner}"),
                };
            }
        }
        self
    }
}

fn last(field: &str) -> &str {
    field.rsplit('.').next().unwrap_or(field)
}

impl de::Error for Unreadable {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::Wrong {
            field: String::new(),
            reason: reason.to_string(),
        }
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        Self::Word {
            field: String::new(),
            word: word.to_owned(),
            known,
        }
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::Unknown {
            field: field.to_owned(),
            known,
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing {
            field: field.to_owned(),
        }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::Twice {
            field: field.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
