//! What the verbs record, without secrets: every operation that they write passes through here.
//!
//! Not here: what a secret is, and what the runner records of the programs that it executes. Params are
//! filtered before they are compared too, so that a program may log its own token inside a wrapper, which
//! recorded it as redacted. Invariant: filtering twice is filtering once.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;
use trialbook_model::record::{Op, Param, RunError};
use trialbook_model::secret::{self, MARK};

use crate::context::Context;
use crate::failure::Failure;
use crate::values;

/// A param as it is recorded.
pub(crate) fn param(key: &str, param: Param) -> Param {
    let text = secret::named(key, &param.text);
    if text == param.text.as_str() {
        return param;
    }
    Param::text(text)
}

/// Tags of `KEY=VALUE` or `KEY` words as they are recorded; says which values are not.
pub(crate) fn tags(
    words: &[String],
    cx: &Context,
) -> Result<Vec<(String, Option<String>)>, Failure> {
    let mut tags = values::tags(words)?;
    for (key, held) in &mut tags {
        *held = held
            .take()
            .map(|text| secret::named(key, &text).into_owned());
    }
    let told = tags
        .iter()
        .filter_map(|(key, held)| Some((key, held.as_ref()?)));
    tell_redacted(cx, told);
    Ok(tags)
}

/// Says which values are recorded as redacted.
pub(crate) fn tell_redacted<'a>(
    cx: &Context,
    values: impl Iterator<Item = (&'a String, &'a String)>,
) {
    for (key, _) in values.filter(|(_, text)| text.contains(MARK)) {
        cx.printer
            .note(format!("`{key}` looks like a secret: recorded as {MARK}"));
    }
}

/// Says in what places of notes, events and errors something was left out.
pub(crate) fn tell_dropped(cx: &Context, places: &BTreeSet<String>) {
    for place in places {
        cx.printer
            .note(format!("{place} looks like a secret: recorded as {MARK}"));
    }
}

/// The places of an operation in which something is left out when it is recorded. Params and tags are told by
/// who reads them.
pub(crate) fn dropped(op: &Op) -> Vec<String> {
    let of_text = |place: &str, text: &str| -> Vec<String> {
        let kinds = secret::value(text).dropped;
        kinds
            .iter()
            .map(|kind| format!("`{place}` ({kind})"))
            .collect()
    };
    let of_data = |data: &Value| -> Vec<String> {
        let paths = secret::json(data.clone()).dropped;
        paths.iter().map(|path| format!("`{path}`")).collect()
    };
    let of_error = |error: &Option<RunError>| {
        let error = error.as_ref();
        error.map_or_else(Vec::new, |error| of_text("error", &error.message))
    };
    if let Op::Event(event) = op {
        [of_text("text", &event.text), of_data(&event.data)].concat()
    } else if let Op::PutNote(note) = op {
        let text = note.text.as_deref().unwrap_or_default();
        [of_text("note", text), of_data(&note.data)].concat()
    } else if let Op::SetField(set) = op {
        let text = set.value.as_str().unwrap_or_default();
        of_text(&set.field, text)
    } else if let Op::SetStatus(set) = op {
        of_error(&set.error)
    } else if let Op::Item(item) = op {
        of_error(&item.error)
    } else {
        Vec::new()
    }
}

/// Refuses a text that is kept as it is, such as a name, where it looks like a secret.
pub(crate) fn refuse(what: &str, text: &str) -> Result<(), Failure> {
    if secret::value(text).dropped.is_empty() {
        return Ok(());
    }
    Err(Failure::Secret {
        what: what.to_owned(),
    })
}

/// An operation as it is recorded.
pub(crate) fn operation(op: &Op) -> Cow<'_, Op> {
    let mut op = Cow::Borrowed(op);
    match &*op {
        Op::SetParams(_)
        | Op::SetTags(_)
        | Op::SetField(_)
        | Op::PutNote(_)
        | Op::Event(_)
        | Op::SetStatus(_) => filter(op.to_mut()),
        Op::Item(item) if item.error.is_some() => filter(op.to_mut()),
        Op::Points(_)
        | Op::CreateExperiment(_)
        | Op::StartRun(_)
        | Op::SetPointer(_)
        | Op::DefineMetric(_)
        | Op::Log(_)
        | Op::Item(_)
        | Op::Assess(_)
        | Op::PutArtifact(_)
        | Op::LinkSnapshot(_)
        | Op::Progress(_)
        | Op::Heartbeat(_)
        | Op::Purge(_)
        | Op::CreateEntry(_)
        | Op::SetSecret(_)
        | Op::UseDataset(_)
        | Op::LinkModel(_)
        | Op::Span(_)
        | Op::Unknown { .. } => {}
    }
    op
}

fn filter(op: &mut Op) {
    if let Op::SetParams(set) = op {
        for (key, held) in &mut set.params {
            *held = param(key, held.clone());
        }
    } else if let Op::SetTags(set) = op {
        for (key, held) in &mut set.tags {
            *held = held
                .take()
                .map(|text| secret::named(key, &text).into_owned());
        }
    } else if let Op::PutNote(note) = op {
        note.text = note.text.take().map(|text| plain(&text));
        note.data = secret::json(note.data.take()).content;
    } else if let Op::SetField(set) = op {
        if let Value::String(text) = &mut set.value {
            *text = plain(text);
        }
    } else if let Op::Event(event) = op {
        event.text = plain(&event.text);
        event.data = secret::json(event.data.take()).content;
    } else if let Op::SetStatus(set) = op {
        set.error = set.error.take().map(error);
    } else if let Op::Item(item) = op {
        item.error = item.error.take().map(error);
    }
}

/// What a person or a program says of something: secrets by name, as in `password=…`, and by look.
fn plain(text: &str) -> String {
    secret::value(text).content.into_owned()
}

fn error(error: RunError) -> RunError {
    RunError {
        message: plain(&error.message),
        ..error
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trialbook_model::record::ParamKind;

    #[test]
    fn values_go_by_their_names_and_by_their_looks() {
        assert_eq!(secret::named("api_key.value", "x"), MARK);
        assert_eq!(secret::named("db.password", "x"), MARK);
        assert_eq!(secret::named("password", ""), "");
        assert_eq!(secret::named("max_tokens", "12"), "12");
        assert!(
            !secret::named("model", "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789")
                .contains("abcdef")
        );
        let number = Param {
            text: "1234".to_owned(),
            kind: ParamKind::Number,
        };
        assert_eq!(param("lr", number.clone()), number);
        assert_eq!(param("pwd", number), Param::text(MARK));
    }
}
