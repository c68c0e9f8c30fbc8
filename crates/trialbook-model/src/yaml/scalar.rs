//! What a plain YAML scalar means, by the core schema of YAML 1.2, with its text kept.
//!
//! Not here: quoting (a quoted scalar is text). Invariant: the text of a number is as written, so that
//! `3.10` stays `3.10`; `yes`, `no`, `on`, `off` and dates are text, as in YAML 1.2.

use crate::canonical;
use crate::record::{Param, ParamKind};

/// Reads a plain scalar. Three spellings are changed, because no program reads them: hexadecimal and
/// octal numbers become decimal, `.inf` and `.nan` become `inf` and `nan`, `True` becomes `true`.
pub fn plain(text: &str) -> Param {
    let (text, kind) = match text {
        "" | "~" | "null" | "Null" | "NULL" => ("null".to_owned(), ParamKind::Null),
        "true" | "True" | "TRUE" => ("true".to_owned(), ParamKind::Bool),
        "false" | "False" | "FALSE" => ("false".to_owned(), ParamKind::Bool),
        ".nan" | ".NaN" | ".NAN" => ("nan".to_owned(), ParamKind::Number),
        _ => number(text).unwrap_or_else(|| (text.to_owned(), ParamKind::Text)),
    };
    Param { text, kind }
}

fn number(text: &str) -> Option<(String, ParamKind)> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let text = if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        let sign = if text.starts_with('-') { "-" } else { "" };
        format!("{sign}inf")
    } else if let Some(digits) = text.strip_prefix("0x") {
        radix(digits, 16)?
    } else if let Some(digits) = text.strip_prefix("0o") {
        radix(digits, 8)?
    } else {
        canonical::number(text)?;
        text.to_owned()
    };
    Some((text, ParamKind::Number))
}

fn radix(digits: &str, radix: u32) -> Option<String> {
    if digits.starts_with('+') {
        return None;
    }
    u128::from_str_radix(digits, radix)
        .ok()
        .map(|number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_keep_their_text_and_get_the_right_kind() {
        for (written, text, kind) in [
            ("3.10", "3.10", ParamKind::Number),
            ("-0", "-0", ParamKind::Number),
            ("1e400", "1e400", ParamKind::Number),
            ("0123", "0123", ParamKind::Number),
            ("0x1F", "31", ParamKind::Number),
            ("0o17", "15", ParamKind::Number),
            ("-.INF", "-inf", ParamKind::Number),
            (".nan", "nan", ParamKind::Number),
            ("no", "no", ParamKind::Text),
            ("off", "off", ParamKind::Text),
            ("2026-01-21", "2026-01-21", ParamKind::Text),
            ("1_000", "1_000", ParamKind::Text),
            ("12:30", "12:30", ParamKind::Text),
            ("nan", "nan", ParamKind::Text),
            ("0x", "0x", ParamKind::Text),
            ("0x+1", "0x+1", ParamKind::Text),
            ("True", "true", ParamKind::Bool),
            ("~", "null", ParamKind::Null),
            ("", "null", ParamKind::Null),
        ] {
            let param = plain(written);
            assert_eq!((param.text.as_str(), param.kind), (text, kind), "{written}");
            assert_eq!(
                param.number().is_some(),
                kind == ParamKind::Number,
                "{written}"
            );
        }
    }
}
