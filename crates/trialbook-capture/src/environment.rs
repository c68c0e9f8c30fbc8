//! The snapshot of the surroundings.
//!
//! Not here: the time of a run, which its start has. Invariant: two captures in the same surroundings
//! are equal, so that runs share one stored snapshot.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ask::ask;
use crate::git::Git;

/// How long git or an interpreter may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Variables that change what programs compute; no other is kept, because others are private or differ
/// from shell to shell.
const TELLING: [&str; 14] = [
    "CONDA_DEFAULT_ENV",
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_VISIBLE_DEVICES",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
    "PYTHONPATH",
    "RUST_BACKTRACE",
    "TZ",
    "VIRTUAL_ENV",
];

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The working folder of the runs.
    pub directory: &'a Path,
    /// The Python interpreter whose version is asked for.
    pub python: &'a str,
}

/// The surroundings. What could not be found out is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Version of Python, such as `3.11.2`.
    pub python_version: Option<String>,
    /// System, release and processor, such as `Linux 6.1.0 x86_64`.
    pub platform: String,
    /// The machine's name.
    pub hostname: String,
    /// Processors that this process may use.
    pub cpu_count: Option<usize>,
    /// The working folder of the runs.
    pub working_directory: String,
    /// The commit that is checked out.
    pub git_commit: Option<String>,
    /// The branch.
    pub git_branch: Option<String>,
    /// Whether tracked files differ from that commit.
    pub git_dirty: Option<bool>,
    /// Variables that change what programs compute.
    pub variables: BTreeMap<String, String>,
    /// Version of this program.
    pub trialbook_version: String,
}

impl Environment {
    /// Looks around. Takes some milliseconds: ask once for many runs.
    pub fn capture(place: Place<'_>) -> Self {
        let (git, python_version) = std::thread::scope(|scope| {
            let git = scope.spawn(|| Git::around(place.directory, PATIENCE));
            let python = python_version(place);
            // Looking at git does not panic; if it did, nothing is known of git.
            (git.join().unwrap_or_default(), python)
        });
        let system = rustix::system::uname();
        let word = |word: &std::ffi::CStr| word.to_string_lossy().into_owned();
        Self {
            python_version,
            platform: format!(
                "{} {} {}",
                word(system.sysname()),
                word(system.release()),
                word(system.machine())
            ),
            hostname: word(system.nodename()),
            cpu_count: std::thread::available_parallelism().ok().map(usize::from),
            working_directory: place.directory.to_string_lossy().into_owned(),
            git_dirty: git.as_ref().map(|git| git.dirty),
            git_branch: git.as_ref().and_then(|git| git.branch.clone()),
            git_commit: git.and_then(|git| git.commit),
            variables: variables(),
            trialbook_version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// The document that is stored.
    pub fn document(&self) -> Value {
        serde_json::to_value(self).expect("texts and whole numbers always become JSON")
    }
}

/// `Python 3.11.2` on standard output, since 3.4.
fn python_version(place: Place<'_>) -> Option<String> {
    let mut command = Command::new(place.python);
    command.arg("--version").current_dir(place.directory);
    let answer = ask(&mut command, PATIENCE)?;
    Some(answer.trim().strip_prefix("Python ")?.to_owned())
}

fn variables() -> BTreeMap<String, String> {
    TELLING
        .iter()
        .filter_map(|name| {
            let value = std::env::var_os(name)?.to_string_lossy().into_owned();
            Some(((*name).to_owned(), value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_captures_of_one_place_are_equal() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place {
            directory: folder.path(),
            python: "no-such-python",
        };
        let environment = Environment::capture(place);
        assert_eq!(environment, Environment::capture(place));
        assert_eq!(environment.python_version, None);
        assert_eq!(
            (&environment.git_commit, environment.git_dirty),
            (&None, None)
        );
        assert!(!environment.hostname.is_empty());
        assert_eq!(environment.document()["git_commit"], Value::Null);
        let read: Environment = serde_json::from_value(environment.document()).unwrap();
        assert_eq!(read, environment);
    }
}
