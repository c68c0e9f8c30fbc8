//! A note and tags of the runs that a `run` starts (C-24, C-10).
//!
//! Not here: those of the experiment, which the config holds. Invariant: they pass the secret filter like all others.

use anyhow::Result;
use trialbook_model::record::{Op, PutNote, SetTags, Subject};
use trialbook_runner::ledger::Job;
use trialbook_runner::wrapper::{RecordError, Sink};

use crate::commands::start;
use crate::context::Context;
use crate::secrets;

/// What is to be said of the runs.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct RunWords {
    /// A note on each run that is started
    #[arg(long, aliases = ["note"], value_name = "TEXT")]
    notes: Option<String>,
    /// Tags on each run that is started: KEY=VALUE or KEY, joined by commas
    #[arg(long, alias = "tags", value_name = "TAGS")]
    tag: Vec<String>,
    /// Results are always kept: nothing is to be asked for
    #[arg(long, hide = true)]
    save: bool,
}

/// The same, ready to be recorded.
pub(super) struct Words {
    note: Option<String>,
    tags: Vec<(String, Option<String>)>,
}

impl RunWords {
    /// Reads them; says what is left out as a secret.
    pub(super) fn read(&self, cx: &Context) -> Result<Words> {
        let tags = secrets::tags(&self.tag, cx)?;
        Ok(Words {
            note: self.notes.clone(),
            tags,
        })
    }
}

impl Words {
    /// Records them for each run.
    pub(super) fn record(&self, jobs: &[Job], sink: &dyn Sink) -> Result<(), RecordError> {
        for job in jobs {
            let subject = Subject::Run(job.run);
            if let Some(text) = &self.note {
                let note = Op::PutNote(PutNote {
                    subject: subject.clone(),
                    ..start::main_note(text.clone())
                });
                sink.record(secrets::operation(&note).into_owned())?;
            }
            if !self.tags.is_empty() {
                let tags = self.tags.clone();
                sink.record(Op::SetTags(SetTags { subject, tags }))?;
            }
        }
        Ok(())
    }
}
