//! Artifacts of a schedule: which bytes were put, and what of them has to be there.
//!
//! Invariant: what was acknowledged is there whole, unless nothing speaks of it and it is old enough to be
//! cleared away; whatever has the name of a sum is whole, acknowledged or not.

use std::collections::{BTreeMap, BTreeSet};

use trialbook_spool::sim::rounds::Random;
use trialbook_store::gc::DAY;
use trialbook_store::{ArtifactSum, Artifacts};

/// Lengths around sectors, and of several.
const LENGTHS: [usize; 6] = [0, 1, 511, 513, 3_000, 9_000];

/// What was acknowledged, by sum, and when the last time.
#[derive(Default)]
pub(crate) struct Shelf {
    put: BTreeMap<String, i64>,
}

impl Shelf {
    /// Puts some bytes; `None` where they were not acknowledged.
    pub(crate) fn put(
        &mut self,
        random: &mut Random,
        artifacts: &Artifacts,
        now: i64,
    ) -> Option<ArtifactSum> {
        let length = LENGTHS[random.below(LENGTHS.len() as u64) as usize];
        let first = random.below(4) as u8;
        let bytes: Vec<u8> = (0..length).map(|at| first.wrapping_add(at as u8)).collect();
        let sum = artifacts.put(&mut bytes.as_slice()).ok()?;
        assert_eq!(sum.size, length as u64);
        self.put.insert(sum.sha256.clone(), now);
        Some(sum)
    }

    /// What has to be there is, and is whole; records speak of `spoken`.
    pub(crate) fn check(&self, artifacts: &Artifacts, spoken: &BTreeSet<String>, now: i64) {
        for sum in artifacts.list().unwrap() {
            artifacts.verify(&sum).unwrap();
        }
        for sum in spoken {
            assert!(self.put.contains_key(sum), "{sum} was never acknowledged");
            artifacts.verify(sum).unwrap();
        }
        for (sum, put) in &self.put {
            if now - put < DAY {
                artifacts.verify(sum).unwrap();
            }
        }
    }
}
