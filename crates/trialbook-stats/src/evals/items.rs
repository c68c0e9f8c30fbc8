//! The same items judged for two: matched, averaged over repeats, compared.

use std::collections::BTreeMap;

use super::error::{PairedError, paired_error};
use crate::moments::Moments;
use crate::probability::Level;
use crate::proportion::{PairedProportions, PairedTable, paired_proportions};
use crate::t_test::TTest;
use crate::undefined::Undefined;

/// A judged answer: the item's id and its score; right is 1, wrong is 0.
pub type ItemValue<K> = (K, f64);

/// An item that both answered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatchedItem<K> {
    /// Its id.
    pub key: K,
    /// The mean of the first's scores.
    pub first: f64,
    /// The mean of the second's scores.
    pub second: f64,
    /// How many answers of the first and of the second were averaged.
    pub repeats: (usize, usize),
}

impl<K> MatchedItem<K> {
    /// Whether one was right and the other wrong, each time it answered.
    pub fn is_flipped(&self) -> bool {
        is_answer(self.first) && is_answer(self.second) && self.first != self.second
    }
}

/// Right or wrong.
fn is_answer(score: f64) -> bool {
    score == 0.0 || score == 1.0
}

/// Items matched by id.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchedItems<K> {
    /// Those that both answered, by id.
    pub items: Vec<MatchedItem<K>>,
    /// How many only the first answered.
    pub only_first: usize,
    /// How many only the second answered.
    pub only_second: usize,
}

/// Matches judged answers by their item; several answers to an item are averaged.
///
/// # Errors
/// [`Undefined::NonFiniteInput`].
pub fn match_items<K: Ord>(
    first: impl IntoIterator<Item = ItemValue<K>>,
    second: impl IntoIterator<Item = ItemValue<K>>,
) -> Result<MatchedItems<K>, Undefined> {
    let mut scores = BTreeMap::<K, (Vec<f64>, Vec<f64>)>::new();
    for (key, score) in first {
        scores.entry(key).or_default().0.push(score);
    }
    for (key, score) in second {
        scores.entry(key).or_default().1.push(score);
    }
    let (mut only_first, mut only_second) = (0, 0);
    let mut items = Vec::new();
    for (key, (first, second)) in scores {
        if first.iter().chain(&second).any(|score| !score.is_finite()) {
            return Err(Undefined::NonFiniteInput);
        }
        let repeats = (first.len(), second.len());
        match (Moments::of(&first), Moments::of(&second)) {
            (Some(first), Some(second)) => items.push(MatchedItem {
                key,
                first: first.mean(),
                second: second.mean(),
                repeats,
            }),
            (_, None) => only_first += 1,
            (None, Some(_)) => only_second += 1,
        }
    }
    Ok(MatchedItems {
        items,
        only_first,
        only_second,
    })
}

impl<K> MatchedItems<K> {
    /// The items that one answered rightly and the other wrongly.
    pub fn flipped(&self) -> impl Iterator<Item = &MatchedItem<K>> {
        self.items.iter().filter(|item| item.is_flipped())
    }

    /// Whether any item was answered several times by either.
    pub fn has_repeats(&self) -> bool {
        self.items
            .iter()
            .any(|item| item.repeats.0 > 1 || item.repeats.1 > 1)
    }
}

/// What the matched items say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ItemComparison {
    /// The means' difference, first minus second, with its error bars, over clusters too where there are some.
    pub error: PairedError,
    /// The test that fits the scores.
    pub test: ItemTest,
}

/// The test of matched items, without clusters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ItemTest {
    /// Every answer was right or wrong: McNemar's exact test, with Newcombe's paired interval.
    RightWrong(PairedProportions),
    /// Scores: the paired t test; [`Undefined::ZeroVariance`] where all differences are equal.
    Scores(Result<TTest, Undefined>),
}

/// Compares two over the items that both answered: McNemar where every (averaged) score is 0 or 1, else paired t.
/// `cluster` gives the cluster of an item; then the error bars over clusters (CR1 with G − 1 degrees of freedom)
/// stand beside the test and are the ones to trust.
///
/// # Errors
/// [`Undefined::EmptyInput`] where no item matches, [`Undefined::TooFewObservations`] where one does.
pub fn compare_items<K, C: Ord>(
    matched: &MatchedItems<K>,
    cluster: Option<&dyn Fn(&K) -> C>,
    level: Level,
) -> Result<ItemComparison, Undefined> {
    let items = &matched.items;
    let first: Vec<f64> = items.iter().map(|item| item.first).collect();
    let second: Vec<f64> = items.iter().map(|item| item.second).collect();
    let labels: Option<Vec<C>> =
        cluster.map(|cluster| items.iter().map(|item| cluster(&item.key)).collect());
    let error = paired_error(&first, &second, labels.as_deref(), level)?;
    let right_or_wrong = first.iter().chain(&second).all(|&score| is_answer(score));
    let test = if right_or_wrong {
        let answers = items
            .iter()
            .map(|item| (item.first == 1.0, item.second == 1.0));
        ItemTest::RightWrong(paired_proportions(PairedTable::of(answers), level)?)
    } else {
        ItemTest::Scores(error.t)
    };
    Ok(ItemComparison { error, test })
}
