//! Filling a book through its own recorder: runs of the realistic mix, items, many small runs.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use anyhow::Result;
use trialbook_model::id::{ExperimentUid, RunUid, Uid};
use trialbook_model::record::{
    CreateExperiment, Op, Param, ParamKind, SeriesKey, SetParams, SetStatus, StartRun, Subject,
};
use trialbook_model::status::RunStatus;
use trialbook_model::time::{Clock, Timestamp};
use trialbook_spool::{Background, Mode};
use trialbook_store::book::Book;
use trialbook_store::recorder::{Recorder, RecorderOptions};

use crate::mix::{KEYS, Random};

/// A clock that goes on by a quarter of a second at each look, give or take 5 %.
pub(crate) struct Jitter {
    now: AtomicI64,
    random: AtomicU64,
}

impl Jitter {
    /// From a fixed instant.
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self {
            now: AtomicI64::new(1_767_225_600_000_000),
            random: AtomicU64::new(seed),
        })
    }
}

impl Clock for Jitter {
    fn now(&self) -> Timestamp {
        let seed = self.random.fetch_add(1, Ordering::Relaxed);
        let jitter = (Random::new(seed).unit() * 25_000.0) as i64;
        Timestamp(self.now.fetch_add(237_500 + jitter, Ordering::Relaxed))
    }
}

/// A new book in `folder`.
pub(crate) fn book(folder: &Path) -> Result<Book> {
    Ok(Book::create(&folder.join(".trialbook"))?)
}

/// A writer that leaves syncing to its end.
pub(crate) fn recorder(book: &Book, seed: u64) -> Result<Recorder> {
    let options = RecorderOptions {
        mode: Mode::Mapped,
        background: Background::None,
        ..RecorderOptions::new("bench", Jitter::new(seed))
    };
    Ok(book.recorder(options)?)
}

/// A uid that follows from two numbers.
pub(crate) fn uid(kind: u64, at: u64) -> Uid {
    let mut random = Random::new(kind.wrapping_mul(0x1_0000_0001).wrapping_add(at));
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&random.bits().to_le_bytes());
    bytes[8..].copy_from_slice(&random.bits().to_le_bytes());
    Uid(bytes)
}

/// An experiment by number.
pub(crate) fn experiment(recorder: &mut Recorder, at: u64) -> Result<ExperimentUid> {
    let experiment = ExperimentUid(uid(2, at));
    recorder.record(&Op::CreateExperiment(CreateExperiment {
        experiment,
        project: "default".to_owned(),
        name: format!("experiment-{at}"),
        handle: None,
        document: serde_json::Value::Null,
        config_hash: None,
    }))?;
    Ok(experiment)
}

/// Starts a run.
pub(crate) fn start(recorder: &mut Recorder, run: RunUid, of: ExperimentUid) -> Result<()> {
    let started = recorder.tick();
    recorder.record(&Op::StartRun(StartRun {
        experiment: of,
        started,
        source: "sdk".to_owned(),
        ..StartRun::of(run)
    }))?;
    Ok(())
}

/// Ends a run.
pub(crate) fn end(recorder: &mut Recorder, run: RunUid) -> Result<()> {
    let ended = recorder.tick();
    recorder.record(&Op::SetStatus(SetStatus {
        run,
        status: RunStatus::Completed,
        started: None,
        ended: Some(ended),
        error: None,
        exit_code: Some(0),
    }))?;
    Ok(())
}

/// Logs columns as the twenty series of the mix, one call a step, of a run that starts and ends here.
pub(crate) fn long_run(recorder: &mut Recorder, run: RunUid, columns: &[Vec<f64>]) -> Result<()> {
    start(recorder, run, ExperimentUid::default())?;
    let subject = recorder.subject(&Subject::Run(run));
    let keys: Vec<_> = KEYS[..columns.len()]
        .iter()
        .map(|key| recorder.key(&SeriesKey::plain(*key)))
        .collect();
    let mut pairs: Vec<_> = keys.into_iter().map(|key| (key, 0.0)).collect();
    for step in 0..columns.first().map_or(0, Vec::len) {
        for (pair, column) in pairs.iter_mut().zip(columns) {
            pair.1 = column[step];
        }
        let time = recorder.tick();
        recorder.points_at(subject, step as i64, time, &pairs)?;
    }
    end(recorder, run)
}

/// A run with twenty params and twenty metrics of one value each, as a search finds it.
pub(crate) fn small_run(
    recorder: &mut Recorder,
    at: u64,
    of: ExperimentUid,
    random: &mut Random,
) -> Result<()> {
    let run = RunUid(uid(1, at));
    start(recorder, run, of)?;
    let number = |text: String| Param {
        text,
        kind: ParamKind::Number,
    };
    let mut params = vec![
        (
            "model".to_owned(),
            Param::text(format!("m{}", random.bits() % 8)),
        ),
        ("unique".to_owned(), Param::text(format!("u{at}"))),
        (
            "name".to_owned(),
            Param::text(format!("n{}", random.bits() % 20_000)),
        ),
    ];
    params.extend((3..20).map(|key| {
        let value = random.bits() % (1 << (key / 2 + 1));
        (format!("p{key}"), number(value.to_string()))
    }));
    recorder.record(&Op::SetParams(SetParams { run, params }))?;
    let mut values = vec![
        (SeriesKey::plain("acc"), random.unit()),
        (SeriesKey::plain("loss"), random.unit() * 4.0),
    ];
    values.extend((2..20).map(|key| (SeriesKey::plain(format!("m{key}")), random.unit())));
    let time = recorder.tick();
    recorder.points(&Subject::Run(run), 0, time, &values)?;
    end(recorder, run)
}
