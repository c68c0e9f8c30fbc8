use super::*;
use crate::filter::{Attribute, Case, Fault, Key, Literal};

fn check(text: &str, dialect: Dialect, printed: &str) {
    let expr = parse(text, dialect).unwrap_or_else(|error| {
        panic!("{error}\n{}", error.render(text));
    });
    assert_eq!(expr.to_string(), printed, "{text}");
    assert_eq!(parse(printed, Dialect::Native), Ok(expr), "{text}");
}

fn check_refused(text: &str, dialect: Dialect, message: &str, hint: Option<&str>) {
    let error = parse(text, dialect).expect_err(text);
    assert_eq!(error.to_string(), message, "{text}");
    assert_eq!(error.hint().as_deref(), hint, "{text}");
}

#[test]
fn native_filters_are_read() {
    for (text, printed) in [
        ("", ""),
        (" \t\n", ""),
        ("metrics.val_accuracy > 0.90", "metrics.val_accuracy > 0.90"),
        ("latency_ms<50", "latency_ms < 50"),
        ("loss>=-1e-3", "loss >= -1e-3"),
        (
            "metric.a = 1 and param.b == 'x'",
            "metrics.a = 1 AND params.b = 'x'",
        ),
        ("a=1 OR b=2 AND NOT c=3", "a = 1 OR (b = 2 AND NOT c = 3)"),
        ("(a=1 OR b=2) AND ((c=3))", "(a = 1 OR b = 2) AND c = 3"),
        ("NOT (a=1 AND b=2)", "NOT (a = 1 AND b = 2)"),
        ("not not a is null", "NOT NOT a IS NULL"),
        ("status = FINISHED", "status = 'completed'"),
        (
            "status IN ('killed', error)",
            "status IN ('cancelled', 'failed')",
        ),
        ("archived != TRUE", "archived != 'true'"),
        ("run.user_id = \"ada\"", "actor = 'ada'"),
        ("attributes.`run name` LIKE 'a%'", "name LIKE 'a%'"),
        ("\"run name\" NOT ILIKE '%x_'", "name NOT ILIKE '%x_'"),
        (
            "params.`learning rate` = 0.010",
            "params.`learning rate` = 0.010",
        ),
        ("tags.\"a\"\"b\" IS NOT NULL", "tags.`a\"b` IS NOT NULL"),
        ("name = 'it''s'", "name = 'it''s'"),
        ("started > 2026-01-21", "started > '2026-01-21'"),
        ("start_time <= 1769000412345", "started <= '1769000412345'"),
        ("ended IS NULL", "ended IS NULL"),
        ("seed in (1,2,)", "seed IN (1, 2)"),
        ("params.x NOT IN ('a', 2)", "params.x NOT IN ('a', 2)"),
        ("datasets.Digest = 'ab'", "datasets.digest = 'ab'"),
        (
            "metrics.loss{ \"split\" : \"test\", \"rank\": 0 } < 1",
            "metrics.loss{\"rank\":0,\"split\":\"test\"} < 1",
        ),
        ("loss{} < 1", "loss < 1"),
        ("loss{\"a\":1} < 1", "metrics.loss{\"a\":1} < 1"),
        ("MIN(loss) < 1", "min(metrics.loss) < 1"),
        ("last(metrics.loss) < 1", "metrics.loss < 1"),
        (
            "nan ( metrics.`x y`{\"a\":1} ) > 0",
            "nan(metrics.`x y`{\"a\":1}) > 0",
        ),
        ("min < 1", "min < 1"),
        ("derived.duration < inf", "derived.duration < inf"),
        ("`metrics.loss` < 1", "`metrics.loss` < 1"),
        ("metrics.in < 1", "metrics.in < 1"),
    ] {
        check(text, Dialect::Native, printed);
    }
}

#[test]
fn mlflow_filters_are_read() {
    for (text, printed) in [
        ("", ""),
        (
            "metrics.acc >= 0.5 AND metric.`x y` != -1",
            "metrics.acc >= 0.5 AND metrics.`x y` != -1",
        ),
        (
            "params.lr = \"0.10\" and parameters.\"a-b\" ilike 'A%'",
            "params.lr = '0.10' AND params.a-b ILIKE 'A%'",
        ),
        (
            "tags.`mlflow.source.name` IS NOT NULL",
            "tags.mlflow.source.name IS NOT NULL",
        ),
        ("tag.x IS NULL", "tags.x IS NULL"),
        ("run_id IN ('a','b')", "id IN ('a', 'b')"),
        ("attr.run_id NOT IN ('a',)", "id NOT IN ('a')"),
        ("`Run name` = 'x'", "name = 'x'"),
        ("start_time > 1769000412345", "started > '1769000412345'"),
        ("attributes.status = 'FINISHED'", "status = 'completed'"),
        ("status != 'KILLED'", "status != 'cancelled'"),
        ("status LIKE 'F%'", "status IN ('completed', 'failed')"),
        ("status ILIKE 'f%d'", "status IN ('completed', 'failed')"),
        ("status LIKE 'f%'", "status IS NULL"),
        ("status = 'NOPE'", "status IS NULL"),
        ("status != 'NOPE'", "status IS NOT NULL"),
        (
            "dataset.context NOT IN ('train')",
            "datasets.context NOT IN ('train')",
        ),
        (
            "experiment_id = '0' AND user_id LIKE 'a%'",
            "experiment_id = '0' AND actor LIKE 'a%'",
        ),
    ] {
        check(text, Dialect::Mlflow, printed);
    }
}

const NATIVE_FAULTS: &[(&str, &str, Option<&str>)] = &[
    (
        "a = 1 adn b = 2",
        "expected AND, OR or the end, found `adn`, at character 7",
        Some("did you mean AND?"),
    ),
    (
        "a = 1 && b = 2",
        "expected AND, OR or the end, found `&&`, at character 7",
        Some("did you mean AND?"),
    ),
    (
        "a lik 'x'",
        "expected an operator (=, !=, <, <=, >, >=, LIKE, ILIKE, IN, NOT IN, IS NULL), found `lik`, at character 3",
        Some("did you mean LIKE?"),
    ),
    (
        "a =< 1",
        "`=<` is not an operator, at character 3",
        Some("did you mean `<=`?"),
    ),
    (
        "a = ",
        "expected a number or a quoted text, found the end, at character 5",
        None,
    ),
    (
        "a = adam",
        "the text `adam` needs quotes, at character 5",
        Some("quote it: 'adam'"),
    ),
    (
        "name = 5",
        "`name` is compared with a text in quotes, not `5`, at character 8",
        Some("quote it: '5'"),
    ),
    (
        "seed = '5'",
        "`seed` is compared with a number, not `5`, at character 8",
        Some("write the number without quotes"),
    ),
    (
        "metrics.loss = NaN",
        "`metrics.loss` is compared with a number, not `NaN`, at character 16",
        Some("nan(metrics.loss) > 0 finds runs that logged NaN"),
    ),
    (
        "params.x > '5'",
        "`params.x` is compared with a number by <, <=, > and >=, not `5`, at character 12",
        Some("write the number without quotes"),
    ),
    (
        "metrics.loss LIKE 'x'",
        "`metrics.loss` does not take LIKE, only =, !=, <, <=, >, >=, IN, NOT IN, IS NULL, IS NOT NULL, at character 14",
        None,
    ),
    (
        "name < 'x'",
        "`name` does not take <, only =, !=, LIKE, ILIKE, IN, IS NULL and their negations, at character 6",
        None,
    ),
    (
        "attributes.staus = 'x'",
        "`staus` is not an attribute of runs, at character 1",
        Some("did you mean `status`?"),
    ),
    (
        "status = 'runing'",
        "`runing` is not a status, at character 10",
        Some("did you mean `running`?"),
    ),
    (
        "datasets.nmae = 'x'",
        "datasets have `name`, `digest` and `context`, not `nmae`, at character 1",
        Some("did you mean `name`?"),
    ),
    (
        "started > 'soon'",
        "`started` is compared with a time (`2026-01-21`, `2026-01-21T10:00:12Z` or milliseconds since 1970), not `soon`, at character 11",
        None,
    ),
    (
        "archived = 'maybe'",
        "`archived` is compared with true or false, not `maybe`, at character 12",
        None,
    ),
    (
        "mni(loss) < 1",
        "`mni` is not one of last, min, max, mean, best, count, nan, at character 1",
        Some("did you mean `min`?"),
    ),
    (
        "min(params.x) < 1",
        "only metrics have aggregates, `x` has none, at character 5",
        Some("write metrics.`x` if the metric is meant"),
    ),
    (
        "loss{1} < 1",
        "the context in braces is not a JSON map, at character 5",
        Some("write it like metrics.loss{\"split\":\"test\"}"),
    ),
    ("name = 'x", "nothing closes the `'`, at character 8", None),
    (
        "(a = 1",
        "expected AND, OR or `)`, found the end, at character 7",
        None,
    ),
    (
        "in > 1",
        "expected a condition such as `metrics.loss < 0.5`, found `in`, at character 1",
        Some("put backticks around a name that is a keyword: `in`"),
    ),
    (
        "metrics. > 1",
        "expected a name behind the dot, found `>`, at character 10",
        None,
    ),
    (
        "seed IN ()",
        "expected a number or a quoted text, found `)`, at character 10",
        None,
    ),
    (
        "a IS 5",
        "expected NULL or NOT NULL behind IS, found `5`, at character 6",
        None,
    ),
    (
        "name = `x`",
        "expected a number or a quoted text, found ```, at character 8",
        Some("values stand in single quotes, names in backticks"),
    ),
    (
        "é = '日本' ; x",
        "expected AND, OR or the end, found `;`, at character 10",
        None,
    ),
];

#[test]
fn native_faults_say_where_and_what_helps() {
    for &(text, message, hint) in NATIVE_FAULTS {
        check_refused(text, Dialect::Native, message, hint);
    }
}

const MLFLOW_FAULTS: &[(&str, &str)] = &[
    (
        "metrics.a = 1 OR metrics.b = 1",
        "MLflow's filters have no OR, at character 15",
    ),
    (
        "NOT metrics.a = 1",
        "MLflow's filters have no NOT before a condition, at character 1",
    ),
    (
        "(metrics.a = 1)",
        "MLflow's filters have no parentheses around conditions, at character 1",
    ),
    (
        "min(metrics.a) = 1",
        "MLflow's filters have no aggregates, at character 1",
    ),
    (
        "metrics.a{\"x\":1} = 1",
        "MLflow's filters have no contexts, at character 10",
    ),
    (
        "metrics.a == 1",
        "MLflow's filters have no `==`, at character 11",
    ),
    (
        "loss < 1",
        "`loss` is not an attribute of runs in MLflow, at character 1",
    ),
    (
        "metrics.a/b < 1",
        "MLflow reads the name `a/b` between backticks alone, at character 1",
    ),
    (
        "metrics.a = '1'",
        "`metrics.a` is compared with a number, not `1`, at character 13",
    ),
    (
        "metrics.a IS NULL",
        "`metrics.a` does not take IS NULL, only =, !=, <, <=, >, >=, at character 11",
    ),
    (
        "params.a > '1'",
        "`params.a` does not take >, only =, !=, LIKE, ILIKE, IS NULL, IS NOT NULL, at character 10",
    ),
    (
        "params.a = 1",
        "`params.a` is compared with a text in quotes, not `1`, at character 12",
    ),
    (
        "params.a NOT LIKE 'x'",
        "`params.a` does not take NOT LIKE, only =, !=, LIKE, ILIKE, IS NULL, IS NOT NULL, at character 10",
    ),
    (
        "tags.a IN ('x')",
        "`tags.a` does not take IN, only =, !=, LIKE, ILIKE, IS NULL, IS NOT NULL, at character 8",
    ),
    (
        "run_name IN ('x')",
        "`run_name` does not take IN, only =, !=, LIKE, ILIKE, at character 10",
    ),
    (
        "start_time > '2026-01-21'",
        "`start_time` is compared with milliseconds since 1970, not `2026-01-21`, at character 14",
    ),
    (
        "attributes.seed = 1",
        "`seed` is not an attribute of runs in MLflow, at character 1",
    ),
];

#[test]
fn mlflow_faults_say_what_mlflow_lacks() {
    for &(text, message) in MLFLOW_FAULTS {
        let error = parse(text, Dialect::Mlflow).expect_err(text);
        assert_eq!(error.to_string(), message, "{text}");
    }
    check_refused(
        "run_nmae = 'x'",
        Dialect::Mlflow,
        "`run_nmae` is not an attribute of runs in MLflow, at character 1",
        Some("did you mean `run_name`?"),
    );
}

#[test]
fn times_are_whole_milliseconds() {
    for (text, millis) in [
        ("1769000412345", 1_769_000_412_345),
        ("-1", -1),
        ("'1769000412345'", 1_769_000_412_345),
        ("'2026-01-21'", 1_768_953_600_000),
        ("2026-01-21T10:00:12Z", 1_768_989_612_000),
        ("'2026-01-21T11:00:12.345678+01:00'", 1_768_989_612_345),
        ("'2026-01-21 10:00:12'", 1_768_989_612_000),
    ] {
        let expr = parse(&format!("started = {text}"), Dialect::Native).unwrap();
        let written = text.trim_matches('\'').to_owned();
        let expected = Expr::Compare {
            key: Key::new(KeyKind::Attribute, "started"),
            op: CompareOp::Equal,
            value: Literal::Time(millis, written),
        };
        assert_eq!(expr, expected, "{text}");
    }
    assert!(parse("started = 1.5", Dialect::Native).is_err());
}

#[test]
fn orders_are_read() {
    let direction = |text: &str, dialect| {
        let terms = parse_order(text, dialect).unwrap_or_else(|error| panic!("{text}: {error}"));
        let words = terms.iter().map(|term| {
            let direction = match term.direction {
                None => "-",
                Some(Direction::Ascending) => "asc",
                Some(Direction::Descending) => "desc",
            };
            format!("{} {direction} {:?}", term.key, term.collation)
        });
        words.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(direction(" ", Dialect::Native), "");
    assert_eq!(
        direction(
            "best(loss), val_accuracy DESC, started asc, params.`a,b`",
            Dialect::Native
        ),
        "best(metrics.loss) - Natural, val_accuracy desc Natural, started asc Natural, params.`a,b` - Natural"
    );
    assert_eq!(
        direction("metrics.a, params.b DESC, start_time asc", Dialect::Mlflow),
        "metrics.a asc Text, params.b desc Text, started asc Text"
    );
    for (text, dialect, message) in [
        (
            "a, a desc",
            Dialect::Native,
            "`a desc` is sorted by twice, at character 4",
        ),
        (
            "a sideways",
            Dialect::Native,
            "expected ASC, DESC, a comma or the end, found `sideways`, at character 3",
        ),
        (
            "a,",
            Dialect::Native,
            "expected a key such as `metrics.loss`, found the end, at character 3",
        ),
        (
            "datasets.name",
            Dialect::Native,
            "runs cannot be sorted by `datasets.name`, of which one run has several, at character 1",
        ),
        (
            "loss",
            Dialect::Mlflow,
            "`loss` is not an attribute of runs in MLflow, at character 1",
        ),
    ] {
        let error = parse_order(text, dialect).expect_err(text);
        assert_eq!(error.to_string(), message, "{text}");
    }
    let error = parse_order_term("a desc, b", Dialect::Native).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected the end, found `,`, at character 7"
    );
}

#[test]
fn deep_and_long_texts_are_refused() {
    let many = 100_000;
    for text in [
        "(".repeat(many),
        "NOT ".repeat(many),
        format!("{}a = 1{}", "(".repeat(many), ")".repeat(many)),
        format!("{}a = 1", "NOT ".repeat(DEPTH_LIMIT + 1)),
    ] {
        let error = parse(&text, Dialect::Native).unwrap_err();
        assert_eq!(error.fault, Fault::TooDeep { limit: DEPTH_LIMIT });
    }
    let deepest = format!("{}a = 1", "NOT ".repeat(DEPTH_LIMIT));
    check(&deepest, Dialect::Native, &deepest);
    let mut mixed = "a = 1".to_owned();
    for _ in 0..DEPTH_LIMIT / 2 {
        mixed = format!("a = 1 OR a = 1 AND ({mixed})");
    }
    let printed = parse(&mixed, Dialect::Native).unwrap().to_string();
    check(&mixed, Dialect::Native, &printed);
    let nested = format!("a{} = 1", "{\"a\":".repeat(many));
    assert_eq!(
        parse(&nested, Dialect::Native).unwrap_err().fault,
        Fault::Context
    );
    let long = "a".repeat(LENGTH_LIMIT + 1);
    let fault = parse(&long, Dialect::Native).unwrap_err().fault;
    assert_eq!(
        fault,
        Fault::TooLong {
            bytes: LENGTH_LIMIT + 1,
            limit: LENGTH_LIMIT
        }
    );
}

#[test]
fn ten_thousand_conditions_are_one_flat_list() {
    let text = vec!["metrics.a = 1"; 10_000].join(" AND ");
    for dialect in [Dialect::Native, Dialect::Mlflow] {
        let expr = parse(&text, dialect).unwrap();
        assert!(matches!(expr, Expr::And(parts) if parts.len() == 10_000));
    }
}

#[test]
fn the_caret_stands_under_the_place() {
    let check = |text: &str, shown: &str| {
        let error = parse(text, Dialect::Native).unwrap_err();
        assert_eq!(error.render(text), shown, "{text}");
    };
    check("a = 1 adn b = 2", "a = 1 adn b = 2\n      ^");
    check(
        "tags.x = '日本' adn b",
        "tags.x = '日本' adn b\n                ^",
    );
    check(
        "tags.x = 'e\u{301}' adn b",
        "tags.x = 'e\u{301}' adn b\n             ^",
    );
    check("a = 1 AND\n\tb ! 2 AND\nc = 3", " b ! 2 AND\n   ^");
    check("a = ", "a = \n    ^");
    let long = format!("{} ; {}", "a = 1 AND ".repeat(20), "x".repeat(100));
    let error = parse(&long, Dialect::Native).unwrap_err();
    let shown = error.render(&long);
    let (line, caret) = shown.split_once('\n').unwrap();
    assert!(line.starts_with('…') && line.ends_with('…') && line.chars().count() == 122);
    assert_eq!(line.chars().nth(caret.len() - 1), Some(';'));
}

#[test]
fn patterns_keep_their_case() {
    let expr = parse("name ILIKE 'A%'", Dialect::Native).unwrap();
    let expected = Expr::Like {
        key: Key::new(KeyKind::Attribute, "name"),
        pattern: "A%".to_owned(),
        case: Case::Insensitive,
        negated: false,
    };
    assert_eq!(expr, expected);
}

/// Every example of the guide is what it says: blocks of `filter`, `mlflow` and `order` are read line by
/// line, blocks of `refused` show a text, the caret, the message and perhaps the hint.
#[test]
fn the_guide_is_true() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/filter.md");
    let guide = std::fs::read_to_string(path).unwrap();
    let mut lines = guide.lines();
    let mut examples = 0;
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let each = |read: fn(&str) -> Result<(), FilterError>| {
            block.iter().map(|line| read(line)).collect()
        };
        let read: Vec<_> = match language {
            "filter" => each(|line| parse(line, Dialect::Native).map(drop)),
            "mlflow" => each(|line| parse(line, Dialect::Mlflow).map(drop)),
            "order" => each(|line| parse_order(line, Dialect::Native).map(drop)),
            "refused" => {
                let error = parse(block[0], Dialect::Native).unwrap_err();
                let mut shown = format!("{}\n{error}", error.render(block[0]));
                if let Some(hint) = error.hint() {
                    shown = format!("{shown}\n{hint}");
                }
                assert_eq!(block.join("\n"), shown);
                vec![Ok(())]
            }
            "ebnf" => Vec::new(),
            other => panic!("the guide has a block of {other}"),
        };
        examples += read.len();
        assert_eq!(read.into_iter().find(Result::is_err), None, "{block:?}");
    }
    assert!(examples > 25, "the guide has {examples} examples");
    for attribute in Attribute::ALL {
        for name in [attribute.name()].iter().chain(attribute.aliases()) {
            let listed =
                guide.contains(&format!("`{name}`")) || guide.contains(&format!("`` `{name}` ``"));
            assert!(listed, "the guide lacks {name}");
        }
    }
}
