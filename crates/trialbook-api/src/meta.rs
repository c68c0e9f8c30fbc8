//! What a server is and can do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::route::Route;
use crate::scope::Scope;

/// Reads [`Meta`].
pub const GET: Route = Route::get("/api/v1/meta", "get_meta")
    .about("What the server is, what it can do, and who is asking")
    .gives::<Meta>();

/// Reads the OpenAPI document.
pub const OPENAPI: Route = Route::get("/api/v1/openapi.json", "get_openapi")
    .about("This description of the API")
    .gives::<serde_json::Value>();

/// The routes of the resource.
pub const ROUTES: &[&Route] = &[&GET, &OPENAPI];

/// What a server is and can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Meta {
    /// The version of the program.
    pub version: String,
    /// The version of the API.
    pub api: u32,
    /// The book's folder, by its name alone.
    pub book: String,
    /// Raised by every change of what is recorded.
    pub rev: u64,
    /// Who is asking, and what it may do.
    pub caller: Caller,
    /// What this server can do.
    pub capabilities: Capabilities,
    /// Limits of requests.
    pub limits: Limits,
}

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Caller {
    /// The token's name; absent where none was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it may do.
    pub scope: Scope,
}

/// What a server can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Capabilities {
    /// Whether anything may be written.
    pub writable: bool,
    /// Whether tokens are demanded.
    pub tokens: bool,
}

/// Limits of requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// Bytes of a JSON body.
    pub body_bytes: u64,
    /// Rows of a window.
    pub rows: u64,
}
