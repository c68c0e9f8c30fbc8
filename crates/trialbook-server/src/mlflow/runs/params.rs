//! `runs/log-parameter`, and what params are to a book.
//!
//! Invariant: a param has one value for ever; the same text again is no change, another one is refused, also where
//! both mean one number.

use std::collections::BTreeSet;

use axum::extract::State;
use trialbook_model::filter::value::number_in;
use trialbook_model::record::{Op, Param, ParamKind, SetParams};
use trialbook_store::nouns::RunRow;

use super::{RunError, find_active, read};
use crate::app::App;
use crate::desk::{Draft, Look};
use crate::mlflow::endpoint::{Answer, Answered, Ask, Caller};
use crate::mlflow::error::Refusal;
use crate::mlflow::limits::{KEY_LENGTH, LimitError, check_length, check_name};
use crate::mlflow::wire::{message, required};

message! {
    /// A param of a batch.
    pub(super) struct Pair {
        key: Option<String>,
        value: Option<String>,
    }

    /// A param that is to be logged.
    pub(super) struct LogParam {
        run_id / "runId": Option<String>,
        run_uuid / "runUuid": Option<String>,
        key: Option<String>,
        value: Option<String>,
    }
}

/// Checks a param's key; `path` is where it stands in the request.
pub(super) fn check(path: &str, key: &str) -> Result<(), LimitError> {
    check_name(path, key)?;
    check_length("Param key", key, KEY_LENGTH)
}

/// A param as the book keeps it: what reads as a finite number is one, with its text as written.
pub(super) fn param(text: String) -> Param {
    let is_number = number_in(&text).is_some_and(f64::is_finite);
    let kind = if is_number {
        ParamKind::Number
    } else {
        ParamKind::Text
    };
    Param { text, kind }
}

/// What a run has under a key already.
pub(super) fn held<'a>(row: &'a RunRow, key: &str) -> Option<&'a str> {
    let held = row.state.params.get(key)?;
    Some(&held.param().text)
}

/// Refuses params of which one batch has two.
pub(super) fn refuse_repeated(params: &[(String, String)]) -> Result<(), LimitError> {
    let mut seen = BTreeSet::new();
    let mut repeated = Vec::new();
    for (key, _) in params {
        if !seen.insert(key.as_str()) {
            repeated.push(format!("'{key}'"));
        }
    }
    if repeated.is_empty() {
        return Ok(());
    }
    let keys = repeated.join(", ");
    Err(LimitError::Repeated { keys })
}

/// Says those params of a batch that are new; refuses it where one is to change.
pub(super) fn say(
    draft: &mut Draft,
    row: &RunRow,
    params: Vec<(String, String)>,
) -> Result<(), RunError> {
    let mut changed = Vec::new();
    let mut new = Vec::with_capacity(params.len());
    for (key, value) in params {
        match held(row, &key) {
            Some(old) if old == value => {}
            Some(old) => changed.push(format!(
                "{{'key': '{key}', 'old_value': '{old}', 'new_value': '{value}'}}"
            )),
            None => new.push((key, param(value))),
        }
    }
    if !changed.is_empty() {
        return Err(RunError::ParamsChanged {
            params: changed.join(", "),
            id: row.uid.to_string(),
        });
    }
    if !new.is_empty() {
        let (run, params) = (row.uid, new);
        draft.say(Op::SetParams(SetParams { run, params }));
    }
    Ok(())
}

pub(super) async fn log(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<LogParam>,
) -> Answered {
    let id = read::id_of(asked.run_id, asked.run_uuid)?;
    let key = required("key", asked.key.as_ref())?.to_owned();
    check("key", &key)?;
    let value = asked.value.unwrap_or_default();
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = find_active(look, &id)?;
        match held(&row, &key) {
            Some(old) if old != value => Err(Refusal::from(RunError::ParamChanged {
                key,
                old: old.to_owned(),
                new: value,
                id,
            })),
            Some(_) | None => Ok(say(draft, &row, vec![(key, value)])?),
        }
    };
    app.desk().write(&actor, decide).await?;
    Ok(Answer::empty())
}
