//! New points of a series.
//!
//! A point has no number: series are told in the order of points, and a position is how many were told together with
//! sums of what stands before some places. Where a sum still fits, everything before that place is as it was told,
//! whatever was sealed meanwhile. A point that belongs before others that were told moves them: then all from a place
//! before it are told again, and `from` says which place that is. Not here: buckets. Invariant: whoever keeps the
//! points before `from` and puts what is told behind them has the series as it is.

use serde::Serialize;
use trialbook_model::float::Float;
use trialbook_model::record::SeriesKey;
use trialbook_spool::codec::order_of;
use trialbook_store::nouns::{Owner, Series};
use trialbook_store::{BookError, BookView};

use super::delta::Delta;
use super::digest;
use super::position::{Base, Position, SeriesAt, mark_places};

/// Points that are told at once.
const MOST_POINTS: u64 = 32_768;

/// The name of the event.
const WORD: &str = "series";

#[derive(Serialize)]
struct Told<'a> {
    topic: &'a str,
    /// How many points stay before these.
    from: u64,
    steps: &'a [i64],
    /// Microseconds since 1970.
    times: &'a [i64],
    values: Vec<Float>,
}

/// Some points in a row, behind others whose sum is known.
struct Stretch {
    /// How many are before.
    before: u64,
    /// The sum of those.
    sum: u64,
    points: Series,
}

impl Stretch {
    fn end(&self) -> u64 {
        self.before + self.points.len() as u64
    }

    /// The sums before each of its points and behind the last one.
    fn sums(&self) -> Vec<u64> {
        let mut sum = self.sum;
        let mut sums = Vec::with_capacity(self.points.len() + 1);
        sums.push(sum);
        for at in 0..self.points.len() {
            sum = digest::with(sum, self.points.steps[at].cast_unsigned());
            sum = digest::with(sum, self.points.times[at].cast_unsigned());
            sum = digest::with(sum, self.points.values[at].to_bits());
            sums.push(sum);
        }
        sums
    }
}

/// The position in a series; before its first point where nothing of it is known.
fn begun(from: &Position) -> SeriesAt {
    match from {
        Position::Series(at) => at.clone(),
        Position::Start
        | Position::Now
        | Position::Records(_)
        | Position::Runs(_)
        | Position::Gone => SeriesAt {
            marks: vec![(0, digest::EMPTY)],
            base: None,
        },
    }
}

/// What follows a position.
pub(super) fn delta(
    view: &BookView<'_>,
    (of, key): (&Owner, &SeriesKey),
    from: &Position,
    topic: &str,
) -> Result<Delta, BookError> {
    let at = begun(from);
    let (stretch, base) = stretch(view, (of, key), at.base)?;
    let sums = stretch.sums();
    let sum_at = |place: u64| {
        let inside = usize::try_from(place.checked_sub(stretch.before)?).ok()?;
        sums.get(inside).copied()
    };
    // Before the stretch nothing has changed since the position was made.
    let fits = |(place, sum): &&(u64, u64)| {
        *place < stretch.before || sum_at(*place).is_some_and(|now| now == *sum)
    };
    let kept = at.marks.iter().find(fits).map_or(0, |(place, _)| *place);
    let is_silent = *from == Position::Now;
    let (begin, end) = if is_silent {
        (stretch.end(), stretch.end())
    } else {
        (kept, stretch.end().min(kept.saturating_add(MOST_POINTS)))
    };
    // The sealed points have to be told again where not even their end fits.
    if begin < stretch.before && end > begin {
        return whole_delta(view, (of, key), begin, topic);
    }
    let was_all = at.marks.first().is_some_and(|(place, _)| *place == kept);
    let known = |place: u64| {
        let old = at
            .marks
            .iter()
            .find(|(known, _)| *known == place && place <= kept);
        sum_at(place).or(old.map(|(_, sum)| *sum))
    };
    let mut marks: Vec<(u64, u64)> = Vec::new();
    for place in mark_places(end) {
        let inside = known(place).map(|sum| (place, sum));
        // What lies before the stretch is known at the old places alone.
        let near = || {
            at.marks
                .iter()
                .copied()
                .find(|(old, _)| *old <= place.min(kept))
        };
        let start = (stretch.before <= place).then_some((stretch.before, stretch.sum));
        if let Some(mark) = inside.or_else(near).or(start)
            && marks.last().is_none_or(|(last, _)| mark.0 < *last)
        {
            marks.push(mark);
        }
    }
    let more = end < stretch.end();
    let to = Position::Series(SeriesAt { marks, base });
    if is_silent || end == begin && was_all {
        return Ok(Delta {
            more,
            ..Delta::silent(to)
        });
    }
    let cut = |place: u64| usize::try_from(place - stretch.before).unwrap_or(usize::MAX);
    let range = cut(begin)..cut(end);
    Ok(told(&stretch.points, range, (begin, topic), (to, more)))
}

/// The same over all points.
fn whole_delta(
    view: &BookView<'_>,
    series: (&Owner, &SeriesKey),
    begin: u64,
    topic: &str,
) -> Result<Delta, BookError> {
    let (stretch, base) = whole(view, series)?;
    let sums = stretch.sums();
    let end = stretch.end().min(begin.saturating_add(MOST_POINTS));
    let marks = mark_places(end).into_iter();
    let marks = marks.filter_map(|place| Some((place, *sums.get(usize::try_from(place).ok()?)?)));
    let marks = marks.collect();
    let to = Position::Series(SeriesAt { marks, base });
    let cut = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
    let range = cut(begin.min(end))..cut(end);
    let more = end < stretch.end();
    Ok(told(&stretch.points, range, (begin, topic), (to, more)))
}

fn told(
    points: &Series,
    range: std::ops::Range<usize>,
    (from, topic): (u64, &str),
    (to, more): (Position, bool),
) -> Delta {
    let told = Told {
        topic,
        from,
        steps: &points.steps[range.clone()],
        times: &points.times[range.clone()],
        values: points.values[range].iter().copied().map(Float).collect(),
    };
    let data = serde_json::to_vec(&told).expect("numbers are JSON");
    Delta {
        more,
        ..Delta::of(WORD, data, to)
    }
}

/// The points that may have changed: those behind the sealed ones where these are known and stay before all others,
/// else all.
fn stretch(
    view: &BookView<'_>,
    (of, key): (&Owner, &SeriesKey),
    base: Option<Base>,
) -> Result<(Stretch, Option<Base>), BookError> {
    if let Some(base) = base.filter(|base| base.rev == view.version().rev) {
        let points = view.unsealed_points(of, key);
        if first_of(&points).is_none_or(|first| base.last.is_none_or(|last| last <= first)) {
            let stretch = Stretch {
                before: base.count,
                sum: base.sum,
                points,
            };
            return Ok((stretch, Some(base)));
        }
    }
    whole(view, (of, key))
}

/// All points, and what is to be known of the sealed ones.
fn whole(
    view: &BookView<'_>,
    (of, key): (&Owner, &SeriesKey),
) -> Result<(Stretch, Option<Base>), BookError> {
    let sealed = Stretch {
        before: 0,
        sum: digest::EMPTY,
        points: view.sealed_points(of, key)?,
    };
    let unsealed = view.unsealed_points(of, key);
    let last = last_of(&sealed.points);
    let first = first_of(&unsealed);
    let is_apart = first.is_none_or(|first| last.is_none_or(|last| last <= first));
    let base = is_apart.then(|| Base {
        rev: view.version().rev,
        count: sealed.end(),
        sum: sealed.sums().last().copied().unwrap_or(digest::EMPTY),
        last,
    });
    let stretch = Stretch {
        points: merged(sealed.points, &unsealed),
        ..sealed
    };
    Ok((stretch, base))
}

fn rank(points: &Series, at: usize) -> Option<(i64, i64, u64)> {
    Some(order_of(
        *points.steps.get(at)?,
        *points.times.get(at)?,
        *points.values.get(at)?,
    ))
}

fn first_of(points: &Series) -> Option<(i64, i64, u64)> {
    rank(points, 0)
}

fn last_of(points: &Series) -> Option<(i64, i64, u64)> {
    rank(points, points.len().checked_sub(1)?)
}

/// Two series in order as one.
fn merged(mut one: Series, other: &Series) -> Series {
    let is_behind = first_of(other) >= last_of(&one) || other.is_empty();
    if is_behind || one.is_empty() {
        one.steps.extend_from_slice(&other.steps);
        one.times.extend_from_slice(&other.times);
        one.values.extend_from_slice(&other.values);
        return one;
    }
    let mut all = Series::default();
    let (mut left, mut right) = (0, 0);
    loop {
        let from_left = match (rank(&one, left), rank(other, right)) {
            (None, None) => return all,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(left), Some(right)) => left <= right,
        };
        let point = if from_left {
            left += 1;
            one.point(left - 1)
        } else {
            right += 1;
            other.point(right - 1)
        };
        if let Some(point) = point {
            all.push(point);
        }
    }
}
