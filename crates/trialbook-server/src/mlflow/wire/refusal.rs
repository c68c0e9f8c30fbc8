//! Why a message cannot be read, in MLflow's words, naming the field and what was found there.
//!
//! Invariant: what is found is repeated in part only, however long it is.

use serde_json::{Map, Value};

use super::{Field, Form, Real, Whole};

/// How many characters of a wrong value a message repeats.
const SHOWN: usize = 200;

/// Why a request cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::mlflow) enum WireError {
    /// A field that has to be there is not.
    #[error(
        "Missing value for required parameter '{path}'. See the API docs for more information about request parameters."
    )]
    Missing {
        /// The field, such as `metrics[0].key`.
        path: String,
    },
    /// A field holds what it does not take.
    #[error(
        "Invalid value {found} for parameter '{path}' supplied: {hint} See the API docs for more information about request parameters."
    )]
    Invalid {
        /// The field.
        path: String,
        /// What was found, as JSON.
        found: String,
        /// What is wrong with it.
        hint: String,
    },
    /// A field is given in both of its spellings.
    #[error("Request specifies both '{name}' and '{camel}'; provide only one of them.")]
    BothSpellings {
        /// In snake case.
        name: &'static str,
        /// In camel case.
        camel: &'static str,
    },
    /// The body is announced as something else than JSON.
    #[error("Bad Request. Content-Type must be one of ['application/json'].")]
    ContentType,
    /// The body is not announced.
    #[error("Bad Request. Content-Type header is missing.")]
    NoContentType,
    /// The body is longer than any that is read.
    #[error("Bad Request. The body is too long: {reason}")]
    Body {
        /// What was said of it.
        reason: String,
    },
}

impl WireError {
    /// A field that has to be there is not.
    pub(in crate::mlflow) fn missing(path: impl Into<String>) -> Self {
        Self::Missing { path: path.into() }
    }

    /// A field holds what it does not take.
    pub(in crate::mlflow) fn invalid(
        path: impl Into<String>,
        found: &Value,
        hint: impl Into<String>,
    ) -> Self {
        Self::Invalid {
            path: path.into(),
            found: compact(found),
            hint: hint.into(),
        }
    }
}

/// A value as JSON, cut where it is long.
pub(in crate::mlflow) fn compact(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Refuses a map that names a field in both of its spellings, at any depth.
pub(super) fn check_spellings(
    map: &Map<String, Value>,
    fields: &'static [Field],
) -> Result<(), WireError> {
    for field in fields {
        let (name, camel) = (field.name, field.camel);
        let is_twice = !camel.is_empty() && map.contains_key(name) && map.contains_key(camel);
        if is_twice {
            return Err(WireError::BothSpellings { name, camel });
        }
        let Some(value) = field.of(map) else {
            continue;
        };
        match (field.form, value) {
            (Form::One(inner), Value::Object(map)) => check_spellings(map, inner)?,
            (Form::Many(inner), Value::Array(list)) => {
                for map in list.iter().filter_map(Value::as_object) {
                    check_spellings(map, inner)?;
                }
            }
            (
                Form::Text
                | Form::Whole
                | Form::Number
                | Form::Flag
                | Form::Word
                | Form::Texts
                | Form::Any
                | Form::One(_)
                | Form::Many(_),
                _,
            ) => {}
        }
    }
    Ok(())
}

impl Field {
    fn of<'a>(&self, map: &'a Map<String, Value>) -> Option<&'a Value> {
        map.get(self.name).or_else(|| map.get(self.camel))
    }
}

/// What is wrong with a map that could not be read: the first field that holds what it does not take.
pub(super) fn explain(
    value: &Value,
    fields: &'static [Field],
    reason: &serde_json::Error,
) -> WireError {
    let found = value.as_object().and_then(|map| misfit_in(map, fields, ""));
    found.unwrap_or_else(|| WireError::invalid("request", value, format!("{reason}.")))
}

fn misfit_in(
    map: &Map<String, Value>,
    fields: &'static [Field],
    inside: &str,
) -> Option<WireError> {
    fields.iter().find_map(|field| {
        let dot = if inside.is_empty() { "" } else { "." };
        let path = format!("{inside}{dot}{}", field.name);
        misfit(field.of(map)?, field.form, path)
    })
}

fn misfit(value: &Value, form: Form, path: String) -> Option<WireError> {
    let fits = match (form, value) {
        (_, Value::Null) | (Form::Any, _) => true,
        (Form::Text, value) => value.is_string(),
        (Form::Whole, value) => serde_json::from_value::<Whole>(value.clone()).is_ok(),
        (Form::Number, value) => serde_json::from_value::<Real>(value.clone()).is_ok(),
        (Form::Flag, value) => value.is_boolean(),
        (Form::Word, value) => value.is_string() || value.is_i64() || value.is_u64(),
        (Form::Texts, Value::Array(list)) => list.iter().all(Value::is_string),
        (Form::One(fields), Value::Object(map)) => return misfit_in(map, fields, &path),
        (Form::Many(fields), Value::Array(list)) => {
            return list.iter().enumerate().find_map(|(at, value)| {
                let path = format!("{path}[{at}]");
                misfit(value, Form::One(fields), path)
            });
        }
        (Form::Texts | Form::One(_) | Form::Many(_), _) => false,
    };
    let hint = || format!(" Hint: Value was of type '{}'.", python_type(value));
    (!fits).then(|| WireError::invalid(path, value, hint()))
}

/// What Python calls the type of a JSON value.
fn python_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}
