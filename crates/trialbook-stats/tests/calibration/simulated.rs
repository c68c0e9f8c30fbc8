//! Simulated samples, and how often something happened to them.

use trialbook_stats::{Distribution, SplitMix64, Tail};

/// Values of a distribution, one after the other.
pub(crate) struct Source(SplitMix64);

impl Source {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(SplitMix64::new(seed))
    }

    /// Inside 0..1.
    pub(crate) fn uniform(&mut self) -> f64 {
        /// Half of the generator's step: 0 never comes.
        const HALF: f64 = 1.0 / (1_u64 << 54) as f64;
        self.0.unit() + HALF
    }

    pub(crate) fn normal(&mut self) -> f64 {
        let tail = Tail::Lower(self.uniform());
        Distribution::Normal.quantile(tail).unwrap()
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        (self.uniform() * bound as f64) as u64
    }

    /// Normal values.
    pub(crate) fn normals(&mut self, n: usize, mean: f64, sd: f64) -> Vec<f64> {
        (0..n).map(|_| mean + sd * self.normal()).collect()
    }

    /// Any values.
    pub(crate) fn values(&mut self, n: usize, mut value: impl FnMut(&mut Self) -> f64) -> Vec<f64> {
        (0..n).map(|_| value(self)).collect()
    }
}

/// In what share of simulated experiments something happened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    pub(crate) of: f64,
    pub(crate) experiments: u32,
}

impl Share {
    /// Repeats an experiment.
    pub(crate) fn of(
        experiments: u32,
        seed: u64,
        mut happened: impl FnMut(&mut Source) -> bool,
    ) -> Self {
        let mut source = Source::new(seed);
        let count = (0..experiments).filter(|_| happened(&mut source)).count();
        Self {
            of: count as f64 / f64::from(experiments),
            experiments,
        }
    }

    /// Four standard errors of a share that is to be `promised`.
    fn noise(self, promised: f64) -> f64 {
        4.0 * (promised * (1.0 - promised) / f64::from(self.experiments)).sqrt()
    }

    /// At most the promise.
    pub(crate) fn at_most(self, promised: f64, what: &str) {
        let bound = promised + self.noise(promised);
        assert!(self.of <= bound, "{what}: {self:?}, at most {bound}");
    }

    /// At least the promise.
    pub(crate) fn at_least(self, promised: f64, what: &str) {
        let bound = promised - self.noise(promised);
        assert!(self.of >= bound, "{what}: {self:?}, at least {bound}");
    }

    /// The promise, no more and no less.
    pub(crate) fn exactly(self, promised: f64, what: &str) {
        self.at_most(promised, what);
        self.at_least(promised, what);
    }
}
