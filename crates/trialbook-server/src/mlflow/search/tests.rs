use proptest::prelude::*;
use trialbook_model::filter::{Direction, Expr};

use super::grammar::{Comparator, Form};
use super::*;

const GRAMMAR: Grammar = Grammar {
    attributes: &[
        Attribute {
            name: "name",
            form: Form::Text,
            operators: Comparator::TEXT,
        },
        Attribute {
            name: "id",
            form: Form::Text,
            operators: Comparator::ID,
        },
        Attribute {
            name: "creation_time",
            form: Form::Number,
            operators: Comparator::NUMERIC,
        },
    ],
    entities: &[Entity::Tag],
    texts: Comparator::TEXT_OR_NULL,
    sorted_by: &["name", "creation_time"],
};

/// The facts of one noun: name `abc`, id `7`, created at 100, tag `team` = `Red`.
fn holds(filter: &str) -> bool {
    let clauses = GRAMMAR.parse(filter).unwrap();
    clauses.iter().all(|clause| {
        clause.holds(match (clause.entity, clause.key.as_str()) {
            (Entity::Attribute, "name") => Some(Fact::Text("abc")),
            (Entity::Attribute, "id") => Some(Fact::Text("7")),
            (Entity::Attribute, _) => Some(Fact::Whole(100)),
            (Entity::Tag, "team" | "a b") => Some(Fact::Text("Red")),
            (Entity::Tag | Entity::Param | Entity::Metric, _) => None,
        })
    })
}

#[test]
fn conditions_are_judged_as_mlflow_does() {
    for filter in [
        "",
        "  ",
        "name = 'abc'",
        "name = \"abc\"",
        "attribute.name = 'abc'",
        "NAME_IS_NO_KEYWORD = 'x'",
        "name like 'a%' and tags.team ILIKE 'r_d'",
        "name != 'x' AND creation_time >= 100 AND creation_time < 100.5",
        "id IN ('5', '7',) AND id NOT IN ('8')",
        "tags.`a b` = 'Red' AND tag.\"a b\" LIKE 'Re%'",
        "tags.none IS NULL and tags.team is not null",
        "creation_time > -1",
    ] {
        if filter.starts_with("NAME") {
            let refused = GRAMMAR.parse(filter).unwrap_err().to_string();
            assert!(refused.contains("Invalid attribute key"), "{refused}");
        } else {
            assert!(holds(filter), "{filter}");
        }
    }
    for filter in [
        "name = 'ABC'",
        "name LIKE 'A%'",
        "tags.none != 'x'",
        "tags.none LIKE '%'",
        "creation_time != 100",
        "id NOT IN ('7')",
    ] {
        assert!(!holds(filter), "{filter}");
    }
}

#[test]
fn what_mlflow_refuses_is_refused_in_its_words() {
    for (filter, words) in [
        ("name = abc", "Expected a quoted string value"),
        (
            "name = 'abc' OR name = 'b'",
            "Invalid clause(s) in filter string",
        ),
        ("(name = 'abc')", "Invalid clause(s) in filter string"),
        ("NOT name = 'abc'", "Invalid clause(s) in filter string"),
        ("name", "Invalid clause(s) in filter string"),
        ("name = 'abc", "Invalid clause(s) in filter string"),
        ("name < 'abc'", "Invalid comparator '<'"),
        ("name IS NULL", "Invalid comparator 'IS NULL'"),
        ("name == 'abc'", "Invalid comparator '=='"),
        ("creation_time = 'abc'", "Expected numeric value type"),
        ("creation_time LIKE 'abc'", "Invalid comparator 'LIKE'"),
        ("acc = 1", "Invalid attribute key 'acc'"),
        ("metrics.acc = 1", "Invalid entity type 'metrics'"),
        ("name IN ('a')", "Invalid comparator 'IN'"),
        ("id IN 'a'", "Invalid clause(s) in filter string"),
        ("id IN (7)", "Expected a quoted string value"),
    ] {
        let refused = GRAMMAR.parse(filter).unwrap_err().to_string();
        assert!(refused.contains(words), "{filter}: {refused}");
    }
}

#[test]
fn sort_keys_are_attributes_once() {
    let keys = |texts: &[&str]| {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        GRAMMAR.parse_order(&texts)
    };
    let terms = keys(&["name DESC", "attribute.creation_time"]).unwrap();
    assert_eq!((terms[0].key, terms[0].is_descending), ("name", true));
    assert_eq!(
        (terms[1].key, terms[1].is_descending),
        ("creation_time", false)
    );
    for (text, words) in [
        ("name down", "Invalid order_by clause"),
        ("", "Invalid order_by clause"),
        ("tags.a", "Invalid order_by entity: tag"),
        ("id", "Invalid order by key 'id'"),
    ] {
        let refused = keys(&[text]).unwrap_err().to_string();
        assert!(refused.contains(words), "{refused}");
    }
    assert!(keys(&["name", "name desc"]).is_err());
}

#[test]
fn runs_are_refused_in_mlflows_words() {
    for (filter, words) in [
        (
            "metrics.acc > 'a'",
            "Expected numeric value type for metric",
        ),
        (
            "start_time > 'a'",
            "Expected numeric value type for numeric attribute",
        ),
        ("params.lr = 5", "Expected a quoted string value for"),
        ("params.lr > '5'", "Invalid comparator '>'"),
        ("metrics.acc LIKE '5'", "Invalid comparator 'LIKE'"),
        ("attributes.odd = 'a'", "Invalid attribute key 'odd'"),
        ("odd.key = 'a'", "Invalid entity type 'odd'"),
        (
            "metrics.a = 1 OR metrics.b = 2",
            "Invalid clause(s) in filter string",
        ),
        ("datasets.odd = 'a'", "Invalid dataset key"),
        ("metrics.a", "Invalid clause(s) in filter string"),
    ] {
        let refused = runs::filter(filter).unwrap_err().to_string();
        assert!(refused.contains(words), "{filter}: {refused}");
    }
    for (order, words) in [
        ("metrics.a down", "Invalid order_by clause"),
        ("odd", "Invalid attribute key 'odd'"),
    ] {
        let refused = runs::order(&[order.to_owned()]).unwrap_err().to_string();
        assert!(refused.contains(words), "{order}: {refused}");
    }
    assert_eq!(runs::filter("").unwrap(), Expr::all());
}

#[test]
fn ties_of_runs_are_broken_by_start() {
    let keys = |order: &[&str]| {
        let order: Vec<String> = order.iter().map(|text| (*text).to_owned()).collect();
        let terms = runs::order(&order).unwrap().into_iter();
        let terms = terms.map(|term| (term.key.to_string(), term.direction));
        terms.collect::<Vec<_>>()
    };
    let key = |name: &str, direction| (name.to_owned(), Some(direction));
    let (ascending, descending) = (Direction::Ascending, Direction::Descending);
    assert_eq!(keys(&[]), [key("started", descending)]);
    let expected = [key("metrics.a", ascending), key("started", descending)];
    assert_eq!(keys(&["metrics.a"]), expected);
    assert_eq!(keys(&["created ASC"]), [key("started", ascending)]);
}

#[test]
fn pages_follow_each_other_and_end() {
    let list: Vec<usize> = (0..25).collect();
    let mut seen = Vec::new();
    let mut token = None;
    loop {
        let page = Page::read(token.as_deref(), 10).unwrap();
        let (part, next) = page.of(&list);
        seen.extend_from_slice(part);
        token = next;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen, list);
    // As MLflow's own server writes them.
    assert_eq!(
        Page::read(Some("eyJvZmZzZXQiOiAxMH0="), 5).unwrap().offset,
        10
    );
    assert_eq!(
        Page {
            offset: 0,
            limit: 10
        }
        .next(11)
        .as_deref(),
        Some("eyJvZmZzZXQiOiAxMH0=")
    );
    for odd in ["x", "????", "YWJj", "eyJvZmZzZXQiOiAwfQ==", "e30="] {
        let refused = Page::read(Some(odd), 5).unwrap_err().to_string();
        assert!(refused.starts_with("Invalid page token"), "{refused}");
    }
    assert!(max_results(0, 10).is_err() && max_results(11, 10).is_err());
    assert_eq!(max_results(10, 10), Ok(10));
}

proptest! {
    #[test]
    fn no_text_is_fatal(text: String) {
        GRAMMAR.parse(&text).ok();
        GRAMMAR.parse_order(std::slice::from_ref(&text)).ok();
        runs::filter(&text).ok();
        runs::order(std::slice::from_ref(&text)).ok();
        Page::read(Some(&text), 5).ok();
    }

    #[test]
    fn quoted_texts_are_found_again(text in "[^']*") {
        let clauses = GRAMMAR.parse(&format!("tags.x = '{text}' AND name != '{text}'")).unwrap();
        prop_assert!(clauses[0].holds(Some(Fact::Text(&text))));
        prop_assert!(!clauses[1].holds(Some(Fact::Text(&text))));
    }

    #[test]
    fn numbers_keep_their_order(left: i64, right: i64) {
        let clause = &GRAMMAR.parse(&format!("creation_time < {right}")).unwrap()[0];
        prop_assert_eq!(clause.holds(Some(Fact::Whole(left))), left < right);
    }
}
