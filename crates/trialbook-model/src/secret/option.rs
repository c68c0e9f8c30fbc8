//! Options of a command line that take a secret: `--token VALUE`, `-u name:password`, also inside shell text.
//!
//! Not here: `--token=VALUE` (an assignment), whole command lines. Invariant: what stands for a secret, such as
//! `$TOKEN` or `{api_key}`, is none and stays.

use std::ops::Range;

use super::name::is_secret_name;
use super::scan::Hit;

/// Options whose value is `name:password`.
const USER_OPTIONS: [&str; 4] = ["-u", "--user", "--proxy-user", "-U"];
/// First words of options that switch something and take no value.
const SWITCHES: [&str; 8] = [
    "no", "use", "enable", "disable", "skip", "allow", "require", "with",
];

pub(super) fn is_user_option(name: &str) -> bool {
    USER_OPTIONS.contains(&name)
}

/// Whether the argument after this one is a secret.
pub(super) fn takes_a_secret(argument: &str) -> bool {
    let name = argument.trim_start_matches('-');
    let first = name.split(['-', '_']).next().unwrap_or(name);
    let is_option = argument.starts_with('-') && !name.is_empty() && !name.contains(['=', ' ']);
    let is_secret = is_secret_name(name) && !SWITCHES.contains(&first);
    is_option && (is_secret || is_user_option(argument))
}

/// The password of `name:password`, unless both sides are numbers (a user and group id).
pub(super) fn password_of(argument: &str) -> Option<Range<usize>> {
    let (name, password) = argument.split_once(':')?;
    let ids = argument.bytes().all(|c| c.is_ascii_digit() || c == b':');
    (!ids && !password.is_empty() && !is_source(password)).then(|| name.len() + 1..argument.len())
}

/// `$NAME`, `${NAME}`, `$(command)`, `{param}`: where the secret comes from, not the secret.
pub(super) fn is_source(value: &str) -> bool {
    let is_name = |text: &str| {
        let fits = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.' | b'-');
        !text.is_empty() && text.bytes().all(fits)
    };
    let inside = |text: &str| {
        let inner = text.strip_prefix('{')?.strip_suffix('}')?;
        Some(is_name(inner))
    };
    match value.strip_prefix('$') {
        Some(rest) => rest.starts_with('(') || inside(rest).unwrap_or_else(|| is_name(rest)),
        None => inside(value).unwrap_or(false),
    }
}

/// The secrets behind options in a text, in order.
pub(super) fn options(text: &str) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find('-').map(|at| from + at) {
        let length = text[at..].find(ends_word).unwrap_or(text.len() - at);
        let option = &text[at..at + length];
        from = at + length;
        let begins = text[..at].chars().next_back().is_none_or(ends_word);
        if !begins || !takes_a_secret(option) {
            continue;
        }
        let Some(value) = value_after(text, from) else {
            continue;
        };
        let given = &text[value.clone()];
        let secret = if is_user_option(option) {
            password_of(given).map(|it| value.start + it.start..value.start + it.end)
        } else {
            (!given.is_empty() && !given.starts_with("--") && !is_source(given))
                .then(|| value.clone())
        };
        if let Some(range) = secret {
            from = range.end;
            hits.push(Hit {
                range,
                what: option.trim_start_matches('-').to_owned(),
            });
        }
    }
    hits
}

/// What a shell ends a word at, outside quotes.
fn ends_word(letter: char) -> bool {
    letter.is_whitespace() || "\"'`;&|()<>".contains(letter)
}

/// The word behind blanks, without its quotes; an open quote reaches to the end.
fn value_after(text: &str, from: usize) -> Option<Range<usize>> {
    let blanks = text[from..].len() - text[from..].trim_start_matches([' ', '\t']).len();
    if blanks == 0 {
        return None;
    }
    let start = from + blanks;
    let word = &text[start..];
    if let Some(quote) = word
        .chars()
        .next()
        .filter(|it| matches!(it, '"' | '\'' | '`'))
    {
        let start = start + 1;
        let length = text[start..].find(quote).unwrap_or(text.len() - start);
        return Some(start..start + length);
    }
    let length = word.find(ends_word).unwrap_or(word.len());
    Some(start..start + length)
}

#[cfg(test)]
mod tests {
    use super::super::value;

    #[test]
    fn options_inside_a_text_lose_their_secrets() {
        for (given, expected) in [
            ("run --api-key abc x", "run --api-key [redacted] x"),
            ("run --token 'a b' x", "run --token '[redacted]' x"),
            ("(curl -u bob:pw;true)", "(curl -u bob:[redacted];true)"),
            ("\"x --password y\"", "\"x --password [redacted]\""),
            ("x --password", "x --password"),
            ("x --token 'open", "x --token '[redacted]"),
            (
                "a --token b --secret c",
                "a --token [redacted] --secret [redacted]",
            ),
        ] {
            assert_eq!(value(given).content, expected);
        }
        for plain in [
            "run --token $TOKEN --key {api_key} --secret ${S} --password \"$(cat f)\"",
            "docker run -u 1000:1000 x",
            "run --use-token yes --no-password x --lr 0.1",
            "a-token b --token --other",
            "psql -U bob",
        ] {
            assert_eq!(value(plain).content, plain);
        }
    }
}
