//! How is a book on a server read and written from elsewhere? HTTP, a view that asks, and a courier that brings spools.
//!
//! Blocking, for the command line. Not here: what answers mean, where spools are kept, the server.
//! Invariant: nothing that was recorded here is removed before the server has acknowledged it; no token is ever
//! written down or told.

mod address;
mod courier;
mod error;
mod server;
mod view;

pub use address::Address;
pub use courier::{Courier, Delivered};
pub use error::ClientError;
pub use server::{Access, Scope, Server, Turn};
pub use view::{RemoteView, view};
