//! Stable codes for all that a user can meet going wrong.
//!
//! A code is what scripts and other programs look at; messages are for people and may change. Not here:
//! the errors themselves, which each room defines and maps to a code.
//! Invariant: a word once given out keeps its meaning; every code has one word and one exit code.

use std::fmt;

/// What went wrong, as far as a program can act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorCode {
    /// A fault of ours or of the machine that fits no other code.
    Internal,
    /// A file or device could not be read or written.
    Io,
    /// The command line is wrong.
    Usage,
    /// An id, name or path means nothing here.
    NotFound,
    /// An id or name means several things where one is needed.
    Ambiguous,
    /// A config cannot be read or breaks the schema.
    ConfigInvalid,
    /// A filter cannot be read.
    FilterInvalid,
    /// A value that is not what its place takes: a key, a number, a size.
    ValueInvalid,
    /// There is no book here.
    BookMissing,
    /// The book was made by a newer version.
    BookNewer,
    /// The book cannot be written by this user.
    BookReadOnly,
    /// The book is held by somebody who must be alone, such as a restore.
    BookBusy,
    /// A param has another value already.
    ParamConflict,
    /// The run has ended.
    RunEnded,
    /// The state of a run does not allow it.
    StateConflict,
    /// No space is left.
    DiskFull,
    /// Stored bytes are not what was written.
    DataDamaged,
    /// Data is not what its manifest says.
    DataChanged,
    /// Understood, but this version cannot do it.
    NotSupportedYet,
    /// The user may not do it.
    PermissionDenied,
    /// Stopped by a signal or on request.
    Interrupted,
    /// Everything ran and the success criteria are not met.
    CriteriaNotMet,
    /// At least one run failed.
    RunFailed,
    /// Another process runs the experiment.
    ExperimentBusy,
    /// What was asked for is not held any more, such as the version of a window.
    Expired,
}

impl ErrorCode {
    /// All codes.
    pub const ALL: [Self; 25] = [
        Self::Internal,
        Self::Io,
        Self::Usage,
        Self::NotFound,
        Self::Ambiguous,
        Self::ConfigInvalid,
        Self::FilterInvalid,
        Self::ValueInvalid,
        Self::BookMissing,
        Self::BookNewer,
        Self::BookReadOnly,
        Self::BookBusy,
        Self::ParamConflict,
        Self::RunEnded,
        Self::StateConflict,
        Self::DiskFull,
        Self::DataDamaged,
        Self::DataChanged,
        Self::NotSupportedYet,
        Self::PermissionDenied,
        Self::Interrupted,
        Self::CriteriaNotMet,
        Self::RunFailed,
        Self::ExperimentBusy,
        Self::Expired,
    ];

    /// The stable word, as in the JSON of an error.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Io => "io",
            Self::Usage => "usage",
            Self::NotFound => "not_found",
            Self::Ambiguous => "ambiguous",
            Self::ConfigInvalid => "config_invalid",
            Self::FilterInvalid => "filter_invalid",
            Self::ValueInvalid => "value_invalid",
            Self::BookMissing => "book_missing",
            Self::BookNewer => "book_newer",
            Self::BookReadOnly => "book_read_only",
            Self::BookBusy => "book_busy",
            Self::ParamConflict => "param_conflict",
            Self::RunEnded => "run_ended",
            Self::StateConflict => "state_conflict",
            Self::DiskFull => "disk_full",
            Self::DataDamaged => "data_damaged",
            Self::DataChanged => "data_changed",
            Self::NotSupportedYet => "not_supported_yet",
            Self::PermissionDenied => "permission_denied",
            Self::Interrupted => "interrupted",
            Self::CriteriaNotMet => "criteria_not_met",
            Self::RunFailed => "run_failed",
            Self::ExperimentBusy => "experiment_busy",
            Self::Expired => "expired",
        }
    }

    /// The exit code of a command that ends with this; [`EXIT_CODES`] says what each means.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Internal | Self::Io | Self::PermissionDenied => 1,
            Self::Usage => 2,
            Self::NotFound | Self::Ambiguous => 3,
            Self::ConfigInvalid | Self::FilterInvalid | Self::ValueInvalid => 4,
            Self::BookMissing | Self::BookNewer | Self::BookReadOnly | Self::BookBusy => 5,
            Self::ParamConflict | Self::RunEnded | Self::StateConflict | Self::Expired => 6,
            Self::DataDamaged | Self::DataChanged => 7,
            Self::DiskFull => 8,
            Self::NotSupportedYet => 9,
            Self::CriteriaNotMet => 10,
            Self::RunFailed => 11,
            Self::ExperimentBusy => 12,
            Self::Interrupted => 130,
        }
    }

    /// The code of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.word() == word)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Every exit code and what it means, for help and docs.
pub const EXIT_CODES: [(u8, &str); 14] = [
    (0, "done"),
    (1, "failed for a reason without a code of its own"),
    (2, "the command line is wrong"),
    (3, "an id or name is unknown or ambiguous"),
    (4, "a config, a filter or a value is invalid"),
    (
        5,
        "the book is missing, newer than this program, read-only or busy",
    ),
    (
        6,
        "in conflict with what is recorded: a param, the state of a run",
    ),
    (7, "data are damaged, or not what their manifest says"),
    (8, "no space is left"),
    (9, "not supported yet"),
    (10, "the success criteria are not met"),
    (11, "at least one run failed, or did not end"),
    (12, "another process runs the experiment"),
    (130, "interrupted"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn words_are_unique_and_read_back() {
        let words: BTreeSet<_> = ErrorCode::ALL.iter().map(|code| code.word()).collect();
        assert_eq!(words.len(), ErrorCode::ALL.len());
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::parse(code.word()), Some(code));
            let snake = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(code.word().chars().all(snake), "{code}");
        }
        assert_eq!(ErrorCode::parse("odd"), None);
    }

    #[test]
    fn the_table_names_exactly_the_exit_codes_in_use() {
        let used: BTreeSet<u8> = ErrorCode::ALL.iter().map(|code| code.exit_code()).collect();
        let named: BTreeSet<u8> = EXIT_CODES.iter().map(|(code, _)| *code).collect();
        assert!(!used.contains(&0));
        assert_eq!(named.len(), EXIT_CODES.len());
        assert_eq!(&named - &used, BTreeSet::from([0]));
        assert_eq!(&used - &named, BTreeSet::new());
    }
}
