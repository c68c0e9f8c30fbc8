//! `trialbook series`: the points of a run's series, all of them or in buckets.
//!
//! Invariant: without `--points` every point is printed, exactly and in the order of steps; bounds that are
//! not exact are said to be so.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;
use trialbook_model::record::SeriesKey;
use trialbook_model::time::Timestamp;
use trialbook_spool::codec::{Along, Bucket, BucketSpec, Buckets, Detail};
use trialbook_store::nouns::{Owner, RunRow, Series};
use trialbook_store::reading::Reading;

use crate::book;
use crate::context::Context;
use crate::failure::Failure;
use crate::figures;
use crate::names::Names;
use crate::printer::{Column, Table};
use crate::values;

const SCHEMA: u32 = 1;

/// Print a series of a run, or what series there are
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook series latest
  trialbook series 1a2b3c4d loss
  trialbook series EXP-001/run-014 loss --csv > loss.csv
  trialbook series latest loss --points 100 --along time --json")]
pub(crate) struct Args {
    /// The run
    run: String,
    /// The metric; without one the series of the run are listed
    metric: Option<String>,
    /// What tells series of one name apart: split=test, or a JSON map
    #[arg(long, default_value = "")]
    context: String,
    /// Print CSV
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Divide the range into so many buckets
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    points: Option<u32>,
    /// What the buckets divide
    #[arg(long, value_enum, default_value_t = Axis::Step)]
    along: Axis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Axis {
    Step,
    Time,
}

#[derive(Serialize)]
struct Head<'a> {
    run: String,
    metric: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Value>,
}

/// Prints it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let context = values::context(&args.context)?;
    let open = book::reading(cx)?;
    let view = open.view()?;
    let run = Names::new(&view).run(&args.run)?;
    let Some(metric) = &args.metric else {
        super::show::print_series(&run, cx)?;
        return Ok(ExitCode::SUCCESS);
    };
    let key = values::series_key(metric, &context);
    if !run.state.records.series.contains_key(&key) {
        return Err(unknown(&run, &key));
    }
    let head = Head {
        run: run.uid.to_string(),
        metric,
        context: serde_json::from_str(&key.context).ok(),
    };
    match args.points {
        None => whole(&view, args, (&run, &key), head, cx)?,
        Some(number) => bucketed(&view, args, (&run, &key, number), head, cx)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn unknown(run: &RunRow, key: &SeriesKey) -> anyhow::Error {
    let known = run.state.records.series.keys();
    let mut nearest: Vec<String> = known
        .clone()
        .filter(|known| known.key == key.key)
        .map(ToString::to_string)
        .collect();
    if nearest.is_empty() {
        nearest = known.map(ToString::to_string).take(3).collect();
    }
    Failure::UnknownSeries {
        key: key.to_string(),
        nearest,
    }
    .into()
}

fn whole<V: Reading>(
    view: &V,
    args: &Args,
    (run, key): (&RunRow, &SeriesKey),
    head: Head<'_>,
    cx: &Context,
) -> Result<()> {
    let series = view.series(&Owner::Run(run.no), key)?;
    if cx.printer.json_wanted() {
        return json(&series, head, cx);
    }
    if args.csv {
        let mut out = cx.printer.stream();
        writeln!(out, "step,time,value")?;
        for point in series.points() {
            let value = figures::exact(point.value);
            writeln!(out, "{},{},{value}", point.step, point.time)?;
        }
        return Ok(out.flush()?);
    }
    let mut table = Table::new(vec![
        Column::number("STEP"),
        Column::whole("TIME"),
        Column::number("VALUE"),
    ]);
    for point in series.points() {
        table.row(vec![
            point.step.to_string(),
            crate::when::local(point.time),
            figures::exact(point.value),
        ]);
    }
    cx.printer.table(&table);
    Ok(())
}

/// Columns, written as they come: a series may have millions of points.
fn json(series: &Series, head: Head<'_>, cx: &Context) -> Result<()> {
    #[derive(Serialize)]
    struct Columns<'a> {
        schema: u32,
        #[serde(flatten)]
        head: Head<'a>,
        points: usize,
        steps: &'a [i64],
        times_ms: Vec<i64>,
        values: Vec<Value>,
    }
    let columns = Columns {
        schema: SCHEMA,
        head,
        points: series.len(),
        steps: &series.steps,
        times_ms: series
            .times
            .iter()
            .map(|time| Timestamp(*time).millis())
            .collect(),
        values: series
            .values
            .iter()
            .map(|value| figures::json(*value))
            .collect(),
    };
    cx.printer.large_json(&columns)
}

#[derive(Serialize)]
struct BucketDocument {
    first_step: i64,
    last_step: i64,
    first_time: String,
    last_time: String,
    count: u64,
    nan: u64,
    infinite: u64,
    min: Option<Value>,
    max: Option<Value>,
    mean: Option<Value>,
    last: Value,
}

impl BucketDocument {
    fn of(bucket: &Bucket, detail: Detail) -> Self {
        let finite = |value: f64| (bucket.finite > 0).then(|| figures::json(bound(value, detail)));
        Self {
            first_step: bucket.first_step,
            last_step: bucket.last_step,
            first_time: Timestamp(bucket.first_time).to_string(),
            last_time: Timestamp(bucket.last_time).to_string(),
            count: bucket.count(),
            nan: bucket.nan,
            infinite: bucket.pos_inf + bucket.neg_inf,
            min: finite(bucket.min),
            max: finite(bucket.max),
            mean: bucket.mean().map(figures::json),
            last: figures::json(bucket.last),
        }
    }
}

const BUCKET_COLUMNS: [&str; 9] = [
    "first_step",
    "last_step",
    "count",
    "nan",
    "infinite",
    "min",
    "mean",
    "max",
    "last",
];

/// A least or greatest value with no more digits than are known: beside exact ones stand 32-bit numbers.
fn bound(value: f64, detail: Detail) -> f64 {
    match detail {
        Detail::Exact => value,
        Detail::Snapped => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "what it loses is seen below"
            )]
            let narrow = value as f32;
            if f64::from(narrow).to_bits() == value.to_bits() {
                narrow.to_string().parse().unwrap_or(value)
            } else {
                value
            }
        }
    }
}

fn bucket_cells(bucket: &Bucket, detail: Detail) -> Vec<String> {
    let finite = |value: f64| {
        if bucket.finite > 0 {
            figures::exact(bound(value, detail))
        } else {
            String::new()
        }
    };
    vec![
        bucket.first_step.to_string(),
        bucket.last_step.to_string(),
        bucket.count().to_string(),
        bucket.nan.to_string(),
        (bucket.pos_inf + bucket.neg_inf).to_string(),
        finite(bucket.min),
        bucket.mean().map(figures::exact).unwrap_or_default(),
        finite(bucket.max),
        figures::exact(bucket.last),
    ]
}

fn bucketed<V: Reading>(
    view: &V,
    args: &Args,
    (run, key, number): (&RunRow, &SeriesKey, u32),
    head: Head<'_>,
    cx: &Context,
) -> Result<()> {
    // A range that ends before it begins means the whole series.
    let spec = BucketSpec {
        along: match args.along {
            Axis::Step => Along::Step,
            Axis::Time => Along::Time,
        },
        from: 1,
        to: 0,
        count: number as usize,
    };
    let buckets = view.buckets(&Owner::Run(run.no), key, spec)?;
    let (full, detail) = (filled(&buckets), buckets.detail());
    if detail == Detail::Snapped {
        cx.printer.note(
            "borders of buckets are snapped to 256 values; min and max are rounded outward to 32-bit numbers",
        );
    }
    if cx.printer.json_wanted() {
        let document = Bucketed {
            head,
            along: match args.along {
                Axis::Step => "step",
                Axis::Time => "time",
            },
            exact: detail == Detail::Exact,
            buckets: full
                .iter()
                .map(|bucket| BucketDocument::of(bucket, detail))
                .collect(),
        };
        return cx.printer.json(SCHEMA, &document);
    }
    if args.csv {
        let mut out = cx.printer.stream();
        writeln!(out, "{}", BUCKET_COLUMNS.join(","))?;
        for bucket in full {
            writeln!(out, "{}", bucket_cells(bucket, detail).join(","))?;
        }
        return Ok(out.flush()?);
    }
    print_buckets(&full, detail, cx);
    Ok(())
}

/// A series in buckets, as JSON.
#[derive(Serialize)]
struct Bucketed<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    along: &'static str,
    exact: bool,
    buckets: Vec<BucketDocument>,
}

fn print_buckets(full: &[&Bucket], detail: Detail, cx: &Context) {
    let titles = BUCKET_COLUMNS.map(|title| title.replace('_', " ").to_uppercase());
    let mut table = Table::new(titles.into_iter().map(Column::number).collect());
    for bucket in full {
        table.row(bucket_cells(bucket, detail));
    }
    cx.printer.table(&table);
}

/// The buckets that hold points.
fn filled(buckets: &Buckets) -> Vec<&Bucket> {
    buckets
        .as_slice()
        .iter()
        .filter(|bucket| !bucket.is_empty())
        .collect()
}
