use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};

use crate::mlflow::testing::Server;
use crate::testing::Answer;

const ROOT: &str = "/api/2.0/mlflow-artifacts/artifacts";

async fn put(server: &Server, path: &str, bytes: &str) -> Answer {
    server
        .send(Method::PUT, &format!("{ROOT}/{path}"), bytes)
        .await
}

async fn get(server: &Server, path: &str, range: Option<&str>) -> Answer {
    let mut request = Request::builder().uri(format!("{ROOT}/{path}"));
    request = request.header(header::HOST, "localhost");
    if let Some(range) = range {
        request = request.header(header::RANGE, range);
    }
    server.bench.ask(request.body(Body::empty()).unwrap()).await
}

fn names(answer: &Value) -> Vec<(String, bool)> {
    let files = answer["files"].as_array().into_iter().flatten();
    let named = files.map(|file| {
        let path = file["path"].as_str().unwrap().to_owned();
        (path, file["is_dir"].as_bool().unwrap())
    });
    named.collect()
}

#[tokio::test]
async fn files_of_runs_are_put_listed_sent_and_removed() {
    let server = Server::new();
    let id = server.run().await;
    for (path, bytes) in [
        ("a.txt", "hello"),
        ("dir/b.json", "{}"),
        ("dir/sub/c%20d.bin", "\u{1}"),
        ("dirty", "x"),
    ] {
        let answer = put(&server, &format!("0/{id}/artifacts/{path}"), bytes).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "{}"), "{path}");
    }
    let listed = server.seen(&format!("artifacts/list?run_id={id}")).await;
    assert_eq!(
        listed["root_uri"],
        format!("mlflow-artifacts:/0/{id}/artifacts")
    );
    let own = |names: &[(&str, bool)]| -> Vec<(String, bool)> {
        names
            .iter()
            .map(|(name, is_dir)| ((*name).to_owned(), *is_dir))
            .collect()
    };
    assert_eq!(
        names(&listed),
        own(&[("a.txt", false), ("dir", true), ("dirty", false)])
    );
    assert_eq!(listed["files"][0]["file_size"], 5);
    let inside = server
        .seen(&format!("artifacts/list?run_uuid={id}&path=dir"))
        .await;
    assert_eq!(
        names(&inside),
        own(&[("dir/b.json", false), ("dir/sub", true)])
    );
    let proxied = format!("{ROOT}?path=0/{id}/artifacts/dir");
    let proxied = server.send(Method::GET, &proxied, "").await.json();
    assert_eq!(names(&proxied), own(&[("b.json", false), ("sub", true)]));
    check_headers(&server, &id).await;
    let removed = server
        .send(Method::DELETE, &format!("{ROOT}/0/{id}/artifacts/dir"), "")
        .await;
    assert_eq!((removed.status, removed.text.as_str()), (200, "{}"));
    let left = server.seen(&format!("artifacts/list?run_id={id}")).await;
    assert_eq!(names(&left), own(&[("a.txt", false), ("dirty", false)]));
    let gone = get(&server, &format!("0/{id}/artifacts/dir/b.json"), None).await;
    assert_eq!(
        (gone.status, &gone.json()["error_code"]),
        (404, &json!("RESOURCE_DOES_NOT_EXIST"))
    );
}

async fn check_headers(server: &Server, id: &str) {
    let file = get(server, &format!("0/{id}/artifacts/a.txt"), None).await;
    assert_eq!((file.status, file.text.as_str()), (200, "hello"));
    for (name, value) in [
        ("content-type", "text/plain"),
        ("content-length", "5"),
        ("content-disposition", "attachment; filename=a.txt"),
        ("x-content-type-options", "nosniff"),
        ("accept-ranges", "bytes"),
    ] {
        assert_eq!(file.headers[name], value);
    }
    let odd = get(server, &format!("0/{id}/artifacts/dir/sub/c%20d.bin"), None).await;
    let disposition = "attachment; filename=\"c d.bin\"; filename*=UTF-8''c%20d.bin";
    assert_eq!(odd.headers["content-disposition"], disposition);
}

#[tokio::test]
async fn parts_of_files_are_sent() {
    let server = Server::new();
    let id = server.run().await;
    let path = format!("0/{id}/artifacts/a");
    put(&server, &path, "0123456789").await;
    for (range, expected, told) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
    ] {
        let part = get(&server, &path, Some(range)).await;
        assert_eq!((part.status, part.text.as_str()), (206, expected));
        assert_eq!(part.headers["content-range"], told);
    }
    let beyond = get(&server, &path, Some("bytes=10-")).await;
    assert_eq!(
        (beyond.status, &beyond.headers["content-range"]),
        (416, &"bytes */10".parse().unwrap())
    );
    let folder = get(&server, &format!("0/{id}/artifacts"), None).await;
    assert!(
        folder.text.contains("refers to a directory"),
        "{}",
        folder.text
    );
}

#[tokio::test]
async fn a_newer_file_takes_the_place_of_an_older_one() {
    let server = Server::new();
    let id = server.run().await;
    let path = format!("0/{id}/artifacts/a");
    put(&server, &path, "one").await;
    put(&server, &path, "other").await;
    assert_eq!(get(&server, &path, None).await.text, "other");
}

#[tokio::test]
async fn files_beside_runs_have_their_place_too() {
    let server = Server::new();
    for path in ["0/models/m-1/artifacts/MLmodel", "elsewhere/x/y.txt"] {
        put(&server, path, "text").await;
        assert_eq!(get(&server, path, None).await.text, "text", "{path}");
    }
    let listed = server
        .send(Method::GET, &format!("{ROOT}?path=0/models/m-1"), "")
        .await
        .json();
    assert_eq!(names(&listed), [("artifacts".to_owned(), true)]);
    let none = server
        .send(Method::GET, &format!("{ROOT}?path=none"), "")
        .await;
    assert_eq!(none.text, "{}");
}

#[tokio::test]
async fn paths_that_lead_elsewhere_are_refused() {
    let server = Server::new();
    let id = server.run().await;
    for path in [
        format!("0/{id}/artifacts/..%2F..%2Fetc"),
        format!("0/{id}/artifacts/%2e%2e/x"),
        "%2Fetc%2Fpasswd".to_owned(),
        "a%5Cb".to_owned(),
        "C:/x".to_owned(),
        "a%23b".to_owned(),
        "a%00b".to_owned(),
    ] {
        for answer in [
            put(&server, &path, "x").await,
            get(&server, &path, None).await,
        ] {
            assert_eq!(answer.status, 400, "{path}: {}", answer.text);
            assert_eq!(answer.json()["message"], "Invalid path", "{path}");
        }
    }
    let list = server
        .get(&format!("artifacts/list?run_id={id}&path=../x"))
        .await;
    assert_eq!(list.json()["message"], "Invalid path");
}

#[tokio::test]
async fn a_server_without_parts_and_signed_addresses_says_so() {
    let server = Server::new();
    for (method, path, words) in [
        (
            Method::POST,
            "/api/2.0/mlflow-artifacts/mpu/create/0/a",
            "Multipart upload is not supported for the current artifact repository",
        ),
        (
            Method::GET,
            "/api/2.0/mlflow-artifacts/presigned/0/a",
            "Presigned download is not supported",
        ),
        (
            Method::POST,
            "/api/2.0/mlflow/artifacts/presigned-upload-url",
            "Presigned upload is not supported",
        ),
    ] {
        let answer = server.send(method, path, "{}").await;
        assert_eq!(
            (answer.status, &answer.json()["error_code"]),
            (501, &json!("NOT_IMPLEMENTED"))
        );
        assert!(answer.text.contains(words), "{}", answer.text);
    }
    let info = server
        .send(Method::GET, "/api/3.0/mlflow/server-info", "")
        .await
        .json();
    assert_eq!(info["multipart_downloads_enabled"], false);
    assert_eq!(info["store_type"], "SqlStore");
    let version = server.send(Method::GET, "/version", "").await;
    assert_eq!(version.text.split('.').count(), 3);
}

#[tokio::test]
async fn the_ui_sends_and_gets_files() {
    let server = Server::new();
    let id = server.run().await;
    let upload = format!("/ajax-api/2.0/mlflow/upload-artifact?run_uuid={id}&path=img/a.png");
    let answer = server.send(Method::POST, &upload, "bytes").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let got = server
        .send(
            Method::GET,
            &format!("/get-artifact?run_uuid={id}&path=img/a.png"),
            "",
        )
        .await;
    assert_eq!(
        (got.text.as_str(), &got.headers["content-type"]),
        ("bytes", &"image/png".parse().unwrap())
    );
    let answer = server.send(Method::POST, &upload, "").await;
    assert!(
        answer.text.contains("Request must specify data."),
        "{}",
        answer.text
    );
    let large = "x".repeat((10 << 20) + 1);
    let answer = server.send(Method::POST, &upload, &large).await;
    assert!(answer.text.contains("Max size is 10MB"), "{}", answer.text);
}
