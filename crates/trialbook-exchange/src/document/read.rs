//! Reading a document, record by record.
//!
//! Invariant: an error names the line and the letter at which the document stops being one.

use std::io::BufRead;

use serde_json::Value;

use super::cut::{Cut, Cutter, Piece};
use super::{FORMAT, VERSION};
use crate::error::{ImportError, Place, Problem};
use crate::record::Record;

const EXPECTED: &str =
    "an export of Trialbook, which begins with `{\"format\":\"trialbook-export\"`";

/// Whether the beginning of a file is that of a document.
pub fn is_document(beginning: &[u8]) -> bool {
    let text = String::from_utf8_lossy(beginning);
    let quoted = format!("\"{FORMAT}\"");
    text.trim_start().starts_with('{') && text.contains("\"format\"") && text.contains(&quoted)
}

/// Gives all records of a document in their order, each with its place; the number of records.
pub fn read(
    from: impl BufRead,
    file: &Place,
    sink: &mut dyn FnMut(&Place, Record) -> Result<(), ImportError>,
) -> Result<u64, ImportError> {
    let mut cutter = Cutter::new(from);
    let mut piece = Piece::default();
    let reading = ImportError::read(&file.file);
    match cutter.head(&mut piece).map_err(reading)? {
        Cut::Whole => head(&piece, file)?,
        Cut::End if !piece.text.is_empty() => {
            return Err(ImportError::at(file, Problem::Cut { what: "its head" }));
        }
        Cut::End | Cut::Odd | Cut::Over => return Err(foreign(file)),
    }
    let mut found = 0;
    loop {
        let cut = cutter.element(&mut piece);
        match cut.map_err(ImportError::read(&file.file))? {
            Cut::Whole => {
                let place = Place {
                    line: piece.line,
                    column: piece.column,
                    ..file.clone()
                };
                let record = Record::from_json(&piece.text);
                let record = record.map_err(|error| malformed(&piece, file, "a record", &error))?;
                sink(&place, record)?;
                found += 1;
            }
            Cut::Over => break,
            Cut::End => {
                let problem = Problem::Cut {
                    what: "its records",
                };
                return Err(ImportError::at(&at(file, cutter.position()), problem));
            }
            Cut::Odd => {
                let problem = Problem::Malformed {
                    expected: "a record",
                    reason: "a record is a JSON object".to_owned(),
                };
                return Err(ImportError::at(&at(file, cutter.position()), problem));
            }
        }
    }
    let cut = cutter.tail(&mut piece);
    cut.map_err(ImportError::read(&file.file))?;
    let told = tail(&piece, file)?;
    if told == found {
        Ok(found)
    } else {
        Err(ImportError::at(file, Problem::Count { told, found }))
    }
}

fn foreign(file: &Place) -> ImportError {
    ImportError::at(file, Problem::Foreign { expected: EXPECTED })
}

fn at(file: &Place, (line, column): (u64, u64)) -> Place {
    Place {
        line,
        column,
        ..file.clone()
    }
}

/// The head with its list closed is a document of its own.
fn head(piece: &Piece, file: &Place) -> Result<(), ImportError> {
    let mut text = piece.text.clone();
    text.extend_from_slice(b"]}");
    let head: Value = serde_json::from_slice(&text).map_err(|_no_json| foreign(file))?;
    let keys: Vec<&str> = head
        .as_object()
        .into_iter()
        .flat_map(|map| map.keys().map(String::as_str))
        .collect();
    if head["format"] != FORMAT || keys.last() != Some(&"records") {
        return Err(foreign(file));
    }
    match head["version"].as_u64() {
        Some(version) if version > VERSION => {
            let problem = Problem::Newer {
                format: FORMAT,
                version,
                known: VERSION,
            };
            Err(ImportError::at(file, problem))
        }
        Some(_) => Ok(()),
        None => {
            let problem = Problem::Value {
                key: "version".to_owned(),
                expected: "a whole number",
            };
            Err(ImportError::at(file, problem))
        }
    }
}

/// The tail says how many records there are.
fn tail(piece: &Piece, file: &Place) -> Result<u64, ImportError> {
    let mut text = b"{\"records\":[]".to_vec();
    text.extend_from_slice(&piece.text);
    let end = at(file, (piece.line, piece.column));
    let tail: Value = serde_json::from_slice(&text).map_err(|error| {
        if error.is_eof() {
            ImportError::at(&end, Problem::Cut { what: "its end" })
        } else {
            let reason = error.to_string();
            let expected = "the end of an export";
            ImportError::at(&end, Problem::Malformed { expected, reason })
        }
    })?;
    tail["count"].as_u64().ok_or_else(|| {
        let problem = Problem::Value {
            key: "count".to_owned(),
            expected: "the number of records",
        };
        ImportError::at(&end, problem)
    })
}

/// The place that the reader of a piece complains of, as one of the file.
fn malformed(
    piece: &Piece,
    file: &Place,
    expected: &'static str,
    error: &serde_json::Error,
) -> ImportError {
    let (line, column) = (error.line() as u64, error.column() as u64);
    let place = match line {
        0 => (piece.line, piece.column),
        1 => (piece.line, piece.column + column.saturating_sub(1)),
        _ => (piece.line + line - 1, column),
    };
    let reason = error.to_string();
    // Its own line and column are those inside the record.
    let reason = match reason.rfind(" at line ") {
        Some(end) => reason[..end].to_owned(),
        None => reason,
    };
    ImportError::at(&at(file, place), Problem::Malformed { expected, reason })
}
