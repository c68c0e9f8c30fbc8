//! A server over HTTP: one request at a time.
//!
//! Not here: what is asked. Invariant: a request that may have been answered is repeated only where that changes
//! nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use trialbook_model::code::ErrorCode;
use trialbook_model::id::WriterUid;
use trialbook_store::Elsewhere;
use ureq::http::Response;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::{Agent, Body};

use crate::address::Address;
use crate::error::ClientError;

/// The protocol that is spoken here.
const PROTOCOL: u32 = 1;

/// How long a server may take to be reached.
const CONNECT: Duration = Duration::from_secs(5);

/// How long it may take to begin its answer.
const ANSWER: Duration = Duration::from_secs(60);

/// What pages of other sites cannot send.
const OURS: &str = "x-trialbook";

/// How a server is come in to.
#[derive(Clone, Default)]
pub struct Access {
    /// The token, where one is demanded.
    pub token: Option<String>,
    /// A file of certificates in PEM that are trusted besides those of the system.
    pub certificates: Option<PathBuf>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|_| "(hidden)");
        f.debug_struct("Access")
            .field("token", &token)
            .field("certificates", &self.certificates)
            .finish()
    }
}

/// What somebody may do at a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Read.
    Read,
    /// Read and record.
    Write,
    /// Everything.
    Admin,
}

/// A server that answers.
#[derive(Clone)]
pub struct Server {
    agent: Agent,
    address: Address,
    token: Option<Arc<str>>,
    uid: String,
    scope: Scope,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.address).finish()
    }
}

#[derive(Deserialize)]
struct About {
    uid: String,
    protocol: u32,
    version: String,
    scope: Scope,
}

#[derive(Serialize)]
struct Writers<'a> {
    writers: &'a [String],
}

/// First and last numbers of ranges.
pub(crate) type Ranges = Vec<(u64, u64)>;

#[derive(Deserialize)]
struct Numbers {
    numbers: BTreeMap<String, Ranges>,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Taken {
    pub(crate) new: u64,
    pub(crate) repeated: u64,
}

#[derive(Serialize)]
struct Sums<'a> {
    sha256: &'a [String],
}

#[derive(Deserialize)]
struct Missing {
    missing: Vec<String>,
}

#[derive(Deserialize)]
struct TakenTurn {
    turn: String,
}

#[derive(Deserialize)]
struct Failure {
    error: Problem,
}

#[derive(Deserialize)]
struct Problem {
    code: String,
    message: String,
    #[serde(default)]
    hint: Option<String>,
}

/// A request: its method and path, and what it brings.
#[derive(Clone, Copy)]
enum Ask<'a> {
    Get(&'a str),
    Post(&'a str, &'a [u8]),
    Delete(&'a str),
}

impl Server {
    /// Asks who answers at an address.
    pub fn connect(address: Address, access: &Access) -> Result<Self, ClientError> {
        let mut server = Self {
            agent: agent(access)?,
            address,
            token: access.token.as_deref().map(Arc::from),
            uid: String::new(),
            scope: Scope::Read,
        };
        let stranger = || ClientError::Stranger {
            address: server.address.to_string(),
        };
        let mut answer = server.send(Ask::Get("/api/v1/book"))?;
        let about = answer.body_mut().read_to_vec();
        let about: About = about
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or_else(stranger)?;
        if about.protocol != PROTOCOL {
            return Err(ClientError::Protocol {
                address: server.address.to_string(),
                version: about.version,
                theirs: about.protocol,
                ours: PROTOCOL,
            });
        }
        if about.uid.len() != 32 || !about.uid.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(stranger());
        }
        (server.uid, server.scope) = (about.uid, about.scope);
        Ok(server)
    }

    /// Where it is.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// The identity of its book, 32 hex digits.
    pub fn book(&self) -> &str {
        &self.uid
    }

    /// Whether something may be written.
    pub fn is_writable(&self) -> bool {
        self.scope >= Scope::Write
    }

    /// Asks the book something; gives the answer and the name of the process that gave it.
    pub(crate) fn ask(&self, question: &[u8]) -> Result<(Vec<u8>, String), ClientError> {
        let mut answer = self.send(Ask::Post("/api/v1/book/ask", question))?;
        let instance = answer.headers().get("trialbook-instance");
        let instance = instance.and_then(|name| name.to_str().ok());
        let instance = instance.unwrap_or_default().to_owned();
        Ok((self.whole(&mut answer)?, instance))
    }

    /// Which records of writers are there.
    pub(crate) fn numbers(
        &self,
        writers: &[WriterUid],
    ) -> Result<BTreeMap<WriterUid, Ranges>, ClientError> {
        let names: Vec<String> = writers.iter().map(ToString::to_string).collect();
        let told: Numbers = self.told("/api/v1/ingest/numbers", &Writers { writers: &names })?;
        let known = told.numbers.into_iter();
        let known = known.filter_map(|(name, ranges)| Some((name.parse().ok()?, ranges)));
        Ok(known.collect())
    }

    /// Brings a batch of frames; `lost` where records before its first one are.
    pub(crate) fn frames(&self, batch: &[u8], lost: bool) -> Result<Taken, ClientError> {
        let path = if lost {
            "/api/v1/ingest/frames?lost=true"
        } else {
            "/api/v1/ingest/frames"
        };
        let mut answer = self.send(Ask::Post(path, batch))?;
        self.read(&mut answer)
    }

    /// Which of some sums have no bytes there.
    pub(crate) fn missing(&self, sums: &[String]) -> Result<Vec<String>, ClientError> {
        let told: Missing = self.told("/api/v1/book/files/missing", &Sums { sha256: sums })?;
        Ok(told.missing)
    }

    /// Brings the bytes of a sum.
    pub(crate) fn put_file(&self, sha256: &str, file: &std::fs::File) -> Result<(), ClientError> {
        let url = self.address.at(&format!("/api/v1/book/files/{sha256}"));
        let mut request = self.agent.put(&url).header(OURS, "1");
        if let Some(token) = &self.token {
            request = request.header("authorization", &format!("Bearer {token}"));
        }
        let answer = request.send(file).map_err(|error| self.away(&error))?;
        self.checked(answer).map(drop)
    }

    /// The bytes of a sum, as they come.
    pub fn file(&self, sha256: &str) -> Result<impl Read + use<>, ClientError> {
        let answer = self.send(Ask::Get(&format!("/api/v1/book/files/{sha256}")))?;
        let body = answer.into_body().into_with_config().limit(u64::MAX);
        Ok(body.reader())
    }

    /// Waits for a turn in giving names.
    pub fn turn(&self) -> Result<Turn, ClientError> {
        let taken: TakenTurn =
            self.told("/api/v1/book/turns", &BTreeMap::<String, String>::new())?;
        Ok(Turn {
            server: self.clone(),
            name: taken.turn,
        })
    }

    fn told<T: DeserializeOwned>(
        &self,
        path: &str,
        said: &impl Serialize,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(said).expect("names and numbers are JSON");
        let mut answer = self.send(Ask::Post(path, &body))?;
        self.read(&mut answer)
    }

    fn read<T: DeserializeOwned>(&self, answer: &mut Response<Body>) -> Result<T, ClientError> {
        let bytes = self.whole(answer)?;
        serde_json::from_slice(&bytes).map_err(|_other| ClientError::Stranger {
            address: self.address.to_string(),
        })
    }

    fn whole(&self, answer: &mut Response<Body>) -> Result<Vec<u8>, ClientError> {
        let body = answer.body_mut().with_config().limit(u64::MAX);
        body.read_to_vec().map_err(|error| self.away(&error))
    }

    /// Sends a request. All of them may be sent twice: batches are known by their numbers.
    fn send(&self, ask: Ask<'_>) -> Result<Response<Body>, ClientError> {
        let answer = match self.send_once(ask) {
            // A connection that was kept may have been closed by the other side.
            Err(ureq::Error::Io(_)) => self.send_once(ask),
            answer => answer,
        };
        self.checked(answer.map_err(|error| self.away(&error))?)
    }

    fn send_once(&self, ask: Ask<'_>) -> Result<Response<Body>, ureq::Error> {
        let token = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let token = token.as_deref();
        match ask {
            Ask::Get(path) => signed(self.agent.get(self.address.at(path)), token).call(),
            Ask::Delete(path) => signed(self.agent.delete(self.address.at(path)), token).call(),
            Ask::Post(path, body) => {
                let request = signed(self.agent.post(self.address.at(path)), token);
                request.send(body)
            }
        }
    }

    /// An answer, or what it refuses.
    fn checked(&self, mut answer: Response<Body>) -> Result<Response<Body>, ClientError> {
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let told = answer.body_mut().read_to_vec().unwrap_or_default();
        let stranger = ClientError::Stranger {
            address: self.address.to_string(),
        };
        let Ok(Failure { error }) = serde_json::from_slice::<Failure>(&told) else {
            return Err(stranger);
        };
        let code = ErrorCode::parse(&error.code).unwrap_or(ErrorCode::Internal);
        // A server of ours that is older knows nothing of these paths.
        let is_path = error.message.starts_with("there is nothing at");
        if code == ErrorCode::NotFound && is_path {
            return Err(stranger);
        }
        let hint = match status.as_u16() {
            401 if self.token.is_none() => Some(
                "set the variable TRIALBOOK_TOKEN to a token of `trialbook token create`".into(),
            ),
            401 => Some("the token in TRIALBOOK_TOKEN is not known there, or has ended".into()),
            _ => error.hint,
        };
        Err(ClientError::Refused(Elsewhere {
            code,
            message: format!("{} (said by `{}`)", error.message, self.address),
            hint,
        }))
    }

    fn away(&self, error: &ureq::Error) -> ClientError {
        ClientError::Away {
            address: self.address.to_string(),
            why: error.to_string(),
        }
    }
}

fn signed<B>(request: ureq::RequestBuilder<B>, token: Option<&str>) -> ureq::RequestBuilder<B> {
    let request = request.header(OURS, "1");
    match token {
        Some(token) => request.header("authorization", token),
        None => request,
    }
}

/// A turn in giving names at a server; dropping it gives it back.
#[derive(Debug)]
pub struct Turn {
    server: Server,
    name: String,
}

impl Drop for Turn {
    fn drop(&mut self) {
        // One that is not given back ends by itself.
        let path = format!("/api/v1/book/turns/{}", self.name);
        self.server.send(Ask::Delete(&path)).ok();
    }
}

fn agent(access: &Access) -> Result<Agent, ClientError> {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::new_with_certs(&certificates(access)?))
        .build();
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(CONNECT))
        .timeout_resolve(Some(CONNECT))
        .timeout_recv_response(Some(ANSWER))
        .user_agent(concat!("trialbook/", env!("CARGO_PKG_VERSION")))
        .max_redirects(0)
        .tls_config(tls)
        .build();
    Ok(config.new_agent())
}

/// Whom the system trusts, and whom the user does besides.
fn certificates(access: &Access) -> Result<Vec<Certificate<'static>>, ClientError> {
    let system = rustls_native_certs::load_native_certs().certs;
    let mut known: Vec<Certificate<'static>> = system
        .iter()
        .map(|it| Certificate::from_der(it).to_owned())
        .collect();
    if let Some(file) = &access.certificates {
        let unreadable = |source| ClientError::Certificates {
            file: file.display().to_string(),
            source,
        };
        let pem = std::fs::read(file).map_err(unreadable)?;
        let before = known.len();
        known.extend(parse_pem(&pem).filter_map(|item| match item {
            Ok(PemItem::Certificate(it)) => Some(it),
            Ok(_) | Err(_) => None,
        }));
        if known.len() == before {
            let none = std::io::Error::other("there is no certificate in it");
            return Err(unreadable(none));
        }
    }
    Ok(known)
}
