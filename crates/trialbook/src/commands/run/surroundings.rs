//! What is captured around the runs: looked at beside them, recorded when it is there.
//!
//! Not here: how it is found out (the capture room). Invariant: a run begins without waiting for any of it,
//! unless the data has to be checked strictly; what differs from what was said or was before is told once.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::Value;
use trialbook_capture::data::verify::{self, Check};
use trialbook_capture::{
    Captured, Difference, Environment, Place, changes, differences, unchecked,
};
use trialbook_model::capture::{Part, Parts};
use trialbook_model::config::Params;
use trialbook_model::manifest::{self, Manifest};
use trialbook_runner::sample::SAMPLE;
use trialbook_runner::snapshot::Snapshot;
use trialbook_runner::standing::Standing;
use trialbook_runner::stop::{Stop, Urgency};
use trialbook_runner::wrapper::{RecordError, Sink};

use super::live::Teller;
use super::source::Spec;
use crate::book::{Open, Snapshots};
use crate::failure::Failure;

/// Earlier snapshots that are compared with; more differ in the same.
const MOST_EARLIER: usize = 10;
/// How long data is read that no manifest names.
const PATIENCE: Duration = Duration::from_secs(5);
/// Differences of one kind that are told one by one.
const MOST_TOLD: usize = 8;

/// What is captured, and where it goes.
pub(super) struct Surroundings {
    /// What each run is tied to: config, environment, code, variables, dataset, sample.
    pub(super) snapshots: [Snapshot; 6],
    parts: Parts,
    python: String,
    folder: PathBuf,
    data_path: Option<String>,
    declared: Params,
    book: Snapshots,
    environments: BTreeSet<String>,
    datasets: BTreeSet<String>,
    data: Data,
}

/// How far the data is known before anything runs.
enum Data {
    /// It is not looked at.
    Passed,
    /// It is checked beside the runs, where a manifest says what it has to be.
    Awaited,
    /// It was checked.
    Checked(Strict),
}

impl Surroundings {
    /// What there is to look at; nothing is looked at yet.
    pub(super) fn new(
        spec: &Spec,
        (parts, python): (Parts, String),
        (open, standing): (&Open, &Standing),
        (strict, sample): (Option<Strict>, Option<Value>),
    ) -> Self {
        Self {
            snapshots: [
                Snapshot::new("config", spec.known().recorded(&spec.config)),
                Snapshot::awaited("environment"),
                Snapshot::awaited("code"),
                Snapshot::awaited("variables"),
                Snapshot::awaited("dataset"),
                sample.map_or_else(
                    || Snapshot::awaited(SAMPLE),
                    |document| Snapshot::new(SAMPLE, document),
                ),
            ],
            data: match strict {
                Some(strict) => Data::Checked(strict),
                None if parts.has(Part::Data) => Data::Awaited,
                None => Data::Passed,
            },
            parts,
            python,
            folder: spec.folder.clone(),
            data_path: spec.config.task.data_path.clone(),
            declared: spec.config.environment.clone(),
            book: open.snapshots(),
            environments: standing.environments.clone(),
            datasets: standing.datasets.clone(),
        }
    }

    /// The documents of earlier snapshots. A book that cannot be read now is met by whoever records, too.
    fn earlier(&self, sums: &BTreeSet<String>) -> Vec<Value> {
        self.book.of(sums.iter().take(MOST_EARLIER))
    }

    /// Looks around, beside the runs.
    pub(super) fn look(
        &self,
        sink: &dyn Sink,
        stop: &Stop,
        teller: &Teller,
    ) -> Result<(), RecordError> {
        let place = Place {
            directory: &self.folder,
            python: &self.python,
        };
        let captured = Captured::of(place, &self.parts);
        if let Some(environment) = &captured.environment {
            self.tell(environment, teller);
        }
        let [_, environment, code, variables, dataset, _] = &self.snapshots;
        let found = captured.environment.map(|it| it.recorded());
        environment.arrive(found, sink)?;
        code.arrive(captured.code, sink)?;
        variables.arrive(captured.variables, sink)?;
        dataset.arrive(self.checked(stop, teller), sink)
    }

    /// Where the surroundings are not what the config says, or not what they were for the runs that are done.
    fn tell(&self, environment: &Environment, teller: &Teller) {
        for found in differences(&self.declared, environment) {
            teller.warn(format!(
                "the config says {} `{}`; found `{}`",
                found.key, found.declared, found.found
            ));
        }
        let unknown = unchecked(&self.declared, environment);
        for (key, declared) in unknown.iter().take(MOST_TOLD) {
            teller.warn(format!(
                "the config says {key} `{declared}`; that was not captured: unchecked"
            ));
        }
        if unknown.len() > MOST_TOLD {
            let more = unknown.len() - MOST_TOLD;
            teller.warn(format!(
                "{more} more things that the config says are unchecked"
            ));
        }
        let earlier = self.earlier(&self.environments);
        let changed = earlier.iter().flat_map(|it| changes(it, environment));
        let mut told = BTreeSet::new();
        let new = changed.filter(|change| told.insert(change.key.clone()));
        let new: Vec<Difference> = new.collect();
        for change in new.iter().take(MOST_TOLD) {
            teller.warn(format!(
                "runs of this experiment were done with {} `{}`; now it is `{}`",
                change.key, change.declared, change.found
            ));
        }
        if new.len() > MOST_TOLD {
            let more = new.len() - MOST_TOLD;
            teller.warn(format!("{more} more things have changed since those runs"));
        }
    }

    /// The snapshot of the data, where a manifest says what it has to be.
    fn checked(&self, stop: &Stop, teller: &Teller) -> Option<Value> {
        let found;
        let Strict { manifest, checks } = match &self.data {
            Data::Passed => return None,
            Data::Checked(strict) => strict,
            Data::Awaited => {
                if verify::find(&self.folder, self.data_path.as_deref()).is_none() {
                    return self.undeclared(stop, teller);
                }
                found = self.check(stop, teller)?;
                &found
            }
        };
        for problem in checks.iter().filter_map(Check::problem) {
            teller.warn(problem);
        }
        let document = verify::document(manifest, checks);
        self.tell_of_data(&document, teller);
        Some(document)
    }

    /// The data that the config names, where no manifest does: whether it is what earlier runs had. Much data takes
    /// long to read, and nobody asked for it.
    fn undeclared(&self, stop: &Stop, teller: &Teller) -> Option<Value> {
        let written = self.data_path.as_deref()?;
        let begun = Instant::now();
        let is_stopped = || stop.urgency() != Urgency::None || begun.elapsed() > PATIENCE;
        match verify::undeclared(&self.folder, written, &is_stopped)? {
            Ok(document) => {
                self.tell_of_data(&document, teller);
                Some(document)
            }
            Err(error) => {
                teller.warn(format!(
                    "the data is not checked: {error} (`trialbook dataset add` writes a manifest, which is always checked)"
                ));
                None
            }
        }
    }

    /// Checks the data by its manifest, if it has one that can be used.
    fn check(&self, stop: &Stop, teller: &Teller) -> Option<Strict> {
        let path = verify::find(&self.folder, self.data_path.as_deref())?;
        let (manifest, folder) = read(&path)
            .inspect_err(|error| teller.warn(format!("the data is not checked: {error:#}")))
            .ok()?;
        let is_stopped = || stop.urgency() != Urgency::None;
        let checks = verify::verify(&manifest, &folder, &is_stopped);
        (!is_stopped()).then_some(Strict { manifest, checks })
    }

    /// Data that is not what it was for the runs that are done.
    fn tell_of_data(&self, now: &Value, teller: &Teller) {
        let sum = |document: &Value, path: &Value| {
            let mut entries = document["datasets"].as_array().into_iter().flatten();
            let entry = entries.find(|entry| entry["path"] == *path)?;
            entry["checksum"].as_str().map(str::to_owned)
        };
        let earlier = self.earlier(&self.datasets);
        for entry in now["datasets"].as_array().into_iter().flatten() {
            let path = &entry["path"];
            let present = entry["checksum"].as_str();
            let before = earlier.iter().find_map(|earlier| {
                let before = sum(earlier, path)?;
                (Some(before.as_str()) != present).then_some(before)
            });
            if let (Some(before), Some(present)) = (before, present) {
                let path = path.as_str().unwrap_or_default();
                teller.warn(format!(
                    "runs of this experiment were done with `{path}` {before}; now it is {present}"
                ));
            }
        }
    }
}

fn read(path: &std::path::Path) -> Result<(Manifest, PathBuf)> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| Failure::Unreadable {
        path: name.clone(),
        source,
    })?;
    let manifest = manifest::parse(&text, &name)?;
    let folder = path.parent().map(std::path::Path::to_owned);
    Ok((manifest, folder.unwrap_or_default()))
}

/// A manifest that the data has to agree with before anything runs.
pub(super) struct Strict {
    manifest: Manifest,
    checks: Vec<Check>,
}

impl Strict {
    /// Checks the data, and fails where it is not what its manifest says.
    pub(super) fn check(spec: &Spec) -> Result<Self> {
        let data_path = spec.config.task.data_path.as_deref();
        let path = verify::find(&spec.folder, data_path).ok_or_else(|| Failure::Usage {
            problem: "there is no `data-manifest.yaml` to check the data by".to_owned(),
            hint: "`trialbook dataset add PATH` writes one; without `--strict-data` nothing is checked".to_owned(),
        })?;
        let (manifest, folder) = read(&path)?;
        let checks = verify::verify(&manifest, &folder, &|| false);
        let problems: Vec<String> = checks.iter().filter_map(Check::problem).collect();
        if problems.is_empty() {
            Ok(Self { manifest, checks })
        } else {
            Err(Failure::DataChanged { problems }.into())
        }
    }
}
