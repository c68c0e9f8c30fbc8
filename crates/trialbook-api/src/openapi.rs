//! The OpenAPI 3.1 document of the routes.
//!
//! Its schemas are JSON Schema 2020-12, which is what 3.1 takes. Invariant: the document depends on the table
//! and the types alone, and comes out the same each time.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::problem::ErrorBody;
use crate::route::{Content, Method, Route, schema};
use crate::scope::Scope;

/// The header by which a repeated request is known.
const KEY_HEADER: &str = "Idempotency-Key";

/// The document.
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut schemas = SchemaGenerator::new(settings);
    let mut paths = Map::new();
    for route in crate::routes() {
        let operation = operation(route, &mut schemas);
        let at = paths
            .entry(openapi_path(route.path))
            .or_insert_with(|| json!({}));
        let method = route.method.word().to_ascii_lowercase();
        at[method] = operation;
    }
    let error = schema::<ErrorBody>(&mut schemas);
    let mut defined = schemas.take_definitions(true);
    defined.sort_keys();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Trialbook",
            "version": crate::VERSION.to_string(),
            "summary": "Experiments, runs and what was recorded of them.",
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{}, { "bearer": [] }, { "basic": [] }, { "cookie": [] }],
        "tags": resources(),
        "paths": paths,
        "components": {
            "schemas": defined,
            "responses": { "Problem": {
                "description": "What went wrong, what to do, and where.",
                "content": { "application/json": { "schema": error } },
            } },
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer" },
                "basic": { "type": "http", "scheme": "basic" },
                "cookie": { "type": "apiKey", "in": "cookie", "name": "trialbook_session" },
            },
        },
    })
}

const ABOUT: &str = "Every path begins with `/api/v1`. On loopback no token is needed; elsewhere one is sent as \
`Authorization: Bearer TOKEN`. Pages of a browser send the header `X-Trialbook` with whatever changes something. \
A number that is not finite is one of the texts `NaN`, `Infinity`, `-Infinity`; what is missing is null or absent, \
never 0. Parameters and keys that are not known are refused with the nearest known name. Times are RFC 3339 in UTC. \
A change that is sent again with the same `Idempotency-Key` is made once.";

/// Catch-all places are written with a star in the table.
fn openapi_path(path: &str) -> String {
    path.replace("{*", "{")
}

fn resources() -> Vec<Value> {
    let mut names: Vec<&str> = Vec::new();
    for route in crate::routes() {
        if !names.contains(&route.resource()) {
            names.push(route.resource());
        }
    }
    names.iter().map(|name| json!({ "name": name })).collect()
}

fn operation(route: &Route, schemas: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": route.name,
        "tags": [route.resource()],
        "summary": route.about,
        "x-scope": route.scope.word(),
    });
    let parameters = parameters(route, schemas);
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    let body = content(route.body, schemas);
    if let Some(body) = body {
        operation["requestBody"] = json!({ "required": true, "content": body });
    }
    let mut done = json!({ "description": "Done." });
    if let Content::Bytes { about, .. } = route.answer {
        done["description"] = about.into();
    }
    if let Some(content) = content(route.answer, schemas) {
        done["content"] = content;
    }
    operation["responses"] = json!({
        "200": done,
        "default": { "$ref": "#/components/responses/Problem" },
    });
    operation
}

fn content(of: Content, schemas: &mut SchemaGenerator) -> Option<Value> {
    match of {
        Content::None => None,
        Content::Json(schema) => {
            let schema = schema(schemas);
            Some(json!({ "application/json": { "schema": schema } }))
        }
        Content::Bytes { kind, about } => {
            Some(json!({ kind: { "schema": { "description": about } } }))
        }
    }
}

fn parameters(route: &Route, schemas: &mut SchemaGenerator) -> Vec<Value> {
    let text = json!({ "type": "string" });
    let mut parameters: Vec<Value> = route
        .places()
        .map(|name| {
            let name = name.trim_start_matches('*');
            json!({ "name": name, "in": "path", "required": true, "schema": text })
        })
        .collect();
    if let Some(query) = route.query {
        parameters.extend(query_parameters(&query(schemas)));
    }
    if route.method != Method::Get && route.scope > Scope::Read {
        parameters.push(json!({
            "name": KEY_HEADER,
            "in": "header",
            "description": "The same text with a repeated request makes the change once.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 200 },
        }));
    }
    parameters
}

fn query_parameters(of: &Schema) -> Vec<Value> {
    let required = of.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|it| it == name));
    let properties = of.get("properties").and_then(Value::as_object);
    let mut parameters = Vec::new();
    for (name, schema) in properties.into_iter().flatten() {
        let mut schema = schema.clone();
        let about = schema
            .as_object_mut()
            .and_then(|it| it.shift_remove("description"));
        let mut parameter = json!({ "name": name, "in": "query", "required": is_required(name) });
        if let Some(about) = about {
            parameter["description"] = about;
        }
        if schema["type"] == "array" {
            // `a,b` and `a&…=b` are the same.
            parameter["explode"] = false.into();
        }
        parameter["schema"] = schema;
        parameters.push(parameter);
    }
    parameters
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every `$ref` in a document.
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    if let (true, Some(text)) = (key == "$ref", value.as_str()) {
                        found.insert(text.to_owned());
                    }
                    references(value, found);
                }
            }
            Value::Array(all) => all.iter().for_each(|value| references(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_definition_is_used() {
        let document = document();
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        for reference in &found {
            let pointer = reference.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        for name in document["components"]["schemas"]
            .as_object()
            .unwrap()
            .keys()
        {
            assert!(
                found.contains(&format!("#/components/schemas/{name}")),
                "{name}"
            );
        }
    }

    #[test]
    fn routes_are_named_once_described_and_strict() {
        let mut names = BTreeSet::new();
        let mut places = BTreeSet::new();
        for route in crate::routes() {
            assert!(names.insert(route.name), "{}", route.name);
            assert!(places.insert((route.method, route.path)), "{}", route.path);
            assert!(route.path.starts_with(crate::ROOT), "{}", route.path);
            assert!(!route.about.is_empty(), "{}", route.name);
            let mut schemas = SchemaGenerator::default();
            if let Some(query) = route.query {
                let query = query(&mut schemas);
                let extra = query.get("additionalProperties");
                assert_eq!(extra, Some(&false.into()), "the query of {}", route.name);
            }
        }
    }

    #[test]
    fn bodies_refuse_keys_that_are_not_known() {
        let document = document();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
                let Some(reference) = schema["$ref"].as_str() else {
                    continue;
                };
                let schema = document.pointer(reference.trim_start_matches('#')).unwrap();
                let is_strict = schema["additionalProperties"] == false
                    || schema["oneOf"].is_array()
                    || schema["anyOf"].is_array();
                assert!(is_strict, "{method} {path}: {schema}");
            }
        }
    }
}
