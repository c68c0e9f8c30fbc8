//! The command line as declared; `commands/` acts on it.
//!
//! Not here: what a verb does. Invariant: every verb has help with examples.

use clap::{Args, Parser, Subcommand};

use crate::commands;

/// What `--help` says of exit codes.
const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  failed for a reason without a code of its own
    2  the command line is wrong
    3  an id or name is unknown or ambiguous
    4  a config, a filter or a value is invalid
    5  the book is missing, newer than this program, read-only or busy
    6  in conflict with what is recorded: a param, a name, the state of a run
    7  data are damaged or changed
    8  no space is left
    9  not supported yet
   10  the success criteria are not met
   11  at least one run failed
   12  another process runs the experiment
  130  interrupted

Which book: --book, else TRIALBOOK, else `.trialbook/` in this folder or above it (not above the home
folder, and only one that belongs to you). Writing verbs make one here on first use.";

/// Records, runs and compares experiments.
#[derive(Debug, Parser)]
#[command(
    name = "trialbook",
    version,
    after_help = EXIT_CODES,
    disable_help_subcommand = true,
    max_term_width = 100,
    propagate_version = false
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Options of every verb.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// The book: a folder. Default: TRIALBOOK, else `.trialbook/` here or above
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) book: Option<String>,
    /// Print JSON with a schema version instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(commands::init::Args),
    Run(commands::run::Args),
    Start(commands::start::Args),
    Log(commands::log::Args),
    End(commands::end::Args),
    List(commands::list::Args),
    Show(commands::show::Args),
    Search(commands::search::Args),
    Series(commands::series::Args),
    Doctor(commands::doctor::Args),
    Version(commands::version::Args),
    #[command(hide = true)]
    Exec(commands::exec::Args),
    #[command(name = "__docs", hide = true)]
    Docs(commands::docs::Args),
}
