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
use crate::backend::{Backend, Settle, Settled};
use crate::book::{Effort, SealOutcome, SealReport};
use crate::error::BookError;
use crate::fold::Fold;
use crate::indexes::Indexes;
use crate::sealed::Sealed;
use crate::tails::{BATCH_BYTES, TailRead, Tails, read_tails};

/// Unsealed bytes from which a reading command seals.
pub(crate) const LARGE_BYTES: u64 = 16 << 20;

/// Spools of dead writers from which a reading command seals.
pub(crate) const MANY_SPOOLS: usize = 64;

/// How often a seal begins anew because the rows changed under it.
const ATTEMPTS: u32 = 16;

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
    let Some(_lease) = take_lease(ground)? else {
        return Ok(SealReport {
            outcome: SealOutcome::Busy,
            ..SealReport::default()
        });
    };
    seal_held(ground, effort)
}

/// Seals what there is, unless it is too little. Only for the holder of the lease.
pub(crate) fn seal_held(ground: Ground<'_>, effort: Effort) -> Result<SealReport, BookError> {
    let mut report = SealReport::default();
    if effort == Effort::IfLarge && !may_be_large(ground)? {
        return Ok(report);
    }
    let mut overtaken = 0;
    loop {
        let sealed = Rc::new(Sealed::open(ground.backend.look()?)?);
        let mut tails = read_tails(ground.files, ground.spools, sealed.look(), BATCH_BYTES)?;
        if report.outcome != SealOutcome::Sealed && effort == Effort::IfLarge && !is_large(&tails) {
            return Ok(report);
        }
        let more = !tails.is_whole();
        if tails.spools.iter().any(|spool| spool.changed) {
            let batch = std::mem::take(&mut tails.batch);
            let records = batch.records;
            match commit(ground, &sealed, batch, &tails) {
                Ok(()) => {}
                // Somebody took the lease for free, or put a backup in the book's place: all of it anew.
                Err(BookError::Restless) if overtaken < ATTEMPTS => {
                    overtaken += 1;
                    continue;
                }
                Err(error) => return Err(error),
            }
            report.records += records;
            report.outcome = SealOutcome::Sealed;
        }
        // An open look would hold back the log of the database.
        drop(sealed);
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
    let look = ground.backend.look()?;
    let (mut bytes, mut dead) = (0_u64, 0);
    for spool in list(ground.files, ground.spools)? {
        let name = spool.path.file_name().unwrap_or_default().to_string_lossy();
        let offset = look.spool(&name)?.map_or(0, |record| record.offset);
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
    tails: &Tails,
) -> Result<(), BookError> {
    let mut fold = Fold::new(Rc::clone(sealed));
    fold.apply(batch)?;
    let moved = tails.spools.iter().filter(|tail| tail.changed);
    let records = moved.map(|tail| tail.record.clone()).collect();
    let mut change = change_of(fold, sealed, records)?;
    let grown = tails.sequences.iter();
    let grown = grown.filter(|(_, numbers)| numbers.has_grown());
    change.sequences = grown
        .map(|(writer, known)| (*writer, known.clone()))
        .collect();
    ground.backend.commit(&change)
}

/// Removes the spools of dead writers that are sealed to their end; gives their number. They stay while
/// what they held is only in the log of the database: damage to the log costs nothing then.
pub(crate) fn remove_consumed(ground: Ground<'_>, tails: &[TailRead]) -> Result<u64, BookError> {
    let is_consumed = |tail: &&TailRead| {
        let whole = tail.whole && tail.record.damage.is_empty() && tail.record.lost == 0;
        whole && tail.liveness == Liveness::Dead
    };
    let consumed: Vec<&TailRead> = tails.iter().filter(is_consumed).collect();
    if consumed.is_empty() {
        ground.backend.settle(Settle::WhenLong)?;
        return Ok(0);
    }
    if ground.backend.settle(Settle::Whole)? == Settled::Partly {
        return Ok(0);
    }
    let mut removed = 0;
    for tail in consumed {
        if let Some(claimed) = claim_dead(ground.files, &tail.path)? {
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
    lease_at(ground.files, ground.lease)
}

/// Takes the lease of a book that may not be there yet.
pub(crate) fn lease_at(files: &dyn Files, lease: &Path) -> Result<Option<Lease>, BookError> {
    let opening = BookError::io("open", lease);
    let file = match files.open(lease, Access::Write) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match files.create_new(lease) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                files.open(lease, Access::Write)
            }
            made => made,
        },
        opened => opened,
    };
    let file = file.map_err(opening)?;
    let taken = file.try_lock().map_err(BookError::io("lock", lease))?;
    Ok(taken.then_some(Lease { _file: file }))
}
