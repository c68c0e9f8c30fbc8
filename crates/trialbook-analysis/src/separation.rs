//! Whether the best of several can be told from the others.
//!
//! The best one is chosen by looking, so every pair that could have been looked at counts: Welch's t of all pairs of
//! arms, of all metrics that are shown, adjusted together by Holm. Not here: which is best. Invariant: a best one is
//! told apart only from those that it beats after the correction.

use serde::Serialize;
use trialbook_stats::{Correction, Level, Undefined, adjust, welch_t_test};

/// The share of wrong alarms that is put up with.
pub const ALPHA: f64 = 0.05;

/// How far the best one stands out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Standing {
    /// Single values: there is nothing to tell chance by.
    Single,
    /// Trials: pairs with the best one were tested.
    Trials {
        /// The places of those that it differs from.
        apart: Vec<usize>,
        /// The places of those that it cannot be told from.
        close: Vec<usize>,
        /// The places of those that cannot be tested, each with the word of the reason.
        untested: Vec<(usize, &'static str)>,
        /// Tests that were adjusted for together.
        family: usize,
    },
}

/// The p-values of all pairs of one metric.
struct Pairs {
    tested: Vec<(usize, usize, f64)>,
    untested: Vec<(usize, usize, Undefined)>,
}

/// For each metric, given the values of each subject and the places of the best: how far they stand out. `None`
/// where none is best.
pub(crate) fn standings(values: &[Vec<Vec<f64>>], best: &[&[usize]]) -> Vec<Option<Standing>> {
    let mut pairs: Vec<Pairs> = values.iter().map(|groups| pairs_of(groups)).collect();
    let tested = || pairs.iter().flat_map(|pairs| &pairs.tested);
    let raw: Vec<f64> = tested().map(|(_, _, p)| *p).collect();
    // Only an empty family has no answer, and it asks none.
    let adjusted = adjust(&raw, Correction::Holm).unwrap_or_default();
    let mut adjusted = adjusted.into_iter();
    for (_, _, p) in pairs.iter_mut().flat_map(|pairs| &mut pairs.tested) {
        *p = adjusted.next().unwrap_or(1.0);
    }
    let metrics = values.iter().zip(&pairs).zip(best);
    metrics
        .map(|((groups, pairs), best)| standing(groups, pairs, (best, raw.len())))
        .collect()
}

fn pairs_of(groups: &[Vec<f64>]) -> Pairs {
    let mut pairs = Pairs {
        tested: Vec::new(),
        untested: Vec::new(),
    };
    if groups.iter().all(|group| group.len() < 2) {
        return pairs;
    }
    for one in 0..groups.len() {
        for other in one + 1..groups.len() {
            match welch_t_test(&groups[one], &groups[other], Level::NINETY_FIVE) {
                Ok(test) => pairs.tested.push((one, other, test.p.two_sided.p)),
                Err(reason) => pairs.untested.push((one, other, reason)),
            }
        }
    }
    pairs
}

fn standing(
    groups: &[Vec<f64>],
    pairs: &Pairs,
    (best, family): (&[usize], usize),
) -> Option<Standing> {
    let first = *best.first()?;
    if groups.iter().all(|group| group.len() < 2) {
        return Some(Standing::Single);
    }
    let other = |one: usize, two: usize| match (one == first, two == first) {
        (true, _) => Some(two),
        (_, true) => Some(one),
        (false, false) => None,
    };
    let (mut apart, mut close, mut untested) = (Vec::new(), Vec::new(), Vec::new());
    for (one, two, p) in &pairs.tested {
        if let Some(at) = other(*one, *two) {
            if *p < ALPHA {
                apart.push(at);
            } else {
                close.push(at);
            }
        }
    }
    for (one, two, reason) in &pairs.untested {
        if let Some(at) = other(*one, *two).filter(|at| !groups[*at].is_empty()) {
            untested.push((at, reason.word()));
        }
    }
    Some(Standing::Trials {
        apart,
        close,
        untested,
        family,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_winner_has_to_beat_the_others_after_the_correction() {
        let near = vec![1.0, 1.1, 0.9, 1.05];
        let far = vec![9.0, 9.1, 8.9, 9.05];
        let same = vec![9.02, 9.08, 8.95, 9.01];
        let values = [vec![near, far, same, vec![7.0], Vec::new()]];
        let found = standings(&values, &[&[0]]);
        let expected = Standing::Trials {
            apart: vec![1, 2],
            close: Vec::new(),
            untested: vec![(3, "too_few_observations")],
            family: 3,
        };
        assert_eq!(found, [Some(expected)]);
        let found = standings(&values, &[&[1]]);
        let Some(Standing::Trials { close, .. }) = &found[0] else {
            panic!("{found:?}")
        };
        assert_eq!(close, &[2]);
    }

    #[test]
    fn single_values_tell_nothing() {
        let values = [vec![vec![1.0], vec![2.0]]];
        assert_eq!(standings(&values, &[&[1]]), [Some(Standing::Single)]);
        assert_eq!(standings(&values, &[&[]]), [None]);
    }
}
