//! Everything of a book as one document and back, and the whole book as one file.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use trialbook_exchange::bring::Manner;
use trialbook_exchange::{Arrival, Conflicts, ExportError, Gather, Place, Selection, document};
use trialbook_model::id::{Entropy, RunUid};
use trialbook_model::time::Timestamp;
use trialbook_store::book::{Book, Effort};

use crate::figure::{Figure, median};
use crate::machine::seconds;
use crate::mix::Random;
use crate::{fill, mix};

const BENCH: &str = "files";

/// Runs, each with twenty series of `STEPS` points: ten million points.
const RUNS: u64 = 10;
const STEPS: usize = 50_000;

/// Bytes of artifacts in the book that is backed up.
const ARTIFACTS: usize = 8;
const ARTIFACT: usize = 64 << 20;

/// Measurements of each figure.
const TIMES: usize = 3;

/// The figures.
pub(crate) fn run(folder: &Path) -> Result<Vec<Figure>> {
    let book = filled(&folder.join("book"))?;
    let points = (RUNS as usize * 20 * STEPS) as f64;
    let file = folder.join("all.json");
    let (mut exports, mut imports, mut seals) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..TIMES {
        let (took, exported) = seconds(|| export(&book, &file));
        exported?;
        exports.push(points / took / 1e6);
        let place = folder.join(format!("other-{at}"));
        let other = fill::book(&place)?;
        let (took, imported) = seconds(|| import(&other, &file));
        if imported? != points as u64 {
            bail!("not all points came in");
        }
        imports.push(points / took / 1e6);
        let (more, sealed) = seconds(|| other.seal(Effort::All));
        sealed?;
        seals.push(points / (took + more) / 1e6);
        fs::remove_dir_all(place)?;
    }
    let bytes = fs::metadata(&file)?.len() as f64;
    let mut figures = vec![
        Figure::higher(BENCH, "export of 10⁷ points", median(&mut exports), "M/s").target(1.0),
        Figure::higher(BENCH, "import of 10⁷ points", median(&mut imports), "M/s").target(1.0),
        Figure::higher(
            BENCH,
            "import of 10⁷ points, sealed",
            median(&mut seals),
            "M/s",
        ),
        Figure::lower(BENCH, "document", bytes / points, "B/point"),
    ];
    fs::remove_file(&file)?;
    figures.push(backup(&book, folder)?);
    Ok(figures)
}

fn filled(folder: &Path) -> Result<Book> {
    let book = fill::book(folder)?;
    let mut recorder = fill::recorder(&book, 5)?;
    let columns = mix::columns(STEPS, 3);
    for at in 0..RUNS {
        fill::long_run(&mut recorder, RunUid(fill::uid(1, at)), &columns)?;
    }
    recorder.finish()?;
    book.seal(Effort::All)?;
    let mut random = Random::new(9);
    for _ in 0..ARTIFACTS {
        let bytes: Vec<u8> = (0..ARTIFACT / 8)
            .flat_map(|_| random.bits().to_le_bytes())
            .collect();
        book.artifacts().put(&mut bytes.as_slice())?;
    }
    Ok(book)
}

fn export(book: &Book, file: &Path) -> Result<()> {
    let view = book.view()?;
    let out = BufWriter::with_capacity(1 << 20, File::create(file)?);
    let mut writer = document::Writer::new(out)?;
    let mut sink = |record| {
        writer.write(&record).map_err(|source| ExportError::Write {
            path: file.to_owned(),
            source,
        })
    };
    Gather::new(&view).records(&Selection::All, &mut sink)?;
    let (out, _) = writer.finish()?;
    out.get_ref().sync_all()?;
    Ok(())
}

struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(1);
    }
}

fn import(book: &Book, file: &Path) -> Result<u64> {
    let manner = Manner {
        conflicts: Conflicts::Refuse,
        now: Timestamp(0),
        entropy: &mut NoEntropy,
    };
    let mut arrival = Arrival::new(book, manner)?;
    let from = BufReader::with_capacity(1 << 20, File::open(file)?);
    document::read(from, &Place::file(file), &mut |place, record| {
        arrival.take(place, record)
    })?;
    Ok(arrival.finish()?.points)
}

/// The backup's rate, beside the rate at which the same bytes are copied by reading and writing.
fn backup(book: &Book, folder: &Path) -> Result<Figure> {
    let (mut backups, mut copies) = (Vec::new(), Vec::new());
    let file = folder.join("book.tar");
    let copy = folder.join("copy.tar");
    for _ in 0..TIMES {
        let (took, written) = seconds(|| archive(book, &file));
        let bytes = written? as f64;
        backups.push(bytes / took / 1e6);
        let (took, copied) = seconds(|| copied(&file, &copy));
        copied?;
        copies.push(bytes / took / 1e6);
        fs::remove_file(&file)?;
        fs::remove_file(&copy)?;
    }
    let copy = median(&mut copies);
    Ok(
        Figure::higher(BENCH, "backup", median(&mut backups), "MB/s")
            .target(0.5 * copy)
            .limit("copy", copy),
    )
}

fn archive(book: &Book, file: &Path) -> Result<u64> {
    let to = File::create(file)?;
    let mut out = BufWriter::with_capacity(1 << 20, &to);
    let report = book.archive(&mut out, file)?;
    out.flush()?;
    to.sync_all()?;
    Ok(report.context("somebody seals")?.bytes)
}

fn copied(from: &Path, to: &Path) -> Result<()> {
    let (mut from, mut to) = (File::open(from)?, File::create(to)?);
    let mut piece = vec![0; 1 << 20];
    loop {
        let some = from.read(&mut piece)?;
        if some == 0 {
            break;
        }
        to.write_all(&piece[..some])?;
    }
    to.sync_all()?;
    Ok(())
}
