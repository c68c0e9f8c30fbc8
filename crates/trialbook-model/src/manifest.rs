//! The data manifest: which data an experiment is made of, and the checksums that it must have.
//!
//! Two forms of the YAML are read into one type: `data_sources` (path, checksum, created, description)
//! and `datasets` (with a name, counts, source and version as well). `docs/reference/data-manifest.md`
//! describes them for people.
//!
//! Not here: reading files and working out checksums of what is on the disk, beyond the rule that makes
//! one checksum of many ([`directory_checksum`]).
//! Invariant: every dataset has a path that no other has, and a checksum; no key is ignored in silence.

mod checksum;
mod document;
mod writing;

use std::collections::BTreeMap;
use std::fmt;

pub use checksum::{Checksum, ChecksumError, DirectoryError, directory_checksum};
pub use document::{Dataset, Manifest};
pub use writing::{Form, entry, to_yaml};

use crate::record::ParamKind;
use crate::yaml::{self, Fields, FileError, Format, Node, Position, Problem, Reading, Shape, join};

/// The most datasets of one manifest.
pub const MOST_DATASETS: usize = 10_000;

const TOP: &[&str] = &[
    "version",
    "created",
    "generator_commit",
    "data_sources",
    "datasets",
];
const DATASET: &[&str] = &[
    "name",
    "path",
    "checksum",
    "created",
    "source",
    "version",
    "file_count",
    "record_count",
    "task_count",
    "total_size_mb",
    "description",
];

static FORMAT: Format = Format {
    kind: "data manifest",
    needs: "a list `data_sources` or `datasets`",
    other_words: &[
        ("data", "data_sources"),
        ("sources", "data_sources"),
        ("files", "data_sources"),
        ("commit", "generator_commit"),
    ],
};

/// Everything wrong with a manifest, in the order of the file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub struct ManifestErrors {
    /// At least one error.
    pub errors: Vec<FileError>,
}

impl fmt::Display for ManifestErrors {
    /// One line an error, each followed by its hint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        yaml::listed(&self.errors, f)
    }
}

/// Every place of the format with its keys.
pub fn known_keys() -> [(&'static str, &'static [&'static str]); 2] {
    [("", TOP), ("dataset", DATASET)]
}

/// Reads the text of a manifest; `file` is its name in errors.
pub fn parse(text: &str, file: &str) -> Result<Manifest, ManifestErrors> {
    let mut reading = Reading::new(file, &FORMAT);
    let root = reading.tree(text);
    let manifest = root.and_then(|root| whole(&mut reading, &root));
    match reading.finish(manifest) {
        Ok((manifest, _)) => Ok(manifest),
        Err(errors) => Err(ManifestErrors { errors }),
    }
}

fn whole(reading: &mut Reading<'_>, root: &Node) -> Option<Manifest> {
    let top = reading.fields(root, "", TOP)?;
    Some(Manifest {
        version: reading.optional_name(&top, "version"),
        created: reading.optional_text(&top, "created"),
        generator_commit: reading.optional_name(&top, "generator_commit"),
        datasets: datasets(reading, &top)?,
    })
}

fn datasets(reading: &mut Reading<'_>, top: &Fields<'_>) -> Option<Vec<Dataset>> {
    let (list, key) = match (top.get("data_sources"), top.get("datasets")) {
        (Some(list), None) => (list, "data_sources"),
        (None, Some(list)) => (list, "datasets"),
        (Some(_), Some(second)) => {
            let (key, other) = ("datasets".to_owned(), "data_sources".to_owned());
            reading.error(second.at, "datasets", Problem::GivenTwice { key, other });
            return None;
        }
        (None, None) => {
            let (key, expected) = ("data_sources", "a list of data, or `datasets`");
            reading.error(top.at, "", Problem::MissingKey { key, expected });
            return None;
        }
    };
    let items = reading.list(list, key, "data");
    if items.len() > MOST_DATASETS {
        let (what, limit) = ("too many entries", MOST_DATASETS as u64);
        reading.error(list.at, key, Problem::TooMuch { what, limit });
        return None;
    }
    let (mut paths, mut names) = (Seen::new("path"), Seen::new("name"));
    let mut read = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let path = format!("{key}[{at}]");
        let Some(dataset) = dataset(reading, item, &path) else {
            continue;
        };
        // `data/` and `data` are the same folder.
        paths.check(
            reading,
            item.at,
            (&path, dataset.path.trim_end_matches('/')),
        );
        if let Some(name) = &dataset.name {
            names.check(reading, item.at, (&path, name));
        }
        read.push(dataset);
    }
    Some(read)
}

/// Values that may be there once.
struct Seen {
    what: &'static str,
    places: BTreeMap<String, Position>,
}

impl Seen {
    const fn new(what: &'static str) -> Self {
        let places = BTreeMap::new();
        Self { what, places }
    }

    fn check(&mut self, reading: &mut Reading<'_>, at: Position, (path, value): (&str, &str)) {
        if let Some(first) = self.places.get(value) {
            let problem = Problem::DuplicateName {
                what: self.what,
                name: value.to_owned(),
                first: *first,
            };
            reading.error(at, path, problem);
        } else {
            self.places.insert(value.to_owned(), at);
        }
    }
}

fn dataset(reading: &mut Reading<'_>, node: &Node, path: &str) -> Option<Dataset> {
    let fields = reading.fields(node, path, DATASET)?;
    let place = reading
        .required(&fields, "path", "where the data is")
        .and_then(|node| reading.name(node, &join(path, "path")));
    let checksum = reading
        .required(&fields, "checksum", "`sha256:` and 64 hex digits")
        .and_then(|node| checksum_of(reading, node, &join(path, "checksum")));
    // All keys are read before a missing one ends the entry, so that all errors are told.
    Some(Dataset {
        name: reading.optional_name(&fields, "name"),
        created: reading.optional_text(&fields, "created"),
        source: reading.optional_text(&fields, "source"),
        version: reading.optional_name(&fields, "version"),
        file_count: count(reading, &fields, "file_count"),
        record_count: count(reading, &fields, "record_count"),
        task_count: count(reading, &fields, "task_count"),
        total_size_mb: size(reading, &fields, "total_size_mb"),
        description: reading.optional_text(&fields, "description"),
        path: place?,
        checksum: checksum?,
    })
}

fn checksum_of(reading: &mut Reading<'_>, node: &Node, path: &str) -> Option<Checksum> {
    let text = reading.text(node, path)?;
    match text.parse::<Checksum>() {
        Ok(checksum) => Some(checksum),
        Err(error) => {
            let hint = error.hint();
            reading.wrong_because(node, path, "`sha256:` and 64 hex digits", Some(&hint));
            None
        }
    }
}

fn count(reading: &mut Reading<'_>, fields: &Fields<'_>, key: &str) -> Option<u64> {
    let node = fields.get(key)?;
    // JSON readers hold whole numbers exactly up to here.
    reading.whole(node, &fields.path_of(key), 0..=(1 << 53))
}

fn size(reading: &mut Reading<'_>, fields: &Fields<'_>, key: &str) -> Option<f64> {
    let node = fields.get(key)?;
    let size = match &node.shape {
        Shape::Scalar(param) if param.kind == ParamKind::Number => param.number(),
        Shape::Scalar(_) | Shape::List(_) | Shape::Map(_) => None,
    };
    let size = size.filter(|size| size.is_finite() && *size >= 0.0);
    if size.is_none() {
        reading.wrong(node, &fields.path_of(key), "a size in megabytes, from 0");
    }
    size
}

#[cfg(test)]
mod tests;
