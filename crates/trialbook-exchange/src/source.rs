//! What a file or a folder is, and reading it as what it is.
//!
//! Not here: the formats. Invariant: what is none of them is refused by name, with what could be read instead.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
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
    let mut opened = File::open(path).map_err(reading())?;
    let beginning = beginning(&mut opened, name)?;
    if tracker::is_database(&beginning) {
        return tracker::read_database(path, name, arrival);
    }
    let mut found = read_text(beginning, opened, &file, arrival)?;
    found.bytes.push(blobs::folder_of(path));
    Ok(found)
}

/// Reads the standard input, or another stream that can be read once; `name` is what it is called in errors.
pub fn read_stream(
    mut from: impl Read,
    name: &Path,
    arrival: &mut Arrival<'_>,
) -> Result<Found, ImportError> {
    let beginning = beginning(&mut from, name)?;
    read_text(beginning, from, &Place::file(name), arrival)
}

/// The bytes by which a file is known.
fn beginning(from: &mut impl Read, name: &Path) -> Result<Vec<u8>, ImportError> {
    let mut beginning = Vec::new();
    let read = from.take(BEGINNING).read_to_end(&mut beginning);
    read.map_err(ImportError::read(name))?;
    Ok(beginning)
}

/// What is one text: `beginning` of it was read already.
fn read_text(
    beginning: Vec<u8>,
    rest: impl Read,
    file: &Place,
    arrival: &mut Arrival<'_>,
) -> Result<Found, ImportError> {
    let is_document = document::is_document(&beginning);
    let is_snapshots = tracker::is_snapshots(&beginning);
    let mut whole = Cursor::new(beginning).chain(rest);
    if is_document {
        let from = BufReader::with_capacity(1 << 20, whole);
        document::read(from, file, &mut |place, record| arrival.take(place, record))?;
        return Ok(Found::default());
    }
    if is_snapshots {
        let mut text = Vec::new();
        let read = whole.read_to_end(&mut text);
        read.map_err(ImportError::read(&file.file))?;
        return tracker::read_snapshots(&text, &file.file, arrival);
    }
    Err(ImportError::at(file, Problem::Foreign { expected: KNOWN }))
}

/// An experiment, a folder of experiments, or both.
fn folder(path: &Path, name: &Path, arrival: &mut Arrival<'_>) -> Result<Found, ImportError> {
    if tracker::is_results(path) {
        return tracker::read_results(path, name, arrival);
    }
    let mut all = Found::default();
    let is_one = layout::is_layout(path);
    if is_one {
        all.add(layout::read(path, name, arrival)?);
    }
    let reading = || ImportError::read(name);
    let mut below = Vec::new();
    for entry in std::fs::read_dir(path).map_err(reading())? {
        let entry = entry.map_err(reading())?;
        let path = entry.path();
        // Beside the files of an experiment stands much that is none.
        let is_known = || layout::is_layout(&path) || tracker::is_results(&path);
        if path.is_dir() && (layout::is_ours(&path) || !is_one && is_known()) {
            below.push(entry.file_name());
        }
    }
    below.sort();
    if below.is_empty() && !is_one {
        let place = Place::file(name);
        return Err(ImportError::at(
            &place,
            Problem::Foreign { expected: KNOWN },
        ));
    }
    for experiment in below {
        let (path, name) = (path.join(&experiment), name.join(&experiment));
        all.add(if tracker::is_results(&path) {
            tracker::read_results(&path, &name, arrival)?
        } else {
            layout::read(&path, &name, arrival)?
        });
    }
    Ok(all)
}

impl Found {
    fn add(&mut self, other: Self) {
        self.notes.extend(other.notes);
        self.not_understood += other.not_understood;
        self.bytes.extend(other.bytes);
    }
}

const KNOWN: &str = "an export of Trialbook, a folder of runs, or a file of the experiment tracker";
