use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn criterion(text: &str, declared: Option<&str>) -> Result<Criterion, CriterionError> {
    let (metric, condition) = parse(text)?;
    condition.for_metric(&metric, declared)
}

#[test]
fn both_forms_and_all_units_are_read() {
    for (text, declared, threshold, unit) in [
        ("error_rate < 0.05", None, 0.05, None),
        ("error_rate<5%", None, 0.05, Some(("ratio", true))),
        ("idle_time_percent <= 5 %", None, 5.0, Some(("%", true))),
        (
            "completion_time_ms < 60s",
            None,
            60_000.0,
            Some(("ms", true)),
        ),
        ("t_s >= 1500ms", None, 1.5, Some(("s", true))),
        ("t_minutes == 1h", None, 60.0, Some(("m", true))),
        ("t_ms != 2m", None, 120_000.0, Some(("ms", true))),
        ("latency < 0.57s", Some("ms"), 570.0, Some(("ms", false))),
        ("wait > 90s", Some("m"), 1.5, Some(("m", false))),
        ("acc > 57%", Some("ratio"), 0.57, Some(("ratio", false))),
        ("t_ms <= 1.001s", None, 1001.0, Some(("ms", true))),
        ("t_ms <= 1.001m", None, 60_060.0, Some(("ms", true))),
        ("t_s <= 1.1ms", None, 0.0011, Some(("s", true))),
        ("x > -1e-3", None, -0.001, None),
        ("x == +.5", None, 0.5, None),
    ] {
        let read = criterion(text, declared).unwrap();
        assert_eq!(read.threshold, threshold, "{text}");
        let found = read.metric_unit.as_ref();
        assert_eq!(
            found.map(|found| (found.unit.word(), found.assumed)),
            unit,
            "{text}"
        );
    }
}

#[test]
fn what_is_not_a_criterion_is_refused_with_a_reason() {
    for (text, declared, message) in [
        ("error_rate", None, "`error_rate` has no comparison"),
        ("< 5", None, "`< 5` names no metric"),
        ("a = 5", None, "`= 5` has no comparison"),
        ("a < ", None, "`` in `< ` is not a number"),
        ("a < fast", None, "`fast` in `< fast` is not a number"),
        ("a < 5 days", None, "`days` in `< 5 days` is not a unit"),
        ("a < 5e", None, "`e` in `< 5e` is not a unit"),
        (
            "a < 1e400",
            None,
            "the number of `< 1e400` is beyond 1.8e308",
        ),
        ("a => 5", None, "`=> 5` has no comparison"),
        (
            "completion_time < 60s",
            None,
            "`< 60s` has a unit, but the unit of `completion_time` is not known",
        ),
        (
            "t_ms < 5%",
            None,
            "`< 5%` cannot be compared with `t_ms`, which is in ms",
        ),
        (
            "size < 5s",
            Some("MB"),
            "`< 5s` cannot be compared with `size`, which is in MB",
        ),
    ] {
        let error = criterion(text, declared).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert!(!error.hint().is_empty());
    }
}

fn observed(variation: &str, values: &[Option<f64>]) -> Observed {
    let runs = values
        .iter()
        .map(|value| BTreeMap::from_iter(value.map(|value| ("e".to_owned(), value))))
        .collect();
    Observed {
        variation: variation.to_owned(),
        runs,
    }
}

#[test]
fn the_verdict_is_about_the_means_of_all_variations() {
    let criteria = [criterion("e < 2", None).unwrap()];
    let good = observed("good", &[Some(1.0), Some(2.5), None, Some(f64::NAN)]);
    let verdict = judge(&criteria, std::slice::from_ref(&good)).unwrap();
    assert!(verdict.met);
    let cell = &verdict.variations[0].cells[0];
    assert_eq!(cell.mean, Some(1.75));
    assert_eq!(
        (cell.runs, cell.met, cell.missing, cell.not_finite),
        (4, 1, 1, 1)
    );
    assert_eq!(cell.share(), Some(0.25));

    let empty = observed("empty", &[None]);
    let verdict = judge(&criteria, &[good, empty]).unwrap();
    assert!(!verdict.met);
    let cell = &verdict.variations[1].cells[0];
    assert_eq!((cell.outcome, cell.mean), (Outcome::Missing, None));
    assert_eq!(judge(&[], &[observed("x", &[])]), None);
}

#[test]
fn what_is_not_a_number_meets_nothing() {
    for operator in Operator::ALL {
        assert!(!operator.holds(f64::NAN, 1.0), "{operator}");
    }
    assert!(Operator::Greater.holds(f64::INFINITY, 1.0));
    assert!(!Operator::Less.holds(f64::INFINITY, 1.0));
}

fn condition() -> impl Strategy<Value = Condition> {
    let operator = prop::sample::select(Operator::ALL.to_vec());
    let unit = prop::option::of(prop::sample::select(CONDITION_UNITS.to_vec()));
    let number = "[+-]?([0-9]{1,5}(\\.[0-9]{0,3})?|\\.[0-9]{1,3})(e[+-]?[0-9]{1,2})?";
    (operator, number, unit).prop_map(|(operator, number, unit)| Condition {
        operator,
        number,
        unit,
    })
}

#[test]
fn who_demands_less_than_a_number_wants_less() {
    let told = ["ms < 5", "f1 >= 0.5", "t > 1", "t < 5", "n == 3"];
    let all = told.map(|text| criterion(text, None).unwrap());
    let expected = BTreeMap::from([("f1", Goal::Max), ("ms", Goal::Min)]);
    assert_eq!(goals(&all), expected);
}

proptest! {
    #[test]
    fn printed_conditions_read_back(condition in condition(), metric in "[a-z_]{1,8}(_ms)?") {
        prop_assert_eq!(Condition::parse(&condition.to_string()), Ok(condition.clone()));
        let text = format!("{metric}  {condition}");
        prop_assert_eq!(parse(&text), Ok((metric, condition)));
    }

    #[test]
    fn any_text_is_answered(text in any::<String>(), metric in any::<String>()) {
        if let Ok((_, condition)) = parse(&text) {
            let _outcome = condition.for_metric(&metric, Some(&text));
        }
        let _outcome = parse(&format!("{metric} < {text}"));
    }

    #[test]
    fn counts_add_up(values in prop::collection::vec(prop::option::of(any::<f64>()), 0..20)) {
        let criteria = [criterion("e >= 0", None).unwrap()];
        let verdict = judge(&criteria, &[observed("v", &values)]).unwrap();
        let cell = &verdict.variations[0].cells[0];
        prop_assert_eq!(cell.runs, values.len() as u64);
        prop_assert_eq!(cell.missing, values.iter().filter(|value| value.is_none()).count() as u64);
        prop_assert!(cell.met + cell.missing <= cell.runs);
        prop_assert!(cell.mean.is_none_or(|mean| !mean.is_nan()));
    }
}
