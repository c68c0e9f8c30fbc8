//! Rank tests: invariances, symmetries and refusals.

use proptest::prelude::*;

use super::*;
use crate::undefined::Undefined;

fn ratings() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((-4_i8..5).prop_map(f64::from), 1..25)
}

fn sample() -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![ratings(), prop::collection::vec(-1e3..1e3_f64, 1..25)]
}

/// Increasing, and exact for the values of these tests.
fn stretched(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| value * 8.0 + 1024.0).collect()
}

fn is_p(p: PValues) -> bool {
    [p.two_sided, p.less, p.greater]
        .iter()
        .all(|p| (0.0..=1.0).contains(&p.p) && p.ln_p <= 0.0)
}

proptest! {
    #[test]
    fn mann_whitney_is_of_order_alone_and_turns_round(x in ratings(), y in ratings()) {
        let Ok(found) = mann_whitney(&x, &y) else { return Ok(()); };
        prop_assert_eq!(Ok(found), mann_whitney(&stretched(&x), &stretched(&y)));
        let turned = mann_whitney(&y, &x).unwrap();
        prop_assert_eq!((found.u1, found.rank_biserial), (turned.u2, -turned.rank_biserial));
        prop_assert_eq!(found.p.normal_corrected.p.less, turned.p.normal_corrected.p.greater);
        let (variant, p) = found.p.preferred();
        prop_assert!(is_p(p));
        prop_assert_eq!(variant, turned.p.preferred().0);
        let wins: f64 = x.iter().flat_map(|a| y.iter().map(move |b| {
            if a > b { 1.0 } else if a == b { 0.5 } else { 0.0 }
        })).sum();
        prop_assert_eq!(found.u1, wins);
    }

    #[test]
    fn signed_ranks_turn_round_with_the_signs(x in sample()) {
        let Ok(found) = signed_rank(&x) else { return Ok(()); };
        let turned: Vec<f64> = x.iter().map(|value| -value).collect();
        let turned = signed_rank(&turned).unwrap();
        for (here, there) in [(found.dropped, turned.dropped), (found.pratt, turned.pratt)] {
            prop_assert_eq!((here.r_plus, here.r_minus), (there.r_minus, there.r_plus));
            let (here, there) = (here.p.preferred().1, there.p.preferred().1);
            prop_assert!((here.less.p - there.greater.p).abs() < 1e-12 && is_p(here));
        }
    }

    #[test]
    fn two_groups_of_kruskal_are_mann_whitney_squared(x in ratings(), y in ratings()) {
        let Ok(two) = mann_whitney(&x, &y) else { return Ok(()); };
        let found = kruskal_wallis(&[x, y]).unwrap();
        let z = two.p.normal.z;
        prop_assert!((found.statistic - z * z).abs() < 1e-9 * (1.0 + z * z));
        prop_assert!((found.p.p - two.p.normal.p.two_sided.p).abs() < 1e-9);
    }

    #[test]
    fn friedman_does_not_mind_the_order_of_blocks(
        rows in prop::collection::vec(prop::collection::vec((0_u8..6).prop_map(f64::from), 3), 2..12),
    ) {
        let Ok(found) = friedman(&rows) else { return Ok(()); };
        let mut turned = rows;
        turned.rotate_left(1);
        prop_assert_eq!(&found, &friedman(&turned).unwrap());
        prop_assert!((0.0..=1.0 + 1e-12).contains(&found.kendall_w));
    }

    #[test]
    fn brunner_munzel_turns_round(x in sample(), y in sample()) {
        let Ok(found) = brunner_munzel(&x, &y) else { return Ok(()); };
        let turned = brunner_munzel(&y, &x).unwrap();
        prop_assert!((found.statistic + turned.statistic).abs() < 1e-9 * (1.0 + found.statistic.abs()));
        prop_assert!((found.first_smaller + turned.first_smaller - 1.0).abs() < 1e-12);
        prop_assert!(is_p(found.p));
    }

    #[test]
    fn kolmogorov_smirnov_is_symmetric(x in sample(), y in sample()) {
        let found = kolmogorov_smirnov(&x, &y).unwrap();
        let turned = kolmogorov_smirnov(&y, &x).unwrap();
        prop_assert_eq!(found.statistic, turned.statistic);
        prop_assert!((found.exact.unwrap().p - turned.exact.unwrap().p).abs() < 1e-12);
        prop_assert!((0.0..=1.0).contains(&found.approximate.p));
    }
}

#[test]
fn impossible_questions_get_a_reason() {
    let nan = [f64::NAN, 1.0];
    assert_eq!(
        mann_whitney(&nan, &[]).err(),
        Some(Undefined::NonFiniteInput)
    );
    assert_eq!(
        mann_whitney(&[], &[]).err(),
        Some(Undefined::TooFewObservations)
    );
    assert_eq!(mann_whitney(&[1.0], &[1.0]).err(), Some(Undefined::AllTies));
    assert_eq!(signed_rank(&[0.0]).err(), Some(Undefined::AllTies));
    assert_eq!(
        kruskal_wallis::<Vec<f64>>(&[]).err(),
        Some(Undefined::TooFewGroups)
    );
    assert_eq!(
        friedman::<Vec<f64>>(&[]).err(),
        Some(Undefined::TooFewObservations)
    );
    assert_eq!(
        brunner_munzel(&[1.0], &[2.0, 3.0]).err(),
        Some(Undefined::TooFewObservations)
    );
    assert_eq!(sign_test(&[]).err(), Some(Undefined::TooFewObservations));
    assert_eq!(
        kolmogorov_smirnov(&[], &[1.0]).err(),
        Some(Undefined::TooFewObservations)
    );
    let one_block = friedman(&[[1.0, 2.0, 3.0]]).unwrap();
    assert_eq!(one_block.iman_davenport, Err(Undefined::TooFewObservations));
}
