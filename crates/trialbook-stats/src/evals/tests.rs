//! Evaluations: pairing, clusters, repeats, refusals.

use proptest::prelude::*;

use super::*;
use crate::probability::Level;
use crate::undefined::Undefined;

const LEVEL: Level = Level::NINETY_FIVE;

fn scores() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(prop_oneof![Just(0.0), Just(1.0), 0.0..1.0_f64], 2..40)
}

proptest! {
    #[test]
    fn clusters_of_one_item_are_no_clusters(x in scores()) {
        let each: Vec<usize> = (0..x.len()).collect();
        let found = mean_error(&x, Some(&each), LEVEL).unwrap();
        let clustered = found.clustered.unwrap();
        prop_assert!((clustered.se_cr1.unwrap() - found.se).abs() < 1e-13);
        prop_assert!((clustered.se_miller - found.se).abs() < 1e-13);
        prop_assert_eq!(clustered.clusters, x.len());
    }

    #[test]
    fn copied_items_in_clusters_tell_no_more(x in scores(), copies in 2_usize..5) {
        // Every item asked several times, as one cluster: the error bar is the one of the items.
        let copied: Vec<f64> = x.iter().flat_map(|&score| vec![score; copies]).collect();
        let labels: Vec<usize> = (0..copied.len()).map(|at| at / copies).collect();
        let found = mean_error(&copied, Some(&labels), LEVEL).unwrap();
        let plain = mean_error::<u8>(&x, None, LEVEL).unwrap();
        prop_assert!((found.clustered.unwrap().se_cr1.unwrap() - plain.se).abs() < 1e-12);
        prop_assert!((found.mean - plain.mean).abs() < 1e-12);
    }

    #[test]
    fn matched_items_do_not_mind_the_order_of_answers(
        a in prop::collection::vec((0_u8..12, 0_u8..2), 1..40),
        b in prop::collection::vec((0_u8..12, 0_u8..2), 1..40),
    ) {
        let answers = |of: &[(u8, u8)]| of.iter().map(|&(key, right)| (key, f64::from(right))).collect::<Vec<_>>();
        let (mut a, mut b) = (answers(&a), answers(&b));
        let here = match_items(a.clone(), b.clone()).unwrap();
        let compared = compare_items::<_, u8>(&here, None, LEVEL);
        a.reverse();
        b.reverse();
        let there = match_items(a, b).unwrap();
        prop_assert_eq!(&here, &there);
        prop_assert_eq!(compared.is_ok(), here.items.len() > 1);
        if let Ok(compared) = compared {
            match compared.test {
                ItemTest::RightWrong(found) => {
                    let flipped = found.mcnemar.first_only + found.mcnemar.second_only;
                    prop_assert_eq!(flipped as usize, here.flipped().count());
                    prop_assert!((found.difference - compared.error.difference).abs() < 1e-12);
                }
                ItemTest::Scores(test) => prop_assert_eq!(test, compared.error.t),
            }
        }
    }

    #[test]
    fn pass_rates_rise_and_fall_with_k(answers in 1_u64..60, share in 0.0..=1.0_f64) {
        let right = (answers as f64 * share) as u64;
        let mut last = PassRates { any: 0.0, all: 1.0 };
        for k in 1..=answers {
            let found = pass_rates(answers, right, k).unwrap();
            prop_assert!(found.any >= last.any - 1e-12 && found.all <= last.all + 1e-12);
            prop_assert!((0.0..=1.0).contains(&found.any) && (0.0..=1.0).contains(&found.all));
            last = found;
        }
        let one = pass_rates(answers, right, 1).unwrap();
        prop_assert!((one.any - right as f64 / answers as f64).abs() < 1e-12 && (one.any - one.all).abs() < 1e-12);
    }

    #[test]
    fn a_quantile_lies_inside_its_interval(x in scores(), p in 0.05..0.95_f64) {
        let found = quantile_interval(&x, p, LEVEL).unwrap();
        prop_assert!(found.interval.contains(found.estimate));
        prop_assert!(found.coverage >= LEVEL.share() - 1e-12 && found.coverage <= 1.0);
    }
}

#[test]
fn items_are_matched_averaged_and_listed() {
    let first = [("a", 1.0), ("b", 1.0), ("b", 0.0), ("c", 1.0), ("x", 1.0)];
    let second = [("a", 0.0), ("b", 1.0), ("c", 1.0), ("y", 0.0), ("z", 0.0)];
    let matched = match_items(first, second).unwrap();
    assert_eq!(
        (matched.items.len(), matched.only_first, matched.only_second),
        (3, 1, 2)
    );
    assert_eq!(
        (matched.items[1].first, matched.items[1].repeats),
        (0.5, (2, 1))
    );
    let flipped: Vec<_> = matched.flipped().map(|item| item.key).collect();
    assert_eq!(flipped, ["a"]);
    assert!(matched.has_repeats());
    let source = |key: &&str| key.as_bytes()[0] / 2;
    let found = compare_items(&matched, Some(&source), LEVEL).unwrap();
    assert!(matches!(found.test, ItemTest::Scores(Ok(_))));
    assert_eq!(found.error.clustered.unwrap().clusters, 2);
}

#[test]
fn identical_answers_are_no_evidence() {
    let answers = || (0..10).map(|key| (key, f64::from(u8::from(key < 7))));
    let matched = match_items(answers(), answers()).unwrap();
    let found = compare_items::<_, u8>(&matched, None, LEVEL).unwrap();
    assert_eq!(found.error.t.err(), Some(Undefined::ZeroVariance));
    let ItemTest::RightWrong(found) = found.test else {
        panic!("{found:?}");
    };
    assert_eq!(
        (found.difference, found.mcnemar.exact.two_sided.p),
        (0.0, 1.0)
    );
    assert!(found.newcombe.contains(0.0));
}

#[test]
fn impossible_questions_get_a_reason() {
    let none: Option<&[u8]> = None;
    assert_eq!(
        mean_error(&[], none, LEVEL).err(),
        Some(Undefined::EmptyInput)
    );
    assert_eq!(
        mean_error(&[1.0], none, LEVEL).err(),
        Some(Undefined::TooFewObservations)
    );
    assert_eq!(
        mean_error(&[1.0, 2.0], Some(&[1_u8]), LEVEL).err(),
        Some(Undefined::LengthMismatch)
    );
    assert_eq!(
        paired_error(&[1.0, 2.0], &[1.0], none, LEVEL).err(),
        Some(Undefined::LengthMismatch)
    );
    let one = mean_error(&[1.0, 2.0, 4.0], Some(&["doc"; 3]), LEVEL)
        .unwrap()
        .clustered
        .unwrap();
    assert_eq!(
        (one.se_cr1, one.test.err()),
        (None, Some(Undefined::TooFewGroups))
    );
    assert_eq!(
        repeated_error::<Vec<f64>>(&[]).err(),
        Some(Undefined::EmptyInput)
    );
    assert_eq!(
        repeated_error(&[vec![1.0, 2.0], vec![1.0]]).err(),
        Some(Undefined::LengthMismatch)
    );
    assert_eq!(pass_rates(3, 1, 0).err(), Some(Undefined::DomainError));
    assert_eq!(
        quantile_interval(&[1.0], 1.0, LEVEL).err(),
        Some(Undefined::DomainError)
    );
    assert_eq!(
        quantile_interval(&[], 0.5, LEVEL).err(),
        Some(Undefined::EmptyInput)
    );
    let ratio = ratio_of_means(&[1.0, 2.0], &[1.0, -1.0], LEVEL);
    assert_eq!(ratio.err(), Some(Undefined::DenominatorNotSignificant));
    let wrong = match_items([(1, f64::NAN)], [(1, 1.0)]);
    assert_eq!(wrong.err(), Some(Undefined::NonFiniteInput));
}

#[test]
fn an_impossible_plan_gets_a_reason() {
    let plan = EvalPlan {
        between: 0.1,
        within: (0.1, 0.1),
        repeats: (1, 0),
        alpha: 0.05,
        power: 0.8,
        difference: 0.1,
    };
    assert_eq!(eval_sample_size(&plan).err(), Some(Undefined::DomainError));
    let plan = EvalPlan {
        repeats: (1, 1),
        difference: f64::NAN,
        ..plan
    };
    assert_eq!(
        eval_sample_size(&plan).err(),
        Some(Undefined::NonFiniteInput)
    );
}
