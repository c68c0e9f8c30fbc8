//! The judged answers of one side: the latest attempt of each repeat, as later judgements left it.
//!
//! Invariant: an answer that ended in an error is wrong among right and wrong ones, and has no score among others.

use std::collections::{BTreeMap, BTreeSet};

use trialbook_model::derived::{self, Judgements, verdict, verdict_name};
use trialbook_model::record::{Item, Score};
use trialbook_stats::{Undefined, describe, repeated_error};
use trialbook_store::reading::Reading;

use super::finding::{Repeats, Request, Scale, Side, SideFinding};
use super::interval;

/// The answers of one side.
pub(super) struct Answers {
    pub(super) scored: Vec<(String, f64)>,
    errors: Vec<String>,
    pub(super) unscored: u64,
    /// The values of the label that makes clusters, by item: several where answers to an item disagree.
    pub(super) labels: BTreeMap<String, BTreeSet<String>>,
    /// The names of all labels.
    pub(super) label_names: BTreeSet<String>,
    /// The names of the scores that count.
    pub(super) score_names: BTreeSet<String>,
}

impl Answers {
    pub(super) fn of<R: Reading>(
        reading: &R,
        side: &Side,
        request: &Request,
    ) -> Result<Self, R::Error> {
        let mut answers = Self {
            scored: Vec::new(),
            errors: Vec::new(),
            unscored: 0,
            labels: BTreeMap::new(),
            label_names: BTreeSet::new(),
            score_names: BTreeSet::new(),
        };
        for run in &side.runs {
            let mut judgements = Judgements::default();
            for later in reading.assessments(run.no)? {
                judgements.observe(later.stamp.order(), &later.record);
            }
            let items = reading.items(run.no)?;
            let ordered = items.iter().map(|item| (item.stamp.order(), &item.record));
            for (_, item) in derived::answers(ordered) {
                answers.take(&judgements.judged(item), request);
            }
        }
        Ok(answers)
    }

    pub(super) fn finding(
        &self,
        side: &Side,
        errors: u64,
        (values, scale): (&BTreeMap<&str, f64>, Scale),
    ) -> SideFinding {
        let mut of_items: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for (item, score) in &self.scored {
            if values.contains_key(&item[..]) {
                of_items.entry(item).or_default().push(*score);
            }
        }
        let values: Vec<f64> = values.values().copied().collect();
        SideFinding {
            title: side.title.clone(),
            answers: self.scored.len() as u64 + self.unscored,
            unscored: self.unscored,
            errors,
            matched: of_items.values().map(Vec::len).sum::<usize>() as u64,
            mean: describe(&values).ok().map(|it| it.mean),
            interval: interval(&values, scale),
            repeats: repeats(&of_items),
        }
    }

    fn take(&mut self, item: &Item, request: &Request) {
        let label = request
            .cluster
            .as_ref()
            .and_then(|label| item.labels.get(label));
        if let Some(label) = label {
            let held = self.labels.entry(item.id.clone()).or_default();
            held.insert(label.clone());
        }
        for name in item.labels.keys() {
            if !self.label_names.contains(name) {
                self.label_names.insert(name.clone());
            }
        }
        let score = match &request.score {
            Some(name) => item.scores.get(name).and_then(number),
            None => verdict(item).and_then(|verdict| verdict.score),
        };
        match score.filter(|score| score.is_finite()) {
            _ if item.error.is_some() => self.errors.push(item.id.clone()),
            Some(score) => {
                let name = request.score.as_deref().or_else(|| verdict_name(item));
                if let Some(name) = name.filter(|name| !self.score_names.contains(*name)) {
                    self.score_names.insert(name.to_owned());
                }
                self.scored.push((item.id.clone(), score));
            }
            None => self.unscored += 1,
        }
    }

    /// Counts answers that ended in an error: as wrong among right and wrong ones, else as without a score.
    pub(super) fn settle(&mut self, scale: Scale) -> u64 {
        let errors = std::mem::take(&mut self.errors);
        let number = errors.len() as u64;
        match scale {
            Scale::RightWrong => {
                self.scored.extend(errors.into_iter().map(|id| (id, 0.0)));
                number
            }
            Scale::Graded => {
                self.unscored += number;
                0
            }
        }
    }

    pub(super) fn scale(&self) -> Scale {
        let mut values = self.scored.iter().map(|(_, value)| *value);
        if values.all(|value| value == 0.0 || value == 1.0) {
            Scale::RightWrong
        } else {
            Scale::Graded
        }
    }
}

/// How the variance of scores is made up; none where each item was answered once.
fn repeats(of_items: &BTreeMap<&str, Vec<f64>>) -> Option<Repeats> {
    let rows: Vec<&[f64]> = of_items.values().map(Vec::as_slice).collect();
    let most = rows.iter().map(|row| row.len()).max()?;
    if most < 2 {
        return None;
    }
    Some(match repeated_error(&rows) {
        Ok(found) => {
            let again = found.within / most as f64;
            let share = again / found.of_means;
            Repeats::Split {
                each: most as u64,
                between: found.between,
                within: found.within,
                share_within: (found.of_means > 0.0).then_some(share.min(1.0)),
            }
        }
        Err(Undefined::LengthMismatch) => Repeats::CannotSplit {
            reason: "the items were not all answered equally often".to_owned(),
        },
        Err(reason) => Repeats::CannotSplit {
            reason: reason.to_string(),
        },
    })
}

const fn number(score: &Score) -> Option<f64> {
    match score {
        Score::Bool(true) => Some(1.0),
        Score::Bool(false) => Some(0.0),
        Score::Number(number) => Some(*number),
        Score::Text(_) => None,
    }
}
