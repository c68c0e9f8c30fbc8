//! `trialbook serve`: answers requests over HTTP.
//!
//! Invariant: standard output has one line, the address, and has it when requests are answered.

use std::net::IpAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use serde::Serialize;
use trialbook_server::{DeskOptions, ServeOptions, Settings};

use crate::book;
use crate::context::{Context, SystemClock};

const SCHEMA: u32 = 1;

/// Serve the book over HTTP
///
/// Answers MLflow's clients (`MLFLOW_TRACKING_URI=http://127.0.0.1:5000`) and other programs. Prints one line
/// with the address. Stops on Ctrl-C or SIGTERM: requests that began are answered, and everything that was
/// acknowledged is on the disk. Commands and loggers use the same book meanwhile.
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "up",
    alias = "monitor",
    after_help = "\
Examples:
  trialbook serve
  trialbook serve --port 0
  trialbook serve --book runs/.trialbook --port 5001"
)]
pub(crate) struct Args {
    /// The address to listen at
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: IpAddr,
    /// The port; 0 for any that is free
    #[arg(long, default_value_t = 5000)]
    port: u16,
}

#[derive(Serialize)]
struct Serving {
    url: String,
    book: String,
}

/// Serves it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let open = book::writing(cx)?;
    let folder = open.folder().to_owned();
    let options = ServeOptions {
        host: args.host,
        port: args.port,
        desk: DeskOptions {
            clock: Arc::new(SystemClock),
            actor: cx.actor(),
        },
        settings: Settings::default(),
    };
    trialbook_server::serve(open.into_book(), options, |listening| {
        let serving = Serving {
            url: listening.url(),
            book: folder.display().to_string(),
        };
        if cx.printer.json_wanted() {
            cx.printer.json(SCHEMA, &serving).ok();
        } else {
            cx.printer
                .line(format!("serving {} at {}", serving.book, serving.url));
        }
        cx.printer.flush().ok();
    })?;
    Ok(ExitCode::SUCCESS)
}
