//! `trialbook artifact`: files of runs, listed, kept and taken out again.
//!
//! Not here: bytes and their checks, which the store has. Invariant: `list` and `get` change no book.

mod get;
mod list;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use trialbook_model::record::PutArtifact;
use trialbook_model::state::{Latest, Records};

use crate::context::Context;

const SCHEMA: u32 = 1;

/// List, keep and take out files of runs
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook artifact list latest
  trialbook artifact put model.pt --type model --run EXP-001/run-014
  trialbook artifact get latest --type model --output-dir models
  trialbook artifact get 1a2b3c4d 'plots/*.png' --output-dir figures")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    List(list::Args),
    Get(get::Args),
    Put(super::log::artifact::Args),
}

/// Does it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    match &args.what {
        What::List(args) => list::run(args, cx),
        What::Get(args) => get::run(args, cx),
        What::Put(args) => super::log::artifact::run(args, cx),
    }
}

/// One version of an artifact.
struct Version<'a> {
    /// From 1, the oldest.
    number: usize,
    /// Of how many.
    of: usize,
    /// Whether it is found without asking for older ones: the newest, and the newest of each role.
    stands: bool,
    held: &'a Latest<PutArtifact>,
}

/// All versions of all paths, oldest first, removals among them.
fn versions(records: &Records) -> impl Iterator<Item = Version<'_>> {
    records.artifacts.values().flat_map(|versions| {
        let of = versions.len();
        let standing = Records::standing(versions);
        let numbered = versions.iter().enumerate();
        numbered.map(move |(at, held)| Version {
            number: at + 1,
            of,
            stands: standing.contains(&at),
            held,
        })
    })
}

/// Whether an artifact is of one of the types; of any where none is named.
fn is_of(artifact: &PutArtifact, types: &[String]) -> bool {
    let own = artifact.r#type.as_deref().unwrap_or("other");
    types.is_empty() || types.iter().any(|it| it.eq_ignore_ascii_case(own))
}
