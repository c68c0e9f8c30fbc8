//! Searching by the column index: 20 params, 3 tags and 20 metrics a run, built from run rows.
//!
//! Not here: whole commands and the store that feeds the index.

use std::path::Path;

use anyhow::{Context as _, Result};
use trialbook_model::filter::{Dialect, Expr, OrderTerm, parse, parse_order};
use trialbook_model::id::{ExperimentNo, RunNo, RunUid, Uid};
use trialbook_model::record::{Param, ParamKind, SeriesKey, StartRun};
use trialbook_model::state::{Earliest, Latest, Point, RunState, SeriesSummary, Stamp, WriteOnce};
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;
use trialbook_store::index::{Changes, ExperimentFacts, Index, IndexBuilder, RunFacts};
use trialbook_store::nouns::RunRow;
use trialbook_store::query::Query;

use crate::figure::{Figure, median};
use crate::machine::{memory_copy, seconds};
use crate::mix::{KEYS, Random};

const BENCH: &str = "search";
const BOOK: Uid = Uid([3; 16]);
/// Rows made at a time, so that making them is not measured.
const PIECE: u64 = 4096;

/// The questions: a name, a condition, an order.
const QUERIES: [(&str, &str, &str); 5] = [
    (
        "Q1 three filters, order",
        "metrics.\"val/accuracy\" > 0.9 and params.model = 'm3' and tags.team like 'a%'",
        "metrics.\"val/loss\" asc",
    ),
    (
        "Q2 90 % match, order",
        "metrics.\"val/accuracy\" > 0.1",
        "metrics.\"val/loss\" desc",
    ),
    (
        "Q3 one value of a unique param",
        "params.name = 'name-4711'",
        "metrics.\"val/loss\" asc",
    ),
    (
        "Q4 substring in 20,000 values",
        "params.data like '%1999%'",
        "metrics.\"val/loss\" asc",
    ),
    (
        "Q5 two metrics, order by a third",
        "metrics.\"train/loss\" < 0.5 and max(metrics.\"grad/norm\") > 0.5",
        "metrics.lr desc",
    ),
];

/// What a book of the bench looks like.
#[derive(Clone, Copy)]
struct Shape {
    runs: u64,
    experiments: u64,
}

/// A run, from its number alone.
fn row(no: u64, shape: Shape) -> RunRow {
    let mut random = Random::new(no);
    let stamp = Stamp::default();
    let uid = RunUid(Uid(
        (u128::from(random.bits()) << 64 | u128::from(no)).to_be_bytes()
    ));
    let mut state = RunState {
        start: Some(Earliest {
            stamp,
            value: StartRun {
                name: Some(format!("run-{no}")),
                seed: Some(no),
                source: "sdk".to_owned(),
                started: Timestamp(no as i64 * 1_000_000),
                ..StartRun::of(uid)
            },
        }),
        ..RunState::default()
    };
    if random.unit() < 0.05
        && let Some(start) = &mut state.start
    {
        start.value.status = RunStatus::Failed;
    }
    for (key, param) in params(no, &mut random) {
        state.params.insert(key, WriteOnce::new(stamp, param));
    }
    for (tag, values) in [("team", "abcdefgh"), ("stage", "dtp"), ("host", "xyz")] {
        let at = random.bits() as usize % values.len();
        let value = format!("{}-{tag}", &values[at..=at]);
        state
            .annotations
            .tags
            .insert(tag.to_owned(), Latest::new(stamp, Some(value)));
    }
    for key in KEYS {
        let mut point = |step| Point {
            step,
            time: Timestamp(step),
            value: random.unit(),
        };
        let mut summary = SeriesSummary::new(point(0));
        summary.add(point(1));
        state.records.series.insert(SeriesKey::plain(key), summary);
    }
    RunRow {
        no: RunNo(no),
        uid,
        experiment: ExperimentNo(no * 7919 % shape.experiments),
        number: Some(no),
        state,
    }
}

fn params(no: u64, random: &mut Random) -> Vec<(String, Param)> {
    let number = |text: String| Param {
        text,
        kind: ParamKind::Number,
    };
    let mut params = vec![
        ("name".to_owned(), Param::text(format!("name-{no}"))),
        (
            "model".to_owned(),
            Param::text(format!("m{}", random.bits() % 20)),
        ),
        (
            "data".to_owned(),
            Param::text(format!("data-{}", random.bits() % 20_000)),
        ),
        ("lr".to_owned(), number(format!("1e-{}", random.bits() % 6))),
    ];
    params.extend((4..20).map(|at| {
        let value = random.bits() % (1 << (at / 2));
        (format!("p{at:02}"), number(value.to_string()))
    }));
    params
}

fn experiments(shape: Shape) -> impl Iterator<Item = ExperimentFacts> {
    (0..shape.experiments).map(|no| ExperimentFacts {
        no: ExperimentNo(no),
        name: Some(format!("experiment {no}")),
        handle: Some(format!("EXP-{no:03}")),
        project: "default".to_owned(),
        ..ExperimentFacts::default()
    })
}

/// Builds a snapshot; returns rows a second.
fn build(path: &Path, shape: Shape) -> Result<f64> {
    let mut builder = IndexBuilder::in_file(BOOK, path)?;
    let mut took = 0.0;
    for experiment in experiments(shape) {
        builder.add_experiment(experiment);
    }
    for from in (1..=shape.runs).step_by(PIECE as usize) {
        let rows: Vec<RunRow> = (from..(from + PIECE).min(shape.runs + 1))
            .map(|no| row(no, shape))
            .collect();
        let (piece, result) = seconds(|| {
            rows.iter()
                .try_for_each(|row| builder.add_run(&RunFacts::of(row)))
        });
        result?;
        took += piece;
    }
    let (end, index) = seconds(|| builder.finish(1));
    index?;
    Ok(shape.runs as f64 / (took + end))
}

fn question(condition: &str, order: &str) -> Result<Query> {
    let filter: Expr = parse(condition, Dialect::Native).context("the bench's own filter")?;
    let order: Vec<OrderTerm> = parse_order(order, Dialect::Native).context("its own order")?;
    Ok(Query {
        filter,
        order,
        limit: 100,
        ..Query::all()
    })
}

/// Milliseconds of a search, warm.
fn warm(index: &Index, query: &Query) -> Result<(f64, u64)> {
    let mut total = index.search(query)?.total;
    let mut times = Vec::new();
    for _ in 0..15 {
        let (took, hits) = seconds(|| index.search(query));
        total = hits?.total;
        times.push(took * 1e3);
    }
    Ok((median(&mut times), total))
}

/// Milliseconds of mapping a snapshot, laying changes over it and one search, as a command does it.
fn cold(path: &Path, query: &Query, changes: &Changes) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..9 {
        let changes = changes.clone();
        let (took, result) = seconds(|| -> Result<u64> {
            let mut index = Index::open(path, BOOK)?;
            index.apply(changes);
            Ok(index.search(query)?.total)
        });
        result?;
        times.push(took * 1e3);
    }
    Ok(median(&mut times))
}

/// Megabytes of this process in memory, mapped pages among them.
fn resident() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: f64 = line
        .and_then(|line| line.trim().strip_suffix("kB"))
        .context("no VmRSS line")?
        .trim()
        .parse()?;
    Ok(kib * 1024.0 / 1e6)
}

/// What 1,000 runs of a book are like after a change.
fn changes(shape: Shape) -> Changes {
    let changed = (1..=1000).map(|at| row(at * (shape.runs / 1000), shape));
    Changes {
        rev: 2,
        runs: changed.map(|row| RunFacts::of(&row).into_owned()).collect(),
        ..Changes::default()
    }
}

/// Measures one book; `limit` is what a command may take on it.
fn measure(folder: &Path, shape: Shape, limit: f64) -> Result<Vec<Figure>> {
    let book = format!("{} runs, {} experiments", shape.runs, shape.experiments);
    let path = folder.join(format!("index-{}-{}", shape.runs, shape.experiments));
    let rate = build(&path, shape)?;
    let size = std::fs::metadata(&path)?.len() as f64;
    let mut figures = vec![
        Figure::higher(BENCH, format!("build, {book}"), rate / 1e3, "k runs/s"),
        Figure::lower(
            BENCH,
            format!("snapshot, {book}"),
            size / shape.runs as f64,
            "B/run",
        ),
    ];
    let changes = changes(shape);
    let before = resident()?;
    let scan = shape.runs as f64 * 17.0 / memory_copy() * 1e3;
    let mut index = Index::open(&path, BOOK)?;
    for (name, condition, order) in QUERIES {
        let query = question(condition, order)?;
        let (took, total) = warm(&index, &query)?;
        let figure = Figure::lower(BENCH, format!("{name} ({total} hits), {book}"), took, "ms");
        figures.push(figure.target(10.0).limit("memcpy of 17 B/run", scan));
    }
    let memory = resident()? - before;
    figures.push(
        Figure::lower(BENCH, format!("resident, {book}"), memory, "MB")
            .target(400.0)
            .limit(
                "the columns of a question, 17 B/run",
                shape.runs as f64 * 17.0 / 1e6,
            ),
    );
    let (_, condition, order) = QUERIES[0];
    let query = question(condition, order)?;
    let fresh = cold(&path, &query, &Changes::default())?;
    figures.push(
        Figure::lower(BENCH, format!("open + Q1, {book}"), fresh, "ms")
            .target(limit)
            .limit("memcpy of 17 B/run", scan),
    );
    let stale = cold(&path, &query, &changes)?;
    let name = format!("open + 1,000 changed + Q1, {book}");
    figures.push(
        Figure::lower(BENCH, name, stale, "ms")
            .target(60.0)
            .limit("memcpy of 17 B/run", scan),
    );
    index.apply(changes);
    let (took, result) = seconds(|| index.write(&path));
    result?;
    figures.push(Figure::lower(
        BENCH,
        format!("write with changes, {book}"),
        took,
        "s",
    ));
    std::fs::remove_file(path)?;
    Ok(figures)
}

/// Measures searching.
pub(crate) fn run(folder: &Path) -> Result<Vec<Figure>> {
    let books = [
        (100_000, 1, 15.0),
        (1_000_000, 1, 30.0),
        (1_000_000, 10_000, 30.0),
    ];
    let mut figures = Vec::new();
    for (runs, experiments, limit) in books {
        figures.extend(measure(folder, Shape { runs, experiments }, limit)?);
    }
    Ok(figures)
}
