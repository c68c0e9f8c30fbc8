//! Seeded rounds: the same seed makes the same round, and the environment says how many.
//!
//! For the tests of all rooms that stand on the simulated file system or on real faults; not here: what a
//! round does. Invariant: a round that fails prints its seed.

use std::panic::RefUnwindSafe;
use std::time::{Duration, Instant};

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

/// Plays rounds with one seed after another: `rounds` of them, or as long as [`duration`] says.
pub fn play(rounds: u64, round: impl Fn(u64) + RefUnwindSafe) {
    let first = first_seed().unwrap_or(1);
    let duration = duration();
    let begin = Instant::now();
    for at in 0.. {
        let enough = duration.map_or(at >= rounds, |duration| begin.elapsed() >= duration);
        if enough {
            break;
        }
        let seed = first.wrapping_add(at);
        let outcome = std::panic::catch_unwind(|| round(seed));
        assert!(
            outcome.is_ok(),
            "failed with TRIALBOOK_FAULT_SEED={seed}, first of its rounds"
        );
    }
}
