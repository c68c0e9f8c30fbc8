//! What a study will take (S-17): calls, hours, dollars.
//!
//! Invariant: what the plan does not say is not estimated: without a benchmark nobody knows how many calls there
//! will be.

use serde::Serialize;

use super::{Provider, Study};

/// Questions of a benchmark that does not say how many are asked.
const DEFAULT_SAMPLES: u64 = 1000;
/// Dollars of a call of a paid service.
const DEFAULT_PRICE: f64 = 0.001;
/// Seconds of a call.
const SECONDS: f64 = 2.0;

/// What a study will take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// Calls of models: models × questions × levels × methods.
    pub api_calls: u64,
    /// Hours where one call follows the other, at two seconds each.
    pub hours: f64,
    /// Dollars: each paid model's own calls by its price.
    pub cost: f64,
    /// Gigabytes of memory.
    pub memory_gb: f64,
    /// Gigabytes on the disk.
    pub storage_gb: f64,
}

impl Study {
    /// The most questions of a benchmark; `None` without one.
    pub fn max_samples(&self) -> Option<u64> {
        let sizes = self
            .benchmarks
            .iter()
            .map(|benchmark| benchmark.sample_size);
        sizes.map(|size| size.unwrap_or(DEFAULT_SAMPLES)).max()
    }

    /// What it will take; `None` without a benchmark.
    pub fn estimate(&self) -> Option<Estimate> {
        if self.benchmarks.is_empty() {
            return None;
        }
        let sizes = self
            .benchmarks
            .iter()
            .map(|benchmark| benchmark.sample_size);
        let samples: u64 = sizes
            .map(|size| size.unwrap_or(DEFAULT_SAMPLES))
            .fold(0, u64::saturating_add);
        let scrambling = &self.scrambling;
        let each = samples
            .saturating_mul(scrambling.levels.len() as u64)
            .saturating_mul(scrambling.methods.len() as u64);
        let price = |model: &super::Model| match (model.provider, model.price_per_call) {
            (_, Some(price)) => price,
            (Provider::Ollama, None) => 0.0,
            (Provider::Openrouter, None) => DEFAULT_PRICE,
        };
        let api_calls = each.saturating_mul(self.models.len() as u64);
        Some(Estimate {
            api_calls,
            hours: api_calls as f64 * SECONDS / 3600.0,
            cost: self
                .models
                .iter()
                .map(|model| price(model) * each as f64)
                .sum(),
            memory_gb: 4.0,
            storage_gb: 1.0,
        })
    }
}
