//! `trialbook start`: opens a run and prints its id.
//!
//! Inside a wrapper (`trialbook run` set `TRIALBOOK_RUN`) the first `start` joins the wrapper's run, later
//! ones become its children. Invariant: standard output holds the id and nothing else.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::handle;
use trialbook_model::id::{ExperimentUid, RunUid};
use trialbook_model::record::{
    CreateExperiment, LinkKind, Op, Param, PutNote, SetField, SetParams, SetPointer, SetTags,
    StartRun, Subject,
};
use trialbook_model::setup::Setup;
use trialbook_model::state::DEFAULT_PROJECT;
use trialbook_model::status::RunStatus;
use trialbook_model::time::Clock as _;
use trialbook_store::nouns::RunRow;
use trialbook_store::reading::Reading as _;

use crate::book::{self, Open, View};
use crate::context::{Context, SystemClock, SystemEntropy};
use crate::names::{self, ALIAS, Names};
use crate::once::WriteOnce;
use crate::setups::{self, SetupChoice};
use crate::target::{SESSION, SHELL, WRAPPER};
use crate::{secrets, titles, values};

const SCHEMA: u32 = 1;
/// The field of a wrapper's run that says that a program has joined it.
const JOINED: &str = "joined";

/// Start a run and print its id
///
/// Everything logged afterwards goes to the run that TRIALBOOK_RUN names. Inside `trialbook run`, the
/// first `start` joins the run that is being executed, and later ones become its children.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  export TRIALBOOK_RUN=$(trialbook start)
  export TRIALBOOK_RUN=$(trialbook start --experiment tuning --param lr=0.1 --tag baseline)
  trialbook start --config setup.yaml --note 'the old prompts again'
  run=$(trialbook start --name warm-up); trialbook log metric --run $run loss=0.3")]
pub(crate) struct Args {
    /// The experiment it belongs to, made on first use
    #[arg(short, long, alias = "experiment-id", value_name = "NAME")]
    experiment: Option<String>,
    /// The project of the experiment
    #[arg(short, long, value_name = "NAME", default_value = DEFAULT_PROJECT)]
    project: String,
    /// A name; default: the time and some digits of the id
    #[arg(short, long)]
    name: Option<String>,
    /// A param, written once: KEY=VALUE
    #[arg(long = "param", value_name = "KEY=VALUE")]
    param: Vec<String>,
    /// Params as a JSON map; maps inside are flattened with dots
    #[arg(long, value_name = "JSON")]
    params: Option<String>,
    /// A tag: KEY=VALUE or KEY; also a comma list
    #[arg(long = "tag", alias = "tags", value_name = "TAG")]
    tag: Vec<String>,
    /// A note
    #[arg(long, alias = "notes", value_name = "TEXT")]
    note: Option<String>,
    /// The seed that the program uses
    #[arg(long)]
    seed: Option<u64>,
    #[command(flatten)]
    setup: SetupChoice,
    /// An id by which others know it
    #[arg(long, value_name = "ID")]
    alias: Option<String>,
    /// The run that it is a part of
    #[arg(long, value_name = "RUN")]
    parent: Option<String>,
}

#[derive(Serialize)]
struct Started {
    run: String,
    name: String,
    experiment: String,
    joined: bool,
    config_hash: Option<String>,
    /// Some runs that were started with the same setup.
    same_configuration: Vec<String>,
    book: String,
}

/// What was chosen, before anything is written.
struct Plan {
    experiment: ExperimentUid,
    /// An experiment that is to be made.
    create: Option<CreateExperiment>,
    title: String,
    project: String,
    params: Vec<(String, Param)>,
    tags: Vec<(String, Option<String>)>,
    setup: Setup,
    /// Runs with the same setup.
    same: Vec<String>,
}

/// Starts it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let mut params = values::params(&args.param)?;
    if let Some(json) = &args.params {
        params.extend(values::params_of_json(json)?);
    }
    let tags = secrets::tags(&args.tag, cx)?;
    if let Some(name) = &args.name {
        values::check_name("a run", name)?;
        values::refuse_reserved("a run", name)?;
    }
    let setup = args.setup.read(cx)?;
    params.extend(setup.params.iter().cloned());
    let open = book::writing(cx)?;
    // An alias that is free stays so until it is written.
    let alias = args.alias.as_ref();
    let _turn = alias.map(|_| open.naming()).transpose()?;
    let view = open.view()?;
    if let Some(alias) = &args.alias {
        values::check_name("an alias", alias)?;
        values::refuse_reserved("an alias", alias)?;
        secrets::refuse("the alias", alias)?;
        Names::new(&view).refuse_taken_alias(alias)?;
    }
    let surrounding = surrounding_run(cx, &view);
    let joins = surrounding
        .as_ref()
        .filter(|run| !run.state.annotations.flag(JOINED) && args.parent.is_none());
    let mut once = joins.map_or_else(WriteOnce::of_new, |run| {
        WriteOnce::of(run, &titles::short_id(run.uid.0))
    });
    let params = once.accept(params)?;
    secrets::tell_redacted(cx, params.iter().map(|(key, param)| (key, &param.text)));
    let mut plan = plan(args, &view, surrounding.as_ref(), params, tags)?;
    plan.same = tell_same(cx, &view, &setup)?;
    plan.setup = setup;
    let started = match joins {
        Some(run) => join(cx, &open, run, args, &plan)?,
        None => open_run(cx, &open, &view, surrounding.as_ref(), (args, &plan))?,
    };
    cx.printer.note(format!(
        "book {} ({}), experiment {}",
        open.name(),
        open.rule(),
        plan.title
    ));
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &started)?;
    } else {
        cx.printer.line(started.run);
    }
    Ok(ExitCode::SUCCESS)
}

/// The wrapper's run around this process, if there is one and it is running.
fn surrounding_run(cx: &Context, view: &View<'_>) -> Option<RunRow> {
    let text = cx.run_variable()?;
    let Ok(run) = Names::new(view).run(text) else {
        cx.printer
            .note(format!("TRIALBOOK_RUN names no run of this book: `{text}`"));
        return None;
    };
    let source = run.state.start().map_or("", |start| start.source.as_str());
    let around = source == WRAPPER && run.state.status() == RunStatus::Running;
    around.then_some(run)
}

fn plan(
    args: &Args,
    view: &View<'_>,
    surrounding: Option<&RunRow>,
    params: Vec<(String, Param)>,
    tags: Vec<(String, Option<String>)>,
) -> Result<Plan> {
    let known = match (&args.experiment, surrounding) {
        (Some(name), _) => Names::new(view).experiment_called(&args.project, name)?,
        (None, Some(run)) => view.experiment(run.experiment)?,
        (None, None) => view.experiment(trialbook_model::id::ExperimentNo(0))?,
    };
    if let Some(row) = known {
        names::refuse_bin(&row)?;
        return Ok(Plan {
            experiment: titles::experiment_uid(&row),
            create: None,
            title: titles::experiment(&row),
            project: row.state.project().to_owned(),
            params,
            tags,
            setup: Setup::default(),
            same: Vec::new(),
        });
    }
    let name = args.experiment.clone().unwrap_or_default();
    values::check_name("an experiment", &name)?;
    values::refuse_reserved("an experiment", &name)?;
    values::check_name("a project", &args.project)?;
    let experiment = ExperimentUid::mint(&mut SystemEntropy);
    Ok(Plan {
        experiment,
        title: format!("{}/{name}, which is new", args.project),
        project: args.project.clone(),
        create: Some(CreateExperiment {
            experiment,
            project: args.project.clone(),
            name,
            handle: None,
            document: serde_json::Value::Null,
            config_hash: None,
        }),
        params,
        tags,
        setup: Setup::default(),
        same: Vec::new(),
    })
}

/// Says which runs were started with the same setup.
fn tell_same(cx: &Context, view: &View<'_>, setup: &Setup) -> Result<Vec<String>> {
    let (named, total) = setups::same(view, setup)?;
    if total > 0 {
        let more = total - named.len() as u64;
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let named = named.join(", ");
        cx.printer
            .note(format!("same configuration as {named}{more}"));
    }
    Ok(named)
}

/// Joins the wrapper's run: params are merged write-once.
fn join(cx: &Context, open: &Open, run: &RunRow, args: &Args, plan: &Plan) -> Result<Started> {
    let mut writer = open.writer(cx)?;
    writer.record(&Op::SetField(SetField {
        subject: Subject::Run(run.uid),
        field: JOINED.to_owned(),
        value: true.into(),
    }))?;
    if let Some(name) = &args.name {
        writer.record(&Op::SetField(SetField {
            subject: Subject::Run(run.uid),
            field: "name".to_owned(),
            value: name.clone().into(),
        }))?;
    }
    for op in attachments(run.uid, args, plan) {
        writer.record(&op)?;
    }
    writer.finish(cx)?;
    let name = args.name.as_deref().or_else(|| run.state.name());
    Ok(Started {
        run: run.uid.to_string(),
        name: name.unwrap_or_default().to_owned(),
        experiment: plan.title.clone(),
        joined: true,
        config_hash: plan.setup.hash(),
        same_configuration: plan.same.clone(),
        book: open.name(),
    })
}

fn open_run(
    cx: &Context,
    open: &Open,
    view: &View<'_>,
    surrounding: Option<&RunRow>,
    (args, plan): (&Args, &Plan),
) -> Result<Started> {
    let uid = RunUid::mint(&mut SystemEntropy);
    let now = SystemClock.now();
    let name = args
        .name
        .clone()
        .unwrap_or_else(|| handle::default_run_name(now, uid.0, |_| false));
    let parent = match &args.parent {
        Some(text) => Some(Names::new(view).run(text)?.uid),
        None => surrounding.map(|run| run.uid),
    };
    let mut writer = open.writer(cx)?;
    if let Some(create) = &plan.create {
        writer.record(&Op::CreateExperiment(create.clone()))?;
    }
    writer.record(&Op::StartRun(StartRun {
        experiment: plan.experiment,
        name: Some(name.clone()),
        seed: args.seed,
        links: parent
            .map(|run| (LinkKind::Parent, run))
            .into_iter()
            .collect(),
        source: SHELL.to_owned(),
        started: now,
        ..StartRun::of(uid)
    }))?;
    if let Some(session) = cx.session() {
        writer.record(&Op::SetField(SetField {
            subject: Subject::Run(uid),
            field: SESSION.to_owned(),
            value: session.into(),
        }))?;
    }
    for op in attachments(uid, args, plan) {
        writer.record(&op)?;
    }
    writer.finish(cx)?;
    Ok(Started {
        run: uid.to_string(),
        name,
        experiment: plan.title.clone(),
        joined: false,
        config_hash: plan.setup.hash(),
        same_configuration: plan.same.clone(),
        book: open.name(),
    })
}

/// Starts the first run of an experiment that is named where a run is meant; it bears the same name.
pub(super) fn first_run(cx: &Context, open: &Open, text: &str) -> Result<()> {
    let view = open.view()?;
    let row = Names::new(&view).experiment(text)?;
    let uid = RunUid::mint(&mut SystemEntropy);
    let now = SystemClock.now();
    let mut writer = open.writer(cx)?;
    let name = row.state.name().map(str::to_owned);
    writer.record(&Op::StartRun(StartRun {
        experiment: titles::experiment_uid(&row),
        name: name.or_else(|| Some(handle::default_run_name(now, uid.0, |_| false))),
        source: SHELL.to_owned(),
        started: now,
        ..StartRun::of(uid)
    }))?;
    writer.finish(cx)
}

/// Params, tags and the note.
fn attachments(run: RunUid, args: &Args, plan: &Plan) -> Vec<Op> {
    let mut ops = Vec::new();
    if !plan.params.is_empty() {
        ops.push(Op::SetParams(SetParams {
            run,
            params: plan.params.clone(),
        }));
    }
    if !plan.tags.is_empty() {
        ops.push(Op::SetTags(SetTags {
            subject: Subject::Run(run),
            tags: plan.tags.clone(),
        }));
    }
    ops.extend(args.note.clone().map(|text| note(run, text)));
    ops.extend(setups::links(run, &plan.setup));
    ops.extend(args.alias.clone().map(|alias| {
        Op::SetPointer(SetPointer {
            project: plan.project.clone(),
            kind: ALIAS.to_owned(),
            name: alias,
            value: run.to_string().into(),
        })
    }));
    ops
}

/// The main note of a run.
pub(crate) fn note(run: RunUid, text: String) -> Op {
    Op::PutNote(PutNote {
        subject: Subject::Run(run),
        ..main_note(text)
    })
}

/// A main note, of a project without a name until the caller says of what.
pub(in crate::commands) fn main_note(text: String) -> PutNote {
    PutNote {
        subject: Subject::Project(String::new()),
        key: String::new(),
        namespace: "default".to_owned(),
        text: Some(text),
        tags: Vec::new(),
        data: serde_json::Value::Null,
    }
}
