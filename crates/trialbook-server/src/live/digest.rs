//! Short sums by which it is known whether something is as it was: no secrets, nobody gains by making two alike.
//!
//! Invariant: they are the same in every process and on every machine.

use std::fmt::{self, Write};

/// What a sum begins with.
pub(super) const EMPTY: u64 = 0xcbf2_9ce4_8422_2325;

const FNV: u64 = 0x0000_0100_0000_01b3;

/// A sum with a word behind what it was of.
pub(super) const fn with(sum: u64, word: u64) -> u64 {
    let mut mixed = sum.rotate_left(23) ^ word;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The sum of a text.
pub(super) fn of_text(text: &str) -> u64 {
    let mut sum = OfText(EMPTY);
    sum.add(text);
    sum.0
}

/// The sum of a value as it is told to developers: all that it holds is in it.
pub(super) fn of(value: &impl fmt::Debug) -> u64 {
    let mut sum = OfText(EMPTY);
    write!(sum, "{value:?}").expect("a sum takes every text");
    sum.0
}

struct OfText(u64);

impl OfText {
    fn add(&mut self, text: &str) {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(FNV);
        }
    }
}

impl Write for OfText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.add(text);
        Ok(())
    }
}
