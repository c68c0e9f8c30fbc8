//! Sealing beside other work with a book, so that whoever reads meanwhile has little to read that is not sealed.
//!
//! Not here: what a seal does. Invariant: what hinders a seal, such as a read-only folder or somebody else's
//! seal, hinders nobody's work.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::book::{Access, Book, Effort};

/// Seals a book where there is much to seal, if that can be done now.
pub fn seal_if_large(folder: &Path) {
    if let Ok(book) = Book::open(folder, Access::Write) {
        book.seal(Effort::IfLarge).ok();
    }
}

/// Does some work; as long as it goes on, what was recorded is sealed `every` so often where it is much.
pub fn sealing_beside<T>(folder: &Path, every: Duration, work: impl FnOnce() -> T) -> T {
    thread::scope(|scope| {
        let (working, done) = mpsc::channel::<()>();
        scope.spawn(move || {
            while done.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                seal_if_large(folder);
            }
        });
        let result = work();
        drop(working);
        result
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use trialbook_model::id::{RunUid, Uid};
    use trialbook_model::record::{Op, StartRun};
    use trialbook_spool::{Background, Mode};

    use super::*;
    use crate::contract::TurnedClock;
    use crate::reading::Reading as _;
    use crate::recorder::RecorderOptions;

    /// Long enough that only what does not happen at all takes longer.
    const NEVER: Duration = Duration::from_secs(300);

    fn start_runs(book: &Book, runs: std::ops::Range<u8>) {
        for run in runs {
            let options = RecorderOptions {
                mode: Mode::Written,
                background: Background::None,
                ..RecorderOptions::new("me", Arc::<TurnedClock>::default())
            };
            let mut recorder = book.recorder(options).unwrap();
            let start = StartRun::of(RunUid(Uid([run; 16])));
            recorder.record(&Op::StartRun(start)).unwrap();
            recorder.finish().unwrap();
        }
    }

    #[test]
    fn much_is_sealed_while_the_work_still_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("book");
        let book = Book::create(&path).unwrap();
        let sealed = sealing_beside(&path, Duration::from_millis(1), || {
            start_runs(&book, 0..70);
            let begin = Instant::now();
            while book.view().unwrap().rev() == 0 && begin.elapsed() < NEVER {
                thread::yield_now();
            }
            book.view().unwrap().rev()
        });
        assert!(sealed > 0);
        let view = book.view().unwrap();
        assert_eq!(
            (view.run_count().unwrap(), view.rev() >= sealed),
            (70, true)
        );
    }

    #[test]
    fn little_is_left_to_later_and_the_work_waits_for_no_seal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("book");
        let book = Book::create(&path).unwrap();
        start_runs(&book, 0..3);
        seal_if_large(&path);
        assert_eq!(sealing_beside(&path, NEVER, || 7), 7);
        assert_eq!(book.view().unwrap().rev(), 0);
        assert_eq!(sealing_beside(&path.join("missing"), NEVER, || 8), 8);
    }
}
