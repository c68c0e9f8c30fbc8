//! One sentence for each comparison: what was found, how large it is, how sure that is.
//!
//! Invariant: the words are "differs", "we found no evidence of a difference" and "cannot test"; direction, size and
//! interval stand before p.

use std::fmt::Write as _;

use trialbook_analysis::finding::{
    Analysis, CHI_SQUARED, Contrast, DIFFERENCE_OF_MEANS, DIFFERENCE_OF_SHARES, Omnibus, Outcome,
    Tested,
};
use trialbook_analysis::measure::Measure;
use trialbook_analysis::success;
use trialbook_model::record::Goal;

use super::sections::{correction, interval_title, span, symbol};
use crate::figures::{
    change, count, difference_with_unit, grouped, p, p_against, p_equals, percent, points, short,
    signed, up_to,
};

/// The sentences of all comparisons: success rates, then metrics.
pub fn sentences(analysis: &Analysis) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(found) = &analysis.success {
        let measure = success::measure();
        let omnibus = found.omnibus.as_ref();
        lines.extend(omnibus.map(|it| overall(analysis, &measure.key, it)));
        for contrast in &found.contrasts {
            lines.push(of_contrast(analysis, &measure, contrast));
        }
    }
    for metric in &analysis.metrics {
        let measure = &metric.measure;
        let omnibus = metric.omnibus.as_ref();
        lines.extend(omnibus.map(|it| overall(analysis, &measure.key, it)));
        for contrast in &metric.contrasts {
            lines.push(of_contrast(analysis, measure, contrast));
        }
    }
    lines
}

fn overall(analysis: &Analysis, key: &str, omnibus: &Omnibus) -> String {
    let arms = analysis.arms.len();
    match omnibus {
        Omnibus::Tested {
            test,
            statistic,
            df,
            p: value,
            eta_squared,
            omega_squared,
            ..
        } => {
            let shares = eta_squared.zip(*omega_squared);
            let shares =
                shares.map(|(eta, omega)| format!(", η² = {eta:.2}, ω² = {}", two_places(omega)));
            let statistic = match &df[..] {
                [between, within] => {
                    format!("F({}, {within:.2}) = {statistic:.2}", short(*between))
                }
                others => format!("χ²({}) = {statistic:.2}", short(others.iter().sum())),
            };
            format!(
                "{key}, all {arms} arms: {test}, {statistic}, {}, not adjusted{}.",
                p(*value),
                shares.unwrap_or_default()
            )
        }
        Omnibus::CannotTest { reason, .. } => {
            format!("{key}, all {arms} arms: cannot test: {reason}.")
        }
    }
}

fn of_contrast(analysis: &Analysis, measure: &Measure, contrast: &Contrast) -> String {
    let (key, arm, baseline) = (&measure.key, &contrast.arm, &contrast.baseline);
    match &contrast.outcome {
        Outcome::CannotTest {
            reason,
            difference,
            a12,
            ..
        } => {
            let size = difference.map(|difference| {
                let size = signed(&short(difference));
                let size = difference_with_unit(&size, measure.unit.as_deref());
                format!("the difference of the means is {size}")
            });
            let a12 = a12.map(|a12| format!("A12 = {a12:.2}"));
            let known: Vec<String> = size.into_iter().chain(a12).collect();
            let known = match &known[..] {
                [] => String::new(),
                known => format!(" ({})", known.join(", ")),
            };
            format!("{key}: cannot test {arm} against {baseline}: {reason}{known}.")
        }
        Outcome::Tested(tested) => {
            let size = size(analysis, measure, (contrast, tested));
            let found = if tested.differs {
                format!("{arm} differs from {baseline}: {size}")
            } else {
                format!(
                    "we found no evidence of a difference between {arm} and {baseline} ({size})"
                )
            };
            let mut text = format!("{key}: {found}; {}.", proof(analysis, contrast, tested));
            text.push_str(&better(measure, tested));
            if !tested.differs {
                text.push_str(&more(analysis, tested, contrast));
            }
            text
        }
    }
}

/// A number with two decimals, and no zero below zero.
fn two_places(value: f64) -> String {
    let text = format!("{value:.2}");
    text.strip_prefix('-')
        .filter(|rest| *rest == "0.00")
        .map_or_else(|| text.clone(), str::to_owned)
}

/// `-132ms, -12.3%, 95% CI [-144, -120], large effect (g = -2.45, 95% CI [-3.70, -1.20])`.
fn size(
    analysis: &Analysis,
    measure: &Measure,
    (contrast, tested): (&Contrast, &Tested),
) -> String {
    let title = interval_title(analysis);
    let half = tested.interval.as_ref().map(|it| (it.high - it.low) / 2.0);
    let number = signed(&up_to(tested.difference, half));
    let n = contrast.smaller();
    let mut text = difference_with_unit(&number, measure.unit.as_deref());
    if tested.estimand == DIFFERENCE_OF_SHARES {
        text = format!("{} pp", points(tested.difference, n));
    } else if tested.estimand != DIFFERENCE_OF_MEANS {
        text = format!("{} {text}", tested.estimand);
    }
    // A share of a share beside percentage points would be read as these.
    if let Some(share) = tested
        .relative
        .filter(|_| tested.estimand != DIFFERENCE_OF_SHARES)
    {
        write!(text, ", {}", change(share, n)).expect("a string takes all");
    }
    if let Some(interval) = &tested.interval {
        let ends = if tested.estimand == DIFFERENCE_OF_SHARES {
            format!(
                "[{}, {}]",
                points(interval.low, n),
                points(interval.high, n)
            )
        } else {
            span(interval)
        };
        write!(text, ", {title} {ends}").expect("a string takes all");
    }
    if let Some(found) = &tested.bootstrap_t {
        let ends = crate::figures::interval(found.low, found.high);
        write!(text, ", by bootstrap-t {ends}").expect("a string takes all");
    }
    text.push_str(&effect(&title, tested));
    text
}

/// `; large effect, g = -2.45, 95% CI [-3.70, -1.20], A12 = 0.04`.
fn effect(title: &str, tested: &Tested) -> String {
    let mut text = String::new();
    if let Some(effect) = &tested.effect {
        let word = effect.word.map(|word| format!("{word} effect, "));
        let interval = effect.interval.as_ref();
        let interval = interval.map(|it| format!(", {title} [{:.2}, {:.2}]", it.low, it.high));
        write!(
            text,
            "; {}{} = {:.2}{}",
            word.unwrap_or_default(),
            symbol(effect.name),
            effect.estimate,
            interval.unwrap_or_default()
        )
        .expect("a string takes all");
    }
    if let Some(a12) = tested
        .a12
        .filter(|_| tested.estimand == DIFFERENCE_OF_MEANS)
    {
        write!(text, ", A12 = {a12:.2}").expect("a string takes all");
    }
    if let Some(delta) = tested.glass_delta {
        write!(
            text,
            "; the sds differ more than twofold: in units of the baseline's Δ = {delta:.2}"
        )
        .expect("a string takes all");
    }
    text
}

/// `Welch's t test, t(17.82) = -5.72, p < 0.001, by Holm over 8 tests p < 0.001, n = 10 and 10`.
fn proof(analysis: &Analysis, contrast: &Contrast, tested: &Tested) -> String {
    let variant = tested
        .variant
        .map(|word| format!(" ({})", word.replace('_', " ")));
    let statistic = match (tested.df, tested.statistic) {
        (Some(df), Some(statistic)) if tested.test == CHI_SQUARED => {
            format!(", χ²({}) = {statistic:.2}", short(df))
        }
        (Some(df), Some(statistic)) => format!(", t({df:.2}) = {statistic:.2}"),
        (None, Some(statistic)) => format!(", statistic {}", short(statistic)),
        (_, None) => String::new(),
    };
    let n = match &contrast.pairs {
        Some(pairs) => format!("{} by {}", count(pairs.n, "pair"), pairs.by),
        None => format!("n = {} and {}", contrast.n[0], contrast.n[1]),
    };
    let sign_flip = tested
        .p_sign_flip
        .map(|it| format!(" (exact sign-flip {})", p(it)));
    let spreads = tested
        .p_brunner_munzel
        .map(|it| format!(" (Brunner and Munzel's, as the spreads differ, {})", p(it)));
    let p_said = |value| p_equals(&p_against(value, analysis.question.alpha));
    let adjusted =
        correction(analysis).map(|word| format!(", {word}-adjusted {}", p_said(tested.p_adjusted)));
    format!(
        "{}{}{statistic}, {}{}{}{}, {n}",
        tested.test,
        variant.unwrap_or_default(),
        p_said(tested.p),
        sign_flip.unwrap_or_default(),
        spreads.unwrap_or_default(),
        adjusted.unwrap_or_default()
    )
}

fn better(measure: &Measure, tested: &Tested) -> String {
    if tested.medians_disagree {
        return " The ranks, which are tested, and the medians point in opposite directions: neither is named better."
            .to_owned();
    }
    let Some(arm) = &tested.better else {
        return if tested.differs && measure.goal != Goal::None && !measure.is_directed() {
            " Nothing says which direction is better.".to_owned()
        } else {
            String::new()
        };
    };
    let way = match measure.goal {
        Goal::Max => "more is better",
        Goal::Min => "less is better",
        Goal::None => return String::new(),
    };
    let assumed = measure.goal_assumed.as_ref();
    let assumed = assumed.map(|why| format!(", assumed: {why}"));
    format!(" {arm} is better ({way}{}).", assumed.unwrap_or_default())
}

/// What more trials would tell.
fn more(analysis: &Analysis, tested: &Tested, contrast: &Contrast) -> String {
    /// Fewer values than this size a difference badly.
    const PILOT: u64 = 20;
    let Some(power) = &tested.power else {
        return String::new();
    };
    let (what, present, each, in_all) = match &contrast.pairs {
        Some(pairs) => ("pair", pairs.n, "", "in all"),
        None => ("trial", contrast.smaller(), " in each arm", "per arm"),
    };
    let target = percent(power.target, 1);
    let unadjusted = if correction(analysis).is_some() {
        ", by the unadjusted alpha"
    } else {
        ""
    };
    let mut text = match (power.needed.zip(power.more), power.needed_above) {
        // Where there are enough of them and p is not below alpha, the number would be held against the test.
        (Some((_, 0)), _) if tested.p >= analysis.question.alpha => return String::new(),
        (Some((needed, 0)), _) => format!(
            " A difference of this size would need {} {what}s{each} (power {target}{unadjusted}), which there are.",
            grouped(needed)
        ),
        (Some((needed, more)), _) => format!(
            " About {} more {what}{}{each} ({} {in_all}) would be needed to tell a difference of this size (power {target}{unadjusted}).",
            grouped(more),
            if more == 1 { "" } else { "s" },
            grouped(needed)
        ),
        (None, Some(above)) => format!(
            " More than {} {what}s{each} would be needed to tell a difference of this size (power {target}{unadjusted}).",
            grouped(above)
        ),
        (None, None) => return String::new(),
    };
    if present < PILOT {
        write!(
            text,
            " That size comes from {}, so the number is rough.",
            count(present, what)
        )
        .expect("a string takes all");
    }
    text
}
