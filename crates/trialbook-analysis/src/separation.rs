//! Whether the best of several can be told from the others.
//!
//! The best one is chosen by looking, so every pair that could have been looked at counts: the tests of all pairs of
//! arms, of all metrics that are shown, adjusted together by Holm. Trials that the design pairs are compared as
//! pairs, others by Welch's t, rates as rates (`analysis::rates`). Not here: which is best. Invariant: a best one is told apart only from those that it
//! beats after the correction.

use std::collections::BTreeMap;

use serde::Serialize;
use trialbook_model::config::Config;
use trialbook_model::id::ExperimentNo;
use trialbook_model::seed::SeedPolicy;
use trialbook_stats::{
    Correction, Level, TTest, Undefined, adjust, describe, paired_t_test, welch_t_test,
};

use crate::analysis::effects::{self, Pairing};
use crate::analysis::rates::{self, Compared, are_rates};
use crate::finding::{self, Effect, Span};

/// The share of wrong alarms that is put up with where nothing else is asked for.
pub const ALPHA: f64 = 0.05;

/// Whether the design of an experiment makes pairs of equal trials.
pub(crate) fn makes_pairs(config: Option<&Config>) -> bool {
    config.is_some_and(|config| config.seed_policy == SeedPolicy::Paired)
}

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

/// A subject against the baseline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contrast {
    /// The test.
    pub test: &'static str,
    /// Pairs, where pairs are compared.
    pub pairs: Option<usize>,
    /// The mean less that of the baseline; of pairs the mean of their differences.
    pub difference: f64,
    /// Its 95 % interval, not adjusted.
    pub interval: Span,
    /// The size of the effect; none where nothing varies.
    pub effect: Option<Effect>,
    /// The p-value, two-sided.
    pub p: f64,
    /// The p-value adjusted by Holm for all tests of the comparison.
    pub p_adjusted: f64,
    /// Whether the adjusted p is below alpha.
    pub differs: bool,
}

/// The values of one subject for one metric.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Group {
    /// The finite values.
    pub(crate) values: Vec<f64>,
    /// By trial, where the design of the experiment makes pairs.
    pub(crate) by_trial: Option<(ExperimentNo, BTreeMap<u64, Vec<f64>>)>,
}

/// The values of a metric that is tested.
pub(crate) struct Judged<'a> {
    pub(crate) groups: &'a [Group],
    /// The places of the best; none where nothing says which direction is better.
    pub(crate) best: &'a [usize],
}

/// Whether a metric is a rate: all its values are 0 or 1, and some subject has trials.
pub(crate) fn is_rate(groups: &[Group]) -> bool {
    groups.iter().any(|group| group.values.len() > 1)
        && groups.iter().all(|group| are_rates(&group.values))
}

/// What was found about one metric.
pub(crate) struct Found {
    pub(crate) standing: Option<Standing>,
    /// Of each subject against the baseline.
    pub(crate) contrasts: Vec<Option<Contrast>>,
}

/// A pair of subjects that was tested: the test is of the first less the second.
struct Tested {
    places: (usize, usize),
    test: Test,
    p_adjusted: f64,
}

/// What a test says of a pair.
struct Test {
    name: &'static str,
    pairs: Option<usize>,
    difference: f64,
    interval: Option<Span>,
    /// That of shares; that of means takes longer and is found where it is told.
    effect: Option<Effect>,
    p: f64,
}

impl Test {
    fn of_t(test: &TTest, pairs: Option<usize>) -> Self {
        Self {
            effect: None,
            name: test.variant.name(),
            pairs,
            difference: test.estimate,
            interval: Some(Span::of(test.interval, "t")),
            p: test.p.two_sided.p,
        }
    }

    fn of_rates(found: Compared, pairs: Option<usize>) -> Self {
        let found = finding::Tested::from(found);
        Self {
            name: found.test,
            pairs,
            difference: found.difference,
            interval: found.interval,
            effect: found.effect,
            p: found.p,
        }
    }
}

/// All pairs of one metric.
struct Pairs {
    tested: Vec<Tested>,
    untested: Vec<(usize, usize, Undefined)>,
}

/// For each metric how far the best stand out (`None` where none is best), and each subject against the baseline.
pub(crate) fn found(metrics: &[Judged<'_>], baseline: usize, alpha: f64) -> Vec<Found> {
    let mut pairs: Vec<Pairs> = metrics.iter().map(|it| pairs_of(it.groups)).collect();
    let tested = || pairs.iter().flat_map(|pairs| &pairs.tested);
    let raw: Vec<f64> = tested().map(|it| it.test.p).collect();
    // Only an empty family has no answer, and it asks none.
    let adjusted = adjust(&raw, Correction::Holm).unwrap_or_default();
    let mut adjusted = adjusted.into_iter();
    for tested in pairs.iter_mut().flat_map(|pairs| &mut pairs.tested) {
        tested.p_adjusted = adjusted.next().unwrap_or(1.0);
    }
    let metrics = metrics.iter().zip(&pairs);
    let of = |(metric, pairs): (&Judged<'_>, &Pairs)| Found {
        standing: standing(metric, pairs, (alpha, raw.len())),
        contrasts: (0..metric.groups.len())
            .map(|at| contrast((pairs, metric.groups), (at, baseline), alpha))
            .collect(),
    };
    metrics.map(of).collect()
}

fn pairs_of(groups: &[Group]) -> Pairs {
    let mut pairs = Pairs {
        tested: Vec::new(),
        untested: Vec::new(),
    };
    if groups.iter().all(|group| group.values.len() < 2) {
        return pairs;
    }
    let test = if is_rate(groups) {
        test_of_rates
    } else {
        test_of_means
    };
    for one in 0..groups.len() {
        for other in one + 1..groups.len() {
            match test(&groups[one], &groups[other]) {
                Ok(test) => pairs.tested.push(Tested {
                    places: (one, other),
                    test,
                    p_adjusted: 1.0,
                }),
                Err(reason) => pairs.untested.push((one, other, reason)),
            }
        }
    }
    pairs
}

/// The paired t where the design makes pairs of both, repeats averaged first; else Welch's.
fn test_of_means(one: &Group, other: &Group) -> Result<Test, Undefined> {
    let level = Level::NINETY_FIVE;
    Ok(match matched(one, other) {
        Some((ours, theirs)) => {
            Test::of_t(&paired_t_test(&ours, &theirs, level)?, Some(ours.len()))
        }
        None => Test::of_t(&welch_t_test(&one.values, &other.values, level)?, None),
    })
}

/// The tests of shares that an analysis makes; pairs whose repeats were averaged are no shares.
fn test_of_rates(one: &Group, other: &Group) -> Result<Test, Undefined> {
    let level = Level::NINETY_FIVE;
    Ok(match matched(one, other) {
        Some((ours, theirs)) if are_rates(&ours) && are_rates(&theirs) => {
            Test::of_rates(rates::paired(&ours, &theirs, level)?, Some(ours.len()))
        }
        Some(_) => test_of_means(one, other)?,
        None => {
            let both = [one, other].map(|group| rates::rate(&group.values));
            Test::of_rates(rates::unpaired(both, level)?, None)
        }
    })
}

/// The values of equal trials, repeats averaged, where the design makes pairs of both.
fn matched(one: &Group, other: &Group) -> Option<(Vec<f64>, Vec<f64>)> {
    let (left, ours) = one.by_trial.as_ref()?;
    let (right, theirs) = other.by_trial.as_ref()?;
    if left != right {
        return None;
    }
    let mean = |values: &[f64]| describe(values).ok().map(|it| it.mean);
    let both = ours
        .iter()
        .filter_map(|(trial, values)| Some((mean(values)?, mean(theirs.get(trial)?)?)));
    Some(both.unzip())
}

/// The effect of a t test, by the values that it takes.
fn size_of_means(one: &Group, other: &Group) -> Option<Effect> {
    let level = Level::NINETY_FIVE;
    let found = match matched(one, other) {
        Some((ours, theirs)) => effects::size((&ours, &theirs), Pairing::Paired, level),
        None => effects::size((&one.values, &other.values), Pairing::Apart, level),
    };
    found.map(|(effect, _)| effect)
}

fn contrast(
    (pairs, groups): (&Pairs, &[Group]),
    (at, baseline): (usize, usize),
    alpha: f64,
) -> Option<Contrast> {
    let tested = pairs
        .tested
        .iter()
        .find(|tested| tested.places == (at, baseline) || tested.places == (baseline, at))?;
    let test = &tested.test;
    let found = test.interval.as_ref()?;
    let is_turned = tested.places.0 != at;
    let (difference, low, high) = if is_turned {
        (-test.difference, -found.high, -found.low)
    } else {
        (test.difference, found.low, found.high)
    };
    let of_shares = test.effect.clone();
    let of_shares = of_shares.map(|it| if is_turned { it.turned() } else { it });
    let effect = of_shares.or_else(|| size_of_means(&groups[at], &groups[baseline]));
    Some(Contrast {
        test: test.name,
        pairs: test.pairs,
        difference,
        interval: Span {
            low,
            high,
            method: found.method,
        },
        effect,
        p: test.p,
        p_adjusted: tested.p_adjusted,
        differs: tested.p_adjusted < alpha,
    })
}

fn standing(metric: &Judged<'_>, pairs: &Pairs, (alpha, family): (f64, usize)) -> Option<Standing> {
    let first = *metric.best.first()?;
    let groups = metric.groups;
    if groups.iter().all(|group| group.values.len() < 2) {
        return Some(Standing::Single);
    }
    let other = |one: usize, two: usize| match (one == first, two == first) {
        (true, _) => Some(two),
        (_, true) => Some(one),
        (false, false) => None,
    };
    let (mut apart, mut close, mut untested) = (Vec::new(), Vec::new(), Vec::new());
    for tested in &pairs.tested {
        if let Some(at) = other(tested.places.0, tested.places.1) {
            if tested.p_adjusted < alpha {
                apart.push(at);
            } else {
                close.push(at);
            }
        }
    }
    for (one, two, reason) in &pairs.untested {
        if let Some(at) = other(*one, *two).filter(|at| !groups[*at].values.is_empty()) {
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

    fn groups(values: &[&[f64]]) -> Vec<Group> {
        let group = |values: &&[f64]| Group {
            values: values.to_vec(),
            by_trial: None,
        };
        values.iter().map(group).collect()
    }

    fn standings(groups: &[Group], best: &[usize]) -> Option<Standing> {
        let judged = Judged { groups, best };
        found(&[judged], 0, ALPHA).remove(0).standing
    }

    #[test]
    fn a_winner_has_to_beat_the_others_after_the_correction() {
        let near = [1.0, 1.1, 0.9, 1.05];
        let far = [9.0, 9.1, 8.9, 9.05];
        let same = [9.02, 9.08, 8.95, 9.01];
        let values = groups(&[&near, &far, &same, &[7.0], &[]]);
        let expected = Standing::Trials {
            apart: vec![1, 2],
            close: Vec::new(),
            untested: vec![(3, "too_few_observations")],
            family: 3,
        };
        assert_eq!(standings(&values, &[0]), Some(expected));
        let found = standings(&values, &[1]);
        let Some(Standing::Trials { close, .. }) = &found else {
            panic!("{found:?}")
        };
        assert_eq!(close, &[2]);
    }

    #[test]
    fn single_values_tell_nothing() {
        let values = groups(&[&[1.0], &[2.0]]);
        assert_eq!(standings(&values, &[1]), Some(Standing::Single));
        assert_eq!(standings(&values, &[]), None);
    }

    /// Trials far from each other of arms near each other: only pairs tell the arms apart.
    /// `scipy.stats.ttest_rel([1.1, 2.2, 3.1, 4.2], [1, 2, 3, 4])`: p = 0.013847; unpaired p = 0.876.
    #[test]
    fn trials_that_the_design_pairs_are_compared_as_pairs() {
        let group = |experiment: u64, values: &[f64]| Group {
            values: values.to_vec(),
            by_trial: Some((
                ExperimentNo(experiment),
                (1_u64..)
                    .zip(values.iter().map(|value| vec![*value]))
                    .collect(),
            )),
        };
        let base = group(1, &[1.0, 2.0, 3.0, 4.0]);
        let check = |other: Group, test: &str, pairs: Option<usize>, p: f64| {
            let groups = [base.clone(), other];
            let judged = Judged {
                groups: &groups,
                best: &[1],
            };
            let found = found(&[judged], 0, ALPHA).remove(0);
            let contrast = found.contrasts[1].as_ref().unwrap();
            assert_eq!((contrast.test, contrast.pairs), (test, pairs));
            assert!((contrast.p - p).abs() < 1e-3, "{contrast:?}");
            assert!((contrast.difference - 0.15).abs() < 1e-12);
            assert!(contrast.interval.low < 0.15 && contrast.interval.high > 0.15);
            let effect = contrast.effect.as_ref().unwrap();
            assert!(effect.estimate > 0.0, "{effect:?}");
            let span = effect.interval.as_ref().unwrap();
            assert!(span.low < effect.estimate && effect.estimate < span.high);
            assert!(found.contrasts[0].is_none());
        };
        let values = [1.1, 2.2, 3.1, 4.2];
        let paired = trialbook_stats::TVariant::Paired.name();
        let welch = trialbook_stats::TVariant::Welch.name();
        check(group(1, &values), paired, Some(4), 0.013_847);
        check(group(2, &values), welch, None, 0.876);
    }

    /// As an analysis tests them: `scipy.stats.fisher_exact([[1, 4], [5, 0]])`, and McNemar's `binomtest(0, 4)`.
    #[test]
    fn rates_are_tested_as_rates() {
        let (few, all) = ([1.0, 0.0, 0.0, 0.0, 0.0], [1.0; 5]);
        let contrast = |groups: &[Group]| {
            let judged = Judged { groups, best: &[] };
            let found = found(&[judged], 1, ALPHA).remove(0);
            assert_eq!(found.standing, None, "nothing is best");
            found.contrasts[0].clone().unwrap()
        };
        let mut values = groups(&[&few, &all]);
        let found = contrast(&values);
        assert_eq!((found.test, found.pairs), ("Fisher's exact test", None));
        assert!((found.p - 1.0 / 21.0).abs() < 1e-12, "{found:?}");
        assert_eq!(found.interval.method, "Newcombe");
        assert!(found.interval.low >= -1.0 && found.interval.high < 0.0);
        for group in &mut values {
            let trials = (1_u64..).zip(group.values.iter().map(|value| vec![*value]));
            group.by_trial = Some((ExperimentNo(1), trials.collect()));
        }
        let found = contrast(&values);
        assert_eq!((found.test, found.pairs), ("McNemar's exact test", Some(5)));
        assert!((found.p - 0.125).abs() < 1e-12, "{found:?}");
        assert!(!is_rate(&groups(&[&[1.0], &[0.0]])) && !is_rate(&groups(&[&few, &[0.5]])));
    }
}
