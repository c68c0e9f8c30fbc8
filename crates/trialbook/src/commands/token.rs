//! `trialbook token`: who may use a served book from elsewhere.
//!
//! Invariant: a token is printed once, by the command that makes it.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::record::{Event, Op, Subject};
use trialbook_model::state::DEFAULT_PROJECT;
use trialbook_model::time::{Clock as _, Timestamp};
use trialbook_server::{Scope, TokenRecord, Tokens};

use crate::book::{self, Open};
use crate::context::{Context, SystemClock};
use crate::printer::{Column, Table};

const SCHEMA: u32 = 1;
const HOUR: u64 = 3600;

/// Make, list and revoke tokens for a served book
///
/// A token is shown once, when it is made; the book keeps only its hash. Clients send it as
/// `Authorization: Bearer TOKEN`, MLflow's clients as MLFLOW_TRACKING_TOKEN or MLFLOW_TRACKING_PASSWORD. A
/// server that runs knows of changes at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook token create --name ci --scope write --expires 90d
  trialbook token list
  trialbook token revoke 1a2b3c4d")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make a token and show it
    Create(Create),
    /// List tokens
    List,
    /// Revoke a token
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook token create --scope read
  trialbook token create --name ci --scope write --expires 90d")]
struct Create {
    /// What it is called; recorded with what is written with it. Default: who makes it
    #[arg(long)]
    name: Option<String>,
    /// What it allows: read, write or admin
    #[arg(long, default_value = "write", value_parser = scope)]
    scope: Scope,
    /// After how long it ends, such as 12h or 90d; default: never
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    expires: Option<Duration>,
}

#[derive(Debug, clap::Args)]
struct Revoke {
    /// Its id, as `token list` shows it
    id: String,
}

fn scope(word: &str) -> Result<Scope, String> {
    Scope::parse(word).ok_or_else(|| "expected read, write or admin".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let expected = || "expected a number of hours or days, such as 12h or 90d".to_owned();
    let digits = text.trim_end_matches(['h', 'd']);
    let number: u64 = digits.parse().map_err(|_none| expected())?;
    let hours = match &text[digits.len()..] {
        "h" => Some(number),
        "d" => number.checked_mul(24),
        _ => None,
    };
    let seconds = hours.and_then(|hours| hours.checked_mul(HOUR));
    seconds
        .filter(|_| number > 0)
        .map(Duration::from_secs)
        .ok_or_else(expected)
}

#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    scope: &'static str,
    created: String,
    expires: Option<String>,
    revoked: Option<String>,
    /// Only when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl Shown {
    fn of(record: &TokenRecord) -> Self {
        let told = |time: Option<Timestamp>| time.map(|time| time.to_string());
        Self {
            id: record.id.clone(),
            name: record.name.clone(),
            scope: record.scope.word(),
            created: record.created.to_string(),
            expires: told(record.expires),
            revoked: told(record.revoked),
            token: None,
        }
    }
}

#[derive(Serialize)]
struct Listed {
    tokens: Vec<Shown>,
}

/// Acts on tokens.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    match &args.verb {
        Verb::Create(args) => create(args, cx)?,
        Verb::List => list(cx)?,
        Verb::Revoke(args) => revoke(args, cx)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn create(args: &Create, cx: &Context) -> Result<()> {
    let open = book::writing(cx)?;
    let tokens = Tokens::of(open.book()?.path());
    let now = SystemClock.now();
    let expires = args.expires.map(|after| {
        let micros = i64::try_from(after.as_micros()).unwrap_or(i64::MAX);
        Timestamp(now.0.saturating_add(micros))
    });
    let name = args.name.clone().unwrap_or_else(|| cx.actor());
    let (record, token) = tokens.create(&name, args.scope, (now, expires))?;
    audit(&open, cx, "token_created", &record)?;
    if cx.printer.json_wanted() {
        let mut shown = Shown::of(&record);
        shown.token = Some(token);
        cx.printer.json(SCHEMA, &shown)?;
    } else {
        cx.printer.line(token);
        cx.printer.note("it cannot be shown again");
    }
    Ok(())
}

fn list(cx: &Context) -> Result<()> {
    let open = book::reading(cx)?;
    let records = Tokens::of(open.book()?.path()).list()?;
    if cx.printer.json_wanted() {
        let tokens = records.iter().map(Shown::of).collect();
        return cx.printer.json(SCHEMA, &Listed { tokens });
    }
    let now = SystemClock.now();
    let titles = ["ID", "NAME", "SCOPE", "CREATED", "STATE"];
    let mut table = Table::new(titles.map(Column::text).into());
    for record in &records {
        let state = match (record.revoked, record.expires) {
            (Some(_), _) => "revoked".to_owned(),
            (None, Some(expires)) if expires <= now => "ended".to_owned(),
            (None, Some(expires)) => format!("until {expires}"),
            (None, None) => "valid".to_owned(),
        };
        table.row(vec![
            record.id.clone(),
            record.name.clone(),
            record.scope.word().to_owned(),
            record.created.to_string(),
            state,
        ]);
    }
    cx.printer.table(&table);
    Ok(())
}

fn revoke(args: &Revoke, cx: &Context) -> Result<()> {
    let open = book::changing(cx)?;
    let record = Tokens::of(open.book()?.path()).revoke(&args.id, SystemClock.now())?;
    audit(&open, cx, "token_revoked", &record)?;
    if cx.printer.json_wanted() {
        return cx.printer.json(SCHEMA, &Shown::of(&record));
    }
    cx.printer.line(format!("token {} is revoked", record.id));
    Ok(())
}

/// Records who did what to which token.
fn audit(open: &Open, cx: &Context, what: &str, record: &TokenRecord) -> Result<()> {
    let mut writer = open.writer(cx)?;
    writer.record(&Op::Event(Event {
        subject: Subject::Project(DEFAULT_PROJECT.to_owned()),
        kind: "audit".to_owned(),
        severity: None,
        text: what.to_owned(),
        data: serde_json::json!({
            "token": record.id, "name": record.name, "scope": record.scope.word(),
        }),
        step: None,
    }))?;
    writer.finish(cx)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_hours_or_days() {
        assert_eq!(duration("12h"), Ok(Duration::from_secs(12 * HOUR)));
        assert_eq!(duration("90d"), Ok(Duration::from_secs(90 * 24 * HOUR)));
        for odd in [
            "",
            "d",
            "0d",
            "5",
            "5m",
            "-1d",
            "5dd",
            "99999999999999999999d",
        ] {
            assert!(duration(odd).is_err(), "{odd}");
        }
    }
}
