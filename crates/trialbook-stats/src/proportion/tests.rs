//! Proportions: symmetries, ranges and refusals.

use proptest::prelude::*;

use super::*;
use crate::interval::Interval;

fn rates() -> impl Strategy<Value = Rate> {
    (1_u64..200).prop_flat_map(|trials| (0..=trials).prop_map(move |k| Rate::new(k, trials)))
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * (1.0 + a.abs().max(b.abs()))
}

fn mirrored(here: Interval, there: Interval, centre: f64) -> bool {
    near(here.low, centre - there.high) && near(here.high, centre - there.low)
}

proptest! {
    #[test]
    fn intervals_hold_the_rate_and_mirror_with_failures(rate in rates(), level in 0.5..0.999_f64) {
        let level = Level::new(level).unwrap();
        let failures = Rate::new(rate.failures(), rate.trials);
        for method in ProportionMethod::ALL {
            let here = proportion_interval(rate, method, level).unwrap();
            prop_assert!(0.0 <= here.low && here.low <= here.high && here.high <= 1.0);
            prop_assert!(here.low <= rate.share() + 1e-15 && rate.share() <= here.high + 1e-15, "{method:?} {here:?}");
            let there = proportion_interval(failures, method, level).unwrap();
            prop_assert!(mirrored(here, there, 1.0), "{method:?} {here:?} {there:?}");
        }
    }

    #[test]
    fn exchanged_rates_turn_the_difference_round(a in rates(), b in rates()) {
        let here = two_proportions(a, b, Level::NINETY_FIVE).unwrap();
        let there = two_proportions(b, a, Level::NINETY_FIVE).unwrap();
        prop_assert_eq!(here.difference, -there.difference);
        prop_assert!(mirrored(here.newcombe, there.newcombe, 0.0));
        prop_assert!(mirrored(here.wald, there.wald, 0.0));
        prop_assert!(mirrored(here.agresti_caffo, there.agresti_caffo, 0.0));
        prop_assert!(-1.0 <= here.newcombe.low && here.newcombe.high <= 1.0);
        match (here.pooled, there.pooled) {
            (Ok(here), Ok(there)) => {
                prop_assert_eq!(here.z, -there.z);
                prop_assert_eq!(here.p.less, there.p.greater);
            }
            (here, there) => prop_assert_eq!(here.err(), there.err()),
        }
    }

    #[test]
    fn fisher_turns_round_with_rows_and_columns(
        a in 0_u64..40, b in 0_u64..40, c in 0_u64..40, d in 0_u64..40,
    ) {
        let Ok(here) = fisher_exact([[a, b], [c, d]]) else { return Ok(()); };
        let rows = fisher_exact([[c, d], [a, b]]).unwrap();
        let across = fisher_exact([[a, c], [b, d]]).unwrap();
        for (here, there) in [
            (here.p.less, rows.p.greater),
            (here.p.two_sided, rows.p.two_sided),
            (here.mid_p, rows.mid_p),
            (here.p.less, across.p.less),
            (here.p.two_sided, across.p.two_sided),
        ] {
            prop_assert!((here.p - there.p).abs() <= 1e-11 && (here.ln_p - there.ln_p).abs() <= 1e-9 * here.ln_p.abs().max(1.0));
            prop_assert!((0.0..=1.0).contains(&here.p));
        }
        let product = here.conditional_odds_ratio.map(|odds| odds * rows.conditional_odds_ratio.unwrap());
        prop_assert!(product.is_none_or(|product| product.is_nan() || (product - 1.0).abs() < 1e-9));
    }

    #[test]
    fn fisher_sums_the_tables_that_are_no_more_likely(a in 0_u64..12, b in 0_u64..12, c in 0_u64..12, d in 0_u64..12) {
        let Ok(found) = fisher_exact([[a, b], [c, d]]) else { return Ok(()); };
        let over = |n: u64, k: u64| (1..=k).fold(1_u128, |product, at| product * u128::from(n - k + at) / u128::from(at));
        let ways = |k: u64| over(a + c, k) * over(b + d, a + b - k);
        let (low, high) = ((a + b).saturating_sub(b + d), (a + b).min(a + c));
        let total: u128 = (low..=high).map(ways).sum();
        let two: u128 = (low..=high).map(ways).filter(|&of| of <= ways(a)).sum();
        let same: u128 = (low..=high).map(ways).filter(|&of| of == ways(a)).sum();
        prop_assert!((found.p.two_sided.p - two as f64 / total as f64).abs() < 1e-12);
        let mid = (two as f64 - same as f64 / 2.0) / total as f64;
        prop_assert!((found.mid_p.p - mid).abs() < 1e-12);
    }

    #[test]
    fn mcnemar_turns_round_and_its_mid_p_is_smaller(b in 0_u64..80, c in 0_u64..80) {
        let (here, there) = (mcnemar(b, c).unwrap(), mcnemar(c, b).unwrap());
        prop_assert!((here.exact.two_sided.p - there.exact.two_sided.p).abs() < 1e-12);
        prop_assert!((here.mid_p.p - there.mid_p.p).abs() < 1e-12);
        prop_assert!(here.mid_p.p <= here.exact.two_sided.p + 1e-12);
        prop_assert!((here.exact.less.p - there.exact.greater.p).abs() < 1e-12);
    }

    #[test]
    fn two_columns_of_cochran_are_mcnemar(answers in prop::collection::vec(any::<[bool; 2]>(), 1..50)) {
        let table = PairedTable::of(answers.iter().map(|&[a, b]| (a, b)));
        match (cochran_q(&answers), mcnemar(table.first_only, table.second_only).unwrap().asymptotic) {
            (Ok(cochran), Some(mcnemar)) => prop_assert!(near(cochran.test.statistic, mcnemar.statistic)),
            (cochran, mcnemar) => prop_assert!(cochran == Err(Undefined::ZeroVariance) && mcnemar.is_none()),
        }
    }

    #[test]
    fn a_table_of_two_is_the_pooled_test_squared(a in rates(), b in rates()) {
        let table = [[a.successes, a.failures()], [b.successes, b.failures()]];
        match (chi_squared_independence(&table), two_proportions(a, b, Level::NINETY_FIVE).unwrap().pooled) {
            (Ok(table), Ok(two)) => prop_assert!((table.pearson.statistic - two.z * two.z).abs() < 1e-9 * (1.0 + two.z * two.z)),
            (table, two) => prop_assert_eq!(table.err(), two.err()),
        }
    }

    #[test]
    fn a_paired_interval_turns_round(both in 0_u64..50, first_only in 0_u64..50, second_only in 0_u64..50, neither in 0_u64..50) {
        let table = PairedTable { both, first_only, second_only, neither };
        let Ok(here) = paired_proportions(table, Level::NINETY_FIVE) else { return Ok(()); };
        let turned = PairedTable { first_only: second_only, second_only: first_only, ..table };
        let there = paired_proportions(turned, Level::NINETY_FIVE).unwrap();
        prop_assert!(mirrored(here.newcombe, there.newcombe, 0.0));
        prop_assert!(here.newcombe.low <= here.difference && here.difference <= here.newcombe.high);
    }
}

#[test]
fn impossible_questions_get_a_reason() {
    let wilson = |k, n| {
        proportion_interval(
            Rate::new(k, n),
            ProportionMethod::Wilson,
            Level::NINETY_FIVE,
        )
    };
    assert_eq!(wilson(2, 1), Err(Undefined::DomainError));
    assert_eq!(wilson(0, 0), Err(Undefined::EmptyInput));
    assert_eq!(fisher_exact([[0, 0], [0, 0]]), Err(Undefined::EmptyInput));
    assert_eq!(
        fisher_exact([[u64::MAX, 0], [0, 1]]),
        Err(Undefined::DomainError)
    );
    assert_eq!(
        chi_squared_independence(&[vec![1, 2], vec![3]]),
        Err(Undefined::LengthMismatch)
    );
    assert_eq!(
        chi_squared_independence::<Vec<u64>>(&[]),
        Err(Undefined::TooFewGroups)
    );
    assert_eq!(
        chi_squared_fit(&[1, 2], &[1.0, f64::NAN]),
        Err(Undefined::NonFiniteInput)
    );
    assert_eq!(
        chi_squared_fit(&[1, 2], &[1.5, 2.5]),
        Err(Undefined::DomainError)
    );
    assert_eq!(
        chi_squared_fit(&[1, 2], &[1.5]),
        Err(Undefined::LengthMismatch)
    );
    assert_eq!(chi_squared_fit(&[2], &[2.0]), Err(Undefined::TooFewGroups));
    assert_eq!(
        cochran_q::<Vec<bool>>(&[]),
        Err(Undefined::TooFewObservations)
    );
    assert_eq!(cochran_q(&[[true]]), Err(Undefined::TooFewGroups));
    let empty = PairedTable::of([]);
    assert_eq!(
        paired_proportions(empty, Level::NINETY_FIVE),
        Err(Undefined::EmptyInput)
    );
}

#[test]
fn counts_of_billions_are_tested() {
    let many = 1 << 40;
    let found = two_proportions(
        Rate::new(many / 2, many),
        Rate::new(many / 2 - 2_000_000, many),
        Level::NINETY_FIVE,
    )
    .unwrap();
    assert!((found.pooled.unwrap().z - 2.6973).abs() < 1e-3);
    assert!(
        fisher_exact([[1_000_000, 1_000_000], [999_000, 1_001_000]])
            .unwrap()
            .p
            .two_sided
            .p
            > 0.1
    );
}
