use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, StatusCode};
use hyper::body::Body as _;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use tokio::time::timeout;
use tower::ServiceExt as _;
use trialbook_model::id::{RunUid, Uid};
use trialbook_model::record::{
    Event, Log, LogStream, Op, Points, Purge, SeriesKey, SetTags, StartRun, Subject,
};
use trialbook_model::time::Timestamp;
use trialbook_store::RecorderOptions;
use trialbook_store::nouns::Owner;

use super::*;
use crate::app::{Settings, router as all_routes};
use crate::desk::{Actor, Desk, DeskOptions};
use crate::testing::{Bench, Ticking};

/// Longer than anything takes on a machine that is merely slow.
const STUCK: Duration = Duration::from_secs(60);

const RUN: RunUid = RunUid(Uid([7; 16]));
const OTHER: RunUid = RunUid(Uid([9; 16]));

/// One event of a stream.
#[derive(Debug, Clone)]
struct Told {
    word: String,
    id: Option<String>,
    data: Value,
}

/// A stream that is read.
struct Reader {
    body: Body,
    text: String,
    id: Option<String>,
}

impl Reader {
    async fn open(bench: &Bench, query: &str, id: Option<&str>) -> Self {
        let mut request = Request::get(format!("/api/v1/stream?{query}"));
        request = request.header(header::HOST, "localhost");
        if let Some(id) = id {
            request = request.header(LAST_ID, id);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = bench.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            body: response.into_body(),
            text: String::new(),
            // As browsers do, until another one comes.
            id: id.map(str::to_owned),
        }
    }

    async fn frame(&mut self) -> Option<Bytes> {
        let next = std::future::poll_fn(|cx| Pin::new(&mut self.body).poll_frame(cx));
        let frame = timeout(STUCK, next).await.expect("something is told");
        Some(frame?.unwrap().into_data().unwrap())
    }

    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let mut lines = event.lines();
                    lines
                        .find_map(|line| line.strip_prefix(name))
                        .map(str::to_owned)
                };
                let told = (field("event: "), field("id: "), field("data: "));
                self.text = rest.to_owned();
                let (Some(word), id, Some(data)) = told else {
                    continue;
                };
                if id.is_some() {
                    self.id.clone_from(&id);
                }
                let data = serde_json::from_str(&data).unwrap();
                return Some(Told { word, id, data });
            }
            let bytes = self.frame().await?;
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }
}

async fn write(desk: &Desk, ops: Vec<Op>) {
    let written: Result<(), DeskError> = desk
        .write(&Actor::default(), move |_look, draft| {
            for op in ops {
                draft.say(op);
            }
            Ok(())
        })
        .await;
    written.unwrap();
}

fn start(run: RunUid) -> Op {
    Op::StartRun(StartRun::of(run))
}

fn log(run: RunUid, text: impl Into<String>) -> Op {
    Op::Log(Log {
        run,
        stream: LogStream::Stdout,
        text: text.into(),
    })
}

fn event(run: RunUid, text: String) -> Op {
    Op::Event(Event {
        subject: Subject::Run(run),
        kind: "message".to_owned(),
        severity: None,
        text,
        data: Value::Null,
        step: None,
    })
}

fn point(run: RunUid, step: i64, value: f64) -> Op {
    Op::Points(Points {
        subject: Subject::Run(run),
        step,
        time: Timestamp(step * 10),
        set: false,
        values: vec![(SeriesKey::plain("loss"), value)],
    })
}

fn tag(run: RunUid, value: String) -> Op {
    Op::SetTags(SetTags {
        subject: Subject::Run(run),
        tags: vec![("note".to_owned(), Some(value))],
    })
}

async fn with_run() -> Bench {
    let bench = Bench::new();
    write(bench.app.desk(), vec![start(RUN), start(OTHER)]).await;
    bench
}

/// The server ends and another one begins.
fn restart(bench: &mut Bench) {
    bench.app.live().end();
    bench.app.desk().close();
    let options = DeskOptions {
        clock: Arc::<Ticking>::clone(&bench.clock),
        actor: "server".to_owned(),
    };
    let desk = Desk::open(bench.book(), options).unwrap();
    bench.app = App::new(desk, Settings::default());
    bench.router = all_routes(bench.app.clone());
}

/// Writes as another process whose clock is late.
fn write_late(bench: &Bench, ops: &[Op]) {
    let book = bench.book();
    let clock = Arc::<Ticking>::default();
    let mut recorder = book.recorder(RecorderOptions::new("late", clock)).unwrap();
    for op in ops {
        recorder.record(op).unwrap();
    }
    recorder.finish().unwrap();
}

#[tokio::test]
async fn a_stream_greets_and_tells_what_is_written() {
    let bench = with_run().await;
    let mut reader = Reader::open(&bench, &format!("topics=runs,logs:{RUN}"), None).await;
    let hello = reader.next().await.unwrap();
    assert_eq!(hello.word, "hello");
    assert_eq!(hello.data["topics"][0], format!("logs:{RUN}"));
    assert!(hello.id.is_some());
    write(bench.app.desk(), vec![log(RUN, "a\nb")]).await;
    let mut words = BTreeSet::new();
    for _ in 0..2 {
        let told = reader.next().await.unwrap();
        match told.word.as_str() {
            "logs" => assert_eq!(told.data["records"][0]["text"], "a\nb"),
            "runs" => assert_eq!(told.data["runs"][0]["run"], RUN.to_string()),
            other => panic!("{other}"),
        }
        words.insert(told.word);
    }
    assert_eq!(words.len(), 2);
}

#[tokio::test]
async fn whoever_asks_for_all_is_told_what_is_there() {
    let bench = with_run().await;
    let desk = bench.app.desk();
    write(desk, vec![log(RUN, "old"), point(RUN, 1, f64::NAN)]).await;
    desk.seal().await.unwrap();
    write(desk, vec![log(RUN, "new"), point(RUN, 2, 0.5)]).await;
    let query = format!("from=start&topics=logs:{RUN}&topics=series:{RUN}:loss&topics=runs");
    let mut reader = Reader::open(&bench, &query, None).await;
    reader.next().await.unwrap();
    let mut told = BTreeMap::new();
    for _ in 0..3 {
        let next = reader.next().await.unwrap();
        told.insert(next.word, next.data);
    }
    assert_eq!(told["logs"]["records"][0]["text"], "old");
    assert_eq!(told["logs"]["records"][1]["text"], "new");
    let series = &told["series"];
    assert_eq!(series["from"], 0);
    assert_eq!(series["steps"], serde_json::json!([1, 2]));
    assert_eq!(series["values"], serde_json::json!(["NaN", 0.5]));
    assert_eq!(told["runs"]["runs"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn long_topics_come_in_pieces() {
    let bench = with_run().await;
    let desk = bench.app.desk();
    let line = "x".repeat(100_000);
    for _ in 0..4 {
        write(desk, vec![log(RUN, &line), log(RUN, &line)]).await;
        desk.seal().await.unwrap();
    }
    let many = (0..40_000).map(|step| point(RUN, step, 1.0)).collect();
    write(desk, many).await;
    let query = format!("from=start&topics=logs:{RUN},series:{RUN}:loss");
    let mut reader = Reader::open(&bench, &query, None).await;
    let (mut lines, mut points, mut pieces) = (0, 0, 0);
    while lines < 8 || points < 40_000 {
        let told = reader.next().await.unwrap();
        match told.word.as_str() {
            "logs" => {
                let records = told.data["records"].as_array().unwrap().len();
                assert!(records < 8, "it is more than one piece");
                lines += records;
                pieces += 1;
            }
            "series" => {
                assert_eq!(told.data["from"], points);
                points += told.data["steps"].as_array().unwrap().len();
            }
            _ => {}
        }
    }
    assert_eq!((lines, points), (8, 40_000));
    assert!(pieces >= 2);
}

#[tokio::test]
async fn a_run_that_is_removed_ends_its_topics() {
    let bench = with_run().await;
    let mut reader = Reader::open(&bench, &format!("topics=runs,logs:{RUN}"), None).await;
    reader.next().await.unwrap();
    write(bench.app.desk(), vec![tag(RUN, "seen".to_owned())]).await;
    let no = reader.next().await.unwrap().data["runs"][0]["no"].clone();
    let purge = Op::Purge(Purge {
        subject: Subject::Run(RUN),
    });
    write(bench.app.desk(), vec![purge]).await;
    let mut words = BTreeMap::new();
    for _ in 0..2 {
        let told = reader.next().await.unwrap();
        words.insert(told.word, told.data);
    }
    assert_eq!(words["gone"]["topic"], format!("logs:{RUN}"));
    assert_eq!(words["runs"]["removed"][0], no);
    // It is gone for whoever comes back, too, and nobody else can begin.
    let id = reader.id.clone().unwrap();
    let query = format!("topics=runs&cursor={id}");
    let mut again = Reader::open(&bench, &query, None).await;
    again.next().await.unwrap();
    let answer = bench
        .get(&format!("/api/v1/stream?topics=logs:{RUN}"))
        .await;
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused() {
    let bench = with_run().await;
    for (query, part) in [
        ("", "1 to 64 topics"),
        ("topics=", "1 to 64 topics"),
        ("topics=lgos:x", "did you mean `logs`?"),
        ("topic=runs", "did you mean `topics`?"),
        ("topics=runs&from=then", "neither `now` nor `start`"),
        ("topics=runs&cursor=x", "no id of an event"),
    ] {
        let answer = bench.get(&format!("/api/v1/stream?{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text);
        assert!(answer.text.contains(part), "{query}: {}", answer.text);
    }
}

#[tokio::test]
async fn one_stream_too_many_is_told_so_and_a_closed_one_makes_room() {
    let bench = Bench::with(Settings {
        most_streams: 2,
        ..Settings::default()
    });
    let one = Reader::open(&bench, "topics=runs", None).await;
    let _two = Reader::open(&bench, "topics=runs", None).await;
    let answer = bench.get("/api/v1/stream?topics=runs").await;
    assert_eq!(answer.status, 503);
    assert!(answer.text.contains("too many streams"), "{}", answer.text);
    assert!(answer.headers.contains_key("retry-after"));
    drop(one);
    Reader::open(&bench, "topics=runs", None).await;
}

#[tokio::test]
async fn a_thousand_subscribers_are_told_the_same() {
    let bench = with_run().await;
    let mut readers = Vec::new();
    for _ in 0..1000 {
        let mut reader = Reader::open(&bench, &format!("topics=logs:{RUN}"), None).await;
        assert_eq!(reader.next().await.unwrap().word, "hello");
        readers.push(reader);
    }
    write(bench.app.desk(), vec![log(RUN, "all")]).await;
    for reader in &mut readers {
        let told = reader.next().await.unwrap();
        assert_eq!(told.data["records"][0]["text"], "all");
    }
    assert_eq!(bench.app.live().count(), 1000);
    drop(readers);
    assert_eq!(bench.app.live().count(), 0);
}

#[tokio::test]
async fn streams_end_with_the_server() {
    let bench = with_run().await;
    let mut reader = Reader::open(&bench, "topics=runs", None).await;
    reader.next().await.unwrap();
    bench.app.live().end();
    assert!(reader.next().await.is_none());
    let answer = bench.get("/api/v1/stream?topics=runs").await;
    assert_eq!(answer.status, 503);
}

#[tokio::test]
async fn a_cursor_of_another_book_begins_anew() {
    let other = with_run().await;
    let mut reader = Reader::open(&other, "topics=runs", None).await;
    reader.next().await.unwrap();
    let id = reader.id.unwrap();
    let bench = with_run().await;
    write(bench.app.desk(), vec![log(RUN, "here")]).await;
    let query = format!("topics=logs:{RUN}");
    let mut reader = Reader::open(&bench, &query, Some(&id)).await;
    let hello = reader.next().await.unwrap();
    assert_eq!(hello.data["reset"], true);
    assert_eq!(
        reader.next().await.unwrap().data["records"][0]["text"],
        "here"
    );
}

/// What happens between a server and its subscribers.
#[derive(Debug, Clone)]
enum Step {
    Log {
        late: bool,
        many: usize,
    },
    Event {
        late: bool,
    },
    Points {
        late: bool,
        steps: Vec<i64>,
    },
    Tag {
        late: bool,
    },
    Seal,
    Restart,
    /// The subscriber goes away and comes back with what it has.
    Disconnect,
    /// It reads some events, if there are any at once.
    Read {
        most: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (any::<bool>(), 1..4_usize).prop_map(|(late, many)| Step::Log { late, many }),
        2 => any::<bool>().prop_map(|late| Step::Event { late }),
        4 => (any::<bool>(), vec(0..30_i64, 1..6)).prop_map(|(late, steps)| Step::Points { late, steps }),
        2 => any::<bool>().prop_map(|late| Step::Tag { late }),
        2 => Just(Step::Seal),
        1 => Just(Step::Restart),
        2 => Just(Step::Disconnect),
        4 => (1..4_usize).prop_map(|most| Step::Read { most }),
    ];
    vec(step, 1..24)
}

/// What a subscriber has made of what it was told.
#[derive(Debug, Default)]
struct Heard {
    lines: Vec<String>,
    events: Vec<String>,
    points: Vec<(i64, i64, Value)>,
    /// By run: the version and what was told with it.
    runs: BTreeMap<String, (u64, Value)>,
    last_version: u64,
}

impl Heard {
    fn take(&mut self, told: &Told) {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        match told.word.as_str() {
            "logs" | "events" => {
                let to = if told.word == "logs" {
                    &mut self.lines
                } else {
                    &mut self.events
                };
                for record in list(&told.data["records"]) {
                    let text = record["text"].as_str().unwrap().to_owned();
                    assert!(!to.contains(&text), "`{text}` is told twice");
                    to.push(text);
                }
            }
            "series" => {
                let from = told.data["from"].as_u64().unwrap() as usize;
                assert!(from <= self.points.len(), "a gap before {from}");
                self.points.truncate(from);
                let (steps, times) = (list(&told.data["steps"]), list(&told.data["times"]));
                let columns = steps.iter().zip(times).zip(list(&told.data["values"]));
                self.points.extend(columns.map(|((step, time), value)| {
                    (step.as_i64().unwrap(), time.as_i64().unwrap(), value)
                }));
            }
            "runs" => {
                for run in list(&told.data["runs"]) {
                    let version = run["version"].as_u64().unwrap();
                    assert!(
                        version > self.last_version,
                        "{version} is told late or twice"
                    );
                    self.last_version = version;
                    let mut content = run.clone();
                    content["version"] = Value::Null;
                    let uid = run["run"].as_str().unwrap().to_owned();
                    // The same words again are right: a tag changes a run, and its news do not show tags.
                    self.runs.insert(uid, (version, content));
                }
            }
            "hello" => assert_eq!(told.data["reset"], false),
            other => panic!("{other}: {}", told.data),
        }
    }
}

struct Play {
    bench: Bench,
    reader: Reader,
    heard: Heard,
    said: usize,
    lines: BTreeSet<String>,
    events: BTreeSet<String>,
}

impl Play {
    const TOPICS: &'static str = "runs";

    fn query() -> String {
        format!(
            "topics={},logs:{RUN},events:{RUN},series:{RUN}:loss",
            Self::TOPICS
        )
    }

    async fn begin() -> Self {
        let bench = with_run().await;
        let mut reader = Reader::open(&bench, &Self::query(), None).await;
        reader.next().await.unwrap();
        Self {
            bench,
            reader,
            heard: Heard::default(),
            said: 0,
            lines: BTreeSet::new(),
            events: BTreeSet::new(),
        }
    }

    async fn say(&self, late: &bool, ops: Vec<Op>) {
        if *late {
            write_late(&self.bench, &ops);
        } else {
            write(self.bench.app.desk(), ops).await;
        }
    }

    fn text(&mut self) -> String {
        self.said += 1;
        format!("text {}", self.said)
    }

    async fn come_back(&mut self) {
        let id = self.reader.id.clone().unwrap();
        self.reader = Reader::open(&self.bench, &Self::query(), Some(&id)).await;
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Log { late, many } => {
                let texts: Vec<_> = (0..*many).map(|_| self.text()).collect();
                self.lines.extend(texts.iter().cloned());
                let ops = texts.into_iter().map(|text| log(RUN, text));
                self.say(late, ops.collect()).await;
            }
            Step::Event { late } => {
                let text = self.text();
                self.events.insert(text.clone());
                self.say(late, vec![event(RUN, text)]).await;
            }
            Step::Points { late, steps } => {
                let ops = steps.iter().map(|step| point(RUN, *step, *step as f64));
                self.say(late, ops.collect()).await;
            }
            Step::Tag { late } => {
                let text = self.text();
                self.say(late, vec![tag(OTHER, text)]).await;
            }
            Step::Seal => self.bench.app.desk().seal().await.unwrap(),
            Step::Restart => {
                restart(&mut self.bench);
                self.come_back().await;
            }
            Step::Disconnect => self.come_back().await,
            Step::Read { most } => {
                for _ in 0..*most {
                    let ready = timeout(Duration::from_millis(20), self.reader.next()).await;
                    let Ok(Some(told)) = ready else { return };
                    self.heard.take(&told);
                }
            }
        }
    }

    /// Reads until the last words are heard, and holds everything against the book.
    async fn end(mut self) {
        self.come_back().await;
        let last = self.text();
        self.lines.insert(last.clone());
        let ops = vec![
            log(RUN, last),
            event(RUN, "end".to_owned()),
            point(RUN, 100, 1.0),
            tag(OTHER, "end".to_owned()),
        ];
        self.events.insert("end".to_owned());
        write(self.bench.app.desk(), ops).await;
        let seen = self.bench.app.desk().read(|look| {
            let no = look.run_no(RUN)?.unwrap();
            let series = look.series(&Owner::Run(no), &SeriesKey::plain("loss"))?;
            let points: Vec<_> = series.points().collect();
            let rows = [RUN, OTHER].map(|uid| look.run_of(uid).unwrap().unwrap());
            Ok::<_, DeskError>((points, rows))
        });
        let (points, rows) = seen.await.unwrap();
        let expected: Vec<_> = points
            .iter()
            .map(|point| (point.step, point.time.0, Value::from(point.value)))
            .collect();
        let is_heard = |heard: &Heard| {
            let runs = rows.iter().all(|row| {
                let told = heard.runs.get(&row.uid.to_string());
                told.is_some_and(|(_, told)| {
                    let alive = row.state.alive.map(|time| time.to_string());
                    told["points"] == row.state.records.counts.points
                        && told["last_sign_of_life"].as_str() == alive.as_deref()
                })
            });
            runs && heard.lines.len() == self.lines.len()
                && heard.events.len() == self.events.len()
                && heard.points == expected
        };
        while !is_heard(&self.heard) {
            let told = timeout(Duration::from_secs(10), self.reader.next()).await;
            let told =
                told.unwrap_or_else(|_| panic!("{:#?}\n{expected:?} {:?}", self.heard, self.lines));
            self.heard.take(&told.unwrap());
        }
        let lines: BTreeSet<_> = self.heard.lines.iter().cloned().collect();
        assert_eq!(lines, self.lines);
        let events: BTreeSet<_> = self.heard.events.iter().cloned().collect();
        assert_eq!(events, self.events);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_everything_is_told_once(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut play = Play::begin().await;
            for step in &steps {
                play.step(step).await;
            }
            play.end().await;
        });
    }
}
