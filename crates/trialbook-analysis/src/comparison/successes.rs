//! How often the trials of arms complete, held against the baseline.
//!
//! Not here: the tests. Invariant: single runs have no rate, and are none of the arms that are compared.

use serde::Serialize;
use trialbook_stats::{Correction, Level, Rate};

use super::{Kind, Subject};
use crate::finding::{self, Success};
use crate::success::{self, Asked};
use crate::variations::Statuses;

/// Success rates of arms and what is told of their differences.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Successes {
    /// Of each subject those of its ended trials that completed; none of a run, or where no trial ended.
    pub rates: Vec<Option<finding::Rate>>,
    /// The arms against the baseline.
    #[serde(flatten)]
    pub found: Success,
}

impl Successes {
    pub(super) fn of(subjects: &[Subject], baseline: usize, alpha: f64) -> Option<Self> {
        let is_arm = |subject: &&Subject| subject.kind == Kind::Arm;
        let base = subjects.get(baseline).filter(is_arm)?;
        let arms: Vec<(String, Rate)> = subjects
            .iter()
            .filter(is_arm)
            .map(|subject| (subject.title.clone(), completed(subject)))
            .collect();
        let base = arms.iter().position(|(title, _)| *title == base.title)?;
        let asked = Asked {
            alpha,
            level: Level::NINETY_FIVE,
            correction: Some(Correction::Holm),
        };
        let found = success::judge(&arms, base, asked)?;
        let rate = |subject: &Subject| {
            let Rate { successes, trials } = completed(subject);
            is_arm(&subject)
                .then(|| success::rate(successes, trials, asked.level))
                .flatten()
        };
        Some(Self {
            rates: subjects.iter().map(rate).collect(),
            found,
        })
    }
}

fn completed(subject: &Subject) -> Rate {
    let mut statuses = Statuses::default();
    for run in &subject.runs {
        statuses.count(run.state.status());
    }
    Rate::new(statuses.completed, statuses.ended())
}
