use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;

#[test]
fn equal_numbers_have_one_text() {
    for (text, canonical) in [
        ("1.0", "1"),
        ("1", "1"),
        ("+1e0", "1"),
        ("100e-2", "1"),
        ("-0", "0"),
        ("-0.000", "0"),
        ("0e999", "0"),
        ("3.10", "3.1"),
        (".5", "0.5"),
        ("5.", "5"),
        ("0123", "123"),
        ("1e400", "1e+400"),
        ("-1.50e-400", "-1.5e-400"),
        ("1e21", "1e+21"),
        ("1e20", "100000000000000000000"),
        ("0.000001", "0.000001"),
        ("0.0000001", "1e-7"),
        ("123456789012345678901", "123456789012345678901"),
        (
            "123456789012345678901234567890",
            "1.2345678901234567890123456789e+29",
        ),
        ("9007199254740993", "9007199254740993"),
    ] {
        assert_eq!(number(text).as_deref(), Some(canonical), "{text}");
    }
    for bad in [
        "", "-", ".", "e5", "1e", "1e+", "0x1f", "nan", "1_000", "1 ", "١",
    ] {
        assert_eq!(number(bad), None, "{bad}");
    }
}

/// The numbers of RFC 8785, appendix B.
#[test]
fn doubles_print_as_rfc_8785_asks() {
    for (bits, text) in [
        (0x0000_0000_0000_0001_u64, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
    ] {
        assert_eq!(to_string(&json!(f64::from_bits(bits))), text);
    }
}

#[test]
fn documents_are_sorted_escaped_and_hashed() {
    let value = json!({
        "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew", "1": "One",
        "\u{1f600}": "Smile", "\u{80}": "Control", "\u{f6}": "O"
    });
    // The order of RFC 8785, section 3.2.3: by UTF-16 code units, so the smile comes before U+FB33.
    let keys = [
        "\\r",
        "1",
        "\u{80}",
        "\u{f6}",
        "\u{20ac}",
        "\u{1f600}",
        "\u{fb33}",
    ];
    let text = to_string(&value);
    let mut from = 0;
    for key in keys {
        from += text[from..].find(&format!("\"{key}\":")).unwrap();
    }
    let value = json!({"b": [1.0, -0.0, true, null], "a": "x\u{1}\"\\\u{7f}é"});
    let text = "{\"a\":\"x\\u0001\\\"\\\\\u{7f}é\",\"b\":[1,0,true,null]}";
    assert_eq!(to_string(&value), text);
    // Computed apart, with Python's hashlib over the same bytes.
    assert_eq!(
        hash(&json!({})),
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    );
    assert_eq!(hash(&value), PYTHON_HASH);
}

const PYTHON_HASH: &str = "7ac974f02d6a924278055336fe4359cbddaea3325ed2dd290894c42dc8ce75ee";

#[test]
fn numbers_become_values_or_texts() {
    assert_eq!(number_value("1.50"), json!(1.5));
    assert_eq!(number_value("5.0"), json!(5));
    assert_eq!(number_value("1e400"), json!("1e+400"));
    assert_eq!(number_value("NaN"), json!("nan"));
    assert_eq!(
        number_value("0.1000000000000000000001"),
        json!("0.1000000000000000000001")
    );
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn reversed(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(reversed).collect()),
        Value::Object(map) => {
            let entries: Vec<_> = map.iter().collect();
            let turned: Map<String, Value> = entries
                .into_iter()
                .rev()
                .map(|(key, item)| (key.clone(), reversed(item)))
                .collect();
            Value::Object(turned)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

proptest! {
    #[test]
    fn canonical_text_reads_back_as_itself(value in any_value()) {
        let text = to_string(&value);
        let again: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(to_string(&again), text);
    }

    #[test]
    fn the_order_of_keys_does_not_matter(value in any_value()) {
        prop_assert_eq!(hash(&reversed(&value)), hash(&value));
    }

    #[test]
    fn canonical_numbers_keep_their_double(number in any::<f64>()) {
        prop_assume!(number.is_finite());
        let text = super::number(&format!("{number:e}")).unwrap();
        prop_assert_eq!(text.parse::<f64>().unwrap(), number);
        prop_assert_eq!(super::number(&format!("{number}")), Some(text));
    }
}
