//! What a file or a folder is, and reading it as what it is.
//!
//! Not here: the formats. Invariant: what is none of them is refused by name, with what could be read instead.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use crate::bring::Arrival;
use crate::error::{ImportError, Place, Problem};
use crate::{blobs, document, layout, tracker};

/// Bytes by which a file is known.
const BEGINNING: u64 = 4096;

/// What stood beside the records.
#[derive(Debug, Default)]
pub struct Found {
    /// What was passed over, for people.
    pub notes: Vec<String>,
    /// Lines that were not understood; they are kept as events.
    pub not_understood: u64,
    /// Folders with bytes of artifacts.
    pub bytes: Vec<PathBuf>,
}

/// Reads a file or a folder; `name` is what it is called in errors.
pub fn read(path: &Path, name: &Path, arrival: &mut Arrival<'_>) -> Result<Found, ImportError> {
    let file = Place::file(name);
    let reading = || ImportError::read(name);
    let about = std::fs::metadata(path).map_err(reading())?;
    if about.is_dir() {
        return folder(path, name, arrival);
    }
    let mut beginning = Vec::new();
    let opened = File::open(path).map_err(reading())?;
    opened
        .take(BEGINNING)
        .read_to_end(&mut beginning)
        .map_err(reading())?;
    if document::is_document(&beginning) {
        let from = BufReader::with_capacity(1 << 20, File::open(path).map_err(reading())?);
        document::read(from, &file, &mut |place, record| {
            arrival.take(place, record)
        })?;
        return Ok(Found {
            bytes: vec![blobs::folder_of(path)],
            ..Found::default()
        });
    }
    if tracker::is_database(&beginning) {
        return tracker::read_database(path, name, arrival);
    }
    if tracker::is_snapshots(&beginning) {
        return tracker::read_snapshots(path, name, arrival);
    }
    Err(ImportError::at(&file, Problem::Foreign { expected: KNOWN }))
}

/// An experiment, or a folder of experiments.
fn folder(path: &Path, name: &Path, arrival: &mut Arrival<'_>) -> Result<Found, ImportError> {
    if layout::is_layout(path) {
        return layout::read(path, name, arrival);
    }
    let reading = || ImportError::read(name);
    let mut below = Vec::new();
    for entry in std::fs::read_dir(path).map_err(reading())? {
        let entry = entry.map_err(reading())?;
        if entry.path().is_dir() && layout::is_layout(&entry.path()) {
            below.push(entry.file_name());
        }
    }
    below.sort();
    if below.is_empty() {
        let place = Place::file(name);
        return Err(ImportError::at(
            &place,
            Problem::Foreign { expected: KNOWN },
        ));
    }
    let mut all = Found::default();
    for experiment in below {
        let found = layout::read(&path.join(&experiment), &name.join(&experiment), arrival)?;
        all.notes.extend(found.notes);
        all.not_understood += found.not_understood;
        all.bytes.extend(found.bytes);
    }
    Ok(all)
}

const KNOWN: &str = "an export of Trialbook, a folder of runs, or a file of the experiment tracker";
