//! Making text harmless for a terminal.
//!
//! Invariant: what comes out holds no control character and no mark that turns the direction of writing.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with control characters written as escapes, such as `\n` and `\u{1b}`.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if is_harmful(letter) {
            safe.extend(letter.escape_default());
        } else {
            safe.push(letter);
        }
    }
    Cow::Owned(safe)
}

/// JSON with the characters escaped that JSON allows in strings and terminals obey.
pub(super) fn json(text: &str) -> Cow<'_, str> {
    let obeyed = |letter: char| letter != '\n' && is_harmful(letter);
    if !text.chars().any(obeyed) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if obeyed(letter) {
            // All of them are below U+10000.
            write!(safe, "\\u{:04x}", u32::from(letter)).expect("a string takes all");
        } else {
            safe.push(letter);
        }
    }
    Cow::Owned(safe)
}

/// Control characters, line and paragraph separators, marks that turn the direction of writing.
fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_are_shown_not_obeyed() {
        assert_eq!(plain("a\u{1b}[31mb\n\u{9b}2J"), "a\\u{1b}[31mb\\n\\u{9b}2J");
        assert_eq!(plain("loss/train 🦀 é"), "loss/train 🦀 é");
        assert_eq!(plain("\u{202e}gpj.exe"), "\\u{202e}gpj.exe");
    }

    proptest! {
        #[test]
        fn nothing_harmful_comes_out(text in any::<String>()) {
            prop_assert!(!plain(&text).chars().any(is_harmful));
            let document = serde_json::to_string(&text).unwrap();
            let safe = json(&document);
            prop_assert!(!safe.chars().any(is_harmful));
            prop_assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), text);
        }
    }
}
