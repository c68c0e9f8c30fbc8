//! The Python that runs use: its version, and the packages that it would import.
//!
//! Not here: which interpreter that is. Invariant: packages are found by the names of their folders, on the
//! interpreter's own search path, the first of a name counting; nothing is imported and no `pip` is started.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use trialbook_model::capture::{Part, Parts};

use crate::ask::ask;
use crate::environment::Place;

/// Version, program and search path, a line each.
const SCRIPT: &str = "import sys\nprint('Python', sys.version.split()[0])\nprint(sys.executable)\nfor path in sys.path: print(path)";

/// What is known of an interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Python {
    /// Such as `3.11.2`.
    pub(crate) version: Option<String>,
    /// Its file.
    pub(crate) executable: Option<String>,
    /// Where it looks for what is imported, in this order.
    pub(crate) path: Vec<String>,
    /// Names, as package indexes write them, and versions.
    pub(crate) packages: Option<BTreeMap<String, String>>,
}

impl Python {
    /// Asks the interpreter.
    pub(crate) fn ask(place: Place<'_>, parts: &Parts, patience: Duration) -> Self {
        let mut command = Command::new(place.python);
        command.current_dir(place.directory);
        let wants_packages = parts.has(Part::Packages);
        if wants_packages {
            command.args(["-c", SCRIPT]);
        } else {
            // Since 3.4 on standard output.
            command.arg("--version");
        }
        let answer = ask(&mut command, patience).unwrap_or_default();
        Self::read(&answer, place.directory, wants_packages.then_some(()))
    }

    fn read(answer: &str, directory: &Path, packages: Option<()>) -> Self {
        let mut lines = answer.lines();
        let version = lines.next().and_then(|line| line.strip_prefix("Python "));
        let Some(version) = version else {
            return Self::default();
        };
        let executable = lines.next().filter(|line| !line.is_empty());
        let path: Vec<String> = lines
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect();
        let mut found = BTreeMap::new();
        for path in &path {
            add_packages(&directory.join(path), &mut found);
        }
        Self {
            version: Some(version.trim().to_owned()),
            executable: executable.map(str::to_owned),
            path,
            packages: packages.filter(|()| executable.is_some()).map(|()| found),
        }
    }
}

fn add_packages(folder: &Path, found: &mut BTreeMap<String, String>) {
    // Archives and folders that do not exist stand on search paths too.
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        if let Some((name, version)) = entry.file_name().to_str().and_then(package) {
            found.entry(name).or_insert(version);
        }
    }
}

/// Name and version from `typing_extensions-4.12.2.dist-info` or `six-1.16.0-py3.11.egg-info`.
fn package(entry: &str) -> Option<(String, String)> {
    let whole = entry
        .strip_suffix(".dist-info")
        .or_else(|| entry.strip_suffix(".egg-info"))?;
    let (name, rest) = whole.split_once('-')?;
    let version = rest.split('-').next().unwrap_or(rest);
    let name = name.to_ascii_lowercase().replace(['_', '.'], "-");
    (!name.is_empty() && !version.is_empty()).then(|| (name, version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_from_the_names_of_folders() {
        let pair = |name: &str, version: &str| Some((name.to_owned(), version.to_owned()));
        assert_eq!(
            package("Typing_Extensions-4.12.2.dist-info"),
            pair("typing-extensions", "4.12.2")
        );
        assert_eq!(package("six-1.16.0-py3.11.egg-info"), pair("six", "1.16.0"));
        for other in ["six.py", "mine.egg-info", "numpy", "-1.dist-info"] {
            assert_eq!(package(other), None, "{other}");
        }
    }

    #[test]
    fn the_first_of_a_name_counts() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "one/a-1.dist-info",
            "two/a-2.dist-info",
            "two/b-3.dist-info",
        ] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let answer = "Python 3.13.0rc1\n/usr/bin/python3\n\none\ntwo\nnowhere\n";
        let python = Python::read(answer, folder.path(), Some(()));
        assert_eq!(python.version.as_deref(), Some("3.13.0rc1"));
        assert_eq!(python.path, ["one", "two", "nowhere"]);
        let packages: Vec<(String, String)> = python.packages.unwrap().into_iter().collect();
        let pair = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        assert_eq!(packages, [pair("a", "1"), pair("b", "3")]);
        // A program that answers for its version alone.
        let python = Python::read("Python 1.2.3\n", folder.path(), Some(()));
        assert_eq!(
            (python.version.as_deref(), python.packages),
            (Some("1.2.3"), None)
        );
        assert_eq!(
            Python::read("hello\n", folder.path(), None),
            Python::default()
        );
    }
}
