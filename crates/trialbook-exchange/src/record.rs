//! What a stream consists of: operations at their times, and points as columns.
//!
//! In JSON an operation is `{"time": µs, "op": {"set_tags": {…}}}` with the fields that the operation has in
//! `trialbook_model::record`; points are `{"points": {…}}`. Not here: files.
//! Invariant: a record that is written is read back equal, NaN and infinities too; an unknown kind or field of
//! the envelope is refused, so that nothing is lost in silence.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use trialbook_model::float::Float;
use trialbook_model::record::{
    Assess, CreateEntry, CreateExperiment, DefineMetric, Event, Heartbeat, Item, LinkModel,
    LinkSnapshot, Log, Op, Progress, PutArtifact, PutNote, SeriesKey, SetField, SetParams,
    SetPointer, SetStatus, SetTags, Span, StartRun, Subject, UseDataset,
};
use trialbook_model::time::Timestamp;

/// One record of a stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// An operation.
    Said(Said),
    /// Points of series that were logged together.
    Points(Block),
}

/// An operation, when it was said, and by whom where that is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// When.
    pub time: Timestamp,
    /// By whom.
    pub actor: Option<String>,
    /// What.
    pub op: Op,
}

/// Points of series that share their steps and times.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Whose series.
    pub of: Subject,
    /// The series.
    pub series: Vec<SeriesKey>,
    /// The step of each call.
    pub steps: Vec<i64>,
    /// The time of each call, microseconds since 1970.
    pub times: Vec<i64>,
    /// The values, by series.
    pub values: Vec<Vec<f64>>,
}

impl Block {
    /// How many points.
    pub fn points(&self) -> u64 {
        self.values.iter().map(|values| values.len() as u64).sum()
    }
}

impl Record {
    /// The record as JSON, in one line.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        let mut out = Vec::new();
        self.write_json(&mut out)?;
        Ok(out)
    }

    /// Appends the record as JSON, in one line.
    pub fn write_json(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        match self {
            Self::Said(said) => serde_json::to_writer(
                out,
                &Line {
                    time: said.time,
                    actor: said.actor.as_deref(),
                    op: Form::of(&said.op),
                },
            ),
            Self::Points(block) => {
                let columns: &[Vec<f64>] = &block.values;
                let points = Columns {
                    of: &block.of,
                    series: &block.series,
                    steps: &block.steps,
                    times: &block.times,
                    values: Doubles::all(columns),
                };
                serde_json::to_writer(out, &PointsLine { points })
            }
        }
    }

    /// Reads a record.
    pub fn from_json(text: &[u8]) -> serde_json::Result<Self> {
        let parsed: Parsed = serde_json::from_slice(text)?;
        let custom = <serde_json::Error as serde::de::Error>::custom;
        match parsed {
            Parsed {
                points: Some(points),
                op: None,
                time: None,
                actor: None,
            } => Ok(Self::Points(points.block().map_err(custom)?)),
            Parsed {
                points: None,
                op: Some(op),
                time: Some(time),
                actor,
            } => {
                let op = op.op().map_err(custom)?;
                Ok(Self::Said(Said { time, actor, op }))
            }
            Parsed { .. } => Err(custom(
                "expected `time` and `op` (and `actor`), or `points` alone",
            )),
        }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'a str>,
    op: Form<'a>,
}

#[derive(Serialize)]
struct PointsLine<'a> {
    points: Columns<'a>,
}

#[derive(Serialize)]
struct Columns<'a> {
    of: &'a Subject,
    series: &'a [SeriesKey],
    steps: &'a [i64],
    times: &'a [i64],
    values: Vec<Doubles<'a>>,
}

/// A column of values.
struct Doubles<'a>(&'a [f64]);

impl<'a> Doubles<'a> {
    fn all(columns: &'a [Vec<f64>]) -> Vec<Self> {
        columns.iter().map(|column| Self(column)).collect()
    }
}

impl Serialize for Doubles<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|value| Float(*value)))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parsed {
    #[serde(default)]
    time: Option<Timestamp>,
    #[serde(default)]
    actor: Option<String>,
    #[serde(default)]
    op: Option<Form<'static>>,
    #[serde(default)]
    points: Option<ParsedColumns>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ParsedColumns {
    of: Subject,
    series: Vec<SeriesKey>,
    steps: Vec<i64>,
    times: Vec<i64>,
    values: Vec<Vec<Float>>,
}

impl ParsedColumns {
    fn block(self) -> Result<Block, &'static str> {
        let calls = self.steps.len();
        if self.times.len() != calls || self.values.iter().any(|column| column.len() != calls) {
            return Err("`steps`, `times` and every column of `values` differ in length");
        }
        if self.values.len() != self.series.len() {
            return Err("`series` and `values` differ in length");
        }
        let plain = |column: Vec<Float>| column.into_iter().map(|Float(value)| value).collect();
        Ok(Block {
            of: self.of,
            series: self.series,
            steps: self.steps,
            times: self.times,
            values: self.values.into_iter().map(plain).collect(),
        })
    }
}

/// An operation as it is written and read; points have columns instead.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Form<'a> {
    CreateExperiment(Cow<'a, CreateExperiment>),
    StartRun(Cow<'a, StartRun>),
    SetStatus(Cow<'a, SetStatus>),
    SetParams(Cow<'a, SetParams>),
    SetTags(Cow<'a, SetTags>),
    SetField(Cow<'a, SetField>),
    PutNote(Cow<'a, PutNote>),
    SetPointer(Cow<'a, SetPointer>),
    DefineMetric(Cow<'a, DefineMetric>),
    Event(Cow<'a, Event>),
    Log(Cow<'a, Log>),
    Item(Cow<'a, Item>),
    Assess(Cow<'a, Assess>),
    PutArtifact(Cow<'a, PutArtifact>),
    LinkSnapshot(Cow<'a, LinkSnapshot>),
    Progress(Cow<'a, Progress>),
    Heartbeat(Cow<'a, Heartbeat>),
    CreateEntry(Cow<'a, CreateEntry>),
    UseDataset(Cow<'a, UseDataset>),
    LinkModel(Cow<'a, LinkModel>),
    Span(Cow<'a, Span>),
    Unknown(Other),
}

/// A kind that this version does not know.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Other {
    kind: u8,
    flags: u8,
    payload: String,
}

/// The first kind that records may have.
const FIRST_KIND: u8 = trialbook_spool::frame::kind::FIRST_RECORD;

impl<'a> Form<'a> {
    fn of(op: &'a Op) -> Self {
        match op {
            // A stream carries none of these: points go as columns, what was removed for good is not given on, and
            // secrets never leave a book.
            Op::Points(_) | Op::Purge(_) | Op::SetSecret(_) => Self::Unknown(Other {
                kind: 0,
                flags: 0,
                payload: String::new(),
            }),
            Op::CreateExperiment(op) => Self::CreateExperiment(Cow::Borrowed(op)),
            Op::StartRun(op) => Self::StartRun(Cow::Borrowed(op)),
            Op::SetStatus(op) => Self::SetStatus(Cow::Borrowed(op)),
            Op::SetParams(op) => Self::SetParams(Cow::Borrowed(op)),
            Op::SetTags(op) => Self::SetTags(Cow::Borrowed(op)),
            Op::SetField(op) => Self::SetField(Cow::Borrowed(op)),
            Op::PutNote(op) => Self::PutNote(Cow::Borrowed(op)),
            Op::SetPointer(op) => Self::SetPointer(Cow::Borrowed(op)),
            Op::DefineMetric(op) => Self::DefineMetric(Cow::Borrowed(op)),
            Op::Event(op) => Self::Event(Cow::Borrowed(op)),
            Op::Log(op) => Self::Log(Cow::Borrowed(op)),
            Op::Item(op) => Self::Item(Cow::Borrowed(op)),
            Op::Assess(op) => Self::Assess(Cow::Borrowed(op)),
            Op::PutArtifact(op) => Self::PutArtifact(Cow::Borrowed(op)),
            Op::LinkSnapshot(op) => Self::LinkSnapshot(Cow::Borrowed(op)),
            Op::Progress(op) => Self::Progress(Cow::Borrowed(op)),
            Op::Heartbeat(op) => Self::Heartbeat(Cow::Borrowed(op)),
            Op::CreateEntry(op) => Self::CreateEntry(Cow::Borrowed(op)),
            Op::UseDataset(op) => Self::UseDataset(Cow::Borrowed(op)),
            Op::LinkModel(op) => Self::LinkModel(Cow::Borrowed(op)),
            Op::Span(op) => Self::Span(Cow::Borrowed(op)),
            Op::Unknown {
                kind,
                flags,
                payload,
            } => Self::Unknown(Other {
                kind: *kind,
                flags: *flags,
                payload: hex(payload),
            }),
        }
    }

    fn op(self) -> Result<Op, &'static str> {
        Ok(match self {
            Self::CreateExperiment(op) => Op::CreateExperiment(op.into_owned()),
            Self::StartRun(op) => Op::StartRun(op.into_owned()),
            Self::SetStatus(op) => Op::SetStatus(op.into_owned()),
            Self::SetParams(op) => Op::SetParams(op.into_owned()),
            Self::SetTags(op) => Op::SetTags(op.into_owned()),
            Self::SetField(op) => Op::SetField(op.into_owned()),
            Self::PutNote(op) => Op::PutNote(op.into_owned()),
            Self::SetPointer(op) => Op::SetPointer(op.into_owned()),
            Self::DefineMetric(op) => Op::DefineMetric(op.into_owned()),
            Self::Event(op) => Op::Event(op.into_owned()),
            Self::Log(op) => Op::Log(op.into_owned()),
            Self::Item(op) => Op::Item(Box::new(op.into_owned())),
            Self::Assess(op) => Op::Assess(op.into_owned()),
            Self::PutArtifact(op) => Op::PutArtifact(op.into_owned()),
            Self::LinkSnapshot(op) => Op::LinkSnapshot(op.into_owned()),
            Self::Progress(op) => Op::Progress(op.into_owned()),
            Self::Heartbeat(op) => Op::Heartbeat(op.into_owned()),
            Self::CreateEntry(op) => Op::CreateEntry(Box::new(op.into_owned())),
            Self::UseDataset(op) => Op::UseDataset(Box::new(op.into_owned())),
            Self::LinkModel(op) => Op::LinkModel(op.into_owned()),
            Self::Span(op) => Op::Span(op.into_owned()),
            Self::Unknown(other) if other.kind < FIRST_KIND => {
                return Err("a kind below 16 is no record");
            }
            Self::Unknown(other) => Op::Unknown {
                kind: other.kind,
                flags: other.flags,
                payload: unhex(&other.payload).ok_or("`payload` is not hex digits")?,
            },
        })
    }
}

/// Bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).map(|digit| digit as u8))
        .collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(digits.chunks(2).map(|two| two[0] << 4 | two[1]).collect())
}

#[cfg(test)]
mod tests {
    use trialbook_model::id::{RunUid, Uid};
    use trialbook_model::record::Score;

    use super::*;

    fn check(record: &Record) {
        let text = record.to_json().unwrap();
        let back = Record::from_json(&text).unwrap();
        assert_eq!(back.to_json().unwrap(), text);
        assert_eq!(format!("{back:?}"), format!("{record:?}"));
    }

    #[test]
    fn records_come_back_with_all_their_bits() {
        let run = RunUid(Uid([7; 16]));
        let said = |op| {
            Record::Said(Said {
                time: Timestamp(-5),
                actor: Some("ann".to_owned()),
                op,
            })
        };
        check(&said(Op::Assess(Assess {
            run,
            item: "i".to_owned(),
            scorer: "s".to_owned(),
            source: "me".to_owned(),
            score: Score::Number(f64::NEG_INFINITY),
        })));
        check(&said(Op::Progress(Progress {
            run,
            done: f64::NAN,
            total: Some(f64::INFINITY),
            stage: None,
        })));
        check(&said(Op::Unknown {
            kind: 99,
            flags: 128,
            payload: vec![0, 255, 16],
        }));
        check(&Record::Points(Block {
            of: Subject::Run(run),
            series: vec![SeriesKey::plain("a"), SeriesKey::plain("b")],
            steps: vec![i64::MIN, 3],
            times: vec![0, i64::MAX],
            values: vec![vec![f64::NAN, -0.0], vec![f64::from_bits(1), f64::INFINITY]],
        }));
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let columns =
            |text: &str| format!("{{\"points\":{{\"of\":{{\"project\":\"p\"}},{text}}}}}");
        for text in [
            "{}".to_owned(),
            "{\"time\":1}".to_owned(),
            "{\"time\":1,\"op\":{\"explode\":{}}}".to_owned(),
            "{\"time\":1,\"op\":{\"unknown\":{\"kind\":3,\"flags\":0,\"payload\":\"\"}}}"
                .to_owned(),
            "{\"time\":1,\"op\":{\"unknown\":{\"kind\":99,\"flags\":0,\"payload\":\"xy\"}}}"
                .to_owned(),
            columns("\"series\":[{\"key\":\"a\"}],\"steps\":[1],\"times\":[],\"values\":[[1]]"),
            columns("\"series\":[{\"key\":\"a\"}],\"steps\":[1],\"times\":[1],\"values\":[]"),
            columns(
                "\"series\":[{\"key\":\"a\"}],\"steps\":[1],\"times\":[1],\"values\":[[\"x\"]]",
            ),
        ] {
            assert!(Record::from_json(text.as_bytes()).is_err(), "{text}");
        }
    }
}
