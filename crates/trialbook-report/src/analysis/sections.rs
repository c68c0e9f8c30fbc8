//! The tables of an analysis, and how it was made.
//!
//! Invariant: a cell for which there is no number is empty.

use std::fmt::Write as _;

use trialbook_analysis::finding::{
    Analysis, ArmFinding, Contrast, DIFFERENCE_OF_SHARES, Described, Effect, Family, FamilyOf,
    MetricFinding, Outcome, Sample, Span, Tested,
};
use trialbook_analysis::measure::Agg;
use trialbook_analysis::success;

use crate::figures::{
    change, count, difference_with_unit, p_against, percent, points, short, signed, up_to,
    with_unit,
};
use crate::page::{Align, Table};

/// `95% CI`.
pub(super) fn interval_title(analysis: &Analysis) -> String {
    format!("{}% CI", level(analysis))
}

/// The level of the intervals in percent, as many digits as alpha has.
fn level(analysis: &Analysis) -> String {
    crate::figures::trimmed(&format!("{:.4}", 100.0 * analysis.level)).to_owned()
}

/// How the trials of each arm ended (A-24).
pub fn trials(analysis: &Analysis) -> Table {
    let mut table = Table::of_numbers([
        "Arm",
        "Trials",
        "Completed",
        "Failed",
        "Cancelled",
        "Open",
        "Success rate",
        &interval_title(analysis)[..],
    ]);
    for arm in &analysis.arms {
        table.row(of_arm(arm));
    }
    table
}

fn of_arm(arm: &ArmFinding) -> Vec<String> {
    let statuses = &arm.statuses;
    let ended = statuses.ended();
    let share = |number: u64| match ended {
        0 => number.to_string(),
        _ if number == 0 => "0".to_owned(),
        _ => format!(
            "{number} ({})",
            percent(number as f64 / ended as f64, ended)
        ),
    };
    let success = arm.success.as_ref();
    let span = success.and_then(|rate| rate.interval.as_ref());
    vec![
        arm.name.clone(),
        statuses.total().to_string(),
        share(statuses.completed),
        share(statuses.failed),
        share(statuses.cancelled),
        (statuses.queued + statuses.running).to_string(),
        success.map_or_else(String::new, |rate| percent(rate.estimate, rate.n)),
        span.map_or_else(String::new, |span| {
            format!(
                "[{}, {}]",
                percent(span.low, ended),
                percent(span.high, ended)
            )
        }),
    ]
}

/// What each metric amounts to in each arm (A-20).
pub fn metrics(analysis: &Analysis) -> Table {
    let mut table = Table::of_numbers([
        "Metric",
        "Arm",
        "n",
        "Mean",
        &interval_title(analysis)[..],
        "SD",
        "Min",
        "Median",
        "Max",
    ]);
    table.columns[1].1 = Align::Left;
    for metric in &analysis.metrics {
        for sample in &metric.arms {
            table.row(of_sample(metric, sample));
        }
    }
    table
}

fn of_sample(metric: &MetricFinding, sample: &Sample) -> Vec<String> {
    let mut cells = vec![titled(metric), sample.arm.clone(), sample.n.to_string()];
    let Some(found) = &sample.described else {
        return cells;
    };
    let half = half_width(found);
    let unit = metric.measure.unit.as_deref();
    let number = |value: f64| up_to(value, half);
    cells.push(with_unit(&number(found.mean), unit));
    cells.push(found.interval.as_ref().map_or_else(String::new, span));
    cells.push(found.sd.map_or_else(String::new, number));
    cells.extend([found.min, found.median, found.max].map(short));
    cells
}

/// The intervals of means of few skewed values by bootstrap-t, a sentence each.
pub fn resampled(analysis: &Analysis) -> Vec<String> {
    let title = interval_title(analysis);
    let mut lines = Vec::new();
    for metric in &analysis.metrics {
        for sample in &metric.arms {
            let found = sample.described.as_ref();
            let Some(found) = found.and_then(|it| it.bootstrap_t.as_ref()) else {
                continue;
            };
            lines.push(format!(
                "{} of {} is skewed: the bootstrap-t {title} of its mean is {}.",
                metric.measure.key,
                sample.arm,
                crate::figures::interval(found.low, found.high)
            ));
        }
    }
    lines
}

/// Half the width of the interval of a mean.
pub(super) fn half_width(found: &Described) -> Option<f64> {
    let interval = found.interval.as_ref()?;
    Some((interval.high - interval.low) / 2.0)
}

pub(crate) fn span(span: &Span) -> String {
    crate::figures::interval(span.low, span.high)
}

/// `[0.12, 0.34] (Wilson)`.
pub(crate) fn of_kind(found: &Span) -> String {
    format!("{} ({})", span(found), found.method)
}

/// `time_ms (primary)`, `solved (rate)`.
fn titled(metric: &MetricFinding) -> String {
    let key = &metric.measure.key;
    match (metric.primary, metric.rate) {
        (true, true) => format!("{key} (primary, rate)"),
        (true, false) => format!("{key} (primary)"),
        (false, true) => format!("{key} (rate)"),
        (false, false) => key.clone(),
    }
}

/// Each arm against the baseline (A-22).
pub fn contrasts(analysis: &Analysis) -> Table {
    let correction = correction(analysis);
    let alpha = analysis.question.alpha;
    let mut table = Table::of_numbers([
        "Metric".to_owned(),
        "Arm".to_owned(),
        "n".to_owned(),
        "Difference".to_owned(),
        interval_title(analysis),
        "Effect".to_owned(),
        "Test".to_owned(),
        "p".to_owned(),
        correction.map_or_else(|| "p used".to_owned(), |word| format!("p ({word})")),
    ]);
    for at in [1, 6] {
        table.columns[at].1 = Align::Left;
    }
    let success = analysis.success.iter().flat_map(|it| &it.contrasts);
    for contrast in success {
        table.row(of_contrast(success::KEY, (contrast, None), alpha));
    }
    for metric in &analysis.metrics {
        let unit = metric.measure.unit.as_deref();
        for contrast in &metric.contrasts {
            table.row(of_contrast(&titled(metric), (contrast, unit), alpha));
        }
    }
    table
}

fn of_contrast(
    title: &str,
    (contrast, unit): (&Contrast, Option<&str>),
    alpha: f64,
) -> Vec<String> {
    let mut cells = vec![title.to_owned(), contrast.arm.clone(), sizes(contrast)];
    match &contrast.outcome {
        Outcome::Tested(tested) => cells.extend(of_tested((contrast, tested), unit, alpha)),
        Outcome::CannotTest {
            reason,
            difference,
            a12,
            ..
        } => {
            cells.push(difference.map_or_else(String::new, |it| signed(&short(it))));
            cells.push(String::new());
            cells.push(a12.map_or_else(String::new, |a12| format!("A12 = {a12:.2}")));
            cells.push(format!("cannot test: {reason}"));
        }
    }
    cells
}

fn sizes(contrast: &Contrast) -> String {
    match &contrast.pairs {
        Some(pairs) => count(pairs.n, "pair"),
        None => format!("{} and {}", contrast.n[0], contrast.n[1]),
    }
}

fn of_tested(
    (contrast, tested): (&Contrast, &Tested),
    unit: Option<&str>,
    alpha: f64,
) -> Vec<String> {
    let n = contrast.smaller();
    let half = tested.interval.as_ref().map(|it| (it.high - it.low) / 2.0);
    let is_share = tested.estimand == DIFFERENCE_OF_SHARES;
    let difference = if is_share {
        format!("{} pp", points(tested.difference, n))
    } else {
        difference_with_unit(&signed(&up_to(tested.difference, half)), unit)
    };
    let interval = tested.interval.as_ref();
    let interval = interval.map_or_else(String::new, |it| {
        if is_share {
            format!("[{}, {}]", points(it.low, n), points(it.high, n))
        } else {
            span(it)
        }
    });
    // A share of a share beside percentage points would be read as these.
    let share = tested.relative.filter(|_| !is_share);
    let share = share.map(|share| format!(" ({})", change(share, n)));
    let effect = tested
        .effect
        .as_ref()
        .map_or_else(String::new, self::effect);
    vec![
        format!("{difference}{}", share.unwrap_or_default()),
        interval,
        effect,
        tested.test.to_owned(),
        p_against(tested.p, alpha),
        p_against(tested.p_adjusted, alpha),
    ]
}

/// `g = -2.45, large`.
pub(crate) fn effect(effect: &Effect) -> String {
    let number = format!("{} = {:.2}", symbol(effect.name), effect.estimate);
    match effect.word {
        Some(word) => format!("{number}, {word}"),
        None => number,
    }
}

/// The letter of an effect size.
pub(super) fn symbol(name: &str) -> &str {
    match name {
        "cohen_h" => "h",
        "hedges_g" | "hedges_gz" => "g",
        "cohen_d" | "cohen_dz" => "d",
        "rank_biserial" => "r",
        other => other,
    }
}

/// The correction as people call it; `None` for none.
pub(super) fn correction(analysis: &Analysis) -> Option<&'static str> {
    match analysis.question.correction.as_str() {
        "holm" => Some("Holm"),
        "bonferroni" => Some("Bonferroni"),
        "sidak" => Some("Šidák"),
        "holm_sidak" => Some("Holm-Šidák"),
        "hochberg" => Some("Hochberg"),
        "hommel" => Some("Hommel"),
        "bh" => Some("Benjamini-Hochberg"),
        "by" => Some("Benjamini-Yekutieli"),
        _ => None,
    }
}

const fn value_of(agg: Agg) -> &'static str {
    match agg {
        Agg::Last => "last value",
        Agg::Best => "best value",
        Agg::Mean => "mean",
        Agg::Min => "smallest value",
        Agg::Max => "greatest value",
    }
}

/// How the p-values of the metrics are adjusted.
fn of_family(analysis: &Analysis, family: &Family) -> String {
    let alpha = short(analysis.question.alpha);
    let adjusted = match (correction(analysis), &family.of) {
        (None, _) => "p-values are not adjusted".to_owned(),
        (Some(_), FamilyOf::AllMetrics | FamilyOf::Primary { others: 0, .. })
            if family.size == 0 =>
        {
            "there is no p-value to adjust".to_owned()
        }
        (Some(word), FamilyOf::AllMetrics) if family.size == 1 => {
            format!("the only p-value is the whole family, so that {word} leaves it as it is")
        }
        (Some(word), FamilyOf::AllMetrics) => format!(
            "p-values are adjusted by {word} over {}: every arm with every metric shown",
            count(family.size, "test")
        ),
        (Some(word), FamilyOf::Primary { metric, others }) => format!(
            "p-values are adjusted by {word} over {} of the primary metric {metric}; the other {} are exploratory \
             and adjusted among themselves",
            count(family.size, "test"),
            count(*others, "test")
        ),
    };
    let mut text = format!(" Tests are two-sided, alpha = {alpha}; {adjusted}.");
    if family.undefined > 0 {
        write!(
            text,
            " {} cannot be made and {} in no family.",
            count(family.undefined, "test"),
            if family.undefined == 1 { "is" } else { "are" }
        )
        .expect("a string takes all");
    }
    text
}

/// How it was made: intervals, tests, the family, alpha, which values, who computed it from what.
pub fn method(analysis: &Analysis) -> String {
    let level = level(analysis);
    let mut text = format!(
        "A run's value is the {} of its series; only completed runs give one. Intervals of means are {level}% t \
         intervals over {}, those of rates (values of 0 and 1) Wilson's.",
        value_of(analysis.question.agg),
        analysis.varies_over
    );
    if let Some(family) = &analysis.family {
        text.push_str(&of_family(analysis, family));
    }
    if let Some(success) = &analysis.success {
        write!(
            text,
            " Success rates are tested as a family of their own ({}).",
            count(success.family, "test")
        )
        .expect("a string takes all");
    }
    write!(
        text,
        " Question {}, data {} ({}), look {}; {}.",
        &analysis.question.hash()[..12],
        &analysis.inputs.data[..12],
        count(analysis.inputs.runs.len() as u64, "run"),
        analysis.look,
        analysis.program
    )
    .expect("a string takes all");
    text
}
