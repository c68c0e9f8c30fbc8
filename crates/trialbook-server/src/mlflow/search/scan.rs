//! The words of MLflow's filters and sort keys: names, quoted texts, numbers, signs.
//!
//! Invariant: every step takes at least one character or nothing is left, so reading ends.

use super::SearchError;

/// How much of the text a refusal repeats.
const SHOWN: usize = 60;

/// Reads a text from left to right.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    rest: &'a str,
}

/// A key as it is written: its prefix, if it has one, and its name without quotes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) prefix: Option<String>,
    pub(super) name: String,
}

/// A value as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// In quotes.
    Quoted(String),
    /// Without.
    Bare(String),
}

impl Value {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Quoted(text) | Self::Bare(text) => text,
        }
    }
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text.trim() }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest[bytes..].trim_start();
    }

    /// The refusal of what stands here.
    pub(super) fn refused(&self, reason: &str) -> SearchError {
        let found = match self.rest.char_indices().nth(SHOWN) {
            Some((end, _)) => &self.rest[..end],
            None => self.rest,
        };
        SearchError::Clause {
            found: found.to_owned(),
            reason: reason.to_owned(),
        }
    }

    pub(super) fn eat(&mut self, letter: char) -> bool {
        let is_here = self.rest.starts_with(letter);
        if is_here {
            self.advance(letter.len_utf8());
        }
        is_here
    }

    /// The word that begins here, not yet read.
    fn word(&self) -> &'a str {
        let is_end = |letter: char| !(letter.is_alphanumeric() || "_.-+:/@".contains(letter));
        let end = self.rest.find(is_end).unwrap_or(self.rest.len());
        &self.rest[..end]
    }

    /// Reads a keyword, whatever its case.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let is_here = self.word().eq_ignore_ascii_case(word);
        if is_here {
            self.advance(word.len());
        }
        is_here
    }

    /// Reads the sign of a comparison; empty where there is none.
    pub(super) fn sign(&mut self) -> &'a str {
        let end = self.rest.find(|letter| !"=!<>".contains(letter));
        let sign = &self.rest[..end.unwrap_or(self.rest.len())];
        self.advance(sign.len());
        sign
    }

    /// Reads a text in quotes, if one begins here; a doubled quote in it is one.
    fn quoted(&mut self, quotes: &str) -> Result<Option<String>, SearchError> {
        let Some(quote) = self.rest.chars().next().filter(|it| quotes.contains(*it)) else {
            return Ok(None);
        };
        let mut text = String::new();
        let mut letters = self.rest.char_indices().skip(1).peekable();
        while let Some((at, letter)) = letters.next() {
            if letter != quote {
                text.push(letter);
            } else if letters.next_if(|(_, next)| *next == quote).is_some() {
                text.push(quote);
            } else {
                self.advance(at + quote.len_utf8());
                return Ok(Some(text));
            }
        }
        Err(self.refused("nothing closes the quote"))
    }

    /// Reads a key, such as `name`, `tags.team` or ``tags.`a b` ``.
    pub(super) fn key(&mut self) -> Result<Written, SearchError> {
        if let Some(name) = self.quoted("`\"")? {
            return Ok(Written { prefix: None, name });
        }
        let word = self.word();
        let (prefix, plain) = match word.split_once('.') {
            Some((prefix, plain)) => (Some(prefix.to_owned()), plain),
            None => (None, word),
        };
        if word.is_empty() || word.starts_with(|letter: char| letter.is_ascii_digit()) {
            return Err(self.refused("expected a key such as name or tags.team"));
        }
        // Blanks behind the dot would be skipped otherwise.
        self.rest = &self.rest[word.len()..];
        let name = match self.quoted("`\"")? {
            Some(name) if plain.is_empty() => name,
            Some(_) => return Err(self.refused("a quote inside of a name")),
            None => plain.to_owned(),
        };
        self.advance(0);
        if name.is_empty() {
            return Err(self.refused("expected a name behind the dot"));
        }
        Ok(Written { prefix, name })
    }

    /// Reads a value.
    pub(super) fn value(&mut self) -> Result<Value, SearchError> {
        if let Some(text) = self.quoted("'\"")? {
            return Ok(Value::Quoted(text));
        }
        let word = self.word();
        if word.is_empty() {
            return Err(self.refused("expected a value"));
        }
        self.advance(word.len());
        Ok(Value::Bare(word.to_owned()))
    }

    /// Reads a list of values in parentheses; a comma may stand before its end.
    pub(super) fn list(&mut self) -> Result<Vec<Value>, SearchError> {
        if !self.eat('(') {
            return Err(self.refused("expected a list such as ('a', 'b')"));
        }
        let mut values = vec![self.value()?];
        while !self.eat(')') {
            if !self.eat(',') {
                return Err(self.refused("expected `,` or `)`"));
            }
            if !self.rest.starts_with(')') {
                values.push(self.value()?);
            }
        }
        Ok(values)
    }
}
