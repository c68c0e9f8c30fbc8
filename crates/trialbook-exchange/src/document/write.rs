//! Writing a document.
//!
//! Invariant: equal streams give equal bytes.

use std::io::{self, Write};

use super::{FORMAT, VERSION};
use crate::record::Record;

/// Writes a stream.
pub struct Writer<W> {
    out: W,
    line: Vec<u8>,
    count: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a document.
    pub fn new(mut out: W) -> io::Result<Self> {
        write!(
            out,
            "{{\"format\":\"{FORMAT}\",\"version\":{VERSION},\"records\":["
        )?;
        Ok(Self {
            out,
            line: Vec::new(),
            count: 0,
        })
    }

    /// Writes a record.
    pub fn write(&mut self, record: &Record) -> io::Result<()> {
        self.line.clear();
        self.line
            .extend_from_slice(if self.count == 0 { b"\n" } else { b",\n" });
        record
            .write_json(&mut self.line)
            .map_err(io::Error::other)?;
        self.count += 1;
        self.out.write_all(&self.line)
    }

    /// Ends the document; gives the number of records.
    pub fn finish(mut self) -> io::Result<(W, u64)> {
        writeln!(self.out, "\n],\"count\":{}}}", self.count)?;
        self.out.flush()?;
        Ok((self.out, self.count))
    }
}
