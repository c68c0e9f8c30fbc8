//! `trialbook template`: configs to begin with.
//!
//! Invariant: every template is a config that is valid and runs as it is; a file that is there is never
//! overwritten unasked.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::nearest::nearest;

use crate::context::Context;
use crate::failure::Failure;
use crate::printer::{Column, Table};

const SCHEMA: u32 = 1;

/// Print a config to begin with, or list what there is
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook template
  trialbook template comparison
  trialbook template comparison -o experiment.yaml && trialbook run experiment.yaml")]
pub(crate) struct Args {
    /// Which one; without a name they are listed
    name: Option<String>,
    /// Write it into this file
    #[arg(short, long, value_name = "FILE", requires = "name")]
    output: Option<String>,
    /// Overwrite the file
    #[arg(long, requires = "output")]
    force: bool,
}

/// A template.
#[derive(Debug, Clone, Copy, Serialize)]
struct Template {
    name: &'static str,
    about: &'static str,
    #[serde(skip)]
    text: &'static str,
}

static TEMPLATES: [Template; 4] = [
    Template {
        name: "minimal",
        about: "one command, run a few times",
        text: include_str!("../../templates/minimal.yaml"),
    },
    Template {
        name: "comparison",
        about: "variations against each other, with metrics and success criteria",
        text: include_str!("../../templates/comparison.yaml"),
    },
    Template {
        name: "grid",
        about: "every combination of some values",
        text: include_str!("../../templates/grid.yaml"),
    },
    Template {
        name: "items",
        about: "answers that are judged one by one",
        text: include_str!("../../templates/items.yaml"),
    },
];

#[derive(Serialize)]
struct Listed {
    templates: [Template; 4],
}

#[derive(Serialize)]
struct Shown<'a> {
    name: &'static str,
    file: Option<&'a str>,
    text: &'static str,
}

/// Prints it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let Some(name) = &args.name else {
        list(cx)?;
        return Ok(ExitCode::SUCCESS);
    };
    let template = named(name)?;
    if let Some(file) = &args.output {
        let existing = if args.force {
            Existing::Replace
        } else {
            Existing::Keep
        };
        write(cx, template, (file, existing))?;
    }
    if cx.printer.json_wanted() {
        let shown = Shown {
            name: template.name,
            file: args.output.as_deref(),
            text: template.text,
        };
        cx.printer.json(SCHEMA, &shown)?;
    } else if let Some(file) = &args.output {
        cx.printer.line(format!("wrote {file}"));
        cx.printer.note(format!(
            "check it with `trialbook validate {file}`, run it with `trialbook run {file}`"
        ));
    } else {
        for line in template.text.lines() {
            cx.printer.line(line);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a template into a new file.
pub(super) fn write_named(name: &str, file: &str, cx: &Context) -> Result<()> {
    write(cx, named(name)?, (file, Existing::Keep))
}

/// Whether there is a template of that name.
pub(super) fn check_name(name: &str) -> Result<()> {
    named(name)?;
    Ok(())
}

fn named(name: &str) -> Result<&'static Template, Failure> {
    let found = TEMPLATES.iter().find(|template| template.name == name);
    found.ok_or_else(|| {
        let known = TEMPLATES.map(|template| template.name);
        Failure::Unknown {
            noun: "template",
            text: name.to_owned(),
            nearest: match nearest(name, &known) {
                Some(one) => vec![one.to_owned()],
                None => known.map(str::to_owned).to_vec(),
            },
        }
    })
}

/// What becomes of a file that is there and says something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Existing {
    Keep,
    Replace,
}

fn list(cx: &Context) -> Result<()> {
    if cx.printer.json_wanted() {
        let templates = TEMPLATES;
        return cx.printer.json(SCHEMA, &Listed { templates });
    }
    let mut table = Table::new(vec![Column::whole("TEMPLATE"), Column::text("WHAT IT IS")]);
    for template in TEMPLATES {
        table.row(vec![template.name.to_owned(), template.about.to_owned()]);
    }
    cx.printer.table(&table);
    Ok(())
}

fn write(cx: &Context, template: &Template, (file, existing): (&str, Existing)) -> Result<()> {
    let path = cx.here().join(file);
    if std::fs::read(&path).is_ok_and(|bytes| bytes == template.text.as_bytes()) {
        return Ok(());
    }
    let mut options = OpenOptions::new();
    options.write(true);
    match existing {
        Existing::Replace => options.create(true).truncate(true),
        Existing::Keep => options.create_new(true),
    };
    match options.open(&path) {
        Ok(mut out) => Ok(out.write_all(template.text.as_bytes())?),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let path = file.to_owned();
            Err(Failure::OtherFile { path }.into())
        }
        Err(error) => Err(anyhow::Error::new(error).context(format!("cannot write `{file}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_valid_and_nothing_about_it_is_odd() {
        for template in TEMPLATES {
            let parsed = trialbook_model::config::parse(template.text, template.name).unwrap();
            assert_eq!(parsed.warnings, [], "{}", template.name);
        }
    }
}
