//! `trialbook create`: makes an experiment (T-1, S-1, S-5), and says which ones have the same configuration (C-9).
//!
//! Invariant: what is made has a name of its own in its project, and an id `exp-…` beside its uid, also where
//! several are made at once.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::config::Config;
use trialbook_model::handle;
use trialbook_model::id::{ExperimentUid, Uid};
use trialbook_model::record::{
    CreateExperiment, Op, PutNote, SetField, SetPointer, SetTags, Subject,
};
use trialbook_model::state::DEFAULT_PROJECT;
use trialbook_runner::known::KnownSecrets;
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::reading::Reading as _;

use super::start;
use crate::book::{self, Open, View};
use crate::context::{Context, SystemEntropy};
use crate::failure::Failure;
use crate::names::{ALIAS, Names};
use crate::{given, secrets, titles, values};

const SCHEMA: u32 = 1;

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
    /// A config, which `trialbook run` can run then
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

/// Putting it into a queue, which there is not yet.
#[derive(Debug, clap::Args)]
struct Queueing {
    /// Put its runs into the queue (not supported yet)
    #[arg(long, conflicts_with = "no_queue")]
    queue: bool,
    /// Do not put its runs into the queue, as is done without it
    #[arg(long)]
    no_queue: bool,
    /// Its place in the queue (not supported yet)
    #[arg(short, long, value_name = "NUMBER")]
    priority: Option<i64>,
}

impl Queueing {
    fn check(&self) -> Result<()> {
        let asked = [
            (self.queue, "create --queue"),
            (self.priority.is_some(), "create --priority"),
        ];
        match asked.into_iter().find(|(asked, _)| *asked) {
            None => Ok(()),
            Some((_, verb)) => super::not_yet::run(
                verb,
                "there is no queue yet: `trialbook run CONFIG` executes an experiment now",
            ),
        }
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
    book: String,
}

/// Makes it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    args.queueing.check()?;
    let config = match &args.config {
        Some(file) => Some(read_config(file, args, cx)?),
        None => None,
    };
    let wanted = args.name.as_ref().or(args.positional.as_ref());
    let of_config = config.as_ref().map(|config| &config.experiment.name);
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
    let create = creation(args, uid, &name, config.as_ref());
    let hash = create.config_hash.clone();
    let same: Vec<String> = match &hash {
        Some(hash) => same_configuration(&view, hash)?,
        None => Vec::new(),
    };
    let alias = short_id(&view, uid)?;
    record(args, cx, &open, (create, &alias, tags))?;
    let created = Created {
        id: uid.to_string(),
        alias,
        project: args.project.clone(),
        name,
        config_hash: hash,
        same_configuration: same,
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

fn read_config(file: &str, args: &Args, cx: &Context) -> Result<Config> {
    let mut config = given::config(file, cx)?;
    if let Some(name) = args.name.as_ref().or(args.positional.as_ref())
        && *name != config.experiment.name
    {
        // The config's id belongs to the experiment of the config's own name.
        config.experiment.id = None;
        config.experiment.name.clone_from(name);
    }
    Ok(config)
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

fn creation(
    args: &Args,
    uid: ExperimentUid,
    name: &str,
    config: Option<&Config>,
) -> CreateExperiment {
    let config = config.map(|config| {
        let mut named = config.clone();
        if named.experiment.name != name {
            named.experiment.id = None;
            name.clone_into(&mut named.experiment.name);
        }
        named
    });
    CreateExperiment {
        experiment: uid,
        project: args.project.clone(),
        name: name.to_owned(),
        handle: config.as_ref().and_then(|it| it.experiment.id.clone()),
        config_hash: config.as_ref().map(Config::hash),
        document: config.map_or(serde_json::Value::Null, |config| {
            KnownSecrets::of_configs([&config]).recorded(&config)
        }),
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

type New<'a> = (CreateExperiment, &'a str, Vec<(String, Option<String>)>);

fn record(args: &Args, cx: &Context, open: &Open, (create, alias, tags): New<'_>) -> Result<()> {
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
    let research = &args.research;
    let fields = [
        ("description", &args.description),
        ("author", &args.author),
        ("research_question", &research.question),
        ("hypothesis", &research.hypothesis),
        ("researcher_name", &research.researcher),
        ("institution", &research.institution),
    ];
    for (field, text) in fields {
        if let Some(text) = text {
            writer.record(&Op::SetField(SetField {
                subject: subject.clone(),
                field: field.to_owned(),
                value: text.clone().into(),
            }))?;
        }
    }
    if let Some(text) = args.note.clone() {
        writer.record(&Op::PutNote(PutNote {
            subject,
            ..start::main_note(text)
        }))?;
    }
    writer.finish(cx)
}
