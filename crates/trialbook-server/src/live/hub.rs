//! What follows a position, found once for all subscribers who stand there.
//!
//! Not here: subscribers. Invariant: nothing is looked at for a topic that nobody follows, nor twice at the same
//! change of the book; looks at one topic follow one another.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Mutex as Turn;
use trialbook_model::record::{Event, Log, Span};
use trialbook_store::nouns::Owner;
use trialbook_store::reading::Reading as _;
use trialbook_store::{BookError, BookView};

use super::delta::Delta;
use super::position::Position;
use super::runs::Shared;
use super::topic::Topic;
use super::{records, runs, series};
use crate::desk::{Desk, DeskError};

/// Answers that are kept of a topic: subscribers who fell behind stand elsewhere than the others.
const MOST_ANSWERS: usize = 4;

/// What was found for a topic.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// The change of the book at which these hold.
    tick: u64,
    known: Vec<(Position, Delta)>,
}

/// The answers of a topic, one question at a time.
pub(super) type Cell = Arc<Turn<Answers>>;

/// The cells of all topics that are followed.
#[derive(Default)]
pub(super) struct Hub {
    cells: Mutex<HashMap<Topic, Weak<Turn<Answers>>>>,
    feed: Shared,
}

impl Hub {
    /// The cell of a topic; it lives as long as somebody has it.
    pub(super) fn cell(&self, topic: &Topic) -> Cell {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = cells.get(topic).and_then(Weak::upgrade) {
            return cell;
        }
        cells.retain(|_, cell| cell.strong_count() > 0);
        let cell = Cell::default();
        cells.insert(topic.clone(), Arc::downgrade(&cell));
        cell
    }

    /// What follows a position, at a change of the book or later.
    pub(super) async fn delta(
        &self,
        desk: &Desk,
        (topic, cell): (&Topic, &Cell),
        from: &Position,
        tick: u64,
    ) -> Result<Delta, DeskError> {
        let mut answers = Arc::clone(cell).lock_owned().await;
        if answers.tick == tick
            && let Some((_, delta)) = answers.known.iter().find(|(known, _)| known == from)
        {
            return Ok(delta.clone());
        }
        let (topic, from, feed) = (topic.clone(), from.clone(), Arc::clone(&self.feed));
        let folder = desk.book().path().to_owned();
        // The turn is held by what looks, so that looks follow one another even where a subscriber goes away.
        desk.read(move |look| {
            let delta = found(look, &topic, &from, (&feed, folder))?;
            if answers.tick != tick {
                answers.tick = tick;
                answers.known.clear();
            }
            if answers.known.len() >= MOST_ANSWERS {
                answers.known.remove(0);
            }
            answers.known.push((from, delta.clone()));
            Ok(delta)
        })
        .await
    }
}

fn found(
    view: &BookView<'_>,
    topic: &Topic,
    from: &Position,
    (feed, folder): (&Shared, PathBuf),
) -> Result<Delta, BookError> {
    let of = match topic.run() {
        None => None,
        Some(run) => match view.run_no(run)? {
            Some(no) => Some(Owner::Run(no)),
            // It was there when the topic was asked for.
            None => return Ok(gone(topic)),
        },
    };
    let name = topic.to_string();
    match (topic, of) {
        (Topic::Runs, _) | (_, None) => runs::delta(view, feed, &folder, from),
        (Topic::Logs(_), Some(of)) => records::delta::<Log>(view, &of, from, &name),
        (Topic::Events(_), Some(of)) => records::delta::<Event>(view, &of, from, &name),
        (Topic::Spans(_), Some(of)) => records::delta::<Span>(view, &of, from, &name),
        (Topic::Series(_, key), Some(of)) => series::delta(view, (&of, key), from, &name),
    }
}

/// Told once of a run that was removed for good.
fn gone(topic: &Topic) -> Delta {
    let data = serde_json::json!({ "topic": topic.to_string() });
    Delta::of("gone", data.to_string().into_bytes(), Position::Gone)
}
