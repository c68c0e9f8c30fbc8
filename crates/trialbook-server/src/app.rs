//! What all requests share, and the routes of all rooms.
//!
//! Not here: what a route does. Invariant: a room adds its routes by one `router()`, and takes what it needs
//! from [`App`].

use std::sync::Arc;

use axum::Router;

use crate::desk::Desk;
use crate::http::post::Hosts;
use crate::{http, mlflow};

/// How a server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where the files of new experiments are to be; MLflow's clients are told it.
    pub default_artifact_root: String,
    /// Where webhooks may be.
    pub webhook_hosts: Hosts,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            default_artifact_root: "mlflow-artifacts:/".to_owned(),
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
}

impl App {
    /// Over a desk.
    pub fn new(desk: Desk, settings: Settings) -> Self {
        Self {
            inner: Arc::new(Inner { desk, settings }),
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
}

/// The routes of all rooms.
pub fn router(app: App) -> Router {
    Router::new()
        .merge(http::router())
        .merge(mlflow::router())
        .fallback(http::nowhere)
        .with_state(app)
}
