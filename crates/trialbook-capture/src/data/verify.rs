//! A manifest held against the disk.
//!
//! Not here: what follows from a difference. Invariant: every entry of the manifest has a check; data that
//! cannot be read is a difference, never passed over.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use trialbook_model::manifest::{Dataset, Manifest};

use super::{DataError, MANIFEST, Measured, checksum_unless, locate};

/// One entry of a manifest and what was found.
#[derive(Debug)]
pub struct Check {
    /// The entry.
    pub dataset: Dataset,
    /// What was found at its path.
    pub found: Result<Measured, DataError>,
}

/// The manifest of an experiment: beside its config, else in the folder of its data.
pub fn find(folder: &Path, data_path: Option<&str>) -> Option<PathBuf> {
    let beside = folder.join(MANIFEST);
    if beside.is_file() {
        return Some(beside);
    }
    let inside = locate(folder, data_path?)?.join(MANIFEST);
    inside.is_file().then_some(inside)
}

/// Works out the checksum of every entry; `folder` is the manifest's.
pub fn verify(manifest: &Manifest, folder: &Path, is_stopped: &dyn Fn() -> bool) -> Vec<Check> {
    let check = |dataset: &Dataset| Check {
        found: measure(folder, &dataset.path, is_stopped),
        dataset: dataset.clone(),
    };
    manifest.datasets.iter().map(check).collect()
}

fn measure(
    folder: &Path,
    written: &str,
    is_stopped: &dyn Fn() -> bool,
) -> Result<Measured, DataError> {
    match locate(folder, written) {
        Some(path) => checksum_unless(&path, is_stopped),
        None => Err(DataError::Missing {
            path: folder.join(written),
        }),
    }
}

impl Check {
    /// Whether the data is what the manifest says.
    pub fn is_same(&self) -> bool {
        self.found
            .as_ref()
            .is_ok_and(|found| found.checksum == self.dataset.checksum)
    }

    /// What is wrong with the data, in words; `None` where it is what the manifest says.
    pub fn problem(&self) -> Option<String> {
        match &self.found {
            Ok(found) if found.checksum == self.dataset.checksum => None,
            Ok(found) => Some(format!(
                "`{}` has {} and not {}, as the manifest says",
                self.dataset.path, found.checksum, self.dataset.checksum
            )),
            Err(error) => Some(chain(error)),
        }
    }

    /// The check as it is recorded.
    pub fn document(&self) -> Value {
        let found = self.found.as_ref().ok();
        json!({
            "name": self.dataset.name,
            "path": self.dataset.path,
            "version": self.dataset.version,
            "checksum": found.map(|it| it.checksum.to_string()),
            "declared": self.dataset.checksum.to_string(),
            "files": found.map(|it| it.files),
            "bytes": found.map(|it| it.bytes),
            "same": self.is_same(),
            "error": self.found.as_ref().err().map(chain),
        })
    }
}

fn chain(error: &DataError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// The snapshot of data that no manifest speaks of: what is found where a config says that its data is. `None` where
/// nothing is there, as with an address.
pub fn undeclared(
    folder: &Path,
    written: &str,
    is_stopped: &dyn Fn() -> bool,
) -> Option<Result<Value, DataError>> {
    let path = locate(folder, written)?;
    let found = checksum_unless(&path, is_stopped);
    Some(found.map(|found| {
        json!({
            "datasets": [{
                "path": written,
                "checksum": found.checksum.to_string(),
                "declared": null,
                "files": found.files,
                "bytes": found.bytes,
            }],
        })
    }))
}

/// The snapshot of data: the manifest's own words, and what was found.
pub fn document(manifest: &Manifest, checks: &[Check]) -> Value {
    json!({
        "version": manifest.version,
        "created": manifest.created,
        "generator_commit": manifest.generator_commit,
        "datasets": checks.iter().map(Check::document).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use trialbook_model::manifest::{Checksum, parse};

    #[test]
    fn each_entry_is_held_against_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("experiments/e");
        std::fs::create_dir_all(&own).unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        std::fs::write(folder.path().join("data/a"), "abc").unwrap();
        let right = Checksum::of(b"abc");
        let wrong = Checksum::of(b"other");
        let text = format!(
            "data_sources:\n  - {{path: data/a, checksum: '{right}'}}\n  - {{path: data/../data/a, checksum: '{wrong}'}}\n  - {{path: gone/anywhere, checksum: '{right}'}}\n"
        );
        let manifest = parse(&text, MANIFEST).unwrap();
        let checks = verify(&manifest, &own, &|| false);
        let same: Vec<bool> = checks.iter().map(Check::is_same).collect();
        assert_eq!(same, [true, false, false]);
        assert_eq!(checks[0].problem(), None);
        let problem = checks[1].problem().unwrap();
        assert!(problem.contains(&wrong.to_string()), "{problem}");
        assert!(checks[2].problem().unwrap().contains("no data at"));
        let document = document(&manifest, &checks);
        assert_eq!(document["datasets"][0]["files"], 1);
        assert_eq!(document["datasets"][2]["checksum"], Value::Null);
        assert_eq!(find(&own, Some("data")), None);
        let bare = undeclared(&own, "data", &|| false).unwrap().unwrap();
        assert_eq!(bare["datasets"][0]["bytes"], 3);
        assert_eq!(bare["datasets"][0]["declared"], Value::Null);
        assert!(undeclared(&own, "s3://bucket/data", &|| false).is_none());
        assert!(undeclared(&own, "data", &|| true).unwrap().is_err());
        let inside = folder.path().join("data").join(MANIFEST);
        std::fs::write(&inside, &text).unwrap();
        assert_eq!(find(&own, Some("data")), Some(inside));
        std::fs::write(own.join(MANIFEST), &text).unwrap();
        assert_eq!(find(&own, Some("data")), Some(own.join(MANIFEST)));
    }
}
