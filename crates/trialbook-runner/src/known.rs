//! The secret values that a wrapper hands to its program, so that none of them is recorded when the program
//! repeats it: they look like anything, so only who gave them can find them.
//!
//! Not here: what a secret looks like, which names are secret (the filter of the model). Invariant: a text from
//! here holds no known value of at least [`SHORTEST`] bytes, nor its form inside a JSON text; values that
//! overlap go as one piece.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::Value;
use trialbook_model::config::Config;
use trialbook_model::record::{Event, Op, Points, RunError};
use trialbook_model::secret;

/// Shorter inherited values are found in any config.
const SHORTEST_IN_CONFIG: usize = 8;
/// Shorter values are found in any text.
pub const SHORTEST: usize = 4;
/// The same for numbers that are inherited: `MAX_TOKENS=4096` holds none.
const SHORTEST_NUMBER: usize = 8;
/// The same for one line of a value of several lines.
const SHORTEST_LINE: usize = 8;
/// Words that a variable such as `TOKENIZERS_PARALLELISM` holds, and no secret.
const PLAIN: [&str; 5] = ["true", "false", "none", "null", "auto"];

/// Secret values, the longest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownSecrets {
    values: Vec<String>,
}

impl KnownSecrets {
    /// Adds the value of a param or a variable of the config, if it or its name says that it is a secret.
    pub fn add(&mut self, name: &str, value: &str) {
        let is_one = secret::is_secret_name(name) || !secret::value(value).dropped.is_empty();
        if is_one && value.len() >= SHORTEST {
            self.keep(value);
        }
    }

    /// Adds the value of a variable that the program inherits. Paths, such as the present folder in `PWD`, are
    /// no secrets.
    pub fn add_inherited(&mut self, name: &str, value: &str) {
        let is_path = value.starts_with(['/', '~', '.']);
        let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
        let is_short = value.len() < if is_number { SHORTEST_NUMBER } else { SHORTEST };
        if secret::is_secret_name(name) && !is_short && !is_path {
            self.keep(value);
        }
    }

    /// The secrets of whole configs, and those of variables that this process inherited: what of them is spelt
    /// out in a command or elsewhere in a config is not to be recorded either.
    pub fn of_configs<'c>(configs: impl IntoIterator<Item = &'c Config>) -> Self {
        let mut known = Self::default();
        for config in configs {
            let variations = config.variations.iter();
            for (name, param) in variations.flat_map(|variation| &variation.params) {
                known.add(name, &param.text);
            }
            for (name, value) in &config.task.env {
                known.add(name, value);
            }
        }
        for (name, value) in std::env::vars_os() {
            if let (Some(name), Some(value)) = (name.to_str(), value.to_str())
                && value.len() >= SHORTEST_IN_CONFIG
            {
                known.add_inherited(name, value);
            }
        }
        known
    }

    /// A config as it is recorded.
    pub fn recorded(&self, config: &Config) -> Value {
        let mut document = config.clean_document();
        self.document(&mut document);
        document
    }

    fn keep(&mut self, value: &str) {
        if PLAIN.iter().any(|word| value.eq_ignore_ascii_case(word)) {
            return;
        }
        self.keep_forms(value);
        if value.contains('\n') {
            let lines = value.lines().map(str::trim);
            for line in lines.filter(|line| line.len() >= SHORTEST_LINE) {
                self.keep_forms(line);
            }
        }
        self.values
            .sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.values.dedup();
    }

    fn keep_forms(&mut self, value: &str) {
        let quoted = Value::from(value).to_string();
        let inside = &quoted[1..quoted.len() - 1];
        if inside != value {
            self.values.push(inside.to_owned());
        }
        self.values.push(value.to_owned());
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The text without known values.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut hits: Vec<Range<usize>> = Vec::new();
        for value in &self.values {
            let mut from = 0;
            while let Some(at) = text[from..].find(value.as_str()) {
                let start = from + at;
                hits.push(start..start + value.len());
                // The next may begin inside this one.
                from = start + text[start..].chars().next().map_or(1, char::len_utf8);
            }
        }
        if hits.is_empty() {
            return Cow::Borrowed(text);
        }
        hits.sort_by_key(|hit| hit.start);
        let mut clean = String::with_capacity(text.len());
        let mut at = 0;
        let mut hits = hits.into_iter().peekable();
        while let Some(hit) = hits.next() {
            let mut end = hit.end;
            while let Some(inside) = hits.next_if(|next| next.start < end) {
                end = end.max(inside.end);
            }
            clean.push_str(&text[at..hit.start]);
            clean.push_str(secret::MARK);
            at = end;
        }
        clean.push_str(&text[at..]);
        Cow::Owned(clean)
    }

    /// How many of the first `length` bytes can be given away: no value begins in them and ends behind them, or
    /// may do so when more bytes come.
    pub fn cut(&self, bytes: &[u8], length: usize) -> usize {
        let longest = self.values.first().map_or(0, String::len);
        let mut length = length;
        loop {
            let first = (length + 1).saturating_sub(longest);
            let is_inside = |start: &usize| {
                self.values
                    .iter()
                    .any(|value| spans(value, bytes, *start, length))
            };
            match (first..length).find(is_inside) {
                // Another value may span the earlier cut.
                Some(start) => length = start,
                None => return length,
            }
        }
    }

    /// What a program says of its failure, without known values.
    pub fn error(&self, error: &RunError) -> RunError {
        RunError {
            kind: self.text(&error.kind).into_owned(),
            message: self.text(&error.message).into_owned(),
        }
    }

    /// An operation that tells what the program said, without known values.
    pub fn operation(&self, mut op: Op) -> Op {
        if self.is_empty() {
            return op;
        }
        if let Op::Event(event) = &mut op {
            self.event(event);
        } else if let Op::Points(points) = &mut op {
            self.points(points);
        }
        op
    }

    fn event(&self, event: &mut Event) {
        self.in_place(&mut event.kind);
        self.in_place(&mut event.text);
        self.document(&mut event.data);
    }

    fn points(&self, points: &mut Points) {
        for (series, _) in &mut points.values {
            self.in_place(&mut series.key);
            self.in_place(&mut series.context);
        }
    }

    fn in_place(&self, text: &mut String) {
        if let Cow::Owned(clean) = self.text(text) {
            *text = clean;
        }
    }

    fn document(&self, value: &mut Value) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => {
                let text = number.to_string();
                if self.values.contains(&text) {
                    *value = Value::from(secret::MARK);
                }
            }
            Value::String(text) => self.in_place(text),
            Value::Array(values) => values.iter_mut().for_each(|value| self.document(value)),
            Value::Object(fields) => {
                let taken = std::mem::take(fields);
                for (name, mut value) in taken {
                    self.document(&mut value);
                    fields.insert(self.text(&name).into_owned(), value);
                }
            }
        }
    }
}

/// Whether the value stands at the start, or may once more bytes come, and ends behind the length.
fn spans(value: &str, bytes: &[u8], start: usize, length: usize) -> bool {
    let there = &bytes[start..];
    let value = value.as_bytes();
    let begins =
        there.starts_with(value) || (there.len() < value.len() && value.starts_with(there));
    begins && start + value.len() > length
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn known(values: &[&str]) -> KnownSecrets {
        let mut known = KnownSecrets::default();
        for value in values {
            known.add("api_key", value);
        }
        known
    }

    #[test]
    fn known_values_go_whatever_stands_around_them() {
        let known = known(&["abc123", "abc12345", "45xyz", "a\"b c", "abc"]);
        for (text, expected) in [
            ("xabc123y", "x[redacted]y"),
            ("abc12345", "[redacted]"),
            ("abc12345xyz!", "[redacted]!"),
            ("{\"key\": \"a\\\"b c\"}", "{\"key\": \"[redacted]\"}"),
            ("abc", "abc"),
            ("", ""),
        ] {
            assert_eq!(known.text(text), expected, "{text}");
        }
    }

    #[test]
    fn only_secrets_are_kept() {
        let mut known = KnownSecrets::default();
        known.add("lr", "0.001");
        known.add("TOKENIZERS_PARALLELISM", "false");
        known.add_inherited("PWD", "/some/where");
        known.add_inherited("KEYMAP", "us");
        known.add_inherited("MAX_TOKENS", "4096");
        assert!(known.is_empty());
        known.add("DB_PASSWORD", "hunter2");
        known.add_inherited("GH_TOKEN", "line one\nline two");
        assert_eq!(known.text("hunter2 line two"), "[redacted] [redacted]");
    }

    #[test]
    fn events_and_errors_hold_none() {
        let known = known(&["1234567", "hunter2"]);
        let mut data = serde_json::json!({"hunter2": [1_234_567, "say hunter2"], "n": 3});
        known.document(&mut data);
        let expected = serde_json::json!({"[redacted]": ["[redacted]", "say [redacted]"], "n": 3});
        assert_eq!(data, expected);
    }

    proptest! {
        #[test]
        fn pieces_cut_anywhere_hold_no_value(text in "[ab]{0,40}", at in 0_usize..40, values in proptest::collection::vec("[ab]{4,7}", 1..4)) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let known = known(&values);
            let seen = at.min(text.len());
            let cut = known.cut(&text.as_bytes()[..seen], seen);
            let pieces = format!("{}{}", known.text(&text[..cut]), known.text(&text[cut..]));
            prop_assert_eq!(pieces.replace("][", "]|["), known.text(&text).replace("][", "]|["));
        }
    }
}
