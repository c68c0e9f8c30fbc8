//! The request to stop, as seen by everything that runs: asked for once (gently) or twice (by force).
//!
//! Not here: signals; the binary turns them into calls. Invariant: a request is never taken back, and a
//! process waiting in `poll` wakes up by it.

use std::io::{self, PipeReader, PipeWriter, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// How much was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Nothing was asked for.
    None,
    /// No new run begins, running ones are asked to end.
    Gentle,
    /// Running ones are killed.
    Forced,
}

/// A request to stop, shared by threads.
#[derive(Debug)]
pub struct Stop {
    gentle: Bell,
    forced: Bell,
}

/// A flag with a descriptor that is readable for ever once it is set.
#[derive(Debug)]
struct Bell {
    rung: AtomicBool,
    reader: PipeReader,
    writer: PipeWriter,
}

impl Stop {
    /// Nothing asked for yet.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            gentle: Bell::new()?,
            forced: Bell::new()?,
        })
    }

    /// Asks once more: first gently, then by force.
    pub fn request(&self) {
        if self.gentle.rung.load(Ordering::SeqCst) {
            self.forced.ring();
        } else {
            self.gentle.ring();
        }
    }

    /// How much was asked for so far.
    pub fn urgency(&self) -> Urgency {
        if self.forced.rung.load(Ordering::SeqCst) {
            Urgency::Forced
        } else if self.gentle.rung.load(Ordering::SeqCst) {
            Urgency::Gentle
        } else {
            Urgency::None
        }
    }

    /// A descriptor that becomes readable when more is asked for than `known`; `None` when nothing more can be.
    pub(crate) fn beyond(&self, known: Urgency) -> Option<BorrowedFd<'_>> {
        match known {
            Urgency::None => Some(self.gentle.reader.as_fd()),
            Urgency::Gentle => Some(self.forced.reader.as_fd()),
            Urgency::Forced => None,
        }
    }
}

impl Bell {
    fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        Ok(Self {
            rung: AtomicBool::new(false),
            reader,
            writer,
        })
    }

    fn ring(&self) {
        if !self.rung.swap(true, Ordering::SeqCst) {
            // One byte always fits into an empty pipe, and both ends live as long as this bell.
            (&self.writer)
                .write_all(b"!")
                .expect("a pipe with both ends open takes a byte");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_request_is_by_force() {
        let stop = Stop::new().unwrap();
        assert_eq!(stop.urgency(), Urgency::None);
        stop.request();
        assert_eq!(stop.urgency(), Urgency::Gentle);
        stop.request();
        stop.request();
        assert_eq!(stop.urgency(), Urgency::Forced);
        assert!(stop.beyond(Urgency::Forced).is_none());
    }
}
