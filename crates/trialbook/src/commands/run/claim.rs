//! Who may execute the runs of an experiment: one process, or several of bare commands side by side.
//!
//! Not here: how a lease is held. Invariant: runs are planned while nobody else plans runs of the experiment.

use trialbook_model::state::DEFAULT_PROJECT;
use trialbook_model::time::Clock as _;
use trialbook_runner::lease::{Holder, Lease, Leased, Turn};
use trialbook_runner::standing::Elsewhere;

use anyhow::Result;

use super::source::{Intent, Repeat, Spec};
use crate::book::Open;
use crate::context::SystemClock;

/// What lets this process execute runs of the experiment.
pub(super) struct Claim {
    _lease: Lease,
    /// Held until the runs are planned.
    pub(super) turn: Option<Turn>,
    pub(super) elsewhere: Elsewhere,
}

/// A config, or a grid, has its experiment alone. One bare command shares it with others of its kind: each
/// plans its own trial, in its turn.
pub(super) fn claim(spec: &Spec, open: &Open) -> Result<Claim> {
    let leased = leased(spec, open);
    match spec.intent {
        Intent::Config | Intent::Beside | Intent::Adhoc(Repeat::Missing) => Ok(Claim {
            _lease: leased.take(&holder())?,
            turn: None,
            // Nobody else executes anything of this experiment.
            elsewhere: Elsewhere::Nobody,
        }),
        Intent::Adhoc(Repeat::Another) => {
            let turn = leased.turn()?;
            let (lease, elsewhere) = leased.share(&turn)?;
            Ok(Claim {
                _lease: lease,
                turn: Some(turn),
                elsewhere,
            })
        }
    }
}

pub(super) fn leased<'a>(spec: &'a Spec, open: &'a Open) -> Leased<'a> {
    Leased {
        book: open.folder(),
        project: project(spec),
        experiment: &spec.config.experiment.name,
    }
}

pub(super) fn project(spec: &Spec) -> &str {
    let project = spec.config.experiment.project.as_deref();
    project.unwrap_or(DEFAULT_PROJECT)
}

fn holder() -> Holder {
    let system = rustix::system::uname();
    Holder {
        pid: std::process::id(),
        host: system.nodename().to_string_lossy().into_owned(),
        since: SystemClock.now(),
    }
}
