//! The seed of a trial, computed from the experiment's base seed.
//!
//! Not here: drawing a base where the config gives none; the caller draws and records it.
//! Invariant: a seed is a pure function of base, variation, trial and policy, and a derived one fits
//! into 32 bits (the limit of NumPy's generators).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::canonical;

/// How trials get their seeds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum SeedPolicy {
    /// Each trial of each variation has a seed of its own.
    #[default]
    Derived,
    /// Trial k has the same seed in every variation, so that variations are compared in pairs.
    Paired,
    /// Every run has the base itself.
    Fixed,
}

impl SeedPolicy {
    /// All policies with their words.
    pub const ALL: [Self; 3] = [Self::Derived, Self::Paired, Self::Fixed];

    /// The word in the config.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Derived => "derived",
            Self::Paired => "paired",
            Self::Fixed => "fixed",
        }
    }
}

/// The seed of one trial: the first 4 bytes, most significant first, of SHA-256 over the canonical JSON
/// of `[base, variation, trial]`; paired hashes `[base, trial]`, fixed gives the base.
pub fn derive(base: u64, variation: &str, trial: u32, policy: SeedPolicy) -> u64 {
    match policy {
        SeedPolicy::Derived => first_bytes(&json!([base, variation, trial])),
        SeedPolicy::Paired => first_bytes(&json!([base, trial])),
        SeedPolicy::Fixed => base,
    }
}

fn first_bytes(value: &Value) -> u64 {
    let digest = canonical::sha256(canonical::to_string(value).as_bytes());
    let [first, second, third, fourth, ..] = digest;
    u64::from(u32::from_be_bytes([first, second, third, fourth]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values were computed apart, with Python: `int.from_bytes(hashlib.sha256(json.dumps(
    /// [base, variation, trial], separators=(",", ":"), ensure_ascii=False).encode()).digest()[:4], "big")`.
    #[test]
    fn seeds_equal_their_test_vectors() {
        for (base, variation, trial, seed) in [
            (42, "Cue-Based Coordination", 1, 3_670_334_935),
            (42, "Cue-Based Coordination", 2, 582_671_931),
            (42, "Polling", 1, 2_126_818_078),
            (0, "default", 1, 271_129_365),
            (
                18_446_744_073_709_551_615,
                "größe \"a\"\\\n",
                1_000_000,
                2_448_520_315,
            ),
        ] {
            assert_eq!(derive(base, variation, trial, SeedPolicy::Derived), seed);
        }
        assert_eq!(derive(42, "Polling", 1, SeedPolicy::Paired), 3_416_920_994);
        assert_eq!(
            derive(42, "Event-Driven", 2, SeedPolicy::Paired),
            1_733_771_205
        );
        assert_eq!(derive(u64::MAX, "any", 3, SeedPolicy::Fixed), u64::MAX);
    }
}
