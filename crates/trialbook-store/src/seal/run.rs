//! A seal from lease to unlink: read tails, fold them, commit, then remove what is kept elsewhere now.
//!
//! Not here: rows and blobs. Invariant: a spool is removed only when a committed row says that all of it is
//! sealed, its writer is dead, nothing of it was damaged, and this process holds its lock.

use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use trialbook_spool::{Access, FileHandle, Files, Liveness, claim_dead, list, remove_unfinished};

use super::change_of;
use crate::backend::Backend;
use crate::book::{Effort, SealOutcome, SealReport};
use crate::error::BookError;
use crate::fold::Fold;
use crate::indexes::Indexes;
use crate::sealed::Sealed;
use crate::tails::{BATCH_BYTES, TailRead, Tails, read_tails};

/// Unsealed bytes from which a reading command seals.
const LARGE_BYTES: u64 = 16 << 20;

/// Spools of dead writers from which a reading command seals.
const MANY_SPOOLS: usize = 64;

/// Where a book's files are.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) files: &'a dyn Files,
    /// Where writers spool.
    pub(crate) spools: &'a Path,
    /// The file whose lock is the lease.
    pub(crate) lease: &'a Path,
    /// What keeps the rows.
    pub(crate) backend: &'a dyn Backend,
    /// The column index.
    pub(crate) indexes: &'a Indexes,
}

/// Seals what there is, unless it is too little or somebody else does it.
pub(crate) fn seal(ground: Ground<'_>, effort: Effort) -> Result<SealReport, BookError> {
    let mut report = SealReport::default();
    let Some(_lease) = take_lease(ground)? else {
        report.outcome = SealOutcome::Busy;
        return Ok(report);
    };
    if effort == Effort::IfLarge && !may_be_large(ground)? {
        return Ok(report);
    }
    loop {
        let sealed = Rc::new(Sealed::open(ground.backend.look()?)?);
        let spools = sealed.look().spools()?;
        let tails = read_tails(ground.files, ground.spools, &spools, BATCH_BYTES)?;
        if report.outcome != SealOutcome::Sealed && effort == Effort::IfLarge && !is_large(&tails) {
            return Ok(report);
        }
        let more = !tails.is_whole();
        if tails.bytes() > 0 {
            report.records += tails.batch.records;
            commit(ground, &sealed, tails.batch, &tails.spools)?;
            report.outcome = SealOutcome::Sealed;
        }
        // An open look would hold back the log of the database.
        drop(sealed);
        ground.backend.settle()?;
        report.removed += remove_consumed(ground, &tails.spools)?;
        if !more {
            break;
        }
    }
    remove_unfinished(ground.files, ground.spools)?;
    if report.outcome == SealOutcome::Sealed {
        ground
            .indexes
            .refresh(&Sealed::open(ground.backend.look()?)?)?;
    }
    Ok(report)
}

/// Whether the lengths of the files allow that there is much: they are looked at before anything is read.
fn may_be_large(ground: Ground<'_>) -> Result<bool, BookError> {
    let known = ground.backend.look()?.spools()?;
    let (mut bytes, mut dead) = (0_u64, 0);
    for spool in list(ground.files, ground.spools)? {
        let name = spool.path.file_name().unwrap_or_default().to_string_lossy();
        let at = known.binary_search_by(|record| record.name.as_str().cmp(&name));
        let offset = at.map_or(0, |at| known[at].offset);
        bytes += spool.size.saturating_sub(offset);
        dead += usize::from(spool.liveness == Liveness::Dead);
    }
    Ok(bytes >= LARGE_BYTES || dead >= MANY_SPOOLS)
}

fn is_large(tails: &Tails) -> bool {
    tails.bytes() >= LARGE_BYTES || tails.dead() >= MANY_SPOOLS
}

fn commit(
    ground: Ground<'_>,
    sealed: &Rc<Sealed<'_>>,
    batch: crate::fold::Batch,
    tails: &[TailRead],
) -> Result<(), BookError> {
    let mut fold = Fold::new(Rc::clone(sealed));
    fold.apply(batch)?;
    let moved = tails.iter().filter(|tail| tail.bytes > 0);
    let records = moved.map(|tail| tail.record.clone()).collect();
    let change = change_of(fold, sealed, records)?;
    ground.backend.commit(&change)
}

/// Removes the spools of dead writers that are sealed to their end; gives their number.
fn remove_consumed(ground: Ground<'_>, tails: &[TailRead]) -> Result<u64, BookError> {
    let mut removed = 0;
    for tail in tails {
        let consumed = tail.whole && tail.record.damage.is_empty() && tail.record.lost == 0;
        if tail.liveness == Liveness::Dead
            && consumed
            && let Some(claimed) = claim_dead(ground.files, &tail.path)?
        {
            claimed.unlink_unsynced(ground.files)?;
            removed += 1;
        }
    }
    if removed > 0 {
        // One that a power cut brings back is known by its row and removed again.
        let syncing = BookError::io("sync", ground.spools);
        ground.files.sync_dir(ground.spools).map_err(syncing)?;
    }
    Ok(removed)
}

/// The lease of a book, given up when it is dropped.
pub(crate) struct Lease {
    _file: Arc<dyn FileHandle>,
}

/// Takes the lease; `None` when somebody has it.
pub(crate) fn take_lease(ground: Ground<'_>) -> Result<Option<Lease>, BookError> {
    let opening = BookError::io("open", ground.lease);
    let file = match ground.files.open(ground.lease, Access::Write) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            match ground.files.create_new(ground.lease) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    ground.files.open(ground.lease, Access::Write)
                }
                made => made,
            }
        }
        opened => opened,
    };
    let file = file.map_err(opening)?;
    let taken = file
        .try_lock()
        .map_err(BookError::io("lock", ground.lease))?;
    Ok(taken.then_some(Lease { _file: file }))
}
