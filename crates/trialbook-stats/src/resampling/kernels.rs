//! One replicate of a statistic, drawn as cheaply as its distribution allows.
//!
//! Invariant: a shortcut has exactly the distribution of the statistic of a resample.

use super::binomial::MeanOfTwo;
use super::bootstrap::Statistic;
use super::jackknife;
use super::ordered::{Ordered, QuantileAt, Trimmed};
use crate::exact::{scale_of, sum};
use crate::random::SplitMix64;
use crate::streams::{one_below, two_below};

/// A statistic that can be drawn again.
pub(super) trait Resampled: Sync {
    /// What a thread needs room for.
    type Scratch;

    fn scratch(&self) -> Self::Scratch;

    /// The statistic of the sample itself.
    fn estimate(&self) -> f64;

    /// The statistic of one resample.
    fn replicate(&self, scratch: &mut Self::Scratch, random: &mut SplitMix64) -> f64;

    /// (n − 1)/n · (mean of the jackknife − its value without observation i), for every i.
    fn terms(&self) -> Vec<f64>;
}

/// Adds up what `visit` is told of `n` indices drawn from `n`.
#[inline]
pub(super) fn each_drawn(random: &mut SplitMix64, n: usize, mut visit: impl FnMut(usize)) {
    let bound = n as u32;
    for _ in 0..n / 2 {
        let (first, second) = two_below(random, bound);
        visit(first);
        visit(second);
    }
    if n % 2 == 1 {
        visit(one_below(random, bound));
    }
}

/// A sample around its centre, in units of a power of two, so that sums neither cancel nor overflow.
pub(super) struct Centred {
    pub(super) centre: f64,
    pub(super) scale: f64,
    pub(super) deviations: Vec<f64>,
}

impl Centred {
    pub(super) fn of(values: &[f64]) -> Self {
        let largest = values
            .iter()
            .fold(0.0_f64, |most, value| most.max(value.abs()));
        let scale = scale_of(largest);
        let n = values.len() as f64;
        let centre = sum(values.iter().map(|value| value / scale))
            .over(n)
            .value();
        let constant = values.iter().all(|value| *value == values[0]);
        let deviations = values
            .iter()
            .map(|value| {
                if constant {
                    0.0
                } else {
                    value / scale - centre
                }
            })
            .collect();
        Self {
            centre: if constant { values[0] / scale } else { centre },
            scale,
            deviations,
        }
    }

    /// Back from a mean deviation to a mean of the values.
    pub(super) fn mean(&self, deviation: f64) -> f64 {
        (self.centre + deviation) * self.scale
    }
}

/// A statistic of one sample of numbers.
pub(super) enum Kernel {
    /// The mean.
    Mean(Centred),
    /// The mean of a sample of two different values.
    MeanOfTwo(MeanOfTwo),
    /// The standard deviation.
    Spread(Centred),
    /// A quantile.
    Quantile(Ordered<QuantileAt>),
    /// A trimmed mean.
    Trimmed(Ordered<Trimmed>),
}

impl Kernel {
    /// The statistic's of a sample, by a shortcut where there is one.
    pub(super) fn of(values: &[f64], statistic: Statistic) -> Self {
        match statistic {
            Statistic::Mean => MeanOfTwo::of(values)
                .map_or_else(|| Self::Mean(Centred::of(values)), Self::MeanOfTwo),
            Statistic::Sd => Self::Spread(Centred::of(values)),
            Statistic::Median => Self::Quantile(Ordered::of(values, QuantileAt(0.5))),
            Statistic::Quantile(p) => Self::Quantile(Ordered::of(values, QuantileAt(p))),
            Statistic::TrimmedMean(part) => Self::Trimmed(Ordered::of(values, Trimmed(part))),
        }
    }
}

impl Resampled for Kernel {
    /// How often each value is drawn, where that matters.
    type Scratch = Vec<u32>;

    fn scratch(&self) -> Vec<u32> {
        match self {
            Self::Mean(_) | Self::MeanOfTwo(_) | Self::Spread(_) => Vec::new(),
            Self::Quantile(ordered) => vec![0; ordered.len()],
            Self::Trimmed(ordered) => vec![0; ordered.len()],
        }
    }

    fn estimate(&self) -> f64 {
        match self {
            Self::Mean(sample) => sample.mean(0.0),
            Self::MeanOfTwo(two) => two.estimate(),
            Self::Spread(sample) => spread_of(sample, sample.deviations.iter().copied()),
            Self::Quantile(ordered) => ordered.estimate(),
            Self::Trimmed(ordered) => ordered.estimate(),
        }
    }

    fn replicate(&self, counts: &mut Vec<u32>, random: &mut SplitMix64) -> f64 {
        match self {
            Self::Mean(sample) => mean_of_drawn(sample, random),
            Self::MeanOfTwo(two) => two.replicate(random),
            Self::Spread(sample) => spread_of_drawn(sample, random),
            Self::Quantile(ordered) => ordered.replicate(counts, random),
            Self::Trimmed(ordered) => ordered.replicate(counts, random),
        }
    }

    fn terms(&self) -> Vec<f64> {
        match self {
            Self::Mean(sample) => {
                let n = sample.deviations.len() as f64;
                let unit = |deviation: &f64| deviation / n * sample.scale;
                sample.deviations.iter().map(unit).collect()
            }
            Self::MeanOfTwo(two) => two.terms(),
            Self::Spread(sample) => {
                let terms = jackknife::spread(&sample.deviations);
                terms.into_iter().map(|term| term * sample.scale).collect()
            }
            Self::Quantile(ordered) => ordered.terms(),
            Self::Trimmed(ordered) => ordered.terms(),
        }
    }
}

fn mean_of_drawn(sample: &Centred, random: &mut SplitMix64) -> f64 {
    let deviations = &sample.deviations[..];
    let n = deviations.len();
    let bound = n as u32;
    // Two sums, so that an addition need not wait for the one before.
    let mut sums = [0.0, 0.0];
    for _ in 0..n / 2 {
        let (first, second) = two_below(random, bound);
        sums[0] += deviations[first];
        sums[1] += deviations[second];
    }
    if n % 2 == 1 {
        sums[0] += deviations[one_below(random, bound)];
    }
    sample.mean((sums[0] + sums[1]) / n as f64)
}

fn spread_of_drawn(sample: &Centred, random: &mut SplitMix64) -> f64 {
    let n = sample.deviations.len();
    let (mut sum, mut squares) = (0.0, 0.0);
    each_drawn(random, n, |at| {
        let deviation = sample.deviations[at];
        sum += deviation;
        squares += deviation * deviation;
    });
    root_of(sum, squares, n) * sample.scale
}

/// The standard deviation of as many deviations as the sample has.
pub(super) fn spread_of(sample: &Centred, drawn: impl Iterator<Item = f64>) -> f64 {
    let (sum, squares) = drawn.fold((0.0, 0.0), |(sum, squares), deviation| {
        (sum + deviation, squares + deviation * deviation)
    });
    root_of(sum, squares, sample.deviations.len()) * sample.scale
}

/// The root of (Σd² − (Σd)²/n) / (n − 1); 0 where only the sums' rounding is left.
pub(super) fn root_of(sum: f64, squares: f64, n: usize) -> f64 {
    let n = n as f64;
    let about_mean = squares - sum * sum / n;
    if about_mean <= squares * n * f64::EPSILON {
        return 0.0;
    }
    (about_mean / (n - 1.0)).sqrt()
}

/// A ratio of the means of pairs.
pub(super) struct Ratio {
    pub(super) pairs: Vec<(f64, f64)>,
}

impl Ratio {
    fn totals(&self) -> (f64, f64) {
        let over = sum(self.pairs.iter().map(|pair| pair.0)).value();
        (over, sum(self.pairs.iter().map(|pair| pair.1)).value())
    }
}

impl Resampled for Ratio {
    type Scratch = ();

    fn scratch(&self) {}

    fn estimate(&self) -> f64 {
        let (over, under) = self.totals();
        over / under
    }

    fn replicate(&self, (): &mut (), random: &mut SplitMix64) -> f64 {
        let (mut over, mut under) = (0.0, 0.0);
        each_drawn(random, self.pairs.len(), |at| {
            over += self.pairs[at].0;
            under += self.pairs[at].1;
        });
        over / under
    }

    fn terms(&self) -> Vec<f64> {
        let (over, under) = self.totals();
        let without: Vec<f64> = self
            .pairs
            .iter()
            .map(|pair| (over - pair.0) / (under - pair.1))
            .collect();
        jackknife::terms_of(&without)
    }
}

/// Any statistic of a list of observations.
pub(super) struct Any<'sample, T, F> {
    pub(super) observations: &'sample [T],
    pub(super) statistic: F,
}

impl<T: Clone + Sync, F: Fn(&[T]) -> f64 + Sync> Resampled for Any<'_, T, F> {
    type Scratch = Vec<T>;

    fn scratch(&self) -> Vec<T> {
        Vec::with_capacity(self.observations.len())
    }

    fn estimate(&self) -> f64 {
        (self.statistic)(self.observations)
    }

    fn replicate(&self, resample: &mut Vec<T>, random: &mut SplitMix64) -> f64 {
        resample.clear();
        each_drawn(random, self.observations.len(), |at| {
            resample.push(self.observations[at].clone());
        });
        (self.statistic)(resample)
    }

    fn terms(&self) -> Vec<f64> {
        let without: Vec<f64> = (0..self.observations.len())
            .map(|left_out| {
                let mut rest = self.observations.to_vec();
                rest.remove(left_out);
                (self.statistic)(&rest)
            })
            .collect();
        jackknife::terms_of(&without)
    }
}

/// The difference of the statistics of two independent samples.
pub(super) struct Difference<A, B>(pub(super) A, pub(super) B);

impl<A: Resampled, B: Resampled> Resampled for Difference<A, B> {
    type Scratch = (A::Scratch, B::Scratch);

    fn scratch(&self) -> Self::Scratch {
        (self.0.scratch(), self.1.scratch())
    }

    fn estimate(&self) -> f64 {
        self.0.estimate() - self.1.estimate()
    }

    fn replicate(&self, scratch: &mut Self::Scratch, random: &mut SplitMix64) -> f64 {
        let first = self.0.replicate(&mut scratch.0, random);
        first - self.1.replicate(&mut scratch.1, random)
    }

    fn terms(&self) -> Vec<f64> {
        let second = self.1.terms().into_iter().map(|term| -term);
        self.0.terms().into_iter().chain(second).collect()
    }
}
