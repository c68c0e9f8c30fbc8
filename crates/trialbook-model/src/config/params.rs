//! Params in documents: a JSON map whose values look like what was meant and lose nothing.
//!
//! Text, `true`, `false` and null are themselves. A number is a JSON number where JSON prints it as it
//! was written; otherwise (`3.10`, `1e400`, `nan`) it is `{"text": "3.10", "kind": "number"}`.
//! Invariant: what is written reads back with the same text and kind, in the same order.

use serde_json::{Map, Value, json};

use crate::canonical;
use crate::record::{Param, ParamKind};

/// Names and values in the order of the config.
pub type Params = Vec<(String, Param)>;

/// The JSON value of a param that loses nothing.
pub fn to_value(param: &Param) -> Value {
    let plain = match param.kind {
        ParamKind::Text => return Value::String(param.text.clone()),
        ParamKind::Bool | ParamKind::Null | ParamKind::Number => {
            serde_json::from_str::<Value>(&param.text)
                .ok()
                .filter(|value| kind_of(value) == Some(param.kind))
                .filter(|value| prints_as(value, &param.text))
        }
    };
    plain.unwrap_or_else(|| json!({"text": param.text, "kind": param.kind}))
}

/// Reads what [`to_value`] made; `None` for lists and other maps.
pub fn from_value(value: &Value) -> Option<Param> {
    if let Value::String(text) = value {
        return Some(Param::text(text));
    }
    match kind_of(value) {
        Some(kind) => Some(Param {
            text: value.to_string(),
            kind,
        }),
        None => serde_json::from_value(value.clone()).ok(),
    }
}

/// The JSON map of what params mean: equal numbers are equal, however they were written.
pub(crate) fn canonical(params: &Params) -> Value {
    let entries = params.iter().map(|(name, param)| {
        let value = match param.kind {
            ParamKind::Number => canonical::number_value(&param.text),
            ParamKind::Text | ParamKind::Bool | ParamKind::Null => to_value(param),
        };
        (name.clone(), value)
    });
    Value::Object(entries.collect())
}

/// Whether JSON prints the value as the text.
fn prints_as(value: &Value, text: &str) -> bool {
    let printed = value.to_string();
    printed == text
}

fn kind_of(value: &Value) -> Option<ParamKind> {
    match value {
        Value::Null => Some(ParamKind::Null),
        Value::Bool(_) => Some(ParamKind::Bool),
        Value::Number(_) => Some(ParamKind::Number),
        Value::String(_) => Some(ParamKind::Text),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// Serde's face of params as a map, for `#[serde(with = "…")]`.
pub(super) mod as_map {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use super::{Map, Params, Value, from_value, to_value};

    pub(in crate::config) fn serialize<S: Serializer>(
        params: &Params,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let map: Map<String, Value> = params
            .iter()
            .map(|(name, param)| (name.clone(), to_value(param)))
            .collect();
        map.serialize(serializer)
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Params, D::Error> {
        Map::deserialize(deserializer)?
            .into_iter()
            .map(|(name, value)| match from_value(&value) {
                Some(param) => Ok((name, param)),
                None => Err(D::Error::custom(format!(
                    "the param `{name}` is neither a scalar nor a text with its kind"
                ))),
            })
            .collect()
    }
}

/// Serde's face of named texts as a map: the secret filter knows values by the names that stand before them.
pub(super) mod texts_as_map {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use super::{Map, Value};

    pub(in crate::config) fn serialize<S: Serializer>(
        texts: &[(String, String)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let map: Map<String, Value> = texts
            .iter()
            .map(|(name, text)| (name.clone(), Value::String(text.clone())))
            .collect();
        map.serialize(serializer)
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(String, String)>, D::Error> {
        let map = Map::deserialize(deserializer)?.into_iter();
        map.map(|(name, value)| match value.as_str() {
            Some(text) => Ok((name, text.to_owned())),
            None => Err(D::Error::custom(format!("`{name}` is no text"))),
        })
        .collect()
    }
}
