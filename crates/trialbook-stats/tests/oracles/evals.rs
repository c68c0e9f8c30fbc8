//! Error bars of evaluations.

use trialbook_stats::{
    Clustered, EvalPlan, Interval, Level, Undefined, eval_sample_size, mean_error, paired_error,
    pass_rates, quantile_interval, ratio_of_means, repeated_error,
};

use crate::args::{Args, count};
use crate::found::{Found, Outcome, record};

/// Functions of this family that the crate does not offer.
pub(crate) const NOT_OFFERED: &[&str] = &[];

/// Asks the crate.
pub(crate) fn ask(function: &str, args: &Args<'_>) -> Option<Outcome> {
    match function {
        "eval_mean_se" => Some(of_mean(args)),
        "eval_paired_difference" => Some(of_pairs(args)),
        "eval_variance_decomposition" => Some(of_repeats(args)),
        "eval_sample_size" => Some(sample_size(args)),
        "pass_at_k" => Some(pass(args)),
        "ratio_of_means" => Some(ratio(args)),
        "quantile_ci_order_statistics" => Some(quantile(args)),
        _ => None,
    }
}

fn pair(interval: Interval) -> (f64, f64) {
    (interval.low, interval.high)
}

/// The label of each item, where there are some.
fn clusters(args: &Args<'_>) -> Option<Vec<String>> {
    args.has("clusters").then(|| {
        let labels = args.value("clusters").as_array().unwrap();
        labels.iter().map(ToString::to_string).collect()
    })
}

fn of_mean(args: &Args<'_>) -> Outcome {
    let clusters = clusters(args);
    let found = mean_error(
        &args.sample("scores"),
        clusters.as_deref(),
        Level::NINETY_FIVE,
    )?;
    let clustered = |of: fn(Clustered) -> Option<f64>| found.clustered.and_then(of);
    Ok(record! {
        "n" => found.n,
        "mean" => found.mean,
        "se_clt" => found.se,
        "se_bernoulli" => found.se_bernoulli,
        "n_clusters" => clustered(|found| Some(found.clusters as f64)),
        "se_clustered_miller" => clustered(|found| Some(found.se_miller)),
        "se_cr0" => clustered(|found| Some(found.se_cr0)),
        "se_cr1" => clustered(|found| found.se_cr1),
    })
}

fn of_pairs(args: &Args<'_>) -> Outcome {
    let clusters = clusters(args);
    let found = paired_error(
        &args.sample("a"),
        &args.sample("b"),
        clusters.as_deref(),
        Level::NINETY_FIVE,
    )?;
    let clustered = |of: fn(Clustered) -> Option<f64>| found.clustered.and_then(of);
    Ok(record! {
        "difference" => found.difference,
        "se_paired" => found.se,
        "se_unpaired" => found.se_unpaired,
        "covariance" => found.covariance,
        "correlation" => found.correlation,
        "z" => found.normal.map(|normal| normal.z),
        "p_two_sided_z" => found.normal.map(|normal| normal.p.two_sided.p),
        "p_two_sided_t" => found.t.map(|t| t.p.two_sided.p),
        "se_paired_clustered_miller" => clustered(|found| Some(found.se_miller)),
        "se_paired_cr0" => clustered(|found| Some(found.se_cr0)),
        "se_paired_cr1" => clustered(|found| found.se_cr1),
        "n_clusters" => clustered(|found| Some(found.clusters as f64)),
    })
}

fn of_repeats(args: &Args<'_>) -> Outcome {
    let found = repeated_error(&args.samples("table"))?;
    Ok(record! {
        "mean" => found.mean,
        "within" => found.within,
        "variance_of_question_means" => found.of_means,
        "between_unbiased" => found.between,
        "se_mean" => found.se,
    })
}

fn sample_size(args: &Args<'_>) -> Outcome {
    let repeats = |name| u32::try_from(args.count(name)?).or(Err(Undefined::DomainError));
    let found = eval_sample_size(&EvalPlan {
        between: args.number("omega2"),
        within: (args.number("sigma_a2"), args.number("sigma_b2")),
        repeats: (repeats("k_a")?, repeats("k_b")?),
        alpha: args.number("alpha"),
        power: args.number("power"),
        difference: args.number("delta"),
    })?;
    Ok(record! {
        "n_real" => found.exact,
        "n" => found.items,
        "mde_at_n" => found.detectable,
    })
}

fn pass(args: &Args<'_>) -> Outcome {
    let (n, c) = (args.count("n")?, args.count("c")?);
    let (mut any, mut all) = (Vec::new(), Vec::new());
    for k in args.value("k").as_array().unwrap() {
        let found = pass_rates(n, c, count(k)?)?;
        any.push((k.to_string(), found.any.into()));
        all.push((k.to_string(), found.all.into()));
    }
    Ok(record! { "pass_at_k" => Found::Record(any), "pass_hat_k" => Found::Record(all) })
}

fn ratio(args: &Args<'_>) -> Outcome {
    let found = ratio_of_means(
        &args.sample("numerator"),
        &args.sample("denominator"),
        Level::NINETY_FIVE,
    )?;
    Ok(record! {
        "ratio" => found.ratio,
        "se_delta" => found.se,
        "ci95_delta_z" => pair(found.delta),
        "ci95_fieller_t" => found.fieller.map(pair),
    })
}

fn quantile(args: &Args<'_>) -> Outcome {
    let level = Level::new(args.number("level"))?;
    let found = quantile_interval(&args.sample("x"), args.number("p"), level)?;
    Ok(record! {
        "rank_low" => found.rank_low,
        "rank_high" => found.rank_high,
        "lower" => found.interval.low,
        "upper" => found.interval.high,
        "coverage" => found.coverage,
        "estimate" => found.estimate,
    })
}
