//! Files of items: lines of JSON, a list in JSON, rows with a header, lines of text.
//!
//! Not here: which items are chosen. Invariant: an item's text is what stands in the file.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use serde::Deserialize as _;
use serde_json::Value;
use serde_json::value::RawValue;

use super::SampleError;

/// Keys by which items name themselves, the first that is there.
const ID_KEYS: [&str; 5] = [
    "id",
    "item_id",
    "question_id",
    "conversation_id",
    "record_id",
];

/// The items of a file.
pub(super) struct Table {
    form: Form,
    /// What stands around the items: a header, or the map that holds the list.
    around: Around,
    items: Vec<String>,
    ids: Vec<Option<String>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    JsonLines,
    Json,
    Csv,
    Tsv,
    Text,
}

enum Around {
    Nothing,
    Header(String),
    Map { key: String, map: Value },
}

impl Table {
    pub(super) fn read(path: &Path) -> Result<Self, SampleError> {
        let form = form(path).filter(|_| !path.is_dir());
        let form = form.ok_or_else(|| SampleError::Form {
            path: path.to_owned(),
        })?;
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|source| unreadable(path, source))?;
        let table = match form {
            Form::JsonLines => json_lines(path, &text),
            Form::Json => json(path, &text),
            Form::Csv => rows(path, &text, ','),
            Form::Tsv => rows(path, &text, '\t'),
            Form::Text => Ok(lines(&text)),
        }?;
        if table.items.is_empty() {
            return Err(SampleError::Empty {
                path: path.to_owned(),
            });
        }
        Ok(table)
    }

    /// Each item's id: its own, else its number from 1.
    pub(super) fn ids(&self) -> Vec<String> {
        let ids = self.ids.iter().enumerate();
        let numbered = |(at, id): (usize, &Option<String>)| match id {
            Some(id) => id.clone(),
            None => (at + 1).to_string(),
        };
        ids.map(numbered).collect()
    }

    /// The name of the file that holds a sample of it.
    pub(super) const fn file(&self) -> &'static str {
        match self.form {
            Form::JsonLines => "sample.jsonl",
            Form::Json => "sample.json",
            Form::Csv => "sample.csv",
            Form::Tsv => "sample.tsv",
            Form::Text => "sample.txt",
        }
    }

    /// A file of the same form with some of the items.
    pub(super) fn only(&self, chosen: &BTreeSet<usize>) -> String {
        let some = chosen.iter().map(|at| self.items[*at].as_str());
        match &self.around {
            Around::Nothing if self.form == Form::Json => {
                format!("[{}]\n", some.collect::<Vec<_>>().join(", "))
            }
            Around::Nothing => some.flat_map(|item| [item, "\n"]).collect(),
            Around::Header(header) => {
                let rows = std::iter::once(header.as_str()).chain(some);
                rows.collect()
            }
            Around::Map { key, map } => {
                let list: Vec<&str> = some.collect();
                let list = serde_json::from_str(&format!("[{}]", list.join(",")));
                let mut map = map.clone();
                map[key] = list.expect("the items were read from a list of JSON");
                format!("{map}\n")
            }
        }
    }
}

fn form(path: &Path) -> Option<Form> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    match extension.as_str() {
        "jsonl" | "ndjson" => Some(Form::JsonLines),
        "json" => Some(Form::Json),
        "csv" => Some(Form::Csv),
        "tsv" => Some(Form::Tsv),
        "txt" => Some(Form::Text),
        _ => None,
    }
}

fn unreadable(path: &Path, source: io::Error) -> SampleError {
    SampleError::Unreadable {
        path: path.to_owned(),
        source,
    }
}

fn damaged(path: &Path, line: usize, expected: &'static str) -> SampleError {
    SampleError::Damaged {
        path: path.to_owned(),
        line,
        expected,
    }
}

fn json_lines(path: &Path, text: &str) -> Result<Table, SampleError> {
    let mut table = Table {
        form: Form::JsonLines,
        around: Around::Nothing,
        items: Vec::new(),
        ids: Vec::new(),
    };
    for (at, line) in text
        .lines()
        .enumerate()
        .filter(|(_, it)| !it.trim().is_empty())
    {
        let item: Value =
            serde_json::from_str(line).map_err(|_damaged| damaged(path, at + 1, "JSON"))?;
        table.ids.push(own_id(&item));
        table.items.push(line.to_owned());
    }
    Ok(table)
}

fn json(path: &Path, text: &str) -> Result<Table, SampleError> {
    let wrong = |error: serde_json::Error| damaged(path, error.line(), "JSON");
    let no_list = || damaged(path, 1, "a list, or a map with one list,");
    let whole: Value = serde_json::from_str(text).map_err(wrong)?;
    let (around, list) = match whole {
        Value::Array(_) => (Around::Nothing, raw_list(text).map_err(wrong)?),
        Value::Object(map) => {
            let mut lists = map.iter().filter(|(_, value)| value.is_array());
            let (Some((key, list)), None) = (lists.next(), lists.next()) else {
                return Err(no_list());
            };
            let (key, list) = (key.clone(), list.to_string());
            let list = raw_list(&list).map_err(wrong)?;
            let map = Value::Object(map);
            (Around::Map { key, map }, list)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return Err(no_list());
        }
    };
    let ids = list.iter().map(|item| {
        let item: Option<Value> = serde_json::from_str(item).ok();
        item.as_ref().and_then(own_id)
    });
    Ok(Table {
        form: Form::Json,
        around,
        ids: ids.collect(),
        items: list,
    })
}

/// The items of a list as they are written.
fn raw_list(text: &str) -> Result<Vec<String>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let list = <Vec<&RawValue>>::deserialize(&mut reader)?;
    Ok(list.iter().map(|item| item.get().to_owned()).collect())
}

fn own_id(item: &Value) -> Option<String> {
    let named = ID_KEYS.iter().find_map(|key| item.get(*key))?;
    match named {
        Value::String(text) => Some(one_line(text)),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Ids stand one a line.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// Rows with their ends of lines, the first of which names the columns.
fn rows(path: &Path, text: &str, separator: char) -> Result<Table, SampleError> {
    let mut rows = Vec::new();
    let (mut from, mut is_quoted, mut line, mut opened) = (0, false, 1, 1);
    for (at, letter) in text.char_indices() {
        if letter == '"' {
            is_quoted = !is_quoted;
            opened = line;
        } else if letter == '\n' {
            line += 1;
            if !is_quoted {
                rows.push(&text[from..=at]);
                from = at + 1;
            }
        }
    }
    if is_quoted {
        return Err(damaged(path, opened, "the end of a quoted cell"));
    }
    rows.push(&text[from..]);
    rows.retain(|row| !row.trim().is_empty());
    let form = if separator == ',' {
        Form::Csv
    } else {
        Form::Tsv
    };
    let Some((header, items)) = rows.split_first() else {
        return Err(SampleError::Empty {
            path: path.to_owned(),
        });
    };
    let names = cells(header, separator);
    let column = ID_KEYS
        .iter()
        .find_map(|key| names.iter().position(|name| name == key));
    let id =
        |row: &&str| column.and_then(|at| cells(row, separator).get(at).map(|it| one_line(it)));
    Ok(Table {
        form,
        around: Around::Header(ended(header)),
        ids: items.iter().map(id).collect(),
        items: items.iter().map(|row| ended(row)).collect(),
    })
}

/// A row with an end of its line, which the last one of a file may lack.
fn ended(row: &str) -> String {
    if row.ends_with('\n') {
        row.to_owned()
    } else {
        format!("{row}\n")
    }
}

fn cells(row: &str, separator: char) -> Vec<String> {
    let (mut cells, mut is_quoted) = (vec![String::new()], false);
    let mut letters = row.trim_end_matches(['\n', '\r']).chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '"' && is_quoted && letters.peek() == Some(&'"') {
            letters.next();
        } else if letter == '"' {
            is_quoted = !is_quoted;
            continue;
        } else if letter == separator && !is_quoted {
            cells.push(String::new());
            continue;
        }
        if let Some(cell) = cells.last_mut() {
            cell.push(letter);
        }
    }
    cells
}

fn lines(text: &str) -> Table {
    let items = text.lines().filter(|line| !line.trim().is_empty());
    let items: Vec<String> = items.map(str::to_owned).collect();
    Table {
        form: Form::Text,
        around: Around::Nothing,
        ids: vec![None; items.len()],
        items,
    }
}
