//! Which folder below `runs` a run goes to.
//!
//! Several people write into one folder, and their books number their runs each for itself. Not here: what stands
//! in the folders. Invariant: a folder that holds another run, or something that cannot be read, is nobody else's;
//! a run that has a folder stays in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use trialbook_model::handle::run_label;
use trialbook_model::id::RunUid;
use trialbook_model::record::Subject;
use trialbook_store::nouns::RunRow;

use super::{METRICS, RECORDS, RUNS, SUMMARY};
use crate::error::ExportError;
use crate::record::Record;

/// The folders of some runs.
pub(super) struct Names {
    by_run: BTreeMap<RunUid, String>,
}

impl Names {
    /// The folder that holds a run already, else that of its number, else the next number that is free.
    pub(super) fn of(runs: &[RunRow], folder: &Path) -> Result<Self, ExportError> {
        let below = folder.join(RUNS);
        let there = there(&below).map_err(|source| ExportError::Write {
            path: below.clone(),
            source,
        })?;
        let mut taken: BTreeSet<String> = there.keys().cloned().collect();
        let held = there
            .into_iter()
            .filter_map(|(name, uid)| Some((uid?, name)));
        let held: BTreeMap<RunUid, String> = held.collect();
        let mut by_run = BTreeMap::new();
        let mut late = Vec::new();
        for run in runs {
            let own = match run.number {
                Some(number) => run_label(number),
                None => run.uid.to_string(),
            };
            if let Some(name) = held.get(&run.uid) {
                by_run.insert(run.uid, name.clone());
            } else if taken.insert(own.clone()) {
                by_run.insert(run.uid, own);
            } else {
                late.push(run);
            }
        }
        // Only now is it known which numbers the others have.
        for run in late {
            let numbers = run.number.unwrap_or_default().saturating_add(1)..;
            let name = numbers
                .map(run_label)
                .find(|name| !taken.contains(name))
                .expect("numbers do not end before folders");
            taken.insert(name.clone());
            by_run.insert(run.uid, name);
        }
        Ok(Self { by_run })
    }

    /// The folder of one of the runs.
    pub(super) fn name(&self, run: &RunRow) -> &str {
        let name = self.by_run.get(&run.uid);
        name.expect("each of the runs got a name")
    }
}

/// The folders that hold something, and the runs that they hold, where that can be read.
fn there(below: &Path) -> io::Result<BTreeMap<String, Option<RunUid>>> {
    let entries = match fs::read_dir(below) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        entries => entries?,
    };
    let mut there = BTreeMap::new();
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        // What a writing left that was broken off may be written again.
        let is_used = [RECORDS, METRICS, SUMMARY]
            .iter()
            .any(|file| path.join(file).exists());
        if is_used || !path.is_dir() {
            let name = entry.file_name().to_string_lossy().into_owned();
            there.insert(name, run_of(&path.join(RECORDS)));
        }
    }
    Ok(there)
}

/// The run that the first record speaks of.
fn run_of(records: &Path) -> Option<RunUid> {
    let mut first = Vec::new();
    let mut from = BufReader::new(File::open(records).ok()?);
    from.read_until(b'\n', &mut first).ok()?;
    match Record::from_json(first.trim_ascii()).ok()? {
        Record::Said(said) => match said.op.subject()? {
            Subject::Run(uid) => Some(uid),
            Subject::Experiment(_) | Subject::Project(_) | Subject::Entry(_) => None,
        },
        Record::Points(_) => None,
    }
}
