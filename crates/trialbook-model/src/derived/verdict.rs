//! What the scores of an item say: right, wrong, or a grade; and what they say after later judgements.
//!
//! Not here: what is counted of items. Invariant: one score of an item counts, and its name follows from the
//! item and its judgements alone.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::fold::Order;
use crate::record::{Assess, Item, Score};

/// What an item's primary score says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// Right or wrong; `None` where the score does not say.
    pub correct: Option<bool>,
    /// The score as a number, 1 and 0 for right and wrong; `None` for a grade in words.
    pub score: Option<f64>,
}

/// Reads an item's primary score: the named one, else `correct`, else the only one.
///
/// A number between 0 and 1 is right with full credit, 1, and wrong with less; on another scale, NaN and
/// in words it is a grade and no verdict. `None` where the item has no primary score.
pub fn verdict(item: &Item) -> Option<Verdict> {
    let score = item.scores.get(primary(item, None)?)?;
    Some(match score {
        Score::Bool(right) => Verdict {
            correct: Some(*right),
            score: Some(f64::from(u8::from(*right))),
        },
        Score::Number(number) => Verdict {
            correct: (0.0..=1.0).contains(number).then_some(*number == 1.0),
            score: Some(*number),
        },
        Score::Text(_) => Verdict {
            correct: None,
            score: None,
        },
    })
}

/// The name of the score that [`verdict`] reads.
pub fn verdict_name(item: &Item) -> Option<&str> {
    primary(item, None)
}

type ByScorer = BTreeMap<String, (Order, Score)>;

/// The name of the score that counts, given the judgements that came later. A judgement under another
/// name does not take the place of the item's only score.
fn primary<'a>(item: &'a Item, later: Option<&'a ByScorer>) -> Option<&'a str> {
    const CORRECT: &str = "correct";
    let judged = |name: &str| later.is_some_and(|later| later.contains_key(name));
    if let Some(name) = &item.primary {
        return Some(name);
    }
    if item.scores.contains_key(CORRECT) || judged(CORRECT) {
        return Some(CORRECT);
    }
    if item.scores.is_empty() {
        return only(later?.keys());
    }
    only(item.scores.keys())
}

fn only<'a>(mut names: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    let first = names.next()?;
    names.next().is_none().then_some(first.as_str())
}

/// The latest judgement of each item by each scorer, for folding a run's items again.
///
/// It holds every judged item, so it is made when needed and not kept.
#[derive(Debug, Clone, Default)]
pub struct Judgements {
    by_item: BTreeMap<String, ByScorer>,
}

impl Judgements {
    /// Takes a judgement in; of one (item, scorer) the latest counts.
    pub fn observe(&mut self, order: Order, op: &Assess) {
        let scorers = self.by_item.entry(op.item.clone()).or_default();
        let held = scorers.get(&op.scorer);
        if held.is_none_or(|(held, _)| *held < order) {
            scorers.insert(op.scorer.clone(), (order, op.score.clone()));
        }
    }

    /// The item as it stands after the judgements; they hold for all repeats and attempts of it.
    pub fn judged<'a>(&self, item: &'a Item) -> Cow<'a, Item> {
        let Some(later) = self.by_item.get(&item.id) else {
            return Cow::Borrowed(item);
        };
        let mut judged = item.clone();
        judged.primary = primary(item, Some(later)).map(str::to_owned);
        for (scorer, (_, score)) in later {
            judged.scores.insert(scorer.clone(), score.clone());
        }
        Cow::Owned(judged)
    }
}
