//! Metrics as MLflow has them: points logged one by one, histories by pages or sampled.
//!
//! Equal points count once. The latest value is that of the greatest step, then time, then value.
//! Invariant: infinities are kept as they are; on the wire they are the greatest doubles, as clients expect.

mod history;
mod log;
pub(in crate::mlflow) mod points;
mod sampled;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::routing::{get, post};

use super::error::Code;
use crate::app::App;

/// The routes of metrics, without their prefix.
pub(in crate::mlflow) fn router() -> Router<App> {
    Router::new()
        .route("/runs/log-metric", post(log::log))
        .route("/metrics/get-history", get(history::get))
        .route("/metrics/get-history-bulk", get(history::get_bulk))
        .route("/metrics/get-history-bulk-interval", get(sampled::get))
}

/// Why a history cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::mlflow) enum HistoryError {
    /// No run is named.
    #[error("GetMetricHistoryBulk request must specify at least one run_id.")]
    NoRuns,
    /// No metric is named.
    #[error("GetMetricHistoryBulk request must specify a metric_key.")]
    NoKey,
    /// Too many runs are named.
    #[error(
        "{request} request cannot specify more than {limit} run_ids, at most {limit} run_ids. Received {found} run_ids."
    )]
    TooManyRuns {
        /// Which of the requests.
        request: &'static str,
        /// How many may be.
        limit: usize,
        /// How many are.
        found: usize,
    },
    /// Too few or too many points are asked for.
    #[error("max_results must be between 1 and {limit}.")]
    Points {
        /// How many may be.
        limit: usize,
    },
    /// One end of a range is given.
    #[error("If either start step or end step are specified, both must be specified.")]
    HalfRange,
    /// The range is turned around.
    #[error(
        "end_step must be greater than start_step. Found start_step={start} and end_step={end}."
    )]
    Turned {
        /// Its first step.
        start: i64,
        /// Its last.
        end: i64,
    },
}

impl HistoryError {
    /// MLflow's code.
    pub(in crate::mlflow) const fn code(&self) -> Code {
        match self {
            Self::NoRuns
            | Self::NoKey
            | Self::TooManyRuns { .. }
            | Self::Points { .. }
            | Self::HalfRange
            | Self::Turned { .. } => Code::InvalidParameterValue,
        }
    }
}
