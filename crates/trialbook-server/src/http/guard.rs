//! What happens to every request on its way in and out: who asks is found out, a name is given to it, its time
//! is taken, and what pages may do with the answer is said.
//!
//! Not here: routes. Invariant: no handler runs for a request that was not let in.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use trialbook_model::code::ErrorCode;

use super::error::Problem;
use crate::app::App;

/// The header that names a request, in its answer and in logs.
pub(crate) const ID_HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Said with every answer that does not say it otherwise.
const SAID: [(HeaderName, HeaderValue); 4] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    ),
    (
        header::X_FRAME_OPTIONS,
        HeaderValue::from_static("SAMEORIGIN"),
    ),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'self'"),
    ),
];

/// Lets a request in, or refuses it.
pub(crate) async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = name_of(&request);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = request.method().clone();
    let from = request.extensions().get::<Peer>();
    let from: Option<IpAddr> = from.map(|Peer(address)| address.ip());
    let admitted = admit(&app, &request, from);
    let mut response = match admitted {
        Ok(actor) => {
            request.extensions_mut().insert(actor);
            next.run(request).await
        }
        Err((status, problem)) => refused(status, problem),
    };
    let status = response.status();
    let took = begun.elapsed();
    let path = route.as_ref().map_or("other", MatchedPath::as_str);
    app.counters().add(path, status, took);
    let id_text = id.to_str().unwrap_or_default();
    let (status, micros) = (status.as_u16(), took.as_micros() as u64);
    tracing::info!(id = id_text, %method, route = path, status, micros, "request");
    let headers = response.headers_mut();
    for (name, value) in SAID {
        headers.entry(name).or_insert(value);
    }
    headers.insert(ID_HEADER, id);
    response
}

fn admit(
    app: &App,
    request: &Request,
    from: Option<IpAddr>,
) -> Result<crate::desk::Actor, super::access::Refused> {
    check_path(request.uri())?;
    let authority = request.uri().authority().map(Authority::as_str);
    let head = (request.method(), request.headers());
    let mut actor = app.access().admit(head, authority, from, app.now())?;
    // A key is of one request: the same one with another is no repetition.
    let (method, path) = (request.method(), request.uri().path());
    actor.key = actor.key.map(|key| format!("{method} {path} {key}"));
    Ok(actor)
}

fn refused(status: StatusCode, problem: Problem) -> Response {
    let mut response = problem.into_response();
    *response.status_mut() = status;
    if status == StatusCode::UNAUTHORIZED {
        let asked = HeaderValue::from_static("Basic realm=\"trialbook\", Bearer");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, asked);
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        let seconds = HeaderValue::from_static("30");
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

/// Rooms that refuse such paths themselves, in words that their clients know.
const OWN_WORDS: [&str; 3] = ["/api/2.0", "/api/3.0", "/ajax-api/"];

/// No path leads upwards, however it is written.
fn check_path(uri: &Uri) -> Result<(), super::access::Refused> {
    if OWN_WORDS.iter().any(|root| uri.path().starts_with(root)) {
        return Ok(());
    }
    let path = uri.path().to_ascii_lowercase();
    let plain = path
        .replace("%2e", ".")
        .replace("%2f", "/")
        .replace("%5c", "/");
    let leads_up = plain.replace('\\', "/").split('/').any(|part| part == "..");
    if leads_up || plain.contains("%00") {
        let problem = Problem::new(ErrorCode::ValueInvalid, "the path leads out of its place");
        return Err((StatusCode::BAD_REQUEST, problem));
    }
    Ok(())
}

/// Numbers of requests that bring no name.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// The name that the client gave, where it is fit to be logged, else a new one.
fn name_of(request: &Request) -> HeaderValue {
    let is_fit = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        let known = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        (1..=64).contains(&bytes.len()) && bytes.iter().all(known)
    };
    if let Some(given) = request.headers().get(ID_HEADER).filter(is_fit) {
        return given.clone();
    }
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    HeaderValue::from_str(&format!("{next:08x}")).expect("hex digits are a header's value")
}

#[cfg(test)]
mod tests {
    use axum::http::Method;

    use crate::testing::Bench;

    #[tokio::test]
    async fn every_answer_has_a_name_and_says_what_pages_may_do_with_it() {
        let bench = Bench::new();
        let answer = bench.get("/health").await;
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert!(answer.headers.contains_key("x-request-id"));
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }

    #[tokio::test]
    async fn no_path_leads_upwards() {
        let bench = Bench::new();
        for path in [
            "/a/../b",
            "/%2e%2e/x",
            "/a/..%2fb",
            "/a/%2E%2e%5cb",
            "/x%00",
        ] {
            let answer = bench.send(Method::GET, path, "").await;
            assert_eq!(answer.status, 400, "{path}");
        }
        assert_eq!(bench.get("/a..b").await.status, 404);
    }

    #[tokio::test]
    async fn what_is_counted_is_told() {
        let bench = Bench::new();
        bench.app.desk().ready().await.unwrap();
        bench.get("/health").await;
        let metrics = bench.get("/metrics").await.text;
        let counted = "trialbook_request_seconds_count{route=\"/health\",status=\"2xx\"} 1";
        assert!(metrics.contains(counted), "{metrics}");
        assert!(metrics.contains("trialbook_dropped_records_total 0"));
    }
}
