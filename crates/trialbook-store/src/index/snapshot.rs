//! The snapshot: the index as a file that one-shot commands map and read in place.
//!
//! It is a cache: it may be deleted at any time, and one that is damaged, of another book or of another
//! version is thrown away and built anew. Layout: `docs/format/index.md`. Not here: when to write one.
//! Invariant: a file of this name is always whole: it is written beside its place, synced, then renamed.

use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use trialbook_model::id::Uid;

use super::experiments::Experiments;
use super::layout::{Damaged, part, u32_at, u64_at};
use super::mapping::Mapped;
use super::segment::{Segment, SegmentPlace};

const MAGIC: [u8; 8] = *b"TBINDEX\0";
/// The version of the layout; it is raised with every change, and any other one is not read.
pub const VERSION: u32 = 3;
const HEADER: usize = 64;
/// Where the bytes start that the header's CRC covers.
const COVERED: usize = 16;
/// Bytes of one segment in the tail.
const PLACE: usize = 40;

/// Why there is no snapshot to be used. All but the first call for building it anew.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// There is none.
    #[error("there is no snapshot of the column index")]
    Missing,
    /// The file cannot be read or written.
    #[error("the snapshot of the column index cannot be used")]
    Io(#[source] io::Error),
    /// It was made by another version.
    #[error("the snapshot of the column index has version {found}, not {VERSION}")]
    Version {
        /// The version that it says.
        found: u32,
    },
    /// It belongs to another book.
    #[error("the snapshot of the column index is of book `{found}`")]
    OtherBook {
        /// The book that it says.
        found: Uid,
    },
    /// Its bytes are not those that were written.
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

impl From<io::Error> for SnapshotError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound {
            Self::Missing
        } else {
            Self::Io(error)
        }
    }
}

/// What a snapshot holds.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) rev: u64,
    pub(super) segments: Vec<Option<Arc<Segment>>>,
    pub(super) experiments: Experiments,
}

impl Snapshot {
    /// Maps the snapshot of a book. Segments are judged when they are used.
    pub(super) fn open(path: &Path, book: Uid) -> Result<Self, SnapshotError> {
        let file = Arc::new(Mapped::open(path)?);
        let bytes = file.bytes();
        let header = bytes.get(..HEADER).ok_or(Damaged)?;
        if header[..8] != MAGIC {
            return Err(Damaged.into());
        }
        let version = u32_at(header, 8)?;
        if version != VERSION {
            return Err(SnapshotError::Version { found: version });
        }
        if crc32fast::hash(&header[COVERED..]) != u32_at(header, 12)? {
            return Err(Damaged.into());
        }
        let found = Uid(header[16..32].try_into().map_err(|_length| Damaged)?);
        if found != book {
            return Err(SnapshotError::OtherBook { found });
        }
        let (rev, len, tail_at) = (
            u64_at(header, 32)?,
            u64_at(header, 40)?,
            u64_at(header, 48)?,
        );
        let tail_len = len.checked_sub(tail_at).ok_or(Damaged)?;
        let tail = part(bytes, tail_at, tail_len)?;
        if bytes.len() as u64 != len || crc32fast::hash(tail) != u32_at(header, 56)? {
            return Err(Damaged.into());
        }
        let (segments, experiments) = read_tail(&file, tail)?;
        Ok(Self {
            rev,
            segments,
            experiments,
        })
    }
}

type Segments = Vec<Option<Arc<Segment>>>;

fn read_tail(file: &Arc<Mapped>, tail: &[u8]) -> Result<(Segments, Experiments), Damaged> {
    let mut segments = Vec::new();
    let places = u64_at(tail, 0)?;
    let len = places.checked_mul(PLACE as u64).ok_or(Damaged)?;
    let (list, _) = part(tail, 8, len)?.as_chunks::<PLACE>();
    for place in list {
        let at = usize::try_from(u64_at(place, 0)?).map_err(|_beyond| Damaged)?;
        let place = SegmentPlace {
            at: u64_at(place, 8)?,
            len: u64_at(place, 16)?,
            directory_at: u64_at(place, 24)?,
            directory_crc: u32_at(place, 32)?,
        };
        if at < segments.len() || at > 1 << 32 {
            return Err(Damaged);
        }
        segments.resize(at, None);
        segments.push(Some(Arc::new(Segment::mapped(Arc::clone(file), &place))));
    }
    let experiments = Experiments::read(&tail[8 + len as usize..])?;
    Ok((segments, experiments))
}

/// A snapshot as it is written.
#[derive(Debug)]
pub(super) struct SnapshotFile {
    file: File,
    path: PathBuf,
    /// Where it is written until it is whole.
    draft: Draft,
    at: u64,
    places: Vec<(u64, SegmentPlace)>,
}

/// A file that is removed unless it got its name.
#[derive(Debug)]
struct Draft(Option<PathBuf>);

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // A draft that stays is only a file too many, and there is nobody to tell.
            drop(fs::remove_file(path));
        }
    }
}

impl SnapshotFile {
    /// Starts a snapshot that will stand at `path`.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.draft", std::process::id()));
        let draft = path.with_file_name(name);
        let mut file = File::create(&draft)?;
        let draft = Draft(Some(draft));
        file.write_all(&[0; HEADER])?;
        Ok(Self {
            file,
            path: path.to_owned(),
            draft,
            at: HEADER as u64,
            places: Vec::new(),
        })
    }

    /// Writes a segment; segments come in ascending order. Damage is not carried along.
    pub(super) fn add(&mut self, no: u64, segment: &Segment) -> Result<(), SnapshotError> {
        segment.check()?;
        let place = segment.place(self.at)?;
        self.file.write_all(segment.bytes()?)?;
        self.at += place.len;
        self.places.push((no, place));
        Ok(())
    }

    /// Ends the snapshot and gives it its name.
    pub(super) fn finish(
        mut self,
        book: Uid,
        rev: u64,
        experiments: &Experiments,
    ) -> io::Result<()> {
        let mut tail = Vec::new();
        tail.extend((self.places.len() as u64).to_le_bytes());
        for (no, place) in &self.places {
            tail.extend(no.to_le_bytes());
            tail.extend(place.at.to_le_bytes());
            tail.extend(place.len.to_le_bytes());
            tail.extend(place.directory_at.to_le_bytes());
            tail.extend(place.directory_crc.to_le_bytes());
            tail.extend([0; 4]);
        }
        tail.extend(experiments.write());
        self.file.write_all(&tail)?;
        let mut covered = Vec::with_capacity(HEADER);
        covered.extend(book.0);
        covered.extend(rev.to_le_bytes());
        covered.extend((self.at + tail.len() as u64).to_le_bytes());
        covered.extend(self.at.to_le_bytes());
        covered.extend(crc32fast::hash(&tail).to_le_bytes());
        covered.extend([0; 4]);
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&MAGIC)?;
        self.file.write_all(&VERSION.to_le_bytes())?;
        self.file
            .write_all(&crc32fast::hash(&covered).to_le_bytes())?;
        self.file.write_all(&covered)?;
        self.file.sync_data()?;
        if let Some(draft) = self.draft.0.as_ref() {
            fs::rename(draft, &self.path)?;
        }
        self.draft.0 = None;
        sync_folder(&self.path)
    }
}

/// The name in a folder lasts only once the folder is synced.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
