//! Seeded rounds: the same seed makes the same round, and the environment says how many.
//!
//! For the tests of all rooms that stand on the simulated file system or on real faults; not here: what a
//! round does. Invariant: a round that fails prints its seed.

use std::fmt;
use std::num::NonZero;
use std::panic::RefUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Met;

/// Numbers from a seed (splitmix64), for what needs no more than to be spread and the same again.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The numbers of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `limit`, which is not 0.
    pub const fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }

    /// True once in so many times.
    pub const fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

/// The seed of the first round, where `cargo xtask faults` says one.
pub fn first_seed() -> Option<u64> {
    setting("TRIALBOOK_FAULT_SEED")
}

/// How long rounds go on, where `cargo xtask faults` says it.
pub fn duration() -> Option<Duration> {
    setting("TRIALBOOK_FAULT_SECONDS").map(Duration::from_secs)
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long to test is said from outside"
)]
fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?.parse::<f64>().ok()?;
    Some(value as u64)
}

/// What rounds came to.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// How many there were.
    pub rounds: u64,
    /// What went wrong in all of them.
    pub met: Met,
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} schedules", self.rounds)?;
        let mut before = ": ";
        for (what, many) in &self.met {
            write!(out, "{before}{what} {many}")?;
            before = ", ";
        }
        Ok(())
    }
}

/// Plays rounds with one seed after another: `rounds` of them, or as long as [`duration`] says. They are shared
/// among threads, for no round knows of another.
pub fn play(rounds: u64, round: impl Fn(u64) -> Met + Sync + RefUnwindSafe) -> Tally {
    let first = first_seed().unwrap_or(1);
    let duration = duration();
    let begin = Instant::now();
    let (next, failed) = (AtomicU64::new(0), Mutex::new(None));
    let tally = Mutex::new(Tally::default());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let enough = duration.map_or(at >= rounds, |duration| begin.elapsed() >= duration);
            if enough || lock(&failed).is_some() {
                return;
            }
            let seed = first.wrapping_add(at);
            match std::panic::catch_unwind(|| round(seed)) {
                Ok(met) => lock(&tally).add(met),
                Err(_told) => *lock(&failed) = Some(seed),
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    if let Some(seed) = *lock(&failed) {
        panic!("failed with TRIALBOOK_FAULT_SEED={seed}, first of its rounds");
    }
    lock(&tally).clone()
}

impl Tally {
    fn add(&mut self, met: Met) {
        self.rounds += 1;
        for (what, many) in met {
            *self.met.entry(what).or_default() += many;
        }
    }
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
