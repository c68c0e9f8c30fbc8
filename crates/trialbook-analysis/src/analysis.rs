//! An experiment analysed: what each arm amounts to, which differences can be told from chance.
//!
//! Each arm is held against the baseline; the p-values of all that is asked together are adjusted together. Not here:
//! words; keeping what was found ([`crate::history`]). Invariant: the same question on the same data gives the same
//! finding to the last byte, in whatever order the runs were recorded.

mod collecting;
mod contrasts;
mod doubts;
pub(crate) mod effects;
pub(crate) mod family;
pub(crate) mod rates;
pub(crate) mod resampled;
mod samples;

use serde_json::json;
use trialbook_model::canonical;
use trialbook_model::filter::Key;
use trialbook_stats::Level;
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::reading::Reading;

use crate::arms::{self, ArmsError};
use crate::baseline::{self, Place};
use crate::finding::{Analysis, Baseline, Because, Division, Question, Test};
use crate::history;
use crate::measure::Agg;
use crate::variations::VariationTable;
use collecting::Collected;

/// What is asked of an experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The metrics; empty for those that the experiment expects, else all logged ones.
    pub metrics: Vec<String>,
    /// The keys that make the arms.
    pub by: Vec<Key>,
    /// The key whose equal values make pairs.
    pub pair_by: Option<Key>,
    /// The test.
    pub test: Test,
    /// How p-values are adjusted; `None` for not at all.
    pub correction: Option<trialbook_stats::Correction>,
    /// Which number of a series is a run's value.
    pub agg: Agg,
    /// The share of wrong alarms that is put up with.
    pub alpha: f64,
    /// The arm that the others are compared with.
    pub baseline: Option<String>,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            metrics: Vec::new(),
            by: Vec::new(),
            pair_by: None,
            test: Test::Auto,
            correction: Some(trialbook_stats::Correction::Holm),
            agg: Agg::Last,
            alpha: 0.05,
            baseline: None,
        }
    }
}

/// Why a question cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError<E: std::error::Error + 'static> {
    /// The runs cannot be divided into arms.
    #[error(transparent)]
    Arms(#[from] ArmsError<E>),
    /// No run has the metric.
    #[error("no run of the experiment has the metric `{key}`")]
    NoSuchMetric {
        /// The metric.
        key: String,
        /// One that resembles it.
        nearest: Option<String>,
    },
    /// The baseline that was asked for is none of the arms.
    #[error("the experiment has no arm `{name}`")]
    NoSuchArm {
        /// The name.
        name: String,
        /// The arms.
        arms: Vec<String>,
    },
    /// A paired test was asked for and nothing makes pairs.
    #[error("nothing makes pairs of these runs")]
    NothingPairs,
    /// No run has the key that is to make pairs.
    #[error("no run of the experiment has `{key}`, which is to make pairs")]
    NoPairs {
        /// The key.
        key: String,
    },
    /// Pairs were asked for together with a test that takes none.
    #[error("`{}` takes no pairs", .test.word())]
    NotPaired {
        /// The test.
        test: Test,
    },
    /// Alpha is no share.
    #[error("alpha is `{alpha}`, which is not between 0 and 1")]
    Alpha {
        /// As given.
        alpha: f64,
    },
    /// The book cannot be read.
    #[error(transparent)]
    Reading(E),
}

impl<E: std::error::Error> AnalysisError<E> {
    /// What to do.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Arms(error) => return error.hint().map(str::to_owned),
            Self::NoSuchMetric { nearest, .. } => match nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "`trialbook show RUN` lists the metrics of a run".to_owned(),
            },
            Self::NoSuchArm { arms, .. } => format!("its arms are `{}`", arms.join("`, `")),
            Self::NothingPairs | Self::NoPairs { .. } => {
                "name what the runs of a pair have in common: `--pair-by KEY`, such as `seed`"
                    .to_owned()
            }
            Self::NotPaired { .. } => {
                "with --pair-by the test is `paired` or `wilcoxon`".to_owned()
            }
            Self::Alpha { .. } => "the usual one is `--alpha 0.05`".to_owned(),
            Self::Reading(_) => return None,
        })
    }
}

/// Analyses an experiment. `program` names who computed it.
///
/// # Errors
/// Where the question does not fit the experiment, or the reading fails.
pub fn analyse<R: Reading>(
    reading: &R,
    experiment: &ExperimentRow,
    request: &Request,
    program: &str,
) -> Result<Analysis, AnalysisError<R::Error>> {
    let alpha = request.alpha;
    let level = Level::new(1.0 - alpha)
        .ok()
        .ok_or(AnalysisError::Alpha { alpha })?;
    let collected = Collected::of(reading, experiment, request, level)?;
    let baseline = baseline(reading, &collected, experiment, request)?;
    let against = baseline.as_ref().map(|(_, baseline)| baseline.arm.as_str());
    let question = question(experiment, request, (&collected, against));
    let past = history::past(experiment, &question, &collected.inputs);
    let mut metrics = samples::metrics(&collected, request);
    if let Some(at) = baseline.as_ref().map(|(at, _)| *at) {
        contrasts::add(&mut metrics, &collected, request, at);
    }
    let family = family::adjust_all(&mut metrics, request);
    let has_criteria = collected
        .config
        .as_ref()
        .is_some_and(|config| !config.success_criteria.is_empty());
    let criteria = if has_criteria && collected.arms.division == arms::Division::Variations {
        let table = VariationTable::of(reading, experiment).map_err(AnalysisError::Reading)?;
        table.verdict
    } else {
        None
    };
    let success = baseline
        .as_ref()
        .and_then(|(at, _)| samples::success(&collected, *at, request));
    let found = (&metrics[..], success.as_ref());
    let warnings = doubts::warnings(reading, &collected, found, (past, request))
        .map_err(AnalysisError::Reading)?;
    Ok(Analysis {
        program: program.to_owned(),
        question,
        experiment: title(experiment),
        look: past.look,
        question_no: past.question,
        division: division(&collected.arms.division),
        arms: samples::arms(&collected),
        success,
        baseline: baseline.map(|(_, baseline)| baseline),
        varies_over: collected.varies_over(),
        level: level.share(),
        metrics,
        not_looked_at: collected.not_looked_at,
        inputs: collected.inputs,
        family,
        criteria,
        warnings,
    })
}

/// The question with everything that was left to choose chosen, so that the same tests are the same question however
/// they were asked for, and other tests another one.
fn question(
    experiment: &ExperimentRow,
    request: &Request,
    (collected, baseline): (&Collected, Option<&str>),
) -> Question {
    let uids = &experiment.state.uids;
    let arms = collected.arms.arms.iter().map(|arm| arm.name.clone());
    let mut metrics: Vec<String> = collected.measures.iter().map(|it| it.key.clone()).collect();
    metrics.sort_unstable();
    let pairing = collected.pairing.as_ref();
    Question {
        experiment: uids.first().map(ToString::to_string).unwrap_or_default(),
        metrics,
        arms: arms.collect(),
        pair_by: pairing.map(|it| it.key.clone()).unwrap_or_default(),
        test: collected.test(request),
        correction: request.correction.map_or("none", |it| it.word()).to_owned(),
        agg: request.agg,
        alpha: request.alpha,
        baseline: baseline.unwrap_or_default().to_owned(),
    }
}

impl Question {
    /// What tells questions apart: 64 hex digits.
    pub fn hash(&self) -> String {
        canonical::hash(&json!(self))
    }
}

fn title(experiment: &ExperimentRow) -> String {
    let name = experiment.state.name().unwrap_or("unnamed");
    match experiment.state.handle() {
        Some(handle) => format!("{handle}: {name}"),
        None => name.to_owned(),
    }
}

fn division(division: &arms::Division) -> Division {
    match division {
        arms::Division::Variations => Division::Variations,
        arms::Division::Asked(keys) => Division::Keys { keys: keys.clone() },
        arms::Division::OnlyParam(key) => Division::OnlyParam { key: key.clone() },
        arms::Division::Whole => Division::Whole,
    }
}

/// The arm that the others are compared with: the one asked for, else a marked one, else the first.
fn baseline<R: Reading>(
    reading: &R,
    collected: &Collected,
    experiment: &ExperimentRow,
    request: &Request,
) -> Result<Option<(usize, Baseline)>, AnalysisError<R::Error>> {
    let arms = &collected.arms.arms;
    let asked = request.baseline.as_deref();
    let places: Vec<Place<'_>> = arms
        .iter()
        .map(|arm| Place {
            title: &arm.name,
            arm: Some(&arm.name),
            experiment: experiment.no,
            runs: &arm.runs,
        })
        .collect();
    let chosen =
        baseline::choose(reading, &[experiment], &places, asked).map_err(AnalysisError::Reading)?;
    if let (Some(name), None) = (asked, &chosen) {
        return Err(AnalysisError::NoSuchArm {
            name: name.to_owned(),
            arms: arms.iter().map(|arm| arm.name.clone()).collect(),
        });
    }
    if asked.is_none() && arms.len() < 2 {
        return Ok(None);
    }
    let (at, because) = chosen.map_or((0, Because::First), |it| (it.at, it.because));
    let arm = arms[at].name.clone();
    Ok(Some((at, Baseline { arm, because })))
}

#[cfg(test)]
mod tests;
