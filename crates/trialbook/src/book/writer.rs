//! A writer for a few records.
//!
//! Invariant: what looks like a secret is not recorded, and that is said.

use std::collections::BTreeSet;

use anyhow::Result;
use trialbook_model::record::Op;
use trialbook_store::Recorder;

use super::Open;
use crate::context::Context;
use crate::secrets;

/// A writer for a few records.
pub(crate) struct Writer<'a> {
    recorder: Recorder,
    open: &'a Open,
    /// In what places something was left out.
    dropped: BTreeSet<String>,
}

impl<'a> Writer<'a> {
    /// Over a recorder of the book.
    pub(super) fn new(open: &'a Open, recorder: Recorder) -> Self {
        Self {
            recorder,
            open,
            dropped: BTreeSet::new(),
        }
    }
}

impl Writer<'_> {
    /// Records an operation, without secrets.
    pub(crate) fn record(&mut self, op: &Op) -> Result<()> {
        self.dropped.extend(secrets::dropped(op));
        self.recorder.record(&secrets::operation(op))?;
        Ok(())
    }

    /// Ends the spool: everything is on the disk; says what was left out as a secret.
    pub(crate) fn finish(self, cx: &Context) -> Result<()> {
        self.recorder.finish()?;
        secrets::tell_dropped(cx, &self.dropped);
        self.open.tidy(cx)
    }
}
