//! Resampling: threads, shortcuts and closed forms change nothing.

use std::num::NonZeroUsize;

use proptest::prelude::*;

use super::bootstrap::value_of;
use super::kernels::{Any, Kernel, Resampled as _};
use super::*;
use crate::interval::Interval;
use crate::probability::Level;
use crate::undefined::Undefined;

const DRAWS: Draws = Draws::new(11, 300);

fn sample() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-100.0..100.0_f64, 3..30)
}

/// Few different values, as ratings have them.
fn ratings() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((0_u8..5).prop_map(f64::from), 3..30)
}

fn statistics() -> [Statistic; 6] {
    [
        Statistic::Mean,
        Statistic::Sd,
        Statistic::Median,
        Statistic::Quantile(0.9),
        Statistic::TrimmedMean(0.1),
        Statistic::INTERQUARTILE_MEAN,
    ]
}

fn threads(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).unwrap()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_number_of_threads_changes_no_bit(x in sample(), y in ratings(), n in 2_usize..9) {
        let many = DRAWS.on(threads(n));
        for statistic in statistics() {
            let one = bootstrap(&x, statistic, Level::NINETY_FIVE, DRAWS).unwrap();
            let other = bootstrap(&x, statistic, Level::NINETY_FIVE, many).unwrap();
            prop_assert_eq!(one.intervals, other.intervals);
            let one = bootstrap_difference((&x, &y), statistic, Level::NINETY_FIVE, DRAWS).unwrap();
            let other = bootstrap_difference((&x, &y), statistic, Level::NINETY_FIVE, many).unwrap();
            prop_assert_eq!(one.intervals, other.intervals);
        }
        let one = bootstrap_t(&x, Level::NINETY_FIVE, DRAWS).unwrap();
        let other = bootstrap_t(&x, Level::NINETY_FIVE, many).unwrap();
        prop_assert_eq!((one.interval, one.dropped), (other.interval, other.dropped));
        prop_assert_eq!(permute_difference(&x, &y, DRAWS), permute_difference(&x, &y, many));
        prop_assert_eq!(permute_signs(&x, DRAWS), permute_signs(&x, many));
    }

    #[test]
    fn counted_resamples_have_the_statistic_of_written_out_ones(mut x in ratings(), seed in any::<u64>()) {
        x.sort_by(f64::total_cmp);
        for statistic in statistics() {
            if statistic == Statistic::Mean {
                continue;
            }
            let kernel = Kernel::of(&x, statistic);
            let any = Any { observations: &x, statistic: |of: &[f64]| value_of(of, statistic) };
            let (mut first, mut second) = (kernel.scratch(), any.scratch());
            for at in 0..20 {
                let counted = kernel.replicate(&mut first, &mut stream(seed, at));
                let written = any.replicate(&mut second, &mut stream(seed, at));
                prop_assert!(near(counted, written), "{statistic:?}: {counted} {written}");
            }
        }
    }

    #[test]
    fn the_jackknife_in_closed_form_is_the_one_by_leaving_out(x in prop_oneof![sample(), ratings()]) {
        for statistic in statistics() {
            let closed = Kernel::of(&x, statistic).terms();
            let any = Any { observations: &x, statistic: |of: &[f64]| value_of(of, statistic) };
            let mut sorted = x.clone();
            sorted.sort_by(f64::total_cmp);
            let (mut closed, mut left_out) = (closed, any.terms());
            closed.sort_by(f64::total_cmp);
            left_out.sort_by(f64::total_cmp);
            for (closed, left_out) in closed.iter().zip(&left_out) {
                prop_assert!(near(*closed, *left_out), "{statistic:?}: {closed} {left_out}");
            }
        }
    }

    #[test]
    fn intervals_move_and_stretch_with_the_sample(x in sample(), shift in -8..8_i32, power in -3..4_i32) {
        let (shift, factor) = (f64::from(shift) * 16.0, 2.0_f64.powi(power));
        let moved: Vec<f64> = x.iter().map(|value| value * factor + shift).collect();
        for statistic in statistics() {
            let here = bootstrap(&x, statistic, Level::NINETY_FIVE, DRAWS).unwrap();
            let there = bootstrap(&moved, statistic, Level::NINETY_FIVE, DRAWS).unwrap();
            let shift = if statistic == Statistic::Sd { 0.0 } else { shift };
            let (here, there) = (here.interval(), there.interval());
            prop_assert!(near(here.low * factor + shift, there.low), "{statistic:?}");
            prop_assert!(near(here.high * factor + shift, there.high), "{statistic:?}");
        }
    }

    #[test]
    fn exchanged_samples_turn_the_tests_round(x in ratings(), y in ratings(), small in any::<bool>()) {
        let (x, y) = if small { (&x[..3], &y[..3]) } else { (&x[..], &y[..]) };
        let (Ok(here), Ok(there)) = (permute_difference(x, y, DRAWS), permute_difference(y, x, DRAWS)) else {
            return Ok(());
        };
        prop_assert!(near(here.statistic, -there.statistic));
        prop_assert_eq!(here.arrangements, there.arrangements);
        if let Arrangements::All(_) = here.arrangements {
            prop_assert_eq!(here.p.less, there.p.greater);
            prop_assert_eq!(here.p.two_sided, there.p.two_sided);
        }
    }

    #[test]
    fn rounded_sums_decide_as_exact_ones(x in ratings(), y in ratings()) {
        // The same numbers, once short and once so long that sums are first compared rounded.
        let long = |values: &[f64]| values.iter().map(|value| value * 0.123_456_789_012_345_6).collect::<Vec<_>>();
        let (short, long) = (permute_difference(&x, &y, DRAWS), permute_difference(&long(&x), &long(&y), DRAWS));
        match (short, long) {
            (Ok(short), Ok(long)) => prop_assert_eq!(short.p, long.p),
            (short, long) => prop_assert_eq!(short.err(), long.err()),
        }
    }
}

#[test]
fn a_drawn_rate_is_near_its_distribution() {
    // 30 ones of 100: the standard error of the rate is √(0.3 · 0.7 / 100).
    let mut values = vec![1.0; 30];
    values.resize(100, 0.0);
    let found = bootstrap(
        &values,
        Statistic::Mean,
        Level::NINETY_FIVE,
        Draws::new(1, 20_000),
    )
    .unwrap();
    assert!(
        (found.intervals.se / 0.045_825_8 - 1.0).abs() < 0.02,
        "{found:?}"
    );
    assert_eq!(found.estimate, 0.3);
    let whole = bootstrap_with(
        &values,
        |of| of.iter().sum::<f64>() / 100.0,
        Level::NINETY_FIVE,
        Draws::new(2, 20_000),
    )
    .unwrap();
    assert!((found.interval().low - whole.interval().low).abs() <= 0.011);
    assert!((found.interval().high - whole.interval().high).abs() <= 0.011);
}

#[test]
fn drawn_arrangements_agree_with_all_of_them() {
    let x = [1.2, 3.4, 2.2, 5.1, 4.4, 3.9, 2.8, 4.1];
    let y = [2.9, 1.1, 0.4, 2.0, 3.0, 1.8, 2.5, 1.0, 0.2];
    let all = permute_difference(&x, &y, DRAWS).unwrap();
    assert_eq!(all.arrangements, Arrangements::All(24_310));
    // Sixty more values of no weight are too many arrangements for trying them all.
    let pad = |values: &[f64], n: usize| {
        let mut padded = values.to_vec();
        padded.resize(n, 2.5);
        padded
    };
    let (x, y) = (pad(&x, 30), pad(&y, 32));
    let drawn = permute_difference(&x, &y, Draws::new(3, 50_000)).unwrap();
    assert_eq!(drawn.arrangements, Arrangements::Drawn(50_000));
    assert!(drawn.monte_carlo_error() > 0.0 && all.monte_carlo_error() == 0.0);
    let other = permute_difference(&x, &y, Draws::new(4, 50_000)).unwrap();
    let error = drawn.monte_carlo_error() * 6.0;
    assert!((drawn.p.two_sided.p - other.p.two_sided.p).abs() < error);
}

#[test]
fn impossible_questions_get_a_reason() {
    let mean = |values: &[f64]| bootstrap(values, Statistic::Mean, Level::NINETY_FIVE, DRAWS);
    assert_eq!(mean(&[]).err(), Some(Undefined::EmptyInput));
    assert_eq!(mean(&[1.0]).err(), Some(Undefined::TooFewObservations));
    assert_eq!(
        mean(&[1.0, f64::NAN]).err(),
        Some(Undefined::NonFiniteInput)
    );
    let constant = mean(&[0.1; 10]).unwrap();
    assert_eq!(constant.intervals.bca, Err(Undefined::DegenerateBootstrap));
    assert_eq!(constant.interval(), Interval::new(0.1, 0.1));
    let wrong = bootstrap(
        &[1.0, 2.0],
        Statistic::Quantile(2.0),
        Level::NINETY_FIVE,
        DRAWS,
    );
    assert_eq!(wrong.err(), Some(Undefined::DomainError));
    let t = |values: &[f64]| bootstrap_t(values, Level::NINETY_FIVE, DRAWS).err();
    assert_eq!(t(&[2.0, 2.0]), Some(Undefined::ZeroVariance));
    let zero = bootstrap_ratio(&[1.0, 2.0], &[1.0, -1.0], Level::NINETY_FIVE, DRAWS);
    assert_eq!(zero.err(), Some(Undefined::DenominatorNotSignificant));
    assert_eq!(
        permute_difference(&[1.0], &[], DRAWS).err(),
        Some(Undefined::TooFewObservations)
    );
    assert_eq!(
        permute_difference(&[1.0], &[1.0], DRAWS).err(),
        Some(Undefined::ZeroVariance)
    );
    assert_eq!(
        permute_signs(&[0.0, -0.0], DRAWS).err(),
        Some(Undefined::ZeroVariance)
    );
    assert_eq!(
        permute_signs(&[1.0], Draws::new(0, 0)).err(),
        Some(Undefined::TooFewObservations)
    );
    assert_eq!(monte_carlo_p(3, 2), Err(Undefined::DomainError));
}

#[test]
fn clusters_are_drawn_whole() {
    let values = [1.0, 1.0, 1.0, 5.0, 5.0, 5.0, 9.0, 9.0, 9.0];
    let clusters = [1, 1, 1, 2, 2, 2, 3, 3, 3];
    let whole = bootstrap_clusters(
        &values,
        &clusters,
        Statistic::Mean,
        Level::NINETY_FIVE,
        DRAWS,
    );
    let each = bootstrap(&values, Statistic::Mean, Level::NINETY_FIVE, DRAWS).unwrap();
    let whole = whole.unwrap();
    assert_eq!((whole.n, whole.estimate), (3, 5.0));
    assert!(whole.intervals.se > 1.4 * each.intervals.se);
}
