//! How a server is come in to: the token, whom TLS trusts, and how long is waited.
//!
//! Invariant: a token is shown by nothing that is printed.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

use crate::error::ClientError;

/// How long a server may take to be reached.
const CONNECT: Duration = Duration::from_secs(5);

/// How long it may take to begin its answer.
const ANSWER: Duration = Duration::from_secs(60);

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

/// What speaks HTTP.
pub(crate) fn agent(access: &Access) -> Result<Agent, ClientError> {
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
