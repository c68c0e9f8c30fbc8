//! `trialbook compare A B --items`: judged answers, item by item.
//!
//! Not here: matching and testing. Invariant: the first one named is the baseline.

use std::process::ExitCode;

use anyhow::Result;
use trialbook_analysis::items::{self, ItemsError, Request, Side};
use trialbook_model::status::RunStatus;
use trialbook_store::query::Query;
use trialbook_store::reading::Reading;

use super::{Args, SCHEMA};
use crate::context::Context;
use crate::failure::Failure;
use crate::names::{Found, Names};
use crate::target::attribute_is;
use crate::{pages, titles};

/// Compares two.
pub(super) fn run<V: Reading>(
    view: &V,
    texts: &[&str],
    args: &Args,
    cx: &Context,
) -> Result<ExitCode> {
    let [first, second] = texts else {
        return Err(Failure::Usage {
            problem: format!("--items compares two, and {} are named", texts.len()),
            hint: "name two runs or two experiments".to_owned(),
        }
        .into());
    };
    let (mut first, mut second) = (side(view, first)?, side(view, second)?);
    if first.title == second.title {
        first.title.push_str(" (first)");
        second.title.push_str(" (second)");
    }
    let request = Request {
        score: args.score.clone(),
        cluster: args.cluster.clone(),
        alpha: args.alpha,
    };
    let compared = items::compare(view, [&first, &second], &request).map_err(told)?;
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &compared)?;
    } else {
        pages::print(&trialbook_report::items::page(&compared), &cx.printer);
    }
    Ok(ExitCode::SUCCESS)
}

fn told<E: std::error::Error + Send + Sync + 'static>(error: ItemsError<E>) -> anyhow::Error {
    let hint = error.hint().unwrap_or_default();
    match error {
        ItemsError::Reading(source) => source.into(),
        other @ (ItemsError::NoSuchLabel { .. } | ItemsError::Alpha { .. }) => Failure::Usage {
            problem: other.to_string(),
            hint,
        }
        .into(),
    }
}

/// A run, or the completed runs of an experiment.
fn side<V: Reading>(view: &V, text: &str) -> Result<Side> {
    let side = match Names::new(view).any(text)? {
        Found::Run(run) => {
            let experiment = view.experiment(run.experiment)?;
            let title = match run.state.name() {
                Some(name) => name.to_owned(),
                None => titles::run(&run, experiment.as_ref()),
            };
            Side {
                title,
                runs: vec![*run],
            }
        }
        Found::Experiment(row) => {
            let hits = view.search(&Query {
                filter: attribute_is("status", RunStatus::Completed.word()),
                experiments: Some(vec![row.no]),
                ..Query::all()
            })?;
            Side {
                title: titles::experiment(&row),
                runs: view.runs(&hits.runs)?,
            }
        }
    };
    if side
        .runs
        .iter()
        .all(|run| run.state.records.counts.items == 0)
    {
        return Err(Failure::Usage {
            problem: format!("`{text}` has no judged items"),
            hint: "`trialbook log item ID --score correct=true` records one".to_owned(),
        }
        .into());
    }
    Ok(side)
}
