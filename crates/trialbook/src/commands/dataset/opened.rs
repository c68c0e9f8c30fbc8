//! A manifest that is open: its text, what it says, and writing it back.
//!
//! Not here: checksums. Invariant: what is written means what was meant; the text is changed in place where that comes
//! out right, and written anew otherwise.

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result};
use trialbook_model::manifest::{self, Form, Manifest};

use super::ManifestFile;
use crate::context::Context;
use crate::failure::Failure;

/// A manifest that was read.
pub(super) struct Opened {
    pub(super) path: PathBuf,
    pub(super) told: String,
    pub(super) text: String,
    pub(super) manifest: Manifest,
}

impl Opened {
    pub(super) fn read(file: &ManifestFile, cx: &Context) -> Result<Self> {
        let path = cx.here().join(&file.manifest);
        let told = file.manifest.display().to_string();
        let text = fs::read_to_string(&path).map_err(|source| {
            let path = told.clone();
            if source.kind() == std::io::ErrorKind::NotFound {
                return Failure::NoManifest { path };
            }
            Failure::Unreadable { path, source }
        })?;
        let manifest = manifest::parse(&text, &told)?;
        Ok(Self {
            path,
            told,
            text,
            manifest,
        })
    }

    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// The entries that are meant, by their places.
    pub(super) fn chosen(&self, entries: &[String]) -> Result<Vec<usize>> {
        let all = &self.manifest.datasets;
        if entries.is_empty() {
            return Ok((0..all.len()).collect());
        }
        let place = |text: &String| {
            let plain = text.trim_end_matches('/');
            all.iter().position(|it| {
                it.name.as_deref() == Some(text) || it.path.trim_end_matches('/') == plain
            })
        };
        let found = entries.iter().map(|text| {
            place(text).ok_or_else(|| Failure::Unknown {
                noun: "entry",
                text: text.clone(),
                nearest: all.iter().take(3).map(|it| it.path.clone()).collect(),
            })
        });
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Writes a text that means another manifest; one that does not come out as meant is written anew.
    pub(super) fn write(&self, text: String, meant: &Manifest) -> Result<()> {
        let is_right = manifest::parse(&text, &self.told).is_ok_and(|it| it == *meant);
        let text = if is_right {
            text
        } else {
            manifest::to_yaml(meant, Form::of(&self.text))
        };
        let draft = self.path.with_extension("yaml.tmp");
        let told = || format!("cannot write `{}`", self.told);
        fs::write(&draft, text).with_context(told)?;
        fs::rename(&draft, &self.path).with_context(told)
    }
}

/// A path as it is seen from a folder.
pub(super) fn relative(folder: &Path, path: &Path) -> String {
    let clean = |path: &Path| {
        let mut parts = Vec::new();
        for part in path.components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir if !parts.is_empty() => {
                    parts.pop();
                }
                Component::Normal(_)
                | Component::ParentDir
                | Component::RootDir
                | Component::Prefix(_) => parts.push(part.as_os_str().to_owned()),
            }
        }
        parts
    };
    let (from, to) = (clean(folder), clean(path));
    let same = from
        .iter()
        .zip(&to)
        .take_while(|(one, two)| one == two)
        .count();
    let mut relative = PathBuf::new();
    for _ in same..from.len() {
        relative.push("..");
    }
    relative.extend(&to[same..]);
    relative.display().to_string()
}
