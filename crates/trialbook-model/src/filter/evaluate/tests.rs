use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::filter::{
    Case, CompareOp, Dialect, Literal, like_matches, parse, parse_order, value::number_in,
};

/// A value as a test writes it.
#[derive(Debug, Clone, PartialEq)]
enum Plain {
    Number(f64),
    Time(i64),
    Text(String),
}

/// A run made by hand.
#[derive(Debug, Clone, Default)]
struct Run {
    values: BTreeMap<(KeyKind, String), Plain>,
    datasets: Vec<String>,
}

impl Run {
    fn with(mut self, kind: KeyKind, name: &str, value: Plain) -> Self {
        self.values.insert((kind, name.to_owned()), value);
        self
    }

    fn metric(self, name: &str, value: f64) -> Self {
        self.with(KeyKind::Metric, name, Plain::Number(value))
    }

    fn param(self, name: &str, value: &str) -> Self {
        self.with(KeyKind::Param, name, Plain::Text(value.to_owned()))
    }
}

impl Row for Run {
    fn value(&self, kind: KeyKind, key: &Key) -> Option<Value<'_>> {
        // Contexts and aggregates are metrics of their own here.
        let mut whole = key.clone();
        whole.kind = KeyKind::Bare;
        let name = if key.context.is_empty() && key.aggregate == crate::filter::Aggregate::Last {
            key.name.clone()
        } else {
            whole.to_string()
        };
        Some(match self.values.get(&(kind, name))? {
            Plain::Number(number) => Value::Number(*number),
            Plain::Time(millis) => Value::Time(*millis),
            Plain::Text(text) => Value::text(text),
        })
    }

    fn datasets(&self, field: &str) -> Vec<Cow<'_, str>> {
        assert_eq!(field, "name");
        self.datasets
            .iter()
            .map(|name| Cow::Borrowed(name.as_str()))
            .collect()
    }
}

fn check(run: &Run, holding: &[&str], failing: &[&str]) {
    for (texts, expected) in [(holding, true), (failing, false)] {
        for text in texts {
            let expr =
                parse(text, Dialect::Native).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(holds(&expr, run), expected, "{text}");
            assert_eq!(
                holds(&Expr::Not(Box::new(expr)), run),
                !expected,
                "NOT ({text})"
            );
        }
    }
}

#[test]
fn missing_values_satisfy_nothing_but_is_null() {
    check(
        &Run::default(),
        &[
            "",
            "a IS NULL",
            "NOT a = 1",
            "NOT a != 1",
            "NOT params.a NOT LIKE '%'",
            "datasets.name IS NULL",
        ],
        &[
            "a = 1",
            "a != 1",
            "a > 1",
            "a != 'x'",
            "params.a LIKE '%'",
            "params.a NOT LIKE 'x'",
            "a IN (1)",
            "a NOT IN (1)",
            "a IS NOT NULL",
            "datasets.name != 'x'",
            "datasets.name NOT IN ('x')",
        ],
    );
}

#[test]
fn bare_keys_mean_the_metric_then_the_param() {
    let run = Run::default()
        .metric("a", 1.0)
        .param("a", "2")
        .param("b", "3")
        .param("c", "x");
    check(
        &run,
        &[
            "a = 1",
            "a = '2'",
            "params.a = 2",
            "b = 3",
            "b IS NOT NULL",
            "c = 'x'",
            "c != 3",
            "a LIKE '2'",
        ],
        &[
            "a = 2",
            "metrics.b = 3",
            "c = 3",
            "c < 3",
            "a != '2'",
            "a NOT LIKE '_'",
        ],
    );
}

#[test]
fn params_compare_as_numbers_when_both_sides_are() {
    let run = Run::default()
        .param("lr", "0.10")
        .param("v", "1.2.3")
        .param("empty", "");
    check(
        &run,
        &[
            "params.lr = 0.1",
            "params.lr = '0.10'",
            "params.lr < 1",
            "params.lr IN (5, 1e-1)",
            "params.lr != '0.1'",
            "params.v = '1.2.3'",
            "params.v != 1.2",
            "params.empty = ''",
            "params.empty IS NOT NULL",
        ],
        &[
            "params.lr = '0.1'",
            "params.v > 1",
            "params.v IN (1, 'x')",
            "params.empty < 1",
            "params.empty LIKE '_'",
        ],
    );
}

#[test]
fn nan_satisfies_only_unequal() {
    let run = Run::default()
        .metric("a", f64::NAN)
        .metric("b", f64::INFINITY);
    check(
        &run,
        &[
            "a != 1",
            "a NOT IN (1)",
            "a IS NOT NULL",
            "b > 1e300",
            "b = inf",
        ],
        &["a = 1", "a < 1", "a >= 1", "a IN (1)", "b < inf"],
    );
}

#[test]
fn datasets_hold_when_one_of_them_does() {
    let run = Run {
        datasets: vec!["train".to_owned(), "test".to_owned()],
        ..Run::default()
    };
    check(
        &run,
        &[
            "datasets.name = 'test'",
            "datasets.name != 'test'",
            "datasets.name LIKE 'tr%'",
            "datasets.name NOT IN ('train')",
        ],
        &[
            "datasets.name = 'x'",
            "datasets.name NOT IN ('train', 'test')",
            "datasets.name NOT LIKE 't%'",
        ],
    );
}

#[test]
fn attributes_contexts_and_aggregates_are_told_apart() {
    let run = Run::default()
        .with(
            KeyKind::Attribute,
            "started",
            Plain::Time(1_768_953_600_000),
        )
        .with(
            KeyKind::Attribute,
            "status",
            Plain::Text("completed".to_owned()),
        )
        .metric("loss", 3.0)
        .metric("loss{\"s\":1}", 2.0)
        .metric("min(loss)", 1.0);
    check(
        &run,
        &[
            "started = '2026-01-21'",
            "started < '2026-01-21T00:00:00.001Z'",
            "started >= 1768953600000",
            "status = FINISHED",
            "status LIKE 'comp%'",
            "status NOT IN ('failed')",
            "loss = 3",
            "loss{\"s\":1} = 2",
            "min(loss) = 1",
            "max(loss) IS NULL",
        ],
        &[
            "started > '2026-01-21'",
            "status = 'failed'",
            "loss{\"s\":2} = 2",
        ],
    );
}

#[test]
fn patterns_match_whole_texts() {
    for (pattern, case, text, expected) in [
        ("", Case::Sensitive, "", true),
        ("%", Case::Sensitive, "", true),
        ("_", Case::Sensitive, "é", true),
        ("_", Case::Sensitive, "", false),
        ("a%", Case::Sensitive, "Abc", false),
        ("a%", Case::Insensitive, "Abc", true),
        ("ÄRGER", Case::Insensitive, "ärger", true),
        ("%b%b", Case::Sensitive, "abab", true),
        ("a_c", Case::Sensitive, "a%c", true),
        ("a\\_", Case::Sensitive, "a\\x", true),
    ] {
        assert_eq!(
            like_matches(pattern, case, text),
            expected,
            "{pattern} {text}"
        );
    }
    let text = "a".repeat(20_000);
    assert!(!like_matches("%a%a%a%b", Case::Sensitive, &text));
}

fn sorted(order: &str, dialect: Dialect, runs: &[(&str, Run)]) -> String {
    let terms = parse_order(order, dialect).unwrap();
    let mut runs: Vec<&(&str, Run)> = runs.iter().collect();
    runs.sort_by(|a, b| compare_rows(&terms, &a.1, &b.1));
    runs.iter()
        .map(|(name, _)| *name)
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn missing_comes_last_and_nan_before_it() {
    let runs = [
        ("none", Run::default()),
        ("nan", Run::default().metric("m", f64::NAN)),
        ("two", Run::default().metric("m", 2.0)),
        ("-inf", Run::default().metric("m", f64::NEG_INFINITY)),
        ("one", Run::default().metric("m", 1.0)),
    ];
    assert_eq!(
        sorted("m asc", Dialect::Native, &runs),
        "-inf one two nan none"
    );
    assert_eq!(
        sorted("m desc", Dialect::Native, &runs),
        "two one -inf nan none"
    );
    assert_eq!(sorted("m", Dialect::Native, &runs), "two one -inf nan none");
    assert_eq!(
        sorted("metrics.m", Dialect::Mlflow, &runs),
        "-inf one two nan none"
    );
    assert_eq!(
        sorted("best(m)", Dialect::Native, &runs),
        "none nan two -inf one"
    );
}

#[test]
fn the_collation_decides_how_params_are_sorted() {
    let runs = [
        ("10", Run::default().param("p", "10")),
        ("x", Run::default().param("p", "x")),
        ("9", Run::default().param("p", "9").metric("m", -0.0)),
        ("9.0", Run::default().param("p", "9.0").metric("m", 0.0)),
        ("none", Run::default()),
    ];
    assert_eq!(sorted("p asc", Dialect::Native, &runs), "9 9.0 10 x none");
    assert_eq!(sorted("p desc", Dialect::Native, &runs), "x 10 9 9.0 none");
    assert_eq!(
        sorted("params.p", Dialect::Mlflow, &runs),
        "10 9 9.0 x none"
    );
    assert_eq!(
        sorted("params.p desc", Dialect::Mlflow, &runs),
        "x 9.0 9 10 none"
    );
    assert_eq!(
        sorted("m asc, p desc", Dialect::Native, &runs),
        "9 9.0 x 10 none"
    );
}

#[test]
fn goals_fill_in_the_direction() {
    let terms = parse_order("a, a2 asc", Dialect::Native).unwrap();
    assert_eq!(
        terms[0].direction_for(Some(Goal::Min)),
        Direction::Ascending
    );
    assert_eq!(
        terms[0].direction_for(Some(Goal::None)),
        Direction::Descending
    );
    assert_eq!(
        terms[1].direction_for(Some(Goal::Max)),
        Direction::Ascending
    );
}

fn numbers() -> impl Strategy<Value = f64> {
    prop::sample::select(vec![-1.5, -0.0, 0.0, 1.0, 2.0, f64::INFINITY, f64::NAN])
}

fn texts() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "1", "1.0", "ab", "AB", "b"]).prop_map(str::to_owned)
}

fn plain() -> impl Strategy<Value = Plain> {
    prop_oneof![
        numbers().prop_map(Plain::Number),
        (0..3_i64).prop_map(Plain::Time),
        texts().prop_map(Plain::Text),
    ]
}

fn kinds() -> impl Strategy<Value = KeyKind> {
    prop::sample::select(vec![
        KeyKind::Attribute,
        KeyKind::Metric,
        KeyKind::Param,
        KeyKind::Tag,
        KeyKind::Dataset,
        KeyKind::Bare,
    ])
}

fn runs() -> impl Strategy<Value = Run> {
    let values = prop::collection::btree_map((kinds(), Just("name".to_owned())), plain(), 0..5);
    let datasets = prop::collection::vec(texts(), 0..3);
    (values, datasets).prop_map(|(values, datasets)| Run { values, datasets })
}

fn literals() -> impl Strategy<Value = Literal> {
    prop_oneof![
        numbers().prop_map(Literal::number),
        (0..3_i64).prop_map(|millis| Literal::Time(millis, millis.to_string())),
        texts().prop_map(Literal::Text),
    ]
}

fn conditions() -> impl Strategy<Value = Expr> {
    let key = || kinds().prop_map(|kind| Key::new(kind, "name"));
    let ops = prop::sample::select(CompareOp::ALL.to_vec());
    let cases = prop::sample::select(vec![Case::Sensitive, Case::Insensitive]);
    prop_oneof![
        3 => (key(), ops, literals()).prop_map(|(key, op, value)| Expr::Compare { key, op, value }),
        1 => (key(), "[ab1%_]{0,3}", cases, any::<bool>())
            .prop_map(|(key, pattern, case, negated)| Expr::Like { key, pattern, case, negated }),
        1 => (key(), prop::collection::vec(literals(), 1..3), any::<bool>())
            .prop_map(|(key, values, negated)| Expr::In { key, values, negated }),
        1 => (key(), any::<bool>()).prop_map(|(key, negated)| Expr::IsNull { key, negated }),
    ]
}

fn trees() -> impl Strategy<Value = Expr> {
    conditions().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Expr::And),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Expr::Or),
            inner.prop_map(|inner| Expr::Not(Box::new(inner))),
        ]
    })
}

/// The values that a condition is asked of, by the words of the guide.
fn naive_values(run: &Run, key: &Key, wanted: Wanted) -> Vec<Plain> {
    let get = |kind| run.values.get(&(kind, key.name.clone())).cloned();
    match key.kind {
        KeyKind::Dataset => run.datasets.iter().cloned().map(Plain::Text).collect(),
        KeyKind::Bare if wanted == Wanted::Text => get(KeyKind::Param).into_iter().collect(),
        KeyKind::Bare => get(KeyKind::Metric)
            .or(get(KeyKind::Param))
            .into_iter()
            .collect(),
        kind @ (KeyKind::Attribute | KeyKind::Metric | KeyKind::Param | KeyKind::Tag) => {
            get(kind).into_iter().collect()
        }
    }
}

fn naive_wanted(values: &[Literal]) -> Wanted {
    if values
        .iter()
        .any(|value| !matches!(value, Literal::Text(_)))
    {
        Wanted::Any
    } else {
        Wanted::Text
    }
}

fn naive_compare(kind: KeyKind, op: CompareOp, value: &Plain, literal: &Literal) -> bool {
    let left = match value {
        Plain::Number(number) => Some(*number),
        Plain::Time(millis) => Some(*millis as f64),
        Plain::Text(text) if kind != KeyKind::Dataset => number_in(text),
        Plain::Text(_) => None,
    };
    let right = match literal {
        Literal::Number(number, _) => Some(*number),
        Literal::Time(millis, _) if !matches!(value, Plain::Text(_)) => Some(*millis as f64),
        Literal::Time(..) | Literal::Text(_) => None,
    };
    if let (Some(left), Some(right)) = (left, right) {
        let order = left.partial_cmp(&right);
        return match op {
            CompareOp::Equal => order == Some(Ordering::Equal),
            CompareOp::NotEqual => order != Some(Ordering::Equal),
            CompareOp::Less => order == Some(Ordering::Less),
            CompareOp::Greater => order == Some(Ordering::Greater),
            CompareOp::LessEqual => order.is_some_and(Ordering::is_le),
            CompareOp::GreaterEqual => order.is_some_and(Ordering::is_ge),
        };
    }
    let (Literal::Number(_, written) | Literal::Time(_, written) | Literal::Text(written)) =
        literal;
    let same = matches!(value, Plain::Text(text) if text == written);
    (op == CompareOp::Equal && same) || (op == CompareOp::NotEqual && !same)
}

fn naive_like(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('%', rest)) => (0..=text.len()).any(|at| naive_like(rest, &text[at..])),
        Some((letter, rest)) => text.split_first().is_some_and(|(found, after)| {
            (*letter == '_' || letter == found) && naive_like(rest, after)
        }),
    }
}

fn naive(expr: &Expr, run: &Run) -> bool {
    match expr {
        Expr::And(parts) => !parts.iter().any(|part| !naive(part, run)),
        Expr::Or(parts) => parts.iter().filter(|part| naive(part, run)).count() > 0,
        Expr::Not(inner) => !naive(inner, run),
        Expr::IsNull { key, negated } => naive_values(run, key, Wanted::Any).is_empty() ^ negated,
        Expr::Compare { key, op, value } => {
            let values = naive_values(run, key, naive_wanted(std::slice::from_ref(value)));
            values
                .iter()
                .any(|found| naive_compare(key.kind, *op, found, value))
        }
        Expr::In {
            key,
            values,
            negated,
        } => naive_values(run, key, naive_wanted(values))
            .iter()
            .any(|found| {
                let same = |value| naive_compare(key.kind, CompareOp::Equal, found, value);
                values.iter().any(same) ^ negated
            }),
        Expr::Like {
            key,
            pattern,
            case,
            negated,
        } => naive_values(run, key, Wanted::Text).iter().any(|found| {
            let Plain::Text(text) = found else {
                return false;
            };
            let letters = |text: &str| match case {
                Case::Sensitive => text.chars().collect::<Vec<_>>(),
                Case::Insensitive => text.to_lowercase().chars().collect(),
            };
            naive_like(&letters(pattern), &letters(text)) ^ negated
        }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn conditions_hold_as_in_the_naive_model(tree in trees(), run in runs()) {
        prop_assert_eq!(holds(&tree, &run), naive(&tree, &run));
    }

    #[test]
    fn de_morgan_holds(parts in prop::collection::vec(trees(), 0..4), run in runs()) {
        let not = |expr: &Expr| Expr::Not(Box::new(expr.clone()));
        let negated: Vec<Expr> = parts.iter().map(not).collect();
        prop_assert_eq!(
            holds(&not(&Expr::And(parts.clone())), &run),
            holds(&Expr::Or(negated.clone()), &run)
        );
        prop_assert_eq!(holds(&not(&Expr::Or(parts)), &run), holds(&Expr::And(negated), &run));
    }

    #[test]
    fn patterns_match_as_in_the_naive_model(pattern in "[ab%_]{0,6}", text in "[ab]{0,8}") {
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(
            like_matches(&pattern, Case::Sensitive, &text),
            naive_like(&letters(&pattern), &letters(&text))
        );
    }

    #[test]
    fn sorting_is_a_total_order(
        runs in prop::collection::vec(runs(), 3),
        kind in kinds(),
        direction in prop::sample::select(vec![None, Some(Direction::Ascending), Some(Direction::Descending)]),
        collation in prop::sample::select(vec![Collation::Natural, Collation::Text]),
    ) {
        let terms = [OrderTerm { key: Key::new(kind, "name"), direction, collation }];
        let compare = |a: usize, b: usize| compare_rows(&terms, &runs[a], &runs[b]);
        prop_assert_eq!(compare(0, 0), Ordering::Equal);
        prop_assert_eq!(compare(0, 1), compare(1, 0).reverse());
        if compare(0, 1).is_le() && compare(1, 2).is_le() {
            prop_assert!(compare(0, 2).is_le());
            prop_assert!(compare(0, 2).is_lt() || (compare(0, 1).is_eq() && compare(1, 2).is_eq()));
        }
        let missing = |run: &Run| lookup(run, &terms[0].key, Wanted::Any).is_none();
        if missing(&runs[0]) && !missing(&runs[1]) {
            prop_assert_eq!(compare(0, 1), Ordering::Greater);
        }
    }
}
