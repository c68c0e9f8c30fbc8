//! A listener for the programs of runs that log with MLflow: they need no server.
//!
//! Not here: what is answered. Invariant: a program whose user has chosen a server is led to that one.

use std::sync::Arc;

use trialbook_runner::leading::Leading;
use trialbook_server::{DeskOptions, Loopback};

use crate::book::Open;
use crate::context::{Context, SystemClock};

/// The variable that leads MLflow's clients to a server.
const TRACKING_URI: &str = "MLFLOW_TRACKING_URI";
/// The variable that holds what they say of themselves there.
const TRACKING_TOKEN: &str = "MLFLOW_TRACKING_TOKEN";

/// A listener for the runs of this process.
pub(super) struct Listener {
    loopback: Arc<Loopback>,
}

/// Listens, unless the user has chosen a server. Without it only programs that log with MLflow lack something.
pub(super) fn start(cx: &Context, open: &Open) -> Option<Listener> {
    let is_chosen = std::env::var_os(TRACKING_URI).is_some_and(|uri| !uri.is_empty());
    if is_chosen {
        return None;
    }
    let options = DeskOptions {
        clock: Arc::new(SystemClock),
        actor: cx.actor(),
    };
    match Loopback::open(open.folder(), options) {
        Ok(loopback) => Some(Listener {
            loopback: Arc::new(loopback),
        }),
        Err(error) => {
            cx.printer.note(format!(
                "no listener for programs that log with MLflow: {error}"
            ));
            None
        }
    }
}

impl Listener {
    /// The variables that lead a run's program to a listener, if there is one.
    pub(super) fn leading(listener: Option<&Self>) -> Leading {
        listener.map(Self::variables).unwrap_or_default()
    }

    fn variables(&self) -> Leading {
        let loopback = Arc::clone(&self.loopback);
        Leading::by(move |run| {
            vec![
                (TRACKING_URI.to_owned(), loopback.url()),
                (TRACKING_TOKEN.to_owned(), loopback.token(run)),
            ]
        })
    }

    /// Ends it: what the programs logged is on the disk.
    pub(super) fn close(self) {
        self.loopback.close();
    }
}
