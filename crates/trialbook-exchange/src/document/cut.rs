//! Cutting a JSON document into its head, the elements of its one long list, and its tail, as they come.
//!
//! The blanks may be anywhere: a document that was laid out anew is the same. Not here: what elements hold.
//! Invariant: every byte is looked at once; nothing is kept but the element at hand.

use std::io::{self, BufRead};

/// Bytes of the head and of the tail at most.
const FRAME: usize = 1 << 16;

/// Bytes of a record at most: what is longer is no record, but a text that does not end.
const RECORD: usize = 1 << 29;

/// A piece of the document.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) text: Vec<u8>,
    /// The line that it begins in, from 1.
    pub(super) line: u64,
    /// The letter of that line, from 1.
    pub(super) column: u64,
}

/// How a piece ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// A whole piece.
    Whole,
    /// The list is over.
    Over,
    /// The document ends here.
    End,
    /// Something that cannot stand here.
    Odd,
}

/// Cuts a document.
pub(super) struct Cutter<R> {
    from: R,
    line: u64,
    column: u64,
}

/// Where in JSON a letter stands.
#[derive(Default)]
struct Nesting {
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Nesting {
    /// Takes a letter; whether it closes what was open.
    fn closes(&mut self, letter: u8) -> bool {
        if self.in_text {
            if self.escaped {
                self.escaped = false;
            } else if letter == b'\\' {
                self.escaped = true;
            } else if letter == b'"' {
                self.in_text = false;
            }
            return false;
        }
        match letter {
            b'"' => self.in_text = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}

impl<R: BufRead> Cutter<R> {
    pub(super) fn new(from: R) -> Self {
        Self {
            from,
            line: 1,
            column: 1,
        }
    }

    /// Where the next letter stands.
    pub(super) const fn position(&self) -> (u64, u64) {
        (self.line, self.column)
    }

    /// Everything up to the list's opening bracket, with it; `Odd` where there is none near.
    pub(super) fn head(&mut self, piece: &mut Piece) -> io::Result<Cut> {
        let mut nesting = Nesting::default();
        self.begin(piece);
        loop {
            let Some(letter) = self.peek()? else {
                return Ok(Cut::End);
            };
            if piece.text.is_empty() && letter != b'{' {
                if !letter.is_ascii_whitespace() {
                    return Ok(Cut::Odd);
                }
                self.pass(letter);
                continue;
            }
            self.pass(letter);
            piece.text.push(letter);
            nesting.closes(letter);
            if letter == b'[' && !nesting.in_text && nesting.depth == 2 {
                return Ok(Cut::Whole);
            }
            if nesting.depth == 0 || piece.text.len() > FRAME {
                return Ok(Cut::Odd);
            }
        }
    }

    /// The next element, an object.
    pub(super) fn element(&mut self, piece: &mut Piece) -> io::Result<Cut> {
        loop {
            let Some(letter) = self.peek()? else {
                return Ok(Cut::End);
            };
            match letter {
                b'{' => break,
                b']' => {
                    self.pass(letter);
                    return Ok(Cut::Over);
                }
                b',' => self.pass(letter),
                _ if letter.is_ascii_whitespace() => self.pass(letter),
                _ => return Ok(Cut::Odd),
            }
        }
        self.begin(piece);
        let mut nesting = Nesting::default();
        loop {
            let bytes = self.from.fill_buf()?;
            if bytes.is_empty() {
                return Ok(Cut::End);
            }
            let end = bytes.iter().position(|letter| nesting.closes(*letter));
            let taken = end.map_or(bytes.len(), |end| end + 1);
            let bytes = &bytes[..taken];
            let lines = bytes.split(|letter| *letter == b'\n').count() as u64 - 1;
            match bytes.iter().rposition(|letter| *letter == b'\n') {
                Some(last) => self.column = (taken - last) as u64,
                None => self.column += taken as u64,
            }
            self.line += lines;
            piece.text.extend_from_slice(bytes);
            self.from.consume(taken);
            if end.is_some() {
                return Ok(Cut::Whole);
            }
            if piece.text.len() > RECORD {
                return Ok(Cut::Odd);
            }
        }
    }

    /// What stands behind the list.
    pub(super) fn tail(&mut self, piece: &mut Piece) -> io::Result<Cut> {
        self.begin(piece);
        while let Some(letter) = self.peek()? {
            self.pass(letter);
            piece.text.push(letter);
            if piece.text.len() > FRAME {
                return Ok(Cut::Odd);
            }
        }
        Ok(Cut::Whole)
    }

    fn begin(&self, piece: &mut Piece) {
        piece.text.clear();
        (piece.line, piece.column) = (self.line, self.column);
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.from.fill_buf()?.first().copied())
    }

    fn pass(&mut self, letter: u8) {
        self.from.consume(1);
        if letter == b'\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
    }
}
