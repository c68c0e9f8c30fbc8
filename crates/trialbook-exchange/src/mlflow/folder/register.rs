//! Logged and registered models of a folder.
//!
//! Invariant: one that cannot be read is told with its place, and the others are read.

use super::super::store::{Collection, Listing, LoggedModel, ModelPoint, Version};
use super::super::words;
use super::{Meta, Spot, point};
use crate::error::ImportError;

/// What begins the names of folders of versions.
const VERSION: &str = "version-";

/// Fields of a version by their keys in files.
const FIELDS: [(&str, &str); 9] = [
    ("description", "description"),
    ("user_id", "user"),
    ("current_stage", "stage"),
    ("source", "source"),
    ("storage_location", "location"),
    ("run_id", "run"),
    ("model_id", "model"),
    ("status_message", "status_message"),
    ("run_link", "run_link"),
];

/// Reads each folder of some.
fn each<T>(folders: Vec<Spot>, read: impl Fn(&Spot) -> Result<T, ImportError>) -> Listing<T> {
    let mut listing = Listing::default();
    for folder in folders {
        match read(&folder) {
            Ok(one) => listing.found.push(one),
            Err(error) => listing.damaged.push(error),
        }
    }
    listing
}

/// The logged models of an experiment.
pub(super) fn models(folder: &Spot) -> Result<Listing<LoggedModel>, ImportError> {
    Ok(each(folder.folders()?, model))
}

fn model(folder: &Spot) -> Result<LoggedModel, ImportError> {
    let meta = Meta::read(folder)?;
    let mut metrics = Vec::new();
    for (key, file) in folder.join("metrics").files()? {
        for (at, line) in file.text()?.lines().enumerate() {
            let (point, rest) = point(line, &file.place().line(at as u64 + 1))?;
            let mut rest = rest.into_iter().map(str::to_owned);
            metrics.push(ModelPoint {
                key: key.clone(),
                run: rest.next(),
                dataset: rest.next().zip(rest.next()),
                point,
            });
        }
    }
    Ok(LoggedModel {
        id: meta.text("model_id").unwrap_or_else(|| folder.file_name()),
        name: meta.text("name"),
        artifact_location: meta.text("artifact_location"),
        created: meta.number("creation_timestamp")?,
        updated: meta.number("last_updated_timestamp")?,
        status: meta.text("status").map(|text| words::entry_status(&text)),
        status_message: meta.text("status_message"),
        kind: meta.text("model_type"),
        run: meta.text("source_run_id"),
        is_deleted: meta.is_deleted(),
        params: folder.join("params").texts()?,
        tags: folder.join("tags").texts()?,
        metrics,
    })
}

/// The registered models.
pub(super) fn collections(folder: &Spot) -> Result<Listing<Collection>, ImportError> {
    Ok(each(folder.folders()?, collection))
}

fn collection(folder: &Spot) -> Result<Collection, ImportError> {
    let meta = Meta::read(folder)?;
    let mut versions = Vec::new();
    for folder in folder.folders()? {
        if folder.file_name().starts_with(VERSION) {
            versions.push(version(&folder)?);
        }
    }
    versions.sort_by_key(|version| version.number);
    let mut aliases = std::collections::BTreeMap::new();
    for (alias, text) in folder.join("aliases").texts()? {
        let number = text.trim().parse();
        aliases.insert(
            alias.clone(),
            number.map_err(|_odd| meta.wrong(&alias, "the number of a version"))?,
        );
    }
    Ok(Collection {
        name: meta.text("name").unwrap_or_else(|| folder.file_name()),
        workspace: meta
            .text("workspace")
            .unwrap_or_else(|| words::DEFAULT_WORKSPACE.to_owned()),
        description: meta.text("description"),
        created: meta.number("creation_timestamp")?,
        updated: meta.number("last_updated_timestamp")?,
        tags: folder.join("tags").texts()?,
        aliases,
        versions,
    })
}

fn version(folder: &Spot) -> Result<Version, ImportError> {
    let meta = Meta::read(folder)?;
    let name = folder.file_name();
    let number = meta
        .text("version")
        .unwrap_or_else(|| name.trim_start_matches(VERSION).to_owned());
    let number = number
        .parse()
        .map_err(|_odd| meta.wrong("version", "a number"))?;
    let fields = FIELDS
        .iter()
        .filter_map(|(key, field)| Some((*field, meta.text(key)?)));
    let status = meta
        .text("status")
        .map(|text| ("status", words::entry_status(&text)));
    let mut fields: std::collections::BTreeMap<_, _> = fields.chain(status).collect();
    fields.retain(|field, text| !(text.is_empty() || *field == "stage" && text == "None"));
    Ok(Version {
        number,
        created: meta.number("creation_timestamp")?,
        updated: meta.number("last_updated_timestamp")?,
        fields,
        tags: folder.join("tags").texts()?,
    })
}
