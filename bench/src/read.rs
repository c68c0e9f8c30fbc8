//! Reading series: whole, in buckets, many at once, and the first look after a crash.

use std::path::Path;

use anyhow::{Result, ensure};
use trialbook_model::id::{RunNo, RunUid};
use trialbook_model::record::SeriesKey;
use trialbook_spool::codec::{Along, Bucket, BucketSpec, Buckets};
use trialbook_store::book::Effort;
use trialbook_store::nouns::Owner;
use trialbook_store::reading::Reading as _;

use crate::figure::{Figure, median};
use crate::machine::{codec_decode, copy_ms, seconds};
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
    let (mut whole, mut buckets, mut many) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..11 {
        let (took, series) = seconds(|| view.series(&one, &key));
        ensure!(series?.len() == 1_000_000, "a million points are read");
        whole.push(took * 1e3);
        let (took, found) = seconds(|| view.buckets(&one, &key, WHOLE));
        ensure!(found?.as_slice().len() == 1000, "a thousand buckets");
        buckets.push(took * 1e3);
        let (took, found) = seconds(|| -> Result<u64> {
            let each = view.buckets_each(&runs, &key, WHOLE)?;
            let filled = each.iter().flat_map(Buckets::as_slice);
            Ok(filled.map(Bucket::count).sum())
        });
        ensure!(found? == 2_000_000, "every point is in a bucket");
        many.push(took * 1e3);
    }
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
    .target(300.0))
}
