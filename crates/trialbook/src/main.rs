//! The binary: parse, wire, print.
//!
//! Not here: anything that a library could hold. Invariant: every byte that goes to a terminal passes the
//! [`printer::Printer`]; the environment is read once, in [`context`].

mod answers;
mod baselines;
mod book;
mod cli;
mod collections;
mod commands;
mod context;
mod discovery;
mod failure;
mod figures;
mod given;
mod listing;
mod names;
mod nouns;
mod once;
mod pages;
mod printer;
mod replaced;
mod secrets;
mod session;
mod setups;
mod spelling;
mod summary;
mod target;
mod values;
mod variations;
mod when;

use std::process::ExitCode;

use clap::Parser as _;
use trialbook_report::{documents, keyed, titles};

use crate::cli::Cli;
use crate::context::Context;

/// Why this one: `docs/adr/0006-allocator.md`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(spelling::arguments(std::env::args_os())) {
        Ok(cli) => cli,
        Err(error) => return printer::show_usage(&error, std::env::args_os()),
    };
    let cx = match Context::read(&cli.options()) {
        Ok(cx) => cx,
        Err(error) => return printer::Printer::plain().failure(&error),
    };
    let outcome = commands::dispatch(cli.command, &cx);
    let code = outcome.unwrap_or_else(|error| cx.printer.failure(&error));
    let code = cx.printer.finish(code);
    book::seal_after_reading(&cx);
    code
}
