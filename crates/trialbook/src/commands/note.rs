//! `trialbook note`: attaches free text, with key, namespace, labels and data (T-19, C-10, M-15).
//!
//! Invariant: of one noun, namespace and key there is one note; writing it again replaces it.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;
use trialbook_model::record::{Op, PutNote};
use trialbook_store::reading::Reading as _;

use super::start;
use crate::book::{self, Open, View};
use crate::context::Context;
use crate::documents::NoteDocument;
use crate::failure::Failure;
use crate::names::Names;
use crate::nouns::{self, Noun, NounHead};
use crate::printer::{Line, Style};
use crate::values;

const SCHEMA: u32 = 1;

/// Attach a note to runs, experiments or a project, or read the notes that are there
///
/// Without --key it is the main note, which lists and searches show. A note of the same key is replaced.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook note latest 'converged after the warm-up was doubled'
  trialbook note tuning --key next 'try a smaller batch' --tags todo
  trialbook note --project nlp --key baselines/text-classification --data '{\"val_accuracy\": 0.85}'
  trialbook note latest
  trialbook note latest --key next --remove")]
pub(crate) struct Args {
    /// A run or an experiment, or a glob of runs; several joined by commas
    #[arg(value_name = "RUN|EXPERIMENT")]
    noun: Option<String>,
    /// The text; `-` reads it from standard input; without it, --data and --remove the notes are shown
    #[arg(value_name = "TEXT")]
    text: Option<String>,
    /// More runs or experiments
    #[arg(
        long = "of",
        aliases = ["experiment-id", "experiment-ids", "run-id", "run-ids", "run"],
        value_name = "RUN|EXPERIMENT"
    )]
    more: Vec<String>,
    /// About a project
    #[arg(short, long, value_name = "NAME")]
    project: Option<String>,
    /// The note's name inside its namespace
    #[arg(short, long, default_value = "", hide_default_value = true)]
    key: String,
    /// The namespace
    #[arg(long, default_value = "default")]
    namespace: String,
    /// Labels, joined by commas
    #[arg(long = "tags", alias = "tag", value_name = "LABELS")]
    tags: Vec<String>,
    /// A structured value
    #[arg(long, value_name = "JSON")]
    data: Option<String>,
    /// Remove the note
    #[arg(long, conflicts_with_all = ["text", "data"])]
    remove: bool,
}

#[derive(Serialize)]
struct Outcome {
    noted: Vec<NounHead>,
    namespace: String,
    key: String,
    removed: bool,
}

#[derive(Serialize)]
struct All {
    notes: Vec<NotesOf>,
}

#[derive(Serialize)]
struct NotesOf {
    #[serde(flatten)]
    of: NounHead,
    notes: Vec<NoteDocument>,
}

/// Attaches it, or shows what is there.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let (nouns, text) = split(args);
    if nouns.is_empty() && args.project.is_none() {
        return Err(Failure::Usage {
            problem: "nothing is named that the note is about".to_owned(),
            hint: "write `trialbook note RUN TEXT`, such as `trialbook note latest 'converged'`"
                .to_owned(),
        }
        .into());
    }
    if text.is_none() && args.data.is_none() && !args.remove {
        let open = book::reading(cx)?;
        return show(&open, &nouns, args, cx);
    }
    let op = put(args, text.as_deref())?;
    let open = book::changing(cx)?;
    let view = open.view()?;
    let chosen = chosen(&view, &nouns, args)?;
    let mut writer = open.writer(cx)?;
    for noun in &chosen {
        writer.record(&Op::PutNote(PutNote {
            subject: noun.subject(),
            ..op.clone()
        }))?;
    }
    writer.finish(cx)?;
    if cx.printer.json_wanted() {
        let noted = Outcome {
            noted: chosen.iter().map(Noun::head).collect(),
            namespace: args.namespace.clone(),
            key: args.key.clone(),
            removed: args.remove,
        };
        cx.printer.json(SCHEMA, &noted)?;
        return Ok(ExitCode::SUCCESS);
    }
    let what = match (args.remove, args.key.as_str()) {
        (false, "") => "Noted".to_owned(),
        (false, key) => format!("Noted {key}"),
        (true, "") => "Removed the note".to_owned(),
        (true, key) => format!("Removed note {key}"),
    };
    for noun in &chosen {
        let on = if args.remove { "of" } else { "on" };
        cx.printer.line(format!("{what} {on} {}", noun.told()));
    }
    Ok(ExitCode::SUCCESS)
}

/// What the note is about, and its text. With `--of` or `--project` the first word is the text.
fn split(args: &Args) -> (Vec<String>, Option<String>) {
    let mut nouns = args.more.clone();
    if nouns.is_empty() && args.project.is_none() {
        nouns.extend(args.noun.clone());
        return (nouns, args.text.clone());
    }
    (nouns, args.text.clone().or_else(|| args.noun.clone()))
}

fn chosen(view: &View<'_>, nouns: &[String], args: &Args) -> Result<Vec<Noun>> {
    let mut chosen = nouns::chosen(&Names::new(view), view, nouns)?;
    chosen.extend(args.project.clone().map(Noun::Project));
    Ok(chosen)
}

/// The note as it is recorded, but for what it is about.
fn put(args: &Args, text: Option<&str>) -> Result<PutNote> {
    if !args.key.is_empty() {
        values::check_name("a note", &args.key)?;
    }
    values::check_name("a namespace", &args.namespace)?;
    let data = match &args.data {
        None => Value::Null,
        Some(json) => serde_json::from_str(json).map_err(|error| Failure::Usage {
            problem: format!("--data is not JSON: {error}"),
            hint: "write it as '{\"val_accuracy\": 0.85}'".to_owned(),
        })?,
    };
    let text = match text {
        Some("-") => Some(std::io::read_to_string(std::io::stdin())?),
        Some(text) => Some(text.to_owned()),
        None if args.remove => None,
        None => Some(String::new()),
    };
    // An empty text would take the place of a note that says something.
    let is_empty = text.as_ref().is_some_and(|text| text.trim().is_empty());
    if is_empty && args.data.is_none() {
        return Err(Failure::Usage {
            problem: "the text of the note is empty".to_owned(),
            hint: "`--remove` takes a note away".to_owned(),
        }
        .into());
    }
    let tags = args.tags.iter().flat_map(|word| word.split(','));
    Ok(PutNote {
        key: args.key.clone(),
        namespace: args.namespace.clone(),
        text,
        tags: tags
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect(),
        data,
        ..start::main_note(String::new())
    })
}

fn show(open: &Open, nouns: &[String], args: &Args, cx: &Context) -> Result<ExitCode> {
    let view = open.view()?;
    let mut all = Vec::new();
    for noun in chosen(&view, nouns, args)? {
        let annotations = match (&noun, noun.annotations()) {
            (Noun::Project(name), _) => view.project(name)?.annotations,
            (Noun::Run { .. } | Noun::Experiment(_), known) => known.cloned().unwrap_or_default(),
        };
        let mut notes = NoteDocument::all(&annotations);
        notes.retain(|note| args.key.is_empty() || note.key == args.key);
        all.push(NotesOf {
            of: noun.head(),
            notes,
        });
        if !cx.printer.json_wanted() {
            let told = Line::styled(Style::Bold, noun.told());
            cx.printer.line(told);
        }
        if let (false, Some(of)) = (cx.printer.json_wanted(), all.last()) {
            print(&of.notes, cx);
        }
    }
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &All { notes: all })?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(notes: &[NoteDocument], cx: &Context) {
    if notes.is_empty() {
        cx.printer.line("  no notes");
    }
    for note in notes {
        cx.printer
            .line(Line::styled(Style::Dim, format!("  {}", note.title())));
        for line in note.lines() {
            cx.printer.line(format!("    {line}"));
        }
    }
}
