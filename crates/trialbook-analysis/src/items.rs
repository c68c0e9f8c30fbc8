//! Two sets of judged answers, item by item: who is right where the other is wrong.
//!
//! Answers are matched by item id; of several attempts the latest counts, several repeats are averaged. Not here: words.
//! Invariant: differences are the second less the first; what has no partner or no score is counted, never guessed.

mod again;
mod answers;
mod finding;

use trialbook_stats::{
    Clustered, ItemTest, ItemValue, Level, MatchedItems, ProportionMethod, Rate, Undefined,
    compare_items, describe, match_items, proportion_interval,
};
use trialbook_store::reading::Reading;

use crate::finding::Span;
pub use again::recorded_again;
use answers::Answers;
pub use finding::{Caution, Clusters, Compared, Flipped, Outcome, Request, Side, SideFinding};

/// The level of the intervals.
const LEVEL: Level = Level::NINETY_FIVE;
/// Clusters below which their standard error comes out too small.
const FEW_CLUSTERS: usize = 40;

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
    let scale = first.scale().max(second.scale());
    let errors = [first.settle(scale), second.settle(scale)];
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
    let firsts: Vec<f64> = matched.items.iter().map(|item| item.second).collect();
    let seconds: Vec<f64> = matched.items.iter().map(|item| item.first).collect();
    Ok(Compared {
        score: request
            .score
            .clone()
            .unwrap_or_else(|| "primary".to_owned()),
        sides: [
            first.finding(sides[0], errors[0], &firsts),
            second.finding(sides[1], errors[1], &seconds),
        ],
        matched: n,
        unmatched,
        averaged: matched.has_repeats(),
        outcome: match found {
            Ok(found) => outcome(&found.test, found.error.correlation, &matched),
            Err(reason) => cannot(reason),
        },
        clusters,
        flipped: flipped(&matched),
        warnings,
    })
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
