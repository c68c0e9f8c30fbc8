//! What router tests need: a temporary book, a desk before it, and requests in process.
//!
//! Not here: anything that a server is made of.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, header};
use tempfile::TempDir;
use tower::ServiceExt as _;
use trialbook_model::record::Op;
use trialbook_model::time::{Clock, Timestamp};
use trialbook_store::{Access, Book, RecorderOptions};

use crate::app::{App, Settings, router};
use crate::desk::{Desk, DeskOptions};

/// A clock that goes on by a millisecond each time it is read.
#[derive(Debug)]
pub(crate) struct Ticking(AtomicI64);

impl Default for Ticking {
    fn default() -> Self {
        Self(AtomicI64::new(1_700_000_000_000_000))
    }
}

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1000, Ordering::Relaxed))
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// As JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

/// A server without a socket.
pub(crate) struct Bench {
    pub(crate) app: App,
    pub(crate) router: Router,
    pub(crate) clock: Arc<Ticking>,
    pub(crate) folder: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let book = Book::create(&folder.path().join("book")).unwrap();
        let clock = Arc::<Ticking>::default();
        let options = DeskOptions {
            clock: Arc::<Ticking>::clone(&clock),
            actor: "server".to_owned(),
        };
        let app = App::new(Desk::open(book, options).unwrap(), settings);
        Self {
            router: router(app.clone()),
            app,
            clock,
            folder,
        }
    }

    /// The book as another process has it.
    pub(crate) fn book(&self) -> Book {
        Book::open(&self.folder.path().join("book"), Access::Write).unwrap()
    }

    /// Writes as another process does, with a spool of its own.
    pub(crate) fn elsewhere(&self, ops: &[Op]) {
        let book = self.book();
        let clock = Arc::<Ticking>::clone(&self.clock);
        let mut recorder = book.recorder(RecorderOptions::new("other", clock)).unwrap();
        for op in ops {
            recorder.record(op).unwrap();
        }
        recorder.finish().unwrap();
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &serde_json::Value) -> Answer {
        self.send(Method::POST, path, body.to_string()).await
    }

    /// Sends a request; a body counts as JSON.
    pub(crate) async fn send(&self, method: Method, path: &str, body: impl Into<String>) -> Answer {
        let body = body.into();
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(header::HOST, "localhost");
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        self.ask(request.body(Body::from(body)).unwrap()).await
    }

    /// Sends any request.
    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}
