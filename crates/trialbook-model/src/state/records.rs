//! What was recorded under a subject: the summaries of its series, its artifacts, how much of everything.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::register::{Latest, Stamp};
use super::series::{Point, SeriesSummary};
use crate::record::{Op, PutArtifact, SeriesKey, Signed};

/// How many records of each kind a subject holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Points.
    pub points: u64,
    /// Events, by kind.
    pub events: BTreeMap<String, u64>,
    /// Judged items.
    pub items: u64,
    /// Later judgements.
    pub assessments: u64,
    /// Bytes of console output.
    pub log_bytes: u64,
    /// Spans of traces, and what was said of whole traces.
    #[serde(default)]
    pub spans: u64,
}

/// What is known of a subject's records without reading them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Records {
    /// The summary of each series.
    pub series: BTreeMap<SeriesKey, SeriesSummary>,
    /// All versions of each artifact path, oldest first.
    pub artifacts: BTreeMap<String, Vec<Latest<PutArtifact>>>,
    /// How much was recorded.
    pub counts: Counts,
}

impl Records {
    /// Folds an operation that records something; others change nothing.
    pub fn apply(&mut self, signed: &Signed) {
        if let Op::Points(points) = &signed.op {
            for (key, value) in &points.values {
                let point = Point {
                    step: points.step,
                    time: points.time,
                    value: *value,
                };
                self.add_point(key, point);
            }
        } else if let Op::PutArtifact(artifact) = &signed.op {
            self.put_artifact(Stamp::from(signed), artifact);
        } else if let Op::Event(event) = &signed.op {
            *self.counts.events.entry(event.kind.clone()).or_default() += 1;
        } else if let Op::Log(log) = &signed.op {
            self.counts.log_bytes += log.text.len() as u64;
        } else if let Op::Item(_) = &signed.op {
            self.counts.items += 1;
        } else if let Op::Assess(_) = &signed.op {
            self.counts.assessments += 1;
        } else if let Op::Span(_) = &signed.op {
            self.counts.spans += 1;
        }
    }

    /// Folds one point.
    pub fn add_point(&mut self, key: &SeriesKey, point: Point) {
        self.counts.points += 1;
        match self.series.get_mut(key) {
            Some(summary) => summary.add(point),
            None => {
                self.series.insert(key.clone(), SeriesSummary::new(point));
            }
        }
    }

    fn put_artifact(&mut self, stamp: Stamp, artifact: &PutArtifact) {
        let versions = self.artifacts.entry(artifact.path.clone()).or_default();
        if let Err(at) = versions.binary_search_by_key(&stamp, |version| version.stamp) {
            versions.insert(at, Latest::new(stamp, artifact.clone()));
        }
    }

    /// The present version of each artifact that was not removed.
    pub fn artifacts(&self) -> impl Iterator<Item = &Latest<PutArtifact>> {
        self.artifacts
            .values()
            .filter_map(|versions| versions.last())
            .filter(|version| !version.value.removed)
    }

    /// Where the versions of one path stand that are to be found by what they are: the newest, and of each role the
    /// newest that has it, such as `best` where a later one is `last`. A removal takes those before it away.
    pub fn standing(versions: &[Latest<PutArtifact>]) -> Vec<usize> {
        let mut roles: Vec<&str> = Vec::new();
        let mut standing = Vec::new();
        for (at, version) in versions.iter().enumerate().rev() {
            if version.value.removed {
                break;
            }
            let role = version.value.role.as_deref();
            let is_first_of_role = role.is_some_and(|role| !roles.contains(&role));
            if at + 1 == versions.len() || is_first_of_role {
                standing.push(at);
            }
            roles.extend(role);
        }
        standing.reverse();
        standing
    }

    /// The roles that a file has.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.artifacts.values().flat_map(|versions| {
            let standing = Self::standing(versions).into_iter();
            standing.filter_map(|at| versions[at].value.role.as_deref())
        })
    }
}
