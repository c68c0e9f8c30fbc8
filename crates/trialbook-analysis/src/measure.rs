//! Which number of a run counts for a metric: the aggregate of its series, its unit, its goal.
//!
//! Not here: what the numbers of several runs amount to. Invariant: a value that a run does not have is
//! `None`; what was assumed of a metric says why.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use trialbook_model::derived;
use trialbook_model::filter::{Expr, Key};
use trialbook_model::goal::{self, Definition, Definitions, Origin};
use trialbook_model::id::ExperimentNo;
use trialbook_model::record::{Goal, SeriesKey};
use trialbook_model::system;
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::query::Query;
use trialbook_store::reading::Reading;

/// Words in a name that say that more is better.
const MORE_WORDS: [&str; 16] = [
    "accuracy",
    "acc",
    "auc",
    "bleu",
    "coverage",
    "f1",
    "gain",
    "pass",
    "precision",
    "quality",
    "recall",
    "reward",
    "rouge",
    "score",
    "success",
    "throughput",
];

/// Which number of a series is the value of a run.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Agg {
    /// The last value: the greatest by (step, time, value).
    #[default]
    Last,
    /// The smallest or greatest finite value, as the goal says; the last one without a goal.
    Best,
    /// The mean of the finite values.
    Mean,
    /// The smallest finite value.
    Min,
    /// The greatest finite value.
    Max,
}

impl Agg {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Last, Self::Best, Self::Mean, Self::Min, Self::Max];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::Best => "best",
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Max => "max",
        }
    }

    /// The aggregate of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|agg| agg.word() == word)
    }
}

/// A metric that is looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// Its key.
    pub key: String,
    /// Its unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Whether the unit follows from the name alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unit_assumed: bool,
    /// Which direction is better.
    pub goal: Goal,
    /// Why the goal is assumed; `None` where it is defined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal_assumed: Option<String>,
}

impl Measure {
    /// A metric with what is known of it; the nearest definition comes first.
    pub fn of(key: &str, definitions: &[&Definitions]) -> Self {
        let said = definitions.iter().filter_map(|metrics| metrics.get(key));
        let mut known: Vec<Definition> = said.cloned().collect();
        known.extend(derived::rule_of(key).map(derived::Rule::definition));
        let resolved = goal::resolve(key, &known);
        let unit_assumed = matches!(resolved.unit, Some((_, Origin::Assumed(_))));
        Self {
            key: key.to_owned(),
            unit: resolved.unit.map(|(unit, _)| unit),
            unit_assumed,
            goal: resolved.goal,
            goal_assumed: match resolved.goal_origin {
                Origin::Defined => None,
                Origin::Assumed(because) => Some(because.to_string()),
            },
        }
    }

    /// Whether anything says which direction is better: a definition, a success criterion, or a word in the name. T-5's
    /// rule takes more for better where the name holds no word at all; that is a guess, and nothing to name a better
    /// one by, unless the metric was asked for.
    pub fn is_directed(&self) -> bool {
        let lower = self.key.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        self.goal_assumed.is_none() || self.goal == Goal::Min || says(&MORE_WORDS)
    }

    /// The value of a run; NaN and infinities are values.
    pub fn value(&self, run: &RunRow, agg: Agg) -> Option<f64> {
        let Some(summary) = run.state.records.series.get(&SeriesKey::plain(&self.key)) else {
            // A derived metric has one value.
            return run.state.metric(&self.key);
        };
        match (agg, self.goal) {
            (Agg::Last, _) | (Agg::Best, Goal::None) => Some(summary.last.value),
            (Agg::Min, _) | (Agg::Best, Goal::Min) => summary.min(),
            (Agg::Max, _) | (Agg::Best, Goal::Max) => summary.max(),
            (Agg::Mean, _) => summary.mean(),
        }
    }

    /// Whether the first value is better than the second.
    pub fn is_better(&self, one: f64, other: f64) -> bool {
        match self.goal {
            Goal::Max => one > other,
            Goal::Min => one < other,
            Goal::None => false,
        }
    }
}

/// The metrics that runs logged themselves, without a context, by name. What their processes used is measured by
/// the wrapper and is none of them.
pub fn logged_keys<'a>(runs: impl IntoIterator<Item = &'a RunRow>) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for run in runs {
        for series in run.state.records.series.keys() {
            let is_own = series.context.is_empty() && !system::is_system(&series.key);
            if is_own && !keys.contains(&series.key) {
                keys.insert(series.key.clone());
            }
        }
    }
    keys
}

/// The metrics of the processes of runs, by name.
pub fn system_keys<'a>(runs: impl IntoIterator<Item = &'a RunRow>) -> BTreeSet<String> {
    let series = runs
        .into_iter()
        .flat_map(|run| run.state.records.series.keys());
    let own = series.filter(|series| series.context.is_empty() && system::is_system(&series.key));
    own.map(|series| series.key.clone()).collect()
}

/// The metrics that follow from what runs recorded, by name.
pub fn derived_keys<'a>(runs: impl IntoIterator<Item = &'a RunRow>) -> BTreeSet<String> {
    let values = runs.into_iter().flat_map(|run| run.state.derived_values());
    values.map(|(key, _)| key).collect()
}

/// The metrics that follow from what runs recorded and tell each thing once, by name, and the others: counts beside
/// their shares, sums beside their means, parts beside the whole. Asked about together all of them would be one
/// question many times, and the correction for many tests would pay for each.
pub fn measured_once(runs: &[&RunRow]) -> (BTreeSet<String>, BTreeSet<String>) {
    let all = derived_keys(runs.iter().copied());
    let names = all.iter().map(String::as_str).collect();
    let (mut once, mut again) = derived::measured_once(&names);
    if once.contains(ACCURACY) && runs.iter().all(|run| is_score_of_right(run)) {
        again.extend(once.take(SCORE));
    }
    let owned = |names: BTreeSet<&str>| names.into_iter().map(str::to_owned).collect();
    (owned(once), owned(again))
}

const ACCURACY: &str = "accuracy_rate";
const SCORE: &str = "avg_score";

/// Whether the mean score of a run is nothing but the share of right answers, of all or of those that did not fail.
fn is_score_of_right(run: &RunRow) -> bool {
    /// Means of sums in floating point are no more equal than this.
    const NEAR: f64 = 1e-9;
    let of = |key: &str| run.state.metric(&format!("derived.{key}"));
    let (Some(score), Some(accuracy)) = (of(SCORE), of(ACCURACY)) else {
        return true;
    };
    let number = |key: &str| of(key).unwrap_or_default();
    let scored = number("total_questions") - number("unjudged_questions") - number("failure_count");
    (score - accuracy).abs() < NEAR
        || (score * scored - number("correct_answers")).abs() < NEAR * scored
}

/// What is said about metrics for an experiment: by itself, then by its project.
pub fn definitions<R: Reading>(
    reading: &R,
    experiment: &ExperimentRow,
) -> Result<[Definitions; 2], R::Error> {
    let project = reading.project(experiment.state.project())?;
    Ok([experiment.state.definitions(), project.definitions()])
}

/// A metric by which runs of several experiments are ranked: what those of them say that say anything, where they agree,
/// else what its name says. Where no experiment is named, those of the newest runs that have the metric are asked.
pub fn over_experiments<R: Reading>(
    reading: &R,
    key: &Key,
    named: &[ExperimentRow],
) -> Result<Measure, R::Error> {
    let newest = if named.is_empty() {
        of_newest(reading, key)?
    } else {
        Vec::new()
    };
    let mut said: Vec<Measure> = Vec::new();
    for row in named.iter().chain(&newest) {
        let known = definitions(reading, row)?;
        let known: Vec<&Definitions> = known.iter().collect();
        let measure = Measure::of(&key.name, &known);
        if measure.goal_assumed.is_none() {
            said.push(measure);
        }
    }
    Ok(match said.pop() {
        Some(measure) if said.iter().all(|other| other.goal == measure.goal) => measure,
        Some(_) | None => Measure::of(&key.name, &[]),
    })
}

fn of_newest<R: Reading>(reading: &R, key: &Key) -> Result<Vec<ExperimentRow>, R::Error> {
    /// So many runs are looked at.
    const NEWEST: usize = 100;
    let hits = reading.search(&Query {
        filter: Expr::IsNull {
            key: key.clone(),
            negated: true,
        },
        limit: NEWEST,
        ..Query::all()
    })?;
    let runs = reading.runs(&hits.runs)?;
    let numbers: BTreeSet<ExperimentNo> = runs.iter().map(|run| run.experiment).collect();
    let rows = numbers.into_iter().map(|no| reading.experiment(no));
    rows.filter_map(Result::transpose).collect()
}

#[cfg(test)]
mod tests {
    use trialbook_model::id::{ExperimentNo, RunNo, RunUid};
    use trialbook_model::state::{Point, RunState};
    use trialbook_model::time::Timestamp;

    use super::*;

    fn run(values: &[f64]) -> RunRow {
        let mut state = RunState::default();
        for (step, value) in values.iter().enumerate() {
            let point = Point {
                step: step as i64,
                time: Timestamp(0),
                value: *value,
            };
            state.records.add_point(&SeriesKey::plain("loss"), point);
        }
        RunRow {
            no: RunNo(1),
            uid: RunUid::default(),
            experiment: ExperimentNo(0),
            number: None,
            state,
        }
    }

    #[test]
    fn the_aggregate_says_which_value_counts() {
        let run = run(&[3.0, 1.0, f64::NAN, 2.0]);
        let loss = Measure::of("loss", &[]);
        let check = |agg, value| assert_eq!(loss.value(&run, agg), Some(value), "{agg:?}");
        check(Agg::Last, 2.0);
        check(Agg::Best, 1.0);
        check(Agg::Min, 1.0);
        check(Agg::Max, 3.0);
        check(Agg::Mean, 2.0);
        assert_eq!(Measure::of("gain", &[]).value(&run, Agg::Last), None);
        for agg in Agg::ALL {
            assert_eq!(Agg::parse(agg.word()), Some(agg));
        }
    }

    #[test]
    fn a_run_of_nan_has_a_last_value_and_no_best_one() {
        let run = run(&[f64::NAN]);
        let loss = Measure::of("loss", &[]);
        assert!(loss.value(&run, Agg::Last).is_some_and(f64::is_nan));
        assert_eq!(loss.value(&run, Agg::Best), None);
    }

    #[test]
    fn a_name_without_a_word_gives_no_direction() {
        let directed = |key| Measure::of(key, &[]).is_directed();
        for key in ["val_loss", "val_f1", "Accuracy", "step_ms", "failure_count"] {
            assert!(directed(key), "{key}");
        }
        assert!(!directed("message_count") && !directed("temperature"));
    }

    fn said(goal: Goal) -> Definitions {
        let definition = Definition {
            unit: None,
            goal: Some(goal),
        };
        [("ms".to_owned(), definition)].into()
    }

    #[test]
    fn what_is_said_gives_a_direction_that_the_name_has_not() {
        assert!(!Measure::of("ms", &[]).is_directed());
        let (less, more) = (said(Goal::Min), said(Goal::Max));
        let ms = Measure::of("ms", &[&less, &more]);
        assert_eq!((ms.goal, ms.goal_assumed.as_deref()), (Goal::Min, None));
        assert!(ms.is_directed() && ms.is_better(1.0, 2.0));
    }

    #[test]
    fn what_was_assumed_says_so() {
        let loss = Measure::of("step_ms", &[]);
        assert_eq!((loss.goal, loss.unit.as_deref()), (Goal::Min, Some("ms")));
        assert!(loss.unit_assumed && loss.goal_assumed.is_some());
        let derived = Measure::of("accuracy_rate", &[]);
        assert_eq!((derived.goal, derived.goal_assumed), (Goal::Max, None));
    }
}
