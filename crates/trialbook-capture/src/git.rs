//! The state of the git working tree around a folder.
//!
//! Invariant: asking changes nothing in the repository and takes no lock in it; a diff is kept without the
//! secrets that the filter knows, and no longer than the limit.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use trialbook_model::secret;

use crate::ask::ask;

/// The longest diff that is kept, in bytes.
const LONGEST_DIFF: usize = 1024 * 1024;
/// Files named that git does not know.
const MOST_UNTRACKED: usize = 200;

/// What is known of a working tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Git {
    /// The commit that is checked out; `None` before the first one.
    pub commit: Option<String>,
    /// The branch; `None` for a detached head.
    pub branch: Option<String>,
    /// Whether tracked files differ from that commit.
    pub dirty: bool,
    /// Files and folders that git does not know, the first of them.
    pub untracked: Vec<String>,
}

impl Git {
    /// Looks at the working tree that `folder` is in; `None` outside of one, or without git.
    pub(crate) fn around(folder: &Path, patience: Duration) -> Option<Self> {
        let words = [
            "status",
            "--porcelain=v2",
            "--branch",
            "--untracked-files=normal",
        ];
        answer(folder, &words, patience).map(|answer| Self::read(&answer))
    }

    fn read(answer: &str) -> Self {
        let mut git = Self {
            commit: None,
            branch: None,
            dirty: false,
            untracked: Vec::new(),
        };
        for line in answer.lines() {
            if let Some(commit) = line.strip_prefix("# branch.oid ") {
                git.commit = (commit != "(initial)").then(|| commit.to_owned());
            } else if let Some(branch) = line.strip_prefix("# branch.head ") {
                git.branch = (branch != "(detached)").then(|| branch.to_owned());
            } else if let Some(file) = line.strip_prefix("? ") {
                if git.untracked.len() < MOST_UNTRACKED {
                    git.untracked.push(file.to_owned());
                }
            } else if !line.starts_with('#') && !line.is_empty() {
                git.dirty = true;
            }
        }
        git
    }

    /// The whole document of the code: the working tree, where it comes from, and how it differs from its commit.
    pub(crate) fn document(&self, folder: &Path, patience: Duration) -> Value {
        let line = |words: &[&str]| {
            let answer = answer(folder, words, patience)?;
            Some(answer.trim().to_owned()).filter(|text| !text.is_empty())
        };
        let remote = line(&["config", "--get", "remote.origin.url"]);
        let remote = remote.map(|url| secret::url(&url).content.into_owned());
        let tags = line(&["tag", "--points-at", "HEAD"]).unwrap_or_default();
        let diff = (self.dirty && self.commit.is_some())
            .then(|| answer(folder, &DIFF, patience))
            .flatten()
            .map(|text| Diff::of(&text));
        json!({
            "commit": self.commit,
            "branch": self.branch,
            "tags": tags.lines().collect::<Vec<_>>(),
            "remote": remote,
            "dirty": self.dirty,
            "untracked": self.untracked,
            "diff": diff.as_ref().map(|diff| &diff.text),
            "diff_cut": diff.as_ref().map(|diff| diff.is_cut),
            "redacted": diff.map(|diff| diff.redacted).unwrap_or_default(),
        })
    }
}

/// Neither the user's own programs nor colours take part.
const DIFF: [&str; 6] = [
    "diff",
    "HEAD",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--submodule=short",
];

/// A diff as it is kept.
struct Diff {
    text: String,
    is_cut: bool,
    redacted: Vec<String>,
}

impl Diff {
    /// Secrets are looked for before the cut, so that none is cut in two and missed.
    fn of(text: &str) -> Self {
        let filtered = secret::diff(text);
        let mut kept = filtered.content.into_owned();
        let is_cut = kept.len() > LONGEST_DIFF;
        if is_cut {
            let lines = kept.as_bytes()[..LONGEST_DIFF]
                .iter()
                .rposition(|byte| *byte == b'\n');
            kept.truncate(lines.map_or(0, |at| at + 1));
        }
        Self {
            text: kept,
            is_cut,
            redacted: filtered.dropped,
        }
    }
}

fn answer(folder: &Path, words: &[&str], patience: Duration) -> Option<String> {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(folder)
        .args(words)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("LC_ALL", "C");
    ask(&mut command, patience)
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
        let git = Git::read("# branch.oid 1a2b\n? new file\n? folder/\n");
        assert_eq!((git.dirty, git.untracked.len()), (false, 2));
        assert_eq!(git.untracked[0], "new file");
    }

    #[test]
    fn a_diff_is_kept_without_secrets_and_not_longer_than_the_limit() {
        let diff = Diff::of("+api_key = \"hunter2hunter2\"\n+x = 1\n");
        assert!(!diff.text.contains("hunter2"), "{}", diff.text);
        assert!(diff.text.ends_with("+x = 1\n") && !diff.is_cut);
        assert_eq!(diff.redacted.len(), 1);
        let long = Diff::of(&"+line of code\n".repeat(LONGEST_DIFF / 10));
        assert!(long.is_cut && long.text.len() <= LONGEST_DIFF);
        assert!(long.text.ends_with("code\n"));
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
        let untracked = Git::around(folder.path(), patience).unwrap();
        assert!(!untracked.dirty);
        assert_eq!(untracked.untracked, ["new"]);
        assert_eq!(
            untracked.document(folder.path(), patience)["diff"],
            Value::Null
        );
        std::fs::write(&file, "22").unwrap();
        git(&["tag", "v1"]).unwrap();
        let url = "https://me:hunter2@example.org/p.git";
        git(&["remote", "add", "origin", url]).unwrap();
        let dirty = Git::around(folder.path(), patience).unwrap();
        assert!(dirty.dirty);
        let document = dirty.document(folder.path(), patience);
        assert!(document["diff"].as_str().unwrap().contains("+22"));
        assert_eq!(document["tags"], json!(["v1"]));
        assert_eq!(document["remote"], "https://[redacted]@example.org/p.git");
    }
}
