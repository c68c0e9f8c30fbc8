//! The manifest as data: what is stored with an experiment and read back.
//!
//! Not here: reading YAML. Invariant: a document written by this type reads back equal; what the
//! manifest does not say is `None`.

use serde::{Deserialize, Serialize};

use super::checksum::Checksum;

/// Which data there is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the data as a whole, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When the manifest was made, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The commit of the program that made the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator_commit: Option<String>,
    /// The data, in the order of the file.
    pub datasets: Vec<Dataset>,
}

/// A file or a folder of data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it is, as written.
    pub path: String,
    /// What it must have.
    pub checksum: Checksum,
    /// When it was made, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Where it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Its version, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How many files it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_count: Option<u64>,
    /// How many records it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_count: Option<u64>,
    /// How many tasks it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_count: Option<u64>,
    /// Its size in megabytes, finite and not negative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_size_mb: Option<f64>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}
