//! `trialbook backup` and `trialbook restore`: the whole book to one file and back (C-33).
//!
//! Not here: the file, which the store makes and checks. Invariant: a backup has its name when all of it is on
//! the disk; a restore changes nothing before all checksums were right.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde::Serialize;
use trialbook_model::state::{ExperimentState, ProjectState};
use trialbook_store::reading::Reading as _;
use trialbook_store::{
    Access, ArchiveReport, Book, BookError, Effort, SealOutcome, unpack_archive,
};

use crate::context::Context;
use crate::failure::Failure;
use crate::figures::{bytes, count};
use crate::replaced::replaceable;

const SCHEMA: u32 = 1;

/// Where a restore unpacks, inside the book's folder.
const UNPACKED: &str = "restore.tmp";

/// How often somebody else's seal is waited for.
const PATIENCE: usize = 50;

/// Write the whole book to one file
///
/// The file is a tar archive with the database, everything that is not sealed yet, the artifacts, and checksums.
/// Programs may record meanwhile.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook backup book-2026-01-21.tar
  trialbook backup /mnt/backups/book.tar --force
  trialbook backup book.tar --json")]
pub(crate) struct Args {
    /// The file
    file: PathBuf,
    /// Replace the file
    #[arg(long)]
    force: bool,
}

/// Put the book of a backup in the place of this one
///
/// All checksums are checked before anything is changed. A book in which anything was recorded, be it a note or
/// a tag, is refused unless --force is given; then all of it is replaced by what the backup has, while bytes of
/// artifacts that are here stay until `gc` finds that nothing speaks of them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook restore book-2026-01-21.tar
  trialbook restore book.tar --book /srv/book
  trialbook restore book.tar --force")]
pub(crate) struct Restore {
    /// The file
    file: PathBuf,
    /// Replace what this book holds
    #[arg(long)]
    force: bool,
}

#[derive(Serialize)]
struct Done {
    file: String,
    book: String,
    files: u64,
    artifacts: u64,
    size: u64,
}

impl Done {
    fn of(file: &Path, book: &Path, report: ArchiveReport) -> Self {
        Self {
            file: file.display().to_string(),
            book: book.display().to_string(),
            files: report.files,
            artifacts: report.artifacts,
            size: report.bytes,
        }
    }
}

/// Writes a backup.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let choice = cx.choice()?;
    let folder = choice.folder()?;
    let book = Book::open(folder, Access::Write)?;
    let to = cx.here().join(&args.file);
    if to.exists() && !args.force {
        let path = args.file.display().to_string();
        return Err(Failure::Exists { path }.into());
    }
    // It is written anew where somebody seals meanwhile, which only a file can be.
    let Some(to) = replaceable(&to) else {
        return Err(Failure::Usage {
            problem: format!("`{}` is not a file", args.file.display()),
            hint: "name a file that is not there yet".to_owned(),
        }
        .into());
    };
    let mut name = to.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.tmp", std::process::id()));
    let draft = Draft(to.with_file_name(name));
    let told = || format!("cannot write `{}`", args.file.display());
    let file = File::create(&draft.0).with_context(told)?;
    let mut out = BufWriter::with_capacity(1 << 20, &file);
    let report = patiently(BookError::Restless, || {
        // What a broken-off try has written is none of the next one's.
        let report = book.archive(&mut out, &args.file)?;
        Ok(report)
    })?;
    out.flush().with_context(told)?;
    drop(out);
    file.sync_all().with_context(told)?;
    fs::rename(&draft.0, &to).with_context(told)?;
    if let Some(parent) = to.parent() {
        File::open(parent)?.sync_all().with_context(told)?;
    }
    let done = Done::of(&args.file, folder, report);
    tell(cx, &done, "written")
}

/// Tries again while somebody seals, up to the end of one's patience.
fn patiently<T>(otherwise: BookError, mut work: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    for _ in 0..PATIENCE {
        if let Some(done) = work()? {
            return Ok(done);
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    Err(otherwise.into())
}

/// A file or folder that is removed unless it got another name.
struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        // Only what was broken off is still there.
        if self.0.is_dir() {
            fs::remove_dir_all(&self.0).ok();
        } else {
            fs::remove_file(&self.0).ok();
        }
    }
}

/// Restores a backup.
pub(crate) fn restore(args: &Restore, cx: &Context) -> Result<ExitCode> {
    let choice = cx.choice()?;
    let folder = choice.folder()?;
    let path = cx.here().join(&args.file);
    let file = File::open(&path).map_err(|source| Failure::Unreadable {
        path: args.file.display().to_string(),
        source,
    })?;
    let is_new = !folder.exists();
    let book = match Book::open(folder, Access::Write) {
        Err(BookError::Missing { .. }) => Book::create(folder)?,
        other => other?,
    };
    let restored = replace(&book, args, file);
    if restored.is_err() && is_new {
        // Nobody wants the empty book of a restore that failed.
        drop(book);
        fs::remove_dir_all(folder).ok();
    }
    let done = Done::of(&args.file, folder, restored?);
    tell(cx, &done, "restored")
}

fn replace(book: &Book, args: &Restore, file: File) -> Result<ArchiveReport> {
    if !args.force && !is_empty(book)? {
        return Err(Failure::NotEmpty {
            path: book.path().display().to_string(),
        }
        .into());
    }
    let unpacked = Draft(book.path().join(UNPACKED));
    if unpacked.0.exists() {
        fs::remove_dir_all(&unpacked.0)?;
    }
    let mut from = BufReader::with_capacity(1 << 20, file);
    let report = unpack_archive(&mut from, &args.file, &unpacked.0)?;
    patiently(BookError::Held, || {
        // What is spooled belongs to the book that goes.
        if book.seal(Effort::All)?.outcome == SealOutcome::Busy {
            return Ok(None);
        }
        let outcome = book.restore(&unpacked.0)?;
        Ok((outcome != SealOutcome::Busy).then_some(()))
    })?;
    Ok(report)
}

/// Whether nothing at all was recorded in a book: no run, and nothing of an experiment or a project.
fn is_empty(book: &Book) -> Result<bool> {
    let view = book.view()?;
    if view.run_count()? > 0 || !view.unknown()?.is_empty() {
        return Ok(false);
    }
    // Every book has this one, and as long as nothing was said of it, it is as it was made.
    let untouched = ExperimentState::default_experiment();
    if view.experiments()?.iter().any(|row| row.state != untouched) {
        return Ok(false);
    }
    for name in view.projects()? {
        if view.project(&name)? != ProjectState::default() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn tell(cx: &Context, done: &Done, verb: &str) -> Result<ExitCode> {
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, done)?;
    } else {
        cx.printer.line(format!(
            "{} {verb}: {}, {}, {}",
            if verb == "written" {
                &done.file
            } else {
                &done.book
            },
            count(done.files, "file"),
            count(done.artifacts, "artifact"),
            bytes(done.size)
        ));
    }
    Ok(ExitCode::SUCCESS)
}
