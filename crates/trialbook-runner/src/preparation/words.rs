//! Params as a task is given them: as JSON, as names of variables.
//!
//! Invariant: a number that JSON has is one.

use serde_json::{Map, Value};
use trialbook_model::config::param_to_value;
use trialbook_model::record::{Param, ParamKind};

/// What programs read most easily: numbers as JSON numbers where JSON has them, else as text.
pub(super) fn as_json(params: &[(String, Param)]) -> Value {
    let entries = params.iter().map(|(name, param)| {
        let value = match param.kind {
            ParamKind::Number => serde_json::from_str(&param.text)
                .ok()
                .filter(Value::is_number)
                .or_else(|| param.number().and_then(number))
                .unwrap_or_else(|| Value::String(param.text.clone())),
            ParamKind::Text | ParamKind::Bool | ParamKind::Null => param_to_value(param),
        };
        (name.clone(), value)
    });
    Value::Object(entries.collect::<Map<_, _>>())
}

fn number(value: f64) -> Option<Value> {
    serde_json::Number::from_f64(value).map(Value::Number)
}

/// `train.lr` becomes `TRAIN_LR`.
pub(super) fn variable_name(param: &str) -> String {
    param
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect()
}
