//! How we work on Trialbook: `cargo xtask VERB`.
//!
//! Not needed to build or run Trialbook, and no product code lives here. Invariant: every verb works in
//! a lone clone with Rust, a C compiler and Python 3, and names what is missing where that is not so.

mod arguments;
mod bench;
mod counts;
mod dist;
mod faults;
mod mlflow;
mod printer;
mod process;
mod reference;
mod requirements;
mod shells;
mod stages;
mod suite;
mod tidy;
mod tree;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::arguments::Arguments;
use crate::printer::{complain, say};

const USAGE: &str = "\
usage: cargo xtask VERB

  test [--only STAGE]...           everything that must be green; stages: fmt clippy doc test doctest faults python mlflow tidy
  tidy                             arrows between crates, budgets, names, texts, generated pages
  docs                             writes the generated pages under docs/reference anew
  dist                             the release binary, in dist/
  faults --minutes N [--seed S]    the long form of the fault tests; N is what each looping test takes
  bench [NAME]... [--json FILE]    the benches; without NAME all of them";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let verb = words.next().unwrap_or_default();
    match run(&verb, Arguments::new(words)) {
        Ok(code) => code,
        Err(error) => {
            complain(&format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}

fn run(verb: &str, arguments: Arguments) -> Result<ExitCode> {
    match verb {
        "test" => suite::run(arguments),
        "tidy" => tidy::run(arguments),
        "docs" => reference::run(arguments),
        "dist" => dist::run(arguments),
        "faults" => faults::run(arguments),
        "bench" => bench::run(arguments),
        "" | "help" | "-h" | "--help" => {
            say(USAGE);
            Ok(ExitCode::SUCCESS)
        }
        other => bail!("no verb `{other}`\n{USAGE}"),
    }
}
