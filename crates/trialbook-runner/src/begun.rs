//! Whether the first program of some runs has started: whatever may wait until then does not slow its start.
//!
//! Invariant: once told, it stays told, and whoever waits wakes up.

use std::sync::{Condvar, Mutex, PoisonError};

/// A bell that rings once.
#[derive(Debug, Default)]
pub struct Begun {
    told: Mutex<bool>,
    bell: Condvar,
}

impl Begun {
    /// Nothing has started yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Something has, or nothing will.
    pub fn tell(&self) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        *told = true;
        self.bell.notify_all();
    }

    /// Waits until it is told.
    pub fn wait(&self) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        while !*told {
            told = self.bell.wait(told).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_wakes_up_and_later_ones_do_not_wait() {
        let begun = Begun::new();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| begun.wait());
            begun.tell();
            waiting.join().unwrap();
        });
        begun.wait();
    }
}
