//! Who still writes: the files of a spool folder and what is known about their writers.
//!
//! A writer holds the lock of its file as long as it lives. A lock that is free proves that it is dead;
//! a held one is believed only when pid, namespace, start time and boot of the header are those of a
//! process that is here now. Anything else is unknown: another container, an inherited lock, another
//! machine. Not here: reading what the files say.
//! Invariant: only a file whose lock was taken by the caller is ever cut or unlinked.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::SpoolError;
use crate::files::{Access, FileHandle, Files, Identity};
use crate::header::Header;
use crate::reader::{Past, SpoolReader};

/// Whether a file's writer lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// It does, on this machine.
    Alive,
    /// It does not: nobody holds the file.
    Dead,
    /// The file is held, but not surely by its writer: read it, never cut or unlink it.
    Unknown,
}

/// A file in a spool folder.
#[derive(Debug, Clone, PartialEq)]
pub struct SpoolFile {
    /// Where it is.
    pub path: PathBuf,
    /// Who writes it; `None` where that is damaged.
    pub header: Option<Header>,
    /// Whether its writer lives, found out before the header and before anything else was read.
    pub liveness: Liveness,
    /// Up to here the disk surely has it, says its header; 0 where that is not known.
    pub durable: u64,
    /// Its length; a mapped file is longer than what is in it.
    pub size: u64,
    /// What may have happened to its bytes.
    pub past: Past,
}

/// The spools in `dir`, in the order of their names. A file that vanishes meanwhile is left out,
/// one whose beginning is damaged beyond use is there without a header, one of a newer format is an error.
pub fn list(files: &dyn Files, dir: &Path) -> Result<Vec<SpoolFile>, SpoolError> {
    let here = files.identity();
    let paths = files
        .list(dir)
        .map_err(|source| SpoolError::io("list", dir, source))?;
    let mut spools = Vec::new();
    for path in paths {
        if path.extension().is_some_and(|ending| ending == "spool")
            && let Some(spool) = inspect_from(files, &path, &here)?
        {
            spools.push(spool);
        }
    }
    Ok(spools)
}

/// One spool; `None` when the file is gone.
pub fn inspect(files: &dyn Files, path: &Path) -> Result<Option<SpoolFile>, SpoolError> {
    inspect_from(files, path, &files.identity())
}

fn inspect_from(
    files: &dyn Files,
    path: &Path,
    here: &Identity,
) -> Result<Option<SpoolFile>, SpoolError> {
    let file = match files.open(path, Access::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(SpoolError::io("open", path, source)),
    };
    // First of all: a writer that dies after this has written nothing that is missed below.
    let unlocked = file
        .is_unlocked()
        .map_err(|source| SpoolError::io("lock", path, source))?;
    let size = file
        .size()
        .map_err(|source| SpoolError::io("read", path, source))?;
    let (header, durable) = match SpoolReader::over(Arc::clone(&file), path, Past::Open) {
        Ok(reader) => (reader.header().cloned(), reader.durable()),
        Err(SpoolError::NotASpool { .. }) => (None, 0),
        Err(error) => return Err(error),
    };
    let liveness = if unlocked {
        Liveness::Dead
    } else if header
        .as_ref()
        .is_some_and(|header| is_running(files, here, &header.identity()))
    {
        Liveness::Alive
    } else {
        Liveness::Unknown
    };
    Ok(Some(SpoolFile {
        path: path.to_owned(),
        past: past_of(liveness, header.as_ref(), here),
        header,
        liveness,
        durable,
        size,
    }))
}

/// Whether the process that `writer` describes runs here now, as far as the facts that are known tell.
fn is_running(files: &dyn Files, here: &Identity, writer: &Identity) -> bool {
    if writer.boot != here.boot
        || writer.host != here.host
        || writer.pid_namespace != here.pid_namespace
    {
        return false;
    }
    // A system that does not tell start times leaves the lock as the only witness.
    writer.started == 0 || files.process_started(writer.pid) == Some(writer.started)
}

fn past_of(liveness: Liveness, header: Option<&Header>, here: &Identity) -> Past {
    match liveness {
        Liveness::Alive | Liveness::Unknown => Past::Open,
        Liveness::Dead => {
            let same_boot = header.is_some_and(|header| {
                !header.boot.is_empty() && header.boot == here.boot && header.host == here.host
            });
            if same_boot {
                Past::Ended
            } else {
                Past::Stopped
            }
        }
    }
}

/// A dead writer's file, held by the caller.
pub struct ClaimedSpool {
    file: Arc<dyn FileHandle>,
    path: PathBuf,
}

/// Takes the file of a dead writer; `None` when somebody holds it, or it is gone.
pub fn claim_dead(files: &dyn Files, path: &Path) -> Result<Option<ClaimedSpool>, SpoolError> {
    let file = match files.open(path, Access::Write) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(SpoolError::io("open", path, source)),
    };
    let taken = file
        .try_lock()
        .map_err(|source| SpoolError::io("lock", path, source))?;
    Ok(taken.then(|| ClaimedSpool {
        file,
        path: path.to_owned(),
    }))
}

impl ClaimedSpool {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it.
    pub fn reader(&self, past: Past) -> Result<SpoolReader, SpoolError> {
        SpoolReader::over(Arc::clone(&self.file), &self.path, past)
    }

    /// Cuts it behind its last whole frame, where reading ended without damage.
    pub fn cut(&self, offset: u64) -> Result<(), SpoolError> {
        self.file
            .truncate(offset)
            .map_err(|source| SpoolError::io("cut", &self.path, source))
    }

    /// Removes it for good. Only for a file whose every record is surely kept elsewhere.
    pub fn unlink(self, files: &dyn Files) -> Result<(), SpoolError> {
        let dir = self.path.parent().unwrap_or(Path::new(".")).to_owned();
        self.unlink_unsynced(files)?;
        files
            .sync_dir(&dir)
            .map_err(|source| SpoolError::io("sync", &dir, source))
    }

    /// As [`Self::unlink`], but a power cut may bring the file back: for many files at once, whose folder
    /// is synced once, by someone who knows a file that he has sealed.
    pub fn unlink_unsynced(self, files: &dyn Files) -> Result<(), SpoolError> {
        match files.unlink(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(SpoolError::io("remove", &self.path, error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// Removes files that writers died over before they got their names; gives their number.
pub fn remove_unfinished(files: &dyn Files, dir: &Path) -> Result<usize, SpoolError> {
    let mut removed = 0;
    let paths = files
        .list(dir)
        .map_err(|source| SpoolError::io("list", dir, source))?;
    for path in paths {
        let unfinished = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().ends_with(".spool.tmp"));
        if unfinished && let Some(claimed) = claim_dead(files, &path)? {
            claimed.unlink(files)?;
            removed += 1;
        }
    }
    Ok(removed)
}
