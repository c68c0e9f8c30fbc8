//! The snapshot of the surroundings.
//!
//! Not here: the time of a run, which its start has. Invariant: two captures in the same surroundings
//! are equal, so that runs share one stored snapshot.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use trialbook_model::canonical;
use trialbook_model::capture::{Part, Parts};
use trialbook_model::secret;

use crate::git::Git;
use crate::python::Python;
use crate::{locks, machine, variables};

/// How long git or an interpreter may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Variables that change what programs compute; no other is part of this snapshot, because others are private
/// or differ from shell to shell.
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
    /// The Python interpreter that is asked.
    pub python: &'a str,
}

/// The surroundings. What could not be found out is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Version of Python, such as `3.11.2`.
    pub python_version: Option<String>,
    /// The interpreter's file.
    #[serde(default)]
    pub python_executable: Option<String>,
    /// Where it looks for what is imported, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub python_path: Vec<String>,
    /// System, release and processor, such as `Linux 6.1.0 x86_64`.
    pub platform: String,
    /// The machine's name.
    pub hostname: String,
    /// The processor's name.
    #[serde(default)]
    pub cpu_model: Option<String>,
    /// Processors that this process may use.
    pub cpu_count: Option<usize>,
    /// The machine's memory.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
    /// Names of graphics cards.
    #[serde(default)]
    pub gpus: Vec<String>,
    /// Version of CUDA, such as `12.4.1`.
    #[serde(default)]
    pub cuda_version: Option<String>,
    /// Version of the graphics cards' driver.
    #[serde(default)]
    pub gpu_driver: Option<String>,
    /// The zone of time.
    #[serde(default)]
    pub timezone: Option<String>,
    /// The working folder of the runs.
    pub working_directory: String,
    /// The commit that is checked out.
    pub git_commit: Option<String>,
    /// The branch.
    pub git_branch: Option<String>,
    /// Whether tracked files differ from that commit.
    pub git_dirty: Option<bool>,
    /// The beginning of the hash of how they differ.
    #[serde(default)]
    pub git_diff: Option<String>,
    /// Variables that change what programs compute.
    pub variables: BTreeMap<String, String>,
    /// Checksums of the files that pin versions.
    #[serde(default)]
    pub lock_files: BTreeMap<String, String>,
    /// The packages of the interpreter.
    #[serde(default)]
    pub packages: Option<BTreeMap<String, String>>,
    /// Version of this program.
    pub trialbook_version: String,
}

/// Everything that is captured of the surroundings, but for what was switched off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// Machine, interpreter, packages, and where git stands.
    pub environment: Option<Environment>,
    /// The document of the code.
    pub code: Option<Value>,
    /// The document of the variables.
    pub variables: Option<Value>,
}

impl Captured {
    /// Looks around. Takes some tens of milliseconds: do it once for many runs, and beside them.
    pub fn of(place: Place<'_>, parts: &Parts) -> Self {
        let wants_environment = parts.has(Part::Environment);
        let (code, python) = std::thread::scope(|scope| {
            let code = scope.spawn(|| code(place, parts));
            let python = wants_environment.then(|| Python::ask(place, parts, PATIENCE));
            // Looking at git does not panic; if it did, nothing is known of git.
            (code.join().unwrap_or_default(), python)
        });
        Self {
            environment: python.map(|python| Environment::of(place, python, code.as_ref())),
            code: code.map(|(_, document)| document),
            variables: parts.has(Part::Variables).then(variables::own),
        }
    }
}

fn code(place: Place<'_>, parts: &Parts) -> Option<(Git, Value)> {
    let git = parts
        .has(Part::Git)
        .then(|| Git::around(place.directory, PATIENCE))??;
    let document = git.document(place.directory, PATIENCE);
    Some((git, document))
}

impl Environment {
    fn of(place: Place<'_>, python: Python, code: Option<&(Git, Value)>) -> Self {
        let system = rustix::system::uname();
        let word = |word: &std::ffi::CStr| word.to_string_lossy().into_owned();
        let git = code.map(|(git, _)| git);
        let diff = code.and_then(|(_, document)| document["diff"].as_str());
        Self {
            python_version: python.version,
            python_executable: python.executable,
            python_path: python.path,
            packages: python.packages,
            platform: format!(
                "{} {} {}",
                word(system.sysname()),
                word(system.release()),
                word(system.machine())
            ),
            hostname: word(system.nodename()),
            cpu_model: machine::cpu_model(),
            cpu_count: std::thread::available_parallelism().ok().map(usize::from),
            memory_bytes: machine::memory_bytes(),
            gpus: machine::gpus(),
            cuda_version: machine::cuda_version(),
            gpu_driver: machine::gpu_driver(),
            timezone: machine::timezone(),
            working_directory: place.directory.to_string_lossy().into_owned(),
            git_dirty: git.map(|git| git.dirty),
            git_branch: git.and_then(|git| git.branch.clone()),
            git_commit: git.and_then(|git| git.commit.clone()),
            git_diff: diff.map(|text| {
                let mut hash = canonical::hash(&text.into());
                hash.truncate(12);
                hash
            }),
            variables: telling(),
            lock_files: locks::in_folder(place.directory),
            trialbook_version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// The document as it is recorded: without secrets. A package may well be called `secretstorage`: names of
    /// packages and files say nothing of their versions and sums.
    pub fn recorded(&self) -> Value {
        const OPEN: [&str; 2] = ["packages", "lock_files"];
        let mut document = self.document();
        let open = OPEN.map(|key| document.get_mut(key).map(Value::take));
        let mut recorded = secret::json(document).content;
        for (key, value) in OPEN.into_iter().zip(open) {
            if let (Some(place), Some(value)) = (recorded.get_mut(key), value) {
                *place = value;
            }
        }
        if let Some(fields) = recorded.as_object_mut() {
            fields.insert("checksum".to_owned(), self.checksum().into());
        }
        recorded
    }

    /// 16 hex digits over what a reproduction has to agree in first: Python, its packages, the commit, the platform.
    fn checksum(&self) -> String {
        let mut hash = canonical::hash(&serde_json::json!([
            self.python_version,
            self.packages,
            self.git_commit,
            self.platform,
        ]));
        hash.truncate(16);
        hash
    }

    /// The document of all that was found.
    pub fn document(&self) -> Value {
        serde_json::to_value(self).expect("texts and whole numbers always become JSON")
    }
}

fn telling() -> BTreeMap<String, String> {
    TELLING
        .iter()
        .filter_map(|name| {
            let value = std::env::var_os(name)?.to_string_lossy().into_owned();
            Some((
                (*name).to_owned(),
                secret::value(&value).content.into_owned(),
            ))
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
        let capture = || Captured::of(place, &Parts::all());
        let captured = capture();
        assert_eq!(captured, capture());
        assert!(captured.variables.unwrap()["variables"].is_object());
        assert_eq!(captured.code, None);
        let environment = captured.environment.unwrap();
        assert_eq!(environment.python_version, None);
        assert_eq!(
            (&environment.git_commit, environment.git_dirty),
            (&None, None)
        );
        assert!(!environment.hostname.is_empty());
        assert_eq!(environment.document()["git_commit"], Value::Null);
        let mut read: Environment = serde_json::from_value(environment.document()).unwrap();
        assert_eq!(read, environment);
        let package = ("secret-token".to_owned(), "3.3".to_owned());
        read.packages = Some(BTreeMap::from([package]));
        read.variables.insert(
            "PYTHONPATH".to_owned(),
            "https://me:hunter2@x.example/a".to_owned(),
        );
        let recorded = read.recorded();
        assert_eq!(recorded["packages"]["secret-token"], "3.3");
        let sum = |it: &Environment| it.recorded()["checksum"].clone();
        assert_eq!(recorded["checksum"].as_str().map(str::len), Some(16));
        let mut other = read.clone();
        other.packages = None;
        assert_ne!(sum(&other), recorded["checksum"]);
        other.packages.clone_from(&read.packages);
        other.hostname.push('x');
        assert_eq!(sum(&other), recorded["checksum"]);
        assert!(!recorded.to_string().contains("hunter2"), "{recorded}");
    }

    #[test]
    fn what_is_switched_off_is_not_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place {
            directory: folder.path(),
            python: "no-such-python",
        };
        let nothing = Captured::of(place, &Parts::all().without("all").unwrap());
        assert_eq!(
            (nothing.environment, nothing.code, nothing.variables),
            (None, None, None)
        );
    }
}
