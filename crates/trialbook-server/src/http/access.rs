//! Who may come in: the name by which the server was called, the page a browser is on, tokens.
//!
//! Not here: what a request may do once it is in (the desk refuses writes that its actor may not make).
//! Invariant: a refusal says what to do about it and nothing of what is behind.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use trialbook_model::code::ErrorCode;
use trialbook_model::time::Timestamp;

use super::error::Problem;
use super::tokens::Tokens;
use crate::base64;
use crate::desk::{Actor, Scope};

/// The header that pages of ours send with what changes something; other sites cannot without being asked.
pub const PAGE_HEADER: &str = "x-trialbook";

/// The header with which a client repeats a request.
pub const KEY_HEADER: &str = "idempotency-key";

/// The longest key.
const LONGEST_KEY: usize = 200;

/// Failed logins of one address before it has to wait.
const MOST_FAILURES: u32 = 10;

/// How long it has to wait then.
const PENALTY: Duration = Duration::from_secs(30);

/// Addresses that are remembered; more at once only make the server forgetful.
const MOST_ADDRESSES: usize = 10_000;

/// Who may come in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessRules {
    /// Whether a token is demanded.
    pub tokens_demanded: bool,
    /// Names by which the server may be called besides addresses and `localhost`; `*` for any.
    pub allowed_hosts: Vec<String>,
    /// Whether nothing may be written.
    pub read_only: bool,
}

/// A refusal with its status.
pub(crate) type Refused = (StatusCode, Problem);

/// The door.
pub(crate) struct Access {
    rules: AccessRules,
    tokens: Tokens,
    failures: Mutex<BTreeMap<IpAddr, (u32, Instant)>>,
}

impl Access {
    pub(crate) fn new(rules: AccessRules, tokens: Tokens) -> Self {
        Self {
            rules,
            tokens,
            failures: Mutex::default(),
        }
    }

    /// For whom a request is done, if it may come in.
    pub(crate) fn admit(
        &self,
        (method, headers): (&Method, &HeaderMap),
        authority: Option<&str>,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Actor, Refused> {
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        let host = host.or(authority);
        self.check_host(host)?;
        if !method.is_safe() {
            check_page(headers, host)?;
        }
        let mut actor = self.check_token(headers, from, now)?;
        actor.key = key_of(headers)?;
        if self.rules.read_only {
            actor.scope = Scope::Read;
        }
        Ok(actor)
    }

    /// A page of another site may have its own name point here: names have to be known. An address cannot be
    /// made to point anywhere.
    fn check_host(&self, host: Option<&str>) -> Result<(), Refused> {
        let Some(host) = host else { return Ok(()) };
        let name = name_of(host);
        let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        let is_local = name.eq_ignore_ascii_case("localhost")
            || name.len() > 10 && name[name.len() - 10..].eq_ignore_ascii_case(".localhost");
        let mut allowed = self.rules.allowed_hosts.iter();
        let is_allowed = allowed.any(|allowed| {
            allowed == "*"
                || allowed.eq_ignore_ascii_case(host)
                || allowed.eq_ignore_ascii_case(name)
        });
        if is_address || is_local || is_allowed {
            return Ok(());
        }
        let problem = Problem::new(
            ErrorCode::PermissionDenied,
            format!("the server may not be called `{name}`"),
        );
        let hint = format!("start it with `--allowed-hosts {name}` to allow this name");
        Err((StatusCode::FORBIDDEN, problem.with_hint(hint)))
    }

    fn check_token(
        &self,
        headers: &HeaderMap,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Actor, Refused> {
        let given = headers.get(header::AUTHORIZATION);
        let Some(given) = given.filter(|_| self.rules.tokens_demanded || given.is_some()) else {
            return if self.rules.tokens_demanded {
                Err(unauthorized("a token is needed"))
            } else {
                Ok(Actor::default())
            };
        };
        let known = credentials(given).map(|text| self.tokens.check(&text, now));
        match known {
            Some(Ok(Some(token))) => Ok(Actor {
                name: token.name,
                key: None,
                scope: token.scope,
            }),
            // What other servers demand is not asked for here: clients may send it all the same.
            Some(Ok(None)) | None if !self.rules.tokens_demanded => Ok(Actor::default()),
            Some(Err(error)) => Err((
                StatusCode::INTERNAL_SERVER_ERROR,
                Problem::new(error.code(), super::error::told(&error)),
            )),
            Some(Ok(None)) | None => {
                self.note_failure(from)?;
                Err(unauthorized("the token is unknown, ended or revoked"))
            }
        }
    }

    /// Counts a failed login; too many in a row have to wait.
    fn note_failure(&self, from: Option<IpAddr>) -> Result<(), Refused> {
        let Some(from) = from else { return Ok(()) };
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() > MOST_ADDRESSES {
            failures.clear();
        }
        let (count, last) = failures.entry(from).or_insert((0, Instant::now()));
        if last.elapsed() > PENALTY {
            *count = 0;
        }
        *count = count.saturating_add(1);
        if *count <= MOST_FAILURES {
            *last = Instant::now();
            return Ok(());
        }
        let message = "too many logins of this address have failed";
        let problem = Problem::new(ErrorCode::PermissionDenied, message);
        Err((
            StatusCode::TOO_MANY_REQUESTS,
            problem.with_hint("try again in half a minute"),
        ))
    }
}

/// The name in `name:port`.
fn name_of(host: &str) -> &str {
    if host.starts_with('[') {
        return host.split_inclusive(']').next().unwrap_or(host);
    }
    host.rsplit_once(':').map_or(host, |(name, _port)| name)
}

/// What browsers say of the page that asks: only pages of this server may change something, and say so.
fn check_page(headers: &HeaderMap, host: Option<&str>) -> Result<(), Refused> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let (origin, site) = (text("origin"), text("sec-fetch-site"));
    if origin.is_none() && site.is_none() {
        return Ok(());
    }
    let denied = |message: &str| {
        let problem = Problem::new(ErrorCode::PermissionDenied, message);
        Err((StatusCode::FORBIDDEN, problem))
    };
    let is_ours = |origin: &str| {
        let called = origin.split_once("://").map(|(_, called)| called);
        called.is_some() && called == host
    };
    if origin.is_some_and(|origin| !is_ours(origin)) {
        return denied("a page of another site may not change anything here");
    }
    if site.is_some_and(|site| site != "same-origin" && site != "none") {
        return denied("a page of another site may not change anything here");
    }
    if !headers.contains_key(PAGE_HEADER) {
        return denied("a page has to send the header `X-Trialbook` with what changes something");
    }
    Ok(())
}

/// The token in `Bearer TOKEN`, or the password in `Basic`.
fn credentials(given: &HeaderValue) -> Option<String> {
    let (scheme, rest) = given.to_str().ok()?.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(base64::decode(rest)?).ok()?;
    let (_user, password) = pair.split_once(':')?;
    Some(password.to_owned())
}

fn key_of(headers: &HeaderMap) -> Result<Option<String>, Refused> {
    let Some(key) = headers.get(KEY_HEADER) else {
        return Ok(None);
    };
    match key.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= LONGEST_KEY => Ok(Some(key.to_owned())),
        Ok(_) | Err(_) => {
            let message = format!("an idempotency key has 1 to {LONGEST_KEY} printable characters");
            let problem = Problem::new(ErrorCode::ValueInvalid, message).at("Idempotency-Key");
            Err((StatusCode::BAD_REQUEST, problem))
        }
    }
}

fn unauthorized(message: &str) -> Refused {
    let problem = Problem::new(ErrorCode::PermissionDenied, message);
    let hint = "`trialbook token create` makes one; send it as `Authorization: Bearer TOKEN`, or as \
                MLFLOW_TRACKING_TOKEN or MLFLOW_TRACKING_PASSWORD";
    (StatusCode::UNAUTHORIZED, problem.with_hint(hint))
}

#[cfg(test)]
mod tests;
