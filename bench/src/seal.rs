//! Sealing: how fast spools become chunks, and how large the database is.

use std::path::Path;

use anyhow::Result;
use trialbook_model::id::RunUid;
use trialbook_store::book::{Book, Effort};

use crate::figure::Figure;
use crate::machine::{codec_bytes, codec_encode, seconds};
use crate::{fill, mix};

const BENCH: &str = "seal";

/// The figures.
pub(crate) fn run(folder: &Path) -> Result<Vec<Figure>> {
    let columns = mix::columns(50_000, 3);
    let encode = codec_encode(&columns);
    let long = middle(&folder.join("long"), 10, &columns)?;
    let few = mix::columns(50, 4);
    let short = middle(&folder.join("short"), 5_000, &few)?;
    let encode_few = codec_encode(&few);
    let (read_rate, once) = long.rates();
    Ok(vec![
        Figure::higher(BENCH, "long series, points", read_rate / 1e6, "M/s")
            .target(0.2 * encode / 1e6)
            .limit("pco encode", encode / 1e6),
        Figure::lower(BENCH, "long series, whole database", once, "B/point")
            .target(2.6)
            .limit("pco of the values alone", codec_bytes(&columns)),
        Figure::higher(BENCH, "50-step runs, points", short.rates().0 / 1e6, "M/s")
            .target(2.5)
            .limit("pco encode of 50 values at a time", encode_few / 1e6),
        Figure::lower(
            BENCH,
            "50-step runs, whole database",
            short.rates().1,
            "B/point",
        )
        .target(4.5)
        .limit("pco of the values alone", codec_bytes(&few)),
    ])
}

struct Sealed {
    points: f64,
    seconds: f64,
    bytes: f64,
}

impl Sealed {
    /// Points a second, bytes a point.
    fn rates(&self) -> (f64, f64) {
        (self.points / self.seconds, self.bytes / self.points)
    }
}

/// The seal of median length of three books filled alike.
fn middle(folder: &Path, runs: u64, columns: &[Vec<f64>]) -> Result<Sealed> {
    let mut seals = Vec::new();
    for at in 0..3 {
        let place = folder.join(at.to_string());
        seals.push(measure(&place, runs, columns)?);
        std::fs::remove_dir_all(place)?;
    }
    seals.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    Ok(seals.swap_remove(1))
}

/// Fills a book with so many runs of the same columns, and seals it.
fn measure(folder: &Path, runs: u64, columns: &[Vec<f64>]) -> Result<Sealed> {
    let book = fill::book(folder)?;
    let mut recorder = fill::recorder(&book, 5)?;
    for at in 0..runs {
        fill::long_run(&mut recorder, RunUid(fill::uid(1, at)), columns)?;
    }
    recorder.finish()?;
    let (took, report) = seconds(|| book.seal(Effort::All));
    report?;
    Ok(Sealed {
        points: (runs as usize * columns.len() * columns[0].len()) as f64,
        seconds: took,
        bytes: database_bytes(&book)?,
    })
}

/// The size of the database and its write-ahead log.
pub(crate) fn database_bytes(book: &Book) -> Result<f64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(book.path())? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("book.db") {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes as f64)
}
