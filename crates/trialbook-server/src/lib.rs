//! What is answered to a request over HTTP: the desk before a book, what holds for every request, and the
//! APIs, each in a room of its own.
//!
//! Not here: SQL, what operations mean, the command line. Invariant: no request gets to the book but through
//! the [`desk`], and a write is answered only when it is on the disk.

pub mod app;
mod base64;
pub mod desk;
pub mod http;
mod loopback;
mod mlflow;
mod otlp;
mod remote;
pub mod serve;

pub use mlflow::{Tested, test_webhook};

#[cfg(test)]
pub(crate) mod testing;

pub use app::{App, Settings, router};
pub use desk::{Actor, Desk, DeskError, DeskOptions, Draft, Look, Scope};
pub use http::access::AccessRules;
pub use http::tokens::{TokenError, TokenRecord, Tokens};
pub use loopback::Loopback;
pub use serve::{Certificate, Listening, ServeError, ServeOptions, serve};
