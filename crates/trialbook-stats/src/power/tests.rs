//! What holds for every plan.

use proptest::prelude::*;

use super::*;

fn plan() -> impl Strategy<Value = TPlan> {
    let design = prop_oneof![Just(Design::OneSample), Just(Design::TwoSamples)];
    let alternative = prop_oneof![
        Just(Alternative::TwoSided),
        Just(Alternative::Less),
        Just(Alternative::Greater)
    ];
    (design, alternative, 0.001..0.2_f64).prop_map(|(design, alternative, alpha)| TPlan {
        design,
        alternative,
        alpha,
    })
}

/// An effect on the side that the plan looks at.
fn towards(plan: &TPlan, size: f64) -> f64 {
    if plan.alternative == Alternative::Less {
        -size
    } else {
        size
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn without_an_effect_the_power_is_the_level(plan in plan(), n in 2..200_u64) {
        let power = plan.power(0.0, n).unwrap();
        prop_assert!((power / plan.alpha - 1.0).abs() < 1e-10);
    }

    #[test]
    fn the_sample_size_reaches_the_power_and_one_less_does_not(
        plan in plan(), size in 0.05..3.0_f64, power in 0.3..0.99_f64,
    ) {
        let d = towards(&plan, size);
        let found = plan.sample_size(d, power).unwrap();
        prop_assert!(plan.power(d, found.n).unwrap() >= power - 1e-9, "{found:?}");
        if found.n > 2 {
            prop_assert!(plan.power(d, found.n - 1).unwrap() < power + 1e-9, "{found:?}");
        }
    }

    #[test]
    fn the_detectable_effect_has_the_power(plan in plan(), n in 2..300_u64, power in 0.3..0.99_f64) {
        let d = plan.detectable(n, power).unwrap();
        let found = plan.power(towards(&plan, d), n).unwrap();
        prop_assert!((found / power - 1.0).abs() < 1e-8, "{d}: {found}");
    }

    #[test]
    fn any_question_gets_a_number_or_a_reason(
        plan in plan(), d in any::<f64>(), n in any::<u64>(), power in any::<f64>(),
    ) {
        for found in [plan.power(d, n), plan.detectable(n, power), plan.power_of_two(d, n, n / 2)] {
            prop_assert!(found.is_ok_and(|found| found >= 0.0) || found.is_err());
        }
        if let Ok(found) = plan.sample_size(d, power) {
            prop_assert!(found.n >= 2);
        }
    }

    #[test]
    fn rates_and_groups_reach_their_power(p1 in 0.0..1.0_f64, p2 in 0.0..1.0_f64, groups in 2..8_u64, f in 0.05..1.5_f64) {
        prop_assume!((p1 - p2).abs() > 0.01);
        let found = proportion_sample_size((p1, p2), 0.8, 0.05).unwrap();
        prop_assert!(proportion_power((p1, p2), found.arcsine.n, 0.05).unwrap().arcsine >= 0.8 - 1e-9);
        prop_assert!(proportion_power((p1, p2), found.unpooled.n, 0.05).unwrap().unpooled >= 0.8 - 1e-9);
        let found = anova_sample_size(f, groups, 0.8, 0.05).unwrap();
        prop_assert!(anova_power(f, groups, groups * found.n, 0.05).unwrap() >= 0.8 - 1e-9);
        if found.n > 2 {
            prop_assert!(anova_power(f, groups, groups * (found.n - 1), 0.05).unwrap() < 0.8 + 1e-9);
        }
    }
}

#[test]
fn what_no_sample_can_reach_is_refused() {
    let usual = TPlan::USUAL;
    assert_eq!(usual.sample_size(0.0, 0.8), Err(Undefined::DomainError));
    assert_eq!(usual.sample_size(1e-9, 0.8), Err(Undefined::DomainError));
    let greater = TPlan {
        alternative: Alternative::Greater,
        ..usual
    };
    assert_eq!(greater.sample_size(-1.0, 0.8), Err(Undefined::DomainError));
    assert_eq!(usual.detectable(10, 0.04), Err(Undefined::DomainError));
    assert_eq!(usual.power(0.5, 1), Err(Undefined::TooFewObservations));
    assert_eq!(
        proportion_sample_size((0.5, 0.5), 0.8, 0.05),
        Err(Undefined::DomainError)
    );
    assert_eq!(anova_power(0.5, 1, 9, 0.05), Err(Undefined::TooFewGroups));
}

/// The power of Fisher's test is the chance of the tables that it rejects, one by one.
#[test]
fn fishers_power_is_that_of_all_tables() {
    use crate::proportion::fisher_exact;
    use crate::special::binomial_mass;
    for (n, p1, p2, alpha) in [
        (3, 0.0, 1.0, 0.05),
        (9, 0.2, 0.8, 0.05),
        (14, 0.1, 0.55, 0.1),
    ] {
        let mut expected = 0.0;
        for a in 0..=n {
            for b in 0..=n {
                let found = fisher_exact([[a, n - a], [b, n - b]]).unwrap();
                if found.p.two_sided.p < alpha {
                    let first = binomial_mass(a, n, p1).unwrap();
                    expected += first * binomial_mass(b, n, p2).unwrap();
                }
            }
        }
        let found = fisher_power((p1, p2), n, alpha).unwrap();
        assert!((found - expected).abs() < 1e-12, "{n}: {found} {expected}");
    }
}

#[test]
fn fishers_test_needs_more_trials_than_the_arcsine_says() {
    let needed = |p1, p2| fisher_sample_size((p1, p2), 0.8, 0.05).unwrap();
    // Of three trials each no table has a p below 0.1; of four the extreme one has 2 / 70.
    assert_eq!(needed(0.0, 1.0), Some(4));
    // Of seven each, two successes at most against seven: P(X <= 2) = 0.852.
    assert_eq!(needed(0.2, 1.0), Some(7));
    assert_eq!(needed(0.3, 0.31), None);
    // Large counts neither overflow nor round to nothing: near what the arcsine says, and above it.
    let arcsine = proportion_power((0.45, 0.55), FISHER_MOST, 0.05).unwrap();
    let exact = fisher_power((0.45, 0.55), FISHER_MOST, 0.05).unwrap();
    assert!(exact < arcsine.arcsine && exact > arcsine.arcsine - 0.03);
}
