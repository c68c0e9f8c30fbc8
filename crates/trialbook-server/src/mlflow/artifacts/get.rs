//! Sending a file: for the proxy and for `get-artifact` of the UI.
//!
//! Invariant: a browser neither guesses what a file is nor shows it by itself.

use std::fmt::Write as _;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;

use super::ArtifactError;
use super::place::{Shelf, safe, shelf};
use super::range::{Wanted, kind_of, wanted};
use super::stream;
use crate::app::App;
use crate::desk::Look;
use crate::mlflow::error::Refusal;
use crate::mlflow::registry::find_version;
use crate::mlflow::runs;

/// A file to be sent.
pub(super) struct Found {
    sha256: String,
    size: u64,
    path: String,
}

impl Found {
    /// The file of a path inside of a shelf; `asked` is the path as the client knows it.
    pub(super) fn on(shelf: &Shelf, path: &str, asked: &str) -> Result<Self, ArtifactError> {
        let asked = asked.to_owned();
        let Some(file) = shelf.file(path) else {
            return Err(match shelf.files(path).next() {
                Some(_) => ArtifactError::Folder { path: asked },
                None => ArtifactError::Unknown { path: asked },
            });
        };
        match (&file.sha256, &file.uri) {
            (Some(sha256), _) => Ok(Self {
                sha256: sha256.clone(),
                size: file.size.unwrap_or_default(),
                path: asked,
            }),
            (None, Some(uri)) => {
                let uri = uri.clone();
                Err(ArtifactError::Reference { path: asked, uri })
            }
            (None, None) => Err(ArtifactError::Unknown { path: asked }),
        }
    }

    /// The answer with its bytes.
    pub(super) fn answer(self, app: &App, asked: &HeaderMap) -> Result<Response, Refusal> {
        let file = app.desk().book().artifacts().get(&self.sha256)?;
        let size = file.size().unwrap_or(self.size);
        let (status, part) = match wanted(asked, size) {
            Wanted::All => (StatusCode::OK, Some((0, size))),
            Wanted::Part(from, length) => (StatusCode::PARTIAL_CONTENT, Some((from, length))),
            Wanted::Beyond => (StatusCode::RANGE_NOT_SATISFIABLE, None),
        };
        let body = part.map_or_else(Body::empty, |(from, length)| {
            stream::sent(file.starting_at(from), length)
        });
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        let range = match part {
            Some((from, length)) if status == StatusCode::PARTIAL_CONTENT => {
                Some(format!("bytes {from}-{}/{size}", from + length - 1))
            }
            Some(_) => None,
            None => Some(format!("bytes */{size}")),
        };
        if let Some(range) = range.and_then(|it| HeaderValue::try_from(it).ok()) {
            headers.insert(header::CONTENT_RANGE, range);
        }
        let length = part.map_or(0, |(_, length)| length);
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        let kind = HeaderValue::from_static(kind_of(&self.path));
        headers.insert(header::CONTENT_TYPE, kind);
        let bytes = HeaderValue::from_static("bytes");
        headers.insert(header::ACCEPT_RANGES, bytes);
        let nosniff = HeaderValue::from_static("nosniff");
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
        if let Ok(name) = HeaderValue::try_from(disposition(&self.path)) {
            headers.insert(header::CONTENT_DISPOSITION, name);
        }
        if let Ok(tag) = HeaderValue::try_from(format!("\"{}\"", self.sha256)) {
            headers.insert(header::ETAG, tag);
        }
        Ok(response)
    }
}

/// The header that names the file, for names beyond ASCII too.
fn disposition(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "!#$&+-.^_`|~".contains(letter);
    if !name.is_empty() && name.chars().all(is_plain) {
        return format!("attachment; filename={name}");
    }
    let plain: String = name
        .chars()
        .filter(|letter| matches!(letter, ' '..='~') && !matches!(letter, '"' | '\\'))
        .collect();
    let mut escaped = String::new();
    for byte in name.bytes() {
        if is_plain(char::from(byte)) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            write!(escaped, "%{byte:02X}").ok();
        }
    }
    let plain = if plain.trim().is_empty() {
        "download"
    } else {
        &plain
    };
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{escaped}")
}

/// What the UI asks for.
#[derive(Deserialize)]
pub(in crate::mlflow) struct Asked {
    run_id: Option<String>,
    run_uuid: Option<String>,
    path: Option<String>,
}

/// `get-artifact`.
pub(in crate::mlflow) async fn get_artifact(
    State(app): State<App>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let id = runs::id_of(asked.run_id, asked.run_uuid)?;
    let path = asked.path.filter(|path| !path.is_empty());
    let path = path.ok_or(ArtifactError::Lacks { what: "path" })?;
    let inside = safe(&path)?;
    let found = app.desk().read(move |look| {
        let row = runs::find(look, &id)?;
        Ok::<_, Refusal>(Found::on(&Shelf::Run(row), &inside, &path)?)
    });
    found.await?.answer(&app, &headers)
}

/// What the UI asks for of a version of a registered model.
#[derive(Deserialize)]
pub(in crate::mlflow) struct AskedOfVersion {
    name: Option<String>,
    version: Option<String>,
    path: Option<String>,
}

/// `model-versions/get-artifact`.
pub(in crate::mlflow) async fn get_version_artifact(
    State(app): State<App>,
    Query(asked): Query<AskedOfVersion>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let path = asked.path.filter(|path| !path.is_empty());
    let path = path.ok_or(ArtifactError::Lacks { what: "path" })?;
    let inside = safe(&path)?;
    let name = asked.name.unwrap_or_default();
    let version = asked.version.unwrap_or_default();
    let found = app.desk().read(move |look| {
        let (_, row) = find_version(look, &name, &version)?;
        let state = &row.state;
        let place = state.text("location").or_else(|| state.text("source"));
        let place = place.unwrap_or_default();
        if let Some((shelf, inside)) = below(look, place, &inside)? {
            return Ok::<_, Refusal>(Found::on(&shelf, &inside, &path)?);
        }
        let uri = format!("{}/{inside}", place.trim_end_matches('/'));
        Err(ArtifactError::Reference { path, uri }.into())
    });
    found.await?.answer(&app, &headers)
}

/// A path below a place of this server; `None` where the place is another one's.
fn below(look: &Look<'_>, place: &str, path: &str) -> Result<Option<(Shelf, String)>, Refusal> {
    if let Some(named) = place.strip_prefix("runs:/") {
        let (id, folder) = named.split_once('/').unwrap_or((named, ""));
        let row = runs::find(look, id)?;
        let inside = format!("{folder}/{path}");
        return Ok(Some((
            Shelf::Run(row),
            safe(inside.trim_start_matches('/'))?,
        )));
    }
    let Some(rest) = place.strip_prefix("mlflow-artifacts:") else {
        return Ok(None);
    };
    // With a host the path begins behind it.
    let rest = match rest.strip_prefix("//") {
        Some(hosted) => hosted.split_once('/').map_or("", |(_, rest)| rest),
        None => rest,
    };
    let whole = safe(&format!("{}/{path}", rest.trim_matches('/')))?;
    shelf(look, &whole).map(Some)
}
