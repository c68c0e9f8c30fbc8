//! Reading lines of any length in bounded memory.
//!
//! Invariant: the beginning of a line that is too long is handed out, its rest is passed over.

use std::io::{self, BufRead, Read as _};

/// Bytes of a line that are handed out.
const LONGEST: u64 = 256 * 1024 * 1024;

/// Reads the next line into `bytes`; false at the end of the input.
pub(super) fn read_line(input: &mut dyn BufRead, bytes: &mut Vec<u8>) -> io::Result<bool> {
    read_at_most(input, bytes, LONGEST)
}

fn read_at_most(input: &mut dyn BufRead, bytes: &mut Vec<u8>, most: u64) -> io::Result<bool> {
    bytes.clear();
    let read = (&mut *input).take(most).read_until(b'\n', bytes)?;
    if read as u64 == most && bytes.last() != Some(&b'\n') {
        skip_line(input)?;
    }
    Ok(read > 0)
}

/// Passes over the rest of a line.
fn skip_line(input: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let chunk = input.fill_buf()?;
        let (used, ended) = match chunk.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (chunk.len(), chunk.is_empty()),
        };
        input.consume(used);
        if ended {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut_and_the_next_one_is_whole() {
        let mut input = &b"abcdef\nxy\n1234\n\nlast"[..];
        let mut lines = Vec::new();
        let mut bytes = Vec::new();
        while read_at_most(&mut input, &mut bytes, 4).unwrap() {
            lines.push(String::from_utf8(bytes.clone()).unwrap());
        }
        assert_eq!(lines, ["abcd", "xy\n", "1234", "\n", "last"]);
    }
}
