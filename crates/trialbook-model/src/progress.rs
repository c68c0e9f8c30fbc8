//! How long the runs of an experiment that are left will take, by those that were.
//!
//! Not here: how far one run is by its own reports (`state::ProgressHistory`). Invariant: too few runs give no
//! answer rather than a bad one.

/// Ended runs before a time left is told.
const ENOUGH: usize = 3;

/// How long `left` runs will take, in microseconds: by the median of those that were, and by their ninth decile.
/// So many `lanes` go on side by side, and have spent some time on what they do. `None` before three were.
pub fn remaining(took: &mut [i64], left: u64, (lanes, spent): (u64, i64)) -> Option<(i64, i64)> {
    if took.len() < ENOUGH || lanes == 0 {
        return None;
    }
    took.sort_unstable();
    let at = |tenths: usize| took[(took.len() - 1) * tenths / 10];
    let all = |each: i64| {
        let work = i128::from(each) * i128::from(left) - i128::from(spent);
        let time = work.max(0) / i128::from(lanes);
        i64::try_from(time).unwrap_or(i64::MAX)
    };
    Some((all(at(5)), all(at(9))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_follows_from_what_was() {
        assert_eq!(remaining(&mut [5, 5], 1, (1, 0)), None);
        assert_eq!(remaining(&mut [5, 5, 5], 1, (0, 0)), None);
        let mut took = [10, 30, 20, 40, 50, 60, 70, 80, 90, 1000, 100];
        assert_eq!(remaining(&mut took, 4, (2, 0)), Some((120, 200)));
        assert_eq!(remaining(&mut took, 4, (2, 100)), Some((70, 150)));
        assert_eq!(remaining(&mut took, 1, (1, 10_000)), Some((0, 0)));
        assert_eq!(
            remaining(&mut [i64::MAX; 3], u64::MAX, (1, 0)),
            Some((i64::MAX, i64::MAX))
        );
    }
}
