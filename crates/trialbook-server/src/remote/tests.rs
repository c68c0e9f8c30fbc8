use axum::body::Body;
use axum::http::{Method, Request, header};
use trialbook_model::id::{RunUid, Uid, WriterUid};
use trialbook_model::record::{Op, Purge, Signed, StartRun, Subject};
use trialbook_model::time::Timestamp;
use trialbook_spool::{FrameBatch, Header};

use crate::Settings;
use crate::http::access::AccessRules;
use crate::testing::{Answer, Bench};

fn writer() -> WriterUid {
    WriterUid(Uid([7; 16]))
}

fn started(seq: u64) -> Signed {
    Signed {
        time: Timestamp(seq as i64),
        writer: writer(),
        seq,
        actor: Some("ann".to_owned()),
        operation: None,
        op: Op::StartRun(StartRun::of(RunUid(Uid([seq as u8; 16])))),
    }
}

fn batch(records: &[Signed]) -> Vec<u8> {
    let header = Header {
        writer: writer(),
        ..Header::default()
    };
    let mut batch = FrameBatch::new(&header, records[0].seq).unwrap();
    for record in records {
        assert!(batch.push(record).unwrap());
    }
    batch.bytes().to_vec()
}

async fn send(bench: &Bench, path: &str, body: Vec<u8>) -> Answer {
    let request = Request::builder().method(Method::POST).uri(path);
    let request = request.header(header::HOST, "localhost");
    bench.ask(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn a_batch_is_taken_once_and_a_gap_is_told() {
    let bench = Bench::new();
    let records: Vec<Signed> = (1..=6).map(started).collect();
    let frames = "/api/v1/ingest/frames";
    let first = send(&bench, frames, batch(&records[..2])).await;
    assert_eq!(first.json(), serde_json::json!({ "new": 2, "repeated": 0 }));
    let again = send(&bench, frames, batch(&records[..4])).await;
    assert_eq!(again.json(), serde_json::json!({ "new": 2, "repeated": 2 }));
    let ahead = send(&bench, frames, batch(&records[5..])).await;
    assert_eq!(
        (ahead.status, &ahead.json()["error"]["position"]),
        (409, &5.into())
    );
    let asked = serde_json::json!({ "writers": [writer().to_string()] });
    let known = bench.post("/api/v1/ingest/numbers", &asked).await;
    assert_eq!(
        known.json()["numbers"][writer().to_string()],
        serde_json::json!([[1, 4]])
    );
    let lost = send(
        &bench,
        "/api/v1/ingest/frames?lost=true",
        batch(&records[5..]),
    )
    .await;
    assert_eq!(lost.json()["new"], 1);
    bench.app.desk().seal().await.unwrap();
    let after = send(&bench, frames, batch(&records[..4])).await;
    assert_eq!(after.json()["repeated"], 4);
}

#[tokio::test]
async fn a_broken_batch_is_refused_by_its_place() {
    let bench = Bench::new();
    let mut bytes = batch(&[started(1), started(2)]);
    let last = bytes.len() - 12;
    bytes[last] ^= 1;
    let refused = send(&bench, "/api/v1/ingest/frames", bytes).await;
    assert_eq!(refused.status, 400);
    let told = refused.json()["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        told.contains("at byte") && told.contains("record 2"),
        "{told}"
    );
    let nothing = send(&bench, "/api/v1/ingest/frames", Vec::new()).await;
    assert_eq!(nothing.status, 400);
}

#[tokio::test]
async fn a_server_for_reading_takes_nothing() {
    let bench = Bench::with(Settings {
        access: AccessRules {
            read_only: true,
            ..AccessRules::default()
        },
        ..Settings::default()
    });
    let refused = send(&bench, "/api/v1/ingest/frames", batch(&[started(1)])).await;
    assert_eq!(refused.status, 403);
    let purge = Signed {
        op: Op::Purge(Purge {
            subject: Subject::Run(RunUid(Uid([1; 16]))),
        }),
        ..started(1)
    };
    let refused = send(&bench, "/api/v1/ingest/frames", batch(&[purge])).await;
    assert_eq!(refused.status, 403);
    let turn = bench
        .post("/api/v1/book/turns", &serde_json::json!({}))
        .await;
    assert_eq!(turn.status, 403);
}

#[tokio::test]
async fn files_are_sent_under_their_sums() {
    let bench = Bench::new();
    let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let asked = serde_json::json!({ "sha256": [sum] });
    let missing = bench.post("/api/v1/book/files/missing", &asked).await;
    assert_eq!(missing.json()["missing"], serde_json::json!([sum]));
    let path = format!("/api/v1/book/files/{sum}");
    assert_eq!(bench.get(&path).await.status, 404);
    let wrong = bench.send(Method::PUT, &path, "abcd").await;
    assert_eq!(wrong.status, 400);
    let put = bench.send(Method::PUT, &path, "abc").await;
    assert_eq!(put.status, 204);
    assert_eq!(bench.get(&path).await.text, "abc");
    let missing = bench.post("/api/v1/book/files/missing", &asked).await;
    assert_eq!(missing.json()["missing"], serde_json::json!([]));
    let odd = bench.get("/api/v1/book/files/ABC").await;
    assert_eq!(odd.status, 400);
}

#[tokio::test]
async fn a_turn_is_waited_for_until_it_is_given_back() {
    let bench = Bench::new();
    let turn = bench
        .post("/api/v1/book/turns", &serde_json::json!({}))
        .await;
    let name = turn.json()["turn"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/book/turns/{name}");
    let none = serde_json::json!({});
    let (second, given) = tokio::join!(
        bench.post("/api/v1/book/turns", &none),
        bench.send(Method::DELETE, &path, ""),
    );
    assert_eq!((second.status, given.status), (200, 204));
}
