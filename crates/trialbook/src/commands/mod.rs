//! One file per verb: its arguments and what it does.
//!
//! Invariant: a verb prints through the context's printer and returns its failure; it never ends the process.

pub(crate) mod analyze;
pub(crate) mod archive;
pub(crate) mod artifact;
pub(crate) mod backup;
pub(crate) mod baseline;
pub(crate) mod cancel;
pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod completion;
pub(crate) mod copy;
pub(crate) mod create;
pub(crate) mod dataset;
pub(crate) mod delete;
pub(crate) mod docs;
pub(crate) mod doctor;
pub(crate) mod end;
pub(crate) mod exec;
pub(crate) mod export;
mod flags;
pub(crate) mod gc;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod leaderboard;
pub(crate) mod lint;
pub(crate) mod list;
pub(crate) mod log;
pub(crate) mod logs;
pub(crate) mod model;
pub(crate) mod not_yet;
pub(crate) mod note;
mod overview;
pub(crate) mod prompt;
pub(crate) mod relocate;
pub(crate) mod rename;
pub(crate) mod report;
pub(crate) mod revert;
pub(crate) mod run;
pub(crate) mod search;
pub(crate) mod series;
pub(crate) mod serve;
pub(crate) mod show;
pub(crate) mod simulate;
pub(crate) mod start;
pub(crate) mod stats;
pub(crate) mod status;
pub(crate) mod sync;
pub(crate) mod tag;
pub(crate) mod template;
pub(crate) mod token;
pub(crate) mod validate;
pub(crate) mod version;
pub(crate) mod webhook;

use std::process::ExitCode;

use crate::cli::Command;
use crate::context::Context;

/// Acts on the command line.
#[expect(clippy::too_many_lines, reason = "one line for each verb")]
pub(crate) fn dispatch(command: Option<Command>, cx: &Context) -> anyhow::Result<ExitCode> {
    match command {
        Some(Command::Init(args)) => init::run(&args, cx),
        Some(Command::Run(args)) => run::run(&args, cx),
        Some(Command::Create(args)) => create::run(&args, cx),
        Some(Command::Validate(args)) => validate::run(&args, cx),
        Some(Command::Template(args)) => template::run(&args, cx),
        Some(Command::Simulate(args)) => simulate::run(&args, cx),
        Some(Command::Status(args)) => status::run(&args, cx),
        Some(Command::Logs(args)) => logs::run(&args, cx),
        Some(Command::Cancel(args)) => cancel::run(&args, cx),
        Some(Command::Start(args)) => start::run(&args, cx),
        Some(Command::Log(args)) => log::run(args, cx),
        Some(Command::End(args)) => end::run(&args, cx),
        Some(Command::List(args)) => list::run(&args, cx),
        Some(Command::Show(args)) => show::run(&args, cx),
        Some(Command::Token(args)) => token::run(&args, cx),
        Some(Command::Tag(args)) => tag::run(&args, cx),
        Some(Command::Note(args)) => note::run(&args, cx),
        Some(Command::Baseline(args)) => baseline::run(&args, cx),
        Some(Command::Revert(args)) => revert::run(&args, cx),
        Some(Command::Rename(args)) => rename::run(&args, cx),
        Some(Command::Move(args)) => relocate::run(&args, cx),
        Some(Command::Archive(args)) => archive::run(&args, cx),
        Some(Command::Unarchive(args)) => archive::run_back(&args, cx),
        Some(Command::Delete(args)) => delete::run(&args, cx),
        Some(Command::Undelete(args)) => delete::run_back(&args, cx),
        Some(Command::Serve(args)) => serve::run(&args, cx),
        Some(Command::Search(args)) => search::run(&args, cx),
        Some(Command::Compare(args)) => compare::run(&args, cx),
        Some(Command::Analyze(args)) => analyze::run(&args, cx),
        Some(Command::Report(args)) => report::run(&args, cx),
        Some(Command::Check(args)) => check::run(&args, cx),
        Some(Command::Lint(args)) => lint::run(&args, cx),
        Some(Command::Leaderboard(args)) => leaderboard::run(&args, cx),
        Some(Command::Series(args)) => series::run(&args, cx),
        Some(Command::Stats(args)) => stats::run(&args, cx),
        Some(Command::Artifact(args)) => artifact::run(&args, cx),
        Some(Command::Model(args)) => model::run(&args, cx),
        Some(Command::Prompt(args)) => prompt::run(&args, cx),
        Some(Command::Webhook(args)) => webhook::run(&args, cx),
        Some(Command::Sync(args)) => sync::run(&args, cx),
        Some(Command::Doctor(args)) => doctor::run(&args, cx),
        Some(Command::Visualize(_)) => not_yet::run(
            "visualize",
            "`trialbook series RUN METRIC --csv` gives the points to any plotting program",
        ),
        Some(Command::Reproduce(_)) => not_yet::run(
            "reproduce",
            "`trialbook revert RUN -o FILE` writes a config that runs it again",
        ),
        Some(Command::Backup(args)) => backup::run(&args, cx),
        Some(Command::Restore(args)) => backup::restore(&args, cx),
        Some(Command::Copy(args)) => copy::run(&args, cx),
        Some(Command::Dataset(args)) => dataset::run(&args, cx),
        Some(Command::Gc(args)) => gc::run(&args, cx),
        Some(Command::Export(args)) => export::run(&args, cx),
        Some(Command::Import(args)) => import::run(&args, cx),
        Some(Command::Exec(args)) => exec::run(&args, cx),
        Some(Command::Completion(args)) => Ok(completion::run(&args, cx)),
        Some(Command::Complete(args)) => Ok(completion::ask(&args, cx)),
        Some(Command::Version(args)) => version::run(&args, cx),
        Some(Command::Docs(docs::Args {})) => Ok(docs::run(cx)),
        None => overview::run(cx),
    }
}
