//! Whether the files of a run that was written here are whole, by what its summary says of them.
//!
//! Merges, broken copies and slips of the hand take lines and files away at places where nothing else would be
//! missed. Not here: what the lines hold. Invariant: a run folder that was written here and lacks one of its files,
//! or lines of them, is refused by the name of the file.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::Value;

use super::{LINES, METRICS, RECORDS, SUMMARY};
use crate::error::{ImportError, Place, Problem};

/// How many lines the files of a run have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines {
    pub(super) records: u64,
    pub(super) metrics: u64,
}

/// What the summary of a run folder says; `None` where the folder was written by others.
pub(super) fn lines(folder: &Path, told: &Path) -> Result<Option<Lines>, ImportError> {
    let has_records = folder.join(RECORDS).is_file();
    let name = told.join(SUMMARY);
    let place = Place::file(&name);
    let text = match fs::read(folder.join(SUMMARY)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return if has_records {
                Err(ImportError::at(&place, Problem::Missing))
            } else {
                Ok(None)
            };
        }
        read => read.map_err(ImportError::read(&name))?,
    };
    let summary: Value = match serde_json::from_slice(&text) {
        Ok(summary) => summary,
        // Those of others are read elsewhere, and more freely.
        Err(_) if !has_records => return Ok(None),
        Err(error) => {
            let at = Place {
                line: error.line() as u64,
                column: error.column() as u64,
                ..place
            };
            let expected = "the summary of a run";
            let reason = error.to_string();
            return Err(ImportError::at(
                &at,
                Problem::Malformed { expected, reason },
            ));
        }
    };
    let of = |file: &str| summary[LINES][file].as_u64();
    match (of(RECORDS), of(METRICS)) {
        (Some(_), Some(_)) if !has_records => {
            let place = Place::file(&told.join(RECORDS));
            Err(ImportError::at(&place, Problem::Missing))
        }
        (Some(records), Some(metrics)) => Ok(Some(Lines { records, metrics })),
        _ if has_records => {
            let key = format!("{LINES}.{RECORDS}");
            let expected = "the number of lines of that file, as every export says it";
            Err(ImportError::at(&place, Problem::Value { key, expected }))
        }
        _ => Ok(None),
    }
}

/// Refuses a file that has other lines than its summary says.
pub(super) fn check(told: &Path, lines: u64, found: u64) -> Result<(), ImportError> {
    if lines == found {
        return Ok(());
    }
    let problem = Problem::Lines {
        by: SUMMARY,
        told: lines,
        found,
    };
    Err(ImportError::at(&Place::file(told), problem))
}
