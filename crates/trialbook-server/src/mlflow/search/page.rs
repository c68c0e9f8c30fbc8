//! Pages of results and the tokens that name the next one.
//!
//! A token is MLflow's: base64 of `{"offset": N}`. Clients hand it back as it is.
//! Invariant: a token is made only where something is left behind the page.

use serde::Deserialize;

use super::SearchError;
use crate::base64::{decode, encode};

/// The part of an answer that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mlflow) struct Page {
    /// Results passed over.
    pub offset: usize,
    /// Results wanted at most.
    pub limit: usize,
}

impl Page {
    /// The page that a token names; the first one without a token.
    pub(in crate::mlflow) fn read(token: Option<&str>, limit: usize) -> Result<Self, SearchError> {
        let offset = match token.filter(|token| !token.is_empty()) {
            Some(token) => offset(token)?,
            None => 0,
        };
        Ok(Self { offset, limit })
    }

    /// The token of the page behind this one, if `total` results leave something for it.
    pub(in crate::mlflow) fn next(self, total: usize) -> Option<String> {
        let end = self.offset.saturating_add(self.limit);
        (end < total).then(|| token(end))
    }

    /// Its part of a list, and the token of the page behind it.
    pub(in crate::mlflow) fn of<T>(self, list: &[T]) -> (&[T], Option<String>) {
        let from = self.offset.min(list.len());
        let to = self.offset.saturating_add(self.limit).min(list.len());
        (&list[from..to], self.next(list.len()))
    }
}

impl Page {
    /// As [`Page::read`], of a token that goes with one question.
    pub(in crate::mlflow) fn read_for(
        token: Option<&str>,
        limit: usize,
        question: &str,
    ) -> Result<Self, SearchError> {
        let page = Self::read(token, limit)?;
        if let Some(token) = token
            && *token != token_for(page.offset, question)
        {
            let reason = "it belongs to another search".to_owned();
            return Err(SearchError::PageToken { reason });
        }
        Ok(page)
    }

    /// As [`Page::of`], with a token that goes with one question.
    pub(in crate::mlflow) fn of_for<'l, T>(
        self,
        list: &'l [T],
        question: &str,
    ) -> (&'l [T], Option<String>) {
        let (part, next) = self.of(list);
        let end = self.offset.saturating_add(self.limit);
        (part, next.map(|_token| token_for(end, question)))
    }
}

fn token_for(offset: usize, question: &str) -> String {
    let token = format!("{{\"offset\": {offset}, \"of\": \"{question}\"}}");
    encode(token.as_bytes())
}

fn token(offset: usize) -> String {
    encode(format!("{{\"offset\": {offset}}}").as_bytes())
}

fn offset(token: &str) -> Result<usize, SearchError> {
    #[derive(Deserialize)]
    struct Token {
        offset: crate::mlflow::wire::Whole,
    }
    let refused = |reason: &str| SearchError::PageToken {
        reason: reason.to_owned(),
    };
    let decoded = decode(token).ok_or_else(|| refused("could not base64-decode"))?;
    let read = serde_json::from_slice::<Token>(&decoded);
    let found = read.map_err(|_reason| refused("decoded value holds no offset"))?;
    match usize::try_from(found.offset.0) {
        Ok(offset) if offset > 0 => Ok(offset),
        Ok(_) | Err(_) => Err(refused("its offset is not positive")),
    }
}
