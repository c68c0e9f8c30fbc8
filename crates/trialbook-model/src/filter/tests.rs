use proptest::prelude::*;

use super::*;
use crate::status::RunStatus;

fn names() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        "not",
        "IN",
        "null",
        "min",
        "nan",
        "metrics.x",
        "tag.",
        "a b",
        "`",
        "``",
        "\"",
        "'",
        ".x",
        "x.",
        "5",
        "-1",
        "é/ü",
        "日本",
        "run name",
        "a\nb",
        "loss{}",
        "derived.x",
        "a.b/c:d@e-f",
    ]);
    prop_oneof![
        "[a-z_]{1,6}",
        "[a-z]{1,3}[.][a-z0-9-]{1,3}",
        "\\PC{1,6}",
        odd.prop_map(str::to_owned),
    ]
}

fn keys() -> impl Strategy<Value = Key> {
    let contexts = prop::sample::select(vec![
        "",
        "{\"split\":\"test\"}",
        "{\"a\":[1,{\"}\":null}],\"b\":0.5}",
    ]);
    let metric = (
        names(),
        contexts,
        prop::sample::select(Aggregate::ALL.to_vec()),
    )
        .prop_map(|(name, context, aggregate)| Key {
            kind: KeyKind::Metric,
            name,
            context: context.to_owned(),
            aggregate,
        });
    prop_oneof![
        metric,
        names().prop_map(|name| Key::new(KeyKind::Param, name)),
        names().prop_map(|name| Key::new(KeyKind::Tag, name)),
        names()
            .prop_filter("attributes are never bare", |name| Attribute::named(name)
                .is_none())
            .prop_map(|name| Key::new(KeyKind::Bare, name)),
        prop::sample::select(Attribute::ALL.to_vec())
            .prop_map(|attribute| Key::new(KeyKind::Attribute, attribute.name())),
        prop::sample::select(vec!["name", "digest", "context"])
            .prop_map(|field| Key::new(KeyKind::Dataset, field)),
    ]
}

fn numbers() -> BoxedStrategy<Literal> {
    let written = prop::sample::select(vec!["3.10", "+5", ".5", "1.", "1E-3", "-inf", "00"]);
    prop_oneof![
        any::<f64>()
            .prop_filter("NaN cannot be written", |number| !number.is_nan())
            .prop_map(Literal::number),
        written.prop_map(|text| Literal::Number(text.parse().unwrap(), text.to_owned())),
    ]
    .boxed()
}

fn texts() -> BoxedStrategy<Literal> {
    prop_oneof!["\\PC{0,6}", "['\"`%_\\n]{0,4}", "[0-9]{1,3}"]
        .prop_map(Literal::Text)
        .boxed()
}

fn times() -> BoxedStrategy<Literal> {
    prop_oneof![
        any::<i64>().prop_map(|millis| Literal::Time(millis, millis.to_string())),
        Just(Literal::Time(1_768_953_600_000, "2026-01-21".to_owned())),
        Just(Literal::Time(
            1_768_989_612_345,
            "2026-01-21T11:00:12.345678+01:00".to_owned()
        )),
    ]
    .boxed()
}

/// Literals that go with the key, as the parser makes them.
fn literals(key: &Key) -> BoxedStrategy<Literal> {
    let words = |words: Vec<&'static str>| {
        prop::sample::select(words)
            .prop_map(|word| Literal::Text(word.to_owned()))
            .boxed()
    };
    match key.kind {
        KeyKind::Metric => numbers(),
        KeyKind::Param | KeyKind::Tag | KeyKind::Bare => prop_oneof![numbers(), texts()].boxed(),
        KeyKind::Dataset => texts(),
        KeyKind::Attribute => match key.attribute().unwrap().value_type() {
            AttributeType::Text => texts(),
            AttributeType::Number => numbers(),
            AttributeType::Time => times(),
            AttributeType::Status => words(RunStatus::ALL.map(RunStatus::word).to_vec()),
            AttributeType::Flag => words(vec!["true", "false"]),
        },
    }
}

fn takes_patterns(key: &Key) -> bool {
    match key.kind {
        KeyKind::Metric => false,
        KeyKind::Param | KeyKind::Tag | KeyKind::Bare | KeyKind::Dataset => true,
        KeyKind::Attribute => match key.attribute().unwrap().value_type() {
            AttributeType::Text | AttributeType::Status => true,
            AttributeType::Number | AttributeType::Time | AttributeType::Flag => false,
        },
    }
}

fn conditions() -> impl Strategy<Value = Expr> {
    keys().prop_flat_map(|key| {
        let compared = (
            Just(key.clone()),
            any::<prop::sample::Index>(),
            literals(&key),
        )
            .prop_map(|(key, at, value)| {
                let op = match value {
                    Literal::Text(_) => CompareOp::ALL[at.index(2)],
                    Literal::Number(..) | Literal::Time(..) => CompareOp::ALL[at.index(6)],
                };
                Expr::Compare { key, op, value }
            });
        let listed = (
            Just(key.clone()),
            prop::collection::vec(literals(&key), 1..4),
            any::<bool>(),
        )
            .prop_map(|(key, values, negated)| Expr::In {
                key,
                values,
                negated,
            });
        let null = (Just(key.clone()), any::<bool>())
            .prop_map(|(key, negated)| Expr::IsNull { key, negated });
        if !takes_patterns(&key) {
            return prop_oneof![compared, listed, null].boxed();
        }
        let cases = prop::sample::select(vec![Case::Sensitive, Case::Insensitive]);
        let like = (Just(key), "[a-c%_'ß]{0,5}", cases, any::<bool>()).prop_map(
            |(key, pattern, case, negated)| Expr::Like {
                key,
                pattern,
                case,
                negated,
            },
        );
        prop_oneof![compared, listed, null, like].boxed()
    })
}

/// Trees that the parser can make.
fn trees() -> impl Strategy<Value = Expr> {
    conditions().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::Or),
            inner.prop_map(|inner| Expr::Not(Box::new(inner))),
        ]
    })
}

/// What holds of every error: it lies inside the text and can be shown.
fn check_place(text: &str, error: &FilterError) {
    let before = &text[..error.place.byte];
    assert_eq!(before.chars().count(), error.place.character);
    let shown = error.render(text);
    assert_eq!(shown.lines().count(), 2, "{shown}");
    assert!(shown.ends_with('^'), "{shown}");
    assert!(!error.to_string().is_empty());
    if let Some(hint) = error.hint() {
        assert!(!hint.is_empty());
    }
}

fn check_any_text(text: &str) {
    for dialect in [Dialect::Native, Dialect::Mlflow] {
        match parse(text, dialect) {
            Ok(expr) => {
                let printed = expr.to_string();
                let again = parse(&printed, Dialect::Native);
                assert_eq!(again.as_ref(), Ok(&expr), "{text} is printed as {printed}");
            }
            Err(error) => check_place(text, &error),
        }
        if let Err(error) = parse_order(text, dialect) {
            check_place(text, &error);
        }
        if let Err(error) = parse_order_term(text, dialect) {
            check_place(text, &error);
        }
    }
}

proptest! {
    #[test]
    fn printed_trees_parse_to_themselves(tree in trees()) {
        let printed = tree.to_string();
        prop_assert_eq!(parse(&printed, Dialect::Native), Ok(tree), "{}", printed);
    }

    #[test]
    fn printed_keys_sort_by_themselves(key in keys()) {
        prop_assume!(key.kind != KeyKind::Dataset);
        let term = parse_order_term(&format!("{key} desc"), Dialect::Native);
        let expected = OrderTerm {
            key,
            direction: Some(Direction::Descending),
            collation: Collation::Natural,
        };
        prop_assert_eq!(term, Ok(expected));
    }

    #[test]
    fn any_text_is_read_or_refused_at_a_place_in_it(text in any::<String>()) {
        check_any_text(&text);
    }

    #[test]
    fn words_in_any_order_are_read_or_refused(words in prop::collection::vec(
        prop::sample::select(vec![
            "AND", "or", "NOT", "(", ")", "metrics.", "loss", "params.a", "tags.`x y`", "status", "=", "!=",
            "<", ">=", "==", "<>", "'x'", "'", "\"q\"", "`n`", "5", "-1e3", "nan", "IN", "LIKE", "ILIKE", "IS",
            "NULL", ",", "{\"a\":1}", "{", "min(", "start_time", "run_id", "日", "datasets.name", "asc", "DESC",
        ]),
        0..12,
    ), gap in prop::sample::select(vec!["", " ", "\n"])) {
        check_any_text(&words.join(gap));
    }

    #[test]
    fn damaged_filters_are_read_or_refused(
        tree in trees(),
        at in any::<prop::sample::Index>(),
        length in 0..4_usize,
        patch in "\\PC{0,3}",
    ) {
        let printed: Vec<char> = tree.to_string().chars().collect();
        let start = at.index(printed.len() + 1);
        let end = (start + length).min(printed.len());
        let mut damaged: String = printed[..start].iter().collect();
        damaged.push_str(&patch);
        damaged.extend(&printed[end..]);
        check_any_text(&damaged);
    }
}
