//! One spool file being written: mapped, or one `write(2)` per call.
//!
//! Not here: what is written, and when to go on in another file.
//! Invariant: behind `offset` there is nothing but zeros or the torn rest of a write that failed, and
//! nothing is written before that is cut off.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::syncing::Progress;
use crate::error::SpoolError;
use crate::files::{FileHandle, Files, PAGE, Segment, sync_through, write_all};
use crate::frame::{PREFIX, padded, put_writer};
use crate::header::{Header, name_of, page_of};

/// Bytes mapped at first; each further step doubles.
const FIRST_STEP: u64 = 256 << 10;
/// Bytes mapped at once at most.
const LAST_STEP: u64 = 16 << 20;
/// How often a name is tried whose unfinished file a cleaner took away.
const ATTEMPTS: usize = 16;

pub(super) struct OpenSpool {
    pub(super) file: Arc<dyn FileHandle>,
    pub(super) progress: Arc<Progress>,
    pub(super) path: PathBuf,
    /// Where the next frame goes.
    pub(super) offset: u64,
    /// Where the first record could go.
    first: u64,
    way: Way,
    /// A write failed and its torn bytes may still stand behind `offset`.
    torn: bool,
}

enum Way {
    Mapped(Mapped),
    Written,
}

struct Mapped {
    segment: Option<Box<dyn Segment>>,
    start: u64,
    end: u64,
    step: u64,
}

/// How a new file is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chosen {
    Mapped,
    Written,
}

impl OpenSpool {
    /// Makes a new file: unfinished name, lock, header, sync, rename, sync of the folder.
    pub(super) fn create(
        files: &dyn Files,
        dir: &Path,
        header: &Header,
        chosen: Chosen,
    ) -> Result<Self, SpoolError> {
        let description = header.describe()?;
        let mut bytes = page_of(&description)?;
        if !put_writer(&mut bytes, header.first_seq, &description) {
            return Err(SpoolError::HeaderTooLong {
                bytes: description.len(),
            });
        }
        let path = dir.join(name_of(header.writer, header.file));
        let file = place(files, dir, &path, &bytes)?;
        let offset = bytes.len() as u64;
        Ok(Self {
            file,
            progress: Arc::new(Progress::new(path.clone(), offset)),
            path,
            offset,
            first: offset,
            torn: false,
            way: match chosen {
                Chosen::Written => Way::Written,
                Chosen::Mapped => Way::Mapped(Mapped {
                    segment: None,
                    start: 0,
                    end: 0,
                    step: FIRST_STEP,
                }),
            },
        })
    }

    /// Whether no record was written.
    pub(super) fn is_empty(&self) -> bool {
        self.offset == self.first
    }

    /// Appends whole frames. After an error none of them counts as written.
    #[inline]
    pub(super) fn append(&mut self, frames: &[u8]) -> io::Result<()> {
        let after = self.offset + frames.len() as u64;
        if let Way::Mapped(mapped) = &mut self.way
            && (after <= mapped.end || mapped.grow(self.file.as_ref(), self.offset, after))
        {
            mapped.store(self.offset, frames)?;
        } else {
            self.write(frames)?;
        }
        self.offset = after;
        self.progress.written.store(after, Ordering::Release);
        Ok(())
    }

    fn write(&mut self, frames: &[u8]) -> io::Result<()> {
        if matches!(self.way, Way::Mapped(_)) {
            // What was allocated goes, so that the file's end is the end of what is written.
            self.way = Way::Written;
            self.torn = true;
        }
        if self.torn {
            self.cut()?;
        }
        let written = write_all(self.file.as_ref(), frames, self.offset);
        if written.is_err() {
            // Where this fails too, it is tried again before the next write.
            self.torn = true;
            drop(self.cut());
        }
        written
    }

    /// Cuts the file to what was written.
    pub(super) fn cut(&mut self) -> io::Result<()> {
        self.way = Way::Written;
        self.file.truncate(self.offset)?;
        self.torn = false;
        Ok(())
    }

    /// Leaves the file to the parent process, untouched.
    pub(super) fn abandon(self) {
        if let Way::Mapped(mapped) = self.way
            && let Some(segment) = mapped.segment
        {
            segment.abandon();
        }
    }
}

impl Mapped {
    /// Maps the range where the frames go; false where there is no space for it.
    #[cold]
    fn grow(&mut self, file: &dyn FileHandle, offset: u64, after: u64) -> bool {
        let start = offset / PAGE * PAGE;
        let len = self.step.max((after - start).next_multiple_of(PAGE));
        self.segment = None;
        let mapped = file
            .allocate(start, len)
            .and_then(|()| file.map(start, len));
        let Ok(segment) = mapped else {
            return false;
        };
        self.segment = Some(segment);
        self.start = start;
        self.end = start + len;
        self.step = (self.step * 2).min(LAST_STEP);
        true
    }

    /// Stores frame by frame, so that a reader who sees one sees all those before it.
    #[inline]
    fn store(&mut self, offset: u64, frames: &[u8]) -> io::Result<()> {
        let segment = self
            .segment
            .as_mut()
            .expect("a range that reaches behind the frames is mapped");
        let mut at = (offset - self.start) as usize;
        let mut rest = frames;
        while let Some((word, _)) = rest.split_first_chunk::<4>() {
            let step = padded(u32::from_le_bytes(*word) as usize);
            debug_assert!(step > PREFIX, "frames are closed before they are stored");
            let (frame, behind) = rest.split_at(step);
            segment.store(at, frame)?;
            at += step;
            rest = behind;
        }
        Ok(())
    }
}

/// Makes the file under its final name, locked, with its first bytes on the disk.
fn place(
    files: &dyn Files,
    dir: &Path,
    path: &Path,
    bytes: &[u8],
) -> Result<Arc<dyn FileHandle>, SpoolError> {
    let mut unfinished = path.with_extension("spool.tmp");
    for attempt in 1..=ATTEMPTS {
        match place_once(files, &unfinished, path, bytes) {
            Ok(Some(file)) => {
                return match files.sync_dir(dir) {
                    Ok(()) => Ok(file),
                    Err(source) => {
                        drop(files.unlink(path));
                        Err(SpoolError::io("sync", dir, source))
                    }
                };
            }
            // A name that no cleaner looks at at present.
            Ok(None) => unfinished = path.with_extension(format!("{attempt}.spool.tmp")),
            Err((doing, source)) => {
                drop(files.unlink(&unfinished));
                return Err(SpoolError::io(doing, &unfinished, source));
            }
        }
    }
    let source = io::ErrorKind::WouldBlock.into();
    Err(SpoolError::io("lock", &unfinished, source))
}

type Failure = (&'static str, io::Error);

/// One attempt; `None` when a cleaner has the unfinished file, or took it away in between.
fn place_once(
    files: &dyn Files,
    unfinished: &Path,
    path: &Path,
    bytes: &[u8],
) -> Result<Option<Arc<dyn FileHandle>>, Failure> {
    let file = match files.create_new(unfinished) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
        made => made.map_err(|error| ("create", error))?,
    };
    if !file.try_lock().map_err(|error| ("lock", error))? {
        return Ok(None);
    }
    write_all(file.as_ref(), bytes, 0).map_err(|error| ("write", error))?;
    sync_through(file.as_ref()).map_err(|error| ("sync", error))?;
    match files.rename(unfinished, path) {
        Ok(()) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(("rename", error)),
    }
}
