//! The parts of a page: headings, fields, long values cut.

use crate::context::Context;
use crate::figures::bytes;
use crate::printer::{Line, Style};

/// Characters of a long value that are shown.
pub(super) const SHOWN: usize = 400;

/// A heading with an empty line before it.
pub(super) fn heading(cx: &Context, text: &str) {
    cx.printer.line("");
    cx.printer.line(Line::styled(Style::Bold, text));
}

/// `name: value` with the values in one column.
pub(super) fn field(cx: &Context, name: &str, value: impl AsRef<str>) {
    cx.printer
        .line(Line::styled(Style::Dim, format!("  {name:<12} ")).plain(value));
}

/// The beginning of a text, and how long it is where that is not all.
pub(super) fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}… ({})", &text[..at], bytes(text.len() as u64)),
        None => text.to_owned(),
    }
}
