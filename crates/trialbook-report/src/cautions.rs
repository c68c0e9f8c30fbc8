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
        Caution::BestOfSeries => {
            "the best value of each series counts: that favours runs with more \
             points and more noise"
                .to_owned()
        }
    }
}

/// A warning of an analysis.
#[expect(
    clippy::too_many_lines,
    reason = "one list: a sentence for each warning"
)]
pub fn of_analysis(warning: &Warning) -> String {
    match warning {
        Warning::Peeked { look } => format!(
            "look {look} of this question: it was answered before, on other data; the fixed-n p is optimistic, because \
             it counts this look alone"
        ),
        Warning::OtherQuestions { question } => format!(
            "this is question {question} about this experiment; corrections do not reach across questions"
        ),
        Warning::FewTrials { arms, enough } => format!(
            "few trials ({}): below {enough} the interval leans on normal values and can miss much",
            counts(arms)
        ),
        Warning::Excluded {
            arm,
            failed,
            cancelled,
            open,
        } => {
            let parts = [
                (failed, "failed"),
                (cancelled, "cancelled"),
                (open, "not ended"),
            ];
            let parts = parts.iter().filter(|(number, _)| **number > 0);
            let parts: Vec<String> = parts
                .map(|(number, word)| format!("{number} {word}"))
                .collect();
            format!(
                "{arm}: {} left out, which can favour an arm whose bad trials fail",
                trials_that(&parts, *failed + *cancelled + *open)
            )
        }
        Warning::Missing { metric, arms } => {
            format!(
                "completed trials without {metric} are left out ({})",
                counts(arms)
            )
        }
        Warning::NotFinite { metric, arms } => {
            format!(
                "values of {metric} that are not finite are left out ({})",
                counts(arms)
            )
        }
        Warning::Identical { metric, arms } => format!(
            "{metric} is constant within {}: such trials may not be independent",
            listed(arms)
        ),
        Warning::AllOrNone { metric, arms } => {
            let three = |n: u64| percent((3.0 / n as f64).min(1.0), n);
            let arms: Vec<String> = arms
                .iter()
                .map(|(arm, hits, n)| format!("{arm}: {hits} of {n}, {}", three(*n)))
                .collect();
            format!(
                "{metric} is the same in all trials ({}): by the rule of three the share may still be as far from that \
                 as the percent say",
                arms.join("; ")
            )
        }
        Warning::UnequalVariance { metric, arm, ratio } => format!(
            "{metric}: the variances of {arm} and the baseline differ {} times and so do their numbers; Welch's \
             test allows for it",
            short_ratio(*ratio)
        ),
        Warning::PooledVariance { metric, arm, ratio } => format!(
            "{metric}: Student's test takes the variances of {arm} and the baseline to be equal; they differ {} times",
            short_ratio(*ratio)
        ),
        Warning::Skewed { metric, arms } => {
            let arms: Vec<String> = arms
                .iter()
                .map(|(arm, skewness)| format!("{arm}: {skewness:.1}"))
                .collect();
            format!(
                "{metric} is skewed (skewness {}) with fewer than 200 values: t intervals come out too narrow",
                arms.join(", ")
            )
        }
        Warning::Autocorrelated {
            metric,
            arm,
            correlation,
        } => format!(
            "{metric}: neighbouring trials of {arm} resemble each other (correlation {correlation:.2}): they may not be \
             independent"
        ),
        Warning::NegativePairs {
            metric,
            arm,
            correlation,
        } => format!(
            "{metric}: pairs of {arm} and the baseline vary against each other (correlation {correlation:.2}): pairing \
             costs precision here"
        ),
        Warning::Unmatched {
            metric,
            arm,
            values,
        } => format!(
            "{metric}: {} of {arm} and the baseline without a partner are left out",
            count(*values, "value")
        ),
        Warning::Tied { metric, arm, share } => format!(
            "{metric}: {} of the values of {arm} and the baseline are tied: their ranks say little",
            percent(*share, 1)
        ),
        Warning::NormalRanks { metric, arm, n } => format!(
            "{metric}: p of {arm} against the baseline is by the normal distribution, of {n} values on the smaller \
             side: below 20 that is rough"
        ),
        Warning::Retried { arms } => format!(
            "trials that took more than one attempt ({}): the attempt that counts was chosen by its outcome",
            counts(arms)
        ),
        Warning::ChangedEnvironment {
            different,
            keys,
            between_arms,
        } => {
            let where_to = if *between_arms {
                "; it differs between arms, so that arm and surroundings cannot be told apart"
            } else {
                ""
            };
            format!(
                "the trials ran in {different} different surroundings ({}){where_to}",
                some(keys, NAMED)
            )
        }
        Warning::Outside { runs } => {
            format!("{} belong to no arm and are left out", count(*runs, "run"))
        }
        Warning::BestOfSeries => {
            "the best value of each series counts: that favours runs with more points and more \
             noise"
                .to_owned()
        }
    }
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
