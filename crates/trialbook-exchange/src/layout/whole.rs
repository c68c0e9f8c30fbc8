//! Whether the files of a folder that was written here are whole and as they were written.
//!
//! Merges, broken copies and slips of the hand take lines and files away, and change them, at places where nothing else
//! would be missed. Not here: what the lines hold. Invariant: a run folder that was written here and lacks one of its
//! files, or has other lines than were written, is refused by the name of the file.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};
use trialbook_model::canonical;

use super::{METRICS, RECORDS, SUMMARY};
use crate::error::{ImportError, Place, Problem};

/// The entry of a summary with the numbers of lines of the files beside it.
const LINES: &str = "lines";
/// The entry with their sums, and that of the summary itself.
const SUMS: &str = "crc32";
/// The entry with the snapshots that were written for the run.
const SNAPSHOTS: &str = "snapshots";

/// Lines that were read or are written: those that are not empty, without what stands around them.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines {
    number: u64,
    sum: crc32fast::Hasher,
}

impl Lines {
    /// One more.
    pub(super) fn take(&mut self, text: &str) {
        self.number += 1;
        self.sum.update(text.as_bytes());
        self.sum.update(b"\n");
    }

    fn of(text: &[u8]) -> Self {
        let mut lines = Self::default();
        for line in String::from_utf8_lossy(text).lines() {
            lines.take(line);
        }
        lines
    }

    fn sum(&self) -> String {
        digits(self.sum.clone().finalize())
    }
}

/// The sum of one line.
pub(super) fn sum(text: &str) -> String {
    digits(crc32fast::hash(text.as_bytes()))
}

fn digits(sum: u32) -> String {
    format!("{sum:08x}")
}

/// What the summary of a run says of a file beside it.
#[derive(Debug, Clone)]
pub(super) struct File {
    lines: u64,
    /// Folders of earlier versions have none.
    sum: Option<String>,
}

/// What the summary of a run says of the files beside it.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) records: File,
    pub(super) metrics: File,
    /// The snapshots that were written for it.
    pub(super) snapshots: BTreeSet<String>,
    /// Whether it says something else than was written.
    pub(super) is_changed: bool,
}

/// Adds to a summary what it says of the files beside it.
pub(super) fn tell<'a>(
    summary: &mut Value,
    (records, metrics): (&[u8], &[u8]),
    snapshots: impl Iterator<Item = &'a String>,
) {
    let [records, metrics] = [records, metrics].map(Lines::of);
    let own = own_sum(summary);
    let snapshots: BTreeSet<&String> = snapshots.collect();
    summary[LINES] = json!({(METRICS): metrics.number, (RECORDS): records.number});
    summary[SUMS] = json!({(METRICS): metrics.sum(), (RECORDS): records.sum(), (SUMMARY): own});
    if !snapshots.is_empty() {
        summary[SNAPSHOTS] = json!(snapshots);
    }
}

/// The sum of what a summary says of its run, whatever stands around its parts.
fn own_sum(summary: &Value) -> String {
    // As it is read: what is written of a number may be another one for who reads it.
    let text = summary.to_string();
    let mut own: Value = serde_json::from_str(&text).unwrap_or_default();
    if let Some(map) = own.as_object_mut() {
        for key in [LINES, SUMS, SNAPSHOTS] {
            map.remove(key);
        }
    }
    sum(&canonical::to_string(&own))
}

/// What the summary of a run folder says; `None` where the folder was written by others.
pub(super) fn told(folder: &Path, told: &Path) -> Result<Option<Told>, ImportError> {
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
    let sum_of = |file: &str| summary[SUMS][file].as_str().map(str::to_owned);
    let of = |file: &str| {
        let sum = sum_of(file);
        let lines = summary[LINES][file].as_u64();
        lines.map(|lines| File { lines, sum })
    };
    match (of(RECORDS), of(METRICS)) {
        (Some(_), Some(_)) if !has_records => {
            let place = Place::file(&told.join(RECORDS));
            Err(ImportError::at(&place, Problem::Missing))
        }
        (Some(records), Some(metrics)) => {
            let snapshots = summary[SNAPSHOTS].as_array();
            let snapshots = snapshots.into_iter().flatten();
            let snapshots = snapshots.filter_map(|sum| sum.as_str().map(str::to_owned));
            Ok(Some(Told {
                records,
                metrics,
                snapshots: snapshots.collect(),
                is_changed: sum_of(SUMMARY).is_some_and(|sum| sum != own_sum(&summary)),
            }))
        }
        _ if has_records => {
            let key = format!("{LINES}.{RECORDS}");
            let expected = "the number of lines of that file, as every export says it";
            Err(ImportError::at(&place, Problem::Value { key, expected }))
        }
        _ => Ok(None),
    }
}

/// Refuses a file that has other lines than its summary says.
pub(super) fn check(told: &Path, said: &File, found: &Lines) -> Result<(), ImportError> {
    let problem = if said.lines != found.number {
        Problem::Lines {
            by: SUMMARY,
            told: said.lines,
            found: found.number,
        }
    } else if said.sum.as_ref().is_some_and(|sum| *sum != found.sum()) {
        Problem::Changed { by: SUMMARY }
    } else {
        return Ok(());
    };
    Err(ImportError::at(&Place::file(told), problem))
}
