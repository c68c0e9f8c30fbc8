//! `trialbook init`: makes a book.

use std::process::ExitCode;

use serde::Serialize;

use crate::book;
use crate::context::Context;

const SCHEMA: u32 = 1;

/// Make a book in this folder
///
/// Writing verbs make one by themselves on first use; `init` is for making it somewhere else, or before
/// going into folders below. A book that is there already is left as it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook init
  trialbook init --book ~/experiments/.trialbook")]
pub(crate) struct Args {}

#[derive(Serialize)]
struct Made {
    book: String,
    created: bool,
}

/// Makes it.
pub(crate) fn run(_args: &Args, cx: &Context) -> anyhow::Result<ExitCode> {
    let (folder, created) = book::make(cx)?;
    let made = Made {
        book: folder.display().to_string(),
        created,
    };
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &made)?;
    } else if created {
        cx.printer.line(format!("made a book in {}", made.book));
    } else {
        cx.printer
            .line(format!("there is a book in {} already", made.book));
    }
    Ok(ExitCode::SUCCESS)
}
