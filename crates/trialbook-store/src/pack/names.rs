//! The book's dictionary of names: keys of metrics, params and tags, and contexts, each written once.
//!
//! Invariant: a name keeps its number for ever; numbers are dense from 0, and 0 is the empty text.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use trialbook_spool::codec::CodecError;

/// Names and their numbers.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    names: Vec<Arc<str>>,
    numbers: FxHashMap<Arc<str>, u32>,
}

impl Default for Names {
    fn default() -> Self {
        let mut names = Self {
            names: Vec::new(),
            numbers: FxHashMap::default(),
        };
        names.number("");
        names
    }
}

impl Names {
    /// How many names there are.
    pub(crate) fn len(&self) -> u32 {
        self.names.len() as u32
    }

    /// The number of a name, a new one where it has none.
    pub(crate) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let name: Arc<str> = name.into();
        let number = self.names.len() as u32;
        self.names.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        number
    }

    /// The name of a number that a blob holds.
    pub(crate) fn name(&self, number: u64) -> Result<&str, CodecError> {
        usize::try_from(number)
            .ok()
            .and_then(|number| self.names.get(number))
            .map(AsRef::as_ref)
            .ok_or(CodecError::Malformed {
                part: "the number of a name that does not exist",
            })
    }

    /// Names from a number on, with their numbers.
    pub(crate) fn since(&self, from: u32) -> impl Iterator<Item = (u32, &str)> {
        (from..self.len()).filter_map(|number| Some((number, &**self.names.get(number as usize)?)))
    }
}
