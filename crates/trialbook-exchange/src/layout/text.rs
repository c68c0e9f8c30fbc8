//! Lines of the files of a folder, each with its place.
//!
//! Not here: what they say. Invariant: empty lines, and what stands around others, count for nothing, so that it makes
//! no difference how an editor or git ends them.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use super::whole::Lines;
use crate::error::{ImportError, Place, Problem};
use crate::record::Record;

/// Gives each line that is not empty, with its place.
pub(super) fn each_line(
    path: &Path,
    told: &Path,
    line: &mut dyn FnMut(&Place, &str) -> Result<(), ImportError>,
) -> Result<Lines, ImportError> {
    let mut found = Lines::default();
    let file = File::open(path).map_err(ImportError::read(told))?;
    let whole = Place::file(told);
    let mut reader = BufReader::new(file);
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        let read = reader.read_until(b'\n', &mut bytes);
        if read.map_err(ImportError::read(told))? == 0 {
            break;
        }
        let place = whole.line(number);
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let expected = "text in UTF-8";
            let reason = error.to_string();
            ImportError::at(&place, Problem::Malformed { expected, reason })
        })?;
        if !text.trim().is_empty() {
            line(&place, text.trim())?;
            found.take(text.trim());
        }
    }
    Ok(found)
}

pub(super) fn record_of(place: &Place, text: &str) -> Result<Record, ImportError> {
    Record::from_json(text.as_bytes()).map_err(|error| {
        let place = Place {
            column: error.column() as u64,
            ..place.clone()
        };
        let reason = error.to_string();
        let expected = "a record";
        ImportError::at(&place, Problem::Malformed { expected, reason })
    })
}
