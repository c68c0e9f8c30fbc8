//! What all requests share, and the routes of all rooms.
//!
//! Not here: what a route does. Invariant: a room adds its routes by one `router()`, and takes what it needs
//! from [`App`]; every request passes the guard.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use trialbook_model::time::Timestamp;

use crate::desk::Desk;
use crate::http::access::{Access, AccessRules};
use crate::http::counters::Counters;
use crate::http::post::Hosts;
use crate::http::tokens::Tokens;
use crate::remote::Turns;
use crate::{http, mlflow, remote};

/// Bytes of a body that is read as a whole; a room that streams lifts it for its routes.
pub const MOST_BODY_BYTES: usize = 64 << 20;

/// How a server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where the files of new experiments are to be; MLflow's clients are told it.
    pub default_artifact_root: String,
    /// Who may come in.
    pub access: AccessRules,
    /// Where webhooks may be.
    pub webhook_hosts: Hosts,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            default_artifact_root: "mlflow-artifacts:/".to_owned(),
            access: AccessRules::default(),
            webhook_hosts: Hosts::Public,
        }
    }
}

/// What all requests share. A clone is the same one.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    desk: Desk,
    settings: Settings,
    access: Access,
    counters: Counters,
    turns: Turns,
}

impl App {
    /// Over a desk.
    pub fn new(desk: Desk, settings: Settings) -> Self {
        let tokens = Tokens::of(desk.book().path());
        let access = Access::new(settings.access.clone(), tokens);
        Self {
            inner: Arc::new(Inner {
                desk,
                settings,
                access,
                counters: Counters::default(),
                turns: Turns::default(),
            }),
        }
    }

    /// The door to the book.
    pub fn desk(&self) -> &Desk {
        &self.inner.desk
    }

    /// How the server answers.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The present time.
    pub fn now(&self) -> Timestamp {
        self.inner.desk.now()
    }

    pub(crate) fn access(&self) -> &Access {
        &self.inner.access
    }

    pub(crate) fn turns(&self) -> &Turns {
        &self.inner.turns
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.inner.counters
    }
}

/// The routes of all rooms.
pub fn router(app: App) -> Router {
    Router::new()
        .merge(http::router())
        .merge(mlflow::router())
        .merge(remote::router())
        .fallback(http::nowhere)
        .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
        .layer(from_fn_with_state(app.clone(), http::guard::guard))
        .with_state(app)
}
