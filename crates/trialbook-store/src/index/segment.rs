//! A segment: the columns of up to 65,536 runs as one block of bytes that never changes.
//!
//! Not here: how the bytes came to be. Invariant: what comes from a file is judged by its CRC before its
//! first use, the directory first, then each column apart; what was built in memory is trusted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::column::Column;
use super::dictionary::Words;
use super::layout::{
    Damaged, ENTRY, Entry, HEAD, Kind, SEGMENT, Shape, part, split_key, u32_at, u64_at, write_key,
};
use super::mapping::Mapped;

/// Where a segment's bytes are.
#[derive(Debug, Clone)]
enum Bytes {
    Heap(Vec<u8>),
    Mapped {
        file: Arc<Mapped>,
        at: u64,
        len: u64,
    },
}

/// A column with its kind, name and context.
type Keyed<'a> = ((Kind, &'a str, &'a str), Column<'a>);

/// A block of bytes with its directory.
#[derive(Debug)]
pub(super) struct Segment {
    bytes: Bytes,
    /// Where the directory starts.
    directory_at: u64,
    directory_crc: u32,
    /// Bits by column: main checked, rest checked. The last one is the directory's.
    checked: OnceChecked,
}

/// What was found whole already.
#[derive(Debug)]
enum OnceChecked {
    /// Built here.
    All,
    /// Flags by column, made when the directory was checked.
    File(std::sync::OnceLock<Box<[AtomicU8]>>),
}

const MAIN: u8 = 1;
const REST: u8 = 2;

impl Segment {
    /// Of bytes that were built in this process.
    pub(super) fn built(bytes: Vec<u8>, directory_at: u64) -> Self {
        let directory_crc = crc32fast::hash(&bytes[directory_at as usize..]);
        Self {
            bytes: Bytes::Heap(bytes),
            directory_at,
            directory_crc,
            checked: OnceChecked::All,
        }
    }

    /// Of a part of a mapped file.
    pub(super) fn mapped(file: Arc<Mapped>, place: &SegmentPlace) -> Self {
        Self {
            bytes: Bytes::Mapped {
                file,
                at: place.at,
                len: place.len,
            },
            directory_at: place.directory_at,
            directory_crc: place.directory_crc,
            checked: OnceChecked::File(std::sync::OnceLock::new()),
        }
    }

    /// All its bytes.
    pub(super) fn bytes(&self) -> Result<&[u8], Damaged> {
        match &self.bytes {
            Bytes::Heap(bytes) => Ok(bytes),
            Bytes::Mapped { file, at, len } => part(file.bytes(), *at, *len),
        }
    }

    /// Where it stands when it is written at a place of a file. The CRC goes along as it is, so that copying
    /// a damaged segment does not make it look whole.
    pub(super) fn place(&self, at: u64) -> Result<SegmentPlace, Damaged> {
        Ok(SegmentPlace {
            at,
            len: self.bytes()?.len() as u64,
            directory_at: self.directory_at,
            directory_crc: self.directory_crc,
        })
    }

    /// Judges all that was not judged yet.
    pub(super) fn check(&self) -> Result<(), Damaged> {
        for column in self.columns()? {
            column?;
        }
        Ok(())
    }

    fn directory(&self) -> Result<Directory<'_>, Damaged> {
        let bytes = self.bytes()?;
        let at = usize::try_from(self.directory_at).map_err(|_beyond| Damaged)?;
        let bytes = bytes.get(at..).ok_or(Damaged)?;
        let directory = Directory::read(bytes)?;
        if let OnceChecked::File(checked) = &self.checked
            && checked.get().is_none()
        {
            if crc32fast::hash(bytes) != self.directory_crc {
                return Err(Damaged);
            }
            checked.get_or_init(|| {
                (0..directory.entries.len())
                    .map(|_| AtomicU8::new(0))
                    .collect()
            });
        }
        Ok(directory)
    }

    /// Places of the segment: one more than that of its last run.
    pub(super) fn len(&self) -> Result<usize, Damaged> {
        Ok(self.directory()?.len)
    }

    /// A column, with its presence and main values.
    pub(super) fn column(
        &self,
        kind: Kind,
        name: &str,
        context: &str,
    ) -> Result<Option<Column<'_>>, Damaged> {
        self.find(kind, name, context, MAIN)
    }

    /// A series with all its lanes.
    pub(super) fn series(
        &self,
        kind: Kind,
        name: &str,
        context: &str,
    ) -> Result<Option<Column<'_>>, Damaged> {
        self.find(kind, name, context, MAIN | REST)
    }

    fn find(
        &self,
        kind: Kind,
        name: &str,
        context: &str,
        parts: u8,
    ) -> Result<Option<Column<'_>>, Damaged> {
        let directory = self.directory()?;
        let mut key = Vec::with_capacity(64);
        write_key(&mut key, kind, name, context);
        match directory.find(&key)? {
            Some(at) => self.open(&directory, at, parts).map(Some),
            None => Ok(None),
        }
    }

    /// The keys of all columns.
    pub(super) fn keys(
        &self,
    ) -> Result<impl Iterator<Item = Result<(Kind, &str, &str), Damaged>>, Damaged> {
        let directory = self.directory()?;
        Ok((0..directory.entries.len()).map(move |at| {
            let entry = directory.entry(at)?;
            split_key(directory.key(&entry)?)
        }))
    }

    /// All columns with their keys.
    pub(super) fn columns(
        &self,
    ) -> Result<impl Iterator<Item = Result<Keyed<'_>, Damaged>>, Damaged> {
        let directory = self.directory()?;
        Ok((0..directory.entries.len()).map(move |at| {
            let entry = directory.entry(at)?;
            let key = split_key(directory.key(&entry)?)?;
            Ok((key, self.open(&directory, at, MAIN | REST)?))
        }))
    }

    fn open(&self, directory: &Directory<'_>, at: usize, parts: u8) -> Result<Column<'_>, Damaged> {
        let entry = directory.entry(at)?;
        let bytes = self.bytes()?;
        let main = part(bytes, entry.main_at, entry.main_len)?;
        let rest_at = entry.main_at.checked_add(entry.main_len).ok_or(Damaged)?;
        let rest = part(bytes, rest_at, entry.rest_len)?;
        let column = Column {
            entry,
            len: directory.len,
            main,
            rest: (parts & REST != 0).then_some(rest),
        };
        let OnceChecked::File(checked) = &self.checked else {
            return Ok(column);
        };
        let flags = &checked.get().ok_or(Damaged)?[at];
        let known = flags.load(Ordering::Acquire);
        if parts & !known & MAIN != 0
            && (crc32fast::hash(main) != entry.main_crc || !is_whole(&column))
        {
            return Err(Damaged);
        }
        if parts & !known & REST != 0 && crc32fast::hash(rest) != entry.rest_crc {
            return Err(Damaged);
        }
        flags.fetch_or(parts, Ordering::Release);
        Ok(column)
    }
}

fn is_whole(column: &Column<'_>) -> bool {
    column.entry.shape != Shape::Words || Words::open(column).is_ok_and(|words| words.is_whole())
}

/// Where a segment stands in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SegmentPlace {
    pub(super) at: u64,
    pub(super) len: u64,
    /// From the segment's start.
    pub(super) directory_at: u64,
    pub(super) directory_crc: u32,
}

/// The directory of a segment: its entries sorted by key, then the keys.
#[derive(Debug, Clone, Copy)]
struct Directory<'a> {
    /// Places of the segment.
    len: usize,
    entries: &'a [[u8; ENTRY]],
    keys: &'a [u8],
}

impl<'a> Directory<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Damaged> {
        let (len, columns) = (u32_at(bytes, 0)?, u32_at(bytes, 4)?);
        let keys = u64_at(bytes, 8)?;
        let entries_len = u64::from(columns) * ENTRY as u64;
        if u64::from(len) > SEGMENT {
            return Err(Damaged);
        }
        Ok(Self {
            len: len as usize,
            entries: part(bytes, HEAD as u64, entries_len)?.as_chunks().0,
            keys: part(bytes, HEAD as u64 + entries_len, keys)?,
        })
    }

    fn entry(&self, at: usize) -> Result<Entry, Damaged> {
        Entry::read(self.entries.get(at).ok_or(Damaged)?)
    }

    fn key(&self, entry: &Entry) -> Result<&'a [u8], Damaged> {
        part(self.keys, u64::from(entry.key_at), u64::from(entry.key_len))
    }

    fn find(&self, key: &[u8]) -> Result<Option<usize>, Damaged> {
        let (mut low, mut high) = (0, self.entries.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.key(&self.entry(middle)?)?.cmp(key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Ok(Some(middle)),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }
}
