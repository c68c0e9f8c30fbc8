//! The summary of a series: what is known of its points without reading them.
//!
//! Invariant: summaries of the same points are equal whatever the order of [`SeriesSummary::add`] and
//! [`SeriesSummary::merge`].

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::exact_sum::ExactSum;
use crate::time::Timestamp;

/// One value of a series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The step.
    pub step: i64,
    /// The writer's wall clock.
    pub time: Timestamp,
    /// The value; NaN and infinities are data.
    pub value: f64,
}

impl Point {
    /// The order behind "the last value" (M-4): by step, time, value, where NaN is below every number.
    pub fn order(&self, other: &Self) -> Ordering {
        let value = |point: &Self| (!point.value.is_nan(), point.value);
        let ((left_real, left), (right_real, right)) = (value(self), value(other));
        self.step
            .cmp(&other.step)
            .then(self.time.cmp(&other.time))
            .then(left_real.cmp(&right_real))
            .then(left.total_cmp(&right))
    }
}

/// The folds over all points of one series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesSummary {
    /// How many points, NaN and infinities among them.
    pub count: u64,
    /// How many are NaN.
    pub nan: u64,
    /// How many are +∞.
    pub pos_inf: u64,
    /// How many are −∞.
    pub neg_inf: u64,
    /// The smallest finite value; +∞ where there is none.
    pub min: f64,
    /// The greatest finite value; −∞ where there is none.
    pub max: f64,
    /// The exact sum of the finite values.
    pub sum: ExactSum,
    /// The last point.
    pub last: Point,
    /// The smallest step.
    pub first_step: i64,
    /// The earliest time.
    pub first_time: Timestamp,
    /// The latest time.
    pub last_time: Timestamp,
}

impl SeriesSummary {
    /// The summary of one point.
    pub fn new(point: Point) -> Self {
        let mut summary = Self {
            count: 0,
            nan: 0,
            pos_inf: 0,
            neg_inf: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            sum: ExactSum::new(),
            last: point,
            first_step: point.step,
            first_time: point.time,
            last_time: point.time,
        };
        summary.add(point);
        summary
    }

    /// Adds a point.
    pub fn add(&mut self, point: Point) {
        self.count += 1;
        let value = point.value;
        if value.is_finite() {
            self.min = self.min.min(value) + 0.0;
            self.max = self.max.max(value) + 0.0;
            self.sum.add(value);
        } else if value.is_nan() {
            self.nan += 1;
        } else if value > 0.0 {
            self.pos_inf += 1;
        } else {
            self.neg_inf += 1;
        }
        self.reach(point, point.step, point.time, point.time);
    }

    /// Adds what another summary holds of other points of the series.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.nan += other.nan;
        self.pos_inf += other.pos_inf;
        self.neg_inf += other.neg_inf;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum.merge(&other.sum);
        self.reach(
            other.last,
            other.first_step,
            other.first_time,
            other.last_time,
        );
    }

    fn reach(&mut self, last: Point, step: i64, first_time: Timestamp, last_time: Timestamp) {
        if self.last.order(&last) == Ordering::Less {
            self.last = last;
        }
        self.first_step = self.first_step.min(step);
        self.first_time = self.first_time.min(first_time);
        self.last_time = self.last_time.max(last_time);
    }

    /// How many values are finite.
    pub fn finite(&self) -> u64 {
        self.count - self.nan - self.pos_inf - self.neg_inf
    }

    /// The smallest finite value, if there is one.
    pub fn min(&self) -> Option<f64> {
        (self.finite() > 0).then_some(self.min)
    }

    /// The greatest finite value, if there is one.
    pub fn max(&self) -> Option<f64> {
        (self.finite() > 0).then_some(self.max)
    }

    /// The mean of the finite values, if there is one.
    pub fn mean(&self) -> Option<f64> {
        self.sum.mean(self.finite())
    }
}
