//! Turns in giving names: whoever has one looks names up and writes while nobody else does.
//!
//! The turn is the one that programs beside the book take too. Not here: which names are free.
//! Invariant: a turn ends by itself where its holder is gone.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use trialbook_model::code::ErrorCode;
use trialbook_runner::lease::{Turn, naming};

use super::{Caller, Json};
use crate::app::App;
use crate::desk::{DeskError, Scope};
use crate::http::error::Problem;

/// How long a turn lasts at most.
const LONGEST: Duration = Duration::from_secs(10);

/// Turns that are taken.
#[derive(Default)]
pub(crate) struct Turns {
    taken: Mutex<BTreeMap<String, Turn>>,
}

impl Turns {
    fn keep(&self, turn: Turn) -> String {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the operating system has a random generator");
        let name = format!("{:032x}", u128::from_le_bytes(bytes));
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.insert(name.clone(), turn);
        name
    }

    fn end(&self, name: &str) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.remove(name);
    }
}

/// A turn that was taken.
#[derive(Serialize)]
pub(super) struct Taken {
    turn: String,
}

/// Waits for a turn.
pub(super) async fn take(
    State(app): State<App>,
    Caller(actor): Caller,
) -> Result<Json<Taken>, Problem> {
    if actor.scope < Scope::Write {
        return Err(DeskError::Denied.into());
    }
    let folder = app.desk().book().path().to_owned();
    let waiting = tokio::task::spawn_blocking(move || naming(&folder));
    let turn = waiting.await.map_err(|_panic| DeskError::Panicked)?;
    let turn = turn.map_err(|busy| Problem::new(ErrorCode::BookBusy, busy.to_string()))?;
    let name = app.turns().keep(turn);
    let (app, own) = (app.clone(), name.clone());
    tokio::spawn(async move {
        tokio::time::sleep(LONGEST).await;
        app.turns().end(&own);
    });
    Ok(Json(Taken { turn: name }))
}

/// Ends a turn.
pub(super) async fn give_back(
    State(app): State<App>,
    Path(turn): Path<String>,
) -> Result<StatusCode, Problem> {
    app.turns().end(&turn);
    Ok(StatusCode::NO_CONTENT)
}
