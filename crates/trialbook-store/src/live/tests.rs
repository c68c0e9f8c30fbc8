use std::sync::Arc;

use trialbook_model::id::{RunUid, Uid};
use trialbook_model::record::{
    CreateExperiment, Points, Purge, SeriesKey, SetTags, StartRun, Subject,
};
use trialbook_model::time::Timestamp;
use trialbook_spool::Background;

use super::*;
use crate::book::{Access, SealOutcome};
use crate::contract::{TurnedClock, folder};
use crate::nouns::Owner;
use crate::query::Query;
use crate::reading::Reading as _;

fn uid(of: u8) -> RunUid {
    RunUid(Uid([of; 16]))
}

fn start(of: u8) -> Op {
    Op::StartRun(StartRun::of(uid(of)))
}

fn point(of: u8, step: i64, value: f64) -> Op {
    Op::Points(Points {
        subject: Subject::Run(uid(of)),
        step,
        time: Timestamp(step),
        set: true,
        values: vec![(SeriesKey::plain("loss"), value)],
    })
}

fn options(clock: &Arc<TurnedClock>) -> RecorderOptions {
    RecorderOptions {
        background: Background::None,
        ..RecorderOptions::new("server", Arc::<TurnedClock>::clone(clock))
    }
}

/// A book with another process's way into it.
struct Table {
    folder: tempfile::TempDir,
    book: Book,
    clock: Arc<TurnedClock>,
    standing: Arc<Standing>,
}

impl Table {
    fn new() -> Self {
        let folder = folder();
        let book = Book::create(&folder.path().join("book")).unwrap();
        Self {
            folder,
            book,
            clock: Arc::default(),
            standing: Arc::default(),
        }
    }

    fn open(&self) -> Live<'_> {
        let live = Live::open(&self.book, options(&self.clock), &self.standing);
        live.unwrap().unwrap()
    }

    fn elsewhere(&self, ops: &[Op]) -> crate::recorder::Recorder {
        let book = Book::open(&self.folder.path().join("book"), Access::Write).unwrap();
        let mut recorder = book.recorder(options(&self.clock)).unwrap();
        for op in ops {
            recorder.record(op).unwrap();
        }
        recorder
    }

    /// All that is read, as text; through the service, and as another process reads it.
    fn answers(&self) -> String {
        let live = self.standing.view(&self.book).unwrap();
        let other = Book::open(&self.folder.path().join("book"), Access::Read).unwrap();
        let other = other.view().unwrap();
        let [one, two] = [&live, &other].map(|view| {
            let runs = view.search(&Query::all()).unwrap().runs;
            let rows = view.runs(&runs).unwrap();
            let key = SeriesKey::plain("loss");
            let of = |no| view.series(&Owner::Run(no), &key).unwrap();
            let series: Vec<_> = runs.iter().map(|no| of(*no)).collect();
            let experiments = view.experiments().unwrap();
            let count = view.run_count().unwrap();
            assert!(view.damaged().unwrap().is_empty());
            format!(
                "{count} {rows:?} {series:?} {experiments:?} {:?}",
                view.count_runs().unwrap()
            )
        });
        assert_eq!(one, two);
        one
    }
}

fn note() -> Note {
    Note::default()
}

fn write(live: &mut Live<'_>, ops: &[Op]) {
    let said: Vec<_> = ops.iter().map(|op| (op.clone(), note())).collect();
    live.write(&said).unwrap();
}

#[test]
fn what_is_written_is_read_at_once_sealed_or_not() {
    let table = Table::new();
    let mut live = table.open();
    for of in 1..4 {
        write(&mut live, &[start(of), point(of, 1, 0.5)]);
        write(&mut live, &[point(of, 2, 0.25)]);
        table.answers();
    }
    let before = table.answers();
    live.seal().unwrap();
    assert_eq!(table.answers(), before);
    // The same points again, and later ones.
    write(&mut live, &[point(2, 2, 0.25), point(2, 1, 0.5)]);
    assert_eq!(table.standing.view(&table.book).unwrap().rev(), 1);
    write(&mut live, &[point(2, 3, 0.125), point(2, 0, 7.0)]);
    let after = table.answers();
    live.seal().unwrap();
    assert_eq!(table.answers(), after);
    let view = table.standing.view(&table.book).unwrap();
    let no = view.run_no(uid(2)).unwrap().unwrap();
    let series = view
        .series(&Owner::Run(no), &SeriesKey::plain("loss"))
        .unwrap();
    assert_eq!(series.steps, [0, 1, 2, 3]);
    live.close().unwrap();
}

#[test]
fn what_others_write_is_followed_and_their_spools_go_when_they_have_ended() {
    let table = Table::new();
    let before = table.elsewhere(&[start(1), point(1, 1, 1.0)]);
    before.finish().unwrap();
    let mut live = table.open();
    assert!(table.standing.is_current(&table.book).unwrap());
    // Other processes order what is not sealed by its time.
    table.clock.set(10);
    let mut other = table.elsewhere(&[start(2)]);
    assert!(!table.standing.is_current(&table.book).unwrap());
    live.catch_up().unwrap();
    assert!(table.standing.is_current(&table.book).unwrap());
    table.answers();
    for step in 0..1000 {
        other.record(&point(2, step, 2.0)).unwrap();
        if step % 100 == 0 {
            assert!(!table.standing.is_current(&table.book).unwrap());
            live.catch_up().unwrap();
            assert!(table.standing.is_current(&table.book).unwrap());
            table.answers();
        }
    }
    live.seal().unwrap();
    let before = table.answers();
    other.finish().unwrap();
    live.seal().unwrap();
    assert_eq!(table.answers(), before);
    let spools = std::fs::read_dir(table.book.spool_folder())
        .unwrap()
        .count();
    assert_eq!(spools, 0, "it wrote nothing itself");
    assert_eq!(table.standing.measure().seals, 2);
}

#[test]
fn names_and_numbers_stay_as_they_were_answered() {
    let table = Table::new();
    let mut live = table.open();
    table.clock.set(1_000_000);
    let create = |of: u8| {
        Op::CreateExperiment(CreateExperiment {
            experiment: trialbook_model::id::ExperimentUid(Uid([of; 16])),
            project: "default".to_owned(),
            name: "e".to_owned(),
            handle: None,
            document: serde_json::Value::Null,
            config_hash: None,
        })
    };
    write(&mut live, &[create(1), start(1)]);
    // Somebody whose clock is late, and who is heard later.
    table.clock.set(5);
    table.elsewhere(&[create(2), start(2)]).finish().unwrap();
    live.catch_up().unwrap();
    let numbers = || {
        let view = table.standing.view(&table.book).unwrap();
        let named = view.experiment_named("default", "e").unwrap();
        let of = |of| view.shared_run(uid(of)).unwrap().unwrap().number;
        (named, of(1), of(2))
    };
    let before = numbers();
    assert_eq!((before.1, before.2), (Some(1), Some(2)));
    live.seal().unwrap();
    assert_eq!(numbers(), before);
    table.answers();
}

#[test]
fn a_purged_run_is_gone_sealed_or_not_and_swallows_what_comes_later() {
    let table = Table::new();
    let mut live = table.open();
    let purge = |of| {
        Op::Purge(Purge {
            subject: Subject::Run(uid(of)),
        })
    };
    write(&mut live, &[start(1), start(2)]);
    write(&mut live, &[purge(1)]);
    write(&mut live, &[point(1, 1, 1.0)]);
    let view = table.standing.view(&table.book).unwrap();
    assert_eq!(
        (view.run_no(uid(1)).unwrap(), view.run_count().unwrap()),
        (None, 1)
    );
    assert!(view.damaged().unwrap().is_empty());
    drop(view);
    live.seal().unwrap();
    write(&mut live, &[purge(2), start(3)]);
    write(&mut live, &[point(2, 1, 1.0)]);
    let view = table.standing.view(&table.book).unwrap();
    assert_eq!(
        (view.run_no(uid(2)).unwrap(), view.run_count().unwrap()),
        (None, 1)
    );
    drop(view);
    live.seal().unwrap();
    table.answers();
}

#[test]
fn a_view_does_not_change_while_others_write_and_seal() {
    let table = Table::new();
    let mut live = table.open();
    write(&mut live, &[start(1)]);
    let view = table.standing.view(&table.book).unwrap();
    let tags = SetTags {
        subject: Subject::Run(uid(1)),
        tags: vec![("a".to_owned(), Some("b".to_owned()))],
    };
    write(&mut live, &[Op::SetTags(tags), start(2)]);
    live.seal().unwrap();
    let row = view.run_by_uid(uid(1)).unwrap().unwrap();
    assert_eq!(row.state.annotations.tags().count(), 0);
    assert_eq!(view.run_count().unwrap(), 1);
    assert_eq!(view.search(&Query::all()).unwrap().total, 1);
    let newer = table.standing.view(&table.book).unwrap();
    assert_eq!(newer.search(&Query::all()).unwrap().total, 2);
}

#[test]
fn the_lease_is_one_mans_and_what_he_left_behind_is_there_for_the_next() {
    let table = Table::new();
    let mut live = table.open();
    write(&mut live, &[start(1)]);
    let standing = Arc::default();
    let second = Live::open(&table.book, options(&table.clock), &standing).unwrap();
    assert!(second.is_none());
    assert_eq!(
        table.book.seal(Effort::All).unwrap().outcome,
        SealOutcome::Busy
    );
    drop(live);
    let mut live = table.open();
    assert_eq!(live.view().unwrap().run_count().unwrap(), 1);
    live.seal().unwrap();
    table.answers();
}

impl<'b> Live<'b> {
    /// As `write`; gives the operations as they were signed.
    pub(crate) fn write_signed(&mut self, said: &[(Op, Note)]) -> Result<Vec<Signed>, BookError> {
        let state = self.ready_to_write()?;
        let mut batch = Batch::default();
        state.record(said, &mut batch.operations)?;
        let signed = batch.operations.clone();
        self.fold(batch, 0)?;
        Ok(signed)
    }

    pub(crate) const fn book(&self) -> &'b Book {
        self.book
    }
}
