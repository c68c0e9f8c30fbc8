//! `trialbook webhook`: who is told of changes, and trying that out.
//!
//! Invariant: a secret is never printed.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use serde::Serialize;
use trialbook_model::record::EntryKind;
use trialbook_server::http::post::Hosts;
use trialbook_store::nouns::EntryRow;
use trialbook_store::query::Entries;
use trialbook_store::reading::Reading as _;

use crate::book::{self, View};
use crate::context::Context;
use crate::failure::Failure;
use crate::printer::{Column, Table};

const SCHEMA: u32 = 1;

/// List webhooks, send one an example
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook webhook list
  trialbook webhook test deploy
  trialbook webhook test 1a2b3c4d --event model_version.created")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    List(List),
    Test(Test),
}

/// List webhooks
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook webhook list
  trialbook webhook list --json")]
struct List {}

/// Send a webhook an example of what it is told
///
/// Webhooks are sent to public addresses, encrypted, unless --private is given.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook webhook test deploy
  trialbook webhook test deploy --event model_version_alias.created
  trialbook webhook test deploy --private --json")]
struct Test {
    /// Its name, or the beginning of its id
    #[arg(value_name = "WEBHOOK")]
    webhook: String,
    /// What it is told. Default: the first event that it wants to know
    #[arg(long, value_name = "EVENT")]
    event: Option<String>,
    /// Also to addresses inside of this network, and without encryption
    #[arg(long)]
    private: bool,
}

/// A webhook, without its secret.
#[derive(Debug, Serialize)]
struct Told {
    id: String,
    name: Option<String>,
    url: Option<String>,
    events: Vec<String>,
    status: String,
    description: Option<String>,
    /// Whether what is sent to it is signed.
    signed: bool,
    created: Option<String>,
}

#[derive(Serialize)]
struct All {
    webhooks: Vec<Told>,
}

#[derive(Serialize)]
struct Outcome {
    id: String,
    #[serde(flatten)]
    tested: trialbook_server::Tested,
}

/// Does it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    match &args.what {
        What::List(List {}) => list(cx),
        What::Test(args) => test(args, cx),
    }
}

fn all(view: &View<'_>) -> Result<Vec<EntryRow>> {
    let mut rows = view.entries(&Entries::Kind(EntryKind::Webhook))?;
    rows.retain(|row| !row.state.is_deleted());
    Ok(rows)
}

fn told(row: &EntryRow) -> Told {
    let state = &row.state;
    let text = |field: &str| state.text(field).map(str::to_owned);
    Told {
        id: row.uid.to_string(),
        name: state.name().map(str::to_owned),
        url: text("url"),
        events: state
            .words("events")
            .into_iter()
            .map(str::to_owned)
            .collect(),
        status: text("status").unwrap_or_else(|| "active".to_owned()),
        description: text("description"),
        signed: state.secret().is_some(),
        created: state.created().map(|time| time.to_string()),
    }
}

fn list(cx: &Context) -> Result<ExitCode> {
    let open = book::reading(cx)?;
    let webhooks: Vec<Told> = all(&open.view()?)?.iter().map(told).collect();
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &All { webhooks })?;
        return Ok(ExitCode::SUCCESS);
    }
    if webhooks.is_empty() {
        cx.printer.line("no webhooks");
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(vec![
        Column::text("ID"),
        Column::text("NAME"),
        Column::text("STATUS"),
        Column::text("SIGNED"),
        Column::text("URL"),
        Column::text("EVENTS"),
    ]);
    for hook in webhooks {
        table.row(vec![
            hook.id[..8].to_owned(),
            hook.name.unwrap_or_default(),
            hook.status,
            if hook.signed { "yes" } else { "no" }.to_owned(),
            hook.url.unwrap_or_default(),
            hook.events.join(", "),
        ]);
    }
    cx.printer.table(&table);
    Ok(ExitCode::SUCCESS)
}

/// The webhook of a name or of the beginning of an id.
fn find(view: &View<'_>, text: &str) -> Result<EntryRow> {
    let rows = all(view)?;
    let digits = text.replace('-', "");
    let named = rows.iter().filter(|row| row.state.name() == Some(text));
    let begun = rows.iter().filter(|row| {
        let is_long = digits.len() >= 4;
        is_long && row.uid.to_string().starts_with(&digits)
    });
    let mut found: Vec<&EntryRow> = named.chain(begun).collect();
    found.dedup_by_key(|row| row.no);
    match found[..] {
        [row] => Ok(row.clone()),
        [] => Err(Failure::Unknown {
            noun: "webhook",
            text: text.to_owned(),
            nearest: Vec::new(),
        }
        .into()),
        _ => Err(Failure::Usage {
            problem: format!("several webhooks are called `{text}`"),
            hint: "give the beginning of an id, as `trialbook webhook list` tells it".to_owned(),
        }
        .into()),
    }
}

fn test(args: &Test, cx: &Context) -> Result<ExitCode> {
    let open = book::reading(cx)?;
    let row = find(&open.view()?, &args.webhook)?;
    let hosts = if args.private {
        Hosts::Any
    } else {
        Hosts::Public
    };
    let tested = trialbook_server::test_webhook(&row, args.event.as_deref(), hosts);
    let id = row.uid.to_string();
    let is_taken = tested.success;
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &Outcome { id, tested })?;
    } else {
        let name = row.state.name().unwrap_or_default();
        cx.printer
            .line(match (tested.response_status, tested.error_message) {
                (Some(status), _) => format!("{name} answered {status}"),
                (None, reason) => reason.unwrap_or_default(),
            });
        if let Some(text) = tested.response_body.filter(|text| !text.is_empty()) {
            cx.printer.line(text);
        }
    }
    Ok(if is_taken {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
