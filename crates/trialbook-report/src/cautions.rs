//! What to be careful about, in words.
//!
//! Invariant: each sentence says what was found, not what might be.

use trialbook_analysis::comparison::Caution;
use trialbook_analysis::finding::Warning;

use crate::figures::{count, percent, short};
use crate::page::{listed, some};

/// Subjects that are named one by one.
const NAMED: usize = 5;

/// A caution of a comparison.
pub fn of_comparison(caution: &Caution) -> String {
    match caution {
        Caution::AcrossExperiments { experiments } => format!(
            "these belong to different experiments ({}): they may differ in more than is recorded",
            some(experiments, NAMED)
        ),
        Caution::Missing { metric, subjects } => {
            format!("{} {} no `{metric}`", some(subjects, NAMED), has(subjects))
        }
        Caution::Units { metric, units } => format!(
            "the unit of `{metric}` is defined differently ({}): the values are compared as they are",
            listed(units)
        ),
        Caution::NotFinite { metric, values } => format!(
            "{} of `{metric}` {} not finite and left out of means and differences",
            count(*values, "value"),
            if *values == 1 { "is" } else { "are" },
        ),
        Caution::Skewed { metric, subjects } => format!(
            "few values of `{metric}` that are skewed ({}): t intervals come out too narrow; `trialbook analyze` shows bootstrap-t beside them",
            some(subjects, NAMED)
        ),
        Caution::BestOfSeries => best_of_series(),
    }
}

/// A warning of an analysis.
pub fn of_analysis(warning: &Warning) -> String {
    match warning {
        Warning::Peeked { look } => peeked(*look),
        Warning::OtherQuestions { question } => other_questions(*question),
        Warning::FewTrials { arms, enough } => few_trials(arms, *enough),
        Warning::Excluded {
            arm,
            failed,
            cancelled,
            open,
        } => excluded(arm, [*failed, *cancelled, *open]),
        Warning::Missing { metric, arms } => missing(metric, arms),
        Warning::NotFinite { metric, arms } => not_finite(metric, arms),
        Warning::Identical { metric, arms } => identical(metric, arms),
        Warning::AllOrNone { metric, arms } => all_or_none(metric, arms),
        Warning::FewForRate {
            metric,
            arms,
            enough,
        } => few_for_rate(metric, arms, *enough),
        Warning::UnequalVariance { metric, arm, ratio } => unequal(metric, arm, *ratio),
        Warning::PooledVariance { metric, arm, ratio } => pooled(metric, arm, *ratio),
        Warning::Skewed { metric, arms } => skewed(metric, arms),
        Warning::Autocorrelated {
            metric,
            arm,
            correlation,
        } => autocorrelated(metric, arm, *correlation),
        Warning::NegativePairs {
            metric,
            arm,
            correlation,
        } => negative_pairs(metric, arm, *correlation),
        Warning::Unmatched {
            metric,
            arm,
            values,
        } => unmatched(metric, arm, *values),
        Warning::Tied { metric, arm, share } => tied(metric, arm, *share),
        Warning::NormalRanks { metric, arm, n } => normal_ranks(metric, arm, *n),
        Warning::Retried { arms } => retried(arms),
        Warning::ChangedEnvironment {
            different,
            keys,
            between_arms,
        } => {
            let where_to = between_arms.then_some(
                "; it differs between arms, so that arm and surroundings cannot be told apart",
            );
            surroundings(*different, keys, where_to.unwrap_or_default())
        }
        Warning::Outside { runs } => outside(*runs),
        Warning::Archived { runs } => archived(*runs),
        Warning::BestOfSeries => best_of_series(),
    }
}

fn missing(metric: &str, arms: &[(String, u64)]) -> String {
    let arms = counts(arms);
    format!("completed trials without {metric} are left out ({arms})")
}

fn not_finite(metric: &str, arms: &[(String, u64)]) -> String {
    let arms = counts(arms);
    format!("values of {metric} that are not finite are left out ({arms})")
}

fn archived(runs: u64) -> String {
    let are = if runs == 1 { "is" } else { "are" };
    format!("{} {are} left out", count(runs, "archived run"))
}

fn outside(runs: u64) -> String {
    let belong = if runs == 1 {
        "belongs to no arm and is"
    } else {
        "belong to no arm and are"
    };
    format!("{} {belong} left out", count(runs, "run"))
}

fn peeked(look: u64) -> String {
    format!(
        "look {look} of this question: it was answered before, on other data; the fixed-n p is optimistic, because \
         it counts this look alone"
    )
}

fn other_questions(question: u64) -> String {
    format!(
        "this is question {question} about this experiment; corrections do not reach across questions"
    )
}

fn few_trials(arms: &[(String, u64)], enough: u64) -> String {
    format!(
        "few trials ({}): below {enough} the interval leans on normal values and can miss much",
        counts(arms)
    )
}

/// Trials that failed, were cancelled, have not ended.
fn excluded(arm: &str, numbers: [u64; 3]) -> String {
    let parts = numbers.iter().zip(["failed", "cancelled", "not ended"]);
    let parts = parts.filter(|(number, _)| **number > 0);
    let parts: Vec<String> = parts
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    format!(
        "{arm}: {} left out, which can favour an arm whose bad trials fail",
        trials_that(&parts, numbers.iter().sum())
    )
}

fn identical(metric: &str, arms: &[String]) -> String {
    format!(
        "{metric} is constant within {}: such trials may not be independent",
        listed(arms)
    )
}

fn all_or_none(metric: &str, arms: &[(String, u64, u64)]) -> String {
    let three = |n: u64| percent((3.0 / n as f64).min(1.0), n);
    let arms: Vec<String> = arms
        .iter()
        .map(|(arm, hits, n)| format!("{arm}: {hits} of {n}, {}", three(*n)))
        .collect();
    format!(
        "{metric} is the same in all trials ({}): by the rule of three the share may still be as far from that as the \
         percent say",
        arms.join("; ")
    )
}

fn few_for_rate(metric: &str, arms: &[(String, u64)], enough: u64) -> String {
    format!(
        "{metric} of few trials ({}): below {enough} a share says little, and its interval is wide",
        counts(arms)
    )
}

fn unequal(metric: &str, arm: &str, ratio: f64) -> String {
    format!(
        "{metric}: the variances of {arm} and the baseline differ {} times and so do their numbers; Welch's test \
         allows for it",
        short_ratio(ratio)
    )
}

fn pooled(metric: &str, arm: &str, ratio: f64) -> String {
    format!(
        "{metric}: Student's test takes the variances of {arm} and the baseline to be equal; they differ {} times",
        short_ratio(ratio)
    )
}

fn skewed(metric: &str, arms: &[(String, f64)]) -> String {
    let arms: Vec<String> = arms
        .iter()
        .map(|(arm, skewness)| format!("{arm}: {skewness:.1}"))
        .collect();
    format!(
        "{metric} is skewed (skewness {}) with fewer than 200 values: t intervals come out too narrow",
        arms.join(", ")
    )
}

fn autocorrelated(metric: &str, arm: &str, correlation: f64) -> String {
    let how = if correlation < 0.0 {
        "alternate"
    } else {
        "resemble each other"
    };
    format!(
        "{metric}: neighbouring trials of {arm} {how} (correlation {correlation:.2}): they may not be independent"
    )
}

fn negative_pairs(metric: &str, arm: &str, correlation: f64) -> String {
    format!(
        "{metric}: pairs of {arm} and the baseline vary against each other (correlation {correlation:.2}): pairing \
         costs precision here"
    )
}

fn unmatched(metric: &str, arm: &str, values: u64) -> String {
    format!(
        "{metric}: {} of {arm} and the baseline without a partner are left out",
        count(values, "value")
    )
}

fn tied(metric: &str, arm: &str, share: f64) -> String {
    format!(
        "{metric}: {} of the values of {arm} and the baseline are tied: their ranks say little",
        percent(share, 1)
    )
}

fn normal_ranks(metric: &str, arm: &str, n: u64) -> String {
    format!(
        "{metric}: p of {arm} against the baseline is by the normal distribution, of {n} values on the smaller side: \
         below 20 that is rough"
    )
}

fn retried(arms: &[(String, u64)]) -> String {
    format!(
        "trials that took more than one attempt ({}): the attempt that counts was chosen by its outcome",
        counts(arms)
    )
}

fn surroundings(different: u64, keys: &[String], where_to: &str) -> String {
    format!(
        "the trials ran in {different} different surroundings ({}){where_to}",
        some(keys, NAMED)
    )
}

/// The best value was chosen by looking.
fn best_of_series() -> String {
    "the best value of each series counts: that favours runs with more points and more noise"
        .to_owned()
}

fn counts(arms: &[(String, u64)]) -> String {
    let arms: Vec<String> = arms
        .iter()
        .map(|(arm, number)| format!("{arm}: {number}"))
        .collect();
    some(&arms, NAMED)
}

fn trials_that(parts: &[String], number: u64) -> String {
    let is = if number == 1 {
        "trial is"
    } else {
        "trials are"
    };
    format!("{} {is}", parts.join(", "))
}

fn short_ratio(ratio: f64) -> String {
    short((10.0 * ratio).round() / 10.0)
}

const fn has(subjects: &[String]) -> &'static str {
    if subjects.len() == 1 { "has" } else { "have" }
}
