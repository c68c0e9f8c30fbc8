//! The words behind a verb: options with a value and plain names.
//!
//! Not a general parser: each verb takes what it knows and then refuses the rest with [`Arguments::finish`].

use std::str::FromStr;

use anyhow::{Result, bail};

/// The words that no one has taken yet.
pub(crate) struct Arguments {
    words: Vec<String>,
}

impl Arguments {
    /// From the words behind the verb.
    pub(crate) fn new(words: impl Iterator<Item = String>) -> Self {
        Self {
            words: words.collect(),
        }
    }

    /// Takes all values of `option`, written `--option VALUE` or `--option=VALUE`.
    pub(crate) fn values(&mut self, option: &str) -> Result<Vec<String>> {
        let mut values = Vec::new();
        let mut rest = Vec::new();
        let mut words = std::mem::take(&mut self.words).into_iter();
        while let Some(word) = words.next() {
            if word == option {
                match words.next() {
                    Some(value) => values.push(value),
                    None => bail!("`{option}` needs a value"),
                }
            } else if let Some(value) = word.strip_prefix(option).and_then(|w| w.strip_prefix('='))
            {
                values.push(value.to_owned());
            } else {
                rest.push(word);
            }
        }
        self.words = rest;
        Ok(values)
    }

    /// Takes the one value of `option`, if it is given.
    pub(crate) fn value<T: FromStr>(&mut self, option: &str) -> Result<Option<T>> {
        let mut values = self.values(option)?;
        let Some(text) = values.pop() else {
            return Ok(None);
        };
        if !values.is_empty() {
            bail!("`{option}` is given more than once");
        }
        match text.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => bail!("`{option}` cannot be `{text}`"),
        }
    }

    /// Takes the words that are no options.
    pub(crate) fn names(&mut self) -> Vec<String> {
        let (options, names) = std::mem::take(&mut self.words)
            .into_iter()
            .partition(|word| word.starts_with('-'));
        self.words = options;
        names
    }

    /// Refuses what is left.
    pub(crate) fn finish(self) -> Result<()> {
        match self.words.first() {
            Some(word) => bail!("`{word}` is not understood here"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Arguments {
        Arguments::new(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_taken_in_both_spellings_and_the_rest_is_refused() {
        let mut given = arguments("--only fmt append --only=tidy --odd");
        assert_eq!(given.values("--only").unwrap(), ["fmt", "tidy"]);
        assert_eq!(given.names(), ["append"]);
        assert_eq!(
            given.finish().unwrap_err().to_string(),
            "`--odd` is not understood here"
        );
    }

    #[test]
    fn a_value_is_one_and_of_its_kind() {
        assert_eq!(
            arguments("--seed 7").value::<u64>("--seed").unwrap(),
            Some(7)
        );
        assert_eq!(arguments("").value::<u64>("--seed").unwrap(), None);
        assert!(arguments("--seed x").value::<u64>("--seed").is_err());
        assert!(
            arguments("--seed 1 --seed 2")
                .value::<u64>("--seed")
                .is_err()
        );
        assert!(arguments("--seed").value::<u64>("--seed").is_err());
    }
}
