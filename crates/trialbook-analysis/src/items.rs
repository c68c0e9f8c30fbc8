//! Two sets of judged answers, item by item: who is right where the other is wrong.
//!
//! Answers are matched by item id; of several attempts the latest counts, several repeats are averaged. Not here: words.
//! Invariant: differences are the second less the first; what has no partner or no score is counted, never guessed.

use std::collections::BTreeMap;

use serde::Serialize;
use trialbook_model::derived::{Judgements, verdict};
use trialbook_model::record::{Item, Score};
use trialbook_stats::{
    Clustered, ItemTest, ItemValue, Level, MatchedItems, Rate, Undefined, compare_items,
    match_items, proportion_interval,
};
use trialbook_stats::{ProportionMethod, describe};
use trialbook_store::nouns::RunRow;
use trialbook_store::reading::Reading;

use crate::finding::Span;

/// The level of the intervals.
const LEVEL: Level = Level::NINETY_FIVE;
/// Clusters below which their standard error comes out too small.
const FEW_CLUSTERS: usize = 40;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// The score; without one the primary one of each item.
    pub score: Option<String>,
    /// The label whose equal values make clusters.
    pub cluster: Option<String>,
}

/// One side.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// What it is called.
    pub title: String,
    /// The runs whose answers count.
    pub runs: Vec<RunRow>,
}

/// Two sides, item by item.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// The score, or `primary`.
    pub score: String,
    /// Both sides, the first being the baseline.
    pub sides: [SideFinding; 2],
    /// Items that both answered.
    pub matched: u64,
    /// Items that only one of them answered.
    pub unmatched: [u64; 2],
    /// Whether several answers to an item were averaged.
    pub averaged: bool,
    /// The result.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The same over clusters of items.
    pub clusters: Option<Clusters>,
    /// Items right on one side and wrong on the other.
    pub flipped: Vec<Flipped>,
    /// What to be careful about.
    pub warnings: Vec<Caution>,
}

/// One side of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SideFinding {
    /// What it is called.
    pub title: String,
    /// Answers, the latest attempt of each repeat.
    pub answers: u64,
    /// Answers without the score.
    pub unscored: u64,
    /// Answers that ended in an error and count as wrong.
    pub errors: u64,
    /// The mean over the matched items.
    pub mean: Option<f64>,
    /// Its interval: Wilson's of right and wrong, else t.
    pub interval: Option<Span>,
}

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// Every answer is right or wrong.
    RightWrong {
        /// Items that both have right.
        both: u64,
        /// Items that only the first has right.
        only_first: u64,
        /// Items that only the second has right.
        only_second: u64,
        /// Items that neither has right.
        neither: u64,
        /// The difference of the shares.
        difference: f64,
        /// Its interval (Newcombe, paired).
        interval: Span,
        /// McNemar's exact p, two-sided.
        p: f64,
        /// Its logarithm.
        ln_p: f64,
        /// The mid-p.
        mid_p: f64,
    },
    /// Scores.
    Scores {
        /// The difference of the means.
        difference: f64,
        /// Its interval.
        interval: Span,
        /// Student's t of the pairs.
        statistic: f64,
        /// Its degrees of freedom.
        df: f64,
        /// The p-value, two-sided.
        p: f64,
        /// Its logarithm.
        ln_p: f64,
        /// The correlation of the pairs.
        correlation: Option<f64>,
    },
    /// There is no test.
    CannotTest {
        /// The word of the reason.
        cannot_test: &'static str,
        /// The reason.
        reason: String,
    },
}

/// The result over clusters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Clusters {
    /// The label.
    pub label: String,
    /// How many there are.
    pub n: u64,
    /// The standard error of the difference (CR1).
    pub se: Option<f64>,
    /// How many times the variance of independent items.
    pub design_effect: Option<f64>,
    /// The interval of the difference, with n − 1 degrees of freedom.
    pub interval: Option<Span>,
    /// The degrees of freedom.
    pub df: u64,
    /// The p-value, two-sided.
    pub p: Option<f64>,
    /// The word of the reason why there is none.
    pub cannot_test: Option<&'static str>,
}

/// An item right on one side and wrong on the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flipped {
    /// Its id.
    pub item: String,
    /// Whether the second is the one that is right.
    pub gained: bool,
}

/// What to be careful about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Caution {
    /// Items without a partner stay out.
    Unmatched {
        /// On the first and on the second side.
        items: [u64; 2],
    },
    /// Answers without the score stay out.
    Unscored {
        /// On the first and on the second side.
        answers: [u64; 2],
    },
    /// Few clusters.
    FewClusters {
        /// How many.
        clusters: u64,
    },
    /// Items without the label, each a cluster of its own.
    Unlabelled {
        /// How many.
        items: u64,
    },
    /// Few items.
    FewItems {
        /// How many.
        items: u64,
    },
}

/// The answers of one side.
struct Answers {
    scored: Vec<(String, f64)>,
    errors: Vec<String>,
    unscored: u64,
    labels: BTreeMap<String, String>,
}

/// Compares the answers of two sides.
///
/// # Errors
/// What the reading says.
pub fn compare<R: Reading>(
    reading: &R,
    sides: [&Side; 2],
    request: &Request,
) -> Result<Compared, R::Error> {
    let mut first = Answers::of(reading, sides[0], request)?;
    let mut second = Answers::of(reading, sides[1], request)?;
    let right_or_wrong = |answers: &Answers| {
        let mut values = answers.scored.iter().map(|(_, value)| *value);
        values.all(|value| value == 0.0 || value == 1.0)
    };
    let settled = right_or_wrong(&first) && right_or_wrong(&second);
    let errors = [first.settle(settled), second.settle(settled)];
    let values = |answers: &Answers| -> Vec<ItemValue<String>> { answers.scored.clone() };
    // Scores that are not finite were left out, so matching has an answer.
    let matched = match_items(values(&second), values(&first)).unwrap_or(MatchedItems {
        items: Vec::new(),
        only_first: 0,
        only_second: 0,
    });
    let labels = &first.labels;
    let unlabelled = matched
        .items
        .iter()
        .filter(|item| !labels.contains_key(&item.key));
    let unlabelled = unlabelled.count() as u64;
    let cluster = |key: &String| labels.get(key).cloned().ok_or_else(|| key.clone());
    let clustered = request
        .cluster
        .as_ref()
        .map(|_| &cluster as &dyn Fn(&String) -> _);
    let found = compare_items(&matched, clustered, LEVEL);
    let clusters = found.as_ref().ok().and_then(|found| {
        let clustered = found.error.clustered.as_ref()?;
        Some(clusters(request.cluster.clone()?, clustered))
    });
    let unmatched = [matched.only_second as u64, matched.only_first as u64];
    let unscored = [first.unscored, second.unscored];
    let n = matched.items.len() as u64;
    let mut warnings = cautions((n, unmatched, unscored), clusters.as_ref());
    if request.cluster.is_some() && unlabelled > 0 {
        warnings.push(Caution::Unlabelled { items: unlabelled });
    }
    let of = |answers: &Answers, errors: u64, values: Vec<f64>, side: &Side| SideFinding {
        title: side.title.clone(),
        answers: answers.scored.len() as u64 + answers.unscored,
        unscored: answers.unscored,
        errors,
        mean: describe(&values).ok().map(|it| it.mean),
        interval: interval(&values),
    };
    let firsts = matched.items.iter().map(|item| item.second).collect();
    let seconds = matched.items.iter().map(|item| item.first).collect();
    Ok(Compared {
        score: request
            .score
            .clone()
            .unwrap_or_else(|| "primary".to_owned()),
        sides: [
            of(&first, errors[0], firsts, sides[0]),
            of(&second, errors[1], seconds, sides[1]),
        ],
        matched: n,
        unmatched,
        averaged: matched.has_repeats(),
        outcome: match found {
            Ok(found) => outcome(&found.test, found.error.correlation, &matched),
            Err(reason) => cannot(reason),
        },
        clusters,
        flipped: matched
            .flipped()
            .map(|item| Flipped {
                item: item.key.clone(),
                gained: item.first > item.second,
            })
            .collect(),
        warnings,
    })
}

fn cannot(reason: Undefined) -> Outcome {
    Outcome::CannotTest {
        cannot_test: reason.word(),
        reason: reason.to_string(),
    }
}

fn outcome(test: &ItemTest, correlation: Option<f64>, matched: &MatchedItems<String>) -> Outcome {
    match test {
        ItemTest::RightWrong(found) => {
            let count = |first: f64, second: f64| {
                let items = matched.items.iter();
                let is_it = |it: &&trialbook_stats::MatchedItem<String>| {
                    it.second == first && it.first == second
                };
                items.filter(is_it).count() as u64
            };
            Outcome::RightWrong {
                both: count(1.0, 1.0),
                only_first: count(1.0, 0.0),
                only_second: count(0.0, 1.0),
                neither: count(0.0, 0.0),
                difference: found.difference,
                interval: Span::of(found.newcombe, "Newcombe, paired"),
                p: found.mcnemar.exact.two_sided.p,
                ln_p: found.mcnemar.exact.two_sided.ln_p,
                mid_p: found.mcnemar.mid_p.p,
            }
        }
        ItemTest::Scores(Ok(found)) => Outcome::Scores {
            difference: found.estimate,
            interval: Span::of(found.interval, "t"),
            statistic: found.statistic,
            df: found.df,
            p: found.p.two_sided.p,
            ln_p: found.p.two_sided.ln_p,
            correlation,
        },
        ItemTest::Scores(Err(reason)) => cannot(*reason),
    }
}

fn clusters(label: String, found: &Clustered) -> Clusters {
    Clusters {
        label,
        n: found.clusters as u64,
        se: found.se_cr1,
        design_effect: found.design_effect,
        interval: found.interval.map(|it| Span::of(it, "CR1, t")),
        df: (found.clusters as u64).saturating_sub(1),
        p: found.test.as_ref().ok().map(|test| test.p.two_sided.p),
        cannot_test: found.test.as_ref().err().map(|reason| reason.word()),
    }
}

fn interval(values: &[f64]) -> Option<Span> {
    if values.iter().all(|value| *value == 0.0 || *value == 1.0) {
        let hits = values.iter().filter(|value| **value == 1.0).count() as u64;
        let rate = Rate::new(hits, values.len() as u64);
        let found = proportion_interval(rate, ProportionMethod::Wilson, LEVEL);
        return found.ok().map(|it| Span::of(it, "Wilson"));
    }
    let found = describe(values).ok()?.mean_interval(LEVEL);
    found.map(|it| Span::of(it, "t"))
}

fn cautions(
    (matched, unmatched, unscored): (u64, [u64; 2], [u64; 2]),
    clusters: Option<&Clusters>,
) -> Vec<Caution> {
    /// Items from which a share needs no warning of few.
    const ENOUGH: u64 = 30;
    let mut found = Vec::new();
    if matched < ENOUGH {
        found.push(Caution::FewItems { items: matched });
    }
    if unmatched != [0, 0] {
        found.push(Caution::Unmatched { items: unmatched });
    }
    if unscored != [0, 0] {
        found.push(Caution::Unscored { answers: unscored });
    }
    if let Some(clusters) = clusters.filter(|it| it.n < FEW_CLUSTERS as u64) {
        found.push(Caution::FewClusters {
            clusters: clusters.n,
        });
    }
    found
}

impl Answers {
    fn of<R: Reading>(reading: &R, side: &Side, request: &Request) -> Result<Self, R::Error> {
        let mut answers = Self {
            scored: Vec::new(),
            errors: Vec::new(),
            unscored: 0,
            labels: BTreeMap::new(),
        };
        for run in &side.runs {
            let mut judgements = Judgements::default();
            for later in reading.assessments(run.no)? {
                let stamp = later.stamp;
                judgements.observe((stamp.time, stamp.writer, stamp.seq), &later.record);
            }
            // Oldest first: of the attempts at one repeat the greatest, and of equal ones the last, stays.
            let mut latest: BTreeMap<(String, Option<u64>), Item> = BTreeMap::new();
            for recorded in reading.items(run.no)? {
                let item = recorded.record;
                let place = (item.id.clone(), item.repeat);
                let held = latest.get(&place);
                // Without a number for its repeat, each record is an answer of its own.
                if item.repeat.is_none() && item.attempt.is_none() {
                    answers.take(&judgements.judged(&item), request);
                } else if held.is_none_or(|held| held.attempt <= item.attempt) {
                    latest.insert(place, item);
                }
            }
            for item in latest.values() {
                answers.take(&judgements.judged(item), request);
            }
        }
        Ok(answers)
    }

    fn take(&mut self, item: &Item, request: &Request) {
        let label = request
            .cluster
            .as_ref()
            .and_then(|label| item.labels.get(label));
        if let Some(label) = label {
            self.labels.insert(item.id.clone(), label.clone());
        }
        let score = match &request.score {
            Some(name) => item.scores.get(name).and_then(number),
            None => verdict(item).and_then(|verdict| verdict.score),
        };
        match score.filter(|score| score.is_finite()) {
            _ if item.error.is_some() => self.errors.push(item.id.clone()),
            Some(score) => self.scored.push((item.id.clone(), score)),
            None => self.unscored += 1,
        }
    }

    /// Counts answers that ended in an error: as wrong among right and wrong ones, else as without a score.
    fn settle(&mut self, right_or_wrong: bool) -> u64 {
        let errors = std::mem::take(&mut self.errors);
        let number = errors.len() as u64;
        if right_or_wrong {
            self.scored.extend(errors.into_iter().map(|id| (id, 0.0)));
            number
        } else {
            self.unscored += number;
            0
        }
    }
}

const fn number(score: &Score) -> Option<f64> {
    match score {
        Score::Bool(true) => Some(1.0),
        Score::Bool(false) => Some(0.0),
        Score::Number(number) => Some(*number),
        Score::Text(_) => None,
    }
}
