use proptest::prelude::*;

use super::*;
use crate::codec::{axis_rolls, value_rolls};

#[derive(Debug, Clone)]
struct Case {
    spec: BucketSpec,
    steps: Vec<i64>,
    times: Vec<i64>,
    values: Vec<f64>,
}

fn any_case() -> impl Strategy<Value = Case> {
    let value = prop_oneof![
        8 => -1e3..1e3_f64,
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.0, f64::MAX]),
    ];
    let points = prop::collection::vec((-50..50_i64, 0..40_i64, value), 0..600);
    let spec = (any::<bool>(), -60..60_i64, -10..130_i64, 0..70_usize);
    (points, spec, any::<bool>()).prop_map(|(mut points, (by_time, from, wide, count), sort)| {
        if sort {
            points.sort_by_key(|point| (point.0, point.1));
        }
        Case {
            spec: BucketSpec {
                along: if by_time { Along::Time } else { Along::Step },
                from,
                to: from + wide,
                count,
            },
            steps: points.iter().map(|point| point.0).collect(),
            times: points.iter().map(|point| point.1).collect(),
            values: points.iter().map(|point| point.2).collect(),
        }
    })
}

fn fold(case: &Case, range: std::ops::Range<usize>) -> Buckets {
    let axis = Axis::new(
        case.steps[range.clone()].to_vec(),
        case.times[range.clone()].to_vec(),
    );
    let mut buckets = Buckets::new(case.spec);
    buckets
        .add_values(&axis.unwrap(), &case.values[range])
        .unwrap();
    buckets
}

fn assert_same(left: &Buckets, right: &Buckets) {
    for (left, right) in left.as_slice().iter().zip(right.as_slice()) {
        let counts = |b: &Bucket| [b.finite, b.nan, b.pos_inf, b.neg_inf];
        assert_eq!(counts(left), counts(right));
        let bits = |b: &Bucket| [b.min.to_bits(), b.max.to_bits(), b.last.to_bits()];
        assert_eq!(bits(left), bits(right));
        let spans = |b: &Bucket| [b.first_step, b.last_step, b.first_time, b.last_time];
        assert_eq!(spans(left), spans(right));
        let near = (left.sum - right.sum).abs()
            <= 1e-9 * (1.0 + left.sum.abs() + 1e3 * left.finite as f64);
        assert!(
            near || left.sum == right.sum || left.max == f64::MAX,
            "{} {}",
            left.sum,
            right.sum
        );
    }
}

/// The same by the plainest means.
fn plain(case: &Case) -> Vec<Bucket> {
    let shell = Buckets::new(case.spec);
    let places = match case.spec.along {
        Along::Step => &case.steps,
        Along::Time => &case.times,
    };
    (0..shell.as_slice().len())
        .map(|at| {
            let (first, last) = shell.bounds(at).unwrap();
            let mut inside: Vec<usize> = (0..places.len())
                .filter(|&k| places[k] >= first && places[k] <= last)
                .collect();
            let mut bucket = Bucket::EMPTY;
            inside.sort_by_key(|&k| order_of(case.steps[k], case.times[k], case.values[k]));
            for k in inside {
                bucket.add_value(case.values[k]);
                bucket.last = case.values[k];
                bucket.widen(
                    (case.steps[k], case.steps[k]),
                    (case.times[k], case.times[k]),
                );
            }
            bucket
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn buckets_equal_the_plain_definition(case in any_case()) {
        let folded = fold(&case, 0..case.values.len());
        let expected = Buckets { filled: plain(&case), ..folded.clone() };
        assert_same(&folded, &expected);
        prop_assert_eq!(folded.detail(), Detail::Exact);
    }

    #[test]
    fn the_fold_of_the_whole_is_the_fold_of_its_parts(case in any_case(), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(case.values.len() + 1);
        let whole = fold(&case, 0..case.values.len());
        let (first, second) = (fold(&case, 0..cut), fold(&case, cut..case.values.len()));
        let mut joined = second.clone();
        joined.merge(&first).unwrap();
        assert_same(&whole, &joined);
        let mut joined = first;
        joined.merge(&second).unwrap();
        assert_same(&whole, &joined);
    }

    /// Roll-ups count every point once, inside bounds no tighter than the exact ones.
    #[test]
    fn rolls_amount_to_the_exact_fold_over_the_whole_range(case in any_case()) {
        let axis = Axis::new(case.steps.clone(), case.times.clone()).unwrap();
        let spec = BucketSpec { from: -100, to: 100, count: 1, ..case.spec };
        let mut exact = Buckets::new(spec);
        exact.add_values(&axis, &case.values).unwrap();
        let mut rolled = Buckets::new(spec);
        rolled.add_rolls(&axis_rolls(&axis), &value_rolls(&axis, &case.values).unwrap()).unwrap();
        let (exact, snapped) = (exact.as_slice()[0], rolled.as_slice()[0]);
        prop_assert_eq!(exact.count(), snapped.count());
        prop_assert_eq!(exact.finite, snapped.finite);
        prop_assert!(snapped.min <= exact.min && exact.max <= snapped.max);
        if !case.values.is_empty() {
            prop_assert_eq!(rolled.detail(), Detail::Snapped);
            prop_assert_eq!(exact.first_step, snapped.first_step);
            prop_assert_eq!(exact.last_step, snapped.last_step);
        }
    }
}

#[test]
fn bounds_cover_the_range_without_gap() {
    for (from, to, count) in [
        (0, 9, 3),
        (5, 5, 4),
        (i64::MIN, i64::MAX, 7),
        (i64::MIN, i64::MAX, 1),
        (0, 999_999, 1000),
        (3, 2, 2),
    ] {
        let spec = BucketSpec {
            along: Along::Step,
            from,
            to,
            count,
        };
        let buckets = Buckets::new(spec);
        assert_eq!(buckets.bounds(0).unwrap().0, from);
        assert_eq!(buckets.bounds(count - 1).unwrap().1, to);
        for at in 1..count {
            let (before, here) = (buckets.bounds(at - 1).unwrap(), buckets.bounds(at).unwrap());
            assert_eq!(before.1.wrapping_add(1), here.0);
        }
        assert!(buckets.bounds(count).is_none());
    }
}

#[test]
fn two_ranges_do_not_merge_and_lengths_must_agree() {
    let spec = BucketSpec {
        along: Along::Step,
        from: 0,
        to: 9,
        count: 3,
    };
    let mut buckets = Buckets::new(spec);
    assert!(
        buckets
            .merge(&Buckets::new(BucketSpec { to: 8, ..spec }))
            .is_err()
    );
    let axis = Axis::new(vec![1], vec![1]).unwrap();
    assert!(buckets.add_values(&axis, &[]).is_err());
    assert!(buckets.add_rolls(&axis_rolls(&axis), &[]).is_err());
    buckets.add_values(&axis, &[2.0]).unwrap();
    assert_eq!(buckets.as_slice()[0].mean(), Some(2.0));
    buckets.clear();
    assert!(buckets.as_slice().iter().all(Bucket::is_empty));
    assert_eq!(buckets.as_slice()[0].mean(), None);
}
