//! Resampling.

use trialbook_stats::{
    Arrangements, Bca, BootstrapIntervals, Draws, Interval, Level, Permutation, Statistic,
    Undefined, bootstrap_exact, intervals_from_replicates, monte_carlo_p, permute_difference,
    permute_signs,
};

use crate::args::Args;
use crate::found::{Found, Outcome, record};

/// Functions of this family that the crate does not offer.
pub(crate) const NOT_OFFERED: &[&str] = &[];

/// Asks the crate.
pub(crate) fn ask(function: &str, args: &Args<'_>) -> Option<Outcome> {
    match function {
        "bootstrap_full_enumeration" => Some(enumerated(args)),
        "bootstrap_interval_from_replicates" => Some(from_replicates(args)),
        "permutation_mean_difference" => Some(difference(args)),
        "permutation_paired_mean" => Some(paired(args)),
        "monte_carlo_p_value" => Some(monte_carlo(args)),
        _ => None,
    }
}

fn pair(interval: Interval) -> (f64, f64) {
    (interval.low, interval.high)
}

fn bca(found: Result<Bca, Undefined>) -> Found {
    found.map_or_else(Found::Undefined, |bca| {
        record! {
            "z0" => bca.z0,
            "acceleration" => bca.acceleration,
            "alpha_low" => bca.alpha_low,
            "alpha_high" => bca.alpha_high,
            "interval" => pair(bca.interval),
        }
    })
}

fn enumerated(args: &Args<'_>) -> Outcome {
    let x = args.sample("x");
    let statistic = match args.word("statistic") {
        "mean" => Statistic::Mean,
        "median" => Statistic::Median,
        "sd" => Statistic::Sd,
        other => panic!("statistic `{other}`"),
    };
    let found = bootstrap_exact(&x, statistic, Level::NINETY_FIVE)?;
    let BootstrapIntervals {
        se,
        percentile,
        basic,
        bca: corrected,
    } = found.intervals;
    Ok(record! {
        "theta" => found.estimate,
        "n_resamples" => found.resamples,
        "se" => se,
        "percentile95" => pair(percentile),
        "basic95" => pair(basic),
        "bca95" => bca(corrected),
    })
}

fn from_replicates(args: &Args<'_>) -> Outcome {
    let found = intervals_from_replicates(
        args.number("theta"),
        &args.sample("replicates"),
        &args.sample("jackknife"),
        Level::new(args.number("level"))?,
    )?;
    Ok(record! {
        "percentile" => pair(found.percentile),
        "basic" => pair(found.basic),
        "bca" => bca(found.bca),
        "se" => found.se,
    })
}

/// All arrangements are few enough in the oracles, so that nothing is drawn.
const UNUSED: Draws = Draws::new(0, 1);

fn tried(found: &Permutation) -> u64 {
    match found.arrangements {
        Arrangements::All(all) => all,
        Arrangements::Drawn(draws) => panic!("{draws} arrangements are drawn"),
    }
}

fn difference(args: &Args<'_>) -> Outcome {
    let found = permute_difference(&args.sample("x"), &args.sample("y"), UNUSED)?;
    Ok(record! {
        "statistic" => found.statistic,
        "n_permutations" => tried(&found),
        "p_greater" => found.p.greater.p,
        "p_less" => found.p.less.p,
        "p_two_sided_abs" => found.p.two_sided.p,
        "p_two_sided_doubled" => found.p_doubled.p,
    })
}

fn paired(args: &Args<'_>) -> Outcome {
    let found = permute_signs(&args.sample("d"), UNUSED)?;
    Ok(record! {
        "statistic" => found.statistic,
        "n_permutations" => tried(&found),
        "p_greater" => found.p.greater.p,
        "p_less" => found.p.less.p,
        "p_two_sided" => found.p.two_sided.p,
    })
}

fn monte_carlo(args: &Args<'_>) -> Outcome {
    let cases = args.value("cases").as_array().unwrap();
    let p: Result<Vec<f64>, Undefined> = cases
        .iter()
        .map(|case| {
            let count = |at: usize| case[at].as_u64().ok_or(Undefined::DomainError);
            monte_carlo_p(count(0)?, count(1)?)
        })
        .collect();
    Ok(record! { "p" => p? })
}
