//! The block `models` (S-19).
//!
//! Invariant: names differ, as results are kept by them.

use super::{Model, Provider, number, twice};
use crate::yaml::{Node, Position, Reading};

const MODEL: [&str; 5] = [
    "name",
    "provider",
    "temperature",
    "max_tokens",
    "price_per_call",
];

pub(super) fn read(reading: &mut Reading<'_>, node: &Node) -> Vec<Model> {
    let items = reading.short_list(node, "models", "models");
    if items.is_empty() && reading.is_clean() {
        reading.wrong(node, "models", "at least one model");
    }
    let mut models: Vec<(Model, Position)> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let Some(model) = model(reading, item, &format!("models[{at}]")) else {
            continue;
        };
        let first = models.iter().find(|(known, _)| known.name == model.name);
        if let Some((_, first)) = first {
            let places = (item.at, *first);
            twice(reading, "model", &model.name, places);
        }
        models.push((model, item.at));
    }
    models.into_iter().map(|(model, _)| model).collect()
}

fn model(reading: &mut Reading<'_>, node: &Node, path: &str) -> Option<Model> {
    const PROVIDERS: [(&str, Provider); 2] = [
        ("ollama", Provider::Ollama),
        ("openrouter", Provider::Openrouter),
    ];
    let fields = reading.lenient_fields(node, path, &MODEL)?;
    let name = reading.required(&fields, "name", "the model's name");
    let name = name.and_then(|node| reading.name(node, &fields.path_of("name")));
    let provider = reading.required(&fields, "provider", "ollama or openrouter");
    let provider =
        provider.and_then(|node| reading.one_of(node, &fields.path_of("provider"), &PROVIDERS));
    let temperature = fields.get("temperature");
    let path = fields.path_of("temperature");
    let temperature = temperature.and_then(|node| number(reading, node, &path, (0.0, 2.0)));
    let tokens = fields.get("max_tokens");
    let path = fields.path_of("max_tokens");
    let max_tokens = tokens.and_then(|node| reading.whole(node, &path, 1..=u64::from(u32::MAX)));
    let price = fields.get("price_per_call");
    let path = fields.path_of("price_per_call");
    let price_per_call = price.and_then(|node| number(reading, node, &path, (0.0, f64::INFINITY)));
    Some(Model {
        name: name?,
        provider: provider?,
        temperature,
        max_tokens,
        price_per_call,
    })
}
