//! The attributes that a run keeps itself, read off its row.
//!
//! Not here: those that belong to its experiment or are made of both. Invariant: what is not known is absent.

use std::borrow::Cow;

use trialbook_model::filter::Attribute;
use trialbook_model::record::LinkKind;
use trialbook_model::setup::SETUP_SNAPSHOT;
use trialbook_model::state::RunState;

use super::facts::Fact;
use crate::nouns::RunRow;

/// The attributes that a run keeps itself.
pub(super) fn attributes(row: &RunRow) -> Vec<(Attribute, Fact<'_>)> {
    let mut found = Vec::with_capacity(16);
    for attribute in Attribute::ALL {
        if let Some(fact) = attribute_of(row, *attribute) {
            found.push((*attribute, fact));
        }
    }
    found
}

fn attribute_of(row: &RunRow, attribute: Attribute) -> Option<Fact<'_>> {
    let state = &row.state;
    let start = state.start();
    let text = |text: &'_ str| Some(Fact::Text(Cow::Owned(text.to_owned())));
    let number = |number: u64| Fact::Number(number as f64);
    match attribute {
        Attribute::Name => state.name().map(borrowed),
        Attribute::Number => row.number.map(number),
        Attribute::Status => Some(borrowed(state.status().word())),
        Attribute::Started => state.started().map(|time| Fact::Time(time.millis())),
        Attribute::Ended => state.ended().map(|time| Fact::Time(time.millis())),
        Attribute::DurationMs => duration_ms(state).map(Fact::Number),
        Attribute::Heartbeat => state.alive.map(|time| Fact::Time(time.millis())),
        Attribute::Progress => state.progress.share().map(Fact::Number),
        Attribute::Variation => start?.variation.as_deref().map(borrowed),
        Attribute::Trial => start?.trial.map(number),
        Attribute::Attempt => start?.attempt.map(number),
        Attribute::Seed => start?.seed.map(number),
        Attribute::RunKey => start?.run_key.as_deref().map(borrowed),
        Attribute::Source => Some(start?.source.as_str())
            .filter(|it| !it.is_empty())
            .map(borrowed),
        Attribute::Command => {
            let command = &start?.command;
            (!command.is_empty()).then(|| text(&command.join(" ")))?
        }
        Attribute::Actor => {
            // Who a run is for may be another than who told of it.
            let told = state.annotations.text("user");
            let signed = state.actor.as_ref().map(|actor| actor.value.as_str());
            told.or(signed).map(borrowed)
        }
        Attribute::ErrorKind => state.error().map(|error| borrowed(&error.kind)),
        Attribute::Error => state.error().map(|error| borrowed(&error.message)),
        Attribute::ExitCode => state.exit_code().map(|code| Fact::Number(f64::from(code))),
        Attribute::Notes => {
            let notes = state.annotations.main_note();
            notes
                .or_else(|| state.annotations.text("notes"))
                .map(borrowed)
        }
        Attribute::ConfigHash => {
            let setup = state.snapshots.get(SETUP_SNAPSHOT)?;
            Some(borrowed(&setup.value))
        }
        Attribute::Reproduces => {
            let links = start?.links.iter();
            let of = links.filter(|(kind, _)| *kind == LinkKind::Reproduces);
            let uids: Vec<String> = of.map(|(_, uid)| uid.to_string()).collect();
            (!uids.is_empty()).then(|| text(&uids.join(" ")))?
        }
        Attribute::ArtifactUri => state.annotations.text("artifact_uri").map(borrowed),
        Attribute::Id
        | Attribute::No
        | Attribute::Handle
        | Attribute::Experiment
        | Attribute::ExperimentId
        | Attribute::Project
        | Attribute::Archived
        | Attribute::Deleted => None,
    }
}

fn borrowed(text: &str) -> Fact<'_> {
    Fact::Text(Cow::Borrowed(text))
}

/// From start to end, in milliseconds with fractions.
fn duration_ms(state: &RunState) -> Option<f64> {
    let micros = state.ended()?.0.saturating_sub(state.started()?.0);
    Some(micros as f64 / 1000.0)
}
