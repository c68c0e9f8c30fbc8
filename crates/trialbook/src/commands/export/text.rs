//! `--format text`: a folder an experiment, to be kept in git.
//!
//! Invariant: an experiment that is named alone stands in the folder itself, others in folders of their own below
//! it; no folder gets two experiments.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use trialbook_exchange::layout::ChangedConfig;
use trialbook_exchange::{ExportError, Selection, blobs, layout};
use trialbook_model::id::{ExperimentNo, ExperimentUid, RunNo};
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::query::{Query, Shown};
use trialbook_store::reading::Reading as _;

use super::{Args, Written, folder_name};
use crate::book::{Open, View};
use crate::context::Context;
use crate::failure::Failure;
use crate::titles;

/// Writes the folders.
pub(super) fn write(
    args: &Args,
    cx: &Context,
    (open, view): (&Open, &View<'_>),
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
    let changed_config = if args.force {
        ChangedConfig::Replace
    } else {
        ChangedConfig::Refuse
    };
    let mut rows = Vec::new();
    for (no, numbers) in by_experiment {
        if let Some(row) = view.experiment(no)? {
            rows.push((row, numbers));
        }
    }
    let folders = folders(&rows, (&target, wanted), cx)?;
    for ((row, numbers), folder) in rows.iter().zip(folders) {
        let runs = view.runs(numbers)?;
        let what = layout::Experiment {
            row,
            runs: &runs,
            changed_config,
        };
        let mut sums = BTreeSet::new();
        let manifest = layout::write(view, &what, &folder, &mut |record| {
            written.count(record);
            blobs::sums(record, &mut sums);
        })?;
        written.elsewhere.extend(manifest);
        if args.artifacts {
            let moved = blobs::give(
                &open.artifacts_with(&sums)?,
                &sums,
                &folder.join(layout::ARTIFACTS),
            )?;
            written.artifacts += moved.files;
            written.artifacts_missing.extend(moved.missing);
        }
    }
    Ok(written)
}

/// The folder of each experiment: one that is named alone stands in the target itself. Of others that which holds
/// it already, else one of its own name.
fn folders(
    rows: &[(ExperimentRow, Vec<RunNo>)],
    (target, wanted): (&Path, &Selection),
    cx: &Context,
) -> Result<Vec<PathBuf>> {
    let held = layout::experiment_in(target)?;
    let is_alone = match wanted {
        Selection::Some { .. } => rows.len() == 1,
        // The next experiment of the book goes beside this one.
        Selection::All => held.is_some() && rows.len() == 1,
    };
    if is_alone {
        return Ok(vec![target.to_owned()]);
    }
    if let (Some(there), Some((row, _))) = (held, rows.first()) {
        return Err(ExportError::OtherExperiment {
            folder: target.to_owned(),
            there,
            wanted: titles::experiment_uid(row),
        }
        .into());
    }
    let below = below(target)?;
    let mut taken: BTreeSet<String> = below.values().cloned().collect();
    let mut folders = Vec::new();
    for (row, _) in rows {
        let own = row.state.uids.iter().find_map(|uid| below.get(uid));
        let name = own.cloned().unwrap_or_else(|| {
            let plain = folder_name(row);
            let numbered = (2_u64..).map(|number| format!("{plain}-{number}"));
            let mut names = std::iter::once(plain.clone()).chain(numbered);
            let name = names.find(|name| !taken.contains(name));
            let name = name.expect("numbers do not end before folders");
            if name != plain {
                let title = titles::experiment(row);
                cx.printer.note(format!(
                    "{title} goes to `{name}`: `{plain}` is another experiment's"
                ));
            }
            name
        });
        taken.insert(name.clone());
        folders.push(target.join(name));
    }
    Ok(folders)
}

/// The folders below that hold an experiment.
fn below(target: &Path) -> Result<BTreeMap<ExperimentUid, String>> {
    let mut below = BTreeMap::new();
    let entries = match fs::read_dir(target) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(below),
        entries => entries.with_context(|| format!("cannot read `{}`", target.display()))?,
    };
    for entry in entries {
        let entry = entry?;
        if let Some(uid) = layout::experiment_in(&entry.path())? {
            below.insert(uid, entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(below)
}

/// The wanted runs by their experiments, oldest first.
pub(super) fn runs_of(
    view: &View<'_>,
    wanted: &Selection,
) -> Result<BTreeMap<ExperimentNo, Vec<RunNo>>> {
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
