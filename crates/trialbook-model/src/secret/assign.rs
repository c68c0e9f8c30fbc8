//! Finds secrets beside their names: `NAME=value`, `name: value`, `"name": "value"`, in diffs and shell text.
//!
//! Not here: what a secret looks like by itself. Invariant: of a line with a secret name, every quoted
//! text after the name goes; without quotes, the plain value goes unless it is a call, which is code.

use std::ops::Range;

use super::name::is_secret_name;
use super::scan::Hit;

/// Where a plain value ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlainValue {
    /// At the end of the line, as in `.env` files, YAML and code.
    Line,
    /// At a blank, as in a shell.
    Word,
}

/// All hits in order.
pub(super) fn assignments(text: &str, plain: PlainValue) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut from = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        if content.contains(['=', ':']) {
            line_hits(content, from, plain, &mut hits);
        }
        from += line.len();
    }
    hits
}

fn line_hits(line: &str, offset: usize, plain: PlainValue, hits: &mut Vec<Hit>) {
    let mut from = 0;
    while let Some((name, sign)) = next_name(line, from) {
        from = name.end;
        let spoken =
            plain == PlainValue::Word && sign.is_colon && !begins_a_header(line, name.start);
        if spoken || !is_secret_name(&line[name.clone()]) {
            continue;
        }
        let value = &line[sign.value..];
        let ranges = match plain {
            PlainValue::Line => quoted(value),
            PlainValue::Word => first_quoted(value),
        };
        let ranges = if ranges.is_empty() {
            unquoted(value, plain, sign).into_iter().collect()
        } else {
            ranges
        };
        from = sign.value;
        for range in ranges {
            let range = sign.value + range.start..sign.value + range.end;
            from = from.max(range.end);
            hits.push(Hit {
                range: offset + range.start..offset + range.end,
                what: line[name.clone()].to_owned(),
            });
        }
    }
}

/// In shell text, prose has colons too; a header stands at the start, after a quote or after `=`.
fn begins_a_header(line: &str, name: usize) -> bool {
    let before = line[..name].bytes().next_back();
    before.is_none_or(|byte| matches!(byte, b'"' | b'\'' | b'='))
}

/// The sign between a name and its value.
#[derive(Debug, Clone, Copy)]
struct Sign {
    is_colon: bool,
    /// Where the value begins.
    value: usize,
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The next name that a value is given to.
fn next_name(line: &str, from: usize) -> Option<(Range<usize>, Sign)> {
    let bytes = line.as_bytes();
    let mut start = from;
    while start < bytes.len() {
        if !is_name_byte(bytes[start]) {
            start += 1;
            continue;
        }
        let length = bytes[start..]
            .iter()
            .take_while(|c| is_name_byte(**c))
            .count();
        let end = start + length;
        if let Some(sign) = sign_at(bytes, end) {
            return Some((start..end, sign));
        }
        start = end;
    }
    None
}

/// `=`, `:`, `:=`, `=>`, `"]=` and the like, if one of these follows a name.
fn sign_at(bytes: &[u8], mut at: usize) -> Option<Sign> {
    let run = |at: usize, of: &[u8]| bytes[at..].iter().take_while(|c| of.contains(c)).count();
    at += run(at, b"\"']");
    at += run(at, b" \t");
    let (length, is_colon) = match &bytes[at..] {
        [b'=', b'=', ..] | [b':', b':', ..] | [b':', b'/', b'/', ..] => return None,
        [b':', b'=', ..] | [b'=', b'>', ..] => (2, false),
        [b'=', ..] => (1, false),
        [b':', ..] => (1, true),
        _ => return None,
    };
    at += length;
    Some(Sign {
        is_colon,
        value: at + run(at, b" \t"),
    })
}

/// What stands between quotes, without the quotes; an open one reaches to the end.
fn quoted(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let quote = bytes[at];
        at += 1;
        if !matches!(quote, b'"' | b'\'' | b'`') {
            continue;
        }
        let start = at;
        while at < bytes.len() && bytes[at] != quote {
            at += if bytes[at] == b'\\' { 2 } else { 1 };
        }
        let end = at.min(bytes.len());
        if end > start {
            ranges.push(start..end);
        }
        at = end + 1;
    }
    ranges
}

/// The quoted text at the start.
fn first_quoted(text: &str) -> Vec<Range<usize>> {
    if text.starts_with(['"', '\'', '`']) {
        quoted(text).into_iter().take(1).collect()
    } else {
        Vec::new()
    }
}

fn unquoted(text: &str, plain: PlainValue, sign: Sign) -> Option<Range<usize>> {
    let value = match (plain, sign.is_colon) {
        (PlainValue::Line, _) => text.trim_end(),
        (PlainValue::Word, true) => text.split(['"', '\'']).next()?,
        (PlainValue::Word, false) => text.split([' ', '\t', ';', '&', '"', '\'']).next()?,
    };
    let kept =
        value.is_empty() || is_variable(value) || plain == PlainValue::Line && is_call(value);
    (!kept).then_some(0..value.len())
}

/// `$NAME`, `${NAME}`, `$(command)`: where the secret comes from, not the secret.
fn is_variable(value: &str) -> bool {
    let name = |text: &str| text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_');
    value.strip_prefix('$').is_some_and(|rest| {
        let inner = rest
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        rest.starts_with('(') || name(inner.unwrap_or(rest))
    })
}

/// `read_token(path)`: code that gets a secret.
fn is_call(value: &str) -> bool {
    let function = value.bytes().take_while(|c| is_name_byte(*c)).count();
    let ends = value.ends_with([')', '(', ',', ';', ':', '{']);
    function > 0 && value[function..].starts_with('(') && ends
}
