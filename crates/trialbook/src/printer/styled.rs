//! Lines of text with styles.
//!
//! Invariant: text is escaped when it enters a line, so the only escape sequences are those of styles.

use std::borrow::Cow;

use super::escape;

/// How a piece of text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Style {
    /// As it comes.
    #[default]
    Plain,
    /// Headings.
    Bold,
    /// What matters less.
    Dim,
    /// Good.
    Green,
    /// Bad.
    Red,
    /// Take care.
    Yellow,
    /// In progress.
    Cyan,
}

impl Style {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Green => "32",
            Self::Red => "31",
            Self::Yellow => "33",
            Self::Cyan => "36",
        }
    }
}

/// Whether styles are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// As escape sequences.
    Coloured,
    /// Not at all.
    Bare,
}

/// A line in pieces. A line feed inside a piece is kept, so that a message of several lines is one `Line`;
/// every other control character is escaped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Line {
    pieces: Vec<(Style, String)>,
}

impl Line {
    /// A line that begins with a piece of a style.
    pub(crate) fn styled(style: Style, text: impl AsRef<str>) -> Self {
        Self::default().add(style, text)
    }

    /// The line with another piece.
    #[must_use]
    pub(crate) fn add(mut self, style: Style, text: impl AsRef<str>) -> Self {
        let lines = text.as_ref().split('\n').map(escape::plain);
        let safe = lines.collect::<Vec<Cow<'_, str>>>().join("\n");
        self.pieces.push((style, safe));
        self
    }

    /// The line with another piece as it comes.
    #[must_use]
    pub(crate) fn plain(self, text: impl AsRef<str>) -> Self {
        self.add(Style::Plain, text)
    }

    /// The line without the blanks at its end.
    pub(super) fn trimmed(mut self) -> Self {
        while let Some((_, text)) = self.pieces.last_mut() {
            text.truncate(text.trim_end_matches(' ').len());
            if !text.is_empty() {
                break;
            }
            self.pieces.pop();
        }
        self
    }

    /// The line as bytes for a terminal, or without styles.
    pub(super) fn render(&self, look: Look) -> String {
        let mut out = String::new();
        for (style, text) in &self.pieces {
            if look == Look::Coloured && *style != Style::Plain {
                out.push_str("\u{1b}[");
                out.push_str(style.code());
                out.push('m');
                out.push_str(text);
                out.push_str("\u{1b}[0m");
            } else {
                out.push_str(text);
            }
        }
        out
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Self::styled(Style::Plain, text)
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self::styled(Style::Plain, text)
    }
}
