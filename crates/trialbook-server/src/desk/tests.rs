use trialbook_model::id::RunUid;
use trialbook_model::record::{Op, StartRun};
use trialbook_store::BookError;

use super::*;
use crate::testing::Bench;

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
        name: "ann".to_owned(),
        key: Some("k1".to_owned()),
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
    assert_eq!(runs(&desk).await, 1);
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
