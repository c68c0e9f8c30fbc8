//! Rank tests.

use trialbook_stats::{
    Approximation, RankPValues, Zeros, brunner_munzel, friedman, kolmogorov_smirnov,
    kruskal_wallis, mann_whitney, sign_test, signed_rank,
};

use crate::args::Args;
use crate::found::{Found, Outcome, p_values, record};

/// Functions of this family that the crate does not offer.
pub(crate) const NOT_OFFERED: &[&str] = &[];

/// Asks the crate.
pub(crate) fn ask(function: &str, args: &Args<'_>) -> Option<Outcome> {
    match function {
        "mann_whitney_u" => Some(of_mann_whitney(args)),
        "wilcoxon_signed_rank" => Some(of_signed_rank(args)),
        "kruskal_wallis" => Some(of_kruskal_wallis(args)),
        "friedman" => Some(of_friedman(args)),
        "brunner_munzel" => Some(of_brunner_munzel(args)),
        "sign_test" => Some(of_sign_test(args)),
        "ks_two_sample" => Some(of_kolmogorov_smirnov(args)),
        _ => None,
    }
}

fn approximation(found: Approximation) -> Found {
    record! {
        "z" => found.z,
        "p_two_sided" => found.p.two_sided.p,
        "p_greater" => found.p.greater.p,
        "p_less" => found.p.less.p,
    }
}

/// The variants, as further outputs of a record.
fn with_variants(record: Found, p: &RankPValues) -> Found {
    let Found::Record(mut outputs) = record else {
        panic!("variants belong to a record")
    };
    let mut add = |name: &str, found: Found| outputs.push((name.to_owned(), found));
    add("asymptotic", approximation(p.normal));
    add("asymptotic_cc", approximation(p.normal_corrected));
    add("exact", p.exact.map(p_values).into());
    add(
        "exact_conditional",
        p.exact_conditional.map(p_values).into(),
    );
    Found::Record(outputs)
}

fn of_mann_whitney(args: &Args<'_>) -> Outcome {
    let found = mann_whitney(&args.sample("x"), &args.sample("y"))?;
    let outputs = record! {
        "u1" => found.u1,
        "u2" => found.u2,
        "has_ties" => found.has_ties,
        "rank_biserial" => found.rank_biserial,
        "cles" => found.a12,
        "n_pairs" => found.pairs,
    };
    Ok(with_variants(outputs, &found.p))
}

fn of_signed_rank(args: &Args<'_>) -> Outcome {
    let found = signed_rank(&args.sample("d"))?;
    let zeros = |zeros: Zeros| {
        let outputs = record! {
            "r_plus" => zeros.r_plus,
            "r_minus" => zeros.r_minus,
            "n_used" => zeros.used,
            "has_ties" => zeros.has_ties,
            "rank_biserial" => zeros.rank_biserial,
        };
        with_variants(outputs, &zeros.p)
    };
    Ok(record! {
        "n" => found.n,
        "n_zero" => found.zeros,
        "zero_wilcox" => zeros(found.dropped),
        "zero_pratt" => zeros(found.pratt),
    })
}

fn of_kruskal_wallis(args: &Args<'_>) -> Outcome {
    let found = kruskal_wallis(&args.samples("groups"))?;
    Ok(record! {
        "statistic" => found.statistic,
        "df" => found.df,
        "p" => found.p.p,
        "ln_p" => found.p.ln_p,
        "tie_correction" => found.tie_correction,
        "epsilon_squared" => found.epsilon_squared,
        "eta_squared_h" => found.eta_squared,
    })
}

fn of_friedman(args: &Args<'_>) -> Outcome {
    let found = friedman(&args.samples("rows"))?;
    let f = found.iman_davenport.map(|f| {
        record! {
            "statistic" => f.statistic,
            "df1" => f.df1,
            "df2" => f.df2,
            "p" => f.p.p,
        }
    });
    Ok(record! {
        "statistic" => found.statistic,
        "df" => found.df,
        "p" => found.p.p,
        "mean_ranks" => found.mean_ranks,
        "kendall_w" => found.kendall_w,
        "iman_davenport" => f,
    })
}

fn of_brunner_munzel(args: &Args<'_>) -> Outcome {
    let found = brunner_munzel(&args.sample("x"), &args.sample("y"))?;
    Ok(record! {
        "statistic" => found.statistic,
        "df" => found.df,
        "p_two_sided" => found.p.two_sided.p,
        "p_x_stochastically_greater" => found.p.greater.p,
        "p_x_stochastically_less" => found.p.less.p,
        "prob_x_less_y" => found.first_smaller,
    })
}

fn of_sign_test(args: &Args<'_>) -> Outcome {
    let found = sign_test(&args.sample("d"))?;
    Ok(record! {
        "n_pos" => found.positive,
        "n_neg" => found.negative,
        "n_zero" => found.zeros,
        "p_two_sided" => found.p.two_sided.p,
        "p_greater" => found.p.greater.p,
        "p_less" => found.p.less.p,
    })
}

fn of_kolmogorov_smirnov(args: &Args<'_>) -> Outcome {
    let found = kolmogorov_smirnov(&args.sample("x"), &args.sample("y"))?;
    Ok(record! {
        "statistic" => found.statistic,
        "exact" => found.exact.map(|p| record! { "p_two_sided" => p.p }),
        "asymptotic" => record! { "p_two_sided" => found.approximate.p },
    })
}
