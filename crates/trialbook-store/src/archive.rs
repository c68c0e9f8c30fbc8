//! A whole book as one file: a tar archive with the database, the spools, the artifacts, and the checksums of all.
//!
//! `trialbook-backup.json` comes first and says what it is, `checksums.json` comes last: an archive without it
//! is cut off. `docs/format/backup.md` describes it. Not here: putting the files in a book's place.
//! Invariant: the database is read before the spools, so that every record is in one of them; nothing of an
//! archive is used before all of its checksums were right.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::process;

use serde::{Deserialize, Serialize};
use trialbook_spool::SystemFiles;

use crate::backend::{Settle, Settled};
use crate::book::{Book, DATABASE};
use crate::error::{BOOK_FORMAT, BookError};
use crate::folders::{make_dir, sync_dir};
use crate::seal::take_lease;

const FORMAT: &str = "trialbook-backup";
const VERSION: u32 = 1;
const HEAD: &str = "trialbook-backup.json";
const SUMS: &str = "checksums.json";

/// Bytes read at once.
const PIECE: usize = 1 << 20;

/// Bytes of the first and the last file at most.
const DOCUMENT: u64 = 1 << 30;

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    version: u32,
    book_format: u32,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sum {
    bytes: u64,
    crc32: u32,
}

type Sums = BTreeMap<String, Sum>;

/// What an archive holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ArchiveReport {
    /// Files.
    pub files: u64,
    /// Bytes of all of them.
    pub bytes: u64,
    /// How many of the files are artifacts.
    pub artifacts: u64,
}

impl Book {
    /// Writes the book as one file, which is called `name` in errors. `None` when somebody sealed meanwhile: try
    /// again. Others record meanwhile, and who holds the lease without sealing hinders nothing.
    pub fn archive(
        &self,
        out: &mut dyn Write,
        name: &Path,
    ) -> Result<Option<ArchiveReport>, BookError> {
        self.writable()?;
        let lease = self.with_ground(take_lease)?;
        let Some(database) = self.database() else {
            return Ok(None);
        };
        let rev = || Ok::<_, BookError>(self.backend().look()?.counters()?.rev);
        let before = rev()?;
        let mut packing = Packing {
            tar: tar::Builder::new(out),
            name,
            sums: Sums::new(),
            report: ArchiveReport::default(),
        };
        packing.document(
            HEAD,
            &Head {
                format: FORMAT.to_owned(),
                version: VERSION,
                book_format: BOOK_FORMAT,
            },
        )?;
        let path = self.path().join(DATABASE);
        if lease.is_some() && self.backend().settle(Settle::Whole)? == Settled::Whole {
            // Nobody writes it without the lease, and nothing waits in its log.
            packing.file(DATABASE, &path)?;
        } else {
            let copy = self.path().join(format!("backup.{}.tmp", process::id()));
            fs::remove_file(&copy).ok();
            database.copy_to(&copy)?;
            let packed = packing.file(DATABASE, &copy);
            fs::remove_file(&copy).map_err(BookError::io("remove", &copy))?;
            packed?;
        }
        for file in
            fs::read_dir(self.spool_folder()).map_err(BookError::io("list", self.spool_folder()))?
        {
            let file = file.map_err(BookError::io("list", self.spool_folder()))?;
            let path = file.path();
            if path.extension().is_some_and(|ending| ending == "spool") {
                let told = format!("spool/{}", file.file_name().to_string_lossy());
                packing.file(&told, &path)?;
            }
        }
        if lease.is_none() && rev()? != before {
            // A spool that was sealed since may be in neither.
            return Ok(None);
        }
        let artifacts = self.artifacts();
        for sum in artifacts.list()? {
            let told = format!("artifacts/{}/{sum}", &sum[..2]);
            packing.file(&told, &artifacts.path_of(&sum))?;
            packing.report.artifacts += 1;
        }
        let sums = std::mem::take(&mut packing.sums);
        packing.document(SUMS, &sums)?;
        let writing = BookError::io("write", name);
        packing.tar.finish().map_err(writing)?;
        Ok(Some(packing.report))
    }
}

/// An archive as it is written.
struct Packing<'a> {
    tar: tar::Builder<&'a mut dyn Write>,
    name: &'a Path,
    sums: Sums,
    report: ArchiveReport,
}

impl Packing<'_> {
    fn document(&mut self, told: &str, document: &impl Serialize) -> Result<(), BookError> {
        let text = serde_json::to_vec(document)
            .map_err(|error| BookError::io("write", self.name)(io::Error::other(error)))?;
        self.entry(told, text.len() as u64, &mut text.as_slice())
    }

    /// Adds a file that may grow or go away meanwhile.
    fn file(&mut self, told: &str, path: &Path) -> Result<(), BookError> {
        let file = match File::open(path) {
            // A spool that is gone was sealed before the database was read, or is there again as another.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened.map_err(BookError::io("open", path))?,
        };
        let bytes = file.metadata().map_err(BookError::io("open", path))?.len();
        let mut from = Summing {
            from: file.take(bytes).chain(io::repeat(0)).take(bytes),
            crc: crc32fast::Hasher::new(),
        };
        self.entry(told, bytes, &mut from)?;
        let crc32 = from.crc.finalize();
        self.sums.insert(told.to_owned(), Sum { bytes, crc32 });
        self.report.files += 1;
        self.report.bytes += bytes;
        Ok(())
    }

    fn entry(&mut self, told: &str, bytes: u64, from: &mut dyn Read) -> Result<(), BookError> {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes);
        header.set_mode(0o600);
        let pieces = io::BufReader::with_capacity(PIECE, from);
        self.tar
            .append_data(&mut header, told, pieces)
            .map_err(BookError::io("write", self.name))
    }
}

/// Bytes that are summed up as they pass.
struct Summing<R> {
    from: R,
    crc: crc32fast::Hasher,
}

impl<R: Read> Read for Summing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let some = self.from.read(buffer)?;
        self.crc.update(&buffer[..some]);
        Ok(some)
    }
}

/// Unpacks an archive, which is called `name` in errors, to a folder that does not exist yet: one that
/// [`Book::restore`] takes.
pub fn unpack_archive(
    from: &mut dyn Read,
    name: &Path,
    folder: &Path,
) -> Result<ArchiveReport, BookError> {
    make_dir(&SystemFiles, folder)?;
    make_dir(&SystemFiles, &folder.join("spool"))?;
    let mut unpacking = Unpacking {
        name,
        folder,
        head: None,
        found: Sums::new(),
        told: None,
        report: ArchiveReport::default(),
    };
    let mut archive = tar::Archive::new(from);
    let reading = |error| unpacking_error(name, error);
    for entry in archive.entries().map_err(reading)? {
        let mut entry = entry.map_err(reading)?;
        let told = entry
            .path()
            .map_err(reading)?
            .to_string_lossy()
            .into_owned();
        unpacking.take(&told, &mut entry)?;
    }
    unpacking.finish()
}

/// A file that is no archive, or one that breaks.
fn unpacking_error(name: &Path, source: io::Error) -> BookError {
    if source.kind() == io::ErrorKind::Other || source.kind() == io::ErrorKind::UnexpectedEof {
        let path = name.to_owned();
        BookError::NotABackup { path }
    } else {
        BookError::io("read", name)(source)
    }
}

struct Unpacking<'a> {
    name: &'a Path,
    folder: &'a Path,
    head: Option<Head>,
    found: Sums,
    told: Option<Sums>,
    report: ArchiveReport,
}

impl Unpacking<'_> {
    fn take(&mut self, told: &str, from: &mut dyn Read) -> Result<(), BookError> {
        if self.head.is_none() {
            if told != HEAD {
                return Err(self.foreign());
            }
            let head: Head = self.document(from)?;
            if head.format != FORMAT {
                return Err(self.foreign());
            }
            if head.version > VERSION || head.book_format > BOOK_FORMAT {
                return Err(BookError::NewerFormat {
                    path: self.name.to_owned(),
                    version: head.book_format.max(head.version),
                });
            }
            self.head = Some(head);
            return Ok(());
        }
        if told == SUMS {
            self.told = Some(self.document(from)?);
            return Ok(());
        }
        self.file(told, from)
    }

    fn file(&mut self, told: &str, from: &mut dyn Read) -> Result<(), BookError> {
        let to = self.folder.join(self.place(told)?);
        if let Some(parent) = to.parent() {
            make_dir(&SystemFiles, parent)?;
        }
        let mut file = File::create_new(&to).map_err(BookError::io("make", &to))?;
        let mut summing = Summing {
            from,
            crc: crc32fast::Hasher::new(),
        };
        let mut piece = vec![0; PIECE];
        let mut bytes = 0;
        loop {
            let some = summing.read(&mut piece);
            let some = some.map_err(|error| unpacking_error(self.name, error))?;
            if some == 0 {
                break;
            }
            file.write_all(&piece[..some])
                .map_err(BookError::io("write", &to))?;
            bytes += some as u64;
        }
        file.sync_all().map_err(BookError::io("sync", &to))?;
        let crc32 = summing.crc.finalize();
        self.found.insert(told.to_owned(), Sum { bytes, crc32 });
        self.report.files += 1;
        self.report.bytes += bytes;
        self.report.artifacts += u64::from(told.starts_with("artifacts/"));
        Ok(())
    }

    /// Where a file goes; only the files of a book have a place.
    fn place(&self, told: &str) -> Result<PathBuf, BookError> {
        let path = PathBuf::from(told);
        let plain = path
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        let parts: Vec<&str> = told.split('/').collect();
        let known = match parts.as_slice() {
            [name] => *name == DATABASE,
            ["spool", name] => Path::new(name).extension().is_some_and(|it| it == "spool"),
            ["artifacts", shelf, sum] => shelf.len() == 2 && sum.len() == 64,
            _ => false,
        };
        if plain && known {
            Ok(path)
        } else {
            Err(self.damaged(told))
        }
    }

    fn document<T: serde::de::DeserializeOwned>(
        &self,
        from: &mut dyn Read,
    ) -> Result<T, BookError> {
        serde_json::from_reader(from.take(DOCUMENT)).map_err(|_no_json| self.foreign())
    }

    fn finish(self) -> Result<ArchiveReport, BookError> {
        let Some(told) = &self.told else {
            return Err(match &self.head {
                None => self.foreign(),
                Some(_) => self.damaged(SUMS),
            });
        };
        for (file, sum) in told {
            if self.found.get(file) != Some(sum) {
                return Err(self.damaged(file));
            }
        }
        if let Some(more) = self.found.keys().find(|file| !told.contains_key(*file)) {
            return Err(self.damaged(more));
        }
        if !told.contains_key(DATABASE) {
            return Err(self.damaged(DATABASE));
        }
        sync_dir(&SystemFiles, self.folder)?;
        Ok(self.report)
    }

    fn foreign(&self) -> BookError {
        let path = self.name.to_owned();
        BookError::NotABackup { path }
    }

    fn damaged(&self, file: &str) -> BookError {
        BookError::BackupDamaged {
            path: self.name.to_owned(),
            file: file.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use trialbook_model::id::{RunUid, Uid};
    use trialbook_model::record::{Op, StartRun};
    use trialbook_model::time::Timestamp;

    use super::*;
    use crate::book::Effort;
    use crate::reading::Reading as _;

    fn book(folder: &Path) -> Book {
        let book = Book::create(folder).unwrap();
        for at in [1, 2] {
            let mut draft = book.draft(Timestamp(1)).unwrap();
            let start = StartRun::of(RunUid(Uid([at; 16])));
            draft.say(Timestamp(1), None, &Op::StartRun(start)).unwrap();
            draft.commit().unwrap();
            if at == 1 {
                book.seal(Effort::All).unwrap();
            }
        }
        book.artifacts().put(&mut &b"bytes"[..]).unwrap();
        book
    }

    fn packed(book: &Book) -> (Vec<u8>, ArchiveReport) {
        let mut bytes = Vec::new();
        let report = book.archive(&mut bytes, Path::new("b.tar")).unwrap();
        (bytes, report.unwrap())
    }

    fn unpacked(bytes: &[u8], folder: &Path) -> Result<ArchiveReport, BookError> {
        unpack_archive(&mut &*bytes, Path::new("b.tar"), folder)
    }

    #[test]
    fn a_book_comes_back_from_one_file_with_what_was_not_sealed() {
        let folder = tempfile::tempdir().unwrap();
        let book = book(&folder.path().join("book"));
        let (bytes, report) = packed(&book);
        let to = folder.path().join("unpacked");
        assert_eq!(unpacked(&bytes, &to).unwrap(), report);
        assert_eq!((report.files, report.artifacts), (3, 1));
        let other = Book::create(&folder.path().join("other")).unwrap();
        other.restore(&to).unwrap();
        assert_eq!(other.view().unwrap().run_count().unwrap(), 2);
        assert_eq!(other.artifacts().list().unwrap().len(), 1);
    }

    #[test]
    fn damaged_cut_and_foreign_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let book = book(&folder.path().join("book"));
        let (bytes, _) = packed(&book);
        let mut tries = 0;
        let mut check = |bytes: &[u8]| {
            tries += 1;
            let to = folder.path().join(format!("try{tries}"));
            let error = unpacked(bytes, &to).unwrap_err();
            assert!(
                matches!(
                    error,
                    BookError::NotABackup { .. } | BookError::BackupDamaged { .. }
                ),
                "{error}"
            );
        };
        let mut broken = bytes.clone();
        let middle = broken.len() / 2;
        broken[middle] ^= 1;
        check(&broken);
        for end in [0, 100, 512, 5000, bytes.len() / 2, bytes.len() - 3000] {
            check(&bytes[..end]);
        }
        check(b"hello");
        check(&[7; 4096]);
    }
}
