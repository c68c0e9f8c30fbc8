//! Correlations.

use trialbook_stats::{Level, StudentForm, kendall, pearson, spearman};

use crate::args::Args;
use crate::found::{Outcome, p_values, record};

/// Functions of this family that the crate does not offer.
pub(crate) const NOT_OFFERED: &[&str] = &[];

/// Asks the crate.
pub(crate) fn ask(function: &str, args: &Args<'_>) -> Option<Outcome> {
    match function {
        "pearson" => Some(of_pearson(args)),
        "spearman" => Some(of_spearman(args)),
        "kendall" => Some(of_kendall(args)),
        _ => None,
    }
}

fn of_pearson(args: &Args<'_>) -> Outcome {
    let found = pearson(&args.sample("x"), &args.sample("y"), Level::NINETY_FIVE)?;
    let test = |of: fn(StudentForm) -> f64| found.test.map(of);
    Ok(record! {
        "r" => found.r,
        "n" => found.n,
        "t" => test(|test| test.t),
        "df" => test(|test| test.df as f64),
        "p_two_sided" => test(|test| test.p.two_sided.p),
        "p_less" => test(|test| test.p.less.p),
        "p_greater" => test(|test| test.p.greater.p),
        "ln_p_two_sided" => test(|test| test.p.two_sided.ln_p),
        "ci95" => found.interval.map(|interval| (interval.low, interval.high)),
    })
}

fn of_spearman(args: &Args<'_>) -> Outcome {
    let found = spearman(&args.sample("x"), &args.sample("y"), Level::NINETY_FIVE)?;
    let test = |of: fn(StudentForm) -> f64| found.test.map(of);
    Ok(record! {
        "rho" => found.rho,
        "n" => found.n,
        "t" => test(|test| test.t),
        "p_two_sided" => test(|test| test.p.two_sided.p),
        "p_less" => test(|test| test.p.less.p),
        "p_greater" => test(|test| test.p.greater.p),
        "exact" => found.exact.map(p_values),
    })
}

fn of_kendall(args: &Args<'_>) -> Outcome {
    let found = kendall(&args.sample("x"), &args.sample("y"))?;
    Ok(record! {
        "tau_b" => found.tau_b,
        "concordant" => found.concordant,
        "discordant" => found.discordant,
        "s" => found.s as f64,
        "tau_a" => found.tau_a,
        "z" => found.normal.z,
        "asymptotic" => p_values(found.normal.p),
        "exact" => found.exact.map(p_values),
    })
}
