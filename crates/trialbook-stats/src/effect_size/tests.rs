//! What holds for every pair of samples.

use proptest::prelude::*;

use super::*;

fn sample() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-9.0..9.0_f64, 2..30)
}

fn anything() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(
        prop_oneof![any::<f64>(), -3.0..3.0_f64, Just(0.0), Just(1.0)],
        0..6,
    )
}

proptest! {
    #[test]
    fn exchanged_samples_change_the_sign(x in sample(), y in sample()) {
        let there = effect_size(&x, &y, Level::NINETY_FIVE).unwrap();
        let back = effect_size(&y, &x, Level::NINETY_FIVE).unwrap();
        prop_assert_eq!(there.cohen_d, -back.cohen_d);
        prop_assert!((there.d_interval.low + back.d_interval.high).abs() < 1e-9 * there.d_interval.half_width());
        prop_assert_eq!(there.superiority.cliffs_delta, -back.superiority.cliffs_delta);
        prop_assert!((there.superiority.a12 + back.superiority.a12 - 1.0).abs() < 1e-15);
    }

    #[test]
    fn an_interval_holds_its_estimate_and_widens_with_its_level(x in sample(), y in sample()) {
        let narrow = effect_size(&x, &y, Level::NINETY).unwrap();
        let wide = effect_size(&x, &y, Level::NINETY_FIVE).unwrap();
        prop_assert!(narrow.d_interval.contains(narrow.cohen_d));
        prop_assert!(wide.d_interval.low < narrow.d_interval.low);
        prop_assert!(wide.d_interval.high > narrow.d_interval.high);
    }

    #[test]
    fn any_input_gets_numbers_or_a_reason(x in anything(), y in anything()) {
        if let Ok(found) = effect_size(&x, &y, Level::NINETY_FIVE) {
            prop_assert!(found.cohen_d.is_finite(), "{found:?}");
            prop_assert!(!found.d_interval.low.is_nan() && !found.d_interval.high.is_nan(), "{found:?}");
        }
        if let Ok(found) = paired_effect_size(&x, &y, Level::NINETY_FIVE) {
            prop_assert!(found.cohen_dz.is_finite() && !found.dz_interval.low.is_nan(), "{found:?}");
        }
    }
}

#[test]
fn superiority_counts_ties_half() {
    let found = superiority(&[1.0, 2.0], &[1.0, 0.0, -0.0]).unwrap();
    assert_eq!(found.a12, 5.5 / 6.0);
    assert_eq!(found.cliffs_delta, 5.0 / 6.0);
    let constant = effect_size(&[1.0, 1.0], &[2.0, 2.0], Level::NINETY_FIVE);
    assert_eq!(constant, Err(Undefined::ZeroVariance));
    assert_eq!(superiority(&[1.0, 1.0], &[2.0, 2.0]).unwrap().a12, 0.0);
}

#[test]
fn words_begin_at_their_borders() {
    let words: Vec<_> = [0.19, -0.2, 0.5, -0.8]
        .map(|d| Magnitude::of(d).word())
        .into();
    assert_eq!(words, ["negligible", "small", "medium", "large"]);
}
