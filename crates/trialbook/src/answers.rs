//! Questions to experiments, answered and kept: what `analyze` and `report` have in common.
//!
//! Not here: the answers (`trialbook-analysis`). Invariant: an answer that is shown is kept, so that the next one on
//! other data knows that it is another look; where it cannot be kept, that is said.

use anyhow::Result;
use trialbook_analysis::analysis::{self, AnalysisError, Request};
use trialbook_analysis::arms::ArmsError;
use trialbook_analysis::finding::Analysis;
use trialbook_analysis::history;
use trialbook_model::record::{Op, PutArtifact, Subject};
use trialbook_store::BookError;
use trialbook_store::nouns::ExperimentRow;

use crate::book;
use crate::context::Context;
use crate::failure::Failure;
use crate::names::Names;
use crate::titles;

/// An answer and where it is kept among the artifacts of its experiment.
pub(crate) struct Answer {
    pub(crate) analysis: Analysis,
    pub(crate) experiment: ExperimentRow,
}

/// Answers a question to the experiment that a text means, and keeps the answer.
pub(crate) fn ask(cx: &Context, text: &str, request: &Request) -> Result<Answer> {
    let open = book::reading(cx)?;
    let view = open.view()?;
    let experiment = Names::new(&view).experiment(text)?;
    let program = concat!("trialbook ", env!("CARGO_PKG_VERSION"));
    let analysis = analysis::analyse(&view, &experiment, request, program).map_err(told)?;
    if let Err(error) = keep(cx, &experiment, &analysis) {
        cx.printer.warn(&format!(
            "the analysis is not kept, so the next look will not know of it: {error}"
        ));
    }
    Ok(Answer {
        analysis,
        experiment,
    })
}

/// Keeps an answer that is not kept yet.
fn keep(cx: &Context, experiment: &ExperimentRow, analysis: &Analysis) -> Result<()> {
    let bytes = history::bytes(analysis);
    let open = book::changing(cx)?;
    let sum = open.artifacts()?.put(&mut &bytes[..])?;
    if history::kept(experiment, analysis) == Some(sum.sha256.as_str()) {
        return Ok(());
    }
    let mut writer = open.writer(cx)?;
    writer.record(&Op::PutArtifact(PutArtifact {
        subject: Subject::Experiment(titles::experiment_uid(experiment)),
        path: history::path(&analysis.question, &analysis.inputs),
        sha256: Some(sum.sha256),
        size: Some(sum.size),
        uri: None,
        r#type: Some(history::TYPE.to_owned()),
        role: None,
        step: None,
        description: None,
        removed: false,
    }))?;
    writer.finish(cx)
}

fn told(error: AnalysisError<BookError>) -> anyhow::Error {
    let hint = error.hint().unwrap_or_default();
    match error {
        AnalysisError::Reading(source) | AnalysisError::Arms(ArmsError::Reading(source)) => {
            source.into()
        }
        AnalysisError::NoSuchMetric { key, nearest } => Failure::Unknown {
            noun: "metric",
            text: key,
            nearest: nearest.into_iter().collect(),
        }
        .into(),
        other @ (AnalysisError::Arms(_)
        | AnalysisError::NoSuchArm { .. }
        | AnalysisError::NothingPairs
        | AnalysisError::NoPairs { .. }
        | AnalysisError::NotPaired { .. }
        | AnalysisError::Alpha { .. }) => Failure::Usage {
            problem: other.to_string(),
            hint,
        }
        .into(),
    }
}
