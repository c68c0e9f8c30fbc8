//! What programs recorded where they are, in batches of frames.
//!
//! Not here: what a frame is. Invariant: a batch is taken as a whole or not at all.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use trialbook_model::code::ErrorCode;
use trialbook_model::id::WriterUid;
use trialbook_model::record::{Op, Signed};
use trialbook_spool::read_batch;
use trialbook_store::live::{Delivery, Gaps};

use super::{Caller, Json};
use crate::app::App;
use crate::desk::{DeskError, Scope};
use crate::http::error::{Problem, told};

/// Whose numbers are asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    writers: Vec<String>,
}

/// First and last numbers of ranges.
type Ranges = Vec<(u64, u64)>;

/// Which records are in the book.
#[derive(Serialize)]
pub(super) struct Numbers {
    numbers: BTreeMap<String, Ranges>,
}

/// Tells which records of writers are in the book, so that only others need be sent.
pub(super) async fn numbers(
    State(app): State<App>,
    Json(wanted): Json<Wanted>,
) -> Result<Json<Numbers>, Problem> {
    let parsed = wanted.writers.iter().map(|text| text.parse());
    let writers: Result<Vec<WriterUid>, _> = parsed.collect();
    let writers = writers.map_err(|_another| {
        Problem::new(ErrorCode::ValueInvalid, "a writer is 32 hex digits").at("writers")
    })?;
    let known = app.desk().numbers_of(writers).await?;
    Ok(Json(Numbers {
        numbers: wanted.writers.into_iter().zip(known).collect(),
    }))
}

/// How a batch is to be taken.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct How {
    /// Records before the batch's first one are lost: it is taken without them.
    #[serde(default)]
    lost: bool,
}

/// What became of a batch.
#[derive(Serialize)]
pub(super) struct Taken {
    /// Records that were new.
    new: u64,
    /// Records that were in the book already.
    repeated: u64,
}

/// Takes a batch.
pub(super) async fn frames(
    State(app): State<App>,
    Caller(actor): Caller,
    Query(how): Query<How>,
    body: Bytes,
) -> Result<Json<Taken>, Problem> {
    let reading = tokio::task::spawn_blocking(move || read_batch(&body));
    let read = reading.await.map_err(|_panic| DeskError::Panicked)?;
    let records = read.map_err(|refused| {
        Problem::new(ErrorCode::ValueInvalid, told(&refused))
            .with_hint("nothing of the batch was taken: send it again")
    })?;
    refuse(&records, actor.scope)?;
    let gaps = if how.lost { Gaps::Lost } else { Gaps::Refused };
    match app.desk().deliver(&actor, records, gaps).await? {
        Delivery::Taken { new, repeated } => Ok(Json(Taken { new, repeated })),
        Delivery::Missing { writer, expected } => Err(Problem {
            position: Some(expected),
            ..Problem::new(
                ErrorCode::StateConflict,
                format!("records of writer {writer} are missing: {expected} is expected"),
            )
            .at("seq")
            .with_hint("send the missing ones first; `?lost=true` where they are lost")
        }),
    }
}

/// Refuses what the sender may not say.
fn refuse(records: &[Signed], scope: Scope) -> Result<(), Problem> {
    let purge = records.iter().find(|it| matches!(it.op, Op::Purge(_)));
    match purge {
        Some(purge) if scope < Scope::Admin => Err(Problem::new(
            ErrorCode::PermissionDenied,
            format!(
                "record {} removes something for good, which takes scope `admin`",
                purge.seq
            ),
        )),
        Some(_) | None => Ok(()),
    }
}
