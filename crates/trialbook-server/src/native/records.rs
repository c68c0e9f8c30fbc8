//! Records of a run: points, events, judged items, console output, files.
//!
//! Invariant: a page says how many there are in all; what is missing is null, never 0.

use axum::Router;
use axum::extract::{Path, State};
use serde_json::Value;
use trialbook_api::Number;
use trialbook_api::records::{
    self, Artifacts, Events, History, Item, Items, LogLine, Logs, MetricQuery, PageQuery,
};
use trialbook_api::runs::Failure;
use trialbook_model::code::ErrorCode;
use trialbook_model::record::{LogStream, Score, SeriesKey};
use trialbook_report::{documents, figures};
use trialbook_store::nouns::{ItemRecord, LogRecord, Owner};
use trialbook_store::reading::Reading as _;

use super::{at, naming};
use crate::app::App;
use crate::desk::Look;
use crate::http::asking::{Asked, Json};
use crate::http::error::Problem;

/// Records of a page at most.
const MOST_RECORDS: u64 = 100_000;

/// Records of a page where nothing is said.
const USUAL_RECORDS: u64 = 1_000;

pub(super) fn router() -> Router<App> {
    Router::new()
        .merge(at(&records::METRIC, metric))
        .merge(at(&records::EVENTS, events))
        .merge(at(&records::ITEMS, items))
        .merge(at(&records::LOGS, logs))
        .merge(at(&records::ARTIFACTS, artifacts))
}

/// The part of a list that a page shows.
fn page<T>(all: &[T], offset: u64, limit: Option<u64>) -> &[T] {
    let from = usize::try_from(offset).unwrap_or(usize::MAX).min(all.len());
    let most = limit.unwrap_or(USUAL_RECORDS).min(MOST_RECORDS) as usize;
    &all[from..(from + most).min(all.len())]
}

async fn metric(
    State(app): State<App>,
    Path(text): Path<String>,
    Asked(asked): Asked<MetricQuery>,
) -> Result<Json<History>, Problem> {
    let read = move |look: &Look<'_>| {
        let run = naming::run(look, &text)?;
        let key = SeriesKey {
            key: asked.key,
            context: asked.context,
        };
        if !run.state.records.series.contains_key(&key) {
            let message = format!("the run has no metric `{key}`");
            return Err(Problem::new(ErrorCode::NotFound, message).at("key"));
        }
        let series = look.series(&Owner::Run(run.no), &key)?;
        let (offset, limit) = (asked.offset, asked.limit);
        let times = page(&series.times, offset, limit).iter();
        let values = page(&series.values, offset, limit).iter();
        Ok(Json(History {
            total: series.len() as u64,
            steps: page(&series.steps, offset, limit).to_vec(),
            times_ms: times.map(|micros| micros.div_euclid(1000)).collect(),
            values: values.map(|value| Number(*value)).collect(),
        }))
    };
    app.desk().read(read).await
}

async fn events(
    State(app): State<App>,
    Path(text): Path<String>,
    Asked(asked): Asked<PageQuery>,
) -> Result<Json<Events>, Problem> {
    let read = move |look: &Look<'_>| {
        let run = naming::run(look, &text)?;
        let all = look.events(&Owner::Run(run.no))?;
        let shown = page(&all, asked.offset, asked.limit);
        Ok::<_, Problem>(Json(Events {
            total: all.len() as u64,
            events: shown.iter().map(documents::event).collect(),
        }))
    };
    app.desk().read(read).await
}

async fn items(
    State(app): State<App>,
    Path(text): Path<String>,
    Asked(asked): Asked<PageQuery>,
) -> Result<Json<Items>, Problem> {
    let read = move |look: &Look<'_>| {
        let run = naming::run(look, &text)?;
        let all = look.items(run.no)?;
        let shown = page(&all, asked.offset, asked.limit);
        Ok::<_, Problem>(Json(Items {
            total: all.len() as u64,
            items: shown.iter().map(item).collect(),
        }))
    };
    app.desk().read(read).await
}

fn item(of: &ItemRecord) -> Item {
    let record = &of.record;
    let scores = record.scores.iter();
    Item {
        time: of.stamp.time.to_string(),
        id: record.id.clone(),
        repeat: record.repeat,
        labels: record.labels.clone(),
        scores: scores
            .map(|(name, score)| (name.clone(), score_value(score)))
            .collect(),
        primary: record.primary.clone(),
        expected: record.expected.clone(),
        predicted: record.predicted.clone(),
        latency_ms: record.latency_ms.map(Number),
        cost: record.cost.map(Number),
        error: record.error.as_ref().map(|error| Failure {
            kind: error.kind.clone(),
            message: error.message.clone(),
        }),
    }
}

fn score_value(of: &Score) -> Value {
    match of {
        Score::Bool(right) => (*right).into(),
        Score::Number(number) => figures::json(*number),
        Score::Text(text) => text.as_str().into(),
    }
}

async fn logs(
    State(app): State<App>,
    Path(text): Path<String>,
    Asked(asked): Asked<PageQuery>,
) -> Result<Json<Logs>, Problem> {
    let read = move |look: &Look<'_>| {
        let run = naming::run(look, &text)?;
        let lines = lines(&look.logs(run.no)?);
        let shown = page(&lines, asked.offset, asked.limit);
        Ok::<_, Problem>(Json(Logs {
            total: lines.len() as u64,
            offset: asked.offset,
            lines: shown.to_vec(),
        }))
    };
    app.desk().read(read).await
}

/// Pieces of two streams as lines, each in the place of its end; what has no end yet comes last.
fn lines(pieces: &[LogRecord]) -> Vec<LogLine> {
    let mut lines = Vec::new();
    let mut begun: [Option<LogLine>; 2] = [None, None];
    for piece in pieces {
        let (slot, stream) = match piece.record.stream {
            LogStream::Stdout => (0, "stdout"),
            LogStream::Stderr => (1, "stderr"),
        };
        for part in piece.record.text.split_inclusive('\n') {
            let line = begun[slot].get_or_insert_with(|| LogLine {
                time: piece.stamp.time.to_string(),
                stream: stream.to_owned(),
                text: String::new(),
            });
            line.text.push_str(part.trim_end_matches('\n'));
            if part.ends_with('\n') {
                lines.extend(begun[slot].take());
            }
        }
    }
    lines.extend(begun.into_iter().flatten());
    lines
}

async fn artifacts(
    State(app): State<App>,
    Path(text): Path<String>,
) -> Result<Json<Artifacts>, Problem> {
    let read = move |look: &Look<'_>| {
        let run = naming::run(look, &text)?;
        Ok::<_, Problem>(Json(Artifacts {
            artifacts: documents::artifacts(&run),
        }))
    };
    app.desk().read(read).await
}

#[cfg(test)]
mod tests {
    use trialbook_model::id::{RunUid, WriterUid};
    use trialbook_model::record::Log;
    use trialbook_model::state::Stamp;
    use trialbook_model::time::Timestamp;

    use super::*;

    fn piece(seq: u64, stream: LogStream, text: &str) -> LogRecord {
        LogRecord {
            stamp: Stamp {
                time: Timestamp(seq as i64),
                writer: WriterUid::default(),
                seq,
            },
            record: Log {
                run: RunUid::default(),
                stream,
                text: text.to_owned(),
            },
        }
    }

    #[test]
    fn lines_are_put_together_from_pieces() {
        let pieces = [
            piece(1, LogStream::Stdout, "one\nha"),
            piece(2, LogStream::Stderr, "odd"),
            piece(3, LogStream::Stdout, "lf\n\n"),
        ];
        let lines = lines(&pieces);
        let told: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(told, ["one", "half", "", "odd"]);
        assert_eq!(lines[3].stream, "stderr");
    }

    #[test]
    fn a_page_stays_inside_of_its_list() {
        let all: Vec<u8> = (0..10).collect();
        assert_eq!(page(&all, 8, None), [8, 9]);
        assert_eq!(page(&all, 2, Some(3)), [2, 3, 4]);
        assert!(page(&all, u64::MAX, Some(u64::MAX)).is_empty());
    }
}
