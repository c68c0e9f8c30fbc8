//! `trialbook sync`: brings to servers what was recorded for them here.
//!
//! Invariant: it may be stopped and repeated at any time; nothing is removed here before the server has it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;
use trialbook_client::{Address, ClientError, Courier, Delivered, Server};
use trialbook_store::Artifacts;

use crate::book::remote::SERVER;
use crate::context::Context;
use crate::discovery::Place;
use crate::failure::Failure;
use crate::figures::count;

/// The schema of its JSON.
const SCHEMA: u32 = 1;

/// Between two rounds.
const EACH: Duration = Duration::from_secs(1);

/// Bring what was recorded here to the server that it is for
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What is recorded with `--book http://…` waits in an outbox until the server has it: below
XDG_STATE_HOME, else `~/.local/state/trialbook/outbox`. A verb brings it over before it ends; what
a lost connection or a killed process left there, this verb brings. It may be repeated and stopped
at any time: each record is in the book once.

Examples:
  trialbook sync
  trialbook sync --watch
  trialbook sync --to http://host:5000 --from /net/share/spools")]
pub(crate) struct Args {
    /// The server; default: each outbox's own, of all outboxes, or that of --book
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// A folder with `spool/` (and `artifacts/`) of writers that could not keep a book there, such as one on a
    /// network file system
    #[arg(long, value_name = "FOLDER", requires = "to")]
    from: Option<PathBuf>,
    /// Go on bringing what is recorded, until it is stopped
    #[arg(long)]
    watch: bool,
}

/// What is brought where.
struct Route {
    address: Address,
    folder: PathBuf,
    courier: Option<Courier>,
}

#[derive(Serialize)]
struct Document {
    outboxes: Vec<Told>,
}

#[derive(Serialize)]
struct Told {
    server: String,
    folder: String,
    records: u64,
    files: u64,
    spools_removed: u64,
    spools_open: u64,
    spools_damaged: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Brings it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let mut routes = routes(args, cx)?;
    let mut failed = round(&mut routes, cx, args)?;
    while args.watch {
        thread::sleep(EACH);
        // Outboxes that are made meanwhile are watched too.
        for route in self::routes(args, cx)? {
            if !routes.iter().any(|known| known.folder == route.folder) {
                routes.push(route);
            }
        }
        failed = round(&mut routes, cx, args)?;
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// One round; gives the first failure, which hinders no other route.
fn round(routes: &mut [Route], cx: &Context, args: &Args) -> Result<Option<anyhow::Error>> {
    let (mut failed, mut all) = (None, Vec::new());
    for route in routes {
        let brought = route.bring(cx);
        let told = Told::of(route, brought.as_ref());
        let is_news = told.records > 0 || told.files > 0 || !args.watch;
        if is_news && !cx.printer.json_wanted() && brought.is_ok() {
            tell(&told, cx);
        }
        if let Err(error) = brought {
            if args.watch && !error.is_passing() {
                cx.printer.warn(&error.to_string());
            }
            let undelivered = Failure::Undelivered {
                address: route.address.to_string(),
                folder: route.folder.display().to_string(),
                source: Box::new(error),
            };
            failed = failed.or(Some(undelivered.into()));
        }
        if is_news {
            all.push(told);
        }
    }
    if cx.printer.json_wanted() && !(args.watch && all.is_empty()) {
        cx.printer.json(SCHEMA, &Document { outboxes: all })?;
    } else if all.is_empty() && !args.watch {
        cx.printer.line("nothing waits for a server");
    }
    Ok(failed)
}

impl Route {
    fn bring(&mut self, cx: &Context) -> Result<Delivered, ClientError> {
        let courier = match &mut self.courier {
            Some(courier) => courier,
            None => {
                let server = Server::connect(self.address.clone(), cx.access())?;
                let artifacts = Artifacts::of_folder(&self.folder.join("artifacts"));
                let courier = Courier::new(server, &self.folder.join("spool"), artifacts);
                self.courier.insert(courier)
            }
        };
        courier.round(&mut |_| {})
    }
}

impl Told {
    fn of(route: &Route, brought: Result<&Delivered, &ClientError>) -> Self {
        let done = brought.copied().unwrap_or_default();
        Self {
            server: route.address.to_string(),
            folder: route.folder.display().to_string(),
            records: done.records,
            files: done.files,
            spools_removed: done.removed,
            spools_open: done.open,
            spools_damaged: done.damaged,
            error: brought.err().map(ToString::to_string),
        }
    }
}

fn tell(told: &Told, cx: &Context) {
    let mut line = format!(
        "{} and {} brought to {}",
        count(told.records, "record"),
        count(told.files, "file"),
        told.server
    );
    if told.spools_open > 0 {
        line.push_str(&format!(
            "; {} still written",
            count(told.spools_open, "spool")
        ));
    }
    cx.printer.line(line);
    if told.spools_damaged > 0 {
        cx.printer.warn(&format!(
            "damage in {} of `{}`: what can be read was brought, and the files stay",
            count(told.spools_damaged, "spool"),
            told.folder
        ));
    }
}

/// What there is to bring.
fn routes(args: &Args, cx: &Context) -> Result<Vec<Route>> {
    let to = args.to.as_deref().map(Address::parse).transpose()?;
    if let (Some(address), Some(from)) = (&to, &args.from) {
        return Ok(vec![of_folder(address, &cx.here().join(from))?]);
    }
    let named = match to {
        Some(address) => Some(address),
        None => match cx.choice()?.place {
            Place::Server(address) => Some(address),
            Place::Folder(_) => None,
        },
    };
    let Some(address) = named else {
        return Ok(outboxes(cx.outboxes()));
    };
    let mut own = outboxes(cx.outboxes());
    own.retain(|route| route.address == address);
    if !own.is_empty() {
        return Ok(own);
    }
    // It may have been called otherwise before.
    let server = Server::connect(address.clone(), cx.access())?;
    let folder = cx.outboxes().join(server.book());
    let routes = folder.is_dir().then_some(Route {
        address,
        folder,
        courier: None,
    });
    Ok(routes.into_iter().collect())
}

/// A folder of spools, which is no book itself.
fn of_folder(address: &Address, folder: &Path) -> Result<Route> {
    let told = folder.display().to_string();
    if folder.join("book.db").exists() {
        return Err(Failure::Usage {
            problem: format!("`{told}` is a book itself, which keeps what it has"),
            hint: "`trialbook export` and `import` bring its experiments into another book"
                .to_owned(),
        }
        .into());
    }
    let spools = folder.join("spool");
    fs::read_dir(&spools).with_context(|| format!("cannot read `{}`", spools.display()))?;
    Ok(Route {
        address: address.clone(),
        folder: folder.to_owned(),
        courier: None,
    })
}

/// All outboxes that say whose they are.
fn outboxes(folder: &Path) -> Vec<Route> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    let route = |folder: PathBuf| {
        let address = fs::read_to_string(folder.join(SERVER)).ok()?;
        Some(Route {
            address: Address::parse(address.trim()).ok()?,
            folder,
            courier: None,
        })
    };
    folders.into_iter().filter_map(route).collect()
}
