//! The files of the enhanced experiment tracker: its database, its snapshot documents and its folders of results
//! (C-18, C-20, C-21).
//!
//! One of its experiments is a run here, under its old id as name and alias; its config is a snapshot and params,
//! its results are metrics, those of agents and question types with a context. Not here: its configs' meaning.
//! Invariant: the same file brought in twice is the same; secrets that the tracker wrote do not get into the book;
//! what has no place of its own is kept as an event.

mod database;
mod results;
mod run;
mod snapshots;

use std::path::Path;

pub use database::is_database;
pub use results::{is_results, read_results};
pub use snapshots::is_snapshots;

use crate::bring::Arrival;
use crate::error::{ImportError, Place};
use crate::source::Found;
use run::Past;

/// Reads a database, with the configs of snapshot documents beside it.
pub fn read_database(
    path: &Path,
    name: &Path,
    arrival: &mut Arrival<'_>,
) -> Result<Found, ImportError> {
    let (mut pasts, notes) = database::read(path, name)?;
    let mut found = Found {
        notes,
        ..Found::default()
    };
    for (beside, told) in snapshots::beside(path, name) {
        let text = std::fs::read(&beside).map_err(ImportError::read(&told))?;
        let read = snapshots::read(&text, &told)?;
        for snapshot in read {
            if let Some(past) = pasts.iter_mut().find(|past| past.id == snapshot.id) {
                past.complete(snapshot);
            }
        }
        found.notes.push(format!(
            "`{}`: configs of the database's runs",
            told.display()
        ));
    }
    give(pasts, &Place::file(name), arrival, &mut found)?;
    Ok(found)
}

/// Reads a snapshot document.
pub fn read_snapshots(
    text: &[u8],
    name: &Path,
    arrival: &mut Arrival<'_>,
) -> Result<Found, ImportError> {
    let mut found = Found::default();
    give(
        snapshots::read(text, name)?,
        &Place::file(name),
        arrival,
        &mut found,
    )?;
    Ok(found)
}

fn give(
    mut pasts: Vec<Past>,
    place: &Place,
    arrival: &mut Arrival<'_>,
    found: &mut Found,
) -> Result<(), ImportError> {
    pasts.sort_by(|one, other| (one.time, &one.id).cmp(&(other.time, &other.id)));
    if let Some(first) = pasts.first() {
        arrival.take(place, run::experiment(first.time))?;
    }
    for past in &pasts {
        found.notes.extend(past.doubts());
    }
    let mut aliases = Vec::new();
    for past in pasts {
        aliases.push(past.alias());
        past.give(&mut |record| arrival.take(place, record))?;
    }
    for alias in aliases {
        arrival.take(place, alias)?;
    }
    Ok(())
}
