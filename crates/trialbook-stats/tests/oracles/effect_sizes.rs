//! Effect sizes.

use trialbook_stats::{
    Interval, Level, effect_size, hedges_j, hedges_j_approx, paired_effect_size,
};

use crate::args::Args;
use crate::found::{Outcome, record};

/// Functions of this family that the crate does not offer.
pub(crate) const NOT_OFFERED: &[&str] = &[];

/// Asks the crate.
pub(crate) fn ask(function: &str, args: &Args<'_>) -> Option<Outcome> {
    Some(match function {
        "effect_size_two_sample" => two(args),
        "effect_size_paired" => paired(args),
        "hedges_j" => correction(args.number("df")),
        _ => return None,
    })
}

fn ends(interval: Interval) -> (f64, f64) {
    (interval.low, interval.high)
}

fn two(args: &Args<'_>) -> Outcome {
    let found = effect_size(&args.sample("x"), &args.sample("y"), Level::NINETY_FIVE)?;
    Ok(record! {
        "cohen_d" => found.cohen_d,
        "hedges_g" => found.hedges_g,
        "hedges_g_approx" => found.hedges_g_approx,
        "hedges_j" => found.hedges_j,
        "glass_delta_y" => found.glass_delta,
        "cohen_d_av" => found.cohen_d_av,
        "cliffs_delta" => found.superiority.cliffs_delta,
        "a12" => found.superiority.a12,
        "cles_normal" => found.cles_normal,
        "ln_ratio_of_means" => found.ln_ratio_of_means,
        "cohen_d_ci95_nct" => ends(found.d_interval),
        "hedges_g_ci95_nct" => found.g_interval.map(ends),
    })
}

fn paired(args: &Args<'_>) -> Outcome {
    let found = paired_effect_size(&args.sample("x"), &args.sample("y"), Level::NINETY_FIVE)?;
    Ok(record! {
        "cohen_dz" => found.cohen_dz,
        "hedges_gz" => found.hedges_gz,
        "hedges_j" => found.hedges_j,
        "cohen_drm" => found.cohen_drm,
        "cohen_d_av" => found.cohen_d_av,
        "correlation" => found.correlation,
        "cohen_dz_ci95_nct" => ends(found.dz_interval),
    })
}

fn correction(df: f64) -> Outcome {
    Ok(record! { "j" => hedges_j(df)?, "j_approx" => hedges_j_approx(df) })
}
