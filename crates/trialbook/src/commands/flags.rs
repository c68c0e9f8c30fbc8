//! Putting away and bringing back: what `archive`, `unarchive`, `delete` and `undelete` have in common.
//!
//! Invariant: a name that is refused among several leaves all of them as they were; doing it again changes
//! nothing and is no failure.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::id::ExperimentNo;

use crate::book::{self, View};
use crate::context::Context;
use crate::failure::Failure;
use crate::names::Names;
use crate::nouns::{self, Noun, NounHead};

const SCHEMA: u32 = 1;

/// What is done to runs and experiments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Archive,
    Unarchive,
    Delete,
    Undelete,
}

impl Act {
    const fn field(self) -> &'static str {
        match self {
            Self::Archive | Self::Unarchive => "archived",
            Self::Delete | Self::Undelete => "deleted",
        }
    }

    /// Whether the field holds `true` afterwards.
    const fn sets(self) -> bool {
        match self {
            Self::Archive | Self::Delete => true,
            Self::Unarchive | Self::Undelete => false,
        }
    }

    const fn done(self) -> &'static str {
        match self {
            Self::Archive => "Archived",
            Self::Unarchive => "Unarchived",
            Self::Delete => "Deleted",
            Self::Undelete => "Brought back",
        }
    }

    /// How it stands where there was nothing to do.
    const fn already(self) -> &'static str {
        match self {
            Self::Archive => "is archived already",
            Self::Unarchive => "is not archived",
            Self::Delete => "is in the bin already",
            Self::Undelete => "is not in the bin",
        }
    }
}

#[derive(Serialize)]
struct Changed {
    changed: Vec<NounHead>,
    unchanged: Vec<NounHead>,
}

/// Does it to all that the texts mean.
pub(super) fn act(act: Act, texts: &[String], cx: &Context) -> Result<ExitCode> {
    let open = book::changing(cx)?;
    let view = open.view()?;
    let names = match act {
        Act::Undelete => Names::of_bin(&view),
        Act::Archive | Act::Unarchive | Act::Delete => Names::new(&view),
    };
    let chosen = nouns::chosen(&names, &view, texts)?;
    for noun in &chosen {
        refuse(act, noun, &view)?;
    }
    let (unchanged, changed): (Vec<Noun>, Vec<Noun>) = chosen
        .into_iter()
        .partition(|noun| noun.flag(act.field()) == act.sets());
    if !changed.is_empty() {
        let mut writer = open.writer(cx)?;
        for noun in &changed {
            writer.record(&noun.set(act.field(), act.sets()))?;
        }
        writer.finish(cx)?;
    }
    if cx.printer.json_wanted() {
        let heads = |nouns: &[Noun]| nouns.iter().map(Noun::head).collect();
        let changed = Changed {
            changed: heads(&changed),
            unchanged: heads(&unchanged),
        };
        cx.printer.json(SCHEMA, &changed)?;
        return Ok(ExitCode::SUCCESS);
    }
    for noun in &changed {
        cx.printer.line(format!("{} {}", act.done(), noun.told()));
    }
    for noun in &unchanged {
        cx.printer
            .line(format!("{} {}", noun.told(), act.already()));
    }
    if act == Act::Delete && !changed.is_empty() {
        let days = trialbook_model::state::BIN_DAYS;
        cx.printer.note(format!(
            "kept in the bin for {days} days: `trialbook undelete` brings back, `trialbook list --deleted` shows"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn refuse(act: Act, noun: &Noun, view: &View<'_>) -> Result<()> {
    if !act.sets() {
        return Ok(());
    }
    if let Noun::Experiment(row) = noun
        && row.no == ExperimentNo(0)
    {
        return Err(Failure::Usage {
            problem: format!("experiment {} belongs to every book", noun.title()),
            hint: "name its runs instead, such as 'Default/run-*'".to_owned(),
        }
        .into());
    }
    match act {
        Act::Delete => noun.refuse_running(view),
        Act::Archive | Act::Unarchive | Act::Undelete => Ok(()),
    }
}
