//! `trialbook completion`: what a shell needs to complete verbs, options and ids.
//!
//! The scripts ask the program itself (`trialbook __complete`), so that they fit it whatever verbs it has.
//! Invariant: completing reads only; what goes wrong completes nothing and is not told.

mod asking;
mod line;

use std::process::ExitCode;

use clap::ValueEnum;

pub(crate) use asking::{Args as AskArgs, run as ask};

use crate::context::Context;

/// Print the completion script of a shell
///
/// It completes verbs, options, and the names of runs, experiments and projects of the book that is meant.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  source <(trialbook completion bash)            # in ~/.bashrc
  source <(trialbook completion zsh)             # in ~/.zshrc, after compinit
  trialbook completion fish | source             # in ~/.config/fish/config.fish")]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Prints it.
pub(crate) fn run(args: &Args, cx: &Context) -> ExitCode {
    let script = match args.shell {
        Shell::Bash => include_str!("trialbook.bash"),
        Shell::Zsh => include_str!("trialbook.zsh"),
        Shell::Fish => include_str!("trialbook.fish"),
    };
    for line in script.lines() {
        cx.printer.line(line);
    }
    ExitCode::SUCCESS
}
