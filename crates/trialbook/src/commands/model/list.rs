//! `trialbook model list` and `trialbook prompt list`.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use crate::book;
use crate::collections::{Collection, Head, Kind};
use crate::context::Context;
use crate::printer::{Column, Table};

const SCHEMA: u32 = 1;

/// What is listed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only those of this project
    #[arg(short, long, value_name = "NAME")]
    project: Option<String>,
}

/// Lists them.
pub(crate) fn run(args: &Args, kind: Kind, cx: &Context) -> Result<ExitCode> {
    let open = book::reading(cx)?;
    let view = open.view()?;
    let all = Collection::all(&view, kind, args.project.as_deref())?;
    let heads: Vec<Head> = all.iter().map(Collection::head).collect();
    if cx.printer.json_wanted() {
        let list = match kind {
            Kind::Model => json!({ "models": heads }),
            Kind::Prompt => json!({ "prompts": heads }),
        };
        cx.printer.json(SCHEMA, &list)?;
        return Ok(ExitCode::SUCCESS);
    }
    if heads.is_empty() {
        cx.printer.line(format!("no {}s", kind.word()));
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(vec![
        Column::text("NAME"),
        Column::text("PROJECT"),
        Column::whole("VERSIONS"),
        Column::whole("LATEST"),
        Column::text("ALIASES"),
        Column::text("DESCRIPTION"),
    ]);
    for head in heads {
        let latest = head.latest.map(|number| number.to_string());
        table.row(vec![
            head.name,
            head.project,
            head.versions.to_string(),
            latest.unwrap_or_default(),
            aliases(&head.aliases),
            head.description.unwrap_or_default(),
        ]);
    }
    cx.printer.table(&table);
    Ok(ExitCode::SUCCESS)
}

/// `champion → 3, old → 1`.
pub(super) fn aliases(led: &std::collections::BTreeMap<String, u64>) -> String {
    let told = led
        .iter()
        .map(|(alias, number)| format!("{alias} → {number}"));
    told.collect::<Vec<_>>().join(", ")
}
