//! Tables that fit the terminal.
//!
//! Invariant: a row takes one line where its columns can be made to fit, else it goes on in indented ones; a text
//! that does not fit ends in `…`, or goes on below itself where its column is one to read; a pipe gets everything.

use std::ops::Range;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::escape;
use super::styled::{Line, Style};

/// Blanks between two columns.
const GAP: usize = 2;
/// Blanks before the lines in which a row goes on.
const INDENT: usize = 2;
/// A column that may shrink does not become narrower than this.
const NARROWEST: usize = 8;

/// A column.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    title: String,
    right: Side,
    fit: Fit,
}

/// Where the text of a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// Whether a column may be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Whole,
    Cut,
    /// It goes on in further lines; only the last column does.
    Wrapped,
}

impl Column {
    /// Text that may be cut.
    pub(crate) fn text(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            right: Side::Left,
            fit: Fit::Cut,
        }
    }

    /// Text that is useless when cut, such as an id.
    pub(crate) fn whole(title: impl Into<String>) -> Self {
        Self {
            fit: Fit::Whole,
            ..Self::text(title)
        }
    }

    /// Text that is read whole, in several lines where it does not fit in one. Only as the last column.
    pub(crate) fn wrapped(title: impl Into<String>) -> Self {
        Self {
            fit: Fit::Wrapped,
            ..Self::text(title)
        }
    }

    /// Numbers: to the right, never cut.
    pub(crate) fn number(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            right: Side::Right,
            fit: Fit::Whole,
        }
    }
}

/// A table.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<(Style, String)>>,
}

impl Table {
    /// A table without rows.
    pub(crate) const fn new(columns: Vec<Column>) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row; cells that are missing are empty.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.styled_row(cells.into_iter().map(|cell| (Style::Plain, cell)).collect());
    }

    /// Adds a row whose cells have styles.
    pub(crate) fn styled_row(&mut self, cells: Vec<(Style, String)>) {
        let mut cells: Vec<(Style, String)> = cells
            .into_iter()
            .map(|(style, cell)| (style, escape::plain(&cell).into_owned()))
            .collect();
        cells.resize(self.columns.len(), (Style::Plain, String::new()));
        self.rows.push(cells);
    }

    /// The lines, the header first.
    pub(super) fn lines(&self, width: Option<usize>) -> Vec<Line> {
        let layout = self.layout(width);
        let header = self
            .columns
            .iter()
            .map(|column| (Style::Bold, escape::plain(&column.title).into_owned()))
            .collect();
        std::iter::once(&header)
            .chain(&self.rows)
            .flat_map(|row| self.row_lines(row, &layout))
            .collect()
    }

    /// A row, with the further lines of a last column that goes on below itself.
    fn row_lines(&self, row: &[(Style, String)], layout: &Layout) -> Vec<Line> {
        let widths = &layout.widths;
        let parts = layout.lines.iter();
        let (Some(last), Some(part)) = (self.columns.len().checked_sub(1), layout.lines.last())
        else {
            return Vec::new();
        };
        let whole =
            |row: &[(Style, String)]| parts.map(|part| self.line(row, part, widths)).collect();
        if self.columns[last].fit != Fit::Wrapped {
            return whole(row);
        }
        let (style, text) = &row[last];
        let mut pieces = broken(text, widths[last]).into_iter();
        let mut row = row.to_vec();
        row[last].1 = pieces.next().unwrap_or_default();
        let mut lines: Vec<Line> = whole(&row);
        let indent = if part.start > 0 { INDENT } else { 0 };
        let before = part.start..last;
        let blank = indent + before.map(|at| widths[at] + GAP).sum::<usize>();
        lines.extend(pieces.map(|piece| {
            let line = Line::default().plain(" ".repeat(blank));
            line.add(*style, piece)
        }));
        lines
    }

    /// Some cells of a row; all but the first ones are indented.
    fn line(&self, row: &[(Style, String)], part: &Range<usize>, widths: &[usize]) -> Line {
        let mut line = Line::default();
        if part.start > 0 {
            line = line.plain(" ".repeat(INDENT));
        }
        for at in part.clone() {
            let (style, cell) = &row[at];
            let cell = cut(cell, widths[at]);
            let blank = " ".repeat(widths[at] - cell.width());
            let is_last = at + 1 == part.end;
            line = match self.columns[at].right {
                Side::Right => line.plain(blank).add(*style, cell),
                Side::Left if is_last => line.add(*style, cell),
                Side::Left => line.add(*style, cell).plain(blank),
            };
            if !is_last {
                line = line.plain(" ".repeat(GAP));
            }
        }
        line.trimmed()
    }

    /// Which columns stand on which line, and how wide they are: what they need, less where they do not fit.
    fn layout(&self, width: Option<usize>) -> Layout {
        let natural = |at: usize| {
            let cells = self.rows.iter().map(|row| row[at].1.width());
            cells
                .chain([self.columns[at].title.width()])
                .max()
                .unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..self.columns.len()).map(natural).collect();
        let one_line = |widths| Layout {
            lines: std::iter::once(0..self.columns.len()).collect(),
            widths,
        };
        let Some(width) = width else {
            return one_line(widths);
        };
        let needed = widths.clone();
        let room = width.saturating_sub(GAP * self.columns.len().saturating_sub(1));
        while widths.iter().sum::<usize>() > room {
            let widest = (0..widths.len())
                .filter(|&at| self.columns[at].fit != Fit::Whole && widths[at] > NARROWEST)
                .max_by_key(|&at| widths[at]);
            let Some(widest) = widest else {
                return self.stacked(needed, width);
            };
            widths[widest] -= 1;
        }
        one_line(widths)
    }

    /// As many columns on a line as fit there whole.
    fn stacked(&self, mut widths: Vec<usize>, width: usize) -> Layout {
        let mut lines: Vec<Range<usize>> = Vec::new();
        let mut used = 0;
        let room = width.saturating_sub(INDENT).max(NARROWEST);
        for (at, (own, column)) in widths.iter_mut().zip(&self.columns).enumerate() {
            if column.fit != Fit::Whole {
                *own = (*own).min(room);
            }
            match lines.last_mut() {
                Some(line) if used + GAP + *own <= width => {
                    line.end = at + 1;
                    used += GAP + *own;
                }
                Some(_) => {
                    lines.push(at..at + 1);
                    used = INDENT + *own;
                }
                None => {
                    lines.push(at..at + 1);
                    used = *own;
                }
            }
        }
        Layout { lines, widths }
    }
}

/// Where the columns of a table stand.
struct Layout {
    /// The columns of each line that a row takes.
    lines: Vec<Range<usize>>,
    widths: Vec<usize>,
}

/// The text in lines of at most so many columns, broken between words; a word that is longer is a line that is cut.
fn broken(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    if text.width() <= width {
        return vec![text.to_owned()];
    }
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(cut(word, width)),
        }
    }
    lines
}

/// The text in at most so many columns.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for letter in text.chars() {
        let wide = letter.width().unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        used += wide;
        kept.push(letter);
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::super::styled::Look;
    use super::*;

    fn rendered(table: &Table, width: Option<usize>) -> Vec<String> {
        let lines = table.lines(width);
        lines.iter().map(|line| line.render(Look::Bare)).collect()
    }

    #[test]
    fn columns_fit_and_numbers_stand_right() {
        let mut table = Table::new(vec![
            Column::whole("ID"),
            Column::text("NAME"),
            Column::number("N"),
        ]);
        table.row(vec![
            "1a2b".into(),
            "a rather long name\u{1b}".into(),
            "7".into(),
        ]);
        table.row(vec!["2".into(), "日本".into(), "12".into()]);
        let whole = rendered(&table, None);
        assert_eq!(whole[1], "1a2b  a rather long name\\u{1b}   7");
        assert_eq!(whole[2], format!("2     日本{}  12", " ".repeat(20)));
        let narrow = rendered(&table, Some(22));
        assert_eq!(narrow[1], "1a2b  a rather lo…   7");
        assert_eq!(narrow[0], "ID    NAME           N");
        assert!(narrow.iter().all(|line| line.width() == 22), "{narrow:?}");
    }

    #[test]
    fn a_text_to_read_goes_on_below_itself() {
        let mut table = Table::new(vec![Column::whole("GATE"), Column::wrapped("WHAT")]);
        table.row(vec!["named".into(), "it has no name: ask".into()]);
        table.row(vec!["noted".into(), "fine".into()]);
        assert_eq!(rendered(&table, None)[1], "named  it has no name: ask");
        let expected = [
            "GATE   WHAT",
            "named  it has no",
            "       name: ask",
            "noted  fine",
        ];
        assert_eq!(rendered(&table, Some(17)), expected);
    }

    #[test]
    fn rows_go_on_in_further_lines_where_columns_cannot_be_made_to_fit() {
        let mut table = Table::new(vec![
            Column::whole("ID"),
            Column::text("NAME"),
            Column::whole("STARTED"),
            Column::number("N"),
        ]);
        table.row(vec![
            "1a2b3c4d".into(),
            "a rather long name".into(),
            "2026-01-21 14:00:12".into(),
            "7".into(),
        ]);
        assert_eq!(rendered(&table, Some(60)).len(), 2);
        let narrow = rendered(&table, Some(24));
        assert_eq!(
            narrow,
            [
                "ID",
                "  NAME",
                "  STARTED              N",
                "1a2b3c4d",
                "  a rather long name",
                "  2026-01-21 14:00:12  7",
            ]
        );
        let tiny = rendered(&table, Some(12));
        assert!(tiny.contains(&"  a rather …".to_owned()), "{tiny:?}");
        assert_eq!(tiny.len(), 8);
    }
}
