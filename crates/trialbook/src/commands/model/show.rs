//! `trialbook model show` and `trialbook prompt show`.
//!
//! Invariant: the text of a prompt is printed as it is.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::list::aliases;
use crate::book;
use crate::collections::{Collection, Head, Kind, Version, parts};
use crate::context::Context;
use crate::printer::{Column, Table};

const SCHEMA: u32 = 1;

/// What is shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// NAME, NAME/VERSION or NAME@ALIAS
    #[arg(value_name = "NAME")]
    name: String,
    /// The project that it is in
    #[arg(short, long, value_name = "NAME")]
    project: Option<String>,
}

#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    head: Head,
    all_versions: Vec<Version>,
}

#[derive(Serialize)]
struct One {
    name: String,
    project: String,
    #[serde(flatten)]
    version: Version,
}

/// Shows it.
pub(crate) fn run(args: &Args, kind: Kind, cx: &Context) -> Result<ExitCode> {
    let open = book::reading(cx)?;
    let view = open.view()?;
    let (name, wanted) = parts(&args.name);
    let collection = Collection::named(&view, kind, (args.project.as_deref(), name))?;
    if let Some(wanted) = wanted {
        let row = collection.version(Some(wanted))?;
        let one = One {
            name: collection.name().to_owned(),
            project: collection.project().to_owned(),
            version: collection.told(row),
        };
        if cx.printer.json_wanted() {
            cx.printer.json(SCHEMA, &one)?;
        } else {
            version(&one, cx);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let versions = collection.versions.iter();
    let whole = Whole {
        head: collection.head(),
        all_versions: versions.map(|row| collection.told(row)).collect(),
    };
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &whole)?;
    } else {
        all(&whole, kind, cx);
    }
    Ok(ExitCode::SUCCESS)
}

/// A collection and its versions.
fn all(whole: &Whole, kind: Kind, cx: &Context) {
    let head = &whole.head;
    let place = format!("{} {} (project {})", kind.word(), head.name, head.project);
    cx.printer.line(place);
    for (what, text) in [
        ("description", head.description.clone().unwrap_or_default()),
        ("aliases", aliases(&head.aliases)),
        ("tags", tags(&head.tags)),
    ] {
        if !text.is_empty() {
            cx.printer.line(format!("  {what}: {text}"));
        }
    }
    let mut table = Table::new(vec![
        Column::whole("VERSION"),
        Column::text("ALIASES"),
        Column::text("STAGE"),
        Column::text("RUN"),
        Column::text(match kind {
            Kind::Model => "SOURCE",
            Kind::Prompt => "TEXT",
        }),
    ]);
    for version in &whole.all_versions {
        let text = match kind {
            Kind::Model => version.source.clone(),
            Kind::Prompt => version
                .text
                .as_deref()
                .and_then(|it| it.lines().next())
                .map(str::to_owned),
        };
        let run = version.run.as_deref().unwrap_or_default();
        table.row(vec![
            version
                .version
                .map(|number| number.to_string())
                .unwrap_or_default(),
            version.aliases.join(", "),
            version.stage.clone().unwrap_or_default(),
            run.get(..8).unwrap_or(run).to_owned(),
            text.unwrap_or_default(),
        ]);
    }
    cx.printer.table(&table);
}

/// One version.
fn version(one: &One, cx: &Context) {
    let told = &one.version;
    let number = told.version.unwrap_or_default();
    cx.printer.line(format!(
        "{} version {number} (project {})",
        one.name, one.project
    ));
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    for (what, text) in [
        ("description", text(&told.description)),
        ("aliases", told.aliases.join(", ")),
        ("stage", text(&told.stage)),
        ("status", text(&told.status)),
        ("source", text(&told.source)),
        ("files", text(&told.location)),
        ("run", text(&told.run)),
        ("logged model", text(&told.model)),
        ("tags", tags(&told.tags)),
        ("created", text(&told.created)),
    ] {
        if !text.is_empty() {
            cx.printer.line(format!("  {what}: {text}"));
        }
    }
    if let Some(text) = &told.text {
        cx.printer.line("");
        for line in text.lines() {
            cx.printer.line(line);
        }
    }
}

fn tags(tags: &std::collections::BTreeMap<String, String>) -> String {
    let told = tags.iter().map(|(key, value)| format!("{key}={value}"));
    told.collect::<Vec<_>>().join(", ")
}
