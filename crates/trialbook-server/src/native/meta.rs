//! What the server is and can do, and the description of its API.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::State;
use serde_json::Value;
use trialbook_api::meta::{self, Caller as CallerDocument, Capabilities, Limits, Meta};

use super::{MOST_ROWS, at};
use crate::app::{App, MOST_BODY_BYTES};
use crate::desk::{DeskError, Scope};
use crate::http::asking::{Caller, Json};
use crate::http::error::Problem;

pub(super) fn router() -> Router<App> {
    Router::new()
        .merge(at(&meta::GET, get))
        .merge(at(&meta::OPENAPI, openapi))
}

async fn get(State(app): State<App>, Caller(actor): Caller) -> Result<Json<Meta>, Problem> {
    let rev = app
        .desk()
        .read(|look| Ok::<_, DeskError>(look.rev()))
        .await?;
    let folder = app.desk().book().path();
    // A book is called by the folder that it lies in; the rest of the path is nobody's business.
    let named = folder.parent().and_then(|parent| parent.file_name());
    let rules = &app.settings().access;
    Ok(Json(Meta {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        api: trialbook_api::VERSION,
        book: named.unwrap_or_default().to_string_lossy().into_owned(),
        rev,
        caller: CallerDocument {
            name: Some(actor.name).filter(|name| !name.is_empty()),
            scope: actor.scope,
        },
        capabilities: Capabilities {
            writable: actor.scope >= Scope::Write,
            tokens: rules.tokens_demanded,
        },
        limits: Limits {
            body_bytes: MOST_BODY_BYTES as u64,
            rows: MOST_ROWS,
        },
    }))
}

/// It depends on the program alone.
static DOCUMENT: LazyLock<Value> = LazyLock::new(trialbook_api::document);

async fn openapi() -> Json<&'static Value> {
    Json(&DOCUMENT)
}

#[cfg(test)]
mod tests {
    use crate::http::access::AccessRules;
    use crate::testing::Bench;
    use crate::{Settings, app};

    #[tokio::test]
    async fn a_server_says_what_it_is() {
        let bench = Bench::new();
        let meta = bench.get("/api/v1/meta").await.json();
        assert_eq!(meta["api"], 1);
        assert_eq!(meta["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(meta["caller"]["scope"], "admin");
        assert_eq!(meta["capabilities"]["writable"], true);
        assert_eq!(meta["limits"]["body_bytes"], app::MOST_BODY_BYTES);
        let whole = bench.folder.path().to_string_lossy().into_owned();
        assert!(!meta.to_string().contains(&whole), "{meta}");
    }

    #[tokio::test]
    async fn a_server_that_takes_nothing_says_so() {
        let access = AccessRules {
            read_only: true,
            ..AccessRules::default()
        };
        let settings = Settings {
            access,
            ..Settings::default()
        };
        let meta = Bench::with(settings).get("/api/v1/meta").await.json();
        assert_eq!(meta["capabilities"]["writable"], false);
        assert_eq!(meta["caller"]["scope"], "read");
    }

    #[tokio::test]
    async fn the_description_is_the_one_of_the_table() {
        let told = Bench::new().get("/api/v1/openapi.json").await.json();
        assert_eq!(told, trialbook_api::document());
    }
}
