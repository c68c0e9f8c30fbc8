//! Analysis of variance.

use trialbook_stats::{one_way_anova, repeated_measures_anova, welch_anova};

use crate::args::Args;
use crate::found::{Outcome, record};

/// Functions of this family that the crate does not offer.
pub(crate) const NOT_OFFERED: &[&str] = &[];

/// Asks the crate.
pub(crate) fn ask(function: &str, args: &Args<'_>) -> Option<Outcome> {
    Some(match function {
        "anova_oneway" => one_way(args),
        "anova_welch" => welch(args),
        "anova_repeated_measures" => repeated(args),
        _ => return None,
    })
}

fn one_way(args: &Args<'_>) -> Outcome {
    let found = one_way_anova(&args.samples("groups"))?;
    Ok(record! {
        "statistic" => found.statistic,
        "df_between" => found.df_between,
        "df_within" => found.df_within,
        "ss_between" => found.ss_between,
        "ss_within" => found.ss_within,
        "ms_between" => found.ms_between,
        "ms_within" => found.ms_within,
        "p" => found.p.p,
        "ln_p" => found.p.ln_p,
        "eta_squared" => found.eta_squared,
        "omega_squared" => found.omega_squared,
        "epsilon_squared" => found.epsilon_squared,
        "cohen_f" => found.cohen_f,
        "residual_sd" => found.residual_sd,
    })
}

fn welch(args: &Args<'_>) -> Outcome {
    let found = welch_anova(&args.samples("groups"))?;
    Ok(record! {
        "statistic" => found.statistic,
        "df_between" => found.df_between,
        "df_within" => found.df_within,
        "p" => found.p.p,
        "ln_p" => found.p.ln_p,
    })
}

fn repeated(args: &Args<'_>) -> Outcome {
    let found = repeated_measures_anova(&args.samples("rows"))?;
    Ok(record! {
        "statistic" => found.statistic,
        "df_condition" => found.df_condition,
        "df_error" => found.df_error,
        "p" => found.p.p,
        "epsilon_gg" => found.epsilon_gg,
        "p_gg" => found.p_gg.p,
        "epsilon_hf" => found.epsilon_hf,
        "eta_squared_generalized" => found.eta_squared_generalized,
        "eta_squared_partial" => found.eta_squared_partial,
        "ss_condition" => found.ss_condition,
        "ss_subject" => found.ss_subject,
        "ss_error" => found.ss_error,
    })
}
