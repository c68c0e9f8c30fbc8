//! The tracker's folders of results, `20241227_143022/` with five texts (C-21).
//!
//! Which fields an answer has is known, not how its lines look: lines `Name: value` are read, whatever the case of
//! the name and what stands between its words. Not here: the tracker's database.
//! Invariant: each text is kept whole, so that a line which is not understood is lost to nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Map, Value, json};
use trialbook_model::id::RunUid;
use trialbook_model::record::{
    Event, Item, Log, LogStream, Op, RunError, Score, SetParams, SetStatus, StartRun, Subject,
};
use trialbook_model::secret;
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;

use super::run;
use crate::bring::Arrival;
use crate::error::{ImportError, Place, Problem};
use crate::gather::whole::Whole;
use crate::layout::flatten;
use crate::source::Found;

const ALL: &str = "all_results.txt";
const PASSED: &str = "passed_results.txt";
const FAILED: &str = "failed_results.txt";
const METADATA: &str = "run_metadata.txt";
const CONSOLE: &str = "run_time_logs.txt";

/// The field that an answer begins with.
const ID: &str = "record_id";

/// The other fields of an answer.
const FIELDS: [&str; 13] = [
    "turn",
    "question",
    "expected",
    "predicted",
    "status",
    "agent_flow",
    "time",
    "cost",
    "configuration_hash",
    "confidence",
    "program",
    "operation",
    "error",
];

/// Whether a folder is one of results.
pub fn is_results(folder: &Path) -> bool {
    [ALL, PASSED, FAILED]
        .iter()
        .any(|file| folder.join(file).is_file())
}

/// Reads a folder as a run; `name` is what it is called in errors.
pub fn read_results(
    folder: &Path,
    name: &Path,
    arrival: &mut Arrival<'_>,
) -> Result<Found, ImportError> {
    let label = folder.file_name().unwrap_or_default();
    let label = label.to_string_lossy().into_owned();
    let place = Place::file(name);
    let Some(time) = time_of(&label) else {
        let key = "its name".to_owned();
        let expected = "a time such as `20241227_143022`";
        return Err(ImportError::at(&place, Problem::Value { key, expected }));
    };
    let mut texts = BTreeMap::new();
    for file in [ALL, PASSED, FAILED, METADATA, CONSOLE] {
        match fs::read(folder.join(file)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            text => {
                let text = text.map_err(ImportError::read(&name.join(file)))?;
                let text = String::from_utf8_lossy(&text);
                texts.insert(file, secret::text(&text).content.into_owned());
            }
        }
    }
    arrival.take(&place, run::experiment(time))?;
    let whole = run_of(&label, time, &texts);
    whole.give(&mut |record| arrival.take(&place, record))?;
    Ok(Found::default())
}

/// `20241227_143022`, as UTC.
fn time_of(label: &str) -> Option<Timestamp> {
    let (day, time) = label.split_once('_')?;
    let is_digits = |text: &str| text.bytes().all(|letter| letter.is_ascii_digit());
    if day.len() != 8 || time.len() != 6 || !is_digits(day) || !is_digits(time) {
        return None;
    }
    let (year, month, day) = (&day[..4], &day[4..6], &day[6..]);
    let (hour, minute, second) = (&time[..2], &time[2..4], &time[4..]);
    Timestamp::parse(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z")).ok()
}

fn run_of(label: &str, time: Timestamp, texts: &BTreeMap<&str, String>) -> Whole {
    let run = run::results_uid(label);
    let mut whole = Whole::new(run);
    let start = StartRun {
        experiment: run::experiment_uid(),
        name: Some(label.to_owned()),
        source: "import".to_owned(),
        started: time,
        status: RunStatus::Running,
        ..StartRun::of(run)
    };
    whole.say(time, Op::StartRun(start));
    let metadata = texts.get(METADATA).map(String::as_str).unwrap_or_default();
    let pairs = metadata.lines().filter_map(pair);
    let pairs = pairs.map(|(name, value)| (name.to_owned(), Value::from(value)));
    let document = secret::json(Value::Object(pairs.collect::<Map<_, _>>())).content;
    let mut params = Vec::new();
    flatten("", &document, &mut params);
    if !params.is_empty() {
        whole.say(time, Op::SetParams(SetParams { run, params }));
    }
    for (file, text) in texts {
        let op = if *file == CONSOLE {
            Op::Log(Log {
                run,
                stream: LogStream::Stdout,
                text: text.clone(),
            })
        } else {
            Op::Event(Event {
                subject: Subject::Run(run),
                kind: "result_file".to_owned(),
                severity: None,
                text: (*file).to_owned(),
                data: json!({"text": text}),
                step: None,
            })
        };
        whole.say(time, op);
    }
    for item in answers(texts) {
        whole.say(time, Op::Item(Box::new(Item { run, ..item })));
    }
    let end = SetStatus {
        run,
        status: RunStatus::Completed,
        started: None,
        ended: None,
        error: None,
        exit_code: None,
    };
    whole.say(time, Op::SetStatus(end));
    whole
}

/// All answers, each once: those of `all_results.txt`, and what only stands in one of the other two.
fn answers(texts: &BTreeMap<&str, String>) -> Vec<Item> {
    let of = |file: &str| texts.get(file).map(|text| blocks(text)).unwrap_or_default();
    let mut seen = BTreeSet::new();
    let mut items = Vec::new();
    let (passed, failed) = (of(PASSED), of(FAILED));
    let ids = |blocks: &[Block]| -> BTreeSet<String> { blocks.iter().map(Block::id).collect() };
    let (right, wrong) = (ids(&passed), ids(&failed));
    for block in of(ALL).into_iter().chain(passed).chain(failed) {
        let id = block.id();
        if seen.insert(id.clone()) {
            let by_file = match (right.contains(&id), wrong.contains(&id)) {
                (true, false) => Some(true),
                (false, true) => Some(false),
                (true, true) | (false, false) => None,
            };
            items.push(block.item(by_file));
        }
    }
    items
}

/// The fields of one answer.
#[derive(Default)]
struct Block {
    fields: BTreeMap<String, String>,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for (name, value) in text.lines().filter_map(pair) {
        let key = plain(name);
        if key == ID {
            blocks.push(Block::default());
        }
        if (key == ID || FIELDS.contains(&key.as_str()))
            && let Some(block) = blocks.last_mut()
        {
            block.fields.entry(key).or_insert_with(|| value.to_owned());
        }
    }
    blocks
}

/// `Name: value`.
fn pair(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let (name, value) = (name.trim(), value.trim());
    (!name.is_empty() && !value.is_empty()).then_some((name, value))
}

/// A name in lower case, with one `_` between its words.
fn plain(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty()).map(str::to_lowercase);
    words.collect::<Vec<_>>().join("_")
}

/// The number that a text begins with: `4.54s`, `$0.0007`.
fn number(text: &str) -> Option<f64> {
    let text = text.trim_start_matches('$');
    let end = text.find(|letter: char| !matches!(letter, '0'..='9' | '.' | '-' | '+' | 'e' | 'E'));
    text[..end.unwrap_or(text.len())].parse().ok()
}

impl Block {
    /// The record, and the turn where there is one: each turn of a conversation is a question.
    fn id(&self) -> String {
        let of = |key: &str| self.fields.get(key).cloned();
        let id = of(ID).unwrap_or_default();
        match of("turn") {
            Some(turn) => format!("{id}/{turn}"),
            None => id,
        }
    }

    fn item(mut self, by_file: Option<bool>) -> Item {
        let id = self.id();
        let mut take = |key: &str| self.fields.remove(key);
        let status = take("status");
        let right = match status.as_deref().map(plain).as_deref() {
            Some("passed") => Some(true),
            Some("failed") => Some(false),
            Some(_) | None => by_file,
        };
        let mut scores = BTreeMap::new();
        scores.extend(right.map(|right| ("correct".to_owned(), Score::Bool(right))));
        let confidence = take("confidence").map(|text| match number(&text) {
            Some(number) => Score::Number(number),
            None => Score::Text(text),
        });
        scores.extend(confidence.map(|it| ("confidence".to_owned(), it)));
        let mut labels = BTreeMap::new();
        labels.extend(status.map(|status| ("status".to_owned(), status)));
        for key in [
            "turn",
            "agent_flow",
            "configuration_hash",
            "program",
            "operation",
        ] {
            labels.extend(take(key).map(|value| (key.to_owned(), value)));
        }
        let error = take("error").map(|message| RunError {
            kind: "error".to_owned(),
            message,
        });
        Item {
            run: RunUid::default(),
            id,
            repeat: None,
            attempt: None,
            labels,
            primary: right.map(|_| "correct".to_owned()),
            scores,
            expected: take("expected"),
            predicted: take("predicted"),
            input: take("question"),
            latency_ms: take("time")
                .as_deref()
                .and_then(number)
                .map(|it| it * 1000.0),
            cost: take("cost").as_deref().and_then(number),
            error,
            output: None,
            tokens_in: None,
            tokens_out: None,
            currency: None,
            cached: None,
            agent: None,
            trace: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_called_by_a_time() {
        let check = |label: &str, expected: Option<&str>| {
            let time = time_of(label).map(|time| time.to_string());
            assert_eq!(time.as_deref(), expected, "{label}");
        };
        check("20241227_143022", Some("2024-12-27T14:30:22.000Z"));
        check("20241327_143022", None);
        check("2024122_143022", None);
        check("results", None);
    }

    #[test]
    fn answers_are_told_apart_by_record_and_turn() {
        let all = "Record ID: a\nTurn: 1\nQuestion: what: is it?\nStatus: PASSED\nTime: 4.54s\nCost: $0.0007\n----\n\
                   record_id: a\nturn: 2\nExpected: 5\nPredicted: 6\nError: none such\n";
        let texts = BTreeMap::from([
            (ALL, all.to_owned()),
            (
                FAILED,
                "Record-Id: a\nTurn: 2\nExpected: other\n".to_owned(),
            ),
        ]);
        let items = answers(&texts);
        let ids: Vec<_> = items.iter().map(|item| item.id.as_str()).collect();
        assert_eq!(ids, ["a/1", "a/2"]);
        assert_eq!(items[0].scores["correct"], Score::Bool(true));
        assert_eq!(items[1].scores["correct"], Score::Bool(false));
        assert_eq!(items[0].input.as_deref(), Some("what: is it?"));
        assert_eq!(
            (items[0].latency_ms, items[0].cost),
            (Some(4540.0), Some(0.0007))
        );
        assert_eq!(items[1].expected.as_deref(), Some("5"));
        assert!(items[0].error.is_none() && items[1].error.is_some());
    }
}
