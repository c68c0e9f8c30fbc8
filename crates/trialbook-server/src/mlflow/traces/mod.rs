//! Traces, as far as they are kept: spans sent to `/v1/traces`, and what clients say of a trace at its end.
//!
//! Nothing of them is searched here yet; they are kept with their run or experiment and leave with it.
//! Invariant: what was acknowledged is kept as it was sent; the same request again adds nothing.

mod ingest;
mod start;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::routing::post;
use axum::{Extension, Router};
use sha2::{Digest as _, Sha256};
use trialbook_model::id::{OperationUid, Uid};

use super::error::Code;
use crate::app::App;
use crate::otlp::OtlpError;

/// The routes of traces, with their prefixes.
pub(in crate::mlflow) fn router() -> Router<App> {
    Router::new()
        .route("/v1/traces", post(ingest::ingest))
        .route("/api/3.0/mlflow/traces", post(start::start))
        .route("/ajax-api/3.0/mlflow/traces", post(start::start))
        .layer(Extension(Arc::<Seen>::default()))
}

/// MLflow's code for a request of OpenTelemetry's that cannot be read.
pub(in crate::mlflow) const fn otlp_code(error: &OtlpError) -> Code {
    match error {
        OtlpError::ContentType { .. }
        | OtlpError::Encoding { .. }
        | OtlpError::Packed { .. }
        | OtlpError::Format { .. }
        | OtlpError::Empty => Code::BadRequest,
    }
}

/// Traces that are remembered.
const REMEMBERED: usize = 4096;

/// The traces of which spans have come of late.
///
/// A client that hears that the spans of its trace are here does not put them into a file as well. After a restart
/// it does, so that nothing depends on this memory.
#[derive(Default)]
pub(in crate::mlflow) struct Seen(Mutex<VecDeque<String>>);

impl Seen {
    fn remember(&self, trace: &str) {
        let mut traces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if traces.iter().rev().take(64).any(|known| known == trace) {
            return;
        }
        if traces.len() >= REMEMBERED {
            traces.pop_front();
        }
        traces.push_back(trace.to_owned());
    }

    fn knows(&self, trace: &str) -> bool {
        let traces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        traces.iter().rev().any(|known| known == trace)
    }
}

/// The identity of what was said, so that a repeated request says it once.
fn identity(parts: &[&[u8]]) -> OperationUid {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let sum = hash.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&sum[..16]);
    OperationUid(Uid(bytes))
}
