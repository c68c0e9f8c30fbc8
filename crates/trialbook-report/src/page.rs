//! A page: headings, sentences, lists and tables, before it is known on what it will be shown.
//!
//! Not here: how it looks ([`crate::markdown`], [`crate::html`], and the printer of the command line).
//! Invariant: texts are plain; whoever shows them escapes them.

/// A page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// Its parts, in order.
    pub blocks: Vec<Block>,
}

/// A part of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// The title of the page.
    Title(String),
    /// A heading.
    Heading(String),
    /// Sentences.
    Text(String),
    /// Something to be careful about.
    Warning(String),
    /// Points, one sentence each.
    List(Vec<String>),
    /// A table.
    Table(Table),
}

/// Where the text of a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// To the left: texts.
    Left,
    /// To the right: numbers.
    Right,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// Titles and sides of its columns.
    pub columns: Vec<(String, Align)>,
    /// Its rows, each as long as there are columns.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows; the first column holds texts, the others numbers.
    pub fn of_numbers(titles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let titles = titles.into_iter().enumerate().map(|(at, title)| {
            let side = if at == 0 { Align::Left } else { Align::Right };
            (title.into(), side)
        });
        Self {
            columns: titles.collect(),
            rows: Vec::new(),
        }
    }

    /// A table without rows, of texts.
    pub fn of_texts(titles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let titles = titles.into_iter().map(|title| (title.into(), Align::Left));
        Self {
            columns: titles.collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; cells that are missing are empty.
    pub fn row(&mut self, mut cells: Vec<String>) {
        cells.resize(self.columns.len(), String::new());
        self.rows.push(cells);
    }
}

impl Page {
    /// A page that begins with a title.
    pub fn titled(title: impl Into<String>) -> Self {
        Self {
            blocks: vec![Block::Title(title.into())],
        }
    }

    /// Adds a heading.
    pub fn heading(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Heading(text.into()));
    }

    /// Adds sentences.
    pub fn text(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Text(text.into()));
    }

    /// Adds a warning.
    pub fn warning(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Warning(text.into()));
    }

    /// Adds points, if there are any.
    pub fn list(&mut self, points: Vec<String>) {
        if !points.is_empty() {
            self.blocks.push(Block::List(points));
        }
    }

    /// Adds a table, if it has rows.
    pub fn table(&mut self, table: Table) {
        if !table.rows.is_empty() {
            self.blocks.push(Block::Table(table));
        }
    }
}

/// Names in a sentence: `a`, `a and b`, `a, b and c`.
pub fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// Names in a sentence, the first few of many.
pub fn some(names: &[String], most: usize) -> String {
    if names.len() <= most {
        return listed(names);
    }
    format!(
        "{} and {} more",
        names[..most].join(", "),
        names.len() - most
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_as_people_do() {
        let names: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(listed(&names), "a, b and c");
        assert_eq!(listed(&names[..2]), "a and b");
        assert_eq!(listed(&names[..1]), "a");
        assert_eq!(some(&names, 2), "a, b and 1 more");
    }
}
