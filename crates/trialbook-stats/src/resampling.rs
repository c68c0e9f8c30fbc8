//! Inference by drawing again from the sample: bootstrap intervals and permutation tests.
//!
//! Not here: which statistic answers a question (the interval of a mean is the t interval, that of a rate Wilson's).
//! Invariant: replicate `r` depends on the seed and `r` alone, so that a result is the same to the last bit on any
//! number of threads.

mod arrangements;
mod binomial;
mod bootstrap;
mod decimals;
mod interval;
mod jackknife;
mod kernels;
mod ordered;
mod permutation;
mod studentized;
#[cfg(test)]
mod tests;

use std::num::NonZeroUsize;

pub use bootstrap::{
    Bootstrapped, Enumerated, MOST_ENUMERATED, Statistic, bootstrap, bootstrap_clusters,
    bootstrap_difference, bootstrap_exact, bootstrap_ratio, bootstrap_with,
};
pub use interval::{Bca, BootstrapIntervals, intervals_from_replicates};
pub use permutation::{
    Arrangements, Permutation, monte_carlo_p, permute_difference, permute_signs,
};
pub use studentized::{Studentized, bootstrap_t, bootstrap_t_difference};

use crate::random::SplitMix64;
use crate::streams::stream;

/// How replicates are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draws {
    /// The seed; together with [`ENGINE`](crate::ENGINE) it determines every replicate.
    pub seed: u64,
    /// How many replicates.
    pub replicates: u32,
    /// How many threads draw them; the result does not depend on it.
    pub threads: NonZeroUsize,
}

impl Draws {
    /// How many replicates an interval is made of unless someone asks for another number.
    pub const INTERVAL: u32 = 10_000;
    /// How many arrangements a test draws where there are too many to try them all.
    pub const TEST: u32 = 100_000;

    /// Replicates drawn by one thread.
    pub const fn new(seed: u64, replicates: u32) -> Self {
        Self {
            seed,
            replicates,
            threads: NonZeroUsize::MIN,
        }
    }

    /// Drawn by this many threads.
    #[must_use]
    pub const fn on(self, threads: NonZeroUsize) -> Self {
        Self { threads, ..self }
    }

    /// The replicates in their order. `draw` makes one out of a scratch of its thread and the replicate's stream.
    fn collect<S, T: Clone + Default + Send>(
        self,
        scratch: impl Fn() -> S + Sync,
        draw: impl Fn(&mut S, &mut SplitMix64) -> T + Sync,
    ) -> Vec<T> {
        let mut replicates = vec![T::default(); self.replicates as usize];
        let share = replicates.len().div_ceil(self.threads.get()).max(1);
        let fill = |part: &mut [T], first: usize| {
            let mut scratch = scratch();
            for (replicate, at) in part.iter_mut().zip(first as u64..) {
                *replicate = draw(&mut scratch, &mut stream(self.seed, at));
            }
        };
        if share >= replicates.len() {
            fill(&mut replicates, 0);
            return replicates;
        }
        std::thread::scope(|scope| {
            for (at, part) in replicates.chunks_mut(share).enumerate() {
                let fill = &fill;
                scope.spawn(move || fill(part, at * share));
            }
        });
        replicates
    }
}
