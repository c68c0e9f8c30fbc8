//! Power and sample size.

use trialbook_stats::{
    Alternative, Design, TPlan, anova_power, anova_sample_size, chi_squared_power,
    proportion_power, proportion_sample_size,
};

use crate::args::Args;
use crate::found::{Outcome, record};

/// Functions of this family that the crate does not offer.
pub(crate) const NOT_OFFERED: &[&str] = &[];

/// Asks the crate.
pub(crate) fn ask(function: &str, args: &Args<'_>) -> Option<Outcome> {
    Some(match function {
        "power_t_test" => t_power(args),
        "sample_size_t_test" => t_sample_size(args),
        "minimum_detectable_effect_t" => detectable(args),
        "power_two_proportions" => rates_power(args),
        "sample_size_two_proportions" => rates_sample_size(args),
        "power_anova" => groups_power(args),
        "sample_size_anova" => groups_sample_size(args),
        "power_chi2" => counts_power(args),
        _ => return None,
    })
}

fn plan(args: &Args<'_>) -> TPlan {
    TPlan {
        design: match args.word("kind") {
            "one" => Design::OneSample,
            "two" => Design::TwoSamples,
            other => panic!("kind `{other}`"),
        },
        alternative: if args.has("alternative") {
            match args.word("alternative") {
                "two-sided" => Alternative::TwoSided,
                "less" => Alternative::Less,
                "greater" => Alternative::Greater,
                other => panic!("alternative `{other}`"),
            }
        } else {
            Alternative::TwoSided
        },
        alpha: args.number("alpha"),
    }
}

fn t_power(args: &Args<'_>) -> Outcome {
    let (plan, d, n) = (plan(args), args.number("d"), args.count("n")?);
    let power = if args.has("n2") {
        plan.power_of_two(d, n, args.count("n2")?)?
    } else {
        plan.power(d, n)?
    };
    Ok(record! { "power" => power })
}

fn t_sample_size(args: &Args<'_>) -> Outcome {
    let found = plan(args).sample_size(args.number("d"), args.number("power"))?;
    Ok(record! { "n_real" => found.real, "n" => found.n })
}

fn detectable(args: &Args<'_>) -> Outcome {
    let d = plan(args).detectable(args.count("n")?, args.number("power"))?;
    Ok(record! { "d" => d })
}

fn rates(args: &Args<'_>) -> (f64, f64) {
    (args.number("p1"), args.number("p2"))
}

fn rates_power(args: &Args<'_>) -> Outcome {
    let found = proportion_power(rates(args), args.count("n")?, args.number("alpha"))?;
    Ok(record! {
        "cohen_h" => found.cohen_h,
        "power_arcsine" => found.arcsine,
        "power_unpooled_r" => found.unpooled,
    })
}

fn rates_sample_size(args: &Args<'_>) -> Outcome {
    let found = proportion_sample_size(rates(args), args.number("power"), args.number("alpha"))?;
    Ok(record! {
        "n_arcsine_real" => found.arcsine.real,
        "n_arcsine" => found.arcsine.n,
        "n_unpooled_real" => found.unpooled.real,
        "n_unpooled" => found.unpooled.n,
    })
}

fn groups_power(args: &Args<'_>) -> Outcome {
    let (k, n) = (args.count("k")?, args.count("n_total")?);
    Ok(record! { "power" => anova_power(args.number("f"), k, n, args.number("alpha"))? })
}

fn groups_sample_size(args: &Args<'_>) -> Outcome {
    let (f, power, alpha) = (args.number("f"), args.number("power"), args.number("alpha"));
    let found = anova_sample_size(f, args.count("k")?, power, alpha)?;
    Ok(record! { "n_per_group_real" => found.real, "n_per_group" => found.n })
}

fn counts_power(args: &Args<'_>) -> Outcome {
    let (n, df) = (args.count("n")?, args.count("df")?);
    Ok(record! { "power" => chi_squared_power(args.number("w"), n, df, args.number("alpha"))? })
}
