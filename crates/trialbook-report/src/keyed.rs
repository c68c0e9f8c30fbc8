//! What a run holds under the key of a filter or of an order.
//!
//! Not here: judging it, which the model and the index do.

use serde_json::Value;
use trialbook_model::filter::{Aggregate, Key, KeyKind, Wanted};
use trialbook_model::record::{Goal, Param, SeriesKey};
use trialbook_model::state::SeriesSummary;
use trialbook_model::{derived, nearest};
use trialbook_store::nouns::RunRow;
use trialbook_store::reading::Reading;

use crate::{documents, figures};

/// What a run has under a key.
enum Held<'a> {
    Number(f64),
    Count(u64),
    Param(&'a Param),
    Text(&'a str),
}

fn held<'a>(run: &'a RunRow, key: &Key, goal: Goal) -> Option<Held<'a>> {
    key.kinds(Wanted::Any).iter().find_map(|kind| match kind {
        KeyKind::Metric => metric(run, key, goal),
        KeyKind::Param => run
            .state
            .params
            .get(&key.name)
            .map(|held| Held::Param(held.param())),
        KeyKind::Tag => {
            let mut tags = run.state.annotations.tags();
            tags.find(|(tag, _)| *tag == key.name)
                .map(|(_, value)| Held::Text(value))
        }
        KeyKind::Attribute | KeyKind::Dataset | KeyKind::Bare => None,
    })
}

fn metric<'a>(run: &RunRow, key: &Key, goal: Goal) -> Option<Held<'a>> {
    let series = SeriesKey {
        key: key.name.clone(),
        context: key.context.clone(),
    };
    match run.state.records.series.get(&series) {
        Some(summary) => aggregate(summary, key, goal),
        None if key.context.is_empty() && key.aggregate == Aggregate::Last => {
            run.state.metric(&key.name).map(Held::Number)
        }
        None => None,
    }
}

fn aggregate<'a>(summary: &SeriesSummary, key: &Key, goal: Goal) -> Option<Held<'a>> {
    match key.aggregate {
        Aggregate::Last => Some(Held::Number(summary.last.value)),
        Aggregate::Min => summary.min().map(Held::Number),
        Aggregate::Max => summary.max().map(Held::Number),
        Aggregate::Mean => summary.mean().map(Held::Number),
        Aggregate::Best => match goal {
            Goal::Min => summary.min().map(Held::Number),
            Goal::Max => summary.max().map(Held::Number),
            Goal::None => Some(Held::Number(summary.last.value)),
        },
        Aggregate::Count => Some(Held::Count(summary.count)),
        Aggregate::Nan => Some(Held::Count(summary.nan)),
    }
}

/// A key that no run of a book has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// A known one that is written alike.
    pub nearest: Option<String>,
}

/// Looks a key up among those of all runs; `None` where some run has it, or every run can.
pub fn unknown<V: Reading>(view: &V, key: &Key) -> Result<Option<Unknown>, V::Error> {
    match key.kind {
        KeyKind::Attribute | KeyKind::Dataset => return Ok(None),
        KeyKind::Metric | KeyKind::Param | KeyKind::Tag | KeyKind::Bare => {}
    }
    let names = view.key_names(key.kind)?;
    let plain = derived::unqualified(&key.name).unwrap_or(&key.name);
    if names.contains(&key.name) || names.contains(plain) {
        return Ok(None);
    }
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let nearest = nearest::resembling(&key.name, &known).map(str::to_owned);
    Ok(Some(Unknown { nearest }))
}

/// The value as a cell of a table; `-` where there is none. The goal says which of a series is the best.
pub fn text_value(run: &RunRow, key: &Key, goal: Goal) -> String {
    match held(run, key, goal) {
        Some(Held::Number(value)) => figures::short(value),
        Some(Held::Count(value)) => value.to_string(),
        Some(Held::Param(param)) => clipped(&param.text),
        Some(Held::Text(text)) => clipped(text),
        None => "-".to_owned(),
    }
}

/// A text short enough for a column of numbers.
fn clipped(text: &str) -> String {
    const MOST: usize = 40;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The value as JSON; null where there is none.
pub fn json_value(run: &RunRow, key: &Key, goal: Goal) -> Value {
    match held(run, key, goal) {
        Some(Held::Number(value)) => figures::json(value),
        Some(Held::Count(value)) => value.into(),
        Some(Held::Param(param)) => {
            serde_json::from_str(documents::param(param).get()).unwrap_or(Value::Null)
        }
        Some(Held::Text(text)) => text.into(),
        None => Value::Null,
    }
}
