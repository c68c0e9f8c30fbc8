//! All points of a series: sealed chunks and what is new.
//!
//! Not here: buckets of them.

use trialbook_model::record::SeriesKey;
use trialbook_spool::codec::order_of;

use super::BookView;
use crate::error::BookError;
use crate::nouns::{Owner, Series};

impl BookView<'_> {
    /// All points of a series, in the order of points.
    pub(super) fn points_of(&self, of: &Owner, key: &SeriesKey) -> Result<Series, BookError> {
        let (places, kept) = self.places(of)?;
        let mut series = self.sealed.series(&places, key)?;
        if let Some(kept) = kept
            && let Some(slot) = kept.points.known_slot(key)
        {
            let new = kept.points.columns(slot);
            series.steps.extend(new.steps);
            series.times.extend(new.times);
            series.values.extend(new.values);
        }
        Ok(sorted(series))
    }
}

/// In the order of points: stored order mostly is it.
pub(super) fn sorted(series: Series) -> Series {
    let rank = |at: usize| order_of(series.steps[at], series.times[at], series.values[at]);
    if (1..series.len()).all(|at| rank(at - 1) <= rank(at)) {
        return series;
    }
    let mut order: Vec<usize> = (0..series.len()).collect();
    order.sort_by_key(|at| rank(*at));
    Series {
        steps: order.iter().map(|at| series.steps[*at]).collect(),
        times: order.iter().map(|at| series.times[*at]).collect(),
        values: order.iter().map(|at| series.values[*at]).collect(),
    }
}
