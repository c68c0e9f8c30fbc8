//! The command line as declared; `commands/` acts on it.
//!
//! Not here: what a verb does. Invariant: every verb has help with examples.

use std::fmt::Write as _;

use clap::{Args, Parser, Subcommand};
use trialbook_model::code::EXIT_CODES;

use crate::commands;

/// What stands below the help of all verbs: exit codes, and which book is meant.
fn after_help() -> String {
    let mut text = String::from("Exit codes:\n");
    for (code, meaning) in EXIT_CODES {
        writeln!(text, "  {code:>3}  {meaning}").expect("a string takes all");
    }
    text.push_str(
        "\nWhich book: --book, else TRIALBOOK, else `.trialbook/` in this folder or above it (not above\n\
         the home folder, and only one that belongs to you), else the server that MLFLOW_TRACKING_URI names\n\
         where it is one of trialbook's. Writing verbs make a folder here on first use.",
    );
    text
}

/// Records, runs and compares experiments.
#[derive(Debug, Parser)]
#[command(
    name = "trialbook",
    version,
    after_help = after_help(),
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

impl Cli {
    /// The options of every verb, as this one has them: a format asks for JSON too.
    pub(crate) fn options(&self) -> Options {
        let mut options = self.options.clone();
        if let Some(Command::List(args)) = &self.command {
            options.json |= args.wants_json();
        }
        options
    }
}

/// Options of every verb.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// The book: a folder, or a server as `http://HOST:PORT` (its token stands in TRIALBOOK_TOKEN). Default: TRIALBOOK,
    /// else `.trialbook/` here or above
    #[arg(long, global = true, value_name = "BOOK")]
    pub(crate) book: Option<String>,
    /// Print JSON with a schema version instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print long texts to a terminal as they are. Default: TRIALBOOK_PAGER, else PAGER, else `less`
    #[arg(long, global = true)]
    pub(crate) no_pager: bool,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(commands::init::Args),
    Run(Box<commands::run::Args>),
    Create(Box<commands::create::Args>),
    Validate(commands::validate::Args),
    Template(commands::template::Args),
    Simulate(commands::simulate::Args),
    Status(commands::status::Args),
    Logs(commands::logs::Args),
    Cancel(commands::cancel::Args),
    Start(commands::start::Args),
    Log(commands::log::Args),
    End(commands::end::Args),
    List(commands::list::Args),
    Serve(commands::serve::Args),
    Show(commands::show::Args),
    Search(commands::search::Args),
    Compare(commands::compare::Args),
    Analyze(commands::analyze::Args),
    Report(commands::report::Args),
    Check(commands::check::Args),
    Lint(commands::lint::Args),
    Leaderboard(commands::leaderboard::Args),
    Series(commands::series::Args),
    Tag(commands::tag::Args),
    Token(commands::token::Args),
    Note(commands::note::Args),
    Baseline(commands::baseline::Args),
    Revert(commands::revert::Args),
    Rename(commands::rename::Args),
    Move(commands::relocate::Args),
    Archive(commands::archive::Args),
    Unarchive(commands::archive::Unarchive),
    Delete(commands::delete::Args),
    Undelete(commands::delete::Undelete),
    Stats(commands::stats::Args),
    Sync(commands::sync::Args),
    Artifact(commands::artifact::Args),
    Model(commands::model::Args),
    Prompt(commands::prompt::Args),
    Webhook(commands::webhook::Args),
    Export(commands::export::Args),
    Import(commands::import::Args),
    Copy(commands::copy::Args),
    Backup(commands::backup::Args),
    Restore(commands::backup::Restore),
    Gc(commands::gc::Args),
    Dataset(commands::dataset::Args),
    Doctor(commands::doctor::Args),
    Completion(commands::completion::Args),
    Version(commands::version::Args),
    #[command(hide = true, disable_help_flag = true)]
    Visualize(commands::not_yet::Args),
    #[command(hide = true, disable_help_flag = true)]
    Reproduce(commands::not_yet::Args),
    #[command(hide = true)]
    Exec(commands::exec::Args),
    #[command(name = "__complete", hide = true)]
    Complete(commands::completion::AskArgs),
    #[command(name = "__docs", hide = true)]
    Docs(commands::docs::Args),
}

#[cfg(test)]
mod tests;
