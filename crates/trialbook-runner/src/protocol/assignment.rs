//! `key=value` lines on standard output.
//!
//! ```text
//! line   = { blank } pair { separator pair } { blank }
//! separator = blank { blank } | { blank } "," { blank }
//! pair   = key "=" number
//! key    = letter-or-underscore { letter | digit | "_" | "." | "-" | "/" }      at most 250 bytes
//! number = [ "+" | "-" ] ( digits [ "." [ digits ] ] | "." digits ) [ ("e" | "E") [ "+" | "-" ] digits ]
//!        | [ "+" | "-" ] ( "nan" | "inf" | "infinity" )                          in any case
//! ```
//!
//! The whole line must have this form, so that ordinary text is left alone: no blanks around `=`, no
//! units, no quotes, no words beside the pairs. A pair named `step` beside others is their step.

/// The longest line that is looked at; longer ones are text.
pub const LONGEST_LINE: usize = 4096;
const LONGEST_KEY: usize = 250;

/// The metrics of one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignments {
    /// The step, if the line names one.
    pub step: Option<i64>,
    /// Keys and values in the order of the line.
    pub values: Vec<(String, f64)>,
}

/// Reads a line; `None` means that it is ordinary text.
pub fn parse(line: &str) -> Option<Assignments> {
    if line.len() > LONGEST_LINE {
        return None;
    }
    let mut rest = line.trim_matches(is_blank);
    let mut values = Vec::new();
    while !rest.is_empty() {
        let end = rest
            .find(|letter| is_blank(letter) || letter == ',')
            .unwrap_or(rest.len());
        values.push(pair(&rest[..end])?);
        rest = after_separator(&rest[end..])?;
    }
    if values.is_empty() {
        return None;
    }
    Some(with_step(values))
}

fn is_blank(letter: char) -> bool {
    letter == ' ' || letter == '\t' || letter == '\r'
}

/// What follows a separator; `None` for a comma that nothing follows.
fn after_separator(text: &str) -> Option<&str> {
    let text = text.trim_start_matches(is_blank);
    match text.strip_prefix(',') {
        None => Some(text),
        Some(after) => {
            let after = after.trim_start_matches(is_blank);
            (!after.is_empty()).then_some(after)
        }
    }
}

fn pair(text: &str) -> Option<(String, f64)> {
    let (key, value) = text.split_once('=')?;
    let mut letters = key.chars();
    let first = letters.next()?;
    let well_formed = (first.is_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_alphanumeric() || "_.-/".contains(letter))
        && key.len() <= LONGEST_KEY;
    if !well_formed {
        return None;
    }
    Some((key.to_owned(), number(value)?))
}

/// Rust's own reading of numbers takes exactly this grammar, in any case. Digits that no float reaches are
/// no infinity: such a line is text.
fn number(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let beyond = value.is_infinite() && text.bytes().any(|letter| letter.is_ascii_digit());
    (!beyond).then_some(value)
}

fn with_step(mut values: Vec<(String, f64)>) -> Assignments {
    let at = values
        .iter()
        .position(|(key, value)| key == "step" && whole(*value).is_some());
    let step = match at {
        Some(at) if values.len() > 1 => whole(values.remove(at).1),
        Some(_) | None => None,
    };
    Assignments { step, values }
}

/// The whole number that a float is, if it is one that a float holds exactly.
pub(super) fn whole(value: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn digits_beyond_every_float_are_text() {
        assert_eq!(parse("loss=1e400"), None);
        assert_eq!(parse("loss=-inf").unwrap().values[0].1, f64::NEG_INFINITY);
    }

    fn check(line: &str, step: Option<i64>, expected: &[(&str, f64)]) {
        let found = parse(line).unwrap_or_else(|| panic!("{line} was taken for text"));
        assert_eq!(found.step, step, "{line}");
        assert_eq!(found.values.len(), expected.len(), "{line}");
        for ((key, value), (expected_key, expected_value)) in found.values.iter().zip(expected) {
            assert_eq!(key, expected_key, "{line}");
            assert_eq!(value.to_bits(), expected_value.to_bits(), "{line}");
        }
    }

    #[test]
    fn lines_of_pairs_are_metrics() {
        check("a=1", None, &[("a", 1.0)]);
        check("  a=1.5e-3\t b=-2 \r", None, &[("a", 0.0015), ("b", -2.0)]);
        check(
            "train/loss=.5, val-acc=1.,x.y_2=+3",
            None,
            &[("train/loss", 0.5), ("val-acc", 1.0), ("x.y_2", 3.0)],
        );
        check(
            "a=nan b=-inf c=Infinity",
            None,
            &[
                ("a", f64::NAN),
                ("b", f64::NEG_INFINITY),
                ("c", f64::INFINITY),
            ],
        );
        check("größe=2", None, &[("größe", 2.0)]);
        check("step=7 loss=0.25", Some(7), &[("loss", 0.25)]);
        check("loss=0.25 step=-7", Some(-7), &[("loss", 0.25)]);
        check("step=7", None, &[("step", 7.0)]);
        check("step=0.5 loss=1", None, &[("step", 0.5), ("loss", 1.0)]);
        check("loss=5 step=1.5", None, &[("loss", 5.0), ("step", 1.5)]);
        check("a=1 a=2", None, &[("a", 1.0), ("a", 2.0)]);
    }

    #[test]
    fn ordinary_text_is_left_alone() {
        for line in [
            "",
            "   ",
            "=",
            "a",
            "a=",
            "=1",
            "a = 1",
            "a= 1",
            "a=1 done",
            "epoch 3 loss=0.5",
            "loss=0.5 (best)",
            "PATH=/usr/bin",
            "a=1ms",
            "a=93%",
            "a=0x10",
            "a=1_000",
            "a=1,",
            ",a=1",
            "a=1,,b=2",
            "a=1;b=2",
            "a==1",
            "a=1=2",
            "1a=1",
            "-a=1",
            "a=\"1\"",
            "a=true",
            "a=e5",
            "a=.",
            "a=1e",
            "http://host/?a=1",
            "x = 1, y = 2",
            "assert x=1, 'message'",
            "\u{1b}[32ma=1\u{1b}[0m",
        ] {
            assert_eq!(parse(line), None, "{line:?}");
        }
        assert_eq!(parse(&format!("{}=1", "k".repeat(251))), None);
        assert_eq!(parse(&"a=1 ".repeat(2000)), None);
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(
            pairs in proptest::collection::vec(("[a-z_][a-z0-9_./-]{0,20}", any::<f64>()), 1..6),
            separator in prop_oneof![Just(" "), Just(", "), Just(","), Just("\t")],
        ) {
            prop_assume!(pairs.iter().all(|(key, _)| key != "step"));
            let line = pairs
                .iter()
                .map(|(key, value)| format!("{key}={value:?}"))
                .collect::<Vec<_>>()
                .join(separator);
            let found = parse(&line).unwrap();
            prop_assert_eq!(found.values.len(), pairs.len());
            for ((key, value), (expected_key, expected)) in found.values.iter().zip(&pairs) {
                prop_assert_eq!(key, expected_key);
                prop_assert!(value == expected || value.is_nan() && expected.is_nan());
            }
        }

        #[test]
        fn no_text_makes_it_panic_and_words_are_never_metrics(line in "\\PC{0,60}", word in "[a-zA-Z]{1,9}") {
            parse(&line);
            prop_assert_eq!(parse(&format!("a=1 {word}")), None);
            prop_assert_eq!(parse(&format!("{word} a=1")), None);
        }
    }
}
