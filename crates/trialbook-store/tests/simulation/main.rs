//! Seeded schedules on a simulated disk: recorders, sealers and readers die at any single file operation,
//! the power goes, the disk fills. Afterwards the book holds what was acknowledged, once, and its answers are
//! those of the reference model; artifacts are whole.
//!
//! Invariant: a schedule that fails prints its seed, and the seed alone makes it again.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod found;
mod promise;
mod shelf;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use trialbook_model::record::*;
use trialbook_model::state::Stamp;
use trialbook_model::time::{Clock, Timestamp};
use trialbook_spool::sim::rounds::{self, Random};
use trialbook_spool::sim::{Faults, MayMap, Met, SimFiles};
use trialbook_spool::{Background, Durability, Files as _, Mode, SpoolError};
use trialbook_store::gc::DAY;
use trialbook_store::reference::Reference;
use trialbook_store::{Book, BookError, Effort, Recorder, RecorderOptions, SealOutcome};

use found::{Mark, RUNS, answers, marks, run_uid, sums};
use promise::Promise;
use shelf::Shelf;

/// Schedules where nobody says how long to go on.
const SCHEDULES: u64 = 2_000;

/// What the schedules of the short form have to have met, each at least once.
const MET: [&str; 33] = [
    "clock jump back",
    "clock jump forward",
    "death in allocating",
    "death in asking for a length",
    "death in asking for a lock",
    "death in asking for a time",
    "death in cutting",
    "death in listing a folder",
    "death in locking",
    "death in making a file",
    "death in making a folder",
    "death in mapping",
    "death in opening a file",
    "death in reading",
    "death in removing a folder",
    "death in renaming",
    "death in storing",
    "death in syncing a file",
    "death in syncing a folder",
    "death in touching",
    "death in unlinking",
    "death in writing",
    "failed cut",
    "failed sync of a file",
    "failed sync of a folder",
    "full disk",
    "interrupted call",
    "lost change of a name",
    "lost sector",
    "power cut",
    "short read",
    "short write",
    "torn sector",
];

/// How far a clock jumps at most: sixty years of microseconds.
const JUMP: u64 = 60 * 366 * DAY as u64;

/// A clock that goes on by one tick at a look, and jumps where a schedule says so.
#[derive(Default)]
struct Ticks(AtomicI64);

impl Ticks {
    /// What the next look will see.
    fn next(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }

    fn jump(&self, by: i64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }
}

impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

struct Live {
    files: SimFiles,
    book: Book,
    recorder: Recorder,
    place: usize,
}

struct Schedule {
    random: Random,
    files: SimFiles,
    clock: Arc<Ticks>,
    book: Book,
    promises: Vec<Promise>,
    shelf: Shelf,
    faulty: bool,
    /// A sync may have failed, and pages that only the kernel had may be gone.
    failing: bool,
    /// How often the clock jumped, by where it went.
    jumps: Met,
}

#[test]
fn what_was_acknowledged_is_in_the_book_once_after_every_crash() {
    let tally = rounds::play(SCHEDULES, |seed| Schedule::new(seed).go());
    // Beside what the harness captures: how much was tried is part of the result.
    writeln!(std::io::stderr(), "book on a simulated disk: {tally}").unwrap();
    if rounds::duration().is_none() {
        assert_eq!(tally.rounds, SCHEDULES);
    }
    // The long form from any seed too, once it has gone as far as the short one.
    if tally.rounds >= SCHEDULES {
        for what in MET {
            assert!(tally.met.contains_key(what), "no schedule met: {what}");
        }
    }
}

#[test]
fn a_new_book_survives_the_first_power_cut() {
    for seed in 0..64 {
        let files = SimFiles::new(seed);
        let book = Book::simulated(Path::new("book"), files.shared()).unwrap();
        let options = RecorderOptions {
            background: Background::None,
            ..RecorderOptions::new("me", Arc::<Ticks>::default())
        };
        let mut recorder = book.recorder(options).unwrap();
        let start = Op::StartRun(StartRun::of(run_uid(0)));
        recorder.record(&start).unwrap();
        recorder.flush(Durability::Disk).unwrap();
        let after = files.power_cut();
        let book = book.in_process(after.shared()).unwrap();
        assert_eq!(answers(&book.view().unwrap()).len(), 1, "seed {seed}");
    }
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
            shelf: Shelf::default(),
            failing: false,
            jumps: Met::new(),
        }
    }

    fn go(&mut self) -> Met {
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
        let report = book.seal(Effort::All).unwrap();
        let view = book.view().unwrap();
        assert_eq!(before, answers(&view), "sealing changes no answer");
        assert_eq!(view.unsealed_bytes(), 0);
        if !self.failing {
            assert_eq!(view.dead_spools(), 0, "what is sealed and dead is removed");
        }
        if report.outcome == SealOutcome::Sealed {
            let artifacts = files.list(Path::new("book/artifacts")).unwrap();
            let is_draft = |path: &PathBuf| path.extension().is_some();
            assert!(!artifacts.iter().any(is_draft), "{artifacts:?}");
        }
        let mut met = self.files.met();
        met.append(&mut self.jumps);
        met
    }

    /// The clock of everybody is set, forward or back.
    fn jump(&mut self) {
        let by = self.random.below(JUMP) as i64;
        let (by, what) = if self.random.one_in(2) {
            (by, "clock jump forward")
        } else {
            (-by, "clock jump back")
        };
        self.clock.jump(by);
        *self.jumps.entry(what).or_default() += 1;
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
        let steps = if self.random.one_in(4) { 150 } else { 40 };
        for _ in 0..self.random.below(steps) {
            live.retain(|live| !live.files.is_dead());
            self.files.pass(self.random.below(DAY as u64 / 8) as i64);
            match self.random.below(24) {
                0 | 1 => self.seal_as_mortal(),
                2 if self.faulty => self.set_faults(),
                3 if live.len() < 3 => live.extend(self.start()),
                4 if self.random.one_in(2) => self.import_as_mortal(),
                5 if self.random.one_in(2) => self.clear_as_mortal(),
                6 if self.random.one_in(2) => self.jump(),
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
        let recorder = book.recorder(self.options()).ok()?;
        self.promises.push(Promise::default());
        Some(Live {
            files,
            book,
            recorder,
            place: self.promises.len() - 1,
        })
    }

    fn options(&mut self) -> RecorderOptions {
        let clock: Arc<dyn Clock> = Arc::<Ticks>::clone(&self.clock);
        RecorderOptions {
            mode: if self.random.one_in(3) {
                Mode::Written
            } else {
                Mode::Auto
            },
            background: Background::None,
            ..RecorderOptions::new("me", clock)
        }
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
        let mark = self.promises[live.place].said.len() as i64;
        let op = if self.random.one_in(6) {
            self.put(live, mark)
        } else {
            Some(self.words((live.place, mark)))
        };
        let Some(op) = op else {
            return;
        };
        let time = live.recorder.tick().max(self.clock.next());
        let outcome = live.recorder.record(&op);
        // A record that waits in memory has its place; it is written before anything else.
        let (stamp, kept) = match outcome {
            Ok(stamp) => (stamp, true),
            Err(BookError::Spool(SpoolError::Waiting { seq, .. })) => {
                let writer = live.recorder.writer();
                (Stamp { time, writer, seq }, false)
            }
            Err(_) => return,
        };
        let promise = &mut self.promises[live.place];
        if let Some((_, last)) = promise.said.last_key_value() {
            assert!(last.time <= stamp.time, "stamps of a writer never fall");
        }
        promise.said.insert(mark, signed(stamp, op));
        if kept {
            promise.acknowledge();
        }
    }

    /// Something to say that tells whose it is.
    fn words(&mut self, (place, mark): Mark) -> Op {
        let run = run_uid(self.random.below(RUNS));
        let text = format!("{place}:{mark}");
        match self.random.below(4) {
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
                values: vec![(SeriesKey::plain(format!("w{place}")), mark as f64 / 7.0)],
            }),
        }
    }

    /// Puts bytes, to say then that they are there. Somebody may clear away in between.
    fn put(&mut self, live: &Live, mark: i64) -> Option<Op> {
        let (artifacts, now) = (live.book.artifacts(), self.files.now());
        let sum = self.shelf.put(&mut self.random, &artifacts, now)?;
        if self.random.one_in(6) {
            self.clear_as_mortal();
        }
        // Bytes that nothing speaks of grow old, and are put again.
        if self.random.one_in(3) {
            return None;
        }
        Some(Op::PutArtifact(PutArtifact {
            subject: Subject::Run(run_uid(self.random.below(RUNS))),
            path: format!("{}:{mark}", live.place),
            sha256: Some(sum.sha256),
            size: Some(sum.size),
            uri: None,
            r#type: None,
            role: None,
            step: None,
            description: None,
            removed: false,
        }))
    }

    /// Another process that may die after so many operations.
    fn mortal(&mut self, operations: u64) -> (SimFiles, Book) {
        let files = self.files.process();
        files.die_after(self.random.below(operations));
        let book = self.book.in_process(files.shared()).unwrap();
        (files, book)
    }

    /// Brings records that are to be in the book together.
    fn import_as_mortal(&mut self) {
        let (files, book) = self.mortal(120);
        let place = self.promises.len();
        self.promises.push(Promise::together());
        let Ok(mut draft) = book.draft(Timestamp(0)) else {
            return;
        };
        let writer = draft.writer();
        for mark in 0..self.random.below(20) as i64 {
            let (op, time) = (self.words((place, mark)), Timestamp(mark));
            let seq = mark as u64 + 1;
            let said = draft.say(time, Some("me"), &op);
            let stamp = Stamp { time, writer, seq };
            self.promises[place].said.insert(mark, signed(stamp, op));
            if said.is_err() {
                return;
            }
        }
        if draft.commit().is_ok() {
            self.promises[place].secure();
        }
        files.kill();
    }

    /// Clears away what nothing speaks of.
    fn clear_as_mortal(&mut self) {
        let (files, book) = self.mortal(600);
        let now = Timestamp(files.now());
        // It may die anywhere, and nothing that a record speaks of may be missing then.
        if let Ok(plan) = book.gc_plan(now, None)
            && let Ok(recorder) = book.recorder(self.options())
        {
            book.gc(&plan, now, recorder).ok();
        }
        files.kill();
    }

    fn seal_as_mortal(&mut self) {
        let (files, book) = self.mortal(60);
        // It may die anywhere; what it did until then has to be right.
        book.seal(Effort::All).ok();
        files.kill();
    }

    /// What a reader sees holds every promise and nothing that nobody said, and is what the model says.
    fn check_as_reader(&self) {
        let files = self.files.process();
        let book = self.book.in_process(files.shared()).unwrap();
        let found = answers(&book.view().unwrap());
        let mut model = Vec::new();
        let mut seen: BTreeSet<Mark> = BTreeSet::new();
        for mark in marks(&found) {
            assert!(seen.insert(mark), "record {mark:?} is there twice");
            model.push(self.promises[mark.0].said[&mark.1].clone());
        }
        for (place, promise) in self.promises.iter().enumerate() {
            for mark in &promise.kernel {
                assert!(
                    seen.contains(&(place, *mark)),
                    "record {mark} of writer {place} was acknowledged and is lost"
                );
            }
            let many = seen.range((place, 0)..(place + 1, 0)).count();
            let whole = many == 0 || many == promise.said.len();
            assert!(
                whole || !promise.together,
                "{many} records of import {place}"
            );
        }
        let mut reference = Reference::new();
        reference.seal(&model);
        assert_eq!(answers(&reference), found);
        self.shelf
            .check(&book.artifacts(), &sums(&found), self.files.now());
    }
}

fn signed(stamp: Stamp, op: Op) -> Signed {
    Signed {
        time: stamp.time,
        writer: stamp.writer,
        seq: stamp.seq,
        actor: Some("me".to_owned()),
        operation: None,
        op,
    }
}
