//! Changes of runs.
//!
//! Of several changes between two looks the last is told. Not here: their numbers. Invariant: a state of a run is
//! told once, and the last one always.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use trialbook_model::id::{RunNo, RunUid};
use trialbook_model::status::RunStatus;
use trialbook_store::nouns::RunRow;
use trialbook_store::{BookError, BookView};

use super::delta::Delta;
use super::feed::{Feed, rows_of};
use super::position::{Position, RunsAt};

/// Runs that are told at once.
const MOST_RUNS: usize = 256;

/// The name of the event.
const WORD: &str = "runs";

/// The feed of a book, once somebody asked for it.
pub(super) type Shared = Arc<Mutex<Option<Feed>>>;

#[derive(Serialize)]
struct Told {
    topic: &'static str,
    runs: Vec<News>,
    /// Numbers of runs that were removed for good.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    removed: Vec<u64>,
}

/// What is told of a run.
#[derive(Serialize)]
struct News {
    run: RunUid,
    /// Its number in the book, by which its removal is told.
    no: u64,
    /// Rises with each change of any run; of one that is told for the first time 0.
    version: u64,
    experiment: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    status: RunStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sign_of_life: Option<String>,
    points: u64,
    items: u64,
    log_bytes: u64,
}

impl News {
    fn of(row: &RunRow, version: u64) -> Self {
        let state = &row.state;
        let counts = &state.records.counts;
        Self {
            run: row.uid,
            no: row.no.0,
            version,
            experiment: row.experiment.0,
            number: row.number,
            name: state.name().map(str::to_owned),
            status: state.status(),
            started: state.started().map(|time| time.to_string()),
            ended: state.ended().map(|time| time.to_string()),
            last_sign_of_life: state.alive.map(|time| time.to_string()),
            points: counts.points,
            items: counts.items,
            log_bytes: counts.log_bytes,
        }
    }
}

/// What follows a position.
pub(super) fn delta(
    view: &BookView<'_>,
    shared: &Shared,
    folder: &std::path::Path,
    from: &Position,
) -> Result<Delta, BookError> {
    let mut slot = shared.lock().unwrap_or_else(PoisonError::into_inner);
    if slot.is_none() {
        *slot = Some(Feed::open(folder, view)?);
    }
    let Some(feed) = slot.as_mut() else {
        return Ok(Delta::silent(from.clone()));
    };
    feed.follow(view)?;
    let now = RunsAt {
        feed: feed.id,
        change: feed.last,
        next: None,
    };
    let at = match from {
        Position::Runs(at) => *at,
        Position::Start => RunsAt {
            next: Some(0),
            ..now
        },
        Position::Now | Position::Records(_) | Position::Series(_) | Position::Gone => {
            return Ok(Delta::silent(Position::Runs(now)));
        }
    };
    if at.feed != feed.id || at.change < feed.floor || at.change > feed.last {
        return Ok(begin_anew(now));
    }
    match at.next {
        Some(next) => list(view, feed, at, next),
        None => changes(view, feed, at),
    }
}

/// Told where it is not known what happened since.
fn begin_anew(now: RunsAt) -> Delta {
    let data = br#"{"topic":"runs"}"#.to_vec();
    Delta::of("reset", data, Position::Runs(now))
}

fn changes(view: &BookView<'_>, feed: &Feed, at: RunsAt) -> Result<Delta, BookError> {
    let behind = feed.behind(at.change, MOST_RUNS);
    let Some((change, ..)) = behind.last().copied() else {
        return Ok(Delta::silent(Position::Runs(at)));
    };
    let there = behind.iter().filter(|(_, _, is_there)| *is_there);
    let numbers: Vec<RunNo> = there.map(|(_, no, _)| *no).collect();
    let gone = behind.iter().filter(|(_, _, is_there)| !*is_there);
    let rows = rows_of(view, &numbers)?;
    let runs = rows.iter().map(|row| News::of(row, feed.change_of(row)));
    let told = Told {
        topic: WORD,
        runs: runs.collect(),
        removed: gone.map(|(_, no, _)| no.0).collect(),
    };
    let to = Position::Runs(RunsAt { change, ..at });
    Ok(Delta {
        more: change < feed.last,
        ..Delta::of(WORD, json(&told), to)
    })
}

/// Tells of runs that are there already, from a number on; those that changed since the list was begun come with
/// the changes.
fn list(view: &BookView<'_>, feed: &Feed, at: RunsAt, next: u64) -> Result<Delta, BookError> {
    let end = view.next_run().0.min(next.saturating_add(MOST_RUNS as u64));
    let numbers: Vec<RunNo> = (next..end).map(RunNo).collect();
    let mut rows = rows_of(view, &numbers)?;
    rows.retain(|row| feed.change_of(row) <= at.change);
    let more = end < view.next_run().0;
    let to = Position::Runs(RunsAt {
        next: more.then_some(end),
        ..at
    });
    // What changed meanwhile follows at once.
    let more = more || at.change < feed.last;
    if rows.is_empty() {
        return Ok(Delta {
            more,
            ..Delta::silent(to)
        });
    }
    let runs = rows.iter().map(|row| News::of(row, feed.change_of(row)));
    let told = Told {
        topic: WORD,
        runs: runs.collect(),
        removed: Vec::new(),
    };
    Ok(Delta {
        more,
        ..Delta::of(WORD, json(&told), to)
    })
}

fn json(told: &Told) -> Vec<u8> {
    serde_json::to_vec(told).expect("words and numbers are JSON")
}
