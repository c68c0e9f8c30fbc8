//! Resampled rates: binomial random numbers by inversion of a table.
//!
//! Invariant: probabilities below 10⁻²⁰ of the most likely number's are taken as 0, less than a float's rounding.

use crate::random::SplitMix64;

/// The mean of a sample of two values: how many of a resample are the greater one is binomial.
pub(super) struct MeanOfTwo {
    low: f64,
    high: f64,
    n: usize,
    greater: usize,
    table: BinomialTable,
}

impl MeanOfTwo {
    /// `None` where there are not exactly two different values.
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if low == high || values.iter().any(|&value| value != low && value != high) {
            return None;
        }
        let greater = values.iter().filter(|&&value| value == high).count();
        Some(Self {
            low,
            high,
            n: values.len(),
            greater,
            table: BinomialTable::new(values.len(), greater as f64 / values.len() as f64),
        })
    }

    pub(super) fn estimate(&self) -> f64 {
        self.mean(self.greater)
    }

    pub(super) fn replicate(&self, random: &mut SplitMix64) -> f64 {
        self.mean(self.table.draw(random))
    }

    fn mean(&self, greater: usize) -> f64 {
        let share = greater as f64 / self.n as f64;
        self.low * (1.0 - share) + self.high * share
    }

    pub(super) fn terms(&self) -> Vec<f64> {
        let n = self.n as f64;
        let share = self.greater as f64 / n;
        let unit = self.high / n - self.low / n;
        let mut terms = vec![(1.0 - share) * unit; self.greater];
        terms.resize(self.n, -share * unit);
        terms
    }
}

/// The binomial distribution of a number of trials and a chance inside 0..1.
struct BinomialTable {
    /// The number that the table begins with.
    first: usize,
    /// P(X ≤ first + i).
    reached: Vec<f64>,
    /// Where to begin the search for a number of each slice of the unit interval.
    guide: Vec<u32>,
}

impl BinomialTable {
    fn new(n: usize, chance: f64) -> Self {
        /// Of the most likely number's probability.
        const NEGLIGIBLE: f64 = 1e-20;
        let mode = (((n + 1) as f64 * chance).floor() as usize).min(n);
        let odds = chance / (1.0 - chance);
        let (mut above, mut mass, mut at) = (vec![1.0], 1.0, mode);
        while at < n && mass > NEGLIGIBLE {
            mass *= (n - at) as f64 / (at + 1) as f64 * odds;
            at += 1;
            above.push(mass);
        }
        let (mut below, mut mass, mut first) = (Vec::new(), 1.0, mode);
        while first > 0 && mass > NEGLIGIBLE {
            mass *= first as f64 / (n - first + 1) as f64 / odds;
            first -= 1;
            below.push(mass);
        }
        let masses: Vec<f64> = below.into_iter().rev().chain(above).collect();
        let total: f64 = masses.iter().sum();
        let mut sum = 0.0;
        let reached: Vec<f64> = masses
            .iter()
            .map(|mass| {
                sum += mass;
                sum / total
            })
            .collect();
        let slices = reached.len();
        let guide = (0..slices)
            .map(|slice| {
                let start = slice as f64 / slices as f64;
                reached.partition_point(|&reached| reached <= start) as u32
            })
            .collect();
        Self {
            first,
            reached,
            guide,
        }
    }

    #[inline]
    fn draw(&self, random: &mut SplitMix64) -> usize {
        let unit = random.unit();
        let slice = (unit * self.guide.len() as f64) as usize;
        let mut at = self.guide[slice] as usize;
        while at + 1 < self.reached.len() && self.reached[at] <= unit {
            at += 1;
        }
        self.first + at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counting::binomial;

    #[test]
    fn numbers_come_as_often_as_the_distribution_says() {
        let (n, chance, draws) = (12, 0.3, 200_000);
        let table = BinomialTable::new(n, chance);
        let mut counts = vec![0_u32; n + 1];
        let mut random = SplitMix64::new(5);
        for _ in 0..draws {
            counts[table.draw(&mut random)] += 1;
        }
        for (k, &count) in counts.iter().enumerate() {
            let mass = binomial(n, k) * chance.powi(k as i32) * (1.0 - chance).powi((n - k) as i32);
            let expected = mass * f64::from(draws);
            let deviation = (f64::from(count) - expected) / (expected * (1.0 - mass)).sqrt();
            assert!(deviation.abs() < 5.0, "{k}: {count} of {expected}");
        }
    }

    #[test]
    fn a_large_sample_is_drawn_around_its_mean() {
        let table = BinomialTable::new(300_000, 0.9);
        let mut random = SplitMix64::new(6);
        let sum: usize = (0..1000).map(|_| table.draw(&mut random)).sum();
        assert!((sum as f64 / 1000.0 - 270_000.0).abs() < 30.0);
    }
}
