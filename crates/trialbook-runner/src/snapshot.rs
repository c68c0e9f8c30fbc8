//! A document that runs are tied to, such as their surroundings: there from the beginning, or found out beside
//! the runs.
//!
//! Invariant: every run that was linked is tied to the document once it is there, whichever comes first, and
//! the document is recorded once. Lock order: a snapshot before the recorder.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use trialbook_model::canonical;
use trialbook_model::id::RunUid;
use trialbook_model::record::{LinkSnapshot, Op};

use crate::wrapper::{RecordError, Sink};

/// A document that runs are tied to.
#[derive(Debug)]
pub struct Snapshot {
    kind: &'static str,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// It is being found out; these runs wait for it.
    Awaited(Vec<RunUid>),
    /// It is there. The document itself goes with the first link.
    There {
        sha256: String,
        document: Option<Value>,
    },
    /// There is none.
    Nothing,
}

impl State {
    fn of(document: Value) -> Self {
        Self::There {
            sha256: canonical::hash(&document),
            document: Some(document),
        }
    }
}

impl Snapshot {
    /// A snapshot that is there.
    pub fn new(kind: &'static str, document: Value) -> Self {
        Self {
            kind,
            state: Mutex::new(State::of(document)),
        }
    }

    /// A snapshot whose document arrives later.
    pub fn awaited(kind: &'static str) -> Self {
        Self {
            kind,
            state: Mutex::new(State::Awaited(Vec::new())),
        }
    }

    /// Ties a run to it, now or when it arrives.
    pub fn link(&self, run: RunUid, sink: &dyn Sink) -> Result<(), RecordError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *state {
            State::Awaited(waiting) => {
                waiting.push(run);
                Ok(())
            }
            State::There { sha256, document } => sink.record(Op::LinkSnapshot(LinkSnapshot {
                run,
                kind: self.kind.to_owned(),
                sha256: sha256.clone(),
                document: document.take(),
            })),
            State::Nothing => Ok(()),
        }
    }

    /// The document is there, or it was found that there is none: the runs that waited are tied to it.
    pub fn arrive(&self, document: Option<Value>, sink: &dyn Sink) -> Result<(), RecordError> {
        let next = document.map_or(State::Nothing, State::of);
        let before = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *state, next)
        };
        match before {
            State::Awaited(waiting) => waiting.into_iter().try_for_each(|run| self.link(run, sink)),
            State::There { .. } | State::Nothing => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use trialbook_model::id::Uid;

    #[derive(Default)]
    struct Heard(Mutex<Vec<(RunUid, bool)>>);

    impl Sink for Heard {
        fn record(&self, op: Op) -> Result<(), RecordError> {
            let Op::LinkSnapshot(link) = op else {
                panic!("{op:?}")
            };
            assert_eq!(link.sha256, canonical::hash(&json!({"a": 1})));
            let mut heard = self.0.lock().unwrap();
            heard.push((link.run, link.document.is_some()));
            Ok(())
        }
    }

    #[test]
    fn runs_before_and_after_the_arrival_are_tied() {
        let run = |byte| RunUid(Uid([byte; 16]));
        let (heard, snapshot) = (Heard::default(), Snapshot::awaited("environment"));
        snapshot.link(run(1), &heard).unwrap();
        snapshot.link(run(2), &heard).unwrap();
        assert!(heard.0.lock().unwrap().is_empty());
        snapshot.arrive(Some(json!({"a": 1})), &heard).unwrap();
        snapshot.link(run(3), &heard).unwrap();
        let expected = [(run(1), true), (run(2), false), (run(3), false)];
        assert_eq!(*heard.0.lock().unwrap(), expected);
    }

    #[test]
    fn where_there_is_none_nobody_is_tied() {
        let (heard, snapshot) = (Heard::default(), Snapshot::awaited("code"));
        snapshot.link(RunUid::default(), &heard).unwrap();
        snapshot.arrive(None, &heard).unwrap();
        snapshot.link(RunUid::default(), &heard).unwrap();
        assert!(heard.0.lock().unwrap().is_empty());
    }
}
