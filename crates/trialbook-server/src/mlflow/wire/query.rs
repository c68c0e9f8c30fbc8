//! Reading a message from the query of a GET: each field by its name, lists by repeating it.
//!
//! Invariant: names that the message does not have are passed over, as in bodies.

use serde_json::{Map, Value};

use super::body::{read_map, text_as};
use super::{Message, WireError};
use crate::http::query::pairs;

/// Reads a query; `None` and the empty one are the empty message.
pub(in crate::mlflow) fn read_query<M: Message>(query: Option<&str>) -> Result<M, WireError> {
    let mut map = Map::new();
    for (name, text) in pairs(query) {
        let Some(field) = M::FIELDS.iter().find(|field| field.name == name) else {
            continue;
        };
        if field.form.is_list() {
            let list = map
                .entry(field.name)
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.push(Value::String(text));
            }
        } else if !map.contains_key(field.name) {
            map.insert(field.name.to_owned(), text_as(field.form, text));
        }
    }
    read_map(map)
}
