//! The words of a filter: names, quoted texts, numbers, signs, with their places in the text.
//!
//! Not here: what the words mean together. Invariant: every token's place is a boundary of characters.

use super::ast::KeyKind;
use super::error::{Slip, clipped};
use super::fault::{Expected, Fault};

const KEYWORDS: [&str; 10] = [
    "and", "or", "not", "in", "is", "null", "like", "ilike", "asc", "desc",
];

const PREFIXES: [(&str, KeyKind); 14] = [
    ("metrics", KeyKind::Metric),
    ("metric", KeyKind::Metric),
    ("params", KeyKind::Param),
    ("param", KeyKind::Param),
    ("parameters", KeyKind::Param),
    ("parameter", KeyKind::Param),
    ("tags", KeyKind::Tag),
    ("tag", KeyKind::Tag),
    ("attributes", KeyKind::Attribute),
    ("attribute", KeyKind::Attribute),
    ("attr", KeyKind::Attribute),
    ("run", KeyKind::Attribute),
    ("datasets", KeyKind::Dataset),
    ("dataset", KeyKind::Dataset),
];

/// Whether a name may stand without quotes behind a prefix.
pub(super) fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(is_name_character)
        && !name.starts_with('.')
        && !name.ends_with('.')
}

/// Whether a word is taken by the language, whatever its case.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(word))
}

/// The kind that the first part of a dotted word names, and the rest behind the dot.
pub(super) fn prefix_of(word: &str) -> Option<(KeyKind, &str)> {
    let (first, rest) = word.split_once('.')?;
    PREFIXES
        .iter()
        .find(|(prefix, _)| prefix.eq_ignore_ascii_case(first))
        .map(|&(_, kind)| (kind, rest))
}

/// Whether a bare word may begin with this letter.
pub(super) fn is_name_start(letter: char) -> bool {
    letter.is_alphabetic() || letter == '_'
}

/// Whether a name may hold this letter without quotes.
pub(super) fn is_name_character(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '.' | '/' | ':' | '@' | '-')
}

/// The number that a text is: an optional sign, digits with at most one point, an optional exponent,
/// or `inf` or `infinity`. Never NaN, which nothing equals.
pub(super) fn number(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let begins_as_number =
        unsigned.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.');
    let is_infinity =
        unsigned.eq_ignore_ascii_case("inf") || unsigned.eq_ignore_ascii_case("infinity");
    if begins_as_number || is_infinity {
        text.parse().ok()
    } else {
        None
    }
}

/// Reads a text from left to right.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The place of the next word, behind blanks.
    pub(super) fn place(&mut self) -> usize {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.at
    }

    /// The text from `start` to the end of what was read, without blanks behind it.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text[start..self.at].trim_end()
    }

    /// What is still unread, without skipping blanks.
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The next character behind blanks.
    pub(super) fn peek(&mut self) -> Option<char> {
        let at = self.place();
        self.text[at..].chars().next()
    }

    /// The word that begins behind blanks, empty if there is none. It is not yet read.
    pub(super) fn peek_word(&mut self) -> &'a str {
        self.place();
        run_of(self.rest(), is_name_character)
    }

    /// The sign of an operator that begins behind blanks, empty if there is none. It is not yet read.
    pub(super) fn peek_sign(&mut self) -> &'a str {
        self.place();
        run_of(self.rest(), |letter| {
            matches!(letter, '=' | '!' | '<' | '>' | '~' | '&' | '|')
        })
    }

    /// The value without quotes that begins behind blanks, such as `-1e+5`. It is not yet read.
    pub(super) fn peek_value(&mut self) -> &'a str {
        self.place();
        run_of(self.rest(), |letter| {
            is_name_character(letter) || letter == '+'
        })
    }

    /// Reads so many bytes, which [`Scanner::rest`] must have shown.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Reads this character behind blanks, if it is the next one.
    pub(super) fn eat(&mut self, sign: char) -> bool {
        let found = self.peek() == Some(sign);
        if found {
            self.at += sign.len_utf8();
        }
        found
    }

    /// Reads this word behind blanks, whatever its case, if it is the next one.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let next = self.peek_word();
        let found = next.eq_ignore_ascii_case(word);
        if found {
            self.at += next.len();
        }
        found
    }

    /// Reads what stands between quotes; the opening one is the next character. A doubled quote is one.
    pub(super) fn quoted(&mut self, quote: char) -> Result<String, Slip> {
        let opening = self.at;
        let mut content = String::new();
        let mut letters = self.rest().char_indices().skip(1).peekable();
        while let Some((at, letter)) = letters.next() {
            if letter != quote {
                content.push(letter);
            } else if letters.next_if(|&(_, next)| next == quote).is_some() {
                content.push(quote);
            } else {
                self.at += at + quote.len_utf8();
                return Ok(content);
            }
        }
        Err(Slip::new(opening, Fault::Unclosed { opening: quote }))
    }

    /// That something else belongs at the next word.
    pub(super) fn expected(&mut self, expected: Expected) -> Slip {
        let at = self.place();
        let value = self.peek_value();
        let sign = self.peek_sign();
        let found = if !value.is_empty() {
            Some(clipped(value))
        } else if !sign.is_empty() {
            Some(clipped(sign))
        } else {
            self.peek().map(String::from)
        };
        Slip::new(at, Fault::Expected { expected, found })
    }
}

fn run_of(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    let end = text.find(|letter| !belongs(letter)).unwrap_or(text.len());
    &text[..end]
}
