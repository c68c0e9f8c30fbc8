//! When which warning is given, case by case: on both sides of each bound.

use trialbook_stats::{SplitMix64, shape};

use super::*;

/// Values spread evenly, in an order in which neighbours are not alike.
fn calm(n: usize, scale: f64) -> Vec<f64> {
    let ordered = |seed: u64| {
        let mut random = SplitMix64::new(seed);
        let mut places: Vec<(u64, usize)> = (0..n).map(|at| (random.word(), at)).collect();
        places.sort_unstable();
        let value = |at: usize| 50.0 + scale * (at as f64 / n as f64 - 0.5);
        places.into_iter().map(|(_, at)| value(at)).collect()
    };
    let is_calm = |values: &Vec<f64>| {
        let alike = shape(values).unwrap().lag1_autocorrelation.unwrap();
        alike.abs() < 0.5 / (n as f64).sqrt()
    };
    (0..1_000).map(ordered).find(is_calm).unwrap()
}

fn shares(hits: usize, n: usize) -> Vec<f64> {
    (0..n)
        .map(|at| f64::from(u8::from(at * 7 % n < hits)))
        .collect()
}

fn skewed(n: usize) -> Vec<f64> {
    let values = calm(n, 6.0);
    values
        .into_iter()
        .map(|value| (value - 50.0).exp())
        .collect()
}

struct Case {
    what: &'static str,
    policy: &'static str,
    test: Test,
    a: Vec<f64>,
    b: Vec<f64>,
    warned: &'static [&'static str],
}

fn case(what: &'static str, a: Vec<f64>, b: Vec<f64>, warned: &'static [&'static str]) -> Case {
    Case {
        what,
        policy: "derived",
        test: Test::Auto,
        a,
        b,
        warned,
    }
}

fn of_means() -> Vec<Case> {
    let wide = |n| calm(n, 9.0);
    let mut risen = calm(30, 1.0);
    risen.sort_unstable_by(f64::total_cmp);
    let student = |case: Case| Case {
        test: Test::Student,
        ..case
    };
    vec![
        case("nothing to say", calm(30, 1.0), calm(30, 1.5), &[]),
        case("ten are enough", calm(10, 1.0), calm(10, 1.5), &[]),
        case("nine are few", calm(9, 1.0), calm(10, 1.5), &["few_trials"]),
        case("variances with equal n", calm(12, 1.0), wide(12), &[]),
        case(
            "variances and n",
            calm(12, 1.0),
            wide(13),
            &["unequal_variance"],
        ),
        student(case(
            "variances taken to be equal",
            calm(12, 1.0),
            wide(12),
            &["pooled_variance"],
        )),
        case("skewed and few", skewed(60), skewed(60), &["skewed"]),
        case("skewed and many", skewed(200), skewed(200), &[]),
        case("rising", risen, calm(30, 1.0), &["autocorrelated"]),
        case("constant", vec![1.0; 12], calm(12, 1.0), &["identical"]),
    ]
}

fn of_pairs_and_ranks() -> Vec<Case> {
    let ranks = |case: Case| Case {
        test: Test::MannWhitney,
        ..case
    };
    let paired = |case: Case| Case {
        policy: "paired",
        ..case
    };
    let turned = |values: Vec<f64>| -> Vec<f64> { values.into_iter().map(|it| -it).collect() };
    let with_tie = |n| {
        let mut values = calm(n, 1.0);
        values[0] = values[n - 1];
        values
    };
    let rounded = |values: Vec<f64>| -> Vec<f64> {
        values.into_iter().map(|it| (it * 3.0).round()).collect()
    };
    vec![
        paired(case("pairs", calm(12, 1.0), calm(12, 1.1), &[])),
        paired(case(
            "a partner short",
            calm(12, 1.0),
            calm(11, 1.1),
            &["unmatched"],
        )),
        paired(case(
            "pairs against each other",
            calm(12, 1.0),
            turned(calm(12, 1.1)),
            &["negative_pairs"],
        )),
        ranks(case("ranks", calm(12, 1.0), calm(12, 1.1), &[])),
        ranks(case(
            "normal ranks of few",
            calm(12, 1.0),
            with_tie(60),
            &["normal_ranks"],
        )),
        ranks(case(
            "normal ranks of many",
            calm(20, 1.01),
            with_tie(60),
            &[],
        )),
        ranks(case(
            "tied",
            rounded(calm(12, 1.0)),
            rounded(calm(12, 1.1)),
            &["tied"],
        )),
    ]
}

fn of_rates() -> Vec<Case> {
    vec![
        case("rates", shares(12, 30), shares(20, 30), &[]),
        case(
            "rates of few",
            shares(12, 29),
            shares(20, 30),
            &["few_for_rate"],
        ),
        case("all", shares(30, 30), shares(20, 30), &["all_or_none"]),
        case("none", shares(0, 30), shares(20, 30), &["all_or_none"]),
    ]
}

#[test]
fn each_warning_is_given_at_its_bound() {
    let cases = of_means().into_iter().chain(of_pairs_and_ranks());
    for case in cases.chain(of_rates()) {
        let request = Request {
            test: case.test,
            ..Request::default()
        };
        let runs = of_values(&case.a, &case.b);
        let found = asked(case.policy, &runs, Vec::new(), &request);
        let codes = found.warnings.iter().map(|warning| {
            let warning = serde_json::to_value(warning).unwrap();
            warning["code"].as_str().unwrap().to_owned()
        });
        let codes: Vec<String> = codes.collect();
        assert_eq!(codes, case.warned, "{}: {:?}", case.what, found.warnings);
    }
}
