//! What a reader knows at one offset of a file: who writes, what indexes mean, which record comes next.
//!
//! Invariant: the state at an offset is the same whether reading went on from an earlier state or began
//! again at the file's start.

use rustc_hash::FxHashMap;
use trialbook_model::id::WriterUid;
use trialbook_model::record::{SeriesKey, Subject};

use crate::frame::Definition;
use crate::header::{HEADER_PAGE, Header};

/// What earlier frames of a file say about later ones.
#[derive(Debug, Clone, PartialEq)]
pub struct ReaderState {
    header: Option<Header>,
    keys: FxHashMap<u32, SeriesKey>,
    subjects: FxHashMap<u32, Subject>,
    offset: u64,
    next_seq: Option<u64>,
    /// Only the file's name says who writes.
    named: bool,
}

impl ReaderState {
    /// At the first frame of a file with this header; `None` where the header is damaged: then the first
    /// frame repeats it.
    pub fn new(header: Option<Header>) -> Self {
        Self {
            next_seq: header.as_ref().map(|header| header.first_seq),
            header,
            keys: FxHashMap::default(),
            subjects: FxHashMap::default(),
            offset: HEADER_PAGE,
            named: false,
        }
    }

    /// At the first frame of a file of which only the name tells who writes and which file it is.
    pub(super) fn of_name(writer: WriterUid, file: u32) -> Self {
        let header = Header {
            writer,
            file,
            first_seq: 1,
            ..Header::default()
        };
        Self {
            // Where a later file begins, only its frames tell.
            next_seq: (file == 0).then_some(1),
            named: true,
            ..Self::new(Some(header))
        }
    }

    /// At the first frame again.
    pub(super) fn anew(&self) -> Self {
        match &self.header {
            Some(header) if self.named => Self::of_name(header.writer, header.file),
            header => Self::new(header.clone()),
        }
    }

    /// Whether the file's beginning, which the disk surely had, is lost where reading stands.
    pub(super) fn lacks_beginning(&self) -> bool {
        self.named && self.offset == HEADER_PAGE
    }

    /// The next record's sequence number, where that is known.
    pub(super) fn known_seq(&self) -> Option<u64> {
        self.next_seq
    }

    /// Who writes.
    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// The series key of an index.
    pub fn key(&self, index: u32) -> Option<&SeriesKey> {
        self.keys.get(&index)
    }

    /// The subject of an index.
    pub fn subject(&self, index: u32) -> Option<&Subject> {
        self.subjects.get(&index)
    }

    /// Where the next frame stands.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next record's sequence number.
    pub fn next_seq(&self) -> u64 {
        self.next_seq.unwrap_or(1)
    }

    /// Whether a frame with this sequence number may stand here.
    pub(super) fn expects(&self, seq: u64) -> bool {
        self.next_seq.is_none_or(|next| next == seq)
    }

    pub(super) fn define(&mut self, definition: Option<Definition<'_>>) {
        match definition {
            Some(Definition::Key(index, key)) => {
                self.keys.insert(index, key);
            }
            Some(Definition::Subject(index, subject)) => {
                self.subjects.insert(index, subject);
            }
            Some(Definition::Writer(description)) if self.header.is_none() => {
                self.header = Header::of_description(description);
                self.next_seq = self.header.as_ref().map(|header| header.first_seq);
            }
            // `None` is a definition of a later version; what it defines will be unknown here.
            Some(Definition::Writer(_)) | None => {}
        }
    }

    pub(super) fn advance(&mut self, offset: u64) {
        self.offset = offset;
    }

    pub(super) fn advance_record(&mut self, offset: u64, seq: u64) {
        self.offset = offset;
        self.next_seq = Some(seq.saturating_add(1));
    }

    /// Goes on behind a damaged range.
    pub(super) fn resume(&mut self, offset: u64, seq: u64) {
        self.offset = offset;
        self.next_seq = Some(seq);
    }
}
