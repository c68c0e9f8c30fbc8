//! From the bytes of two streams to pieces of console output in the order in which they were seen, and
//! to whole lines.
//!
//! Not here: reading the pipes, understanding lines. Invariant: the pieces of one stream, put together,
//! are its bytes with invalid UTF-8 replaced, and no piece ends inside a known secret; at most [`LONGEST_PIECE`] bytes and one line of
//! [`LONGEST_LINE`] are held per stream, whatever the program writes.

use std::time::{Duration, Instant};

use trialbook_model::record::LogStream;

use crate::known::KnownSecrets;
use crate::protocol::assignment::LONGEST_LINE;

/// The longest piece that is held back.
pub(super) const LONGEST_PIECE: usize = 32 * 1024;
/// How long a piece is held back for more to come.
pub(super) const HELD: Duration = Duration::from_millis(200);

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) stream: LogStream,
    pub(super) text: String,
}

/// Both streams of one process.
#[derive(Debug)]
pub(super) struct Console {
    stdout: Stream,
    stderr: Stream,
}

#[derive(Debug)]
struct Stream {
    of: LogStream,
    /// Bytes that are not yet given out.
    held: Vec<u8>,
    /// When the first of them came; `None` also where they are but the beginning of a character or a secret, which
    /// waits for its rest and nothing else.
    since: Option<Instant>,
    line: Line,
    secrets: KnownSecrets,
}

impl Console {
    pub(super) fn new(secrets: &KnownSecrets) -> Self {
        Self {
            stdout: Stream::new(LogStream::Stdout, secrets.clone()),
            stderr: Stream::new(LogStream::Stderr, secrets.clone()),
        }
    }

    /// Takes bytes as they came; gives out the pieces that are complete by that.
    pub(super) fn push(&mut self, of: LogStream, bytes: &[u8], now: Instant) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let (stream, other) = match of {
            LogStream::Stdout => (&mut self.stdout, &mut self.stderr),
            LogStream::Stderr => (&mut self.stderr, &mut self.stdout),
        };
        // What the other stream said before must come before.
        pieces.extend(other.give(other.whole()));
        stream.since.get_or_insert(now);
        stream.held.extend_from_slice(bytes);
        if stream.held.len() >= LONGEST_PIECE {
            pieces.extend(stream.give(stream.whole_lines()));
        }
        pieces
    }

    /// When the next piece has waited long enough.
    pub(super) fn due(&self) -> Option<Instant> {
        [self.stdout.since, self.stderr.since]
            .into_iter()
            .flatten()
            .min()
            .map(|since| since + HELD)
    }

    /// The pieces that have waited long enough.
    pub(super) fn waited(&mut self, now: Instant) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for stream in [&mut self.stdout, &mut self.stderr] {
            if stream.since.is_some_and(|since| since + HELD <= now) {
                pieces.extend(stream.give(stream.whole_lines()));
            }
        }
        pieces
    }

    /// Everything that is left; no more bytes will come.
    pub(super) fn rest(&mut self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for stream in [&mut self.stdout, &mut self.stderr] {
            pieces.extend(stream.give(stream.held.len()));
        }
        pieces
    }

    /// Calls `found` with each line that is completed by bytes just pushed.
    pub(super) fn lines(&mut self, of: LogStream, bytes: &[u8], found: &mut dyn FnMut(&[u8])) {
        match of {
            LogStream::Stdout => self.stdout.line.push(bytes, found),
            LogStream::Stderr => self.stderr.line.push(bytes, found),
        }
    }

    /// Calls `found` with the last line of a stream, if it has no line end.
    pub(super) fn last_line(&mut self, of: LogStream, found: &mut dyn FnMut(&[u8])) {
        match of {
            LogStream::Stdout => self.stdout.line.end(found),
            LogStream::Stderr => self.stderr.line.end(found),
        }
    }
}

impl Stream {
    fn new(of: LogStream, secrets: KnownSecrets) -> Self {
        Self {
            of,
            held: Vec::new(),
            since: None,
            line: Line::default(),
            secrets,
        }
    }

    /// How many held bytes end with a whole character, and not inside a secret.
    fn whole(&self) -> usize {
        let length = self.held.len() - unfinished(&self.held);
        self.secrets.cut(&self.held, length)
    }

    /// How many held bytes end with a whole line, or with a whole character where there is no line end.
    fn whole_lines(&self) -> usize {
        let end = self.held.iter().rposition(|byte| *byte == b'\n');
        let lines = end.map_or(0, |at| self.secrets.cut(&self.held, at + 1));
        if lines > 0 { lines } else { self.whole() }
    }

    fn give(&mut self, length: usize) -> Option<Piece> {
        let piece = (length > 0).then(|| Piece {
            stream: self.of,
            text: String::from_utf8_lossy(&self.held[..length]).into_owned(),
        });
        self.held.drain(..length);
        if self.whole() == 0 {
            self.since = None;
        }
        piece
    }
}

/// How many bytes at the end may be the beginning of a character.
fn unfinished(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let needed = match bytes[bytes.len() - back] {
            0x80..=0xBF => continue,
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            _ => 1,
        };
        return if needed > back { back } else { 0 };
    }
    0
}

/// The line that is being written, as far as it is worth looking at.
#[derive(Debug, Default)]
struct Line {
    bytes: Vec<u8>,
    too_long: bool,
}

impl Line {
    fn push(&mut self, mut bytes: &[u8], found: &mut dyn FnMut(&[u8])) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let line = &bytes[..end];
            bytes = &bytes[end + 1..];
            if self.bytes.is_empty() && !self.too_long {
                found(line);
            } else {
                self.keep(line);
                self.end(found);
            }
        }
        self.keep(bytes);
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.bytes.len() + bytes.len() > LONGEST_LINE {
            self.too_long = true;
        }
        let room = LONGEST_LINE.saturating_sub(self.bytes.len());
        self.bytes
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn end(&mut self, found: &mut dyn FnMut(&[u8])) {
        // A line cut in the middle could look like a metric that it is not.
        if !self.too_long && !self.bytes.is_empty() {
            found(&self.bytes);
        }
        self.bytes.clear();
        self.too_long = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text_of(pieces: &[Piece], stream: LogStream) -> String {
        pieces
            .iter()
            .filter(|piece| piece.stream == stream)
            .map(|piece| piece.text.as_str())
            .collect()
    }

    #[test]
    fn streams_keep_their_order() {
        let now = Instant::now();
        let mut console = Console::new(&KnownSecrets::default());
        let mut pieces = Vec::new();
        for (stream, text) in [
            (LogStream::Stdout, "a\n"),
            (LogStream::Stdout, "b"),
            (LogStream::Stderr, "c\n"),
            (LogStream::Stdout, "d\n"),
        ] {
            pieces.extend(console.push(stream, text.as_bytes(), now));
        }
        pieces.extend(console.rest());
        let texts: Vec<_> = pieces.iter().map(|piece| piece.text.as_str()).collect();
        assert_eq!(texts, ["a\nb", "c\n", "d\n"]);
        assert_eq!(console.due(), None);
    }

    #[test]
    fn a_piece_waits_a_while_and_leaves_by_lines() {
        let now = Instant::now();
        let mut console = Console::new(&KnownSecrets::default());
        assert!(console.push(LogStream::Stdout, b"a\nb", now).is_empty());
        assert_eq!(console.due(), Some(now + HELD));
        assert!(console.waited(now).is_empty());
        assert_eq!(console.waited(now + HELD)[0].text, "a\n");
        assert_eq!(console.waited(now + HELD)[0].text, "b");
    }

    #[test]
    fn half_a_character_wakes_nobody() {
        let now = Instant::now();
        let mut console = Console::new(&KnownSecrets::default());
        assert!(console.push(LogStream::Stdout, b"a\xc3", now).is_empty());
        assert_eq!(console.waited(now + HELD)[0].text, "a");
        assert_eq!(console.due(), None);
        assert!(console.push(LogStream::Stdout, b"\xa9", now).is_empty());
        assert_eq!(console.due(), Some(now + HELD));
        assert_eq!(console.waited(now + HELD)[0].text, "\u{e9}");
        // Alone and for ever: it is given out at the end.
        assert!(console.push(LogStream::Stderr, b"\xe2", now).is_empty());
        assert!(console.waited(now + HELD).is_empty());
        assert_eq!(console.due(), None);
        assert_eq!(console.rest()[0].text, "\u{fffd}");
    }

    #[test]
    fn endless_lines_are_bounded() {
        let mut console = Console::new(&KnownSecrets::default());
        let mut given = 0;
        for _ in 0..100 {
            let bytes = [b'x'; 1000];
            console.lines(LogStream::Stdout, &bytes, &mut |_| panic!("no line ended"));
            for piece in console.push(LogStream::Stdout, &bytes, Instant::now()) {
                given += piece.text.len();
            }
        }
        assert!(given > 100_000 - LONGEST_PIECE);
        console.lines(LogStream::Stdout, b"\n", &mut |_| panic!("it was too long"));
        let mut lines = 0;
        console.lines(LogStream::Stdout, b"a=1\n", &mut |_| lines += 1);
        assert_eq!(lines, 1);
    }

    proptest! {
        #[test]
        fn pieces_put_together_are_the_stream(
            chunks in prop::collection::vec(
                prop::collection::vec(
                    prop_oneof![Just(b'\n'), Just(0xE2), Just(0x82), Just(0xAC), Just(0xF0), Just(0x9F), any::<u8>()],
                    0..9,
                ),
                0..12,
            ),
            later in any::<bool>(),
        ) {
            let now = Instant::now();
            let mut console = Console::new(&KnownSecrets::default());
            let mut pieces = Vec::new();
            let mut lines = Vec::new();
            for chunk in &chunks {
                pieces.extend(console.push(LogStream::Stdout, chunk, now));
                console.lines(LogStream::Stdout, chunk, &mut |line| lines.push(line.to_vec()));
                if later {
                    pieces.extend(console.push(LogStream::Stderr, b"!", now));
                }
            }
            pieces.extend(console.rest());
            console.last_line(LogStream::Stdout, &mut |line| lines.push(line.to_vec()));
            let whole = chunks.concat();
            prop_assert_eq!(text_of(&pieces, LogStream::Stdout), String::from_utf8_lossy(&whole));
            lines.retain(|line| !line.is_empty());
            let expected: Vec<&[u8]> = whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
            prop_assert_eq!(lines, expected);
        }
    }
}
