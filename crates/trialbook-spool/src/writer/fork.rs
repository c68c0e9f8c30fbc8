//! Noticing that this process is a fork: a count of the forks behind it, kept by the system.
//!
//! Invariant: the count that a child reads differs from every count its parent read.

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

static FORKS: AtomicU64 = AtomicU64::new(0);
static WATCH: Once = Once::new();

/// How many forks lie between the process that first asked and this one.
#[inline]
pub(super) fn count() -> u64 {
    FORKS.load(Ordering::Relaxed)
}

/// Begins to count. Called before anything is opened that a child must not use.
pub(super) fn watch() {
    WATCH.call_once(register);
}

#[cfg(unix)]
#[expect(unsafe_code, reason = "only the C library tells of forks")]
fn register() {
    extern "C" fn in_child() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: the handler only adds to an atomic, which is allowed between fork and return. A refusal
    // (no memory) leaves the count at 0: then a child is not noticed, as on systems without fork.
    unsafe {
        libc::pthread_atfork(None, None, Some(in_child));
    }
}

#[cfg(not(unix))]
fn register() {}
