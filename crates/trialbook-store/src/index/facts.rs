//! What the index keeps of a run and of an experiment, and how a filter sees it.
//!
//! Not here: columns. Invariant: a run answers a filter through [`RunView`] in one way, wherever it is kept:
//! as a row of the book, as a changed row over the columns, or (held against it by tests) in the columns.

use std::borrow::Cow;
use std::collections::BTreeMap;

use trialbook_model::derived::unqualified;
use trialbook_model::filter::{Aggregate, Attribute, Key, KeyKind, Row, Value};
use trialbook_model::id::{ExperimentNo, RunNo, RunUid};
use trialbook_model::record::{Goal, Param, ParamKind};
use trialbook_model::state::{ProjectState, RunState, SeriesSummary};

use crate::nouns::{ExperimentRow, RunRow};

/// What the index keeps of an experiment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExperimentFacts {
    /// Its number.
    pub no: ExperimentNo,
    /// Its name.
    pub name: Option<String>,
    /// The user's own id.
    pub handle: Option<String>,
    /// Its project's name.
    pub project: String,
    /// Hidden from lists.
    pub archived: bool,
    /// In the bin.
    pub deleted: bool,
    /// Goals of metrics that are defined.
    pub goals: BTreeMap<String, Goal>,
}

impl ExperimentFacts {
    /// Of an experiment and its project, whose definitions hold where the experiment has none.
    pub fn of(row: &ExperimentRow, project: &ProjectState) -> Self {
        let definitions = project.metrics.iter().chain(&row.state.metrics);
        Self {
            no: row.no,
            name: row.state.name().map(str::to_owned),
            handle: row.state.handle().map(str::to_owned),
            project: row.state.project().to_owned(),
            archived: row.state.annotations.flag("archived"),
            deleted: row.state.annotations.flag("deleted"),
            goals: definitions
                .filter_map(|(key, held)| Some((key.clone(), held.value.goal?)))
                .collect(),
        }
    }

    /// The human handle of a run of this experiment.
    pub(super) fn run_handle(&self, number: Option<u64>) -> Option<String> {
        Some(format!("{}/run-{:03}", self.handle.as_deref()?, number?))
    }

    /// What the experiment says of its runs, for the attributes that belong to it.
    pub(super) fn value(&self, attribute: Attribute) -> Option<Value<'_>> {
        if attribute == Attribute::Experiment {
            self.name.as_deref().map(Value::word)
        } else if attribute == Attribute::ExperimentId {
            Some(Value::Text(Cow::Owned(self.no.to_string()), None))
        } else if attribute == Attribute::Project {
            Some(Value::word(&self.project))
        } else {
            None
        }
    }
}

/// The numbers of a series that a filter can name. NaN in `min`, `max` and `mean` says that no value was
/// finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Numbers {
    /// The last value; NaN is data.
    pub last: f64,
    /// The smallest finite value.
    pub min: f64,
    /// The greatest finite value.
    pub max: f64,
    /// The mean of the finite values.
    pub mean: f64,
    /// How many values.
    pub count: f64,
    /// How many of them are NaN.
    pub nan: f64,
}

impl Numbers {
    /// Of a series.
    pub fn of(summary: &SeriesSummary) -> Self {
        Self {
            last: summary.last.value,
            min: summary.min().unwrap_or(f64::NAN),
            max: summary.max().unwrap_or(f64::NAN),
            mean: summary.mean().unwrap_or(f64::NAN),
            count: summary.count as f64,
            nan: summary.nan as f64,
        }
    }

    /// Of a series of this one value, as which derived metrics count.
    pub fn of_one(value: f64) -> Self {
        let finite = if value.is_finite() { value } else { f64::NAN };
        Self {
            last: value,
            min: finite + 0.0,
            max: finite + 0.0,
            mean: finite + 0.0,
            count: 1.0,
            nan: f64::from(u8::from(value.is_nan())),
        }
    }

    /// In the order in which columns keep them.
    pub(super) fn lanes(&self) -> [f64; 6] {
        [
            self.last, self.min, self.max, self.mean, self.count, self.nan,
        ]
    }

    /// The number that an aggregate names.
    pub(super) fn get(&self, lane: Lane) -> Option<f64> {
        let value = self.lanes()[lane as usize];
        (!lane.is_partial() || !value.is_nan()).then_some(value)
    }
}

/// The place of an aggregate in a column of [`Numbers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    Last,
    Min,
    Max,
    Mean,
    Count,
    Nan,
}

impl Lane {
    /// All of them, in the order in which columns keep them.
    pub(super) const ALL: [Self; 6] = [
        Self::Last,
        Self::Min,
        Self::Max,
        Self::Mean,
        Self::Count,
        Self::Nan,
    ];

    /// The lane that an aggregate means for a metric of this goal.
    pub(super) const fn of(aggregate: Aggregate, goal: Option<Goal>) -> Self {
        match (aggregate, goal) {
            (Aggregate::Min, _) | (Aggregate::Best, Some(Goal::Min)) => Self::Min,
            (Aggregate::Max, _) | (Aggregate::Best, Some(Goal::Max)) => Self::Max,
            (Aggregate::Mean, _) => Self::Mean,
            (Aggregate::Count, _) => Self::Count,
            (Aggregate::Nan, _) => Self::Nan,
            (Aggregate::Last, _) | (Aggregate::Best, Some(Goal::None) | None) => Self::Last,
        }
    }

    /// Whether NaN means that there is no value.
    pub(super) const fn is_partial(self) -> bool {
        match self {
            Self::Min | Self::Max | Self::Mean => true,
            Self::Last | Self::Count | Self::Nan => false,
        }
    }
}

/// Where a metric's values are looked for: the name, and whether the derived one is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MetricPlace<'a> {
    /// Logged, else derived.
    Logged(&'a str, Option<&'a str>),
    /// Derived under the second name, else logged under the first.
    Derived(&'a str, &'a str),
}

/// Where a key's metric is looked for.
pub(super) fn metric_place(key: &Key) -> MetricPlace<'_> {
    match unqualified(&key.name) {
        Some(derived) if key.context.is_empty() => MetricPlace::Derived(&key.name, derived),
        Some(_) | None => {
            let derived = key.context.is_empty().then_some(key.name.as_str());
            MetricPlace::Logged(&key.name, derived)
        }
    }
}

/// A dataset of a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct DatasetFacts {
    /// Its name.
    pub name: Option<String>,
    /// Its digest.
    pub digest: Option<String>,
    /// What the run used it for.
    pub context: Option<String>,
}

impl DatasetFacts {
    /// What a field says.
    pub(super) fn field(&self, field: &str) -> Option<&str> {
        match field {
            "name" => self.name.as_deref(),
            "digest" => self.digest.as_deref(),
            "context" => self.context.as_deref(),
            _ => None,
        }
    }
}

/// A value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact<'a> {
    /// A number.
    Number(f64),
    /// Milliseconds since 1970.
    Time(i64),
    /// A text.
    Text(Cow<'a, str>),
}

impl Fact<'_> {
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Self::Number(number) => Value::Number(*number),
            Self::Time(millis) => Value::Time(*millis),
            Self::Text(text) => Value::word(text),
        }
    }

    fn into_owned(self) -> Fact<'static> {
        match self {
            Self::Number(number) => Fact::Number(number),
            Self::Time(millis) => Fact::Time(millis),
            Self::Text(text) => Fact::Text(owned(text)),
        }
    }
}

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

/// What the index keeps of a run: borrowed from its row, or owned ([`RunFacts::into_owned`]).
#[derive(Debug, Clone, PartialEq)]
pub struct RunFacts<'a> {
    /// Its number.
    pub no: RunNo,
    /// Its uid.
    pub uid: RunUid,
    /// Its experiment.
    pub experiment: ExperimentNo,
    /// `run-NNN`.
    pub number: Option<u64>,
    /// Hidden from lists, itself.
    pub archived: bool,
    /// In the bin, itself.
    pub deleted: bool,
    /// Attributes that are its own, sorted.
    pub attributes: Vec<(Attribute, Fact<'a>)>,
    /// Logged metrics by key and context, sorted.
    pub metrics: Vec<((Cow<'a, str>, Cow<'a, str>), Numbers)>,
    /// Derived metrics, sorted.
    pub derived: Vec<(Cow<'a, str>, Numbers)>,
    /// Params, sorted.
    pub params: Vec<(Cow<'a, str>, (Cow<'a, str>, ParamKind))>,
    /// Tags, sorted.
    pub tags: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Datasets.
    pub datasets: Vec<DatasetFacts>,
}

impl<'a> RunFacts<'a> {
    /// Of a run. Datasets are for the caller to add; no row says which ones a run used.
    pub fn of(row: &'a RunRow) -> Self {
        let state = &row.state;
        let mut derived: Vec<(Cow<'_, str>, Numbers)> = state
            .derived_values()
            .into_iter()
            .map(|(name, value)| (Cow::from(name), Numbers::of_one(value)))
            .collect();
        derived.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self {
            no: row.no,
            uid: row.uid,
            experiment: row.experiment,
            number: row.number,
            archived: state.annotations.flag("archived"),
            deleted: state.annotations.flag("deleted"),
            attributes: attributes(row),
            metrics: state
                .records
                .series
                .iter()
                .map(|(key, summary)| {
                    let place = (Cow::from(&key.key), Cow::from(&key.context));
                    (place, Numbers::of(summary))
                })
                .collect(),
            derived,
            params: state
                .params
                .iter()
                .map(|(key, held)| {
                    let param = held.param();
                    (Cow::from(key), (Cow::from(&param.text), param.kind))
                })
                .collect(),
            tags: state
                .annotations
                .tags()
                .map(|(tag, value)| (Cow::from(tag), Cow::from(value)))
                .collect(),
            datasets: Vec::new(),
        }
    }

    /// With nothing borrowed.
    pub fn into_owned(self) -> RunFacts<'static> {
        RunFacts {
            no: self.no,
            uid: self.uid,
            experiment: self.experiment,
            number: self.number,
            archived: self.archived,
            deleted: self.deleted,
            attributes: each(self.attributes, |(key, fact)| (key, fact.into_owned())),
            metrics: each(self.metrics, |((key, context), numbers)| {
                ((owned(key), owned(context)), numbers)
            }),
            derived: each(self.derived, |(key, numbers)| (owned(key), numbers)),
            params: each(self.params, |(key, (text, kind))| {
                (owned(key), (owned(text), kind))
            }),
            tags: each(self.tags, |(key, text)| (owned(key), owned(text))),
            datasets: self.datasets,
        }
    }

    fn metric(&self, name: &str, context: &str) -> Option<&Numbers> {
        let at = self
            .metrics
            .binary_search_by(|((key, of), _)| (&**key, &**of).cmp(&(name, context)));
        Some(&self.metrics[at.ok()?].1)
    }

    fn derived(&self, name: &str) -> Option<&Numbers> {
        found(&self.derived, name)
    }
}

fn each<A, B>(list: Vec<A>, change: impl FnMut(A) -> B) -> Vec<B> {
    list.into_iter().map(change).collect()
}

fn found<'b, T>(list: &'b [(Cow<'_, str>, T)], name: &str) -> Option<&'b T> {
    let at = list.binary_search_by(|(key, _)| (**key).cmp(name)).ok()?;
    Some(&list[at].1)
}

/// The number that a param's text means.
pub(super) fn param_number(text: &str, kind: ParamKind) -> Option<f64> {
    let param = Param {
        text: text.to_owned(),
        kind,
    };
    param.number()
}

/// The attributes that a run keeps itself.
fn attributes(row: &RunRow) -> Vec<(Attribute, Fact<'_>)> {
    let mut found = Vec::with_capacity(16);
    for attribute in Attribute::ALL {
        if let Some(fact) = attribute_of(row, *attribute) {
            found.push((*attribute, fact));
        }
    }
    found
}

fn attribute_of(row: &RunRow, attribute: Attribute) -> Option<Fact<'_>> {
    let state = &row.state;
    let start = state.start();
    let text = |text: &'_ str| Some(Fact::Text(Cow::Owned(text.to_owned())));
    let number = |number: u64| Fact::Number(number as f64);
    match attribute {
        Attribute::Name => state.name().map(borrowed),
        Attribute::Number => row.number.map(number),
        Attribute::Status => Some(borrowed(state.status().word())),
        Attribute::Started => state.started().map(|time| Fact::Time(time.millis())),
        Attribute::Ended => state.ended().map(|time| Fact::Time(time.millis())),
        Attribute::DurationMs => duration_ms(state).map(Fact::Number),
        Attribute::Heartbeat => state.alive.map(|time| Fact::Time(time.millis())),
        Attribute::Progress => progress(state).map(Fact::Number),
        Attribute::Variation => start?.variation.as_deref().map(borrowed),
        Attribute::Trial => start?.trial.map(number),
        Attribute::Attempt => start?.attempt.map(number),
        Attribute::Seed => start?.seed.map(number),
        Attribute::RunKey => start?.run_key.as_deref().map(borrowed),
        Attribute::Source => Some(start?.source.as_str())
            .filter(|it| !it.is_empty())
            .map(borrowed),
        Attribute::Command => {
            let command = &start?.command;
            (!command.is_empty()).then(|| text(&command.join(" ")))?
        }
        Attribute::Actor => state.actor.as_ref().map(|actor| borrowed(&actor.value)),
        Attribute::ErrorKind => state.error().map(|error| borrowed(&error.kind)),
        Attribute::Error => state.error().map(|error| borrowed(&error.message)),
        Attribute::ExitCode => state.exit_code().map(|code| Fact::Number(f64::from(code))),
        Attribute::Notes => {
            let notes = state.annotations.main_note();
            notes
                .or_else(|| state.annotations.text("notes"))
                .map(borrowed)
        }
        Attribute::ArtifactUri => state.annotations.text("artifact_uri").map(borrowed),
        Attribute::Id
        | Attribute::No
        | Attribute::Handle
        | Attribute::Experiment
        | Attribute::ExperimentId
        | Attribute::Project
        | Attribute::Archived
        | Attribute::Deleted => None,
    }
}

fn borrowed(text: &str) -> Fact<'_> {
    Fact::Text(Cow::Borrowed(text))
}

/// From start to end, in milliseconds with fractions.
fn duration_ms(state: &RunState) -> Option<f64> {
    let micros = state.ended()?.0.saturating_sub(state.started()?.0);
    Some(micros as f64 / 1000.0)
}

/// Work done, 0 to 1, where it is known how much there is.
fn progress(state: &RunState) -> Option<f64> {
    let progress = &state.progress.as_ref()?.value;
    let total = progress.total.filter(|total| *total > 0.0)?;
    Some(progress.done / total)
}

/// A run as a filter sees it.
#[derive(Debug, Clone, Copy)]
pub struct RunView<'a> {
    /// The run.
    pub run: &'a RunFacts<'a>,
    /// Its experiment.
    pub experiment: &'a ExperimentFacts,
}

impl RunView<'_> {
    fn attribute(&self, attribute: Attribute) -> Option<Value<'_>> {
        let flag = |flag: bool| Some(Value::word(flag_word(flag)));
        let run = self.run;
        match attribute {
            Attribute::Id => Some(Value::Text(Cow::Owned(run.uid.to_string()), None)),
            Attribute::No => Some(Value::Number(run.no.0 as f64)),
            Attribute::Handle => {
                let handle = self.experiment.run_handle(run.number)?;
                Some(Value::Text(Cow::Owned(handle), None))
            }
            Attribute::Archived => flag(run.archived || self.experiment.archived),
            Attribute::Deleted => flag(run.deleted || self.experiment.deleted),
            Attribute::Experiment | Attribute::ExperimentId | Attribute::Project => {
                self.experiment.value(attribute)
            }
            Attribute::Name
            | Attribute::Number
            | Attribute::Status
            | Attribute::Started
            | Attribute::Ended
            | Attribute::DurationMs
            | Attribute::Heartbeat
            | Attribute::Progress
            | Attribute::Variation
            | Attribute::Trial
            | Attribute::Attempt
            | Attribute::Seed
            | Attribute::RunKey
            | Attribute::Source
            | Attribute::Command
            | Attribute::Actor
            | Attribute::ErrorKind
            | Attribute::Error
            | Attribute::ExitCode
            | Attribute::Notes
            | Attribute::ArtifactUri => {
                let at = run
                    .attributes
                    .binary_search_by_key(&attribute, |(of, _)| *of);
                Some(run.attributes[at.ok()?].1.value())
            }
        }
    }

    fn metric(&self, key: &Key) -> Option<f64> {
        let run = self.run;
        let (name, numbers) = match metric_place(key) {
            MetricPlace::Logged(name, derived) => {
                let logged = run.metric(name, &key.context);
                (name, logged.or_else(|| run.derived(derived?))?)
            }
            MetricPlace::Derived(name, derived) => match run.derived(derived) {
                Some(numbers) => (derived, numbers),
                None => (name, run.metric(name, "")?),
            },
        };
        let goal = self.experiment.goals.get(name).copied();
        numbers.get(Lane::of(key.aggregate, goal))
    }
}

/// The word of a flag.
pub(super) const fn flag_word(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}

impl Row for RunView<'_> {
    fn value(&self, kind: KeyKind, key: &Key) -> Option<Value<'_>> {
        match kind {
            KeyKind::Attribute => self.attribute(Attribute::named(&key.name)?),
            KeyKind::Metric => self.metric(key).map(Value::Number),
            KeyKind::Param => {
                let (text, kind) = found(&self.run.params, &key.name)?;
                Some(Value::Text(Cow::Borrowed(text), param_number(text, *kind)))
            }
            KeyKind::Tag => Some(Value::text(found(&self.run.tags, &key.name)?)),
            KeyKind::Dataset | KeyKind::Bare => None,
        }
    }

    fn datasets(&self, field: &str) -> Vec<Cow<'_, str>> {
        self.run
            .datasets
            .iter()
            .filter_map(|dataset| dataset.field(field).map(Cow::Borrowed))
            .collect()
    }
}
