//! One file per verb: its arguments and what it does.
//!
//! Invariant: a verb prints through the context's printer and returns its failure; it never ends the process.

pub(crate) mod analyze;
pub(crate) mod archive;
pub(crate) mod artifact;
pub(crate) mod baseline;
pub(crate) mod compare;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod docs;
pub(crate) mod doctor;
pub(crate) mod end;
pub(crate) mod exec;
mod flags;
pub(crate) mod init;
pub(crate) mod leaderboard;
pub(crate) mod list;
pub(crate) mod log;
pub(crate) mod note;
mod overview;
pub(crate) mod relocate;
pub(crate) mod rename;
pub(crate) mod revert;
pub(crate) mod run;
pub(crate) mod search;
pub(crate) mod series;
pub(crate) mod show;
pub(crate) mod start;
pub(crate) mod stats;
pub(crate) mod tag;
pub(crate) mod version;

use std::process::ExitCode;

use crate::cli::Command;
use crate::context::Context;

/// Acts on the command line.
pub(crate) fn dispatch(command: Option<Command>, cx: &Context) -> anyhow::Result<ExitCode> {
    match command {
        Some(Command::Init(args)) => init::run(&args, cx),
        Some(Command::Run(args)) => run::run(&args, cx),
        Some(Command::Create(args)) => create::run(&args, cx),
        Some(Command::Start(args)) => start::run(&args, cx),
        Some(Command::Log(args)) => log::run(args, cx),
        Some(Command::End(args)) => end::run(&args, cx),
        Some(Command::List(args)) => list::run(&args, cx),
        Some(Command::Show(args)) => show::run(&args, cx),
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
        Some(Command::Search(args)) => search::run(&args, cx),
        Some(Command::Compare(args)) => compare::run(&args, cx),
        Some(Command::Analyze(args)) => analyze::run(&args, cx),
        Some(Command::Leaderboard(args)) => leaderboard::run(&args, cx),
        Some(Command::Series(args)) => series::run(&args, cx),
        Some(Command::Stats(args)) => stats::run(&args, cx),
        Some(Command::Artifact(args)) => artifact::run(&args, cx),
        Some(Command::Doctor(args)) => doctor::run(&args, cx),
        Some(Command::Exec(args)) => exec::run(&args, cx),
        Some(Command::Version(args)) => version::run(&args, cx),
        Some(Command::Docs(docs::Args {})) => Ok(docs::run(cx)),
        None => overview::run(cx),
    }
}
