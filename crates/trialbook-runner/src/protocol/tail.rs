//! Reading a file that another process appends to, line by line, while it grows.
//!
//! Invariant: every line is given out exactly once, whole, and with its number; a line without its end
//! is given out only by [`Tail::rest`].

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The longest line that is kept; the rest of a longer one is passed over.
const LONGEST_LINE: usize = 16 * 1024 * 1024;
/// How much is read before the caller gets to do other things.
const READ_AT_ONCE: u64 = 4 * 1024 * 1024;

/// A line with its number, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Number, from 1.
    pub number: u64,
    /// The bytes without the line end, invalid UTF-8 replaced.
    pub text: String,
    /// Bytes of this line that were passed over because it was too long.
    pub cut: usize,
}

/// What one read gave.
#[derive(Debug, Default)]
pub struct Portion {
    /// The lines that it completed; none is also what a piece of a long line gives.
    pub lines: Vec<Line>,
    /// How many bytes were read; 0 means that there is nothing more for now.
    pub bytes: u64,
}

/// A growing file.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    file: Option<File>,
    offset: u64,
    partial: Vec<u8>,
    cut: usize,
    number: u64,
}

impl Tail {
    /// Nothing is opened before the file is there.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            file: None,
            offset: 0,
            partial: Vec::new(),
            cut: 0,
            number: 0,
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The lines that have been completed since the last call, from one read of at most so many bytes.
    pub fn lines(&mut self, at_most: u64) -> io::Result<Portion> {
        let bytes = self.read(at_most)?;
        let mut lines = Vec::new();
        let mut rest = bytes.as_slice();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.keep(&rest[..end]);
            rest = &rest[end + 1..];
            lines.push(self.take());
        }
        self.keep(rest);
        let bytes = bytes.len() as u64;
        Ok(Portion { lines, bytes })
    }

    /// How many bytes there are at present that were not read yet.
    pub fn left(&mut self) -> io::Result<u64> {
        Ok(self.open()?.map_or(0, |length| length - self.offset))
    }

    /// The last line, if it has no line end.
    pub fn rest(&mut self) -> Option<Line> {
        (!self.partial.is_empty()).then(|| self.take())
    }

    /// New bytes, none when there are none.
    fn read(&mut self, at_most: u64) -> io::Result<Vec<u8>> {
        self.open()?;
        let mut bytes = Vec::new();
        if let Some(file) = self.file.as_mut() {
            file.take(at_most.min(READ_AT_ONCE))
                .read_to_end(&mut bytes)?;
            self.offset += bytes.len() as u64;
        }
        Ok(bytes)
    }

    /// Opens the file where that was not done; gives its length, not less than the offset, `None` where it is
    /// not there yet. A file that became shorter is read from its start.
    fn open(&mut self) -> io::Result<Option<u64>> {
        if self.file.is_none() {
            // To open a pipe would be to wait for its writer.
            match std::fs::metadata(&self.path) {
                Ok(found) if found.is_file() => self.file = Some(File::open(&self.path)?),
                Ok(_) => return Err(io::Error::other("it is not a regular file")),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        let Some(file) = self.file.as_mut() else {
            return Ok(None);
        };
        let mut length = file.metadata()?.len();
        if length < self.offset {
            *file = File::open(&self.path)?;
            self.offset = 0;
            length = file.metadata()?.len();
        }
        Ok(Some(length))
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LONGEST_LINE - self.partial.len();
        let kept = bytes.len().min(room);
        self.partial.extend_from_slice(&bytes[..kept]);
        self.cut += bytes.len() - kept;
    }

    fn take(&mut self) -> Line {
        self.number += 1;
        let bytes = std::mem::take(&mut self.partial);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(&bytes);
        Line {
            number: self.number,
            text: String::from_utf8_lossy(bytes).into_owned(),
            cut: std::mem::take(&mut self.cut),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write as _;

    #[test]
    fn a_missing_file_has_no_lines_yet() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("metrics.jsonl");
        let mut tail = Tail::new(&path);
        assert_eq!(tail.left().unwrap(), 0);
        assert!(tail.lines(u64::MAX).unwrap().lines.is_empty());
        std::fs::write(&path, "one\r\ntwo").unwrap();
        let lines = tail.lines(u64::MAX).unwrap().lines;
        assert_eq!((lines.len(), lines[0].text.as_str()), (1, "one"));
        assert_eq!(
            tail.rest().map(|line| (line.number, line.text)),
            Some((2, "two".to_owned()))
        );
        assert_eq!(tail.rest(), None);
    }

    #[test]
    fn a_file_begun_anew_is_read_from_its_start() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("metrics.jsonl");
        std::fs::write(&path, "first line\n").unwrap();
        let mut tail = Tail::new(&path);
        assert_eq!(tail.lines(u64::MAX).unwrap().lines.len(), 1);
        std::fs::write(&path, "new\n").unwrap();
        let lines = tail.lines(u64::MAX).unwrap().lines;
        assert_eq!(lines[0].text, "new");
        assert_eq!(lines[0].number, 2);
    }

    #[test]
    fn a_line_that_is_too_long_says_how_much_it_lost() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("metrics.jsonl");
        let mut bytes = vec![b'x'; LONGEST_LINE + 10];
        bytes.extend_from_slice(b"\nshort\n");
        std::fs::write(&path, bytes).unwrap();
        let mut tail = Tail::new(&path);
        let mut lines = Vec::new();
        while lines.len() < 2 {
            lines.extend(tail.lines(u64::MAX).unwrap().lines);
        }
        assert_eq!((lines[0].text.len(), lines[0].cut), (LONGEST_LINE, 10));
        assert_eq!((lines[1].text.as_str(), lines[1].cut), ("short", 0));
    }

    #[test]
    fn a_piece_of_a_long_line_is_not_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("metrics.jsonl");
        let long = 2 * usize::try_from(READ_AT_ONCE).unwrap();
        std::fs::write(&path, format!("{}\nshort\n", "x".repeat(long))).unwrap();
        let mut tail = Tail::new(&path);
        let first = tail.lines(u64::MAX).unwrap();
        assert_eq!((first.lines.len(), first.bytes), (0, READ_AT_ONCE));
        assert_eq!(tail.left().unwrap(), READ_AT_ONCE + 7);
        let one_more = tail.lines(1).unwrap();
        assert_eq!((one_more.lines.len(), one_more.bytes), (0, 1));
        let mut lines = Vec::new();
        while tail.left().unwrap() > 0 {
            lines.extend(tail.lines(u64::MAX).unwrap().lines);
        }
        assert_eq!((lines[0].text.len(), lines[0].cut), (long, 0));
        assert_eq!(lines[1].text, "short");
        assert_eq!(tail.lines(u64::MAX).unwrap().bytes, 0);
    }

    proptest! {
        #[test]
        fn any_cut_of_the_writes_gives_the_same_lines(
            pieces in proptest::collection::vec("[ab\n\u{e9}]{0,6}", 0..8),
        ) {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("file");
            let mut file = File::create(&path).unwrap();
            let mut tail = Tail::new(&path);
            let mut found = Vec::new();
            for piece in &pieces {
                file.write_all(piece.as_bytes()).unwrap();
                found.extend(tail.lines(u64::MAX).unwrap().lines);
            }
            found.extend(tail.rest());
            let whole = pieces.concat();
            let expected: Vec<&str> = whole.split_terminator('\n').collect();
            let texts: Vec<&str> = found.iter().map(|line| line.text.as_str()).collect();
            prop_assert_eq!(texts, expected);
            prop_assert!(found.iter().map(|line| line.number).eq(1..=found.len() as u64));
        }
    }
}
