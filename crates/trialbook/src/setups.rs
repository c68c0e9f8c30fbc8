//! The setup of a run from the command line: files with agents, workflow, tasks, dataset, system, params.
//!
//! Not here: what the blocks mean. Invariant: nothing of a setup is recorded before it passed the secret filter,
//! and its hash is of what is recorded.

use anyhow::Result;
use trialbook_model::canonical;
use trialbook_model::id::RunUid;
use trialbook_model::record::{LinkSnapshot, Op};
use trialbook_model::secret;
use trialbook_model::setup::{self, SETUP_SNAPSHOT, SYSTEM, Setup};
use trialbook_store::query::Query;
use trialbook_store::reading::Reading as _;

use crate::book::View;
use crate::context::Context;
use crate::failure::Failure;
use crate::target::attribute_is;
use crate::{given, titles};

/// Runs of the same setup that are named.
const NAMED: usize = 5;

/// The choice of a setup on the command line.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SetupChoice {
    /// The run's setup: a file in YAML or JSON with `agents`, `workflow`, `tasks`, `dataset`, `system`,
    /// `params`, as `trialbook revert` writes it
    #[arg(long = "config", value_name = "FILE")]
    files: Vec<String>,
    /// One block of the setup from a file of its own, such as agents=agents.yaml
    #[arg(long = "config-snapshot", value_name = "BLOCK=FILE")]
    blocks: Vec<String>,
}

impl SetupChoice {
    /// The setup of all files together, without secrets.
    pub(crate) fn read(&self, cx: &Context) -> Result<Setup> {
        let mut all = Setup::default();
        for file in &self.files {
            all.extend(setup::parse(&given::text(file, cx)?, file)?);
        }
        for word in &self.blocks {
            let Some((kind, file)) = word
                .split_once('=')
                .filter(|(kind, _)| setup::is_block(kind))
            else {
                return Err(Failure::Usage {
                    problem: format!("`{word}` is no block of a setup with its file"),
                    hint: "write `--config-snapshot agents=FILE`; blocks are agents, workflow, \
                           tasks, dataset, system and params"
                        .to_owned(),
                }
                .into());
            };
            all.extend(setup::parse_block(kind, &given::text(file, cx)?, file)?);
        }
        Ok(redacted(all, cx))
    }
}

/// Without secrets; says where some were.
fn redacted(mut setup: Setup, cx: &Context) -> Setup {
    let mut dropped = Vec::new();
    let blocks = setup.blocks.iter_mut();
    let system = setup.system.iter_mut().map(|block| (SYSTEM, block));
    for (kind, block) in blocks
        .map(|(kind, block)| (kind.as_str(), block))
        .chain(system)
    {
        let clean = secret::json(block.take());
        *block = clean.content;
        let places = clean.dropped.into_iter();
        dropped.extend(places.map(|place| format!("{kind}.{place}")));
    }
    for place in dropped {
        let mark = secret::MARK;
        cx.printer
            .note(format!("`{place}` looks like a secret: recorded as {mark}"));
    }
    setup
}

/// The operations that tie a setup to a run, but for its params.
pub(crate) fn links(run: RunUid, setup: &Setup) -> Vec<Op> {
    let config = setup.document().map(|document| (SETUP_SNAPSHOT, document));
    let system = setup.system.clone().map(|document| (SYSTEM, document));
    let all = config.into_iter().chain(system);
    all.map(|(kind, document)| {
        Op::LinkSnapshot(LinkSnapshot {
            run,
            kind: kind.to_owned(),
            sha256: canonical::hash(&document),
            document: Some(document),
        })
    })
    .collect()
}

/// Runs that were started with the same setup (C-9), the newest first, and how many there are in all.
pub(crate) fn same(view: &View<'_>, setup: &Setup) -> Result<(Vec<String>, u64)> {
    let Some(hash) = setup.hash() else {
        return Ok((Vec::new(), 0));
    };
    let hits = view.search(&Query {
        filter: attribute_is("config_hash", &hash),
        limit: NAMED,
        ..Query::all()
    })?;
    let mut named = Vec::new();
    for run in view.runs(&hits.runs)? {
        let experiment = view.experiment(run.experiment)?;
        named.push(titles::run(&run, experiment.as_ref()));
    }
    Ok((named, hits.total))
}
