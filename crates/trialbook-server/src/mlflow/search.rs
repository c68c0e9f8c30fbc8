//! What searches of MLflow share: conditions joined by AND, sort keys, page tokens, numbers of results.
//!
//! Runs are searched with the model's own parser of MLflow's dialect ([`runs`]); everything that is kept in no
//! column index (experiments, registered models, versions, logged models) is judged clause by clause
//! ([`clause`]). Not here: which nouns there are. Invariant: a text that cannot be read is refused with
//! INVALID_PARAMETER_VALUE and says where.

pub(in crate::mlflow) mod clause;
pub(in crate::mlflow) mod grammar;
pub(in crate::mlflow) mod order;
pub(in crate::mlflow) mod page;
pub(in crate::mlflow) mod runs;
mod scan;
#[cfg(test)]
mod tests;

pub(in crate::mlflow) use clause::{Clause, Fact};
pub(in crate::mlflow) use grammar::{Attribute, Entity, Grammar};
pub(in crate::mlflow) use page::Page;

/// Why a search cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::mlflow) enum SearchError {
    /// Something that is no condition.
    #[error("Invalid clause(s) in filter string: '{found}' ({reason})")]
    Clause {
        /// The text from there on.
        found: String,
        /// What belongs there.
        reason: String,
    },
    /// A prefix that nothing has.
    #[error("Invalid entity type '{found}'. Valid values are {known}")]
    EntityType {
        /// The prefix.
        found: String,
        /// Those that there are.
        known: String,
    },
    /// An attribute that the noun does not have.
    #[error("Invalid attribute key '{found}' specified. Valid keys are {known}")]
    AttributeKey {
        /// The name.
        found: String,
        /// Those that there are.
        known: String,
    },
    /// An operator that the key does not take.
    #[error("Invalid comparator '{found}' for '{key}', not one of {known}")]
    Comparator {
        /// The operator.
        found: String,
        /// The key.
        key: String,
        /// Those that it takes.
        known: String,
    },
    /// A number is compared with something else.
    #[error("Expected numeric value type for {key}. Found {found}")]
    Number {
        /// The key.
        key: String,
        /// The value.
        found: String,
    },
    /// A text is compared with something that is not quoted.
    #[error("Expected a quoted string value for {key} (e.g. 'my-value'). Got value {found}")]
    Quoted {
        /// The key.
        key: String,
        /// The value.
        found: String,
    },
    /// A sort key that cannot be read.
    #[error("Invalid order_by clause '{found}'. Could not be parsed. ({reason})")]
    OrderClause {
        /// The key as given.
        found: String,
        /// What is wrong.
        reason: String,
    },
    /// A sort key that the noun does not have.
    #[error("Invalid order by key '{found}' specified. Valid keys are {known}")]
    OrderKey {
        /// The key.
        found: String,
        /// Those that there are.
        known: String,
    },
    /// Something that is not sorted by.
    #[error("Invalid order_by entity: {found}")]
    OrderEntity {
        /// What it is.
        found: &'static str,
    },
    /// A sort key twice.
    #[error("`order_by` contains duplicate fields: {found}")]
    OrderTwice {
        /// The key.
        found: String,
    },
    /// A page token that no answer had.
    #[error("Invalid page token, {reason}")]
    PageToken {
        /// What is wrong with it.
        reason: String,
    },
    /// Fewer or more results than may be asked for.
    #[error("Invalid value {found} for parameter 'max_results' supplied. It must be {wanted}")]
    MaxResults {
        /// How many were asked for.
        found: i64,
        /// How many may be.
        wanted: String,
    },
}

/// How many results are asked for: from 1 to `most`; `None` where the field was not given and has to be.
pub(in crate::mlflow) fn max_results(found: i64, most: usize) -> Result<usize, SearchError> {
    match usize::try_from(found) {
        Ok(limit) if (1..=most).contains(&limit) => Ok(limit),
        Ok(limit) if limit > most => Err(SearchError::MaxResults {
            found,
            wanted: format!("at most {most}"),
        }),
        Ok(_) | Err(_) => Err(SearchError::MaxResults {
            found,
            wanted: "a positive integer".to_owned(),
        }),
    }
}

/// Words as a list in a message.
fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("'{word}'")).collect();
    format!("[{}]", words.join(", "))
}
