//! Syncing in the background: one lazily started thread per process, once a second.
//!
//! Lock order: the registry's lock is the only one, and no file is synced under it.
//! Invariant: a file is dropped from the registry when its writer ends it, or when it is retired and
//! on the disk, or when its disk failed; the thread ends when nothing is left.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use super::fork;
use crate::error::SpoolError;
use crate::files::{FileHandle, sync_through};
use crate::header::{DURABLE_AT, durable_words};

const INTERVAL: Duration = Duration::from_secs(1);

/// How far a file is, shared by its writer and the thread.
pub(super) struct Progress {
    pub(super) path: PathBuf,
    /// Bytes that the kernel has.
    pub(super) written: AtomicU64,
    /// Bytes that the disk surely has.
    durable: AtomicU64,
    /// The disk failed: what it has of this file beyond `durable` cannot be known any more.
    failed: AtomicBool,
    /// Why it failed, until somebody was told.
    failure: Mutex<Option<io::Error>>,
    /// The writer is done with it.
    retired: AtomicBool,
}

impl Progress {
    pub(super) fn new(path: PathBuf, offset: u64) -> Self {
        Self {
            path,
            written: AtomicU64::new(offset),
            durable: AtomicU64::new(offset),
            failed: AtomicBool::new(false),
            failure: Mutex::new(None),
            retired: AtomicBool::new(false),
        }
    }

    #[inline]
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Why the disk failed, told once.
    pub(super) fn take_failure(&self) -> Option<io::Error> {
        hold(&self.failure).take()
    }

    /// Bytes that the disk surely has.
    pub(super) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// Whether nothing more is to be synced.
    pub(super) fn is_settled(&self) -> bool {
        self.has_failed() || self.durable() >= self.written.load(Ordering::Acquire)
    }

    /// Syncs what was written so far and notes it in the header. A failure is for good: whatever the
    /// disk says later, pages that it did not take may be gone.
    pub(super) fn sync(&self, file: &dyn FileHandle) {
        if !self.is_settled() {
            self.sync_now(file);
        }
    }

    /// As [`Self::sync`], also where only the length changed.
    pub(super) fn sync_now(&self, file: &dyn FileHandle) {
        let upto = self.written.load(Ordering::Acquire);
        match sync_through(file) {
            Ok(()) => {
                self.durable.fetch_max(upto, Ordering::AcqRel);
                // A note that is missing or too low only makes readers more careful.
                drop(file.write_at(&durable_words(upto), DURABLE_AT));
            }
            Err(error) => {
                *hold(&self.failure) = Some(error);
                self.failed.store(true, Ordering::Release);
            }
        }
    }
}

/// Makes the records of one file durable, from any thread, while its writer goes on.
#[derive(Clone)]
pub struct SyncPoint {
    pub(super) file: Arc<dyn FileHandle>,
    pub(super) progress: Arc<Progress>,
}

impl SyncPoint {
    /// Makes everything durable that was written so far; false where nothing was left to do.
    pub fn sync(&self) -> Result<bool, SpoolError> {
        let due = !self.progress.is_settled();
        self.progress.sync(self.file.as_ref());
        if self.progress.has_failed() {
            let source = self.progress.take_failure();
            return Err(SpoolError::SyncFailed {
                path: self.progress.path.clone(),
                from: self.progress.durable(),
                source: source.unwrap_or_else(|| io::ErrorKind::Other.into()),
            });
        }
        Ok(due)
    }

    /// Whether both are of one file.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.progress, &other.progress)
    }
}

#[derive(Default)]
struct Registry {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    running: bool,
}

#[derive(Clone)]
struct Entry {
    file: Arc<dyn FileHandle>,
    progress: Arc<Progress>,
}

/// The registries of this process and of the processes it was forked from, oldest first: a child uses
/// its own, since the lock of its parent's may be held for ever.
struct Generation {
    registry: Registry,
    child: OnceLock<Box<Generation>>,
}

static GENERATIONS: OnceLock<Generation> = OnceLock::new();

impl Generation {
    fn fresh() -> Self {
        Self {
            registry: Registry::default(),
            child: OnceLock::new(),
        }
    }
}

/// Watches a file from now on.
pub(super) fn register(file: &Arc<dyn FileHandle>, progress: &Arc<Progress>) {
    let registry = registry();
    let mut state = hold(&registry.state);
    state.entries.push(Entry {
        file: Arc::clone(file),
        progress: Arc::clone(progress),
    });
    if !state.running {
        // Where no thread can be had, data reaches the disk with the next flush or by the kernel.
        state.running = std::thread::Builder::new()
            .name("trialbook-sync".to_owned())
            .spawn(|| run(registry))
            .is_ok();
    }
}

/// Leaves a file to the thread, which closes it once it is on the disk.
pub(super) fn retire(progress: &Progress) {
    progress.retired.store(true, Ordering::Release);
    registry().wake.notify_one();
}

/// Watches a file no longer.
pub(super) fn unregister(progress: &Arc<Progress>) {
    hold(&registry().state)
        .entries
        .retain(|entry| !Arc::ptr_eq(&entry.progress, progress));
}

/// Closes, in a child, what its parents watch; a file whose parent was just at it stays open here.
pub(super) fn leave_parents() {
    let mut generation = GENERATIONS.get();
    for _ in 0..fork::count() {
        let Some(parent) = generation else { break };
        if let Ok(mut state) = parent.registry.state.try_lock() {
            state.entries.clear();
        }
        generation = parent.child.get().map(AsRef::as_ref);
    }
}

fn registry() -> &'static Registry {
    let mut generation = GENERATIONS.get_or_init(Generation::fresh);
    for _ in 0..fork::count() {
        generation = generation
            .child
            .get_or_init(|| Box::new(Generation::fresh()));
    }
    &generation.registry
}

fn run(registry: &'static Registry) {
    let mut state = hold(&registry.state);
    while !state.entries.is_empty() {
        let (held, _timeout) = registry
            .wake
            .wait_timeout(state, INTERVAL)
            .unwrap_or_else(PoisonError::into_inner);
        let entries = held.entries.clone();
        drop(held);
        for entry in &entries {
            entry.progress.sync(entry.file.as_ref());
        }
        drop(entries);
        state = hold(&registry.state);
        state.entries.retain(|entry| {
            let retired = entry.progress.retired.load(Ordering::Acquire);
            !(entry.progress.has_failed() || retired && entry.progress.is_settled())
        });
    }
    state.running = false;
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
