//! From the number and unit of a condition to a threshold in the metric's own unit.
//!
//! Not here: units themselves. Invariant: a conversion by a power of ten is exact, since it moves the
//! decimal point of the text: `<= 1.001s` is met by 1001 ms.

use serde::{Deserialize, Serialize};

use crate::canonical::Decimal;
use crate::unit::{self, Unit};

/// The units that a condition can have.
pub const CONDITION_UNITS: [Unit; 5] = [
    Unit::Millisecond,
    Unit::Second,
    Unit::Minute,
    Unit::Hour,
    Unit::Percent,
];

/// Ends of names that are taken for shares of one, but only where a condition is in percent: a rate may
/// also be per second.
const SHARES: [&str; 4] = ["_rate", "_ratio", "_share", "_fraction"];

/// The unit of a metric and where it is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MetricUnit {
    /// The unit.
    pub unit: Unit,
    /// True when it was read off the metric's name and not declared.
    pub assumed: bool,
}

/// The unit assumed from the end of a metric's name, for a condition in `condition` units.
pub(super) fn assumed(metric: &str, condition: Unit) -> Option<MetricUnit> {
    let by_suffix = unit::assumed(metric).map(|assumed| assumed.unit);
    let share = || {
        let folded = metric.to_ascii_lowercase();
        let is_share = SHARES.iter().any(|ending| folded.ends_with(ending));
        (condition == Unit::Percent && is_share).then_some(Unit::Ratio)
    };
    by_suffix.or_else(share).map(|unit| MetricUnit {
        unit,
        assumed: true,
    })
}

/// The number in another unit; `None` when the two measure different things.
pub(super) fn convert(number: &Decimal, from: Unit, to: Unit) -> Option<f64> {
    if from == to {
        return Some(number.to_f64());
    }
    // One of the two factors is a whole number.
    let (up, down) = (from.convert(1.0, to)?, to.convert(1.0, from)?);
    Some(if up >= 1.0 {
        let (factor, places) = split(up);
        number.shift(places).to_f64() * factor
    } else {
        let (factor, places) = split(down);
        number.shift(-places).to_f64() / factor
    })
}

/// A whole number as a factor times a power of ten.
fn split(mut whole: f64) -> (f64, i32) {
    let mut places = 0;
    while whole >= 10.0 && whole % 10.0 == 0.0 {
        whole /= 10.0;
        places += 1;
    }
    (whole, places)
}
