//! `trialbook model alias`: names that lead to a version.
//!
//! Invariant: an alias leads to one version; what reads as a version is no alias.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::record::{Op, SetField, Subject};
use trialbook_model::state::ALIAS;

use crate::book;
use crate::collections::{Collection, Kind};
use crate::context::Context;
use crate::failure::Failure;

const SCHEMA: u32 = 1;

/// Let a name lead to a version of a model, or take it away
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook model alias churn champion 3
  trialbook model alias churn champion latest
  trialbook model alias churn champion --remove")]
pub(super) struct Args {
    /// The registered model
    #[arg(value_name = "NAME")]
    name: String,
    /// The alias: letters, digits, `_` and `-`
    alias: String,
    /// The version: a number, `latest` or another alias. Default: the greatest
    #[arg(conflicts_with = "remove")]
    version: Option<String>,
    /// Take the alias away
    #[arg(long)]
    remove: bool,
    /// The project that it is in
    #[arg(short, long, value_name = "NAME")]
    project: Option<String>,
}

#[derive(Serialize)]
struct Outcome<'a> {
    name: &'a str,
    project: &'a str,
    alias: &'a str,
    version: Option<u64>,
}

/// Sets it, or takes it away.
pub(super) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    check(&args.alias)?;
    let open = book::changing(cx)?;
    let view = open.view()?;
    let of = (args.project.as_deref(), args.name.as_str());
    let collection = Collection::named(&view, Kind::Model, of)?;
    let row = if args.remove {
        if !collection.aliases().contains_key(&args.alias) {
            return Err(Failure::Unknown {
                noun: "alias",
                text: args.alias.clone(),
                nearest: collection.aliases().into_keys().collect(),
            }
            .into());
        }
        None
    } else {
        Some(collection.version(args.version.as_deref())?)
    };
    let value = row.and_then(|row| row.state.uids.first());
    let value = value.map(|uid| serde_json::Value::from(uid.to_string()));
    let uid = collection.row.state.uids.first().copied();
    let set = SetField {
        subject: Subject::Entry(uid.unwrap_or(collection.row.uid)),
        field: format!("{ALIAS}{}", args.alias),
        value: value.unwrap_or_default(),
    };
    let mut writer = open.writer(cx)?;
    writer.record(&Op::SetField(set))?;
    writer.finish(cx)?;
    let outcome = Outcome {
        name: collection.name(),
        project: collection.project(),
        alias: &args.alias,
        version: row.and_then(|row| row.number),
    };
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &outcome)?;
    } else {
        cx.printer.line(match outcome.version {
            Some(number) => format!("{}@{} is version {number}", outcome.name, outcome.alias),
            None => format!("{} has no alias {} any more", outcome.name, outcome.alias),
        });
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses what is no alias, or means something already.
fn check(alias: &str) -> Result<()> {
    let is_taken = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
    let digits = alias.strip_prefix(['v', 'V']).unwrap_or(alias);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_latest = alias.eq_ignore_ascii_case("latest");
    if alias.is_empty() || !alias.chars().all(is_taken) || is_number || is_latest {
        return Err(Failure::Value {
            what: "the alias".to_owned(),
            value: alias.to_owned(),
            expected: "an alias: letters, digits, `_` and `-`, unlike a version such as `3` or `v3` and unlike `latest`",
        }
        .into());
    }
    Ok(())
}
