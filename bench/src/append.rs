//! Appending to spools: the cost of one logging call, and what several processes reach together.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Result, ensure};
use trialbook_model::id::{RunUid, Uid};
use trialbook_model::record::{SeriesKey, Subject};
use trialbook_model::time::Timestamp;
use trialbook_spool::{Durability, KeyIndex, LogCall, Mode, Repeat, SpoolOptions, SpoolWriter};

use crate::figure::{Figure, quantile};
use crate::{machine, mix};

const BENCH: &str = "append";
/// Steps that one process logs when several are measured together.
const STEPS_EACH: i64 = 200_000;
const PROCESSES: usize = 8;

/// The word by which this program is started as one of several writers: the folder and how to write follow.
pub(crate) const WRITER: &str = "--writer";

struct Logger {
    spool: SpoolWriter,
    subject: trialbook_spool::SubjectIndex,
    pairs: Vec<(KeyIndex, f64)>,
}

impl Logger {
    fn new(folder: &Path, mode: Mode) -> Result<Self> {
        let options = SpoolOptions {
            mode,
            ..SpoolOptions::default()
        };
        let mut spool = SpoolWriter::create(folder, options)?;
        let subject = spool.subject(&Subject::Run(RunUid(Uid([7; 16]))));
        let pairs = mix::KEYS
            .iter()
            .map(|key| (spool.key(&SeriesKey::plain(*key)), 0.5))
            .collect();
        Ok(Self {
            spool,
            subject,
            pairs,
        })
    }

    fn log(&mut self, step: i64) -> Result<()> {
        for (at, (_, value)) in self.pairs.iter_mut().enumerate() {
            *value = (step as f64).mul_add(0.001, at as f64);
        }
        let call = LogCall {
            subject: self.subject,
            step,
            time: Timestamp(1_700_000_000_000_000 + step * 1000),
            repeat: Repeat::Keep,
        };
        self.spool.points(call, &self.pairs)?;
        Ok(())
    }
}

/// The figures.
pub(crate) fn run(folder: &Path) -> Result<Vec<Figure>> {
    let write = machine::append_write(folder, 220)?;
    let copy = machine::fresh_copy(220);
    let mut figures = Vec::new();
    for (mode, name, targets) in [
        (Mode::Mapped, "mapped", (0.6, 5.0)),
        (Mode::Written, "written", (2.0, 10.0)),
    ] {
        let (p50, p99) = one_call(&folder.join(name), mode)?;
        let (what, limits) = if mode == Mode::Mapped {
            ("memcpy of 220 B to new memory", copy)
        } else {
            ("pwrite of 220 B", write)
        };
        figures.push(
            Figure::lower(BENCH, format!("20-metric step, {name}, p50"), p50, "µs")
                .target(targets.0)
                .limit(format!("{what}, p50"), limits.0),
        );
        figures.push(
            Figure::lower(BENCH, format!("20-metric step, {name}, p99"), p99, "µs")
                .target(targets.1)
                .limit(format!("{what}, p99"), limits.1),
        );
    }
    let rate = together(&folder.join("together"), "mapped")?;
    // What all cores copy together, 11 bytes a point.
    let cores = std::thread::available_parallelism()?.get() as f64;
    figures.push(
        Figure::higher(BENCH, "8 processes, points", rate / 1e6, "M/s")
            .target(10.0)
            .limit(
                "memcpy of 11 B a point to new memory, all cores",
                cores * mix::KEYS.len() as f64 / copy.0,
            ),
    );
    let synced = together(&folder.join("synced"), "synced")? / mix::KEYS.len() as f64;
    let limit = machine::sync_rate(folder, PROCESSES)?;
    figures.push(
        Figure::higher(BENCH, "8 processes, fdatasync each, calls", synced, "1/s")
            .target(limit / 2.0)
            .limit("fdatasync, 8 files", limit),
    );
    Ok(figures)
}

/// Microseconds of one call: median and 99 %.
fn one_call(folder: &Path, mode: Mode) -> Result<(f64, f64)> {
    const CALLS: i64 = 300_000;
    let mut logger = Logger::new(folder, mode)?;
    (0..1000).try_for_each(|step| logger.log(step))?;
    let mut times = Vec::with_capacity(CALLS as usize);
    for step in 1000..1000 + CALLS {
        let begun = Instant::now();
        logger.log(step)?;
        times.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    logger.spool.finish()?;
    Ok((quantile(&mut times, 0.5), quantile(&mut times, 0.99)))
}

/// Points a second of all processes, from the first one's start to the last one's end.
fn together(folder: &Path, how: &str) -> Result<f64> {
    std::fs::create_dir_all(folder)?;
    let this = std::env::current_exe()?;
    let begun = Instant::now();
    let mut children = Vec::new();
    for _ in 0..PROCESSES {
        let child = Command::new(&this)
            .arg(WRITER)
            .arg(folder)
            .arg(how)
            .stdout(Stdio::piped())
            .spawn()?;
        children.push(child);
    }
    let mut points = 0.0;
    for mut child in children {
        let mut text = String::new();
        if let Some(mut output) = child.stdout.take() {
            output.read_to_string(&mut text)?;
        }
        ensure!(child.wait()?.success(), "a writer failed");
        points += text.trim().parse::<f64>()?;
    }
    Ok(points / begun.elapsed().as_secs_f64())
}

/// One of several writers; returns how many points it logged.
pub(crate) fn write(folder: &Path, how: &str) -> Result<f64> {
    let mut logger = Logger::new(folder, Mode::Mapped)?;
    let steps = if how == "synced" { 300 } else { STEPS_EACH };
    for step in 0..steps {
        logger.log(step)?;
        if how == "synced" {
            logger.spool.flush(Durability::Disk)?;
        }
    }
    Ok((steps as usize * mix::KEYS.len()) as f64)
}
