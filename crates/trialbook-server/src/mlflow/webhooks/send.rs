//! Telling webhooks: the message, its signature, trying again.
//!
//! A message is `{entity, action, timestamp, data}`; what signs it is HMAC-SHA256 over `delivery id.time.message`.
//! Invariant: who made a change never waits for a webhook; a secret goes nowhere but into the signature.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use trialbook_model::id::{EntryUid, Uid};
use trialbook_model::record::EntryKind;
use trialbook_model::time::Timestamp;
use trialbook_store::nouns::EntryRow;
use trialbook_store::query::Entries;
use trialbook_store::reading::Reading as _;

use super::answer::is_active;
use super::event::{Event, example};
use crate::app::App;
use crate::base64::encode;
use crate::http::error::told;
use crate::http::post::{Hosts, PostError, Reply, Target};
use crate::mlflow::error::Refusal;

/// How often a message is sent again when the other side is busy or broken.
const AGAIN: u32 = 3;

/// Bytes of a block of SHA-256.
const BLOCK: usize = 64;

/// How trying a webhook out went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tested {
    /// Whether it took the message.
    pub success: bool,
    /// What it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_status: Option<u16>,
    /// The text of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_body: Option<String>,
    /// Why it could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

/// Tells all webhooks that want to know; whoever calls goes on at once.
pub(in crate::mlflow) fn deliver(app: &App, event: Event) {
    let app = app.clone();
    tokio::spawn(async move {
        let wanted = event.name();
        let read = app.desk().read(move |look| {
            let mut rows = look.entries(&Entries::Kind(EntryKind::Webhook))?;
            rows.retain(|row| {
                let is_told = row.state.words("events").contains(&wanted.as_str());
                is_told && is_active(row) && !row.state.is_deleted()
            });
            Ok::<_, Refusal>(rows)
        });
        // Nobody waits for the answer, and the change itself was made.
        let Ok(rows) = read.await else {
            return;
        };
        let hosts = app.settings().webhook_hosts;
        for row in rows {
            let event = event.clone();
            tokio::spawn(async move { send_until_taken(&row, &event, hosts).await });
        }
    });
}

async fn send_until_taken(row: &EntryRow, event: &Event, hosts: Hosts) {
    for attempt in 0..=AGAIN {
        let is_busy = match send(row, event, hosts).await {
            Ok(reply) => matches!(reply.status, 429 | 500 | 502 | 503 | 504),
            Err(PostError::Late | PostError::Broken(_)) => true,
            Err(
                PostError::Url { .. }
                | PostError::Scheme { .. }
                | PostError::Unresolved { .. }
                | PostError::NotPublic { .. },
            ) => false,
        };
        if !is_busy {
            return;
        }
        if attempt < AGAIN {
            tokio::time::sleep(Duration::from_secs(1 << attempt)).await;
        }
    }
}

/// As `test`, for programs without a reactor.
pub fn test_webhook(row: &EntryRow, wanted: Option<&str>, hosts: Hosts) -> Tested {
    let reactor = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match reactor {
        Ok(reactor) => reactor.block_on(test(row, wanted, hosts)),
        Err(error) => failed(&error.to_string()),
    }
}

fn failed(reason: &str) -> Tested {
    Tested {
        success: false,
        response_status: None,
        response_body: None,
        error_message: Some(format!("Failed to test webhook: {reason}")),
    }
}

/// Sends a webhook an example of an event: of the one named, else of the first that it is told.
pub(super) async fn test(row: &EntryRow, wanted: Option<&str>, hosts: Hosts) -> Tested {
    let words = row.state.words("events");
    let wanted = wanted.or_else(|| words.first().copied());
    let Some(event) = wanted.and_then(example) else {
        return failed("it is told of no event");
    };
    match send(row, &event, hosts).await {
        Ok(reply) => Tested {
            success: reply.status < 400,
            response_status: Some(reply.status),
            response_body: Some(reply.text),
            error_message: None,
        },
        Err(error) => failed(&told(&error)),
    }
}

async fn send(row: &EntryRow, event: &Event, hosts: Hosts) -> Result<Reply, PostError> {
    let target = Target::read(row.state.text("url").unwrap_or_default(), hosts)?;
    let now = now();
    let message = message(event, now);
    let mut random = [0; 16];
    getrandom::fill(&mut random).expect("the operating system has a random generator");
    let delivery = super::id(EntryUid(Uid(random)));
    let secret = row
        .state
        .secret()
        .map(trialbook_model::record::Hidden::reveal);
    let headers = headers(&delivery, now, secret, &message);
    target.post(hosts, headers, Bytes::from(message)).await
}

/// The wall clock: the receiver of a message compares its time with its own.
#[expect(
    clippy::disallowed_methods,
    reason = "a receiver holds it against its own clock, whatever the book counts by"
)]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let micros = since.map_or(0, |since| since.as_micros());
    Timestamp(i64::try_from(micros).unwrap_or(i64::MAX))
}

fn message(event: &Event, now: Timestamp) -> String {
    let message = json!({
        "entity": event.entity,
        "action": event.action,
        "timestamp": now.to_string(),
        "data": event.data,
    });
    Value::to_string(&message)
}

fn headers(delivery: &str, now: Timestamp, secret: Option<&str>, message: &str) -> HeaderMap {
    let time = (now.0.div_euclid(1_000_000)).to_string();
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, value: &str| {
        let value = HeaderValue::from_str(value).expect("digits and letters make a header");
        headers.insert(HeaderName::from_static(name), value);
    };
    put("x-mlflow-delivery-id", delivery);
    put("x-mlflow-timestamp", &time);
    if let Some(secret) = secret {
        let signed = format!("{delivery}.{time}.{message}");
        let sum = hmac(secret.as_bytes(), signed.as_bytes());
        put("x-mlflow-signature", &format!("v1,{}", encode(&sum)));
    }
    headers
}

/// HMAC-SHA256, as RFC 2104 has it.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let keyed = |pad: u8, message: &[u8]| {
        let mut sum = Sha256::new();
        sum.update(block.map(|byte| byte ^ pad));
        sum.update(message);
        let mut out = [0; 32];
        out.copy_from_slice(&sum.finalize());
        out
    };
    keyed(0x5c, &keyed(0x36, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_standard() {
        let hex = |sum: [u8; 32]| {
            let digits = sum.iter().flat_map(|byte| [byte >> 4, byte & 15]);
            let digits = digits.filter_map(|digit| char::from_digit(digit.into(), 16));
            digits.collect::<String>()
        };
        // RFC 4231, cases 2 and 6.
        assert_eq!(
            hex(hmac(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let long = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(
            hex(hmac(&[0xaa; 131], long)),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn what_has_no_secret_is_not_signed() {
        let now = Timestamp(1_700_000_000_000_000);
        let plain = headers("d", now, None, "{}");
        assert!(plain.get("x-mlflow-signature").is_none());
        assert_eq!(plain["x-mlflow-timestamp"], "1700000000");
        let signed = headers("d", now, Some("s"), "{}");
        assert!(
            signed["x-mlflow-signature"]
                .to_str()
                .unwrap()
                .starts_with("v1,")
        );
    }
}
