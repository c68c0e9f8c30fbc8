use proptest::prelude::*;

use super::*;

fn sum(values: &[f64]) -> ExactSum {
    values.iter().copied().collect()
}

fn check(values: &[f64], expected: f64) {
    let value = sum(values).value();
    assert_eq!(value.to_bits(), expected.to_bits(), "{values:?}: {value:?}");
}

#[test]
fn known_sums_are_rounded_once() {
    check(&[], 0.0);
    check(&[-0.0], 0.0);
    check(&[0.1; 10], 1.0);
    check(&[1e100, 1.0, -1e100], 1.0);
    check(&[1e308, 1e308, -1e308], 1e308);
    check(&[f64::MAX, f64::MAX, -f64::MAX, -f64::MAX, 5e-324], 5e-324);
    check(&[f64::MAX, f64::MAX], f64::INFINITY);
    check(&[-f64::MAX, -f64::MAX], f64::NEG_INFINITY);
    check(&[5e-324, 5e-324], 1e-323);
    check(&[f64::MIN_POSITIVE, -5e-324], f64::MIN_POSITIVE - 5e-324);
    check(&[f64::NAN, 1.0, f64::INFINITY], 1.0);
}

#[test]
fn halves_go_to_even_and_anything_below_decides() {
    let half = f64::EPSILON / 2.0;
    check(&[1.0, half], 1.0);
    check(&[1.0 + f64::EPSILON, half], 1.0 + 2.0 * f64::EPSILON);
    check(&[1.0, half, 5e-324], 1.0 + f64::EPSILON);
    check(&[1.0, half, -5e-324], 1.0);
    // The greatest finite number and half a unit round to infinity, a hair less does not.
    let half_unit = 2_f64.powi(970);
    check(&[f64::MAX, half_unit], f64::INFINITY);
    check(&[f64::MAX, half_unit, -5e-324], f64::MAX);
}

#[test]
fn a_mean_is_finite_where_its_sum_is_not() {
    assert_eq!(sum(&[1e308, 1.5e308]).mean(2), Some(1.25e308));
    assert_eq!(sum(&[-f64::MAX; 7]).mean(7), Some(-f64::MAX));
    assert_eq!(sum(&[1.0, 2.0]).mean(2), Some(1.5));
    assert_eq!(sum(&[]).mean(0), None);
}

#[test]
fn carries_do_not_change_a_sum() {
    let mut carried = sum(&[0.1, -3.0]);
    carried.additions = ADDITIONS_BEFORE_CARRY;
    carried.add(1e20);
    assert_eq!(carried.additions, 2);
    assert_eq!(carried, sum(&[0.1, -3.0, 1e20]));
}

#[test]
fn a_state_beyond_all_numbers_is_refused() {
    assert!(serde_json::from_str::<ExactSum>("[false,68,[1]]").is_err());
    assert!(serde_json::from_str::<ExactSum>("[false,0,[1]]").is_ok());
    // Not canonical, but meaningful: read as what it says.
    assert_eq!(
        serde_json::from_str::<ExactSum>("[true,33,[0,0]]").unwrap(),
        ExactSum::new()
    );
}

/// Any finite number, and many that nearly cancel.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("finite", |value| value.is_finite()),
        (-1000_i32..1000, -60..60_i32).prop_map(|(m, e)| f64::from(m) * 2_f64.powi(e)),
        Just(f64::MAX),
        Just(-f64::MAX),
        Just(5e-324),
    ]
}

/// A second opinion: double-double arithmetic with integers, for numbers of one size.
fn whole_sum(values: &[i64]) -> f64 {
    values.iter().map(|&value| i128::from(value)).sum::<i128>() as f64
}

proptest! {
    #[test]
    fn parts_give_the_same_sum_back(values in proptest::collection::vec(any::<f64>(), 0..9)) {
        let sum = sum(&values);
        prop_assert_eq!(ExactSum::from_parts(&sum.to_parts()), Some(sum));
    }
}

proptest! {
    #[test]
    fn order_and_grouping_do_not_matter(
        values in proptest::collection::vec(number(), 0..40),
        cut in 0_usize..40,
        turn in 0_usize..40,
    ) {
        let whole = sum(&values);
        let cut = cut.min(values.len());
        let mut merged = sum(&values[cut..]);
        merged.merge(&sum(&values[..cut]));
        let mut turned = values.clone();
        turned.rotate_left(turn % values.len().max(1));
        turned.reverse();
        prop_assert_eq!(&merged, &whole);
        prop_assert_eq!(&sum(&turned), &whole);
        let text = serde_json::to_string(&whole).unwrap();
        prop_assert_eq!(serde_json::to_string(&merged).unwrap(), text.clone());
        let back: ExactSum = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&back, &whole);
        prop_assert_eq!(back.value().to_bits(), whole.value().to_bits());
    }

    #[test]
    fn negation_cancels(values in proptest::collection::vec(number(), 0..40)) {
        let mut both = sum(&values);
        both.extend(values.iter().rev().map(|value| -value));
        prop_assert_eq!(both, ExactSum::new());
    }

    #[test]
    fn two_numbers_add_as_the_machine_adds(left in number(), right in number()) {
        let expected = left + right;
        prop_assert_eq!(sum(&[left, right]).value(), expected);
    }

    #[test]
    fn whole_numbers_agree_with_wide_integers(
        values in proptest::collection::vec(-(1_i64 << 53)..(1_i64 << 53), 0..200),
        power in -900_i32..900,
    ) {
        let scale = 2_f64.powi(power);
        let scaled: Vec<f64> = values.iter().map(|&value| value as f64 * scale).collect();
        prop_assert_eq!(sum(&scaled).value(), whole_sum(&values) * scale);
    }
}
