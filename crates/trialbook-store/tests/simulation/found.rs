//! What stands in a book after a crash, read through its answers.
//!
//! Invariant: a book and the reference model are asked the same questions.

use std::collections::BTreeSet;

use trialbook_model::id::{RunUid, Uid};
use trialbook_model::record::SeriesKey;
use trialbook_model::state::RunState;
use trialbook_store::nouns::{EventRecord, LogRecord, Owner, Series};
use trialbook_store::reading::Reading;

/// Runs that schedules speak of.
pub(crate) const RUNS: u64 = 3;

/// A record by its writer's place in the schedule and its count there.
pub(crate) type Mark = (usize, i64);

pub(crate) fn run_uid(at: u64) -> RunUid {
    RunUid(Uid([at as u8 + 1; 16]))
}

/// What a book says of a run. Not its number: that depends on where seals cut, which a crash decides.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    uid: RunUid,
    state: RunState,
    series: Vec<(SeriesKey, Series)>,
    events: Vec<EventRecord>,
    logs: Vec<LogRecord>,
}

/// What a book says of its runs.
pub(crate) fn answers<R: Reading>(book: &R) -> Vec<Answer> {
    let mut answers = Vec::new();
    for uid in (0..RUNS).map(run_uid) {
        let Some(no) = book.run_no(uid).unwrap() else {
            continue;
        };
        let of = Owner::Run(no);
        let state = book.runs(&[no]).unwrap().pop().unwrap().state;
        let keys = state.records.series.keys();
        answers.push(Answer {
            uid,
            series: keys
                .map(|key| (key.clone(), book.series(&of, key).unwrap()))
                .collect(),
            events: book.events(&of).unwrap(),
            logs: book.logs(no).unwrap(),
            state,
        });
    }
    answers
}

/// The records of a book by what they say of themselves.
pub(crate) fn marks(answers: &[Answer]) -> Vec<Mark> {
    let mut marks = Vec::new();
    for answer in answers {
        let logs = answer.logs.iter().map(|log| &log.record.text);
        let events = answer.events.iter().map(|event| &event.record.text);
        let paths = answer.state.records.artifacts.keys();
        for name in logs.chain(events).chain(paths) {
            let (name, _) = name.split_once(' ').unwrap_or((name, ""));
            let (place, mark) = name.split_once(':').unwrap();
            marks.push((place.parse().unwrap(), mark.parse().unwrap()));
        }
        for (key, series) in &answer.series {
            let place = key.key[1..].parse().unwrap();
            marks.extend(series.steps.iter().map(|step| (place, *step)));
        }
    }
    marks
}

/// The sums that records of a book speak of.
pub(crate) fn sums(answers: &[Answer]) -> BTreeSet<String> {
    let artifacts = answers.iter();
    let artifacts = artifacts.flat_map(|answer| answer.state.records.artifacts.values());
    let versions = artifacts.flatten();
    versions
        .filter_map(|version| version.value.sha256.clone())
        .collect()
}
