//! The realistic mix: twenty series as training loops log them, from a seed.
//!
//! Losses widened from `f32` and in full precision with noise, accuracies with four decimals and as ratios of
//! 512, a cosine learning rate, counters, constants, utilisation in percent, memory in steps, heavy-tailed
//! norms, values of bf16, moving averages.

/// A small generator, so that every run of the bench sees the same data (SplitMix64).
pub(crate) struct Random(u64);

impl Random {
    /// From a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    /// Uniform in 0..1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * 2.0_f64.powi(-53)
    }

    /// Roughly normal: the sum of twelve uniforms less six.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

/// The names of the twenty series.
pub(crate) const KEYS: [&str; 20] = [
    "train/loss",
    "val/loss",
    "train/loss_f64",
    "train/accuracy",
    "val/accuracy",
    "train/ratio",
    "lr",
    "epoch",
    "samples",
    "constant",
    "gpu/utilisation",
    "gpu/memory",
    "grad/norm",
    "weight/norm",
    "grad/norm_bf16",
    "loss/ema",
    "step_time_ms",
    "tokens_per_s",
    "temperature",
    "beta",
];

/// The twenty series of so many steps.
pub(crate) fn columns(steps: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut random = Random::new(seed);
    let mut ema = 2.0;
    let mut columns: Vec<Vec<f64>> = (0..KEYS.len()).map(|_| Vec::with_capacity(steps)).collect();
    for step in 0..steps {
        let done = step as f64 / steps.max(1) as f64;
        let loss = 2.0 * (-3.0 * done).exp() + 0.3 + 0.05 * random.normal();
        let accuracy = (1.0 - loss / 3.0).clamp(0.0, 1.0);
        ema = 0.98 * ema + 0.02 * loss;
        let norm = (0.5 * random.normal()).exp();
        let values = [
            f64::from(loss as f32),
            f64::from((loss + 0.1 * random.normal()) as f32),
            loss,
            (accuracy * 1e4).round() / 1e4,
            ((accuracy - 0.02 + 0.01 * random.normal()) * 1e4).round() / 1e4,
            (accuracy * 512.0).round() / 512.0,
            1e-3 * 0.5 * (1.0 + (std::f64::consts::PI * done).cos()),
            (done * 10.0).floor(),
            (step * 32) as f64,
            0.9,
            (90.0 + 5.0 * random.normal()).clamp(0.0, 100.0).round(),
            11.5 + (done * 4.0).floor() * 0.25,
            f64::from(norm as f32),
            f64::from((30.0 + done + 0.01 * random.normal()) as f32),
            f64::from(f32::from_bits((norm as f32).to_bits() & 0xffff_0000)),
            f64::from(ema as f32),
            ((120.0 + 8.0 * random.normal()) * 100.0).round() / 100.0,
            (32_000.0 + 900.0 * random.normal()).round(),
            (65.0 + 2.0 * random.normal()).round(),
            0.999,
        ];
        for (column, value) in columns.iter_mut().zip(values) {
            column.push(value);
        }
    }
    columns
}
