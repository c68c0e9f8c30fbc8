//! t tests and tests of equivalence.

use trialbook_stats::{
    Equivalence, Interval, Level, TTest, Undefined, one_sample_t_test, paired_t_test,
    student_t_test, welch_t_test,
};

use crate::args::Args;
use crate::found::{Found, Outcome, record};

/// Functions of this family that the crate does not offer.
pub(crate) const NOT_OFFERED: &[&str] = &[];

/// Asks the crate.
pub(crate) fn ask(function: &str, args: &Args<'_>) -> Option<Outcome> {
    Some(match function {
        "t_test_student" => two(args, student_t_test),
        "t_test_welch" => two(args, welch_t_test),
        "t_test_paired" => paired(args),
        "t_test_one_sample" => one(args),
        "tost_student" => equivalence(args, student_t_test),
        "tost_welch" => equivalence(args, welch_t_test),
        _ => return None,
    })
}

type TwoSamples = fn(&[f64], &[f64], Level) -> Result<TTest, Undefined>;

fn common(test: &TTest) -> Found {
    let at = |share: f64| Level::new(share).map(|level| ends(test.interval_at(level)));
    record! {
        "statistic" => test.statistic,
        "df" => test.df,
        "estimate" => test.estimate,
        "se" => test.se,
        "p_two_sided" => test.p.two_sided.p,
        "p_less" => test.p.less.p,
        "p_greater" => test.p.greater.p,
        "ln_p_two_sided" => test.p.two_sided.ln_p,
        "ci90" => at(0.9),
        "ci95" => ends(test.interval),
        "ci99" => at(0.99),
    }
}

fn ends(interval: Interval) -> (f64, f64) {
    (interval.low, interval.high)
}

fn two(args: &Args<'_>, test: TwoSamples) -> Outcome {
    let test = test(&args.sample("x"), &args.sample("y"), Level::NINETY_FIVE)?;
    Ok(common(&test)
        .with("mean_x".to_owned(), test.mean1)
        .with("mean_y".to_owned(), test.mean2))
}

fn paired(args: &Args<'_>) -> Outcome {
    let test = paired_t_test(&args.sample("x"), &args.sample("y"), Level::NINETY_FIVE)?;
    Ok(common(&test).with("cohen_dz".to_owned(), test.standardized()))
}

fn one(args: &Args<'_>) -> Outcome {
    let test = one_sample_t_test(&args.sample("x"), args.number("mu"), Level::NINETY_FIVE)?;
    Ok(common(&test).with("cohen_d".to_owned(), test.standardized()))
}

fn equivalence(args: &Args<'_>, test: TwoSamples) -> Outcome {
    let test = test(&args.sample("x"), &args.sample("y"), Level::NINETY_FIVE)?;
    let margins = Interval::new(args.number("low"), args.number("high"));
    let found: Equivalence = test.equivalence(margins)?;
    Ok(record! {
        "t_lower" => found.t_lower,
        "p_lower" => found.p_lower.p,
        "t_upper" => found.t_upper,
        "p_upper" => found.p_upper.p,
        "p" => found.p.p,
        "df" => found.df,
        "ci90" => ends(found.interval90),
    })
}
