//! The table of an experiment by variation, and its verdict, for people and as JSON.
//!
//! Not here: computing it (`trialbook-analysis`). Invariant: what is missing or cannot be computed is shown
//! as missing with its count, never as 0.

use serde::Serialize;
use serde_json::Value;
use trialbook_analysis::variations::{Judged, MetricSummary, Statuses, VariationTable};
use trialbook_model::criteria::{Cell, ExperimentVerdict, Outcome};

use crate::figures::{self, percent, short};
use crate::printer::{Column, Line, Printer, Style, Table};

/// Prints how the trials stand, the metrics, and the verdict.
pub(crate) fn print(table: &VariationTable, printer: &Printer) {
    let named = table.rows.iter().any(|row| row.name.is_some());
    printer.table(&standing(table));
    if !table.columns.is_empty() {
        printer.line("");
        printer.table(&metrics(table));
    }
    if let Some(verdict) = table.verdict.as_ref().filter(|_| named) {
        printer.line("");
        print_verdict(verdict, table.judged, printer);
    }
}

fn name_of(name: Option<&str>) -> String {
    name.unwrap_or("(no variation)").to_owned()
}

fn standing(table: &VariationTable) -> Table {
    let mut out = Table::new(vec![
        Column::text("VARIATION"),
        Column::number("TRIALS"),
        Column::number("QUEUED"),
        Column::number("RUNNING"),
        Column::number("COMPLETED"),
        Column::number("FAILED"),
        Column::number("CANCELLED"),
        Column::number("SUCCESS"),
    ]);
    for row in &table.rows {
        let statuses = &row.statuses;
        let rate = statuses.success_rate();
        out.row(vec![
            name_of(row.name.as_deref()),
            statuses.total().to_string(),
            statuses.queued.to_string(),
            statuses.running.to_string(),
            statuses.completed.to_string(),
            statuses.failed.to_string(),
            statuses.cancelled.to_string(),
            rate.map_or_else(|| "-".to_owned(), |rate| percent(rate, statuses.ended())),
        ]);
    }
    out
}

fn metrics(table: &VariationTable) -> Table {
    let mut out = Table::new(vec![
        Column::text("METRIC"),
        Column::text("VARIATION"),
        Column::number("N"),
        Column::number("MEAN"),
        Column::number("SD"),
        Column::number("MIN"),
        Column::number("MEDIAN"),
        Column::number("MAX"),
        Column::number("MISSING"),
        Column::number("NOT FINITE"),
    ]);
    for (at, column) in table.columns.iter().enumerate() {
        let unit = column.unit.as_ref().map(|unit| format!(" ({unit})"));
        let title = format!("{}{}", column.key, unit.unwrap_or_default());
        for row in &table.rows {
            let Some(summary) = row.metrics.get(at) else {
                continue;
            };
            let mut cells = vec![title.clone(), name_of(row.name.as_deref())];
            cells.extend(described(summary));
            cells.push(summary.missing.to_string());
            cells.push(summary.not_finite.to_string());
            out.row(cells);
        }
    }
    out
}

/// n, mean, sd, min, median, max.
fn described(summary: &MetricSummary) -> Vec<String> {
    let none = || "-".to_owned();
    match &summary.description {
        Ok(it) => vec![
            it.n.to_string(),
            short(it.mean),
            it.sd.map_or_else(none, short),
            short(it.min),
            short(it.median),
            short(it.max),
        ],
        Err(_) => vec!["0".to_owned(), none(), none(), none(), none(), none()],
    }
}

fn print_verdict(verdict: &ExperimentVerdict, judged: Judged, printer: &Printer) {
    let mut out = Table::new(vec![
        Column::text("CRITERION"),
        Column::text("VARIATION"),
        Column::number("MEAN"),
        Column::number("RUNS THAT MEET IT"),
        Column::whole("OUTCOME"),
    ]);
    for variation in &verdict.variations {
        for cell in &variation.cells {
            let (style, word) = outcome(cell);
            let mean = cell.mean.map_or_else(|| "-".to_owned(), short);
            out.styled_row(vec![
                (Style::Plain, cell.criterion.clone()),
                (Style::Plain, variation.variation.clone()),
                (Style::Plain, mean),
                (Style::Plain, format!("{} of {}", cell.met, cell.runs)),
                (style, word.to_owned()),
            ]);
        }
    }
    printer.table(&out);
    printer.line("");
    let met = verdict.variations.iter().filter(|it| it.met).count();
    let (style, word) = if verdict.met {
        (Style::Green, "met")
    } else {
        (Style::Red, "not met")
    };
    let of = format!(
        ": {met} of {} variations meet all of them",
        judged.variations
    );
    let title = if judged.is_whole() {
        "Verdict: criteria ".to_owned()
    } else {
        let Judged { ended, planned, .. } = judged;
        format!("Verdict so far, on {ended} of {planned} trials: criteria ")
    };
    printer.line(Line::styled(Style::Bold, title).add(style, word).plain(of));
}

const fn outcome(cell: &Cell) -> (Style, &'static str) {
    (
        outcome_style(cell.outcome),
        trialbook_report::analysis::outcome(cell),
    )
}

/// How an outcome looks.
pub(crate) const fn outcome_style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Met => Style::Green,
        Outcome::NotMet => Style::Red,
        Outcome::Missing => Style::Yellow,
    }
}

/// The table as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct TableDocument {
    variations: Vec<VariationDocument>,
    verdict: Option<ExperimentVerdict>,
    judged: JudgedDocument,
}

/// What the verdict rests on: it is the last one when all planned trials ended.
#[derive(Debug, Serialize)]
struct JudgedDocument {
    ended: u64,
    planned: u64,
}

#[derive(Debug, Serialize)]
struct VariationDocument {
    name: Option<String>,
    trials: u64,
    queued: u64,
    running: u64,
    completed: u64,
    failed: u64,
    cancelled: u64,
    superseded: u64,
    success_rate: Option<f64>,
    metrics: Vec<SummaryDocument>,
}

#[derive(Debug, Serialize)]
struct SummaryDocument {
    metric: String,
    unit: Option<String>,
    n: usize,
    mean: Option<Value>,
    sd: Option<Value>,
    min: Option<Value>,
    median: Option<Value>,
    max: Option<Value>,
    missing: u64,
    not_finite: u64,
}

/// Builds the document.
pub(crate) fn document(table: &VariationTable) -> TableDocument {
    let variations = table.rows.iter().map(|row| {
        let metrics = table.columns.iter().zip(&row.metrics);
        let metrics = metrics
            .map(|(column, summary)| summary_document(&column.key, column.unit.as_ref(), summary))
            .collect();
        variation_document(row.name.clone(), (row.superseded, row.statuses), metrics)
    });
    TableDocument {
        variations: variations.collect(),
        verdict: table.verdict.clone(),
        judged: JudgedDocument {
            ended: table.judged.ended,
            planned: table.judged.planned,
        },
    }
}

fn variation_document(
    name: Option<String>,
    (superseded, statuses): (u64, Statuses),
    metrics: Vec<SummaryDocument>,
) -> VariationDocument {
    VariationDocument {
        name,
        trials: statuses.total(),
        queued: statuses.queued,
        running: statuses.running,
        completed: statuses.completed,
        failed: statuses.failed,
        cancelled: statuses.cancelled,
        superseded,
        success_rate: statuses.success_rate(),
        metrics,
    }
}

fn summary_document(key: &str, unit: Option<&String>, summary: &MetricSummary) -> SummaryDocument {
    let it = summary.description.as_ref().ok();
    SummaryDocument {
        metric: key.to_owned(),
        unit: unit.cloned(),
        n: it.map_or(0, |it| it.n),
        mean: it.map(|it| figures::json(it.mean)),
        sd: it.and_then(|it| it.sd).map(figures::json),
        min: it.map(|it| figures::json(it.min)),
        median: it.map(|it| figures::json(it.median)),
        max: it.map(|it| figures::json(it.max)),
        missing: summary.missing,
        not_finite: summary.not_finite,
    }
}
