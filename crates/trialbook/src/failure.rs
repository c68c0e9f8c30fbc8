//! What can go wrong in the binary itself, and how any failure is told: `error:`, `caused by:`, `hint:`.
//!
//! Not here: failures of the libraries, which have their own types. Invariant: every failure has one code,
//! and the exit code follows from it alone.

mod told;

use std::fmt::Write as _;

use trialbook_client::ClientError;
use trialbook_model::code::ErrorCode;
use trialbook_model::filter::FilterError;
use trialbook_model::handle::LEAST_PREFIX;

pub(crate) use told::Told;

/// A failure that the binary finds by itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A reading verb where there is no book.
    #[error("there is no book at `{folder}`")]
    NoBook {
        /// Where it was looked for.
        folder: String,
        /// What `--book` names, where it was given.
        named: Option<String>,
    },
    /// A value that is not what its place takes.
    #[error("{what} `{value}` is not {expected}")]
    Value {
        /// Whose value, such as `the value of metric `loss``.
        what: String,
        /// The value as given.
        value: String,
        /// What was expected, such as `a number`.
        expected: &'static str,
    },
    /// Arguments that make no sense together or are missing.
    #[error("{problem}")]
    Usage {
        /// What is wrong.
        problem: String,
        /// What to write instead.
        hint: String,
    },
    /// An id or name that means nothing here.
    #[error("no {noun} of this book is called `{text}`")]
    Unknown {
        /// `run`, `experiment`, …
        noun: &'static str,
        /// The text as given.
        text: String,
        /// Names that resemble it.
        nearest: Vec<String>,
    },
    /// A run or experiment that is not here.
    #[error("no {noun} of this book is called `{text}`")]
    UnknownName {
        /// `run` or `experiment`.
        noun: &'static str,
        /// The text as given.
        text: String,
        /// What resembles it, as it can be typed.
        nearest: Vec<String>,
        /// The experiment that `last` is of.
        of: Option<String>,
        /// The newest that there are.
        last: Vec<String>,
    },
    /// A series that the run does not have.
    #[error("the run has no series `{key}`")]
    UnknownSeries {
        /// The series.
        key: String,
        /// Series that it has.
        nearest: Vec<String>,
    },
    /// A filter or an order that cannot be read; the place is marked below its text.
    #[error("{source}\n{}", source.render(text))]
    Filter {
        /// The text.
        text: String,
        /// What is wrong, and where.
        source: FilterError,
    },
    /// An id or name that means several.
    #[error("`{text}` means {} of this book:{}", count(.candidates.len(), noun), listed(.candidates))]
    Ambiguous {
        /// `run`, `experiment`, …
        noun: &'static str,
        /// The text as given.
        text: String,
        /// What it may mean, as lines.
        candidates: Vec<String>,
    },
    /// No run was named and none follows from the surroundings.
    #[error("which run is meant?{}", listed(.running))]
    NoRun {
        /// Running runs, as lines.
        running: Vec<String>,
    },
    /// An experiment is named where a run is needed, and has none.
    #[error("experiment `{experiment}` has no run")]
    NoRunYet {
        /// The experiment, as given.
        experiment: String,
    },
    /// A name that something else bears already.
    #[error("{noun} `{name}` exists already")]
    Taken {
        /// `experiment`, …
        noun: &'static str,
        /// The name.
        name: String,
    },
    /// What lies in the bin takes nothing in.
    #[error("{what} is in the bin")]
    InBin {
        /// The experiment, as told to people.
        what: String,
    },
    /// What is running cannot be put away.
    #[error("{what} is running")]
    Running {
        /// The run, or the experiment with its running runs, as told to people.
        what: String,
    },
    /// A text that would be kept as it is and looks like a secret.
    #[error("{what} looks like a secret and would be kept as it is")]
    Secret {
        /// What was given, without its value.
        what: String,
    },
    /// Known to others, and not yet to this version.
    #[error("`{verb}` is not supported yet")]
    NotYet {
        /// The verb.
        verb: String,
        /// What helps meanwhile.
        hint: &'static str,
    },
    /// A param that has another value.
    #[error("param `{key}` of {run} is `{present}` already and cannot become `{refused}`")]
    ParamConflict {
        /// The param.
        key: String,
        /// The run, as told to people.
        run: String,
        /// Its value.
        present: String,
        /// The value that was refused.
        refused: String,
    },
    /// The run has ended.
    #[error("{run} has ended: it is {status}")]
    Ended {
        /// The run, as told to people.
        run: String,
        /// Its state.
        status: trialbook_model::status::RunStatus,
    },
    /// Nothing of an experiment is to be ended any more.
    #[error("no run of `{experiment}` is queued or running")]
    AllEnded {
        /// The experiment, as given.
        experiment: String,
    },
    /// The run is being executed by another process, which will end it.
    #[error("{run} is being executed by another process, which will end it")]
    Executed {
        /// The run, as told to people.
        run: String,
    },
    /// A book that holds experiments, in whose place others were to come.
    #[error("the book at `{path}` is not empty")]
    NotEmpty {
        /// The book.
        path: String,
    },
    /// A file or folder that would be replaced.
    #[error("`{path}` is there already")]
    Exists {
        /// The file.
        path: String,
    },
    /// A file in whose place a report was to come, and which is none.
    #[error("`{path}` is there and is no report of an experiment")]
    NoReport {
        /// The file.
        path: String,
    },
    /// Data that is not what its manifest says.
    #[error("the data is not what its manifest says:{}", listed(.problems))]
    DataChanged {
        /// What is wrong, as lines.
        problems: Vec<String>,
    },
    /// A file that would be replaced by another one.
    #[error("`{path}` is there already and is a different file")]
    OtherFile {
        /// The file.
        path: String,
    },
    /// A manifest that is not there.
    #[error("there is no manifest `{path}`")]
    NoManifest {
        /// The file.
        path: String,
    },
    /// A file that is named cannot be read.
    #[error("cannot read `{path}`")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What was recorded could not be brought to the server.
    #[error("what was recorded is not at `{address}` yet; it is kept in `{folder}`")]
    Undelivered {
        /// The server.
        address: String,
        /// The outbox.
        folder: String,
        /// Why.
        #[source]
        source: Box<ClientError>,
    },
    /// Lines of a stream that could not be understood.
    #[error(
        "{broken} of {lines} lines were not understood; they are kept as events of kind `not_understood`"
    )]
    BrokenLines {
        /// How many.
        broken: u64,
        /// Of how many.
        lines: u64,
    },
}

fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    // `run or experiment`: each of the words has its plural.
    let noun = noun.replace(" or ", &format!("{plural} or "));
    format!("{number} {noun}{plural}")
}

fn listed(lines: &[String]) -> String {
    /// More lines help nobody.
    const MOST: usize = 10;
    let mut text = String::new();
    for line in lines.iter().take(MOST) {
        text.push_str("\n  ");
        text.push_str(line);
    }
    if lines.len() > MOST {
        write!(text, "\n  … and {} more", lines.len() - MOST).expect("a string takes all");
    }
    text
}

impl Failure {
    /// Its code.
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Undelivered { source, .. } => source.code(),
            Self::NoBook { .. } => ErrorCode::BookMissing,
            Self::Value { .. } | Self::BrokenLines { .. } | Self::Secret { .. } => {
                ErrorCode::ValueInvalid
            }
            Self::Usage { .. } | Self::NoRun { .. } | Self::NoRunYet { .. } => ErrorCode::Usage,
            Self::Taken { .. } | Self::Running { .. } | Self::InBin { .. } => {
                ErrorCode::StateConflict
            }
            Self::NotYet { .. } => ErrorCode::NotSupportedYet,
            Self::Unknown { .. }
            | Self::UnknownName { .. }
            | Self::UnknownSeries { .. }
            | Self::NoManifest { .. } => ErrorCode::NotFound,
            Self::Filter { .. } => ErrorCode::FilterInvalid,
            Self::Ambiguous { .. } => ErrorCode::Ambiguous,
            Self::ParamConflict { .. } => ErrorCode::ParamConflict,
            Self::Ended { .. } | Self::AllEnded { .. } => ErrorCode::RunEnded,
            Self::Executed { .. }
            | Self::OtherFile { .. }
            | Self::Exists { .. }
            | Self::NoReport { .. }
            | Self::NotEmpty { .. } => ErrorCode::StateConflict,
            Self::DataChanged { .. } => ErrorCode::DataChanged,
            Self::Unreadable { .. } => ErrorCode::Io,
        }
    }

    /// What to do, where something can be said.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoBook { named, .. } => hint_of_no_book(named.as_deref()),
            Self::Undelivered { source, .. } if source.is_passing() => {
                "`trialbook sync` brings it over when the server is there again".to_owned()
            }
            Self::Undelivered { source, .. } => match source.hint() {
                Some(hint) => format!("{hint}; then `trialbook sync` brings it over"),
                None => "`trialbook sync` tries again".to_owned(),
            },
            Self::Usage { hint, .. } => hint.clone(),
            Self::Unknown { noun, nearest, .. } => hint_of_unknown(noun, nearest),
            Self::UnknownName {
                noun,
                text,
                nearest,
                of,
                last,
            } => hint_of_name((noun, text), nearest, (of.as_deref(), last)),
            Self::UnknownSeries { nearest, .. } if nearest.is_empty() => return None,
            Self::UnknownSeries { nearest, .. } => {
                format!(
                    "it has `{}`; contexts are given with --context",
                    nearest.join("`, `")
                )
            }
            Self::Filter { source, .. } => return source.hint(),
            Self::Ambiguous { .. } => {
                "give its id, or its place with the project: `PROJECT/EXPERIMENT/run-001`"
                    .to_owned()
            },
            Self::NoRun { .. } => {
                "name it with `--run RUN`, or start one: `export TRIALBOOK_RUN=$(trialbook start)`"
                    .to_owned()
            }
            Self::ParamConflict { .. } => {
                "params are written once; start another run for another value".to_owned()
            }
            Self::NotEmpty { .. } => {
                "`--force` replaces its experiments by those of the backup; back it up first"
                    .to_owned()
            }
            Self::OtherFile { .. } | Self::Exists { .. } | Self::NoReport { .. } => {
                "`--force` replaces it".to_owned()
            }
            Self::NoRunYet { experiment } => {
                format!("start one: `trialbook start --experiment '{experiment}'`")
            }
            Self::AllEnded { experiment } => {
                format!("`trialbook status '{experiment}'` shows how it stands")
            }
            Self::Taken { .. } => "choose another name".to_owned(),
            Self::InBin { .. } => "`trialbook undelete EXPERIMENT` brings it back; or take another name".to_owned(),
            Self::Running { .. } => {
                "end it first: `trialbook end --run RUN --status cancelled`".to_owned()
            }
            Self::Secret { .. } => {
                "give the name of a variable or of a file that holds it instead".to_owned()
            }
            Self::NotYet { hint, .. } => (*hint).to_owned(),
            Self::Executed { .. } => {
                "`trialbook cancel RUN` ends it, or Ctrl-C where `trialbook run` runs".to_owned()
            }
            Self::DataChanged { .. } => {
                "`trialbook dataset update` takes the data as it is now; `trialbook run CONFIG` without `--strict-data` only warns of it"
                    .to_owned()
            }
            Self::NoManifest { .. } => "`trialbook dataset add PATH` writes one".to_owned(),
            Self::Value { .. }
            | Self::Ended { .. }
            | Self::Unreadable { .. }
            | Self::BrokenLines { .. } => return None,
        })
    }
}

/// Whether a text may be meant as the beginning of an id and is too short for one.
fn is_short(text: &str) -> bool {
    text.len() < LEAST_PREFIX && text.bytes().all(|letter| letter.is_ascii_hexdigit())
}

/// How the book that is missing is made.
fn hint_of_no_book(named: Option<&str>) -> String {
    match named {
        Some(named) => format!("`trialbook init --book '{named}'` makes one there"),
        None => {
            "`trialbook init` makes one here; `--book FOLDER` or TRIALBOOK names another".to_owned()
        }
    }
}

/// What could be meant by the name of a run or experiment: what resembles it, and the newest of an experiment or of all.
fn hint_of_name(
    (noun, text): (&str, &str),
    nearest: &[String],
    (of, last): (Option<&str>, &[String]),
) -> String {
    let newest = match of {
        Some(of) => format!("the newest runs of `{of}`"),
        None => format!("the newest {noun}s"),
    };
    let alike = nearest.join("` or `");
    let last = last.join("`, `");
    match (alike.is_empty(), last.is_empty(), of) {
        (false, false, _) => format!("did you mean `{alike}`? {newest}: `{last}`"),
        (false, true, _) => hint_of_unknown(noun, nearest),
        (true, true, Some(of)) => format!("`{of}` has no run yet"),
        (true, _, None) if is_short(text) => {
            format!("the beginning of an id has at least {LEAST_PREFIX} digits")
        }
        (true, true, None) => hint_of_unknown(noun, &[]),
        (true, false, _) => {
            let also = hint_of_unknown(noun, &[]);
            format!("{newest}: `{last}`; {also}")
        }
    }
}

/// What to do about a name that means nothing here.
fn hint_of_unknown(noun: &str, nearest: &[String]) -> String {
    if !nearest.is_empty() {
        return format!("did you mean `{}`?", nearest.join("` or `"));
    }
    let hint = match noun {
        "experiment" => "`trialbook list experiments` shows what there is",
        "entry" => "the manifest has other names and paths",
        "metric" => "`trialbook show RUN` lists the metrics of a run",
        "run" => "`trialbook list` shows the runs, `trialbook list experiments` the experiments",
        "artifact" => "`trialbook artifact list RUN` shows what there is",
        "baseline" => "`trialbook baseline` shows what there is",
        "model" => "`trialbook model list` shows what there is",
        "prompt" => "`trialbook prompt list` shows what there is",
        "webhook" => "`trialbook webhook list` shows what there is",
        "version" | "alias" => {
            "`trialbook model show NAME` and `trialbook prompt show NAME` show what there is"
        }
        "variation" => "`trialbook show EXPERIMENT` shows what there is",
        _ => "`trialbook list` shows what there is",
    };
    hint.to_owned()
}
