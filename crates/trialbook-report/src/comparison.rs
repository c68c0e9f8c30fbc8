//! A comparison in words: what differs, what came out, which is best, what to be careful about.
//!
//! Not here: what is compared. Invariant: a best value that rests on an assumed goal says "assumed", and a best
//! mean that cannot be told from others is no winner.

mod settings;
mod successes;

use std::fmt::Write as _;

use trialbook_analysis::comparison::{Cell, Comparison, Kind, Row};
use trialbook_analysis::separation::{Contrast, Standing};
use trialbook_model::record::Goal;

use crate::analysis::{effect, of_kind};
use crate::cautions;
use crate::figures::{
    change, count, difference_with_unit, interval, p_against, short, signed, up_to, with_unit,
};
use crate::page::{Page, Table, listed};
pub use settings::Settings;

/// Subjects that get a column each.
const COLUMNS: usize = 6;

/// The page of a comparison.
pub fn page(comparison: &Comparison, shown: Settings) -> Page {
    let mut page = Page::default();
    page.text(headline(comparison));
    settings::add(&mut page, comparison, shown);
    if comparison.metrics.is_empty() {
        page.text("No metric was recorded.");
    } else {
        page.heading("Metrics");
        page.table(metrics(comparison));
    }
    differences(&mut page, comparison);
    successes::add(&mut page, comparison);
    page.list(verdicts(comparison));
    for caution in &comparison.warnings {
        page.warning(cautions::of_comparison(caution));
    }
    page
}

fn headline(comparison: &Comparison) -> String {
    let subjects = &comparison.subjects;
    let arms = subjects.iter().filter(|it| it.kind == Kind::Arm).count();
    let what = match (arms, subjects.len() - arms) {
        (0, runs) => count(runs as u64, "run"),
        (arms, 0) => count(arms as u64, "arm"),
        (arms, runs) => format!(
            "{} and {}",
            count(arms as u64, "arm"),
            count(runs as u64, "run")
        ),
    };
    let title = &subjects[comparison.baseline].title;
    let why = match &comparison.baseline_mark {
        Some(mark) if mark == title => "the marked baseline".to_owned(),
        Some(mark) => format!("the baseline `{mark}`"),
        None => "the first: no baseline is marked among them".to_owned(),
    };
    if subjects.len() == 1 {
        return format!("{what}: {title}");
    }
    format!("{what}, each against {title} ({why})")
}

/// The metrics in the direction in which the table has fewer columns; of one metric of arms everything.
fn metrics(comparison: &Comparison) -> Table {
    let subjects = &comparison.subjects;
    if let [row] = &comparison.metrics[..]
        && subjects.iter().any(|subject| subject.kind == Kind::Arm)
    {
        return one_metric(comparison, row);
    }
    if comparison.metrics.len() > COLUMNS && subjects.len() <= COLUMNS {
        let titles = subjects.iter().map(|subject| subject.title.clone());
        let mut table = Table::of_numbers(std::iter::once("METRIC".to_owned()).chain(titles));
        for row in &comparison.metrics {
            let mut cells = vec![row.measure.key.clone()];
            cells.extend(row.cells.iter().map(|cell| shown(cell, comparison, row)));
            table.row(cells);
        }
        return table;
    }
    let has_arms = subjects.iter().any(|subject| subject.kind == Kind::Arm);
    let mut titles = vec!["SUBJECT".to_owned()];
    titles.extend(has_arms.then(|| "RUNS".to_owned()));
    titles.extend(comparison.metrics.iter().map(|row| row.measure.key.clone()));
    let mut table = Table::of_numbers(titles);
    for (at, subject) in subjects.iter().enumerate() {
        let mut cells = vec![subject.title.clone()];
        cells.extend(has_arms.then(|| subject.runs.to_string()));
        cells.extend(
            comparison
                .metrics
                .iter()
                .map(|row| shown(&row.cells[at], comparison, row)),
        );
        table.row(cells);
    }
    table
}

/// One metric of arms: mean, spread, order statistics.
fn one_metric(comparison: &Comparison, row: &Row) -> Table {
    let key = row.measure.key.clone();
    let titles = ["RUNS".to_owned(), key, "SD".to_owned()];
    let order = ["MIN", "MEDIAN", "MAX"].map(str::to_owned);
    let titles = std::iter::once("SUBJECT".to_owned())
        .chain(titles)
        .chain(order);
    let mut table = Table::of_numbers(titles);
    for (subject, cell) in comparison.subjects.iter().zip(&row.cells) {
        let number = |value: Option<f64>| value.map(short).unwrap_or_default();
        let sd = cell.sd.map(|sd| up_to(sd, half_width(cell)));
        table.row(vec![
            subject.title.clone(),
            subject.runs.to_string(),
            shown(cell, comparison, row),
            sd.unwrap_or_default(),
            number(cell.min),
            number(cell.median),
            number(cell.max),
        ]);
    }
    table
}

/// Each subject against the baseline, where there are tests: difference, interval, p.
fn differences(page: &mut Page, comparison: &Comparison) {
    let base = &comparison.subjects[comparison.baseline].title;
    let titles = [
        "METRIC",
        "SUBJECT",
        "DIFFERENCE",
        "95% CI",
        "EFFECT",
        "TEST",
        "p",
        "p (Holm)",
    ];
    let mut table = Table::of_numbers(titles);
    let mut rows = 0;
    for row in &comparison.metrics {
        let unit = row.measure.unit.as_deref();
        for (subject, cell) in comparison.subjects.iter().zip(&row.cells) {
            let Some(found) = &cell.contrast else {
                continue;
            };
            let half = (found.interval.high - found.interval.low) / 2.0;
            let difference = signed(&up_to(found.difference, Some(half)));
            table.row(vec![
                row.measure.key.clone(),
                subject.title.clone(),
                difference_with_unit(&difference, unit),
                of_kind(&found.interval),
                found.effect.as_ref().map_or_else(String::new, effect),
                test(found),
                p_against(found.p, comparison.alpha),
                p_against(found.p_adjusted, comparison.alpha),
            ]);
            rows += 1;
        }
    }
    if rows > 0 {
        page.heading(format!("Differences from {base}"));
        page.table(table);
    }
}

fn test(found: &Contrast) -> String {
    match found.pairs {
        Some(pairs) => format!("{}, {}", found.test, count(pairs as u64, "pair")),
        None => found.test.to_owned(),
    }
}

/// Half the width of the interval of an arm's mean or rate.
fn half_width(cell: &Cell) -> Option<f64> {
    let interval = cell.interval.as_ref();
    let of_rate = interval.map(|it| (it.high - it.low) / 2.0);
    of_rate.or(cell.half_width)
}

/// `0.92 (+0.03, +3%)`; a mean with its interval and n: `0.92 ± 0.02, n = 5`; a rate: `0.80 [0.38, 0.96], n = 5`.
fn shown(cell: &Cell, comparison: &Comparison, row: &Row) -> String {
    let Some(value) = cell.value else {
        return String::new();
    };
    let unit = row.measure.unit.as_deref();
    let half = half_width(cell);
    let mut text = match (&cell.interval, half) {
        (Some(found), _) => {
            let number = with_unit(&up_to(value, half), unit);
            let ends = interval(found.low, found.high);
            format!("{number} {ends}, n = {}", cell.n)
        }
        (None, Some(width)) => {
            let number = format!("{} ± {}", up_to(value, half), up_to(width, half));
            format!("{}, n = {}", with_unit(&number, unit), cell.n)
        }
        (None, None) if cell.missing + cell.n as u64 > 1 => {
            format!("{}, n = {}", with_unit(&short(value), unit), cell.n)
        }
        (None, None) => with_unit(&short(value), unit),
    };
    if let Some(delta) = cell.delta {
        let delta = signed(&up_to(delta, half));
        let delta = match unit {
            Some("%") => difference_with_unit(&delta, unit),
            Some(_) | None => delta,
        };
        let n = cell.n.min(row.cells[comparison.baseline].n) as u64;
        let share = cell.relative.map(|share| format!(", {}", change(share, n)));
        write!(text, " ({delta}{})", share.unwrap_or_default()).expect("a string takes all");
    }
    text
}

/// Winner lines (T-5), what they assume, and what is no winner.
fn verdicts(comparison: &Comparison) -> Vec<String> {
    if comparison.subjects.len() < 2 {
        return Vec::new();
    }
    let mut winners: Vec<(&[usize], Vec<String>)> = Vec::new();
    let mut lines = Vec::new();
    for row in comparison.metrics.iter().filter(|row| !row.best.is_empty()) {
        let (key, best) = (&row.measure.key, best_value(row));
        if row.best.len() == comparison.subjects.len() {
            lines.push(format!("All have the same {key} ({best})."));
        } else if let Some(doubt) = doubt(comparison, row) {
            let names = named(comparison, &row.best);
            lines.push(format!("Best mean {key}: {names} ({best}), {doubt}."));
        } else {
            let won = format!("best {key} {best}");
            match winners.iter_mut().find(|(who, _)| *who == row.best) {
                Some((_, what)) => what.push(won),
                None => winners.push((&row.best, vec![won])),
            }
        }
    }
    if !winners.is_empty() {
        let winners = winners.iter();
        let told = winners
            .map(|(who, what)| format!("{} ({})", named(comparison, who), what.join(", ")))
            .collect::<Vec<String>>();
        lines.insert(0, format!("Winner: {}", told.join("; ")));
    }
    if !lines.is_empty() {
        lines.extend(ground(comparison));
    }
    lines.extend(assumed(comparison));
    lines.extend(not_judged(comparison));
    lines
}

/// What is shown without being judged, and what is not shown.
fn not_judged(comparison: &Comparison) -> Vec<String> {
    let rows = comparison.metrics.iter();
    let rows = rows.filter(|row| !row.judged && row.measure.goal_assumed.is_some());
    let keys: Vec<String> = rows.map(|row| row.measure.key.clone()).collect();
    let mut lines = Vec::new();
    if !keys.is_empty() {
        lines.push(format!(
            "Not judged: {} (nothing says which direction is better; --metrics takes more for better).",
            listed(&keys)
        ));
    }
    let left_out = comparison.left_out.len() as u64;
    if left_out > 0 {
        lines.push(format!(
            "{} left out: --all or --metrics shows them.",
            count(left_out, "derived metric")
        ));
    }
    lines
}

fn named(comparison: &Comparison, places: &[usize]) -> String {
    let titles = places
        .iter()
        .map(|at| comparison.subjects[*at].title.clone());
    listed(&titles.collect::<Vec<String>>())
}

fn best_value(row: &Row) -> String {
    let cell = row.best.first().map(|at| &row.cells[*at]);
    let value = cell.and_then(|cell| Some(up_to(cell.value?, half_width(cell))));
    with_unit(&value.unwrap_or_default(), row.measure.unit.as_deref())
}

/// Why the best mean is no winner; `None` where it is one.
fn doubt(comparison: &Comparison, row: &Row) -> Option<String> {
    match row.standing.as_ref()? {
        Standing::Single => None,
        Standing::Trials {
            close, untested, ..
        } => {
            let mut parts = Vec::new();
            if !close.is_empty() {
                parts.push(format!(
                    "not distinguishable from {}",
                    named(comparison, close)
                ));
            }
            if !untested.is_empty() {
                let places: Vec<usize> = untested.iter().map(|(at, _)| *at).collect();
                parts.push(format!(
                    "not tested against {} ({})",
                    named(comparison, &places),
                    reasons(untested)
                ));
            }
            (!parts.is_empty()).then(|| parts.join("; "))
        }
    }
}

fn reasons(untested: &[(usize, &'static str)]) -> String {
    let mut words: Vec<String> = untested
        .iter()
        .map(|(_, word)| word.replace('_', " "))
        .collect();
    words.sort();
    words.dedup();
    listed(&words)
}

/// What winners rest on.
fn ground(comparison: &Comparison) -> Vec<String> {
    let standings = comparison
        .metrics
        .iter()
        .filter_map(|row| row.standing.as_ref());
    let has = |rate| comparison.metrics.iter().any(|row| row.rate == rate);
    let (tests, shown) = match (has(false), has(true)) {
        (_, false) => ("t tests", "± is half of the 95% CI by t"),
        (false, true) => ("tests of shares", "[ ] is Wilson's 95% CI"),
        (true, true) => (
            "t tests (of rates: tests of shares)",
            "± is half of the 95% CI by t, [ ] of rates is Wilson's",
        ),
    };
    let mut ground = Vec::new();
    for standing in standings {
        ground.push(match standing {
            Standing::Single => "One run each: whether that is chance cannot be said.".to_owned(),
            Standing::Trials { family: 0, .. } => continue,
            Standing::Trials { family, .. } => format!(
                "Told apart by {tests} of all pairs, Holm over {}, alpha = {}; {shown}.",
                count(*family as u64, "test"),
                comparison.alpha
            ),
        });
    }
    ground.sort();
    ground.dedup();
    ground
}

fn assumed(comparison: &Comparison) -> Option<String> {
    let of = |goal: Goal| {
        let rows = comparison.metrics.iter();
        let keys = rows
            .filter(|row| row.measure.goal == goal && row.measure.goal_assumed.is_some())
            .filter(|row| !row.best.is_empty())
            .map(|row| row.measure.key.clone());
        keys.collect::<Vec<String>>()
    };
    let (more, less) = (of(Goal::Max), of(Goal::Min));
    let mut parts = Vec::new();
    if !more.is_empty() {
        parts.push(format!("more {} is better", listed(&more)));
    }
    if !less.is_empty() {
        parts.push(format!("less {} is better", listed(&less)));
    }
    let is_told = comparison.subjects.len() > 1 && !parts.is_empty();
    is_told.then(|| format!("Assumed from the names: {}.", parts.join("; ")))
}
