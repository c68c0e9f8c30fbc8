//! What stands beside a test: other intervals, chances, shares of variance, success rates.

use super::*;
use crate::finding::Omnibus;

fn ranks() -> Request {
    Request {
        test: Test::MannWhitney,
        ..Request::default()
    }
}

fn failed(at: usize) -> Op {
    Op::SetStatus(SetStatus {
        run: uid(at),
        status: RunStatus::Failed,
        started: None,
        ended: Some(Timestamp(10)),
        error: None,
        exit_code: None,
    })
}

/// Hollander and Wolfe's permeability of the placenta: the shift and its interval as R prints them.
#[test]
fn a_test_of_ranks_has_a_shift_with_its_interval() {
    let x = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
    let y = [1.15, 0.88, 0.90, 0.74, 1.21];
    let found = asked("derived", &of_values(&y, &x), Vec::new(), &ranks());
    let tested = tested(&found);
    let interval = tested.interval.as_ref().unwrap();
    assert_eq!(interval.method, "Hodges-Lehmann, exact");
    let near = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-9, "{value}");
    near(tested.difference, 0.305);
    near(interval.low, -0.15);
    near(interval.high, 0.76);
    // The sds are more than twofold apart.
    assert!(tested.p_brunner_munzel.is_some());
    let near = asked("derived", &four_each(), Vec::new(), &ranks());
    assert_eq!(super::tested(&near).p_brunner_munzel, None);
}

#[test]
fn few_skewed_values_have_a_bootstrap_t_interval_too() {
    let costs = [1.0, 1.2, 1.3, 1.1, 0.9, 1.4, 9.0, 1.25, 0.8, 3.0];
    let calm = [1.0, 1.2, 1.3, 1.1, 0.9, 1.4, 0.95, 1.25, 0.8, 1.05];
    let found = asked(
        "derived",
        &of_values(&costs, &calm),
        Vec::new(),
        &Request::default(),
    );
    let of = |at: usize| found.metrics[0].arms[at].described.as_ref().unwrap();
    let (t, resampled) = (
        of(0).interval.as_ref().unwrap(),
        of(0).bootstrap_t.as_ref().unwrap(),
    );
    assert_eq!(
        (resampled.method, resampled.replicates),
        ("bootstrap-t", 10_000)
    );
    // Long where the values are: the high end lies further out than that of t.
    assert!(
        resampled.high > t.high && resampled.low > t.low,
        "{t:?} {resampled:?}"
    );
    assert_eq!(of(1).bootstrap_t, None);
    assert!(tested(&found).bootstrap_t.is_some());
    let same = asked(
        "derived",
        &of_values(&costs, &calm),
        Vec::new(),
        &Request::default(),
    );
    assert_eq!(bytes(&same), bytes(&found));
    let few = [0.3, 0.7, 0.1, 0.2, 0.5, 0.4, 0.45, 0.35, 0.15, 0.25];
    let paired = asked(
        "paired",
        &of_values(&few, &costs),
        Vec::new(),
        &Request::default(),
    );
    assert!(tested(&paired).bootstrap_t.is_some());
    // Of values that are few and mostly alike resamples say little.
    let alike = [5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 1.0, 5.0, 4.0];
    let found = asked(
        "derived",
        &of_values(&alike, &calm),
        Vec::new(),
        &Request::default(),
    );
    assert_eq!(
        found.metrics[0].arms[0]
            .described
            .as_ref()
            .unwrap()
            .bootstrap_t,
        None
    );
}

#[test]
fn what_cannot_be_tested_has_its_difference_and_chance() {
    let found = asked(
        "derived",
        &of_values(&[1.5; 3], &[2.5; 3]),
        Vec::new(),
        &Request::default(),
    );
    let Outcome::CannotTest {
        cannot_test,
        difference,
        a12,
        ..
    } = &found.metrics[0].contrasts[0].outcome
    else {
        panic!("{found:?}")
    };
    assert_eq!(
        (*cannot_test, *difference, *a12),
        ("zero_variance", Some(1.0), Some(1.0))
    );
}

#[test]
fn several_arms_have_shares_of_variance() {
    let mut runs = of_values(&[1.0, 2.0, 3.0], &[2.0, 3.0, 4.0]);
    runs.extend(
        [5.0, 6.0, 7.0]
            .into_iter()
            .zip(1..)
            .map(|(value, at)| trial("c", at, value)),
    );
    let found = asked("derived", &runs, Vec::new(), &Request::default());
    let Some(Omnibus::Tested {
        eta_squared,
        omega_squared,
        ..
    }) = &found.metrics[0].omnibus
    else {
        panic!("{found:?}")
    };
    // Between 26, within 6 of 32: 26 / 32 and (26 - 2 * 1) / (32 + 1).
    assert!((eta_squared.unwrap() - 0.8125).abs() < 1e-12);
    assert!((omega_squared.unwrap() - 24.0 / 33.0).abs() < 1e-12);
}

#[test]
fn success_rates_are_tested_where_they_can_differ() {
    let values: Vec<f64> = (0..10).map(f64::from).collect();
    let runs = of_values(&values, &values);
    let found = asked("derived", &runs, Vec::new(), &Request::default());
    assert_eq!(found.success, None, "all completed");
    // 9 of 10 against 2 of 10.
    let failures = (0..1).chain(10..18).map(failed).collect();
    let found = asked("derived", &runs, failures, &Request::default());
    let success = found.success.unwrap();
    let Outcome::Tested(tested) = &success.contrasts[0].outcome else {
        panic!("{success:?}")
    };
    // scipy.stats.fisher_exact([[2, 8], [9, 1]])
    assert!(
        (tested.p - 0.005_477_494_641_581_328).abs() < 1e-9,
        "{tested:?}"
    );
    assert_eq!((tested.test, success.family), ("Fisher's exact test", 1));
    assert_eq!(tested.better.as_deref(), Some("a"));
    assert!((tested.difference + 0.7).abs() < 1e-12 && tested.power.is_some());
    let few =
        |it: &Warning| matches!(it, Warning::FewForRate { metric, .. } if metric == "success rate");
    assert!(found.warnings.iter().any(few));
    // The family of the metrics is another one.
    assert_eq!(found.family.unwrap().size, 1);
}
