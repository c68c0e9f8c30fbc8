//! What holds for every sample.

use proptest::prelude::*;

use super::*;

/// Any floats at all, the special ones included.
fn anything() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(
        prop_oneof![any::<f64>(), -3.0..3.0_f64, Just(0.0), Just(1.0)],
        0..6,
    )
}

fn sample() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-9.0..9.0_f64, 2..30)
}

fn assert_sound(test: &TTest) {
    for value in [
        test.estimate,
        test.se,
        test.statistic,
        test.df,
        test.interval.low,
        test.interval.high,
    ] {
        assert!(value.is_finite(), "{test:?}");
    }
    assert!(test.df > 0.0 && test.se > 0.0, "{test:?}");
    for p in [test.p.two_sided, test.p.less, test.p.greater] {
        assert!((0.0..=1.0).contains(&p.p) && p.ln_p <= 0.0, "{test:?}");
    }
    assert!(test.interval.contains(test.estimate));
}

fn near(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-9 * expected.abs().max(1e-3)
}

proptest! {
    #[test]
    fn any_input_gets_a_sound_result_or_a_reason(x in anything(), y in anything(), mu in any::<f64>()) {
        let tests = [
            one_sample_t_test(&x, mu, Level::NINETY_FIVE),
            paired_t_test(&x, &y, Level::NINETY_FIVE),
            student_t_test(&x, &y, Level::NINETY_FIVE),
            welch_t_test(&x, &y, Level::NINETY_FIVE),
        ];
        tests.iter().flatten().for_each(assert_sound);
    }

    #[test]
    fn exchanged_samples_exchange_the_alternatives(x in sample(), y in sample()) {
        for test in [student_t_test, welch_t_test] {
            let there = test(&x, &y, Level::NINETY_FIVE).unwrap();
            let back = test(&y, &x, Level::NINETY_FIVE).unwrap();
            prop_assert_eq!(there.statistic, -back.statistic);
            prop_assert_eq!(there.p.less, back.p.greater);
            prop_assert_eq!(there.p.two_sided, back.p.two_sided);
            prop_assert_eq!(there.interval.low, -back.interval.high);
        }
    }

    #[test]
    fn the_unit_does_not_matter(x in sample(), y in sample(), power in -600..600_i32) {
        let unit = 2.0_f64.powi(power);
        let in_unit = |values: &[f64]| values.iter().map(|value| value * unit).collect::<Vec<_>>();
        let plain = welch_t_test(&x, &y, Level::NINETY_FIVE).unwrap();
        let scaled = welch_t_test(&in_unit(&x), &in_unit(&y), Level::NINETY_FIVE).unwrap();
        prop_assert!(near(scaled.statistic, plain.statistic) && near(scaled.df, plain.df));
        prop_assert!(near(scaled.estimate / unit, plain.estimate));
    }

    #[test]
    fn an_interval_excludes_zero_where_the_test_rejects(x in sample(), y in sample()) {
        let test = welch_t_test(&x, &y, Level::NINETY_FIVE).unwrap();
        prop_assume!((test.p.two_sided.p - 0.05).abs() > 1e-9);
        prop_assert_eq!(test.interval.contains(0.0), test.p.two_sided.p > 0.05);
        let margins = Interval::new(-1.0, 1.0);
        let equivalent = test.equivalence(margins).unwrap();
        let inside = margins.contains(equivalent.interval90.low) && margins.contains(equivalent.interval90.high);
        prop_assume!((equivalent.p.p - 0.05).abs() > 1e-9);
        prop_assert_eq!(inside, equivalent.p.p < 0.05);
    }

    #[test]
    fn pairs_are_one_sample_of_differences(x in sample(), shift in -3.0..3.0_f64) {
        let y: Vec<_> = x.iter().enumerate().map(|(at, x)| x * 0.5 + shift + at as f64).collect();
        let differences: Vec<_> = x.iter().zip(&y).map(|(x, y)| x - y).collect();
        let pairs = paired_t_test(&x, &y, Level::NINETY_FIVE).unwrap();
        let one = one_sample_t_test(&differences, 0.0, Level::NINETY_FIVE).unwrap();
        prop_assert_eq!(pairs.statistic, one.statistic);
        prop_assert_eq!(pairs.interval, one.interval);
    }
}

#[test]
fn reasons_come_in_their_order() {
    let level = Level::NINETY_FIVE;
    let nan = [f64::NAN];
    assert_eq!(
        paired_t_test(&nan, &[], level),
        Err(Undefined::NonFiniteInput)
    );
    assert_eq!(
        paired_t_test(&[1.0], &[], level),
        Err(Undefined::LengthMismatch)
    );
    assert_eq!(
        paired_t_test(&[1.0], &[1.0], level),
        Err(Undefined::TooFewObservations)
    );
    // Tenths do not differ by exactly the same floats.
    let shifted = paired_t_test(&[0.1, 0.2, 0.3], &[0.2, 0.3, 0.4], level);
    assert_eq!(shifted, Err(Undefined::ZeroVariance));
    assert_eq!(
        student_t_test(&[1.0], &[2.0], level),
        Err(Undefined::TooFewObservations)
    );
    assert_eq!(
        one_sample_t_test(&[0.1; 10], 0.0, level),
        Err(Undefined::ZeroVariance)
    );
    let test = welch_t_test(&[1.0, 2.0], &[1.0, 4.0], level).unwrap();
    let inverted = test.equivalence(Interval::new(1.0, -1.0));
    assert_eq!(inverted, Err(Undefined::DomainError));
}
