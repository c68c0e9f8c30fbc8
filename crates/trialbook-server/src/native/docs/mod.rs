//! The reference of the API as pages: made in the browser from the description that the server gives.
//!
//! Invariant: nothing of it comes from elsewhere, and no script or style stands in the page itself.

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::app::App;

const PAGE: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");

/// What the page may load: what this server has.
const POLICY: &str =
    "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/api/docs", get(page))
        .route("/api/docs/page.js", get(script))
        .route("/api/docs/page.css", get(style))
}

type Headers = [(HeaderName, HeaderValue); 2];

fn headers(kind: &'static str) -> Headers {
    [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(POLICY),
        ),
    ]
}

async fn page() -> impl IntoResponse {
    (headers("text/html; charset=utf-8"), PAGE)
}

async fn script() -> impl IntoResponse {
    (headers("text/javascript; charset=utf-8"), SCRIPT)
}

async fn style() -> impl IntoResponse {
    (headers("text/css; charset=utf-8"), STYLE)
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[tokio::test]
    async fn the_page_loads_what_is_here_alone() {
        let bench = Bench::new();
        let page = bench.get("/api/docs").await;
        assert_eq!(page.status, 200);
        assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
        for loaded in ["/api/docs/page.js", "/api/docs/page.css"] {
            assert!(page.text.contains(loaded));
            let answer = bench.get(loaded).await;
            assert_eq!(answer.status, 200);
            assert!(!answer.text.contains("http://") && !answer.text.contains("https://"));
        }
        assert!(!page.text.contains("<style") && !page.text.contains("onclick"));
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'self'"));
    }
}
