//! Which book is meant: one order for all faces, and the rule that won.
//!
//! Not here: opening it. Invariant: looking for a book creates nothing, and a folder of another user is
//! never taken.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use trialbook_model::code::ErrorCode;

/// The folder that a book is kept in, inside the folder of a piece of work.
pub(crate) const FOLDER: &str = ".trialbook";

/// Schemes of servers.
const WEB: [&str; 2] = ["http", "https"];
/// Schemes of databases.
const DATABASE: [&str; 2] = ["postgres", "postgresql"];

/// What decides which book is meant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Surroundings {
    /// `--book`.
    pub(crate) flag: Option<String>,
    /// `TRIALBOOK`.
    pub(crate) trialbook: Option<OsString>,
    /// `MLFLOW_TRACKING_URI`.
    pub(crate) mlflow: Option<OsString>,
    /// `DATABASE_URL`.
    pub(crate) database: Option<OsString>,
    /// The present folder.
    pub(crate) here: PathBuf,
    /// The home folder.
    pub(crate) home: Option<PathBuf>,
    /// The user's number.
    pub(crate) user: u32,
}

/// The rule that chose a book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// `--book` names it.
    Flag,
    /// `TRIALBOOK` names it.
    Variable,
    /// Found in the present folder or above.
    Found,
    /// None was found: it would be made in the present folder.
    Here,
}

impl Rule {
    /// The word in JSON.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Variable => "variable",
            Self::Found => "found",
            Self::Here => "here",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "named by --book",
            Self::Variable => "named by TRIALBOOK",
            Self::Found => "found by walking up",
            Self::Here => "new in this folder",
        })
    }
}

/// A book and why it is the one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// Why.
    pub(crate) rule: Rule,
    /// Rules that would have come first and were passed over, each with its reason.
    pub(crate) passed_over: Vec<PassedOver>,
}

impl Choice {
    const fn of(folder: PathBuf, rule: Rule) -> Self {
        Self {
            folder,
            rule,
            passed_over: Vec::new(),
        }
    }
}

/// A variable that names a place which may hold a book of ours, and which cannot be asked yet.
///
/// Such variables are set for other programs too, so they win only where a book is known to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PassedOver {
    /// The variable.
    by: &'static str,
    /// What it names, without what may be secret.
    address: String,
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { by, address } = self;
        write!(
            f,
            "{by} (`{address}`) is passed over: books on servers and in databases are not supported yet"
        )
    }
}

/// Why no book can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DiscoveryError {
    /// A server or a database is named.
    #[error("{by} names `{address}`, and books on servers and in databases are not supported yet")]
    Remote {
        /// Who names it.
        by: &'static str,
        /// The address, without what may be secret.
        address: String,
    },
}

impl DiscoveryError {
    /// Its code.
    pub(crate) const fn code(&self) -> ErrorCode {
        match self {
            Self::Remote { .. } => ErrorCode::NotSupportedYet,
        }
    }

    /// What to do.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Remote { .. } => {
                "keep the book in a folder: name one with `--book FOLDER`, or make one here with `trialbook init --book .trialbook`"
            }
        }
    }
}

/// Chooses the book.
pub(crate) fn choose(around: &Surroundings) -> Result<Choice, DiscoveryError> {
    if let Some(named) = &around.flag {
        return folder_named("--book", named.into(), around, Rule::Flag);
    }
    if let Some(named) = around.trialbook.as_ref().filter(|named| !named.is_empty()) {
        return folder_named("TRIALBOOK", named.clone(), around, Rule::Variable);
    }
    if let Some(folder) = find(around) {
        return Ok(Choice::of(folder, Rule::Found));
    }
    let others: [(_, _, &[&str]); 2] = [
        ("MLFLOW_TRACKING_URI", &around.mlflow, &WEB),
        ("DATABASE_URL", &around.database, &DATABASE),
    ];
    let passed_over = others
        .into_iter()
        .filter_map(|(by, value, schemes)| {
            let address = remote(value.as_ref()?, schemes)?;
            Some(PassedOver { by, address })
        })
        .collect();
    Ok(Choice {
        passed_over,
        ..Choice::of(around.here.join(FOLDER), Rule::Here)
    })
}

/// The folder of a name: a folder that holds a `.trialbook/` means that one.
fn folder_named(
    by: &'static str,
    named: OsString,
    around: &Surroundings,
    rule: Rule,
) -> Result<Choice, DiscoveryError> {
    let schemes = [WEB, DATABASE].concat();
    if let Some(address) = remote(&named, &schemes) {
        return Err(DiscoveryError::Remote { by, address });
    }
    let folder = around.here.join(named);
    let inner = folder.join(FOLDER);
    let folder = if inner.is_dir() { inner } else { folder };
    Ok(Choice::of(folder, rule))
}

/// The address of a server or a database, without names, passwords and tokens, if the value is one.
fn remote(value: &OsString, schemes: &[&str]) -> Option<String> {
    let (scheme, rest) = value.to_str()?.split_once("://")?;
    if !schemes
        .iter()
        .any(|known| known.eq_ignore_ascii_case(scheme))
    {
        return None;
    }
    // Before the `@` of an address stand names and passwords, after the `?` tokens.
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = host.rsplit('@').next().unwrap_or(host);
    Some(format!("{scheme}://{host}"))
}

/// Walks up from the present folder, not past the home folder.
fn find(around: &Surroundings) -> Option<PathBuf> {
    for folder in around.here.ancestors() {
        let book = folder.join(FOLDER);
        if is_own_folder(&book, around.user) {
            return Some(book);
        }
        if around.home.as_deref() == Some(folder) {
            return None;
        }
    }
    None
}

#[cfg(unix)]
fn is_own_folder(path: &Path, user: u32) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    path.metadata()
        .is_ok_and(|found| found.is_dir() && found.uid() == user)
}

#[cfg(not(unix))]
fn is_own_folder(path: &Path, _user: u32) -> bool {
    path.is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;

    fn around(root: &Path, here: &str) -> Surroundings {
        let here = root.join(here);
        fs::create_dir_all(&here).unwrap();
        Surroundings {
            user: root.metadata().unwrap().uid(),
            home: Some(root.join("home")),
            here,
            ..Surroundings::default()
        }
    }

    #[test]
    fn rules_win_in_their_order() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let mut given = around(root, "home/work/deep");
        let rule = |given: &Surroundings| choose(given).map(|choice| choice.rule);
        assert_eq!(rule(&given), Ok(Rule::Here));
        given.database = Some("mysql://x".into());
        given.mlflow = Some("./mlruns".into());
        assert_eq!(rule(&given), Ok(Rule::Here));
        given.database = Some("postgres://me:secret@db.example/x?token=1".into());
        let choice = choose(&given).unwrap();
        assert_eq!(choice.rule, Rule::Here);
        let said = choice.passed_over[0].to_string();
        assert!(
            said.starts_with("DATABASE_URL (`postgres://db.example`) is passed over"),
            "{said}"
        );
        given.mlflow = Some("https://mlflow.example".into());
        let by = |given: &Surroundings| choose(given).unwrap().passed_over.len();
        assert_eq!(by(&given), 2);
        fs::create_dir_all(root.join("home/work/.trialbook")).unwrap();
        assert_eq!((rule(&given), by(&given)), (Ok(Rule::Found), 0));
        given.trialbook = Some("elsewhere".into());
        assert_eq!(rule(&given), Ok(Rule::Variable));
        given.flag = Some(root.join("home/work").display().to_string());
        let choice = choose(&given).unwrap();
        assert_eq!(choice.folder, root.join("home/work/.trialbook"));
        given.flag = Some("HTTPS://x".into());
        let refused = choose(&given).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::NotSupportedYet);
    }

    #[test]
    fn the_walk_ends_at_home_and_passes_over_others_books() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let mut given = around(root, "home/work");
        fs::create_dir_all(root.join(".trialbook")).unwrap();
        assert_eq!(choose(&given).unwrap().rule, Rule::Here);
        given.home = None;
        assert_eq!(choose(&given).unwrap().folder, root.join(".trialbook"));
        given.user += 1;
        assert_eq!(choose(&given).unwrap().rule, Rule::Here);
    }
}
