//! `trialbook tag`: sets and removes tags (T-12, M-15).
//!
//! Invariant: a tag has one value; setting it again replaces it.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::record::{Op, SetTags};

use crate::book;
use crate::context::Context;
use crate::failure::Failure;
use crate::names::Names;
use crate::nouns::{self, Noun, NounHead};
use crate::secrets;

const SCHEMA: u32 = 1;

/// Tag runs, experiments or a project
///
/// A tag is KEY=VALUE or KEY alone; several may be joined by commas.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook tag latest good
  trialbook tag tuning stage=prod,owner=ann
  trialbook tag 'tuning/run-*' --remove draft
  trialbook tag --of run-a --of run-b --tags baseline,checked
  trialbook tag --project nlp team=search")]
pub(crate) struct Args {
    /// A run or an experiment, or a glob of runs; several joined by commas
    #[arg(value_name = "RUN|EXPERIMENT")]
    noun: Option<String>,
    /// Tags to set
    #[arg(value_name = "TAG")]
    tag: Vec<String>,
    /// More runs or experiments
    #[arg(
        long = "of",
        aliases = ["experiment-id", "experiment-ids", "run-id", "run-ids", "run", "name"],
        value_name = "RUN|EXPERIMENT"
    )]
    more: Vec<String>,
    /// More tags to set
    #[arg(long = "tags", alias = "tag", value_name = "TAGS")]
    tags: Vec<String>,
    /// Tags to remove
    #[arg(long, value_name = "TAGS")]
    remove: Vec<String>,
    /// Tag a project
    #[arg(short, long, value_name = "NAME")]
    project: Option<String>,
}

#[derive(Serialize)]
struct Outcome {
    tagged: Vec<NounHead>,
    set: Vec<String>,
    removed: Vec<String>,
}

/// Tags them.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let (nouns, words) = split(args);
    let mut tags = secrets::tags(&words, cx)?;
    let removed: Vec<String> = args
        .remove
        .iter()
        .flat_map(|word| word.split(','))
        .map(str::to_owned)
        .collect();
    if tags.is_empty() && removed.is_empty() {
        return Err(usage("no tag is given"));
    }
    if nouns.is_empty() && args.project.is_none() {
        return Err(usage("nothing is named that is to be tagged"));
    }
    let set: Vec<String> = tags.iter().map(shown).collect();
    tags.extend(removed.iter().map(|tag| (tag.clone(), None)));
    let open = book::changing(cx)?;
    let view = open.view()?;
    let mut chosen = nouns::chosen(&Names::new(&view), &view, &nouns)?;
    chosen.extend(args.project.clone().map(Noun::Project));
    let mut writer = open.writer(cx)?;
    for noun in &chosen {
        writer.record(&Op::SetTags(SetTags {
            subject: noun.subject(),
            tags: tags.clone(),
        }))?;
    }
    writer.finish(cx)?;
    if cx.printer.json_wanted() {
        let tagged = chosen.iter().map(Noun::head).collect();
        let tagged = Outcome {
            tagged,
            set,
            removed,
        };
        cx.printer.json(SCHEMA, &tagged)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut what = Vec::new();
    if !set.is_empty() {
        what.push(set.join(", "));
    }
    if !removed.is_empty() {
        what.push(format!("without {}", removed.join(", ")));
    }
    for noun in &chosen {
        cx.printer
            .line(format!("Tagged {}: {}", noun.told(), what.join("; ")));
    }
    Ok(ExitCode::SUCCESS)
}

/// What is to be tagged, and the tags to set. With `--of` or `--project` all words are tags.
fn split(args: &Args) -> (Vec<String>, Vec<String>) {
    let mut nouns = args.more.clone();
    let mut tags = args.tag.clone();
    if let Some(first) = &args.noun {
        if nouns.is_empty() && args.project.is_none() {
            nouns.push(first.clone());
        } else {
            tags.insert(0, first.clone());
        }
    }
    tags.extend_from_slice(&args.tags);
    (nouns, tags)
}

fn shown((key, value): &(String, Option<String>)) -> String {
    match value.as_deref() {
        None | Some("") => key.clone(),
        Some(value) => format!("{key}={value}"),
    }
}

fn usage(problem: &str) -> anyhow::Error {
    Failure::Usage {
        problem: problem.to_owned(),
        hint: "write `trialbook tag RUN TAG`, such as `trialbook tag latest stage=prod`".to_owned(),
    }
    .into()
}
