//! Seeded schedules on a simulated disk: writers that append, flush, rotate and end, sealers that read
//! and unlink, and a crash at any single file operation. Afterwards everything that was acknowledged
//! has to be there once, exact and in order, as far as its promise went.
//!
//! Invariant: a schedule that fails prints its seed, and the seed alone makes it again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use trialbook_model::id::{RunUid, Uid, WriterUid};
use trialbook_model::record::{Heartbeat, Log, LogStream, Op, Points, SeriesKey, Subject};
use trialbook_model::time::Timestamp;
use trialbook_spool::files::make_dir_durably;
use trialbook_spool::sim::rounds::{self, Random};
use trialbook_spool::sim::{Faults, MayMap, SimFiles};
use trialbook_spool::{
    Background, Durability, Liveness, LogCall, Mode, Note, Repeat, SpoolError, SpoolOptions,
    SpoolReader, SpoolWriter, Tail, claim_dead, list, remove_unfinished,
};

/// Schedules where nobody says how long to go on.
const SCHEDULES: u64 = 900;

/// What the schedules of the short form have to have met, each at least once.
const MET: [&str; 28] = [
    "death in allocating",
    "death in asking for a length",
    "death in asking for a lock",
    "death in cutting",
    "death in listing a folder",
    "death in locking",
    "death in making a file",
    "death in making a folder",
    "death in mapping",
    "death in opening a file",
    "death in reading",
    "death in renaming",
    "death in storing",
    "death in syncing a file",
    "death in syncing a folder",
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

/// What one writer said and what it was promised.
#[derive(Default)]
struct Promise {
    said: BTreeMap<u64, Op>,
    /// Survives the end of the process.
    kernel: BTreeSet<u64>,
    /// Survives a power cut.
    disk: BTreeSet<u64>,
    /// Told as lost at a power cut.
    forfeited: BTreeSet<u64>,
}

impl Promise {
    /// All that was said so far has reached the kernel.
    fn acknowledge(&mut self) {
        self.kernel.extend(self.said.keys());
    }

    fn secure(&mut self) {
        self.acknowledge();
        self.disk.extend(self.kernel.difference(&self.forfeited));
    }

    fn forfeit(&mut self) {
        self.forfeited
            .extend(self.said.keys().filter(|seq| !self.disk.contains(seq)));
    }

    fn hear(&mut self, error: &SpoolError) {
        if matches!(error, SpoolError::SyncFailed { .. }) {
            self.forfeit();
        }
    }
}

/// What the sealer has taken over: it outlives every crash, as a synced database does.
#[derive(Default)]
struct Book {
    offsets: BTreeMap<PathBuf, u64>,
    sealed: BTreeMap<WriterUid, BTreeMap<u64, Op>>,
}

struct Schedule {
    random: Random,
    files: SimFiles,
    dir: PathBuf,
    promises: BTreeMap<WriterUid, Promise>,
    book: Book,
    faulty: bool,
}

struct Live {
    files: SimFiles,
    writer: SpoolWriter,
}

#[test]
fn what_was_acknowledged_survives_every_crash() {
    let tally = rounds::play(SCHEDULES, |seed| {
        let mut schedule = Schedule::new(seed);
        schedule.go();
        schedule.files.met()
    });
    // Beside what the harness captures: how much was tried is part of the result.
    writeln!(std::io::stderr(), "spool on a simulated disk: {tally}").unwrap();
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
fn the_same_seed_makes_the_same_schedule() {
    let operations = |seed| {
        let mut schedule = Schedule::new(seed);
        schedule.go();
        let sealed: Vec<_> = schedule.book.sealed.into_iter().collect();
        format!("{sealed:?}")
    };
    for seed in 0..20 {
        assert_eq!(operations(seed), operations(seed), "seed {seed}");
    }
}

impl Schedule {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let files = SimFiles::new(random.below(u64::MAX));
        if random.one_in(2) {
            files.set_may_map(MayMap::No);
        }
        let dir = PathBuf::from("spool");
        // As a book does before anybody writes.
        make_dir_durably(&files, &dir).unwrap();
        Self {
            faulty: random.one_in(2),
            random,
            files,
            dir,
            promises: BTreeMap::new(),
            book: Book::default(),
        }
    }

    fn go(&mut self) {
        for _ in 0..=self.random.below(3) {
            self.set_faults();
            self.era();
        }
        self.files.set_faults(Faults::default());
        self.files = self.files.process();
        self.seal(&self.files.clone());
        assert_eq!(
            list(&self.files, &self.dir).unwrap(),
            [],
            "all writers are dead and sealed: nothing is left"
        );
        self.check();
    }

    fn set_faults(&mut self) {
        let mut faults = Faults::default();
        if self.faulty {
            faults.short = self.random.below(200) as u32;
            faults.interrupted = self.random.below(200) as u32;
            if self.random.one_in(2) {
                faults.failed = self.random.below(150) as u32;
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
        for _ in 0..self.random.below(120) {
            live.retain(|live| !live.files.is_dead());
            match self.random.below(24) {
                0 => self.seal_as_mortal(),
                1 if self.faulty => self.set_faults(),
                2 if live.len() < 3 => live.extend(self.start()),
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
            for promise in self.promises.values_mut() {
                promise.kernel.retain(|seq| promise.disk.contains(seq));
            }
        }
    }

    fn start(&mut self) -> Option<Live> {
        let files = self.files.process();
        if self.random.one_in(2) {
            files.die_after(self.random.below(150));
        }
        let options = SpoolOptions {
            mode: if self.random.one_in(3) {
                Mode::Written
            } else {
                Mode::Auto
            },
            rotate_at: 4096 + self.random.below(8192),
            background: Background::None,
            ..SpoolOptions::default()
        };
        let writer = SpoolWriter::create_in(files.shared(), &self.dir, options).ok()?;
        self.promises.insert(writer.writer(), Promise::default());
        Some(Live { files, writer })
    }

    fn step(&mut self, at: usize, live: &mut Vec<Live>) {
        let choice = self.random.below(20);
        if choice == 0 {
            let ended = live.swap_remove(at);
            let promise = self.promises.get_mut(&ended.writer.writer()).unwrap();
            match ended.writer.finish() {
                Ok(()) => promise.secure(),
                Err(error) => promise.hear(&error),
            }
            ended.files.kill();
            return;
        }
        let Live { files, writer } = &mut live[at];
        match choice {
            1 | 2 => {
                let promise = self.promises.get_mut(&writer.writer()).unwrap();
                match writer.flush(Durability::Disk) {
                    Ok(()) => promise.secure(),
                    Err(error) => promise.hear(&error),
                }
            }
            3 => {
                if writer.flush(Durability::Kernel).is_ok() {
                    self.promises
                        .get_mut(&writer.writer())
                        .unwrap()
                        .acknowledge();
                }
            }
            4 if self.random.one_in(8) => files.kill(),
            _ => {
                let (op, appended) = say(&mut self.random, writer);
                let promise = self.promises.get_mut(&writer.writer()).unwrap();
                let seq = writer.next_seq() - 1;
                match appended {
                    Ok(given) => {
                        assert_eq!(given, seq);
                        promise.said.insert(seq, op);
                        promise.acknowledge();
                    }
                    Err(SpoolError::Waiting { seq: given, .. }) => {
                        assert_eq!(given, seq);
                        promise.said.insert(seq, op);
                    }
                    Err(error) => promise.hear(&error),
                }
            }
        }
    }

    fn seal_as_mortal(&mut self) {
        let files = self.files.process();
        files.die_after(self.random.below(40));
        self.seal(&files);
        files.kill();
    }

    /// What a sealer does, up to its own death.
    fn seal(&mut self, files: &SimFiles) {
        let Ok(spools) = list(files, &self.dir) else {
            return;
        };
        for spool in spools {
            if self.seal_one(files, &spool.path, &spool).is_none() {
                return;
            }
        }
        drop(remove_unfinished(files, &self.dir));
    }

    fn seal_one(
        &mut self,
        files: &SimFiles,
        path: &Path,
        spool: &trialbook_spool::SpoolFile,
    ) -> Option<()> {
        let mut reader = SpoolReader::open(files, path, spool.past).ok()?;
        let writer = reader.header()?.writer;
        if let Some(offset) = self.book.offsets.get(path) {
            reader.resume(*offset).ok()?;
        }
        let mut taken = Vec::new();
        let end = reader
            .read_all(|frame, state| taken.push(frame.to_signed(state).unwrap()))
            .ok()?;
        assert_eq!(end.lost, [], "no crash is a damage: {}", path.display());
        assert_ne!(end.tail, Tail::Damaged);
        assert!(
            taken.is_sorted_by(|left, right| left.seq < right.seq),
            "records come in the order in which they were said"
        );
        let sealed = self.book.sealed.entry(writer).or_default();
        for record in taken {
            let before = sealed.insert(record.seq, record.op);
            assert!(before.is_none(), "record {} came twice", record.seq);
        }
        let offset = self.book.offsets.entry(path.to_owned()).or_default();
        *offset = end.offset.max(*offset);
        if spool.liveness == Liveness::Dead {
            let claimed = claim_dead(files, path).ok()??;
            claimed.unlink(files).ok()?;
        }
        Some(())
    }

    fn check(&self) {
        let nothing = BTreeMap::new();
        for (writer, promise) in &self.promises {
            let sealed = self.book.sealed.get(writer).unwrap_or(&nothing);
            for seq in &promise.kernel {
                assert!(
                    sealed.contains_key(seq) || promise.forfeited.contains(seq) && self.faulty,
                    "record {seq} of {writer} was acknowledged and is lost"
                );
            }
            for (seq, op) in sealed {
                assert_eq!(Some(op), promise.said.get(seq), "record {seq} of {writer}");
            }
            if !self.faulty {
                let last = sealed.keys().next_back().copied().unwrap_or(0);
                assert_eq!(sealed.len() as u64, last, "{writer} has gaps");
            }
        }
    }
}

/// Says something; gives what was said.
fn say(random: &mut Random, writer: &mut SpoolWriter) -> (Op, Result<u64, SpoolError>) {
    let run = RunUid(Uid([random.below(3) as u8; 16]));
    let time = Timestamp(random.below(1000) as i64);
    let op = match random.below(10) {
        0 => Op::Log(Log {
            run,
            stream: LogStream::Stdout,
            text: "line ".repeat(random.below(700) as usize),
        }),
        1 => Op::Heartbeat(Heartbeat {
            run,
            accepted: random.below(u64::MAX),
            dropped: 0,
            cost_ns: 1,
        }),
        _ => Op::Points(Points {
            subject: Subject::Run(run),
            step: random.below(50) as i64,
            time,
            set: random.one_in(4),
            values: (0..random.below(30))
                .map(|at| {
                    let key = SeriesKey::plain(format!("m{at}"));
                    (key, random.below(1 << 40) as f64 / 7.0)
                })
                .collect(),
        }),
    };
    let appended = if let Op::Points(points) = &op
        && random.one_in(2)
    {
        hot(writer, points)
    } else {
        writer.append(time, &op, &Note::default())
    };
    (op, appended)
}

/// As a program's recorder does it.
fn hot(writer: &mut SpoolWriter, points: &Points) -> Result<u64, SpoolError> {
    let subject = writer.subject(&points.subject);
    let pairs: Vec<_> = points
        .values
        .iter()
        .map(|(key, value)| (writer.key(key), *value))
        .collect();
    let call = LogCall {
        subject,
        step: points.step,
        time: points.time,
        repeat: if points.set {
            Repeat::Set
        } else {
            Repeat::Keep
        },
    };
    writer.points(call, &pairs)
}
