//! New console output, events and spans of a run.
//!
//! A record is known by its writer and number, and each writer's records come in the order of their numbers. So the
//! last number of each writer says what was told, whatever was sealed and whoever serves the book. Not here: whom
//! they are told to. Invariant: each record is told once, those of one writer in their order.

use serde::Serialize;
use serde_json::Value;
use trialbook_model::record::{Event, Log, LogStream, Span, SpanForm};
use trialbook_store::nouns::{Owner, Recorded};
use trialbook_store::view::Piece;
use trialbook_store::{BookError, BookView};

use super::delta::Delta;
use super::position::{Position, RecordsAt};

/// Bytes after which a piece is told.
const MOST_BYTES: usize = 256 << 10;

/// Records of one kind.
pub(super) trait Kind: Sized {
    /// The event that tells them.
    const WORD: &'static str;

    fn piece(view: &BookView<'_>, of: &Owner, block: u32) -> Result<Piece<Self>, BookError>;

    fn unsealed<'v>(view: &'v BookView<'_>, of: &Owner) -> &'v [Recorded<Self>];

    /// As it is told.
    fn told(record: &Recorded<Self>) -> Vec<u8>;
}

impl Kind for Log {
    const WORD: &'static str = "logs";

    fn piece(view: &BookView<'_>, of: &Owner, block: u32) -> Result<Piece<Self>, BookError> {
        view.logs_from(of, block)
    }

    fn unsealed<'v>(view: &'v BookView<'_>, of: &Owner) -> &'v [Recorded<Self>] {
        view.unsealed_logs(of)
    }

    fn told(record: &Recorded<Self>) -> Vec<u8> {
        #[derive(Serialize)]
        struct Told<'a> {
            time: String,
            stream: LogStream,
            text: &'a str,
        }
        json(&Told {
            time: record.stamp.time.to_string(),
            stream: record.record.stream,
            text: &record.record.text,
        })
    }
}

impl Kind for Event {
    const WORD: &'static str = "events";

    fn piece(view: &BookView<'_>, of: &Owner, block: u32) -> Result<Piece<Self>, BookError> {
        view.events_from(of, block)
    }

    fn unsealed<'v>(view: &'v BookView<'_>, of: &Owner) -> &'v [Recorded<Self>] {
        view.unsealed_events(of)
    }

    fn told(record: &Recorded<Self>) -> Vec<u8> {
        #[derive(Serialize)]
        struct Told<'a> {
            time: String,
            kind: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            severity: Option<&'a str>,
            #[serde(skip_serializing_if = "str::is_empty")]
            text: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            step: Option<i64>,
            data: &'a Value,
        }
        let event = &record.record;
        json(&Told {
            time: record.stamp.time.to_string(),
            kind: &event.kind,
            severity: event.severity.as_deref(),
            text: &event.text,
            step: event.step,
            data: &event.data,
        })
    }
}

impl Kind for Span {
    const WORD: &'static str = "spans";

    fn piece(view: &BookView<'_>, of: &Owner, block: u32) -> Result<Piece<Self>, BookError> {
        view.spans_from(of, block)
    }

    fn unsealed<'v>(view: &'v BookView<'_>, of: &Owner) -> &'v [Recorded<Self>] {
        view.unsealed_spans(of)
    }

    fn told(record: &Recorded<Self>) -> Vec<u8> {
        #[derive(Serialize)]
        struct Told<'a> {
            time: String,
            trace: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            span: Option<&'a str>,
            form: SpanForm,
            data: &'a Value,
        }
        let span = &record.record;
        json(&Told {
            time: record.stamp.time.to_string(),
            trace: &span.trace,
            span: span.id.as_deref(),
            form: span.form,
            data: &span.data,
        })
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("texts, numbers and values are JSON")
}

/// What a piece is made of.
struct Telling {
    at: RecordsAt,
    records: Vec<u8>,
    /// Whether it is passed over only: whoever begins now is told nothing of what is there.
    is_silent: bool,
}

impl Telling {
    /// Takes in those that are new; false where the piece is full before all are.
    fn take<K: Kind>(&mut self, records: &[Recorded<K>]) -> bool {
        for record in records {
            let seen = self.at.seen.entry(record.stamp.writer).or_default();
            if record.stamp.seq <= *seen {
                continue;
            }
            if self.records.len() >= MOST_BYTES {
                return false;
            }
            *seen = record.stamp.seq;
            if !self.is_silent {
                if !self.records.is_empty() {
                    self.records.push(b',');
                }
                self.records.extend(K::told(record));
            }
        }
        true
    }
}

/// What follows a position.
pub(super) fn delta<K: Kind>(
    view: &BookView<'_>,
    of: &Owner,
    from: &Position,
    topic: &str,
) -> Result<Delta, BookError> {
    let at = match from {
        Position::Records(at) => at.clone(),
        Position::Start
        | Position::Now
        | Position::Series(_)
        | Position::Runs(_)
        | Position::Gone => RecordsAt::default(),
    };
    let rev = view.version().rev;
    let is_read = at.rev == Some(rev);
    let mut telling = Telling {
        at,
        records: Vec::new(),
        is_silent: *from == Position::Now,
    };
    let more = if is_read {
        !telling.take(K::unsealed(view, of))
    } else {
        telling.at.rev = None;
        !read_blocks::<K>(view, of, &mut telling)?
    };
    // A writer of whom nothing was taken is not one that was seen.
    telling.at.seen.retain(|_, seen| *seen > 0);
    if telling.records.is_empty() {
        return Ok(Delta {
            more,
            ..Delta::silent(Position::Records(telling.at))
        });
    }
    let mut data = format!("{{\"topic\":{},\"records\":[", Value::from(topic)).into_bytes();
    data.extend(telling.records);
    data.extend(b"]}");
    Ok(Delta {
        more,
        ..Delta::of(K::WORD, data, Position::Records(telling.at))
    })
}

/// Reads on over sealed blocks and what follows them; false where the piece is full before the end.
fn read_blocks<K: Kind>(
    view: &BookView<'_>,
    of: &Owner,
    telling: &mut Telling,
) -> Result<bool, BookError> {
    loop {
        let piece = K::piece(view, of, telling.at.block)?;
        if !telling.take(&piece.records) {
            return Ok(false);
        }
        telling.at.block = piece.block;
        if piece.is_last {
            telling.at.rev = Some(view.version().rev);
            return Ok(true);
        }
    }
}
