//! Distributions.

use trialbook_stats::{
    Distribution, Tail, Tails, Undefined, binomial, binomial_mass, noncentral_chi_squared,
    noncentral_f, noncentral_t, normal_density,
};

use crate::args::Args;
use crate::found::{Found, Outcome, record};

/// Functions of this family that the crate does not offer.
pub(crate) const NOT_OFFERED: &[&str] = &["studentized_range"];

/// Asks the crate.
pub(crate) fn ask(function: &str, args: &Args<'_>) -> Option<Outcome> {
    let of = |name: &str| args.number(name);
    Some(match function {
        "norm" => normal(of("x")),
        "norm_quantile" => quantile(Distribution::Normal, of("p")),
        "student_t" => tails(Distribution::StudentT { df: of("df") }.tails(of("x"))),
        "student_t_quantile" => quantile(Distribution::StudentT { df: of("df") }, of("p")),
        "chi2" => tails(Distribution::ChiSquared { df: of("df") }.tails(of("x"))),
        "chi2_quantile" => quantile(Distribution::ChiSquared { df: of("df") }, of("p")),
        "f_dist" => tails(fisher(args).tails(of("x"))),
        "f_quantile" => quantile(fisher(args), of("p")),
        "beta_dist" => tails(beta(args).tails(of("x"))),
        "beta_quantile" => quantile(beta(args), of("p")),
        "noncentral_t" => tails(noncentral_t(of("x"), of("df"), of("nc"))),
        "noncentral_f" => tails(noncentral_f(of("x"), (of("df1"), of("df2")), of("nc"))),
        "noncentral_chi2" => tails(noncentral_chi_squared(of("x"), of("df"), of("nc"))),
        "binomial" => trials(args),
        _ => return None,
    })
}

fn fisher(args: &Args<'_>) -> Distribution {
    Distribution::F {
        df1: args.number("df1"),
        df2: args.number("df2"),
    }
}

fn beta(args: &Args<'_>) -> Distribution {
    Distribution::Beta {
        a: args.number("a"),
        b: args.number("b"),
    }
}

fn tails(found: Result<Tails, Undefined>) -> Outcome {
    let tails = found?;
    Ok(record! {
        "cdf" => tails.lower,
        "sf" => tails.upper,
        "ln_cdf" => tails.ln_lower,
        "ln_sf" => tails.ln_upper,
    })
}

fn normal(x: f64) -> Outcome {
    let found: Found = tails(Distribution::Normal.tails(x))?;
    Ok(found.with("pdf".to_owned(), normal_density(x)))
}

fn quantile(distribution: Distribution, p: f64) -> Outcome {
    Ok(record! {
        "ppf" => distribution.quantile(Tail::Lower(p))?,
        "isf" => distribution.quantile(Tail::Upper(p))?,
    })
}

fn trials(args: &Args<'_>) -> Outcome {
    let (k, n, p) = (args.count("k")?, args.count("n")?, args.number("p"));
    let tails = binomial(k, n, p)?;
    Ok(record! {
        "pmf" => binomial_mass(k, n, p)?,
        "cdf" => tails.lower,
        "sf" => tails.upper,
    })
}
