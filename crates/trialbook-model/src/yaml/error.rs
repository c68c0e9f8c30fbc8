//! What can be wrong with a file of ours, each with its place, and what is only worth a word.
//!
//! Not here: how errors are shown. Invariant: every error names file, line, column and the path of keys,
//! what was found and what was expected.

use std::fmt;

use serde::Serialize;

use crate::config::SplitError;
use crate::criteria::CriterionError;
use crate::template::TemplateError;

/// A place in a file, both numbers from 1; the column counts letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// One thing wrong with a file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub struct FileError {
    /// The file as named by the caller.
    pub file: String,
    /// Where.
    pub at: Position,
    /// The keys that lead there, such as `variations[1].params.agents`; empty for the whole file.
    pub path: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What may be wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Problem {
    /// The text is not YAML.
    #[error("not readable as YAML: {found}")]
    Syntax {
        /// What the YAML parser met.
        found: String,
        /// Whether the line is indented with tabs.
        tab: bool,
    },
    /// There is nothing in the file.
    #[error("the file holds no {kind}")]
    Empty {
        /// What the file should hold.
        kind: &'static str,
        /// What it needs at least.
        needs: &'static str,
    },
    /// More than one YAML document.
    #[error("a second document begins here; the file may hold one")]
    SecondDocument,
    /// A limit is passed.
    #[error("{what}: the limit is {limit}")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: u64,
    },
    /// An alias inside the node that it stands for.
    #[error("the alias stands for something that contains it")]
    AliasOfItself,
    /// A tag other than those of the core schema.
    #[error("the tag `{tag}` has no meaning here")]
    Tag {
        /// The tag.
        tag: String,
    },
    /// A key that is a list or a map.
    #[error("found {found}, expected a text as key")]
    KeyShape {
        /// What was found.
        found: &'static str,
    },
    /// A key for the second time.
    #[error("the key `{key}` was given before, in line {}", first.line)]
    DuplicateKey {
        /// The key.
        key: String,
        /// Where it stands first.
        first: Position,
    },
    /// A name for the second time.
    #[error("the {what} `{name}` was named before, in line {}", first.line)]
    DuplicateName {
        /// What has the name.
        what: &'static str,
        /// The name.
        name: String,
        /// Where it stands first.
        first: Position,
    },
    /// A key that means nothing here.
    #[error("unknown key `{key}`")]
    UnknownKey {
        /// The key.
        key: String,
        /// What was probably meant.
        nearest: Option<String>,
        /// What is known here.
        known: Vec<String>,
    },
    /// A key that has to be there.
    #[error("the key `{key}` is missing; expected {expected}")]
    MissingKey {
        /// The key.
        key: &'static str,
        /// What it has to hold.
        expected: &'static str,
    },
    /// The wrong kind of thing, or a value outside what is allowed.
    #[error("found {found}, expected {expected}")]
    Value {
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
        /// What was probably meant, or what to do.
        hint: Option<String>,
    },
    /// A part of the format that this version cannot carry out.
    #[error("`{key}` is not supported yet")]
    NotSupportedYet {
        /// The key.
        key: String,
        /// What does the same today, if anything does.
        instead: Option<&'static str>,
    },
    /// Two keys that say the same thing.
    #[error("`{key}` is given here and as `{other}`")]
    GivenTwice {
        /// The key here.
        key: String,
        /// The other key.
        other: String,
    },
    /// A criterion that cannot be read.
    #[error(transparent)]
    Criterion(CriterionError),
    /// A template that cannot be filled in, and for which variation.
    #[error("{error}{}", for_variation(variation.as_deref()))]
    Template {
        /// What is wrong with it.
        error: TemplateError,
        /// The variation for which a name has no value; `None` when it is the same for all.
        variation: Option<String>,
    },
    /// A command that cannot be split into words.
    #[error(transparent)]
    Command(SplitError),
}

fn for_variation(variation: Option<&str>) -> String {
    variation.map_or_else(String::new, |name| format!(" in the variation `{name}`"))
}

impl Problem {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Syntax { tab: true, .. } => "indent with spaces; YAML takes no tabs".to_owned(),
            Self::Syntax { tab: false, .. } => {
                "look at the indentation and quotes of this line and the one before".to_owned()
            }
            Self::Empty { kind, needs } => format!("a {kind} needs at least {needs}"),
            Self::SecondDocument => "remove the line `---`, or make two files".to_owned(),
            Self::TooMuch { .. }
            | Self::AliasOfItself
            | Self::KeyShape { .. }
            | Self::MissingKey { .. } => return None,
            Self::Tag { .. } => "remove the tag".to_owned(),
            Self::DuplicateKey { .. } | Self::GivenTwice { .. } => "keep one of them".to_owned(),
            Self::DuplicateName { .. } => "give each a name of its own".to_owned(),
            Self::UnknownKey { nearest, known, .. } => match nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("known here: {}", known.join(", ")),
            },
            Self::Value { hint, .. } => return hint.clone(),
            Self::NotSupportedYet { instead, .. } => {
                instead.unwrap_or("remove it to run without").to_owned()
            }
            Self::Criterion(error) => error.hint(),
            Self::Template { error, .. } => return error.hint(),
            Self::Command(error) => error.hint().to_owned(),
        })
    }
}

impl FileError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        self.problem.hint()
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.at)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        self.problem.fmt(f)
    }
}

/// One line an error, each followed by its hint.
pub(crate) fn listed(errors: &[FileError], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, error) in errors.iter().enumerate() {
        let line_end = if at > 0 { "\n" } else { "" };
        write!(f, "{line_end}{error}")?;
        if let Some(hint) = error.hint() {
            write!(f, "\n  hint: {hint}")?;
        }
    }
    Ok(())
}

/// Something that is allowed and probably not meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where; `None` for configs that have no file.
    pub at: Option<Position>,
    /// The keys that lead there.
    pub path: String,
    /// What is odd.
    pub doubt: Doubt,
}

/// What may be odd.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// A criterion on a metric that the config does not list.
    #[error("`{metric}` is not among the metrics{}", did_you_mean(nearest.as_deref()))]
    UnlistedMetric {
        /// The metric.
        metric: String,
        /// The most alike listed one.
        nearest: Option<String>,
    },
    /// A param with the name of a value that templates have by themselves.
    #[error("the param `{name}` hides the built-in `{{{name}}}`")]
    HidesBuiltIn {
        /// The name.
        name: String,
    },
    /// A word that only a shell would understand.
    #[error("no shell runs the command: `{word}` is passed on as it is")]
    ShellWord {
        /// The word.
        word: String,
    },
    /// Keys without effect.
    #[error("`{key}` has no effect here")]
    NoEffect {
        /// The key.
        key: String,
    },
    /// A key that means nothing, in a file that may have such keys.
    #[error("unknown key `{key}`: it is kept and has no effect{}", did_you_mean(nearest.as_deref()))]
    UnknownKey {
        /// The key.
        key: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// Levels that look like fractions of one.
    #[error("levels are percents; `level_unit: fraction` says otherwise")]
    FractionLevels,
    /// A seed that NumPy refuses.
    #[error("the seed {seed} is above 4294967295, which NumPy refuses")]
    LargeSeed {
        /// The seed.
        seed: u64,
    },
    /// A baseline that the matrix multiplies.
    #[error("the matrix makes several of the baseline; `{name}` is taken")]
    SeveralBaselines {
        /// The variation taken.
        name: String,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = self.at {
            write!(f, "line {}: ", at.line)?;
        }
        write!(f, "{}: {}", self.path, self.doubt)
    }
}
