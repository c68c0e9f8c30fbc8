use trialbook_model::id::{ExperimentUid, RunUid};
use trialbook_model::record::{Op, SetTags, StartRun, Subject};
use trialbook_store::reading::Reading as _;
use trialbook_store::{Access, BookError, Effort, SealOutcome};

use super::*;
use crate::testing::{Bench, Ticking};

fn options() -> DeskOptions {
    DeskOptions {
        clock: Arc::<Ticking>::default(),
        actor: "server".to_owned(),
    }
}

async fn start(desk: &Desk, actor: &Actor) -> RunUid {
    let started: Result<RunUid, DeskError> = desk
        .write(actor, |_look, draft| {
            let uid = RunUid(draft.mint());
            draft.say(Op::StartRun(StartRun::of(uid)));
            Ok(uid)
        })
        .await;
    started.unwrap()
}

async fn runs(desk: &Desk) -> u64 {
    let count = desk
        .read(|look| look.run_count().map_err(DeskError::from))
        .await;
    count.unwrap()
}

#[tokio::test]
async fn what_was_written_is_read_and_what_was_refused_is_not() {
    let bench = Bench::new();
    let desk = bench.app.desk();
    let mut changes = desk.changes();
    let uid = start(desk, &Actor::named("ann")).await;
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    let found: Result<_, DeskError> = desk
        .read(move |look| look.run_of(uid).map_err(DeskError::from))
        .await;
    let row = found.unwrap().unwrap();
    assert_eq!(row.state.actor.as_ref().unwrap().value, "ann");
    let refused: Result<(), DeskError> = desk
        .write(&Actor::default(), |_look, draft| {
            let uid = RunUid(draft.mint());
            draft.say(Op::StartRun(StartRun::of(uid)));
            Err(BookError::Restless.into())
        })
        .await;
    assert!(matches!(refused, Err(DeskError::Book(_))));
    assert_eq!(runs(desk).await, 1);
    assert!(!changes.has_changed().unwrap());
}

#[tokio::test]
async fn a_repeated_key_writes_once() {
    let bench = Bench::new();
    let desk = bench.app.desk();
    let actor = Actor {
        key: Some("k1".to_owned()),
        ..Actor::named("ann")
    };
    let uid = start(desk, &actor).await;
    assert_eq!(start(desk, &actor).await, uid);
    assert_eq!(runs(desk).await, 1);
}

#[tokio::test]
async fn a_decision_that_panics_stops_nobody_else() {
    let bench = Bench::new();
    let desk = bench.app.desk();
    let lost: Result<(), DeskError> = desk
        .write(&Actor::default(), |_look, _draft| {
            panic!("a handler's fault")
        })
        .await;
    assert!(matches!(lost, Err(DeskError::Panicked)));
    start(desk, &Actor::default()).await;
    assert_eq!(runs(desk).await, 1);
}

#[tokio::test]
async fn a_closed_desk_has_written_everything_and_refuses_the_rest() {
    let bench = Bench::new();
    let desk = bench.app.desk().clone();
    start(&desk, &Actor::default()).await;
    let closing = desk.clone();
    tokio::task::spawn_blocking(move || closing.close())
        .await
        .unwrap();
    let refused: Result<(), DeskError> = desk.write(&Actor::default(), |_, _| Ok(())).await;
    assert!(matches!(refused, Err(DeskError::Closed)));
    let book = bench.book();
    assert_eq!(book.view().unwrap().run_count().unwrap(), 1);
    assert_eq!(book.seal(Effort::All).unwrap().outcome, SealOutcome::Sealed);
}

#[tokio::test]
async fn while_somebody_else_has_the_lease_requests_wait_and_then_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("book");
    let first = Desk::open(Book::create(&path).unwrap(), options()).unwrap();
    first.ready().await.unwrap();
    let second = Desk::open(Book::open(&path, Access::Write).unwrap(), options()).unwrap();
    let refused = second.ready_within(Duration::from_millis(1)).await;
    assert!(matches!(refused, Err(DeskError::Held)));
    tokio::task::spawn_blocking(move || first.close())
        .await
        .unwrap();
    start(&second, &Actor::default()).await;
    assert_eq!(runs(&second).await, 1);
}

#[tokio::test]
async fn many_writers_share_syncs_and_none_is_refused() {
    let bench = Bench::new();
    let desk = bench.app.desk();
    let writers: Vec<_> = (0..64)
        .map(|writer| {
            let desk = desk.clone();
            tokio::spawn(async move {
                for of in 0..4 {
                    let named: Result<_, DeskError> = desk
                        .write(&Actor::default(), move |look, draft| {
                            // All of them want the same experiments.
                            let name = format!("e{of}");
                            let known = look.experiment_named("default", &name)?;
                            if known.is_none() {
                                let experiment = ExperimentUid(draft.mint());
                                let create = serde_json::json!({
                                    "experiment": experiment, "project": "default", "name": name,
                                });
                                let create = serde_json::from_value(create).unwrap();
                                draft.say(Op::CreateExperiment(create));
                            }
                            let uid = RunUid(draft.mint());
                            draft.say(Op::StartRun(StartRun::of(uid)));
                            draft.say(Op::SetTags(SetTags {
                                subject: Subject::Run(uid),
                                tags: vec![(format!("t{writer}-{of}"), Some("x".to_owned()))],
                            }));
                            Ok(uid)
                        })
                        .await;
                    let uid = named.unwrap();
                    let seen: Result<_, DeskError> =
                        desk.read(move |look| Ok(look.run_of(uid)?)).await;
                    assert!(seen.unwrap().is_some());
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let experiments: Result<_, DeskError> = desk.read(|look| Ok(look.experiments()?)).await;
    assert_eq!(experiments.unwrap().len(), 5, "four and `Default`");
    assert_eq!(runs(desk).await, 256);
    let (writes, syncs) = (&desk.tally().writes, &desk.tally().syncs);
    let [writes, syncs] = [writes, syncs].map(|count| count.load(Ordering::Relaxed));
    assert!(
        writes >= 256 && syncs <= writes,
        "{writes} writes, {syncs} syncs"
    );
    desk.seal().await.unwrap();
    assert_eq!(runs(desk).await, 256);
}

#[tokio::test]
async fn what_another_process_writes_is_seen_at_once() {
    let bench = Bench::new();
    let desk = bench.app.desk();
    start(desk, &Actor::default()).await;
    bench.elsewhere(&[Op::StartRun(StartRun::of(RunUid(
        trialbook_model::id::Uid([7; 16]),
    )))]);
    assert_eq!(runs(desk).await, 2);
}

#[tokio::test]
async fn beside_another_desk_the_same_is_read_and_written() {
    let bench = Bench::new();
    let desk = bench.app.desk();
    let first = start(desk, &Actor::named("ann")).await;
    let book = Book::open(&bench.folder.path().join("book"), Access::Write).unwrap();
    let clock = Arc::<Ticking>::clone(&bench.clock);
    let actor = "program".to_owned();
    let beside = Desk::beside(book, DeskOptions { clock, actor }).unwrap();
    assert_eq!(runs(&beside).await, 1);
    let second = start(&beside, &Actor::default()).await;
    for (desk, uid) in [(desk, second), (&beside, first), (&beside, second)] {
        let found = desk.read(move |look| look.run_of(uid).map_err(DeskError::from));
        assert!(found.await.unwrap().is_some());
    }
    let refused: Result<(), DeskError> = beside
        .write(&Actor::default(), |_look, draft| {
            let uid = RunUid(draft.mint());
            draft.say(Op::StartRun(StartRun::of(uid)));
            Err(DeskError::Crowded)
        })
        .await;
    assert!(refused.is_err());
    beside.close();
    assert_eq!(runs(desk).await, 2);
    let closed: Result<(), DeskError> = beside.write(&Actor::default(), |_, _| Ok(())).await;
    assert!(matches!(closed, Err(DeskError::Closed)));
}
