use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use trialbook_model::id::{RunNo, RunUid, Uid, WriterUid};
use trialbook_model::record::*;
use trialbook_model::state::Point;
use trialbook_model::time::Timestamp;
use trialbook_spool::codec::{Along, BucketSpec, Detail, encode_values};

use super::*;
use crate::backend::{Backend, ChunkRecord, Look, Part, Wanted};
use crate::fold::{Batch, Collector};
use crate::memory::MemoryBackend;
use crate::nouns::{Owner, Series};
use crate::reading::Reading as _;
use crate::sqlite::SqliteBackend;
use crate::tails::Tails;
use crate::view::BookView;
use std::cell::RefCell;
use std::path::PathBuf;

const RUN: RunUid = RunUid(Uid([9; 16]));

/// Seals operations as one batch.
fn seal_in(backend: &MemoryBackend, operations: Vec<Signed>) {
    let sealed = Rc::new(Sealed::open(backend.look().unwrap()).unwrap());
    let mut fold = Fold::new(Rc::clone(&sealed));
    let mut batch: Batch = Collector::new(BTreeSet::default()).finish().unwrap();
    batch.operations = operations;
    fold.apply(batch).unwrap();
    let change = change_of(fold, &sealed, Vec::new()).unwrap();
    backend.commit(&change).unwrap();
}

fn book() -> MemoryBackend {
    let backend = MemoryBackend::default();
    backend
        .commit(&first_change(Uid([1; 16])).unwrap())
        .unwrap();
    backend
}

fn view(backend: &MemoryBackend) -> BookView<'_> {
    let list = || Ok(BTreeSet::default());
    let read = |_: &dyn Look| Ok(Tails::default());
    BookView::over(backend, Arc::default(), list, read).unwrap()
}

/// Calls of the given keys, a step each.
fn calls(keys: &[&str], steps: std::ops::Range<i64>) -> Vec<Signed> {
    steps
        .map(|step| Signed {
            time: Timestamp(step),
            writer: WriterUid::default(),
            seq: step as u64 + 1,
            actor: None,
            operation: None,
            op: Op::Points(Points {
                subject: Subject::Run(RUN),
                step,
                time: Timestamp(step * 7),
                set: false,
                values: keys
                    .iter()
                    .enumerate()
                    .map(|(at, key)| (SeriesKey::plain(*key), value(at, step)))
                    .collect(),
            }),
        })
        .collect()
}

fn value(at: usize, step: i64) -> f64 {
    ((step * 31 + at as i64 * 17) % 1009) as f64 / 3.0
}

fn series(backend: &MemoryBackend, key: &str) -> Series {
    let of = Owner::Run(RunNo(1));
    view(backend).series(&of, &SeriesKey::plain(key)).unwrap()
}

/// Axis chunks and chunks of values.
fn chunks(backend: &MemoryBackend) -> (usize, usize) {
    let look = backend.look().unwrap();
    let chunks = look
        .chunks((0, i64::MAX), crate::backend::Part::Both)
        .unwrap();
    let values = chunks.iter().filter(|chunk| chunk.axis.is_some()).count();
    (chunks.len() - values, values)
}

#[test]
fn series_logged_together_share_axes_until_they_part() {
    let backend = book();
    seal_in(&backend, calls(&["a", "b", "c"], 0..5000));
    assert_eq!(chunks(&backend), (2, 6), "two axis chunks for three series");
    seal_in(&backend, calls(&["a", "b", "c"], 5000..6000));
    assert_eq!(
        chunks(&backend),
        (2, 6),
        "the open chunks are written again"
    );
    seal_in(&backend, calls(&["a"], 6000..6100));
    assert_eq!(chunks(&backend), (3, 6), "one goes on alone");
    seal_in(&backend, calls(&["b", "c"], 6100..6200));
    assert_eq!(chunks(&backend), (3, 6));
    seal_in(&backend, calls(&["b"], 6200..6201));
    seal_in(&backend, calls(&["c"], 6200..6201));
    assert_eq!(
        chunks(&backend),
        (4, 6),
        "equal calls in two seals are two axes"
    );
    let steps = |key: &str| series(&backend, key).steps;
    assert_eq!(steps("a"), (0..6100).collect::<Vec<i64>>());
    assert_eq!(
        steps("b"),
        (0..6000).chain(6100..6201).collect::<Vec<i64>>()
    );
    let b = series(&backend, "b");
    assert!((0..5000).all(|step| b.values[step as usize] == value(1, step)));
}

#[test]
fn a_short_series_that_grows_gets_chunks_of_its_own() {
    let backend = book();
    seal_in(&backend, calls(&["a", "b"], 0..100));
    let (short, long) = chunks(&backend);
    assert!(short > 0 && long == 0);
    seal_in(&backend, calls(&["a"], 100..700));
    assert_eq!(chunks(&backend).1, 1, "only the one that grew");
    assert_eq!(series(&backend, "a").steps, (0..700).collect::<Vec<i64>>());
    assert_eq!(series(&backend, "b").steps, (0..100).collect::<Vec<i64>>());
}

#[test]
fn many_points_are_read_in_buckets_from_roll_ups() {
    let backend = book();
    let of = Owner::Run(RunNo(1));
    for part in 0..7 {
        seal_in(&backend, calls(&["a"], part * 50_000..(part + 1) * 50_000));
    }
    let spec = |from, to| BucketSpec {
        along: Along::Step,
        from,
        to,
        count: 100,
    };
    let view = view(&backend);
    let key = SeriesKey::plain("a");
    let whole = view.buckets(&of, &key, spec(1, 0)).unwrap();
    assert_eq!(whole.detail(), Detail::Snapped);
    let sum = |field: fn(&trialbook_spool::codec::Bucket) -> u64| -> u64 {
        whole.as_slice().iter().map(field).sum()
    };
    assert_eq!(sum(trialbook_spool::codec::Bucket::count), 350_000);
    let part = view.buckets(&of, &key, spec(1000, 1999)).unwrap();
    assert_eq!(part.detail(), Detail::Exact);
    let first = part.as_slice()[0];
    assert_eq!(
        (first.first_step, first.last_step, first.count()),
        (1000, 1009, 10)
    );
    assert_eq!(first.last, value(0, 1009));
    let points: Vec<Point> = view.series(&of, &key).unwrap().points().collect();
    assert_eq!(points.len(), 350_000);
    // Enough chunks for several threads, and a run that is not there between them.
    let owners = [of.clone(), Owner::Run(RunNo(2)), of.clone()];
    let part = spec(1000, 100_999);
    let together = view.buckets_each(&owners, &key, part).unwrap();
    let alone = owners.map(|of| view.buckets(&of, &key, part).unwrap());
    assert_eq!(format!("{together:?}"), format!("{alone:?}"));
    let counts = together.iter().map(|buckets| {
        let filled = buckets.as_slice().iter();
        filled.map(trialbook_spool::codec::Bucket::count).sum()
    });
    assert_eq!(counts.collect::<Vec<u64>>(), [100_000, 0, 100_000]);
}

#[test]
fn purging_leaves_no_chunk() {
    let backend = book();
    seal_in(&backend, calls(&["a", "b"], 0..6000));
    let purge = Signed {
        op: Op::Purge(Purge {
            subject: Subject::Run(RUN),
        }),
        ..calls(&["a"], 6001..6002).remove(0)
    };
    seal_in(&backend, vec![purge]);
    assert_eq!(chunks(&backend), (0, 0));
    assert_eq!(view(&backend).run_no(RUN).unwrap(), None);
}

fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(" ")
}

#[test]
fn the_examples_in_the_format_documents_are_what_is_written() {
    let chunk = hex(&encode_values(&[1.5; 3]).unwrap());
    let document = include_str!("../../../../docs/format/chunk.md");
    assert!(document.contains(&chunk), "{chunk}");
    let mut state = trialbook_model::state::RunState::default();
    state.apply(&calls(&["a"], 3..4)[0]);
    let mut names = Names::default();
    let row = hex(&pack_run(&state, &Places::default(), &mut names).unwrap());
    let document = include_str!("../../../../docs/format/book.md");
    assert!(document.contains(&row), "{row}");
}

/// Changes a byte in the middle of each chunk that `choose` wants.
fn damage(backend: &MemoryBackend, choose: impl Fn(&ChunkRecord) -> bool) {
    let look = backend.look().unwrap();
    let mut chunks = look.chunks((0, i64::MAX), Part::Both).unwrap();
    chunks.retain(choose);
    assert!(!chunks.is_empty());
    for chunk in &mut chunks {
        let middle = chunk.data.len() / 2;
        chunk.data[middle] ^= 0xff;
    }
    let change = Change {
        counters: look.counters().unwrap(),
        chunks,
        ..Change::default()
    };
    backend.commit(&change).unwrap();
}

#[test]
fn a_damaged_open_chunk_is_kept_apart_and_its_series_goes_on() {
    let backend = book();
    seal_in(&backend, calls(&["a", "b"], 0..5000));
    let look = backend.look().unwrap();
    let chunks = look.chunks((0, i64::MAX), Part::Data).unwrap();
    let open = chunks.iter().filter(|chunk| chunk.axis.is_some()).nth(1);
    let open = open.unwrap().id;
    damage(&backend, |chunk| chunk.id == open);
    seal_in(&backend, calls(&["a", "b"], 5000..5100));
    let steps: Vec<i64> = (0..4096).chain(5000..5100).collect();
    let (a, b) = (series(&backend, "a").steps, series(&backend, "b").steps);
    assert!(a == steps || b == steps);
    assert_eq!(a.len() + b.len(), 5100 + 4196, "the other one is whole");
    let after = backend.look().unwrap();
    let after = after.chunks((0, i64::MAX), Part::Data).unwrap();
    let was = chunks.iter().find(|chunk| chunk.id == open).unwrap();
    let differ = |chunk: &&ChunkRecord| {
        let pairs = chunk.data.iter().zip(&was.data);
        chunk.data.len() == was.data.len() && pairs.filter(|(a, b)| a != b).count() == 1
    };
    assert!(
        after.iter().any(|chunk| differ(&chunk)),
        "its bytes are kept"
    );
}

#[test]
fn a_damaged_axis_or_packed_chunk_stops_no_seal() {
    let backend = book();
    seal_in(&backend, calls(&["a"], 0..5000));
    seal_in(&backend, calls(&["b"], 0..10));
    damage(&backend, |chunk| chunk.axis.is_none());
    seal_in(&backend, calls(&["a", "b"], 5000..5100));
    assert_eq!(series(&backend, "b").steps.len(), 100);
    let of = Owner::Run(RunNo(1));
    let a = view(&backend).series(&of, &SeriesKey::plain("a"));
    assert!(a.unwrap_err().is_damage(), "its first axis is damaged too");
}

#[test]
fn damaged_blocks_of_records_and_items_stop_no_seal() {
    let backend = book();
    let say = |seq: i64| {
        let log = Log {
            run: RUN,
            stream: LogStream::Stdout,
            text: format!("line {seq}"),
        };
        let item = serde_json::json!({"run": RUN, "id": "i"});
        let item: Item = serde_json::from_value(item).unwrap();
        let mut operations = calls(&["a"], seq..seq + 2);
        operations[0].op = Op::Log(log);
        operations[1].op = Op::Item(Box::new(item));
        seal_in(&backend, operations);
    };
    say(1);
    damage(&backend, |_| true);
    say(3);
    let view = view(&backend);
    assert_eq!(view.logs(RunNo(1)).unwrap().len(), 1);
    assert_eq!(view.items(RunNo(1)).unwrap().len(), 1);
}

#[test]
fn a_view_begins_anew_only_when_a_spool_went_away() {
    let backend = book();
    let steps = RefCell::new(0..);
    let seal = |_: &dyn Look| {
        let step = steps.borrow_mut().next().unwrap();
        seal_in(&backend, calls(&["a"], step..step + 1));
        Ok(Tails::default())
    };
    let list = || Ok(BTreeSet::from([PathBuf::from("1.spool")]));
    let view = BookView::over(&backend, Arc::default(), list, seal).unwrap();
    assert_eq!(
        view.rev(),
        0,
        "somebody who seals all the time hinders nobody"
    );
    let listings = RefCell::new(vec![2, 1, 1, 2]);
    let list = || {
        let names = [PathBuf::from("1.spool"), PathBuf::from("2.spool")];
        let there = listings.borrow_mut().pop().unwrap();
        Ok(names.into_iter().take(there).collect())
    };
    let view = BookView::over(&backend, Arc::default(), list, seal).unwrap();
    assert_eq!(view.rev(), 2, "the look after the one that was missed");
    assert!(listings.borrow().is_empty());
}

/// The change that some operations make on top of the rows as they are now.
fn change_for(backend: &dyn Backend, operations: Vec<Signed>) -> Change {
    let sealed = Rc::new(Sealed::open(backend.look().unwrap()).unwrap());
    let mut fold = Fold::new(Rc::clone(&sealed));
    let mut batch: Batch = Collector::new(BTreeSet::default()).finish().unwrap();
    batch.operations = operations;
    fold.apply(batch).unwrap();
    change_of(fold, &sealed, Vec::new()).unwrap()
}

fn database(folder: &std::path::Path) -> SqliteBackend {
    let first = first_change(Uid([1; 16])).unwrap();
    SqliteBackend::make(&folder.join("book.db"), &first).unwrap()
}

#[test]
fn a_change_of_rows_that_are_others_by_now_is_refused() {
    let folder = crate::contract::folder();
    let (database, memory) = (database(folder.path()), book());
    let backends: [&dyn Backend; 2] = [&database, &memory];
    for backend in backends {
        let first = change_for(backend, calls(&["a"], 0..2));
        let second = change_for(backend, calls(&["a"], 5..9));
        backend.commit(&first).unwrap();
        let refused = backend.commit(&second);
        assert!(matches!(refused, Err(BookError::Restless)), "{refused:?}");
        let again = change_for(backend, calls(&["a"], 5..9));
        backend.commit(&again).unwrap();
        let sealed = Sealed::open(backend.look().unwrap()).unwrap();
        let run = sealed.run(RunNo(1)).unwrap().unwrap();
        assert_eq!(run.row.state.records.counts.points, 6);
    }
}

#[test]
fn a_database_that_took_the_place_of_another_is_the_one_that_is_read() {
    let folder = crate::contract::folder();
    let database = database(folder.path());
    let (place, kept) = (folder.path().join("book.db"), folder.path().join("kept"));
    database.copy_to(&kept).unwrap();
    let stale = change_for(&database, calls(&["a"], 0..2));
    database.commit(&stale).unwrap();
    assert_eq!(database.look().unwrap().counters().unwrap().rev, 1);
    std::fs::remove_file(folder.path().join("book.db-wal")).unwrap();
    std::fs::rename(&kept, &place).unwrap();
    SqliteBackend::create(&place).unwrap();
    let restored = database.look().unwrap().counters().unwrap();
    assert_eq!(restored.rev, 0);
    // The same revision, and all the same another book than the one that was there.
    let anew = change_for(&database, calls(&["a"], 0..3));
    database.commit(&anew).unwrap();
    let marks = database.look().unwrap().counters().unwrap();
    assert_eq!(marks.rev, 1);
    assert_ne!(marks.mark, restored.mark);
}

/// One operation of a run of its own.
fn about(run: u64, seq: u64, op: impl FnOnce(RunUid) -> Op) -> Signed {
    Signed {
        time: Timestamp(seq as i64),
        seq,
        op: op(RunUid(Uid(u128::from(run).to_be_bytes()))),
        ..calls(&["a"], 0..1).remove(0)
    }
}

#[test]
fn many_sealed_runs_are_folded_as_few_are() {
    const RUNS: u64 = 300;
    let param = |run, value: u64| {
        let params = vec![("p".to_owned(), Param::text(value.to_string()))];
        Op::SetParams(SetParams { run, params })
    };
    let points = |run, step| {
        Op::Points(Points {
            subject: Subject::Run(run),
            step,
            time: Timestamp(step),
            set: false,
            values: vec![(SeriesKey::plain("a"), step as f64)],
        })
    };
    let books = [RUNS as usize * 3, 40].map(|at_once| {
        let backend = book();
        let starts =
            (0..RUNS).map(|run| about(run, run + 1, |uid| Op::StartRun(StartRun::of(uid))));
        seal_in(&backend, starts.collect());
        let look = backend.look().unwrap();
        let mut damaged = look.runs(Wanted::Numbers(&[RunNo(21)])).unwrap();
        damaged[0].state[9] ^= 0xff;
        let change = Change {
            counters: look.counters().unwrap(),
            runs: damaged,
            ..Change::default()
        };
        backend.commit(&change).unwrap();
        // Known runs, some that are new, and one that goes.
        let mut later: Vec<Signed> = (0..RUNS + 5)
            .flat_map(|run| {
                let seq = 1000 + run * 2;
                let params = about(run, seq, |uid| param(uid, run));
                [params, about(run, seq + 1, |uid| points(uid, run as i64))]
            })
            .collect();
        later.push(about(7, 9999, |uid| {
            let subject = Subject::Run(uid);
            Op::Purge(Purge { subject })
        }));
        for part in later.chunks(at_once) {
            seal_in(&backend, part.to_vec());
        }
        let view = view(&backend);
        let numbers: Vec<RunNo> = (0..RUNS + 9).map(RunNo).collect();
        view.runs(&numbers).unwrap()
    });
    assert_eq!(books[0].len() as u64, RUNS + 4);
    assert_eq!(books[0], books[1]);
    let points = books[0].iter().map(|row| row.state.records.counts.points);
    assert!(points.eq((0..RUNS + 4).map(|_| 1)));
}
