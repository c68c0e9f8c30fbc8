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
const READ_AT_ONCE: usize = 4 * 1024 * 1024;

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

    /// Whether the file has ever been there.
    pub fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// The lines that have been completed since the last call. Returns what one read holds at most; an
    /// empty answer means that there is nothing more for now.
    pub fn lines(&mut self) -> io::Result<Vec<Line>> {
        let mut lines = Vec::new();
        let Some(bytes) = self.read()? else {
            return Ok(lines);
        };
        let mut rest = bytes.as_slice();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.keep(&rest[..end]);
            rest = &rest[end + 1..];
            lines.push(self.take());
        }
        self.keep(rest);
        Ok(lines)
    }

    /// The last line, if it has no line end.
    pub fn rest(&mut self) -> Option<Line> {
        (!self.partial.is_empty()).then(|| self.take())
    }

    /// New bytes, or `None` when there are none. A file that became shorter is read from its start.
    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.file.is_none() {
            match File::open(&self.path) {
                Ok(file) => self.file = Some(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        let Some(file) = self.file.as_mut() else {
            return Ok(None);
        };
        if file.metadata()?.len() < self.offset {
            *file = File::open(&self.path)?;
            self.offset = 0;
        }
        let mut bytes = Vec::new();
        let count = file.take(READ_AT_ONCE as u64).read_to_end(&mut bytes)?;
        self.offset += count as u64;
        Ok((count > 0).then_some(bytes))
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
        assert!(tail.lines().unwrap().is_empty());
        assert!(!tail.is_open());
        std::fs::write(&path, "one\r\ntwo").unwrap();
        let lines = tail.lines().unwrap();
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
        assert_eq!(tail.lines().unwrap().len(), 1);
        std::fs::write(&path, "new\n").unwrap();
        let lines = tail.lines().unwrap();
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
            lines.extend(tail.lines().unwrap());
        }
        assert_eq!((lines[0].text.len(), lines[0].cut), (LONGEST_LINE, 10));
        assert_eq!((lines[1].text.as_str(), lines[1].cut), ("short", 0));
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
                found.extend(tail.lines().unwrap());
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
