//! A page of the report room on standard output.
//!
//! Not here: its words. Invariant: everything goes through the printer, which escapes it.

use trialbook_report::page::{Align, Block, Page, Table};

use crate::printer::{self, Column, Line, Printer, Style};

/// Prints a page: an empty line before each heading.
pub(crate) fn print(page: &Page, printer: &Printer) {
    let mut is_first = true;
    for block in &page.blocks {
        match block {
            Block::Title(text) => printer.line(Line::styled(Style::Bold, text)),
            Block::Heading(text) => {
                if !is_first {
                    printer.line("");
                }
                printer.line(Line::styled(Style::Bold, text));
            }
            Block::Text(text) => printer.line(text.as_str()),
            Block::Warning(text) => {
                printer.line(Line::styled(Style::Yellow, "warning").plain(format!(": {text}")));
            }
            Block::List(points) => {
                printer.line("");
                for point in points {
                    printer.line(point.as_str());
                }
            }
            Block::Table(table) => printer.table(&self::table(table)),
        }
        is_first = false;
    }
}

fn table(table: &Table) -> printer::Table {
    let last = table.columns.len().saturating_sub(1);
    let columns = table.columns.iter().enumerate();
    let columns = columns.map(|(at, (title, align))| match align {
        Align::Left if at == last => Column::wrapped(title),
        Align::Left => Column::text(title),
        Align::Right => Column::number(title),
    });
    let mut out = printer::Table::new(columns.collect());
    for row in &table.rows {
        out.row(row.clone());
    }
    out
}
