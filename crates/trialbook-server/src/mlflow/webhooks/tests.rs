use axum::http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::app::Settings;
use crate::http::post::Hosts;
use crate::mlflow::testing::{Server, check_refusal, text};

fn trusting() -> Server {
    Server::with(Settings {
        webhook_hosts: Hosts::Any,
        ..Settings::default()
    })
}

/// Takes one request, answers it, and gives its head and body.
async fn taken(listener: TcpListener, answer: &str) -> (String, Value) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut bytes = Vec::new();
    loop {
        let mut some = [0; 1024];
        let count = stream.read(&mut some).await.unwrap();
        bytes.extend_from_slice(&some[..count]);
        let request = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = request.split_once("\r\n\r\n") else {
            continue;
        };
        if let Ok(body) = serde_json::from_str(body) {
            stream.write_all(answer.as_bytes()).await.unwrap();
            return (head.to_ascii_lowercase(), body);
        }
    }
}

fn given(url: &str) -> Value {
    json!({
        "name": "hook", "url": url, "secret": "pssst", "description": "d",
        "events": [{"entity": "REGISTERED_MODEL", "action": "CREATED"}, {"entity": 2, "action": 1}],
    })
}

#[tokio::test]
async fn a_webhook_is_made_changed_and_deleted_and_its_secret_is_never_told() {
    let server = trusting();
    let made = server
        .told("webhooks", given("https://127.0.0.1/hook"))
        .await;
    let hook = &made["webhook"];
    let id = text(&hook["webhook_id"]);
    let expected = json!({
        "webhook_id": id, "name": "hook", "description": "d", "url": "https://127.0.0.1/hook", "status": "ACTIVE",
        "events": [
            {"entity": "REGISTERED_MODEL", "action": "CREATED"}, {"entity": "MODEL_VERSION", "action": "CREATED"},
        ],
        "creation_timestamp": hook["creation_timestamp"],
        "last_updated_timestamp": hook["last_updated_timestamp"],
    });
    assert_eq!(hook, &expected);
    let path = format!("/api/2.0/mlflow/webhooks/{id}");
    let body = json!({"status": "DISABLED", "name": "other"}).to_string();
    let changed = server.send(Method::PATCH, &path, &body).await.json();
    assert_eq!(
        (&changed["webhook"]["status"], &changed["webhook"]["name"]),
        (&json!("DISABLED"), &json!("other"))
    );
    let listed = server.seen("webhooks").await;
    assert_eq!(listed["webhooks"].as_array().unwrap().len(), 1);
    assert!(!listed.to_string().contains("pssst"));
    assert_eq!(server.send(Method::DELETE, &path, "").await.status, 200);
    assert_eq!(server.seen("webhooks").await, json!({}));
    let gone = ("RESOURCE_DOES_NOT_EXIST", "not found");
    let answer = server.get(&format!("webhooks/{id}")).await;
    check_refusal(&answer, gone, std::panic::Location::caller());
}

#[tokio::test]
async fn what_cannot_be_told_is_refused() {
    let server = Server::new();
    let cases = [
        (
            json!({"url": "http://example.org"}),
            "Invalid webhook URL scheme",
        ),
        (
            json!({"url": "https://127.0.0.1/x"}),
            "must not resolve to a non-public IP address",
        ),
        (json!({"name": "-x"}), "Webhook name '-x' is invalid"),
        (
            json!({"events": []}),
            "Missing value for required parameter 'events'",
        ),
        (
            json!({"events": [{"entity": "MODEL_VERSION", "action": "SET"}]}),
            "Invalid action",
        ),
    ];
    for (changes, words) in cases {
        let mut body = given("https://127.0.0.1/hook");
        for (key, value) in changes.as_object().unwrap() {
            body[key] = value.clone();
        }
        server
            .refused("webhooks", body, ("INVALID_PARAMETER_VALUE", words))
            .await;
    }
}

#[tokio::test]
async fn a_webhook_is_told_with_a_signature() {
    let server = trusting();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?a=b", listener.local_addr().unwrap());
    let made = server.told("webhooks", given(&url)).await;
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    let told = tokio::spawn(taken(listener, answer));
    let body = json!({"name": "m", "tags": [{"key": "k", "value": "v"}]});
    server.told("registered-models/create", body).await;
    let (head, message) = told.await.unwrap();
    assert!(head.starts_with("post /hook?a=b http/1.1"), "{head}");
    for name in [
        "x-mlflow-signature: v1,",
        "x-mlflow-timestamp: ",
        "x-mlflow-delivery-id: ",
        "content-type: application/json",
    ] {
        assert!(head.contains(name), "{head}");
    }
    assert_eq!(
        (&message["entity"], &message["action"]),
        (&json!("registered_model"), &json!("created"))
    );
    assert_eq!(
        message["data"],
        json!({"name": "m", "tags": {"k": "v"}, "description": ""})
    );
    // The other side is gone, which a test tells.
    let route = format!("webhooks/{}/test", text(&made["webhook"]["webhook_id"]));
    let result = server.told(&route, json!({})).await["result"].take();
    assert_eq!(result["success"], false);
    assert!(
        text(&result["error_message"]).starts_with("Failed to test webhook"),
        "{result}"
    );
}

#[tokio::test]
async fn a_test_tells_what_the_other_side_answers() {
    let server = trusting();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let made = server.told("webhooks", given(&url)).await;
    let told = tokio::spawn(taken(
        listener,
        "HTTP/1.1 418 Teapot\r\ncontent-length: 3\r\n\r\nno!",
    ));
    let route = format!("webhooks/{}/test", text(&made["webhook"]["webhook_id"]));
    let body = json!({"event": {"entity": "MODEL_VERSION", "action": "CREATED"}});
    let answer = server.told(&route, body).await;
    let expected = json!({"success": false, "response_status": 418, "response_body": "no!"});
    assert_eq!(answer["result"], expected);
    let (_, message) = told.await.unwrap();
    assert_eq!(message["entity"], "model_version");
}
