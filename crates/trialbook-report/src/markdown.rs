//! A page as Markdown (GitHub's, with tables).
//!
//! Invariant: no text of the page can become markup or break a table.

use std::fmt::Write as _;

use crate::page::{Align, Block, Page, Table};

/// The page as Markdown, with a line feed at its end.
pub fn render(page: &Page) -> String {
    let mut out = String::new();
    for block in &page.blocks {
        if !out.is_empty() {
            out.push('\n');
        }
        match block {
            Block::Title(text) => line(&mut out, "# ", text),
            Block::Heading(text) => line(&mut out, "## ", text),
            Block::Text(text) => line(&mut out, "", text),
            Block::Warning(text) => line(&mut out, "> **Warning:** ", text),
            Block::List(points) => {
                for point in points {
                    line(&mut out, "- ", point);
                }
            }
            Block::Table(table) => self::table(&mut out, table),
        }
    }
    out
}

fn line(out: &mut String, before: &str, text: &str) {
    let text = escaped(text);
    // What would begin another block, or define the target of a link.
    let mut letters = text.chars();
    let first = letters.next();
    let is_point = first.is_some_and(|it| "+-".contains(it)) && letters.next() == Some(' ');
    let guard = if is_point || first.is_some_and(|it| "#>[".contains(it)) {
        "\\"
    } else {
        ""
    };
    writeln!(out, "{before}{guard}{text}").expect("a string takes all");
}

fn table(out: &mut String, table: &Table) {
    let titles: Vec<String> = table.columns.iter().map(|(it, _)| escaped(it)).collect();
    writeln!(out, "| {} |", titles.join(" | ")).expect("a string takes all");
    let rules = table.columns.iter().map(|(_, align)| match align {
        Align::Left => "---",
        Align::Right => "---:",
    });
    let rules: Vec<&str> = rules.collect();
    writeln!(out, "| {} |", rules.join(" | ")).expect("a string takes all");
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
        writeln!(out, "| {} |", cells.join(" | ")).expect("a string takes all");
    }
}

/// The text with what Markdown would read as markup escaped; line feeds become blanks.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut before = None;
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied();
        match letter {
            '\n' | '\r' => safe.push(' '),
            '\\' | '`' | '*' | '|' | '~' => {
                safe.push('\\');
                safe.push(letter);
            }
            // Brackets alone are no link.
            ']' if next.is_some_and(|next| "([:".contains(next)) => safe.push_str("\\]"),
            // Between letters and digits an underscore emphasises nothing.
            '_' if is_word(before) && is_word(next) => safe.push('_'),
            '_' => safe.push_str("\\_"),
            '<' if next.is_some_and(|next| next.is_alphabetic() || "/!?".contains(next)) => {
                safe.push_str("&lt;");
            }
            '&' if next.is_some_and(|next| next.is_alphanumeric() || next == '#') => {
                safe.push_str("&amp;");
            }
            control if control.is_control() => safe.extend(control.escape_default()),
            other => safe.push(other),
        }
        before = Some(letter);
    }
    safe
}

fn is_word(letter: Option<char>) -> bool {
    letter.is_some_and(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_is_markdown() {
        let mut page = Page::titled("exp_1 * of 2");
        page.text("p < 0.001 in [0, 1]");
        page.text("# no heading");
        let mut table = Table::of_numbers(["a|b", "n"]);
        table.row(vec!["x\ny".to_owned(), "1".to_owned()]);
        page.table(table);
        page.list(vec!["one".to_owned()]);
        let expected = "# exp_1 \\* of 2\n\np < 0.001 in [0, 1]\n\n\\# no heading\n\n| a\\|b | n |\n| --- | ---: |\n| x y | 1 |\n\n- one\n";
        assert_eq!(render(&page), expected);
    }

    proptest! {
        #[test]
        fn a_cell_stays_in_its_row(text in any::<String>()) {
            let mut table = Table::of_texts(["t"]);
            table.row(vec![text]);
            let mut page = Page::default();
            page.table(table);
            let out = render(&page);
            prop_assert_eq!(out.lines().count(), 3);
        }
    }
}
