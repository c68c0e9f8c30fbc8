//! A spool file being read: its header, its tail in pieces, and going on after an interruption.
//!
//! Files are read, not mapped: their writers change them meanwhile.
//! Invariant: the header is read anew before each piece, so that its durable offset is never younger
//! than the bytes that it is held against.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Behind, End, Frames, Past, ReaderState, Tail, Trust, zeros_at};
use crate::error::SpoolError;
use crate::files::{Access, FileHandle, Files, read_full};
use crate::header::{HEADER_PAGE, Header, Page, of_name, read_page};

/// Bytes read at once where the caller does not say.
const PIECE: usize = 4 << 20;
/// Bytes read first of a file that may be being written.
const FIRST_PIECE: usize = 64 << 10;

/// Reads one spool file.
pub struct SpoolReader {
    file: Arc<dyn FileHandle>,
    path: PathBuf,
    past: Past,
    state: ReaderState,
    /// Its first `filled` bytes are the present piece.
    buffer: Vec<u8>,
    filled: usize,
    /// What the header said when the file was opened.
    durable: u64,
    /// Behind this there are only zeros. Known of files that nobody writes any more.
    data_end: Option<u64>,
}

impl SpoolReader {
    /// Opens a file at its first frame. What may have happened to it is what [`crate::list`] found
    /// before ([`crate::SpoolFile::past`]).
    pub fn open(files: &dyn Files, path: &Path, past: Past) -> Result<Self, SpoolError> {
        let file = files
            .open(path, Access::Read)
            .map_err(|source| SpoolError::io("open", path, source))?;
        Self::over(file, path, past)
    }

    /// Reads through a handle that is open already.
    pub(crate) fn over(
        file: Arc<dyn FileHandle>,
        path: &Path,
        past: Past,
    ) -> Result<Self, SpoolError> {
        let mut reader = Self {
            file,
            path: path.to_owned(),
            past,
            state: ReaderState::new(None),
            buffer: Vec::new(),
            filled: 0,
            durable: 0,
            data_end: None,
        };
        let page = reader.page()?;
        reader.durable = page.durable;
        reader.state = ReaderState::new(page.header);
        if reader.state.header().is_none() {
            reader.recover_header()?;
        }
        Ok(reader)
    }

    /// Who writes.
    pub fn header(&self) -> Option<&Header> {
        self.state.header()
    }

    /// Up to here the disk surely had the file when it was opened; 0 where its header does not tell.
    pub fn durable(&self) -> u64 {
        self.durable
    }

    /// What is known where reading stands.
    pub fn state(&self) -> &ReaderState {
        &self.state
    }

    /// What may have happened to the file is known better now.
    pub fn set_past(&mut self, past: Past) {
        self.past = past;
        self.data_end = None;
    }

    /// Goes to `offset`, which an earlier walk ended with, and learns again what is defined before it.
    pub fn resume(&mut self, offset: u64) -> Result<(), SpoolError> {
        self.state = self.state.anew();
        let mut limit = PIECE as u64;
        while self.state.offset() < offset {
            let before = self.state.offset();
            let len = limit.min(offset - before);
            let trust = self.trust()?;
            let mut frames = self.walk(len as usize, trust)?.before(Behind::Unread);
            while frames.next().is_some() {}
            if self.state.offset() != before {
                limit = PIECE as u64;
            } else if len < limit {
                // No walk ended there: what stands before is known all the same.
                break;
            } else {
                limit *= 2;
            }
        }
        Ok(())
    }

    /// The records behind the present place, of at most about `limit` bytes: a walk that ends with
    /// [`Tail::More`] is gone on with by the next call.
    pub fn frames(&mut self, limit: usize) -> Result<Frames<'_, '_>, SpoolError> {
        self.piece(limit)
    }

    /// Gives each record to `each`, piece by piece, to the end.
    pub fn read_all(
        &mut self,
        mut each: impl FnMut(&super::Frame<'_>, &ReaderState),
    ) -> Result<End, SpoolError> {
        let mut lost = Vec::new();
        // Behind the last frame of a mapped file that is being written there may be megabytes of zeros.
        let mut limit = match self.past {
            Past::Open => FIRST_PIECE,
            Past::Ended | Past::Stopped => PIECE,
        };
        loop {
            let before = self.state.offset();
            let mut frames = self.piece(limit)?;
            while let Some(frame) = frames.next() {
                each(&frame, frames.state());
            }
            let mut end = frames.end();
            lost.append(&mut end.lost);
            if end.tail != Tail::More {
                return Ok(End { lost, ..end });
            }
            // A piece without a whole frame in it: the next one has to be longer.
            limit = if end.offset == before {
                limit * 2
            } else {
                (limit * 4).min(PIECE)
            };
        }
    }

    fn piece(&mut self, limit: usize) -> Result<Frames<'_, '_>, SpoolError> {
        // First the header, then the size, then the bytes: what is durable is always among them.
        let trust = self.trust()?;
        let size = self
            .file
            .size()
            .map_err(|source| SpoolError::io("read", &self.path, source))?;
        let data_end = self.data_end(size)?;
        // A limit that was raised wants the zeros too: a frame may end with some.
        let end = if limit > PIECE { size } else { data_end };
        let left = usize::try_from(end.saturating_sub(self.state.offset())).unwrap_or(usize::MAX);
        let len = limit.min(left);
        let behind = match self.state.offset() + len as u64 {
            reach if reach >= size => Behind::Nothing,
            reach if reach >= data_end => Behind::Zeros,
            _ => Behind::Unread,
        };
        Ok(self.walk(len, trust)?.before(behind))
    }

    fn walk(&mut self, len: usize, trust: Trust) -> Result<Frames<'_, '_>, SpoolError> {
        self.read(self.state.offset(), len)?;
        let bytes = &self.buffer[..self.filled];
        Ok(Frames::new(bytes, trust, &mut self.state))
    }

    fn trust(&self) -> Result<Trust, SpoolError> {
        Ok(Trust {
            durable: self.page()?.durable,
            past: self.past,
        })
    }

    /// Where the zeros at the end of a file begin, at least a whole piece of them each.
    fn data_end(&mut self, size: u64) -> Result<u64, SpoolError> {
        match (self.data_end, self.past) {
            (_, Past::Open) => return Ok(size),
            (Some(known), Past::Ended | Past::Stopped) => return Ok(known.min(size)),
            (None, Past::Ended | Past::Stopped) => {}
        }
        let mut end = size;
        while end > 0 {
            let start = end.saturating_sub(FIRST_PIECE as u64);
            self.read(start, (end - start) as usize)?;
            if zeros_at(&self.buffer[..self.filled]) < self.filled {
                break;
            }
            end = start;
        }
        self.data_end = Some(end);
        Ok(end)
    }

    fn page(&self) -> Result<Page, SpoolError> {
        let mut page = [0; HEADER_PAGE as usize];
        let filled = read_full(self.file.as_ref(), &mut page, 0)
            .map_err(|source| SpoolError::io("read", &self.path, source))?;
        read_page(&self.path, &page[..filled])
    }

    /// The header's copy in the first frame, or what the file's name says.
    fn recover_header(&mut self) -> Result<(), SpoolError> {
        self.read(HEADER_PAGE, HEADER_PAGE as usize)?;
        let trust = Trust {
            durable: 0,
            past: Past::Open,
        };
        let mut probe = ReaderState::new(None);
        Frames::new(&self.buffer[..self.filled], trust, &mut probe).next();
        let header = probe.header().cloned();
        self.state = match (header, of_name(&self.path)) {
            (Some(header), _) => ReaderState::new(Some(header)),
            (None, Some((writer, file))) => ReaderState::of_name(writer, file),
            (None, None) => {
                return Err(SpoolError::NotASpool {
                    path: self.path.clone(),
                });
            }
        };
        Ok(())
    }

    fn read(&mut self, offset: u64, len: usize) -> Result<(), SpoolError> {
        if self.buffer.len() < len {
            self.buffer = vec![0; len];
        }
        self.filled = read_full(self.file.as_ref(), &mut self.buffer[..len], offset)
            .map_err(|source| SpoolError::io("read", &self.path, source))?;
        Ok(())
    }
}
