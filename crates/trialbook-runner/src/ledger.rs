//! Writing an outline down before anything starts: the experiment, its metric definitions, every planned
//! run.
//!
//! Not here: executing. Invariant: a run is in the book as queued before its process can be started, so that
//! whatever happens later, the next `run` knows what is missing; nothing recorded holds a secret that the
//! filter knows.

use std::borrow::Cow;

use serde_json::{Value, json};
use trialbook_model::config::{Config, Params};
use trialbook_model::id::{Entropy, ExperimentUid, RunUid};
use trialbook_model::plan::{Action, INTERRUPTED, PlannedRun};
use trialbook_model::record::{
    CreateExperiment, DefineMetric, LinkKind, Op, Param, PutNote, RunError, SetField, SetParams,
    SetStatus, SetTags, StartRun, Subject,
};
use trialbook_model::secret;
use trialbook_model::state::DEFAULT_PROJECT;
use trialbook_model::status::RunStatus;
use trialbook_model::time::Clock;

use crate::outline::Outline;
use crate::preparation::Preparation;
use crate::standing::{BESIDE_FIELD, LEFT_OUT_FIELD, SEED_FIELD, Standing, StandingRun};
use crate::wrapper::{RecordError, Sink};

/// What started the runs, as their starts say.
pub const SOURCE: &str = "wrapper";

/// A planned run that is about to be executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The run, in the book as queued.
    pub run: RunUid,
    /// Its number in the experiment.
    pub number: u64,
    /// Its attempt, from 1.
    pub attempt: u64,
    /// What it does.
    pub planned: PlannedRun,
}

/// What an outline is written down with.
pub struct Ledger<'a> {
    /// Where operations go.
    pub sink: &'a dyn Sink,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Where new uids come from.
    pub entropy: &'a mut dyn Entropy,
    /// How the runs' commands look.
    pub preparation: &'a Preparation,
    /// The experiment as it stands.
    pub standing: &'a Standing,
    /// The config that is recorded where the runs stand beside those that it names.
    pub beside: Option<&'a Config>,
}

impl Ledger<'_> {
    /// Writes the outline down; gives the runs to be executed, in the order of the plan.
    pub fn write(&mut self, outline: &Outline) -> Result<Vec<Job>, RecordError> {
        let experiment = self.experiment(outline)?;
        for run in &outline.cut_off {
            self.close(run)?;
        }
        for run in &outline.leaving {
            if !run.status.is_final() && !outline.cut_off.contains(run) {
                self.cancel(run)?;
            }
            self.mark(run, &json!(true))?;
        }
        for run in &outline.returning {
            self.mark(run, &Value::Null)?;
        }
        self.jobs(experiment, outline)
    }

    fn config(&self) -> &Config {
        &self.preparation.config
    }

    /// The config that is recorded.
    fn recorded(&self) -> &Config {
        self.beside.unwrap_or_else(|| self.config())
    }

    fn experiment(&mut self, outline: &Outline) -> Result<ExperimentUid, RecordError> {
        let hash = self.recorded().hash();
        let known = self.standing.uid;
        let uid = known.unwrap_or_else(|| ExperimentUid::mint(self.entropy));
        let is_same = self.standing.hash.as_deref() == Some(&hash) && outline.changes.is_empty();
        if known.is_some() && is_same {
            return Ok(uid);
        }
        let config = self.recorded();
        let words = &config.experiment;
        let project = words.project.clone();
        self.sink.record(Op::CreateExperiment(CreateExperiment {
            experiment: uid,
            project: project.unwrap_or_else(|| DEFAULT_PROJECT.to_owned()),
            name: words.name.clone(),
            handle: words.id.clone(),
            document: self.preparation.known.recorded(config),
            config_hash: Some(hash),
        }))?;
        let subject = Standing::subject(uid);
        let is_drawn = self.config().random_seed.is_none();
        if is_drawn && self.standing.base_seed.is_none() {
            self.field(&subject, SEED_FIELD, json!(outline.base_seed))?;
        }
        self.words(&subject)?;
        self.metrics(&subject)?;
        Ok(uid)
    }

    fn words(&self, subject: &Subject) -> Result<(), RecordError> {
        let words = &self.recorded().experiment;
        for (field, value) in [
            ("description", &words.description),
            ("author", &words.author),
        ] {
            if let Some(value) = value {
                self.field(subject, field, json!(self.clean(value)))?;
            }
        }
        if let Some(text) = &words.notes {
            self.sink.record(Op::PutNote(PutNote {
                subject: subject.clone(),
                key: String::new(),
                namespace: "default".to_owned(),
                text: Some(self.clean(text)),
                tags: Vec::new(),
                data: Value::Null,
            }))?;
        }
        if words.tags.is_empty() {
            return Ok(());
        }
        let tags = words.tags.iter();
        self.sink.record(Op::SetTags(SetTags {
            subject: subject.clone(),
            tags: tags
                .map(|(tag, value)| (tag.clone(), Some(self.clean(&named(tag, value)))))
                .collect(),
        }))
    }

    /// A text without secrets.
    fn clean(&self, text: &str) -> String {
        let known = &self.preparation.known;
        known.text(&secret::value(text).content).into_owned()
    }

    fn metrics(&self, subject: &Subject) -> Result<(), RecordError> {
        for metric in &self.recorded().metrics {
            if metric.unit.is_some() || metric.goal.is_some() {
                self.sink.record(Op::DefineMetric(DefineMetric {
                    subject: subject.clone(),
                    key: metric.key.clone(),
                    unit: metric.unit.clone(),
                    goal: metric.goal,
                }))?;
            }
        }
        Ok(())
    }

    fn field(&self, subject: &Subject, field: &str, value: Value) -> Result<(), RecordError> {
        self.sink.record(Op::SetField(SetField {
            subject: subject.clone(),
            field: field.to_owned(),
            value,
        }))
    }

    /// A run whose process is gone ended with its last sign of life.
    fn close(&self, run: &StandingRun) -> Result<(), RecordError> {
        self.sink.record(Op::SetStatus(SetStatus {
            run: run.uid,
            status: RunStatus::Failed,
            started: None,
            ended: run.alive,
            error: Some(RunError {
                kind: INTERRUPTED.to_owned(),
                message: "the process that executed it ended without a word".to_owned(),
            }),
            exit_code: None,
        }))
    }

    fn cancel(&self, run: &StandingRun) -> Result<(), RecordError> {
        self.sink.record(Op::SetStatus(SetStatus {
            run: run.uid,
            status: RunStatus::Cancelled,
            started: None,
            ended: Some(self.clock.now()),
            error: Some(RunError {
                kind: "left_out".to_owned(),
                message: "the changed config does not ask for it".to_owned(),
            }),
            exit_code: None,
        }))
    }

    /// Marks a run as left out and archived, or, with null, as neither.
    fn mark(&self, run: &StandingRun, value: &Value) -> Result<(), RecordError> {
        let subject = Subject::Run(run.uid);
        self.field(&subject, LEFT_OUT_FIELD, value.clone())?;
        self.field(&subject, "archived", value.clone())
    }

    fn jobs(
        &mut self,
        experiment: ExperimentUid,
        outline: &Outline,
    ) -> Result<Vec<Job>, RecordError> {
        let numbers: std::collections::BTreeMap<RunUid, u64> = self
            .standing
            .runs
            .iter()
            .map(|run| (run.uid, run.number))
            .collect();
        let mut highest = self.standing.highest;
        let mut jobs = Vec::new();
        for decision in &outline.decisions.decisions {
            let planned = decision.planned.clone();
            match decision.action {
                Action::Take { run, attempt } => jobs.push(Job {
                    run,
                    number: numbers.get(&run).copied().unwrap_or_default(),
                    attempt,
                    planned,
                }),
                Action::Start { attempt, after, .. } => {
                    highest += 1;
                    let job = Job {
                        run: RunUid::mint(self.entropy),
                        number: highest,
                        attempt,
                        planned,
                    };
                    self.start(experiment, &job, after)?;
                    jobs.push(job);
                }
                Action::Done { .. }
                | Action::Failed { .. }
                | Action::Busy { .. }
                | Action::NotChosen => {}
            }
        }
        Ok(jobs)
    }

    fn start(
        &self,
        experiment: ExperimentUid,
        job: &Job,
        after: Option<RunUid>,
    ) -> Result<(), RecordError> {
        let planned = &job.planned;
        let variation = self.clean(&secret::value(&planned.variation).content);
        self.sink.record(Op::StartRun(StartRun {
            experiment,
            name: Some(format!("{variation} #{}", planned.trial)),
            number: Some(job.number),
            variation: Some(variation),
            trial: Some(u64::from(planned.trial)),
            attempt: Some(job.attempt),
            seed: Some(planned.seed),
            run_key: Some(planned.key.clone()),
            links: after
                .map(|run| (LinkKind::RetryOf, run))
                .into_iter()
                .collect(),
            command: self.preparation.recorded_command(job),
            source: SOURCE.to_owned(),
            started: self.clock.now(),
            status: RunStatus::Queued,
            ..StartRun::of(job.run)
        }))?;
        if self.beside.is_some() {
            self.field(&Subject::Run(job.run), BESIDE_FIELD, json!(true))?;
        }
        let params = self.config().variations.get(planned.variation_at);
        let mut params =
            params.map_or_else(Vec::new, |variation| without_secrets(&variation.params));
        for (_, param) in &mut params {
            if let Cow::Owned(clean) = self.preparation.known.text(&param.text) {
                *param = Param::text(clean);
            }
        }
        if params.is_empty() {
            return Ok(());
        }
        self.sink.record(Op::SetParams(SetParams {
            run: job.run,
            params,
        }))
    }
}

/// A text that a name stands before, without secrets.
fn named<'a>(name: &str, text: &'a str) -> Cow<'a, str> {
    if secret::is_secret_name(name) && !text.is_empty() {
        secret::MARK.into()
    } else {
        secret::value(text).content
    }
}

/// Params as they are recorded.
pub(crate) fn without_secrets(params: &[(String, Param)]) -> Params {
    params
        .iter()
        .map(|(name, param)| {
            let text = named(name, &param.text);
            let kept = if text == param.text.as_str() {
                param.clone()
            } else {
                Param::text(text)
            };
            (name.clone(), kept)
        })
        .collect()
}
