//! Sort keys of nouns that no column index holds: `key [ASC|DESC]`.
//!
//! Invariant: a key is named once.

use super::grammar::{Entity, Grammar};
use super::scan::Scan;
use super::{SearchError, listed};

/// A sort key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::mlflow) struct Term {
    /// An attribute's name.
    pub key: &'static str,
    /// Greatest first.
    pub is_descending: bool,
}

impl Term {
    /// An order of what two nouns have, turned where the greatest come first.
    pub(in crate::mlflow) fn directed(&self, order: std::cmp::Ordering) -> std::cmp::Ordering {
        if self.is_descending {
            order.reverse()
        } else {
            order
        }
    }
}

impl Grammar {
    /// Reads sort keys, each in a text of its own.
    pub(in crate::mlflow) fn parse_order(
        &self,
        texts: &[String],
    ) -> Result<Vec<Term>, SearchError> {
        let mut terms: Vec<Term> = Vec::with_capacity(texts.len());
        for text in texts {
            let term = self.order_term(text)?;
            if terms.iter().any(|known| known.key == term.key) {
                let found = term.key.to_owned();
                return Err(SearchError::OrderTwice { found });
            }
            terms.push(term);
        }
        Ok(terms)
    }

    fn order_term(&self, text: &str) -> Result<Term, SearchError> {
        let refused = |reason: String| SearchError::OrderClause {
            found: text.to_owned(),
            reason,
        };
        let mut scan = Scan::new(text);
        let written = scan.key().map_err(|error| refused(error.to_string()))?;
        let is_descending = scan.eat_word("desc");
        if !is_descending {
            scan.eat_word("asc");
        }
        if !scan.is_at_end() {
            return Err(refused("expected ASC or DESC".to_owned()));
        }
        let entity = self.entity(written.prefix.as_deref())?;
        if entity != Entity::Attribute {
            let found = entity.word();
            return Err(SearchError::OrderEntity { found });
        }
        let mut known = self.sorted_by.iter();
        let key = known.find(|key| **key == written.name);
        let key = *key.ok_or_else(|| SearchError::OrderKey {
            found: written.name.clone(),
            known: listed(self.sorted_by.iter().copied()),
        })?;
        Ok(Term { key, is_descending })
    }
}
