//! Seeded schedules on a simulated disk: recorders, sealers and readers die at any single file operation,
//! the power goes, the disk fills. Afterwards the book holds what was acknowledged, once, and its answers are
//! those of the reference model.
//!
//! Invariant: a schedule that fails prints its seed, and the seed alone makes it again.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use trialbook_model::id::{RunNo, RunUid, Uid};
use trialbook_model::record::*;
use trialbook_model::time::{Clock, Timestamp};
use trialbook_spool::sim::rounds::{self, Random};
use trialbook_spool::sim::{Faults, MayMap, SimFiles};
use trialbook_spool::{Background, Durability, Mode, SpoolError};
use trialbook_store::nouns::Owner;
use trialbook_store::reading::Reading;
use trialbook_store::reference::Reference;
use trialbook_store::{Book, BookError, BookView, Effort, Recorder, RecorderOptions};

/// Schedules where nobody says how long to go on.
const SCHEDULES: u64 = 150;

const RUNS: u8 = 3;

/// A clock that only goes forward, one tick at a look.
#[derive(Default)]
struct Ticks(AtomicI64);

impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// A record by its writer's place in the schedule and its count there.
type Mark = (usize, i64);

/// What one writer said and what it was promised.
#[derive(Default)]
struct Promise {
    said: BTreeMap<i64, Signed>,
    /// Survives the end of the process.
    kernel: BTreeSet<i64>,
    /// Survives a power cut.
    disk: BTreeSet<i64>,
    /// Told as perhaps lost by a sync that failed: nothing said later promises them again.
    doubtful: BTreeSet<i64>,
}

struct Live {
    files: SimFiles,
    recorder: Recorder,
    place: usize,
}

struct Schedule {
    random: Random,
    files: SimFiles,
    clock: Arc<Ticks>,
    book: Book,
    promises: Vec<Promise>,
    faulty: bool,
    /// A sync may have failed, and pages that only the kernel had may be gone.
    failing: bool,
}

#[test]
fn what_was_acknowledged_is_in_the_book_once_after_every_crash() {
    rounds::play(SCHEDULES, |seed| Schedule::new(seed).go());
}

fn run_uid(at: u64) -> RunUid {
    RunUid(Uid([at as u8 + 1; 16]))
}

impl Schedule {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let files = SimFiles::new(random.below(u64::MAX));
        if random.one_in(2) {
            files.set_may_map(MayMap::No);
        }
        Self {
            faulty: random.one_in(2),
            random,
            book: Book::simulated(Path::new("book"), files.shared()).unwrap(),
            files,
            clock: Arc::default(),
            promises: Vec::new(),
            failing: false,
        }
    }

    fn go(&mut self) {
        for _ in 0..=self.random.below(3) {
            self.era();
            self.files.set_faults(Faults::default());
            if self.failing {
                for promise in &mut self.promises {
                    promise.kernel.retain(|mark| promise.disk.contains(mark));
                }
            }
            self.check_as_reader();
        }
        let files = self.files.process();
        let book = self.book.in_process(files.shared()).unwrap();
        let before = answers(&book.view().unwrap());
        book.seal(Effort::All).unwrap();
        let view = book.view().unwrap();
        assert_eq!(before, answers(&view), "sealing changes no answer");
        assert_eq!(view.unsealed_bytes(), 0);
        if !self.failing {
            assert_eq!(view.dead_spools(), 0, "what is sealed and dead is removed");
        }
    }

    fn set_faults(&mut self) {
        let mut faults = Faults::default();
        if self.faulty {
            faults.short = self.random.below(200) as u32;
            faults.interrupted = self.random.below(200) as u32;
            if self.random.one_in(3) {
                faults.failed = self.random.below(300) as u32;
                self.failing = true;
            }
            if self.random.one_in(2) {
                faults.capacity = Some(4096 + self.random.below(400_000));
            }
        }
        self.files.set_faults(faults);
    }

    /// From one start of the machine to its end, or a while of it.
    fn era(&mut self) {
        let mut live: Vec<Live> = Vec::new();
        self.set_faults();
        for _ in 0..self.random.below(150) {
            live.retain(|live| !live.files.is_dead());
            match self.random.below(24) {
                0 | 1 => self.seal_as_mortal(),
                2 if self.faulty => self.set_faults(),
                3 if live.len() < 3 => live.extend(self.start()),
                _ if live.is_empty() => live.extend(self.start()),
                _ => {
                    let at = self.random.below(live.len() as u64) as usize;
                    self.step(at, &mut live);
                }
            }
        }
        for left in live {
            left.files.kill();
        }
        if self.random.one_in(2) {
            self.files = self.files.power_cut();
            for promise in &mut self.promises {
                promise.kernel.retain(|mark| promise.disk.contains(mark));
            }
        }
    }

    fn start(&mut self) -> Option<Live> {
        let files = self.files.process();
        if self.random.one_in(2) {
            files.die_after(self.random.below(150));
        }
        let book = self.book.in_process(files.shared()).unwrap();
        let clock: Arc<dyn Clock> = Arc::<Ticks>::clone(&self.clock);
        let options = RecorderOptions {
            mode: if self.random.one_in(3) {
                Mode::Written
            } else {
                Mode::Auto
            },
            background: Background::None,
            ..RecorderOptions::new("me", clock)
        };
        let recorder = book.recorder(options).ok()?;
        self.promises.push(Promise::default());
        Some(Live {
            files,
            recorder,
            place: self.promises.len() - 1,
        })
    }

    fn step(&mut self, at: usize, live: &mut Vec<Live>) {
        match self.random.below(20) {
            0 => {
                let ended = live.swap_remove(at);
                let files = ended.files.clone();
                if ended.recorder.finish().is_ok() {
                    self.promises[ended.place].secure();
                }
                files.kill();
            }
            1 | 2 => {
                let place = live[at].place;
                match live[at].recorder.flush(Durability::Disk) {
                    Ok(()) => self.promises[place].secure(),
                    Err(_) => self.promises[place].doubt(),
                }
            }
            3 => {
                if live[at].recorder.flush(Durability::Kernel).is_ok() {
                    self.promises[live[at].place].acknowledge();
                }
            }
            4 if self.random.one_in(8) => live[at].files.kill(),
            _ => self.say(&mut live[at]),
        }
    }

    fn say(&mut self, live: &mut Live) {
        let promise = &mut self.promises[live.place];
        let mark = promise.said.len() as i64;
        let run = run_uid(self.random.below(u64::from(RUNS)));
        let text = format!("{}:{mark}", live.place);
        let op = match self.random.below(4) {
            0 => Op::Log(Log {
                run,
                stream: LogStream::Stdout,
                text: format!("{text} {}", "x".repeat(self.random.below(900) as usize)),
            }),
            1 => Op::Event(Event {
                subject: Subject::Run(run),
                kind: "decision".to_owned(),
                severity: None,
                text,
                data: serde_json::Value::Null,
                step: None,
            }),
            _ => Op::Points(Points {
                subject: Subject::Run(run),
                step: mark,
                time: Timestamp(mark),
                set: self.random.one_in(4),
                values: vec![(
                    SeriesKey::plain(format!("w{}", live.place)),
                    mark as f64 / 7.0,
                )],
            }),
        };
        let before = live.recorder.tick();
        let outcome = live.recorder.record(&op);
        // A record that waits in memory has its place; it is written before anything else.
        let (stamp, kept) = match outcome {
            Ok(stamp) => (stamp, true),
            Err(BookError::Spool(SpoolError::Waiting { seq, .. })) => {
                let writer = live.recorder.writer();
                let time = Timestamp(before.0 + 1);
                (trialbook_model::state::Stamp { time, writer, seq }, false)
            }
            Err(_) => return,
        };
        promise.said.insert(mark, signed(stamp, op));
        if kept {
            promise.acknowledge();
        }
    }

    fn seal_as_mortal(&mut self) {
        let files = self.files.process();
        files.die_after(self.random.below(60));
        let book = self.book.in_process(files.shared()).unwrap();
        // It may die anywhere; what it did until then has to be right.
        book.seal(Effort::All).ok();
        files.kill();
    }

    /// What a reader sees holds every promise and nothing that nobody said, and is what the model says.
    fn check_as_reader(&self) {
        let files = self.files.process();
        let book = self.book.in_process(files.shared()).unwrap();
        let view = book.view().unwrap();
        let found = marks(&view);
        let mut model = Vec::new();
        let mut seen: BTreeSet<Mark> = BTreeSet::new();
        for mark in &found {
            assert!(seen.insert(*mark), "record {mark:?} is there twice");
            model.push(self.promises[mark.0].said[&mark.1].clone());
        }
        for (place, promise) in self.promises.iter().enumerate() {
            for mark in &promise.kernel {
                assert!(
                    seen.contains(&(place, *mark)),
                    "record {mark} of writer {place} was acknowledged and is lost"
                );
            }
        }
        let mut reference = Reference::new();
        reference.seal(&model);
        assert_eq!(answers(&reference), answers(&view));
    }
}

fn signed(stamp: trialbook_model::state::Stamp, op: Op) -> Signed {
    Signed {
        time: stamp.time,
        writer: stamp.writer,
        seq: stamp.seq,
        actor: Some("me".to_owned()),
        operation: None,
        op,
    }
}

impl Promise {
    /// All that was said so far has reached the kernel.
    fn acknowledge(&mut self) {
        let sure = self
            .said
            .keys()
            .filter(|mark| !self.doubtful.contains(mark));
        self.kernel.extend(sure);
    }

    fn doubt(&mut self) {
        let unsure = self.said.keys().filter(|mark| !self.disk.contains(mark));
        self.doubtful.extend(unsure);
    }

    fn secure(&mut self) {
        self.acknowledge();
        let sure = self.kernel.difference(&self.doubtful);
        self.disk.extend(sure);
    }
}

/// The records of a book by what they say of themselves.
fn marks(view: &BookView<'_>) -> Vec<Mark> {
    let mut marks = Vec::new();
    for no in (1..=u64::from(RUNS)).map(RunNo) {
        let of = Owner::Run(no);
        let logs = view.logs(no).unwrap();
        let texts = logs.iter().map(|log| log.record.text.clone());
        let events = view.events(&of).unwrap();
        let texts = texts.chain(events.iter().map(|event| event.record.text.clone()));
        marks.extend(texts.map(|text| {
            let name = text.split(' ').next().unwrap();
            let (place, mark) = name.split_once(':').unwrap();
            (place.parse().unwrap(), mark.parse().unwrap())
        }));
        for row in view.runs(&[no]).unwrap() {
            for key in row.state.records.series.keys() {
                let place = key.key[1..].parse().unwrap();
                let series = view.series(&of, key).unwrap();
                marks.extend(series.steps.iter().map(|step| (place, *step)));
            }
        }
    }
    marks
}

/// What a book says of its runs, by uid: numbers depend on where seals cut, which a crash decides.
fn answers<R: Reading>(book: &R) -> Vec<String> {
    let mut answers = Vec::new();
    for uid in (0..u64::from(RUNS)).map(run_uid) {
        let Some(no) = book.run_no(uid).unwrap() else {
            continue;
        };
        let of = Owner::Run(no);
        for row in book.runs(&[no]).unwrap() {
            for key in row.state.records.series.keys() {
                answers.push(format!("{uid} {key}: {:?}", book.series(&of, key).unwrap()));
            }
            answers.push(format!("{uid}: {:?}", row.state));
        }
        answers.push(format!("{uid}: {:?}", book.events(&of).unwrap()));
        answers.push(format!("{uid}: {:?}", book.logs(no).unwrap()));
    }
    answers
}
