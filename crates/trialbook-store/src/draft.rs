//! Records that enter a book together or not at all: an import's spool, which readers see when it is whole.
//!
//! Other than a recorder, its writer repeats what others said at their times; it need not go forward in time.
//! Not here: what is repeated. Invariant: before [`Draft::commit`] nothing of it is in the book, and after it
//! everything is; a draft that was left behind by a killed process is removed by the next one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use trialbook_model::id::WriterUid;
use trialbook_model::record::{Op, SeriesKey, Subject};
use trialbook_model::time::Timestamp;
use trialbook_spool::{
    Access, Background, Files, KeyIndex, LogCall, Mode, Note, Repeat, SpoolOptions, SpoolWriter,
    SubjectIndex,
};

use crate::book::Book;
use crate::error::BookError;

/// Where drafts are, each in a folder of its own.
const DRAFTS: &str = "drafts";

/// A spool that is not part of the book yet.
pub struct Draft {
    spool: Option<SpoolWriter>,
    folder: PathBuf,
    target: PathBuf,
    files: Arc<dyn Files>,
}

impl Book {
    /// Begins a draft. Its records are signed by nobody unless they say by whom.
    pub fn draft(&self, now: Timestamp) -> Result<Draft, BookError> {
        self.writable()?;
        let drafts = self.path().join(DRAFTS);
        let files = self.shared_files();
        clean(files.as_ref(), &drafts);
        let mut name = [0; 16];
        files
            .random(&mut name)
            .map_err(BookError::io("name a draft in", &drafts))?;
        let folder = drafts.join(trialbook_model::id::Uid(name).to_string());
        let options = SpoolOptions {
            mode: Mode::Auto,
            created: now,
            actor: String::new(),
            // One file: its new name is the moment at which all of it is in the book.
            rotate_at: u64::MAX,
            background: Background::None,
        };
        let spool = SpoolWriter::create_in(Arc::clone(&files), &folder, options)?;
        Ok(Draft {
            spool: Some(spool),
            folder,
            target: self.spool_folder(),
            files,
        })
    }
}

impl Draft {
    fn spool(&mut self) -> &mut SpoolWriter {
        self.spool
            .as_mut()
            .expect("only a commit, which consumes the draft, takes it")
    }

    /// Who writes.
    pub fn writer(&mut self) -> WriterUid {
        self.spool().writer()
    }

    /// Repeats an operation that was said at a time, by somebody where that is known.
    pub fn say(&mut self, time: Timestamp, actor: Option<&str>, op: &Op) -> Result<(), BookError> {
        let note = Note {
            actor: actor.map(str::to_owned),
            ..Note::default()
        };
        self.spool().append(time, op, &note)?;
        Ok(())
    }

    /// The index of a subject, for [`Draft::points`].
    pub fn subject(&mut self, of: &Subject) -> SubjectIndex {
        self.spool().subject(of)
    }

    /// The index of a series, for [`Draft::points`].
    pub fn key(&mut self, key: &SeriesKey) -> KeyIndex {
        self.spool().key(key)
    }

    /// Repeats the values of one logging call, which was made at their time.
    pub fn points(
        &mut self,
        subject: SubjectIndex,
        (step, time): (i64, Timestamp),
        pairs: &[(KeyIndex, f64)],
    ) -> Result<(), BookError> {
        let repeat = Repeat::Keep;
        let call = LogCall {
            subject,
            step,
            time,
            repeat,
        };
        self.log(call, pairs)
    }

    /// Repeats the values of one logging call; it says what equal points mean.
    pub fn log(&mut self, call: LogCall, pairs: &[(KeyIndex, f64)]) -> Result<(), BookError> {
        self.spool().points(call, pairs)?;
        Ok(())
    }

    /// Puts all of it into the book: on the disk first, then under its name.
    pub fn commit(mut self) -> Result<(), BookError> {
        let Some(spool) = self.spool.take() else {
            return Ok(());
        };
        let path = spool.path().filter(|_| !spool.is_empty());
        spool.finish()?;
        let Some(path) = path else {
            return Ok(());
        };
        let name = path.file_name().unwrap_or_default();
        self.files
            .rename(&path, &self.target.join(name))
            .map_err(BookError::io("rename", &path))?;
        let syncing = BookError::io("sync", &self.target);
        self.files.sync_dir(&self.target).map_err(syncing)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // The lock goes with the writer; what cannot be removed is removed by the next draft.
        self.spool = None;
        remove(self.files.as_ref(), &self.folder);
    }
}

/// Removes the drafts of processes that were killed; what hinders it is met again by the next one.
fn clean(files: &dyn Files, drafts: &Path) {
    for folder in files.list(drafts).unwrap_or_default() {
        let spools = files.list(&folder).unwrap_or_default();
        let is_held = |path: &PathBuf| {
            let file = files.open(path, Access::Read);
            file.is_ok_and(|file| !file.try_lock().unwrap_or(false))
        };
        // A folder without a file is one that is just being made.
        if !spools.is_empty() && !spools.iter().any(is_held) {
            remove(files, &folder);
        }
    }
}

/// Removes a draft's folder with what is in it, as far as it can.
fn remove(files: &dyn Files, folder: &Path) {
    for path in files.list(folder).unwrap_or_default() {
        files.unlink(&path).ok();
    }
    files.remove_dir(folder).ok();
}

#[cfg(test)]
mod tests {
    use std::fs;

    use trialbook_model::id::{RunUid, Uid};
    use trialbook_model::record::StartRun;

    use super::*;
    use crate::reading::Reading as _;

    #[test]
    fn a_draft_is_in_the_book_when_it_is_committed_and_no_earlier() {
        let folder = tempfile::tempdir().unwrap();
        let book = Book::create(&folder.path().join("book")).unwrap();
        let uid = RunUid(Uid([1; 16]));
        let start = Op::StartRun(StartRun::of(uid));
        let mut draft = book.draft(Timestamp(5)).unwrap();
        draft.say(Timestamp(3), Some("ann"), &start).unwrap();
        let subject = draft.subject(&Subject::Run(uid));
        let key = draft.key(&SeriesKey::plain("loss"));
        // Times may go back: they are those of the original.
        draft
            .points(subject, (1, Timestamp(2)), &[(key, f64::NAN)])
            .unwrap();
        assert_eq!(book.view().unwrap().run_by_uid(uid).unwrap(), None);
        draft.commit().unwrap();
        let view = book.view().unwrap();
        let run = view.run_by_uid(uid).unwrap().unwrap();
        assert_eq!(run.state.born, Some(Timestamp(2)));
        assert_eq!(run.state.alive, Some(Timestamp(3)));
        assert_eq!(run.state.actor.as_ref().unwrap().value, "ann");
        assert_eq!(run.state.records.counts.points, 1);
    }

    #[test]
    fn drafts_that_are_dropped_or_left_behind_leave_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let book = Book::create(&folder.path().join("book")).unwrap();
        let drafts = book.path().join(DRAFTS);
        let start = Op::StartRun(StartRun::of(RunUid(Uid([1; 16]))));
        let mut draft = book.draft(Timestamp(1)).unwrap();
        draft.say(Timestamp(1), None, &start).unwrap();
        drop(draft);
        assert_eq!(fs::read_dir(&drafts).unwrap().count(), 0);
        fs::create_dir(drafts.join("killed")).unwrap();
        fs::write(drafts.join("killed/a.spool"), "half").unwrap();
        let live = book.draft(Timestamp(1)).unwrap();
        let other = book.draft(Timestamp(1)).unwrap();
        assert_eq!(fs::read_dir(&drafts).unwrap().count(), 2);
        drop((live, other));
        assert_eq!(book.view().unwrap().run_count().unwrap(), 0);
    }
}
