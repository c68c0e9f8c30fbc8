//! `--format text`: a folder an experiment, to be kept in git.
//!
//! Invariant: one experiment stands in the folder itself, several in folders of their own below it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use trialbook_exchange::{Selection, blobs, layout};
use trialbook_model::id::{ExperimentNo, RunNo};
use trialbook_store::BookView;
use trialbook_store::query::{Query, Shown};
use trialbook_store::reading::Reading as _;

use super::{Args, Written, folder_name};
use crate::book::Open;
use crate::context::Context;
use crate::failure::Failure;

/// Writes the folders.
pub(super) fn write(
    args: &Args,
    cx: &Context,
    (open, view): (&Open, &BookView<'_>),
    wanted: &Selection,
) -> Result<Written> {
    let by_experiment = runs_of(view, wanted)?;
    let mut written = Written {
        file: args.target.display().to_string(),
        ..Written::default()
    };
    let target = cx.here().join(&args.target);
    if target.exists() && !target.is_dir() {
        let path = args.target.display().to_string();
        return Err(Failure::Exists { path }.into());
    }
    let single = by_experiment.len() == 1;
    let mut names = BTreeSet::new();
    for (no, numbers) in by_experiment {
        let Some(row) = view.experiment(no)? else {
            continue;
        };
        let mut folder = target.clone();
        if !single {
            let mut name = folder_name(&row);
            if !names.insert(name.clone()) {
                name = format!("{name}-{no}");
            }
            folder = folder.join(name);
        }
        let runs = view.runs(&numbers)?;
        let what = layout::Experiment {
            row: &row,
            runs: &runs,
        };
        let mut sums = BTreeSet::new();
        layout::write(view, &what, &folder, &mut |record| {
            written.count(record);
            blobs::sums(record, &mut sums);
        })?;
        if args.artifacts {
            let moved = blobs::give(&open.artifacts(), &sums, &folder.join(layout::ARTIFACTS))?;
            written.artifacts += moved.files;
            written.artifacts_missing.extend(moved.missing);
        }
    }
    Ok(written)
}

/// The wanted runs by their experiments, oldest first.
fn runs_of(view: &BookView<'_>, wanted: &Selection) -> Result<BTreeMap<ExperimentNo, Vec<RunNo>>> {
    let all = |no: ExperimentNo| {
        let query = Query {
            experiments: Some(vec![no]),
            shown: Shown::All,
            ..Query::all()
        };
        let mut runs = view.search(&query)?.runs;
        runs.sort();
        Ok::<_, anyhow::Error>(runs)
    };
    let mut found = BTreeMap::new();
    match wanted {
        Selection::All => {
            for row in view.experiments()? {
                let runs = all(row.no)?;
                // Every book has the default experiment, used or not.
                if !(runs.is_empty() && row.no == ExperimentNo(0)) {
                    found.insert(row.no, runs);
                }
            }
        }
        Selection::Some { experiments, runs } => {
            for no in experiments {
                found.insert(*no, all(*no)?);
            }
            let single: Vec<RunNo> = runs.iter().copied().collect();
            for run in view.runs(&single)? {
                let runs = found.entry(run.experiment).or_default();
                if !runs.contains(&run.no) {
                    runs.push(run.no);
                }
            }
        }
    }
    Ok(found)
}
