//! The words of a filter: names, quoted texts, numbers, signs, with their places in the text.
//!
//! Not here: what the words mean together. Invariant: every token's place is a boundary of characters.

use super::ast::KeyKind;

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
