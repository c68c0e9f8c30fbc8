//! Intervals.
//!
//! Invariant: neither end is NaN; an end may be infinite where a procedure says so.

/// An interval with both ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The low end.
    pub low: f64,
    /// The high end.
    pub high: f64,
}

impl Interval {
    /// From the low end to the high one.
    pub const fn new(low: f64, high: f64) -> Self {
        Self { low, high }
    }

    /// Half of its length.
    pub fn half_width(self) -> f64 {
        self.high / 2.0 - self.low / 2.0
    }

    /// Whether a value lies inside; the ends do.
    pub fn contains(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}
