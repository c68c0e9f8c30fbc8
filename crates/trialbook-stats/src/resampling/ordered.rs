//! Statistics of the order of a sample: quantiles and trimmed means.
//!
//! Invariant: a resample is never sorted; how often each value of the sorted sample is drawn says it all.

use super::jackknife;
use super::kernels::each_drawn;
use crate::random::SplitMix64;

/// A statistic of the order of the sample: it is enough to count how often each value is drawn.
pub(super) struct Ordered<S> {
    sorted: Vec<f64>,
    statistic: S,
}

/// A statistic of a sorted sample.
pub(super) trait OfSorted: Sync {
    /// Its value where value `i` is taken `counts[i]` times, `n` altogether.
    fn of_counts(&self, sorted: &[f64], counts: &[u32]) -> f64;

    /// Its value for the sorted sample without the value at each place.
    fn without_each(&self, sorted: &[f64]) -> Vec<f64>;
}

impl<S: OfSorted> Ordered<S> {
    pub(super) fn of(values: &[f64], statistic: S) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Self { sorted, statistic }
    }
}

impl<S: OfSorted> Ordered<S> {
    pub(super) const fn len(&self) -> usize {
        self.sorted.len()
    }

    pub(super) fn estimate(&self) -> f64 {
        let once = vec![1; self.sorted.len()];
        self.statistic.of_counts(&self.sorted, &once)
    }

    pub(super) fn replicate(&self, counts: &mut [u32], random: &mut SplitMix64) -> f64 {
        counts.fill(0);
        each_drawn(random, self.sorted.len(), |at| counts[at] += 1);
        self.statistic.of_counts(&self.sorted, counts)
    }

    pub(super) fn terms(&self) -> Vec<f64> {
        jackknife::terms_of(&self.statistic.without_each(&self.sorted))
    }
}

/// A quantile of type 7.
pub(super) struct QuantileAt(pub(super) f64);

impl OfSorted for QuantileAt {
    fn of_counts(&self, sorted: &[f64], counts: &[u32]) -> f64 {
        let place = (sorted.len() - 1) as f64 * self.0;
        let first = place.floor() as u32;
        let (at, reached) = place_of(counts, first);
        let below = sorted[at];
        let part = place - place.floor();
        if part == 0.0 {
            return below;
        }
        // The next value of the resample: the same one again, or the next that was drawn.
        let above = if reached > first + 1 {
            below
        } else {
            let next = counts[at + 1..].iter().position(|&count| count > 0);
            next.map_or(below, |step| sorted[at + 1 + step])
        };
        (below * (1.0 - part) + above * part).clamp(below, above)
    }

    fn without_each(&self, sorted: &[f64]) -> Vec<f64> {
        let place = (sorted.len() - 2) as f64 * self.0;
        let (first, part) = (place.floor() as usize, place - place.floor());
        (0..sorted.len())
            .map(|left_out| {
                let value = |at: usize| sorted[at + usize::from(at >= left_out)];
                let below = value(first);
                let above = value(place.ceil() as usize);
                (below * (1.0 - part) + above * part).clamp(below, above)
            })
            .collect()
    }
}

/// Where the value of rank `rank` (from 0) lies, and how many values lie up to its place.
fn place_of(counts: &[u32], rank: u32) -> (usize, u32) {
    /// Counts that are added up at once.
    const BLOCK: usize = 32;
    let mut reached = 0;
    for (at, block) in counts.chunks(BLOCK).enumerate() {
        let here: u32 = block.iter().sum();
        if reached + here <= rank {
            reached += here;
            continue;
        }
        for (inside, count) in block.iter().enumerate() {
            reached += count;
            if reached > rank {
                return (at * BLOCK + inside, reached);
            }
        }
    }
    (counts.len() - 1, reached)
}

/// The mean without the lowest and the highest ⌊n · part⌋ values.
pub(super) struct Trimmed(pub(super) f64);

impl Trimmed {
    fn cut(&self, n: usize) -> usize {
        (n as f64 * self.0).floor() as usize
    }
}

impl OfSorted for Trimmed {
    fn of_counts(&self, sorted: &[f64], counts: &[u32]) -> f64 {
        let n = sorted.len();
        let cut = self.cut(n) as u32;
        let end = n as u32 - cut;
        let (mut reached, mut sum) = (0, 0.0);
        // Deviations from the middle keep the digits of a sample far from 0.
        let centre = sorted[n / 2];
        for (value, &count) in sorted.iter().zip(counts) {
            let (from, to) = (reached.max(cut), (reached + count).min(end));
            reached += count;
            if to > from {
                sum += (value - centre) * f64::from(to - from);
            }
        }
        centre + sum / f64::from(end - cut)
    }

    fn without_each(&self, sorted: &[f64]) -> Vec<f64> {
        let n = sorted.len();
        let cut = self.cut(n - 1);
        let centre = sorted[n / 2];
        // The window of the shorter sample is [cut, n − 1 − cut); a value left out before it shifts it by one.
        let (first, last) = (cut, n - 1 - cut);
        let of = |at: usize| sorted[at] - centre;
        let window: f64 = (first..=last).map(of).sum();
        (0..n)
            .map(|left_out| {
                let gone = of(left_out.clamp(first, last));
                centre + (window - gone) / (last - first) as f64
            })
            .collect()
    }
}
