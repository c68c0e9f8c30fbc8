//! Which book is meant: one order for all faces, and the rule that won.
//!
//! Not here: opening it. Invariant: looking for a book creates nothing, and a folder of another user is
//! never taken.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use trialbook_client::{Address, ClientError};
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
    /// `MLFLOW_TRACKING_URI` names a server of ours.
    Tracking,
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
            Self::Tracking => "tracking",
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
            Self::Tracking => "named by MLFLOW_TRACKING_URI",
            Self::Here => "new in this folder",
        })
    }
}

/// Where a book is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a folder.
    Folder(PathBuf),
    /// On a server.
    Server(Address),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Server(address) => address.fmt(f),
        }
    }
}

/// A book and why it is the one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Where it is.
    pub(crate) place: Place,
    /// Why.
    pub(crate) rule: Rule,
    /// Rules that would have come first and were passed over, each with its reason.
    pub(crate) passed_over: Vec<PassedOver>,
}

impl Choice {
    const fn of(folder: PathBuf, rule: Rule) -> Self {
        Self::at(Place::Folder(folder), rule)
    }

    const fn at(place: Place, rule: Rule) -> Self {
        Self {
            place,
            rule,
            passed_over: Vec::new(),
        }
    }

    /// Its folder; a failure for a book on a server, whose folder is the server's alone.
    pub(crate) fn folder(&self) -> Result<&Path, DiscoveryError> {
        match &self.place {
            Place::Folder(folder) => Ok(folder),
            Place::Server(address) => Err(DiscoveryError::NeedsFolder {
                address: address.to_string(),
            }),
        }
    }
}

/// A variable that names a place which may hold a book of ours, and was found to hold none, or cannot be asked.
///
/// Such variables are set for other programs too, so they win only where a book is known to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PassedOver {
    /// The variable.
    by: &'static str,
    /// What it names, without what may be secret.
    address: String,
    /// Why it does not win.
    why: String,
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { by, address, why } = self;
        write!(f, "{by} (`{address}`) is passed over: {why}")
    }
}

/// Why no book can be chosen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiscoveryError {
    /// A database is named.
    #[error("{by} names `{address}`, and books in databases are not supported yet")]
    Database {
        /// Who names it.
        by: &'static str,
        /// The address, without what may be secret.
        address: String,
    },
    /// A server is named, and not as it should be.
    #[error("{by} names no book")]
    Address {
        /// Who names it.
        by: &'static str,
        /// What is wrong.
        #[source]
        source: ClientError,
    },
    /// What is to be done needs the folder of a book that is on a server.
    #[error("this needs the book's folder, and the book is on the server `{address}`")]
    NeedsFolder {
        /// The server.
        address: String,
    },
}

impl DiscoveryError {
    /// Its code.
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Database { .. } => ErrorCode::NotSupportedYet,
            Self::Address { source, .. } => source.code(),
            Self::NeedsFolder { .. } => ErrorCode::Usage,
        }
    }

    /// What to do.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Database { .. } => {
                "keep the book in a folder: name one with `--book FOLDER`, or make one here with `trialbook init --book .trialbook`"
            }
            Self::Address { source, .. } => return source.hint(),
            Self::NeedsFolder { .. } => {
                "do it on the server's machine, with `--book FOLDER` for the folder that is served"
            }
        }
        .to_owned())
    }
}

/// Chooses the book. `is_ours` says whether a server of ours answers at an address, or why none does.
pub(crate) fn choose(
    around: &Surroundings,
    is_ours: impl Fn(&Address) -> Result<(), ClientError>,
) -> Result<Choice, DiscoveryError> {
    if let Some(named) = &around.flag {
        return named_book("--book", named.into(), around, Rule::Flag);
    }
    if let Some(named) = around.trialbook.as_ref().filter(|named| !named.is_empty()) {
        return named_book("TRIALBOOK", named.clone(), around, Rule::Variable);
    }
    if let Some(folder) = find(around) {
        return Ok(Choice::of(folder, Rule::Found));
    }
    let mut passed_over = Vec::new();
    if let Some(value) = &around.mlflow
        && let Some(address) = remote(value, &WEB)
    {
        let parsed = Address::parse(value.to_str().unwrap_or_default());
        let asked = parsed.and_then(|server| is_ours(&server).map(|()| server));
        match asked {
            Ok(server) => return Ok(Choice::at(Place::Server(server), Rule::Tracking)),
            Err(error) => passed_over.push(PassedOver {
                by: "MLFLOW_TRACKING_URI",
                address,
                why: error.to_string(),
            }),
        }
    }
    if let Some(address) = around
        .database
        .as_ref()
        .and_then(|it| remote(it, &DATABASE))
    {
        passed_over.push(PassedOver {
            by: "DATABASE_URL",
            address,
            why: "books in databases are not supported yet".to_owned(),
        });
    }
    Ok(Choice {
        passed_over,
        ..Choice::of(around.here.join(FOLDER), Rule::Here)
    })
}

/// The book of a name: a server, or a folder; one that holds a `.trialbook/` means that one.
fn named_book(
    by: &'static str,
    named: OsString,
    around: &Surroundings,
    rule: Rule,
) -> Result<Choice, DiscoveryError> {
    if let Some(text) = named.to_str().filter(|text| Address::is_one(text)) {
        let address = Address::parse(text);
        let address = address.map_err(|source| DiscoveryError::Address { by, source })?;
        return Ok(Choice::at(Place::Server(address), rule));
    }
    if let Some(address) = remote(&named, &DATABASE) {
        return Err(DiscoveryError::Database { by, address });
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

    fn nobody(address: &Address) -> Result<(), ClientError> {
        Err(ClientError::Stranger {
            address: address.to_string(),
        })
    }

    #[test]
    fn rules_win_in_their_order() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let mut given = around(root, "home/work/deep");
        let chosen = |given: &Surroundings| choose(given, nobody).unwrap();
        let rule = |given: &Surroundings| chosen(given).rule;
        assert_eq!(rule(&given), Rule::Here);
        given.database = Some("mysql://x".into());
        given.mlflow = Some("./mlruns".into());
        assert_eq!(rule(&given), Rule::Here);
        given.database = Some("postgres://me:secret@db.example/x?token=1".into());
        let choice = chosen(&given);
        assert_eq!(choice.rule, Rule::Here);
        let said = choice.passed_over[0].to_string();
        assert!(
            said.starts_with("DATABASE_URL (`postgres://db.example`) is passed over"),
            "{said}"
        );
        given.mlflow = Some("https://mlflow.example".into());
        assert_eq!(chosen(&given).passed_over.len(), 2);
        let ours = choose(&given, |_| Ok(())).unwrap();
        assert_eq!(ours.rule, Rule::Tracking);
        assert_eq!(ours.place.to_string(), "https://mlflow.example");
        assert!(ours.folder().is_err());
        fs::create_dir_all(root.join("home/work/.trialbook")).unwrap();
        let choice = chosen(&given);
        assert_eq!((choice.rule, choice.passed_over.len()), (Rule::Found, 0));
        given.trialbook = Some("elsewhere".into());
        assert_eq!(rule(&given), Rule::Variable);
        given.flag = Some(root.join("home/work").display().to_string());
        let choice = chosen(&given);
        assert_eq!(choice.folder().unwrap(), root.join("home/work/.trialbook"));
        given.flag = Some("HTTPS://x:1/".into());
        assert_eq!(chosen(&given).place.to_string(), "https://x:1");
        given.flag = Some("http://me:pass@x".into());
        let refused = choose(&given, nobody).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Usage);
        given.flag = Some("postgres://x".into());
        let refused = choose(&given, nobody).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::NotSupportedYet);
    }

    #[test]
    fn the_walk_ends_at_home_and_passes_over_others_books() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let mut given = around(root, "home/work");
        fs::create_dir_all(root.join(".trialbook")).unwrap();
        assert_eq!(choose(&given, nobody).unwrap().rule, Rule::Here);
        given.home = None;
        assert_eq!(
            choose(&given, nobody).unwrap().folder().unwrap(),
            root.join(".trialbook")
        );
        given.user += 1;
        assert_eq!(choose(&given, nobody).unwrap().rule, Rule::Here);
    }
}
