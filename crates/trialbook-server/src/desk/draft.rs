//! What a request wants written: operations, said together.
//!
//! Not here: deciding, syncing. Invariant: with a key that a client repeats, ids and operations are the same
//! ones each time, so that what was written already is not written again.

use sha2::{Digest as _, Sha256};
use trialbook_model::id::{OperationUid, Uid};
use trialbook_model::record::Op;
use trialbook_model::time::Timestamp;
use trialbook_spool::Note;

/// Operations that become durable together.
#[derive(Debug)]
pub struct Draft {
    now: Timestamp,
    actor: String,
    key: Option<String>,
    minted: u64,
    pub(super) said: Vec<(Op, Note)>,
}

impl Draft {
    pub(super) fn new(now: Timestamp, actor: &str, key: Option<String>) -> Self {
        Self {
            now,
            actor: actor.to_owned(),
            key,
            minted: 0,
            said: Vec::new(),
        }
    }

    /// The present time.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Says an operation.
    pub fn say(&mut self, op: Op) {
        let operation = self.key.as_ref().map(|key| {
            let place = self.said.len() as u64;
            OperationUid(derived(key, "operation", place))
        });
        self.note(op, operation);
    }

    /// Says an operation that counts once, however often it is said.
    pub fn say_once(&mut self, operation: OperationUid, op: Op) {
        self.note(op, Some(operation));
    }

    fn note(&mut self, op: Op, operation: Option<OperationUid>) {
        let actor = (!self.actor.is_empty()).then(|| self.actor.clone());
        self.said.push((
            op,
            Note {
                actor,
                operation,
                ..Note::default()
            },
        ));
    }

    /// A new uid; of a request with a key the same one each time, so that whoever creates something looks
    /// whether it is there already.
    pub fn mint(&mut self) -> Uid {
        self.minted += 1;
        if let Some(key) = &self.key {
            return derived(key, "uid", self.minted);
        }
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the operating system has a random generator");
        Uid(bytes)
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.said.is_empty()
    }
}

/// 16 bytes that follow from a key.
fn derived(key: &str, what: &str, place: u64) -> Uid {
    let mut hash = Sha256::new();
    hash.update(what.as_bytes());
    hash.update(place.to_le_bytes());
    hash.update(key.as_bytes());
    let sum = hash.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&sum[..16]);
    Uid(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_gives_the_same_ids_again_and_none_gives_new_ones() {
        let minted = |key: Option<&str>| {
            let mut draft = Draft::new(Timestamp(1), "me", key.map(str::to_owned));
            (draft.mint(), draft.mint())
        };
        assert_eq!(minted(Some("a")), minted(Some("a")));
        assert_ne!(minted(Some("a")), minted(Some("b")));
        assert_ne!(minted(None), minted(None));
        let (one, other) = minted(Some("a"));
        assert_ne!(one, other);
    }
}
