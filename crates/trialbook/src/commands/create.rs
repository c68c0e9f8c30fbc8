//! `trialbook create`: makes an experiment (T-1, S-1, S-5), and says which ones have the same configuration (C-9).
//!
//! Invariant: what is made has a name of its own in its project, and an id `exp-…` beside its uid, also where
//! several are made at once.

mod plan;

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;
use trialbook_model::handle;
use trialbook_model::id::{ExperimentUid, Uid};
use trialbook_model::record::{
    CreateExperiment, Op, PutNote, SetField, SetPointer, SetTags, Subject,
};
use trialbook_model::state::DEFAULT_PROJECT;
use trialbook_model::study::Research as Said;
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::reading::Reading as _;

use super::start;
use crate::book::{self, Open, View};
use crate::context::{Context, SystemEntropy};
use crate::failure::Failure;
use crate::names::{ALIAS, Names};
use crate::{secrets, titles, values};
use plan::Plan;

const SCHEMA: u32 = 1;
/// The place in a queue of what is given none.
const DEFAULT_PRIORITY: i32 = 1;

/// Make an experiment
///
/// `start`, `log` and `run` make experiments on first use; this makes one beforehand, with what is to be
/// known of it. A name that is taken gets a number, unless --unique refuses it. With a config, the
/// experiments of the same configuration are named.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook create tuning
  trialbook create --name transformer-baseline --project nlp-classification --tags baseline,transformer
  trialbook create coordination experiment.yaml --question 'Does a pipeline beat a pool?'
  trialbook create tuning --unique --alias EXP-7")]
pub(crate) struct Args {
    /// Its name
    #[arg(value_name = "NAME", conflicts_with = "name")]
    positional: Option<String>,
    /// A config, which `trialbook run` can run then, or a study of language models
    #[arg(value_name = "CONFIG")]
    config: Option<String>,
    /// Its name
    #[arg(long)]
    name: Option<String>,
    /// The project it belongs to, made on first use
    #[arg(long, value_name = "NAME", default_value = DEFAULT_PROJECT)]
    project: String,
    /// Tags: KEY=VALUE or KEY, joined by commas
    #[arg(long, alias = "tag", value_name = "TAGS")]
    tags: Vec<String>,
    /// Refuse a name that is taken
    #[arg(long)]
    unique: bool,
    /// An id by which others know it
    #[arg(long, value_name = "ID")]
    alias: Option<String>,
    /// What it is about
    #[arg(short, long, value_name = "TEXT")]
    description: Option<String>,
    /// A note
    #[arg(long, alias = "notes", value_name = "TEXT")]
    note: Option<String>,
    /// Who made it
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
    #[command(flatten)]
    research: Research,
    #[command(flatten)]
    queueing: Queueing,
}

/// Its place in a queue. There is no queue yet; the place is kept until there is one.
#[derive(Debug, clap::Args)]
struct Queueing {
    /// Put its runs into the queue (not supported yet)
    #[arg(long, conflicts_with = "no_queue")]
    queue: bool,
    /// Do not put its runs into the queue, as is done without it
    #[arg(long)]
    no_queue: bool,
    /// Its place in a queue, the higher the earlier: kept with the experiment
    #[arg(short, long, value_name = "NUMBER", allow_negative_numbers = true)]
    priority: Option<i32>,
}

impl Queueing {
    fn check(&self) -> Result<()> {
        if self.queue {
            return super::not_yet::run(
                "create --queue",
                "there is no queue yet: `trialbook run CONFIG` executes an experiment now",
            );
        }
        Ok(())
    }
}

/// What a publication says of it.
#[derive(Debug, clap::Args)]
struct Research {
    /// The research question
    #[arg(short, long, alias = "research-question", value_name = "TEXT")]
    question: Option<String>,
    /// What is expected
    #[arg(long, value_name = "TEXT")]
    hypothesis: Option<String>,
    /// Who does the research
    #[arg(short, long, alias = "researcher-name", value_name = "NAME")]
    researcher: Option<String>,
    /// Where the research is done
    #[arg(short, long, value_name = "NAME")]
    institution: Option<String>,
}

#[derive(Serialize)]
struct Created {
    id: String,
    /// The short id, such as `exp-1a2b3c`.
    alias: String,
    project: String,
    name: String,
    config_hash: Option<String>,
    /// Experiments of the same configuration.
    same_configuration: Vec<String>,
    priority: i32,
    book: String,
}

/// Makes it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    args.queueing.check()?;
    let wanted = args.name.as_ref().or(args.positional.as_ref());
    let plan = match &args.config {
        Some(file) => Some(Plan::read(file, wanted, cx)?),
        None => None,
    };
    let of_config = plan.as_ref().map(Plan::name);
    let Some(wanted) = wanted.or(of_config) else {
        return Err(Failure::Usage {
            problem: "the experiment has no name".to_owned(),
            hint: "write `trialbook create NAME`".to_owned(),
        }
        .into());
    };
    check(args, wanted)?;
    let tags = secrets::tags(&args.tags, cx)?;
    let open = book::writing(cx)?;
    // Held until all is written: what was taken meanwhile is seen by whoever waits.
    let _turn = open.naming()?;
    let view = open.view()?;
    let name = free_name(&view, args, wanted)?;
    if name != *wanted {
        cx.printer
            .note(format!("the name `{wanted}` is taken: made `{name}`"));
    }
    if let Some(alias) = &args.alias {
        Names::new(&view).refuse_taken_alias(alias)?;
    }
    let uid = ExperimentUid::mint(&mut SystemEntropy);
    let create = creation(args, uid, &name, plan.as_ref());
    let hash = create.config_hash.clone();
    let same: Vec<String> = match &hash {
        Some(hash) => same_configuration(&view, hash)?,
        None => Vec::new(),
    };
    let alias = short_id(&view, uid)?;
    let words = words(args, plan.as_ref());
    record(args, cx, &open, (create, &alias, tags, words))?;
    let created = Created {
        id: uid.to_string(),
        alias,
        project: args.project.clone(),
        name,
        config_hash: hash,
        same_configuration: same,
        priority: args.queueing.priority.unwrap_or(DEFAULT_PRIORITY),
        book: open.name(),
    };
    tell(&created, cx)?;
    Ok(ExitCode::SUCCESS)
}

fn tell(created: &Created, cx: &Context) -> Result<()> {
    if cx.printer.json_wanted() {
        return cx.printer.json(SCHEMA, created);
    }
    let Created {
        project,
        name,
        alias,
        ..
    } = created;
    cx.printer.line(format!(
        "Experiment created: {project}/{name} (ID: {alias})"
    ));
    if !created.same_configuration.is_empty() {
        let same = created.same_configuration.join(", ");
        cx.printer.line(format!("Same configuration as {same}"));
    }
    Ok(())
}

fn check(args: &Args, name: &str) -> Result<()> {
    values::check_name("an experiment", name)?;
    values::refuse_reserved("an experiment", name)?;
    values::check_name("a project", &args.project)?;
    secrets::refuse("the name of the experiment", name)?;
    secrets::refuse("the name of the project", &args.project)?;
    if let Some(alias) = &args.alias {
        values::check_name("an alias", alias)?;
        values::refuse_reserved("an alias", alias)?;
        secrets::refuse("the alias", alias)?;
    }
    Ok(())
}

/// The name, with a number behind it where it is taken.
fn free_name(view: &View<'_>, args: &Args, wanted: &str) -> Result<String> {
    let all = view.experiments()?;
    let is_taken = |name: &str| {
        let mut of_project = all.iter().filter(|row| row.state.project() == args.project);
        of_project.any(|row| row.state.name() == Some(name))
    };
    if !is_taken(wanted) {
        return Ok(wanted.to_owned());
    }
    if args.unique {
        return Err(Failure::Taken {
            noun: "experiment",
            name: format!("{}/{wanted}", args.project),
        }
        .into());
    }
    let numbered = (2_u64..).map(|number| format!("{wanted}-{number}"));
    let free = numbered.into_iter().find(|name| !is_taken(name));
    Ok(free.expect("some number is free"))
}

/// An id `exp-…` that no other bears.
fn short_id(view: &View<'_>, uid: ExperimentUid) -> Result<String> {
    let known = Names::new(view).aliases()?;
    let is_taken = |id: &str| known.iter().any(|(known, _)| known == id);
    let mut seed = uid.0;
    loop {
        let id = handle::experiment_alias(seed);
        if !is_taken(&id) {
            return Ok(id);
        }
        seed = Uid::mint(&mut SystemEntropy);
    }
}

fn creation(args: &Args, uid: ExperimentUid, name: &str, plan: Option<&Plan>) -> CreateExperiment {
    let (handle, hash, document) = match plan {
        None => (None, None, Value::Null),
        Some(plan) => {
            let (handle, hash, document) = plan.named(name);
            (handle, Some(hash), document)
        }
    };
    CreateExperiment {
        experiment: uid,
        project: args.project.clone(),
        name: name.to_owned(),
        handle,
        config_hash: hash,
        document,
    }
}

/// Experiments whose config means the same but for its names.
fn same_configuration(view: &View<'_>, hash: &str) -> Result<Vec<String>> {
    let all = view.experiments()?;
    let has = |row: &&ExperimentRow| {
        row.state.config().and_then(|config| config.hash.as_deref()) == Some(hash)
    };
    Ok(all.iter().filter(has).map(titles::experiment).collect())
}

type New<'a> = (
    CreateExperiment,
    &'a str,
    Vec<(String, Option<String>)>,
    Vec<(&'static str, Value)>,
);

/// The fields that say what it is about: what is given here goes before what a study says.
fn words(args: &Args, plan: Option<&Plan>) -> Vec<(&'static str, Value)> {
    let none = Said::default();
    let (said, about) = match plan {
        Some(Plan::Study(study)) => (&study.research, study.description.as_ref()),
        Some(Plan::Config(_)) | None => (&none, None),
    };
    let research = &args.research;
    let texts = [
        ("description", args.description.as_ref().or(about)),
        ("author", args.author.as_ref()),
        (
            "research_question",
            research.question.as_ref().or(said.question.as_ref()),
        ),
        (
            "hypothesis",
            research.hypothesis.as_ref().or(said.hypothesis.as_ref()),
        ),
        (
            "researcher_name",
            research.researcher.as_ref().or(said.researcher.as_ref()),
        ),
        (
            "institution",
            research.institution.as_ref().or(said.institution.as_ref()),
        ),
    ];
    let texts = texts
        .into_iter()
        .filter_map(|(field, text)| Some((field, Value::String(text?.clone()))));
    let priority = args.queueing.priority;
    texts
        .chain(priority.map(|it| ("priority", it.into())))
        .collect()
}

fn record(
    args: &Args,
    cx: &Context,
    open: &Open,
    (create, alias, tags, words): New<'_>,
) -> Result<()> {
    let subject = Subject::Experiment(create.experiment);
    let uid = create.experiment.to_string();
    let project = create.project.clone();
    let mut writer = open.writer(cx)?;
    writer.record(&Op::CreateExperiment(create))?;
    for alias in [Some(alias), args.alias.as_deref()].into_iter().flatten() {
        writer.record(&Op::SetPointer(SetPointer {
            project: project.clone(),
            kind: ALIAS.to_owned(),
            name: alias.to_owned(),
            value: uid.clone().into(),
        }))?;
    }
    if !tags.is_empty() {
        writer.record(&Op::SetTags(SetTags {
            subject: subject.clone(),
            tags,
        }))?;
    }
    for (field, value) in words {
        writer.record(&Op::SetField(SetField {
            subject: subject.clone(),
            field: field.to_owned(),
            value,
        }))?;
    }
    if let Some(text) = args.note.clone() {
        writer.record(&Op::PutNote(PutNote {
            subject,
            ..start::main_note(text)
        }))?;
    }
    writer.finish(cx)
}
