//! `trialbook serve`: answers requests over HTTP.
//!
//! Invariant: standard output has one line, the address, and has it when requests are answered; logs go to
//! standard error.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;
use trialbook_model::time::Clock as _;
use trialbook_server::http::post::Hosts;
use trialbook_server::{
    AccessRules, Certificate, DeskOptions, ServeOptions, Settings, TokenRecord, Tokens,
};

use crate::book;
use crate::context::{Context, SystemClock};
use crate::failure::Failure;

const SCHEMA: u32 = 1;

/// Serve the book over HTTP
///
/// Answers MLflow's clients (`MLFLOW_TRACKING_URI=http://127.0.0.1:5000`) and other programs. Prints one line
/// with the address. Stops on Ctrl-C or SIGTERM: requests that began are answered, and everything that was
/// acknowledged is on the disk. Commands and loggers use the same book meanwhile. Beyond this machine a token
/// is demanded (`trialbook token create`).
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "up",
    alias = "monitor",
    after_help = "\
Examples:
  trialbook serve
  trialbook serve --port 0
  trialbook serve --book runs/.trialbook --port 5001 --read-only
  trialbook serve --host 0.0.0.0 --allowed-hosts lab.example --tls-cert cert.pem --tls-key key.pem"
)]
pub(crate) struct Args {
    /// The address to listen at
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", value_parser = address)]
    host: IpAddr,
    /// The port; 0 for any that is free
    #[arg(long, default_value_t = 5000)]
    port: u16,
    /// Names by which the server may be called besides addresses and `localhost`, with commas between; `*` for
    /// any
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    allowed_hosts: Vec<String>,
    /// Ask nobody for a token, also beyond this machine: whoever reaches the port may read and write
    #[arg(long)]
    insecure: bool,
    /// Take no writes
    #[arg(long)]
    read_only: bool,
    /// A certificate in PEM, for TLS
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its private key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Where MLflow's clients are told to put the files of new experiments
    #[arg(long, value_name = "URI", default_value = "mlflow-artifacts:/")]
    default_artifact_root: String,
    /// Tell webhooks inside of this network, too, and without encryption
    #[arg(long)]
    private_webhooks: bool,
    /// What is logged to standard error
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    log_level: LogLevel,
    /// How it is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    log_format: LogFormat,
    /// MLflow's name for a store: the answer says how to bring it into a book
    #[arg(long, value_name = "URI", hide = true)]
    backend_store_uri: Option<String>,
    /// MLflow's name for the place of files
    #[arg(long, value_name = "URI", hide = true)]
    artifacts_destination: Option<String>,
}

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogLevel {
    /// What went wrong
    Error,
    /// What may go wrong, too
    Warn,
    /// Every request, too
    Info,
    /// What is of use to developers, too
    Debug,
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people
    Text,
    /// One JSON document a line
    Json,
}

fn address(text: &str) -> Result<IpAddr, String> {
    if text == "localhost" {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    text.parse()
        .map_err(|_none| "expected an address such as 127.0.0.1, 0.0.0.0 or ::1".to_owned())
}

#[derive(Serialize)]
struct Serving {
    url: String,
    book: String,
}

/// Serves it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    refuse_stores(args)?;
    let open = if args.read_only {
        book::changing(cx)?
    } else {
        book::writing(cx)?
    };
    let folder = open.folder().to_owned();
    let access = access(args, &Tokens::of(&folder), cx)?;
    let certificate = args.tls_cert.clone().zip(args.tls_key.clone());
    let options = ServeOptions {
        host: args.host,
        port: args.port,
        desk: DeskOptions {
            clock: Arc::new(SystemClock),
            actor: cx.actor(),
        },
        settings: Settings {
            default_artifact_root: args.default_artifact_root.clone(),
            webhook_hosts: if args.private_webhooks {
                Hosts::Any
            } else {
                Hosts::Public
            },
            access,
        },
        certificate: certificate.map(|(chain, key)| Certificate { chain, key }),
    };
    log(args);
    trialbook_server::serve(open.into_book()?, options, |listening| {
        let serving = Serving {
            url: listening.url(),
            book: folder.display().to_string(),
        };
        if cx.printer.json_wanted() {
            cx.printer.json(SCHEMA, &serving).ok();
        } else {
            let Serving { url, book } = serving;
            cx.printer.line(format!("serving {book} at {url}"));
        }
        // A reader that went away does not stop the server.
        cx.printer.flush().ok();
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Stores of MLflow's server are not served as they are.
fn refuse_stores(args: &Args) -> Result<(), Failure> {
    if let Some(store) = &args.backend_store_uri {
        return Err(Failure::Usage {
            problem: "a book is served, not another program's store".to_owned(),
            hint: format!(
                "`trialbook import mlflow {store}` brings it into the book; then `trialbook serve`"
            ),
        });
    }
    if args.artifacts_destination.is_some() {
        return Err(Failure::NotYet {
            verb: "serve --artifacts-destination".to_owned(),
            hint: "without it files are kept in the book's own folder `artifacts`",
        });
    }
    Ok(())
}

/// Who may come in: beyond this machine only those with a token, unless it is said aloud that anybody may.
fn access(args: &Args, tokens: &Tokens, cx: &Context) -> Result<AccessRules> {
    let is_beyond = !args.host.is_loopback();
    let tokens_demanded = is_beyond && !args.insecure;
    let now = SystemClock.now();
    let is_valid = |token: &TokenRecord| token.is_valid(now);
    if tokens_demanded && !tokens.list()?.iter().any(is_valid) {
        return Err(Failure::Usage {
            problem: format!(
                "beyond this machine ({}) a token is demanded, and there is none",
                args.host
            ),
            hint:
                "`trialbook token create` makes one; `--insecure` serves whoever reaches the port"
                    .to_owned(),
        }
        .into());
    }
    if is_beyond && args.insecure {
        cx.printer
            .warn("whoever reaches this port may read and write the book");
    }
    Ok(AccessRules {
        tokens_demanded,
        allowed_hosts: args.allowed_hosts.clone(),
        read_only: args.read_only,
    })
}

/// Writes logs to standard error from here on.
fn log(args: &Args) {
    let level = match args.log_level {
        LogLevel::Error => tracing::Level::ERROR,
        LogLevel::Warn => tracing::Level::WARN,
        LogLevel::Info => tracing::Level::INFO,
        LogLevel::Debug => tracing::Level::DEBUG,
    };
    let lines = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_writer(std::io::stderr);
    match args.log_format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().init(),
    }
}
