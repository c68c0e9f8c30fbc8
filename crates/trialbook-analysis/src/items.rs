//! Two sets of judged answers, item by item: who is right where the other is wrong.
//!
//! Answers are matched by item id; of several attempts the latest counts, several repeats are averaged. Not here: words.
//! Invariant: differences are the second less the first; what has no partner or no score is counted, never guessed.

mod answers;
mod finding;

use std::collections::{BTreeMap, BTreeSet};

use trialbook_stats::{
    Clustered, Interval, ItemTest, ItemValue, Level, MatchedItems, ProportionMethod, Rate,
    Undefined, compare_items, describe, match_items, proportion_interval,
};
use trialbook_store::reading::Reading;

use crate::finding::Span;
use answers::Answers;
pub use finding::{
    By, Caution, Clusters, Compared, Decision, Flipped, ItemsError, Outcome, Repeats, Request,
    Scale, Side, SideFinding, Verdict,
};

/// The level of the intervals.
const LEVEL: Level = Level::NINETY_FIVE;
/// Clusters below which their standard error comes out too small.
const FEW_CLUSTERS: usize = 40;

/// Compares the answers of two sides.
///
/// # Errors
/// Where no item has the label that makes clusters, or alpha is none; what the reading says.
pub fn compare<R: Reading>(
    reading: &R,
    sides: [&Side; 2],
    request: &Request,
) -> Result<Compared, ItemsError<R::Error>> {
    let alpha = request.alpha;
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(ItemsError::Alpha { alpha });
    }
    let mut first = Answers::of(reading, sides[0], request)?;
    let mut second = Answers::of(reading, sides[1], request)?;
    let scale = first.scale().max(second.scale());
    let errors = [first.settle(scale), second.settle(scale)];
    let matched = matched(&first, &second);
    let labels = Labels::of(request, [&first, &second])?;
    let cluster = |key: &String| labels.cluster(key);
    let clustered = request
        .cluster
        .as_ref()
        .map(|_| &cluster as &dyn Fn(&String) -> _);
    let found = compare_items(&matched, clustered, LEVEL);
    let clusters = found.as_ref().ok().and_then(|found| {
        let clustered = found.error.clustered.as_ref()?;
        Some(clusters(request.cluster.clone()?, clustered, scale))
    });
    let outcome = found.map_or_else(cannot, |found| {
        outcome(&found.test, (found.error.correlation, scale), &matched)
    });
    let (n, unmatched) = numbers(&matched);
    let unscored = [first.unscored, second.unscored];
    let mut warnings = cautions((n, unmatched, unscored), clusters.as_ref());
    warnings.extend(labels.cautions(&matched));
    let scores = first.score_names.union(&second.score_names);
    let scores: Vec<String> = scores.cloned().collect();
    let score = request.score.clone();
    let items = || matched.items.iter();
    let firsts = items()
        .map(|item| (item.key.as_str(), item.second))
        .collect();
    let seconds = items()
        .map(|item| (item.key.as_str(), item.first))
        .collect();
    warnings.extend((scores.len() > 1).then(|| Caution::SeveralScores {
        scores: scores.clone(),
    }));
    Ok(Compared {
        score: score.unwrap_or_else(|| scores.join(", ")),
        scale,
        alpha,
        decision: decision(&outcome, clusters.as_ref(), alpha),
        sides: [
            first.finding(sides[0], errors[0], (&firsts, scale)),
            second.finding(sides[1], errors[1], (&seconds, scale)),
        ],
        matched: n,
        unmatched,
        averaged: matched.has_repeats(),
        outcome,
        clusters,
        flipped: flipped(&matched),
        warnings,
    })
}

/// The items of both; the second side's score comes first, so that differences are its less the first's.
fn matched(first: &Answers, second: &Answers) -> MatchedItems<String> {
    let values = |answers: &Answers| -> Vec<ItemValue<String>> { answers.scored.clone() };
    // Scores that are not finite were left out, so matching has an answer.
    match_items(values(second), values(first)).unwrap_or(MatchedItems {
        items: Vec::new(),
        only_first: 0,
        only_second: 0,
    })
}

/// Matched items, and those that only the first and only the second side answered.
fn numbers(matched: &MatchedItems<String>) -> (u64, [u64; 2]) {
    let unmatched = [matched.only_second as u64, matched.only_first as u64];
    (matched.items.len() as u64, unmatched)
}

/// The label that makes clusters, by item: what one side lacks the other may have.
struct Labels {
    asked: bool,
    by_item: BTreeMap<String, BTreeSet<String>>,
}

impl Labels {
    fn of<E: std::error::Error>(
        request: &Request,
        sides: [&Answers; 2],
    ) -> Result<Self, ItemsError<E>> {
        let mut by_item: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (item, labels) in sides.iter().flat_map(|side| &side.labels) {
            let held = by_item.entry(item.clone()).or_default();
            held.extend(labels.iter().cloned());
        }
        match &request.cluster {
            Some(label) if by_item.is_empty() => {
                let known = sides[0].label_names.union(&sides[1].label_names);
                Err(ItemsError::NoSuchLabel {
                    label: label.clone(),
                    known: known.cloned().collect(),
                })
            }
            asked => Ok(Self {
                asked: asked.is_some(),
                by_item,
            }),
        }
    }

    /// The cluster of an item: its label, else itself. Which side is named first plays no part.
    fn cluster(&self, item: &String) -> Result<String, String> {
        let label = self.by_item.get(item).and_then(BTreeSet::first);
        label.cloned().ok_or_else(|| item.clone())
    }

    fn cautions(&self, matched: &MatchedItems<String>) -> Vec<Caution> {
        if !self.asked {
            return Vec::new();
        }
        let labels = |item: &trialbook_stats::MatchedItem<String>| {
            let labels = self.by_item.get(&item.key);
            labels.map_or(0, BTreeSet::len)
        };
        let number = |is_it: &dyn Fn(usize) -> bool| {
            let items = matched.items.iter();
            items.filter(|item| is_it(labels(item))).count() as u64
        };
        let (unlabelled, conflicting) = (number(&|labels| labels == 0), number(&|it| it > 1));
        let mut found = Vec::new();
        if unlabelled > 0 {
            found.push(Caution::Unlabelled { items: unlabelled });
        }
        if conflicting > 0 {
            found.push(Caution::Conflicting { items: conflicting });
        }
        found
    }
}

/// By the test over clusters where they were asked for: if it cannot be made, neither can a decision.
fn decision(outcome: &Outcome, clusters: Option<&Clusters>, alpha: f64) -> Decision {
    let (p, by) = match (outcome, clusters) {
        (Outcome::CannotTest { .. }, None) => (None, By::Items),
        (_, Some(clusters)) => (clusters.p, By::Clusters),
        (Outcome::RightWrong { p, .. } | Outcome::Scores { p, .. }, None) => (Some(*p), By::Items),
    };
    let verdict = match p {
        Some(p) if p < alpha => Verdict::Differs,
        Some(_) => Verdict::NoEvidence,
        None => Verdict::CannotTest,
    };
    Decision { verdict, by }
}

fn flipped(matched: &MatchedItems<String>) -> Vec<Flipped> {
    let items = matched.flipped().map(|item| Flipped {
        item: item.key.clone(),
        gained: item.first > item.second,
    });
    items.collect()
}

fn cannot(reason: Undefined) -> Outcome {
    Outcome::CannotTest {
        cannot_test: reason.word(),
        reason: reason.to_string(),
    }
}

fn outcome(
    test: &ItemTest,
    (correlation, scale): (Option<f64>, Scale),
    matched: &MatchedItems<String>,
) -> Outcome {
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
            interval: difference_span(found.interval, scale, ["t", "t, within -1 and 1"]),
            statistic: found.statistic,
            df: found.df,
            p: found.p.two_sided.p,
            ln_p: found.p.two_sided.ln_p,
            correlation,
        },
        ItemTest::Scores(Err(reason)) => cannot(*reason),
    }
}

/// No difference of shares lies outside of -1 and 1, whatever Student's t says of few items.
fn difference_span(found: Interval, scale: Scale, [free, bounded]: [&'static str; 2]) -> Span {
    match scale {
        Scale::RightWrong => within(found, (-1.0, 1.0), [free, bounded]),
        Scale::Graded => Span::of(found, free),
    }
}

/// The interval, cut where it leaves what is possible.
fn within(found: Interval, (low, high): (f64, f64), [free, bounded]: [&'static str; 2]) -> Span {
    if low <= found.low && found.high <= high {
        return Span::of(found, free);
    }
    Span::of(
        Interval::new(found.low.clamp(low, high), found.high.clamp(low, high)),
        bounded,
    )
}

fn clusters(label: String, found: &Clustered, scale: Scale) -> Clusters {
    let names = ["CR1, t", "CR1, t, within -1 and 1"];
    Clusters {
        label,
        n: found.clusters as u64,
        se: found.se_cr1,
        design_effect: found.design_effect,
        interval: found.interval.map(|it| difference_span(it, scale, names)),
        df: (found.clusters as u64).saturating_sub(1),
        p: found.test.as_ref().ok().map(|test| test.p.two_sided.p),
        cannot_test: found.test.as_ref().err().map(|reason| reason.word()),
    }
}

fn interval(values: &[f64], scale: Scale) -> Option<Span> {
    if values.iter().all(|value| *value == 0.0 || *value == 1.0) {
        let hits = values.iter().filter(|value| **value == 1.0).count() as u64;
        let rate = Rate::new(hits, values.len() as u64);
        let found = proportion_interval(rate, ProportionMethod::Wilson, LEVEL);
        return found.ok().map(|it| Span::of(it, "Wilson"));
    }
    let found = describe(values).ok()?.mean_interval(LEVEL)?;
    Some(match scale {
        Scale::RightWrong => within(found, (0.0, 1.0), ["t", "t, within 0 and 1"]),
        Scale::Graded => Span::of(found, "t"),
    })
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
