//! The workspace: its folder, its packages, the files in it that people wrote.
//!
//! Found by walking, not through git, so that a downloaded archive can be checked too.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::process::{self, cargo};

/// Folders that hold products, not sources.
const SKIPPED: [&str; 7] = [
    ".git",
    "target",
    "dist",
    ".trialbook",
    "__pycache__",
    "node_modules",
    ".venv",
];

/// The workspace's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask stands in a folder of the workspace")
}

/// A file, its path from the root with `/` between the parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// From the root, such as `crates/trialbook/src/main.rs`.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

impl Source {
    /// The ending of the file's name, without the dot.
    pub(crate) fn ending(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(_, ending)| ending)
    }

    /// The file's name without its folder.
    pub(crate) fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// All text files of the workspace, sorted by path.
pub(crate) fn sources() -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    walk(root(), &mut sources)?;
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(sources)
}

fn walk(folder: &Path, sources: &mut Vec<Source>) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list `{}`", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let is_product = SKIPPED.iter().any(|skipped| name == *skipped);
            if !is_product {
                walk(&path, sources)?;
            }
        } else if kind.is_file() {
            let bytes =
                fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
            // Files that are no UTF-8 are binary fixtures: no rule here is about them.
            if let Ok(text) = String::from_utf8(bytes) {
                sources.push(Source {
                    path: from_root(&path),
                    text,
                });
            }
        }
    }
    Ok(())
}

fn from_root(path: &Path) -> String {
    let inside: PathBuf = path.strip_prefix(root()).unwrap_or(path).to_path_buf();
    let parts: Vec<_> = inside
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    parts.join("/")
}

/// The value of `cargo metadata` for this workspace, without its dependencies.
pub(crate) fn metadata() -> Result<Value> {
    let text = process::output(&mut cargo(&["metadata", "--format-version=1", "--no-deps"]))?;
    serde_json::from_str(&text).context("`cargo metadata` prints JSON")
}

/// The folder for everything that is built.
pub(crate) fn target() -> Result<PathBuf> {
    let metadata = metadata()?;
    let folder = metadata["target_directory"].as_str();
    Ok(folder.map_or_else(|| root().join("target"), PathBuf::from))
}
