//! Reading series: whole, in buckets, many at once, and the first look after a crash.

use std::path::Path;

use anyhow::{Result, ensure};
use trialbook_model::id::{RunNo, RunUid};
use trialbook_model::record::SeriesKey;
use trialbook_spool::codec::{Along, Bucket, BucketSpec, Buckets};
use trialbook_store::BookError;
use trialbook_store::book::Effort;
use trialbook_store::nouns::Owner;
use trialbook_store::reading::Reading as _;

use crate::figure::{Figure, median};
use crate::machine::{codec_decode, copy_ms, read_ms, seconds};
use crate::{fill, mix};

const BENCH: &str = "read";
/// The whole range of a series.
const WHOLE: BucketSpec = BucketSpec {
    along: Along::Step,
    from: 1,
    to: 0,
    count: 1000,
};

/// The figures.
pub(crate) fn run(folder: &Path) -> Result<Vec<Figure>> {
    let mut figures = series(&folder.join("series"))?;
    figures.push(after_a_crash(&folder.join("crash"))?);
    Ok(figures)
}

fn series(folder: &Path) -> Result<Vec<Figure>> {
    let book = fill::book(folder)?;
    let mut recorder = fill::recorder(&book, 5)?;
    let loss = mix::columns(1_000_000, 3).swap_remove(0);
    let decode = codec_decode(&loss);
    fill::long_run(&mut recorder, RunUid(fill::uid(1, 0)), &[loss])?;
    let short = mix::columns(10_000, 4).swap_remove(0);
    for at in 1..=200 {
        let column = std::slice::from_ref(&short);
        fill::long_run(&mut recorder, RunUid(fill::uid(1, at)), column)?;
    }
    recorder.finish()?;
    book.seal(Effort::All)?;
    let view = book.view()?;
    let key = SeriesKey::plain(mix::KEYS[0]);
    let one = Owner::Run(RunNo(1));
    let runs: Vec<Owner> = (2..=201).map(|no| Owner::Run(RunNo(no))).collect();
    // One question after the other, each as often as its median needs: what one of them leaves behind in
    // memory is not measured with the next.
    let mut whole = timed(
        || view.series(&one, &key),
        |series| ensure_all(series.len() as u64, 1_000_000),
    )?;
    let mut buckets = timed(
        || view.buckets(&one, &key, WHOLE),
        |buckets| ensure_all(points_in(&buckets), 1_000_000),
    )?;
    let mut many = timed(
        || view.buckets_each(&runs, &key, WHOLE),
        |each| ensure_all(each.iter().map(points_in).sum(), 2_000_000),
    )?;
    Ok(vec![
        Figure::lower(BENCH, "10⁶ points", median(&mut whole), "ms")
            .target(20.0)
            .limit("pco decode of the values", decode),
        Figure::lower(
            BENCH,
            "10⁶ points in 1,000 buckets, warm",
            median(&mut buckets),
            "ms",
        )
        .target(0.1)
        .limit("memcpy of the roll-ups", copy_ms(1_000_000 / 256 * 48)),
        Figure::lower(
            BENCH,
            "200 runs × 10 k in 1,000 buckets",
            median(&mut many),
            "ms",
        )
        .target(20.0)
        .limit("pco decode of the values", 2.0 * decode),
    ])
}

/// Milliseconds that a question takes, each of eleven times; its answers are looked at and given back outside.
fn timed<T>(
    question: impl Fn() -> Result<T, BookError>,
    look: impl Fn(T) -> Result<()>,
) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    for _ in 0..11 {
        let (took, answer) = seconds(&question);
        look(answer?)?;
        times.push(took * 1e3);
    }
    Ok(times)
}

fn points_in(buckets: &Buckets) -> u64 {
    buckets.as_slice().iter().map(Bucket::count).sum()
}

fn ensure_all(points: u64, expected: u64) -> Result<()> {
    ensure!(points == expected, "{points} points of {expected}");
    Ok(())
}

/// A thousand writers that were killed: nothing sealed, no spool finished.
fn after_a_crash(folder: &Path) -> Result<Figure> {
    let book = fill::book(folder)?;
    let columns = mix::columns(50, 4);
    for at in 0..1000 {
        let mut recorder = fill::recorder(&book, at)?;
        fill::long_run(&mut recorder, RunUid(fill::uid(1, at)), &columns)?;
        // A spool that is dropped is left as a kill leaves it: not cut, not synced.
        drop(recorder);
    }
    let mut times = Vec::new();
    for _ in 0..5 {
        let (took, count) = seconds(|| -> Result<usize> {
            let view = book.view()?;
            let hits = view.search(&trialbook_store::query::Query::all())?;
            Ok(view.runs(&hits.runs)?.len())
        });
        ensure!(count? == 1000, "every run is found");
        times.push(took * 1e3);
    }
    Ok(Figure::lower(
        BENCH,
        "first read, 1,000 unsealed spools",
        median(&mut times),
        "ms",
    )
    .target(300.0)
    .limit("reading the files", read_ms(&book.path().join("spool"))?))
}
