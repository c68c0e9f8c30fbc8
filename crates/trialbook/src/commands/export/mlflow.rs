//! `--format mlflow`: a folder `mlruns` that MLflow reads.
//!
//! Invariant: the folder has its name when all of it is written; nothing that is there is replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context as _, Result};
use trialbook_exchange::Selection;
use trialbook_exchange::mlflow::{self, Given, Told};
use trialbook_model::id::{ExperimentNo, RunNo};
use trialbook_model::record::EntryKind;
use trialbook_model::state::Records;
use trialbook_store::nouns::Owner;
use trialbook_store::query::Entries;
use trialbook_store::reading::Reading as _;

use super::text::runs_of;
use super::{Args, Written};
use crate::book::{Open, View};
use crate::context::Context;
use crate::failure::Failure;
use crate::figures::grouped;

/// Writes the folder.
pub(super) fn write(
    args: &Args,
    cx: &Context,
    (open, view): (&Open, &View<'_>),
    wanted: &Selection,
) -> Result<Written> {
    let target = cx.here().join(&args.target);
    if fs::read_dir(&target).is_ok_and(|mut entries| entries.next().is_some()) || target.is_file() {
        return Err(Failure::Usage {
            problem: format!("`{}` is there already", args.target.display()),
            hint: "name a folder that is not there: nothing is mixed with what MLflow keeps"
                .to_owned(),
        }
        .into());
    }
    let name = target.file_name().unwrap_or_default().to_os_string();
    let mut draft = name.clone();
    draft.push(format!(".{}.tmp", std::process::id()));
    let draft = target.with_file_name(draft);
    let wanted = runs_of(view, wanted)?;
    let sums = if args.artifacts {
        sums_of(view, &wanted)?
    } else {
        BTreeSet::new()
    };
    let artifacts = open.artifacts_with(&sums)?;
    let given = Given {
        view,
        artifacts: args.artifacts.then_some(&artifacts),
        wanted: &wanted,
    };
    let told = match mlflow::give(&given, &draft, &target) {
        Ok(told) => told,
        Err(error) => {
            fs::remove_dir_all(&draft).ok();
            return Err(error.into());
        }
    };
    fs::remove_dir(&target).ok();
    fs::rename(&draft, &target)
        .with_context(|| format!("cannot write `{}`", args.target.display()))?;
    Ok(tell(args, cx, told))
}

/// The sums of the files of runs and of their models.
fn sums_of(
    view: &View<'_>,
    wanted: &BTreeMap<ExperimentNo, Vec<RunNo>>,
) -> Result<BTreeSet<String>> {
    let mut sums = BTreeSet::new();
    let mut add = |records: &Records| {
        sums.extend(
            records
                .artifacts()
                .filter_map(|held| held.value.sha256.clone()),
        );
    };
    for (no, runs) in wanted {
        for run in view.runs(runs)? {
            add(&run.state.records);
        }
        let models = Entries::Of(EntryKind::LoggedModel, Owner::Experiment(*no));
        for model in view.entries(&models)? {
            add(&model.state.records);
        }
    }
    Ok(sums)
}

/// Says what MLflow's folder has no place for.
fn tell(args: &Args, cx: &Context, told: Told) -> Written {
    for note in &told.notes {
        cx.printer.note(note.as_str());
    }
    for (what, count) in &told.left_out {
        cx.printer
            .warn(&format!("left out: {what} ({})", grouped(*count)));
    }
    Written {
        file: args.target.display().to_string(),
        experiments: told.experiments,
        runs: told.runs,
        points: told.points,
        artifacts: told.artifacts,
        artifacts_missing: told.missing,
        ..Written::default()
    }
}
