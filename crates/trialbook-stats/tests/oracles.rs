//! The oracle files of `tests/oracles/`: every case of a procedure that is offered must agree to its tolerance.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it has to be"
)]

use serde_json::Value;
use trialbook_stats::{describe, quantile};

fn load(file: &str) -> Vec<Value> {
    let path = format!("{}/tests/oracles/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let document: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = document["cases"].as_array().unwrap().clone();
    assert_eq!(Some(cases.len() as u64), document["n_cases"].as_u64());
    cases
}

fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some(word) => word.parse().unwrap(),
        None => value.as_f64().unwrap(),
    }
}

/// The generator that the oracle files name: SplitMix64.
struct SplitMix(u64);

impl SplitMix {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 11) as f64 * 2.0_f64.powi(-53)
    }
}

fn sample(value: &Value) -> Vec<f64> {
    if let Some(list) = value.as_array() {
        return list.iter().map(number).collect();
    }
    if let Some(digits) = value["$digits"].as_str() {
        return digits
            .bytes()
            .map(|digit| f64::from(digit - b'0'))
            .collect();
    }
    let alternating = &value["$alternating"];
    if !alternating.is_null() {
        let n = alternating["n"].as_u64().unwrap();
        let of = |name: &str| number(&alternating[name]);
        let rest = (1..n).map(|at| of(if at % 2 == 1 { "a" } else { "b" }));
        return std::iter::once(of("first")).chain(rest).collect();
    }
    let gen_ = &value["$gen"];
    let mut random = SplitMix(gen_["seed"].as_u64().unwrap());
    let (loc, scale) = (number(&gen_["loc"]), number(&gen_["scale"]));
    (0..gen_["n"].as_u64().unwrap())
        .map(|_| match gen_["gen"].as_str().unwrap() {
            "levels" => loc + scale * (random.unit() * number(&gen_["levels"])).floor(),
            "irwin_hall" => {
                let mut sum = 0.0;
                for _ in 0..12 {
                    sum += random.unit();
                }
                loc + scale * (sum - 6.0)
            }
            other => panic!("generator `{other}`"),
        })
        .collect()
}

fn agree(case: &Value, name: &str, found: Option<f64>) {
    let expected = &case["expected"][name];
    if expected.is_null() {
        return;
    }
    let (expected, found) = (number(expected), found.unwrap_or(f64::NAN));
    let tolerance =
        number(&case["tol"]["abs"]) + number(&case["tol"]["rel"]) * expected.abs().max(found.abs());
    let equal = found == expected || (found - expected).abs() <= tolerance && found.is_finite();
    assert!(
        equal,
        "{} {name}: {found:?}, expected {expected:?}",
        case["id"]
    );
}

#[test]
fn descriptions_agree() {
    let cases = [load("descriptive"), load("nist")].concat();
    let mut checked = 0;
    for case in cases.iter().filter(|case| case["fn"] == "describe") {
        checked += 1;
        let values = sample(&case["args"]["x"]);
        let description = match describe(&values) {
            Ok(description) => description,
            Err(reason) => {
                assert_eq!(
                    case["expected"]["undefined"],
                    reason.word(),
                    "{}",
                    case["id"]
                );
                continue;
            }
        };
        assert!(case["expected"]["undefined"].is_null(), "{}", case["id"]);
        agree(case, "n", Some(description.n as f64));
        agree(case, "sum", Some(description.sum));
        agree(case, "mean", Some(description.mean));
        agree(case, "min", Some(description.min));
        agree(case, "max", Some(description.max));
        agree(case, "median", Some(description.median));
        agree(case, "var", description.variance);
        agree(case, "sd", description.sd);
        agree(case, "sem", description.sem);
        for p in ["0.01", "0.05", "0.25", "0.75", "0.9", "0.95", "0.99"] {
            agree(
                case,
                &format!("q{p}"),
                quantile(&values, p.parse().unwrap()).ok(),
            );
        }
    }
    assert_eq!(checked, 27);
}
