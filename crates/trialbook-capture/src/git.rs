//! The state of the git working tree around a folder.
//!
//! Invariant: asking changes nothing in the repository and takes no lock in it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ask::ask;

/// What is known of a working tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Git {
    /// The commit that is checked out; `None` before the first one.
    pub commit: Option<String>,
    /// The branch; `None` for a detached head.
    pub branch: Option<String>,
    /// Whether tracked files differ from that commit.
    pub dirty: bool,
}

impl Git {
    /// Looks at the working tree that `folder` is in; `None` outside of one, or without git.
    pub(crate) fn around(folder: &Path, patience: Duration) -> Option<Self> {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(folder)
            .args([
                "status",
                "--porcelain=v2",
                "--branch",
                "--untracked-files=no",
            ])
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("LC_ALL", "C");
        ask(&mut command, patience).map(|answer| Self::read(&answer))
    }

    fn read(answer: &str) -> Self {
        let mut git = Self {
            commit: None,
            branch: None,
            dirty: false,
        };
        for line in answer.lines() {
            if let Some(commit) = line.strip_prefix("# branch.oid ") {
                git.commit = (commit != "(initial)").then(|| commit.to_owned());
            } else if let Some(branch) = line.strip_prefix("# branch.head ") {
                git.branch = (branch != "(detached)").then(|| branch.to_owned());
            } else if !line.starts_with('#') && !line.is_empty() {
                git.dirty = true;
            }
        }
        git
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_read() {
        let git = Git::read("# branch.oid 1a2b\n# branch.head main\n# branch.ab +1 -0\n");
        assert_eq!(git.commit.as_deref(), Some("1a2b"));
        assert_eq!(git.branch.as_deref(), Some("main"));
        assert!(!git.dirty);
        let git = Git::read("# branch.oid (initial)\n# branch.head (detached)\n1 .M N... x\n");
        assert_eq!((git.commit, git.branch, git.dirty), (None, None, true));
    }

    #[test]
    fn a_real_working_tree_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let patience = Duration::from_secs(60);
        let git = |words: &[&str]| {
            let identity = [
                "-c",
                "user.name=a",
                "-c",
                "user.email=a@b",
                "-c",
                "commit.gpgsign=false",
            ];
            let mut command = Command::new("git");
            command
                .arg("-C")
                .arg(folder.path())
                .args(identity)
                .args(words);
            ask(&mut command, patience)
        };
        // Outside of any working tree there is nothing to say; the temporary folder is in none.
        assert_eq!(Git::around(folder.path(), patience), None);
        if git(&["init", "-q"]).is_none() {
            // There is no git on this machine, and so nothing more to look at.
            return;
        }
        let file = folder.path().join("file");
        std::fs::write(&file, "1").unwrap();
        git(&["add", "file"]).unwrap();
        git(&["commit", "-q", "-m", "first"]).unwrap();
        let clean = Git::around(folder.path(), patience).unwrap();
        assert_eq!(clean.commit.as_ref().map(String::len), Some(40));
        assert!(!clean.dirty);
        std::fs::write(folder.path().join("new"), "untracked").unwrap();
        assert!(!Git::around(folder.path(), patience).unwrap().dirty);
        std::fs::write(&file, "22").unwrap();
        assert!(Git::around(folder.path(), patience).unwrap().dirty);
    }
}
