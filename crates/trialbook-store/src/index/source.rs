//! Where the values of one key come from in a segment.
//!
//! Not here: judging them ([`super::judge`]) and sorting by them ([`super::order`]).
//! Invariant: [`Source::at`] gives what [`super::RunView`] gives for the same run.

use std::borrow::Cow;
use std::cell::OnceCell;

use trialbook_model::filter::{Aggregate, Attribute, Key, KeyKind, Value, Wanted};
use trialbook_model::id::ExperimentNo;
use trialbook_model::record::Goal;

use super::bits::Bits;
use super::column::{Plain, Presence};
use super::datasets::{DatasetFacts, read_datasets};
use super::dictionary::Words;
use super::experiments::Experiments;
use super::facts::ExperimentFacts;
use super::layout::{Damaged, Kind, Shape};
use super::numbers::{Lane, MetricPlace, metric_place};
use super::run_view::FLAG_WORDS;
use super::segment::Segment;

/// A segment with what a search needs of it at every step.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    segment: &'a Segment,
    /// The number of the run at place 0.
    first: u64,
    /// Places of the segment.
    pub(super) len: usize,
    /// Experiments of the runs here, as codes.
    pub(super) codes: Words<'a>,
    book: &'a Experiments,
    /// Experiments by code, looked up when they are first needed.
    experiments: OnceCell<Vec<&'a ExperimentFacts>>,
}

/// A column of datasets, and the list that each of its entries is.
pub(super) type DatasetLists<'a> = (Words<'a>, Vec<Vec<DatasetFacts>>);

/// Values by place.
#[derive(Debug)]
pub(super) enum Source<'a> {
    /// A column of numbers; `partial` where NaN says that there is none.
    Numbers { column: Plain<'a>, partial: bool },
    /// A column of times.
    Times(Plain<'a>),
    /// A column of texts.
    Words(Words<'a>),
    /// A value for each experiment.
    ByExperiment(Vec<Option<Value<'a>>>),
    /// The run's own flag or its experiment's.
    Flag {
        own: Option<Presence<'a>>,
        by_experiment: Vec<bool>,
    },
    /// The run's number in the book.
    No,
    /// The run's uid.
    Id(Presence<'a>, &'a [[u8; 16]]),
    /// The human handle, made of the number inside the experiment.
    Handle(Option<Plain<'a>>),
    /// The first where it has a column's value, else the second.
    Either(Presence<'a>, Box<Source<'a>>, Box<Source<'a>>),
    /// Which of the lanes counts depends on the experiment.
    Best {
        lanes: Vec<Source<'a>>,
        by_experiment: Vec<usize>,
    },
}

impl<'a> Scene<'a> {
    /// Of a segment that starts at a run's number.
    pub(super) fn new(
        segment: &'a Segment,
        first: u64,
        experiments: &'a Experiments,
    ) -> Result<Self, Damaged> {
        let column = segment.column(Kind::Experiment, "", "")?.ok_or(Damaged)?;
        let codes = Words::open(&column)?;
        Ok(Self {
            segment,
            first,
            len: segment.len()?,
            codes,
            book: experiments,
            experiments: OnceCell::new(),
        })
    }

    /// Experiments by code.
    pub(super) fn experiments(&self) -> &[&'a ExperimentFacts] {
        self.experiments.get_or_init(|| {
            (0..self.codes.len())
                .map(|code| self.book.get(self.experiment_no(code).0))
                .collect()
        })
    }

    /// The number of an experiment, by code.
    pub(super) fn experiment_no(&self, code: usize) -> ExperimentNo {
        ExperimentNo(self.codes.number(code).unwrap_or_default() as u64)
    }

    /// The number of the run at a place.
    pub(super) fn no(&self, place: usize) -> u64 {
        self.first + place as u64
    }

    /// The experiment of the run at a place, as a code.
    pub(super) fn code(&self, place: usize) -> usize {
        self.codes.code(place).unwrap_or_default()
    }

    /// All places that hold a run.
    pub(super) fn exists(&self) -> Bits {
        self.codes.presence.bits()
    }

    /// The place of a run of this segment.
    pub(super) fn place(&self, no: u64) -> usize {
        (no - self.first) as usize
    }

    /// The places whose run's experiment passes, by code.
    pub(super) fn of_codes(&self, passes: &[bool]) -> Bits {
        if passes.iter().all(|passes| *passes) {
            return self.exists();
        }
        self.codes.presence.pick(&self.codes.codes.pick(passes))
    }

    /// The places of runs that carry a flag themselves.
    pub(super) fn flagged(&self, name: &str) -> Result<Option<Presence<'a>>, Damaged> {
        let column = self.segment.column(Kind::Flag, name, "")?;
        column.map(|column| column.presence()).transpose()
    }

    /// Where a key's values are looked for, in this order. Of a kind that nobody here has a value of there
    /// is no source.
    pub(super) fn sources(&self, key: &Key, wanted: Wanted) -> Result<Vec<Source<'a>>, Damaged> {
        let mut sources = Vec::new();
        for kind in key.kinds(wanted) {
            sources.extend(match kind {
                KeyKind::Attribute => match Attribute::named(&key.name) {
                    Some(attribute) => self.attribute(attribute)?,
                    None => None,
                },
                KeyKind::Metric => self.metric(key)?,
                KeyKind::Param => self.words(Kind::Param, &key.name)?,
                KeyKind::Tag => self.words(Kind::Tag, &key.name)?,
                KeyKind::Dataset | KeyKind::Bare => None,
            });
        }
        Ok(sources)
    }

    fn words(&self, kind: Kind, name: &str) -> Result<Option<Source<'a>>, Damaged> {
        let column = self.segment.column(kind, name, "")?;
        column
            .map(|column| Ok(Source::Words(Words::open(&column)?)))
            .transpose()
    }

    fn attribute(&self, attribute: Attribute) -> Result<Option<Source<'a>>, Damaged> {
        Ok(match attribute {
            Attribute::Id => {
                let column = self.segment.column(Kind::Uid, "", "")?.ok_or(Damaged)?;
                let (presence, uids) = column.uids()?;
                Some(Source::Id(presence, uids))
            }
            Attribute::No => Some(Source::No),
            Attribute::Handle => Some(Source::Handle(self.number_column(Attribute::Number)?)),
            Attribute::Experiment | Attribute::ExperimentId | Attribute::Project => {
                let values = self.experiments().iter().map(|of| of.value(attribute));
                Some(Source::ByExperiment(values.collect()))
            }
            Attribute::Archived => Some(self.flag("archived", |of| of.archived)?),
            Attribute::Deleted => Some(self.flag("deleted", |of| of.deleted)?),
            Attribute::Number
            | Attribute::DurationMs
            | Attribute::Progress
            | Attribute::Trial
            | Attribute::Attempt
            | Attribute::Seed
            | Attribute::ExitCode => self
                .number_column(attribute)?
                .map(|column| Source::Numbers {
                    column,
                    partial: false,
                }),
            Attribute::Started | Attribute::Ended | Attribute::Heartbeat => {
                let column = self.segment.column(Kind::Attribute, attribute.name(), "")?;
                let times = column
                    .map(|column| column.plain(Shape::Times))
                    .transpose()?;
                times.map(Source::Times)
            }
            Attribute::Name
            | Attribute::Status
            | Attribute::Variation
            | Attribute::RunKey
            | Attribute::Source
            | Attribute::Command
            | Attribute::Actor
            | Attribute::ErrorKind
            | Attribute::Error
            | Attribute::Notes
            | Attribute::ConfigHash
            | Attribute::Reproduces
            | Attribute::ArtifactUri => self.words(Kind::Attribute, attribute.name())?,
        })
    }

    fn number_column(&self, attribute: Attribute) -> Result<Option<Plain<'a>>, Damaged> {
        let column = self.segment.column(Kind::Attribute, attribute.name(), "")?;
        column
            .map(|column| column.plain(Shape::Numbers))
            .transpose()
    }

    fn flag(
        &self,
        name: &str,
        of_experiment: impl Fn(&ExperimentFacts) -> bool,
    ) -> Result<Source<'a>, Damaged> {
        Ok(Source::Flag {
            own: self.flagged(name)?,
            by_experiment: self
                .experiments()
                .iter()
                .map(|of| of_experiment(of))
                .collect(),
        })
    }

    fn metric(&self, key: &Key) -> Result<Option<Source<'a>>, Damaged> {
        let (first, second) = match metric_place(key) {
            MetricPlace::Logged(name, derived) => (
                self.series(key, Kind::Metric, name)?,
                match derived {
                    Some(derived) => self.series(key, Kind::Derived, derived)?,
                    None => None,
                },
            ),
            MetricPlace::Derived(name, derived) => (
                self.series(key, Kind::Derived, derived)?,
                self.series(key, Kind::Metric, name)?,
            ),
        };
        Ok(match (first, second) {
            (Some((presence, first)), Some((_, second))) => {
                Some(Source::Either(presence, Box::new(first), Box::new(second)))
            }
            (Some((_, only)), None) | (None, Some((_, only))) => Some(only),
            (None, None) => None,
        })
    }

    fn series(
        &self,
        key: &Key,
        kind: Kind,
        name: &str,
    ) -> Result<Option<(Presence<'a>, Source<'a>)>, Damaged> {
        if key.aggregate == Aggregate::Best {
            return self.best(key, kind, name);
        }
        self.lane(key, (kind, name), Lane::of(key.aggregate, Goal::None))
    }

    fn lane(
        &self,
        key: &Key,
        (kind, name): (Kind, &str),
        lane: Lane,
    ) -> Result<Option<(Presence<'a>, Source<'a>)>, Damaged> {
        let column = if lane == Lane::Last {
            self.segment.column(kind, name, &key.context)?
        } else {
            self.segment.series(kind, name, &key.context)?
        };
        let Some(column) = column else {
            return Ok(None);
        };
        let column = column.lane(lane)?;
        let partial = lane.is_partial();
        Ok(Some((column.presence, Source::Numbers { column, partial })))
    }

    /// The lane that each experiment's goal names; one source where all agree.
    fn best(
        &self,
        key: &Key,
        kind: Kind,
        name: &str,
    ) -> Result<Option<(Presence<'a>, Source<'a>)>, Damaged> {
        let goals = [Goal::None, Goal::Min, Goal::Max];
        let by_experiment: Vec<usize> = self
            .experiments()
            .iter()
            .map(|of| match of.goal_of(name) {
                Goal::None => 0,
                Goal::Min => 1,
                Goal::Max => 2,
            })
            .collect();
        let first = by_experiment.first().copied().unwrap_or_default();
        if by_experiment.iter().all(|goal| *goal == first) {
            return self.lane(key, (kind, name), Lane::of(Aggregate::Best, goals[first]));
        }
        let mut lanes = Vec::new();
        let mut presence = None;
        for goal in goals {
            let Some((of, lane)) = self.lane(key, (kind, name), Lane::of(Aggregate::Best, goal))?
            else {
                return Ok(None);
            };
            presence = Some(of);
            lanes.push(lane);
        }
        Ok(presence.map(|presence| {
            (
                presence,
                Source::Best {
                    lanes,
                    by_experiment,
                },
            )
        }))
    }

    /// The datasets of the runs here, as a column whose entries are whole lists.
    pub(super) fn datasets(&self) -> Result<Option<DatasetLists<'a>>, Damaged> {
        let Some(column) = self.segment.column(Kind::Dataset, "", "")? else {
            return Ok(None);
        };
        let words = Words::open(&column)?;
        let lists = (0..words.len())
            .map(|code| read_datasets(words.text(code)))
            .collect();
        Ok(Some((words, lists)))
    }
}

impl<'a> Source<'a> {
    /// The value at a place.
    pub(super) fn at(&self, scene: &Scene<'a>, place: usize) -> Option<Value<'a>> {
        match self {
            Self::Numbers { column, partial } => {
                let number = column.values.number(column.presence.slot(place)?);
                (!partial || !number.is_nan()).then_some(Value::Number(number))
            }
            Self::Times(column) => {
                let slot = column.presence.slot(place)?;
                Some(Value::Time(i64::from_le_bytes(column.values.get(slot))))
            }
            Self::Words(words) => Some(word(words, words.code(place)?)),
            Self::ByExperiment(values) => values[scene.code(place)].clone(),
            Self::Flag { own, by_experiment } => {
                let own = own.as_ref().is_some_and(|own| own.slot(place).is_some());
                Some(Value::word(
                    FLAG_WORDS[usize::from(own || by_experiment[scene.code(place)])],
                ))
            }
            Self::No => Some(Value::Number(scene.no(place) as f64)),
            Self::Id(presence, uids) => {
                let uid = trialbook_model::id::Uid(uids[presence.slot(place)?]);
                Some(Value::Text(Cow::Owned(uid.to_string()), None))
            }
            Self::Handle(numbers) => {
                let numbers = numbers.as_ref()?;
                let number = numbers.values.number(numbers.presence.slot(place)?);
                let experiment = scene.experiments()[scene.code(place)];
                let handle = experiment.run_handle(Some(number as u64))?;
                Some(Value::Text(Cow::Owned(handle), None))
            }
            Self::Either(presence, first, second) => match presence.slot(place) {
                Some(_) => first.at(scene, place),
                None => second.at(scene, place),
            },
            Self::Best {
                lanes,
                by_experiment,
            } => lanes[by_experiment[scene.code(place)]].at(scene, place),
        }
    }
}

/// The value that an entry of a dictionary is.
pub(super) fn word<'a>(words: &Words<'a>, code: usize) -> Value<'a> {
    Value::Text(Cow::Borrowed(words.text(code)), words.number(code))
}
