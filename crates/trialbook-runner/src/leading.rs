//! Variables that lead a run's program to whoever runs it.
//!
//! Not here: what listens there. Invariant: what they hold may be a secret and is shown nowhere.

use std::fmt;
use std::sync::Arc;

use trialbook_model::id::RunUid;

/// Variables that differ from run to run, as whoever runs the programs gives them.
#[derive(Clone, Default)]
pub struct Leading(Option<Arc<VariablesOf>>);

/// The variables of a run.
type VariablesOf = dyn Fn(RunUid) -> Vec<(String, String)> + Send + Sync;

impl Leading {
    /// Those that a function gives. The config's own variables go before them.
    pub fn by(of: impl Fn(RunUid) -> Vec<(String, String)> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(of)))
    }

    pub(crate) fn of(&self, run: RunUid) -> Vec<(String, String)> {
        self.0.as_ref().map_or_else(Vec::new, |of| of(run))
    }
}

impl fmt::Debug for Leading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What they hold may be a secret.
        f.write_str(if self.0.is_some() { "Leading" } else { "None" })
    }
}
