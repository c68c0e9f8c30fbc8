//! Lock files: what pins the versions that a program is built of, whatever its language.
//!
//! Invariant: only known names directly in a folder are looked at; a long file is hashed, never kept.

use std::collections::BTreeMap;
use std::path::Path;

use crate::data;

/// Files that pin versions.
const NAMES: [&str; 20] = [
    "Cargo.lock",
    "Gemfile.lock",
    "Manifest.toml",
    "Pipfile.lock",
    "bun.lock",
    "composer.lock",
    "conda-lock.yml",
    "environment.yaml",
    "environment.yml",
    "flake.lock",
    "go.sum",
    "package-lock.json",
    "pdm.lock",
    "pixi.lock",
    "pnpm-lock.yaml",
    "poetry.lock",
    "renv.lock",
    "requirements.txt",
    "uv.lock",
    "yarn.lock",
];

/// The checksums of the lock files in a folder.
pub(crate) fn in_folder(folder: &Path) -> BTreeMap<String, String> {
    NAMES
        .iter()
        .filter_map(|name| {
            let path = folder.join(name);
            let measured = path.is_file().then(|| data::checksum(&path))?.ok()?;
            Some(((*name).to_owned(), measured.checksum.to_string()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_files_are_found_by_name() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("uv.lock"), "abc").unwrap();
        std::fs::write(folder.path().join("notes.lock"), "abc").unwrap();
        std::fs::create_dir(folder.path().join("go.sum")).unwrap();
        let locks = in_folder(folder.path());
        assert_eq!(locks.len(), 1);
        assert!(locks["uv.lock"].starts_with("sha256:ba7816bf"));
    }
}
