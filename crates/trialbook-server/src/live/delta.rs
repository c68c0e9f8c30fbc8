//! What follows a position of a topic: words for all who stand there, and where they stand then.
//!
//! Not here: how it is found. Invariant: whoever goes from position to position is told everything once.

use axum::body::Bytes;

use super::position::Position;

/// What follows a position.
#[derive(Debug, Clone)]
pub(super) struct Delta {
    /// The name of the event and its data, one line of JSON; `None` where nothing is to be told.
    pub(super) told: Option<(&'static str, Bytes)>,
    /// Where one stands then.
    pub(super) to: Position,
    /// Whether more is there already.
    pub(super) more: bool,
}

impl Delta {
    /// Words, and no more behind them.
    pub(super) fn of(word: &'static str, data: Vec<u8>, to: Position) -> Self {
        Self {
            told: Some((word, data.into())),
            to,
            more: false,
        }
    }

    /// Nothing to tell.
    pub(super) const fn silent(to: Position) -> Self {
        Self {
            told: None,
            to,
            more: false,
        }
    }
}
