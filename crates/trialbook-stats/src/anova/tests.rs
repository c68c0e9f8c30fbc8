//! What holds for every set of groups.

use proptest::prelude::*;

use super::*;
use crate::probability::Level;
use crate::t_test::{student_t_test, welch_t_test};

fn group() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-9.0..9.0_f64, 2..20)
}

fn anything() -> impl Strategy<Value = Vec<Vec<f64>>> {
    let value = prop_oneof![any::<f64>(), -3.0..3.0_f64, Just(0.0), Just(1.0)];
    prop::collection::vec(prop::collection::vec(value, 0..4), 0..4)
}

fn near(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-9 * expected.abs().max(1e-6)
}

proptest! {
    #[test]
    fn two_groups_are_a_squared_t_test(x in group(), y in group()) {
        let groups = [&x, &y];
        let student = student_t_test(&x, &y, Level::NINETY_FIVE).unwrap();
        let one_way = one_way_anova(&groups).unwrap();
        prop_assert!(near(one_way.statistic, student.statistic * student.statistic));
        prop_assert!(near(one_way.p.ln_p, student.p.two_sided.ln_p));
        let two = welch_t_test(&x, &y, Level::NINETY_FIVE).unwrap();
        let welch = welch_anova(&groups).unwrap();
        prop_assert!(near(welch.statistic, two.statistic * two.statistic));
        prop_assert!(near(welch.df_within, two.df));
    }

    #[test]
    fn the_order_of_the_groups_and_the_unit_do_not_matter(
        groups in prop::collection::vec(group(), 2..5), power in -500..500_i32,
    ) {
        let unit = 2.0_f64.powi(power);
        let changed: Vec<Vec<f64>> = groups
            .iter()
            .rev()
            .map(|group| group.iter().map(|value| value * unit).collect())
            .collect();
        let (here, there) = (one_way_anova(&groups).unwrap(), one_way_anova(&changed).unwrap());
        prop_assert!(near(here.statistic, there.statistic) && near(here.omega_squared, there.omega_squared));
        let (here, there) = (welch_anova(&groups).unwrap(), welch_anova(&changed).unwrap());
        prop_assert!(near(here.statistic, there.statistic) && near(here.df_within, there.df_within));
    }

    #[test]
    fn two_conditions_are_a_squared_paired_test(rows in prop::collection::vec(prop::array::uniform2(-9.0..9.0_f64), 3..20)) {
        let (x, y): (Vec<_>, Vec<_>) = rows.iter().map(|&[x, y]| (x, y)).unzip();
        let pairs = crate::t_test::paired_t_test(&x, &y, Level::NINETY_FIVE).unwrap();
        let found = repeated_measures_anova(&rows).unwrap();
        prop_assert!(near(found.statistic, pairs.statistic * pairs.statistic));
        prop_assert!(near(found.epsilon_gg, 1.0));
    }

    #[test]
    fn any_input_gets_numbers_or_a_reason(groups in anything()) {
        if let Ok(found) = one_way_anova(&groups) {
            prop_assert!(found.statistic.is_finite() && found.p.ln_p <= 0.0, "{found:?}");
            prop_assert!((0.0..=1.0).contains(&found.eta_squared), "{found:?}");
        }
        if let Ok(found) = welch_anova(&groups) {
            prop_assert!(found.statistic.is_finite() && found.p.ln_p <= 0.0, "{found:?}");
        }
        if let Ok(found) = repeated_measures_anova(&groups) {
            prop_assert!(found.statistic.is_finite() && found.p_gg.ln_p <= 0.0, "{found:?}");
        }
    }
}

#[test]
fn reasons_come_in_their_order() {
    let none: [Vec<f64>; 0] = [];
    assert_eq!(one_way_anova(&none), Err(Undefined::TooFewGroups));
    assert_eq!(
        one_way_anova(&[vec![1.0, 2.0], vec![]]),
        Err(Undefined::TooFewObservations)
    );
    assert_eq!(repeated_measures_anova(&none), Err(Undefined::EmptyInput));
    let ragged = [vec![1.0, 2.0], vec![1.0]];
    assert_eq!(
        repeated_measures_anova(&ragged),
        Err(Undefined::LengthMismatch)
    );
    let additive = [[0.1, 0.2, 0.4], [0.3, 0.4, 0.6], [0.7, 0.8, 1.0]];
    assert_eq!(
        repeated_measures_anova(&additive),
        Err(Undefined::ZeroVariance)
    );
}
