//! Correlations: invariances, counting by definition, refusals.

use proptest::prelude::*;

use super::*;
use crate::probability::Level;

const LEVEL: Level = Level::NINETY_FIVE;

fn pairs() -> impl Strategy<Value = Vec<(f64, f64)>> {
    let few = (0_u8..5, 0_u8..5).prop_map(|(a, b)| (f64::from(a), f64::from(b)));
    let many = (-1e3..1e3_f64, -1e3..1e3_f64);
    prop_oneof![
        prop::collection::vec(few, 2..14),
        prop::collection::vec(many, 2..40)
    ]
}

proptest! {
    #[test]
    fn correlations_turn_round_with_a_sample_and_do_not_mind_which_is_first(pairs in pairs()) {
        let (x, y): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let turned: Vec<f64> = y.iter().map(|value| -value).collect();
        let (Ok(here), Ok(there)) = (pearson(&x, &y, LEVEL), pearson(&x, &turned, LEVEL)) else {
            return Ok(());
        };
        prop_assert!((here.r + there.r).abs() < 1e-14);
        prop_assert!((here.r - pearson(&y, &x, LEVEL).unwrap().r).abs() < 1e-14);
        if let Some(interval) = here.interval {
            prop_assert!(interval.low <= here.r + 1e-15 && here.r <= interval.high + 1e-15);
        }
        let (here, there) = (spearman(&x, &y, LEVEL).unwrap(), spearman(&x, &turned, LEVEL).unwrap());
        prop_assert!((here.rho + there.rho).abs() < 1e-14);
        prop_assert_eq!(here.exact.map(|p| p.less), there.exact.map(|p| p.greater));
        let (here, there) = (kendall(&x, &y).unwrap(), kendall(&x, &turned).unwrap());
        prop_assert_eq!((here.s, here.concordant), (-there.s, there.discordant));
    }

    #[test]
    fn kendall_counts_pairs(pairs in pairs()) {
        let (x, y): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        let Ok(found) = kendall(&x, &y) else { return Ok(()); };
        let (mut concordant, mut discordant) = (0, 0);
        for (i, a) in pairs.iter().enumerate() {
            for b in &pairs[..i] {
                let order = (a.0 - b.0).signum() * (a.1 - b.1).signum();
                let differ = a.0 != b.0 && a.1 != b.1;
                concordant += u64::from(differ && order > 0.0);
                discordant += u64::from(differ && order < 0.0);
            }
        }
        prop_assert_eq!((found.concordant, found.discordant), (concordant, discordant));
    }

    #[test]
    fn ranks_do_not_mind_a_stretched_sample(pairs in pairs()) {
        let (x, y): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let stretched: Vec<f64> = x.iter().map(|value| value * 8.0 + 4096.0).collect();
        prop_assert_eq!(spearman(&x, &y, LEVEL), spearman(&stretched, &y, LEVEL));
        prop_assert_eq!(kendall(&x, &y), kendall(&stretched, &y));
    }
}

#[test]
fn two_pairs_are_perfect_and_prove_nothing() {
    let found = pearson(&[1.0, 2.0], &[3.0, 5.0], LEVEL).unwrap();
    assert_eq!((found.r, found.test, found.interval), (1.0, None, None));
}

#[test]
fn perfect_correlations_leave_nothing() {
    let x: Vec<f64> = (0..20).map(f64::from).collect();
    let y: Vec<f64> = x.iter().map(|value| 7.0 - 0.25 * value).collect();
    let found = pearson(&x, &y, LEVEL).unwrap();
    let test = found.test.unwrap();
    assert_eq!(
        (found.r, test.t, found.interval),
        (-1.0, f64::NEG_INFINITY, None)
    );
    assert_eq!((test.p.less.p, test.p.greater.p), (0.0, 1.0));
}

#[test]
fn impossible_questions_get_a_reason() {
    let of = |x: &[f64], y: &[f64]| {
        let reason = pearson(x, y, LEVEL).unwrap_err();
        assert_eq!(spearman(x, y, LEVEL).err(), Some(reason));
        assert_eq!(kendall(x, y).err(), Some(reason));
        reason
    };
    assert_eq!(of(&[f64::INFINITY], &[1.0, 2.0]), Undefined::NonFiniteInput);
    assert_eq!(of(&[1.0], &[1.0, 2.0]), Undefined::LengthMismatch);
    assert_eq!(of(&[], &[]), Undefined::TooFewObservations);
    assert_eq!(
        of(&[0.1, 0.1, 0.1], &[1.0, 2.0, 3.0]),
        Undefined::ZeroVariance
    );
}
