//! Posting to somebody else's server.
//!
//! The name is resolved once, and what was looked at is what is connected to, so that a name cannot lead elsewhere
//! in between. Not here: what is posted, trying again. Invariant: without leave, nothing is sent but encrypted and
//! to addresses that all the world reaches; an answer takes no more memory and time than is set here.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, Request, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How long connecting, sending and answering may take together.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of an answer that are read.
const MOST_READ: usize = 64 << 10;

/// To whom something may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hosts {
    /// To addresses that all the world reaches, encrypted.
    #[default]
    Public,
    /// To any, encrypted or not: for networks that one trusts.
    Any,
}

/// Where something is posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    is_encrypted: bool,
    host: String,
    port: u16,
    /// Path and query.
    path: String,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Its text, as far as it is read.
    pub(crate) text: String,
}

/// Why something was not posted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostError {
    /// Not an address.
    #[error("Invalid webhook URL '{url}': {reason}")]
    Url {
        /// As given.
        url: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A scheme that is not allowed.
    #[error("Invalid webhook URL scheme: '{scheme}'. Allowed schemes are: {allowed}.")]
    Scheme {
        /// As given.
        scheme: String,
        /// Those that are.
        allowed: &'static str,
    },
    /// A name that leads nowhere.
    #[error("Cannot resolve Webhook URL hostname '{host}'")]
    Unresolved {
        /// The name.
        host: String,
    },
    /// A name that leads inside.
    #[error(
        "Webhook URL must not resolve to a non-public IP address. '{host}' resolves to {address}."
    )]
    NotPublic {
        /// The name.
        host: String,
        /// Where it leads.
        address: IpAddr,
    },
    /// Nobody answered in time.
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Late,
    /// The way there is broken.
    #[error("{0}")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> PostError {
    PostError::Broken(Box::new(error))
}

impl Target {
    /// Reads an address.
    pub(crate) fn read(url: &str, hosts: Hosts) -> Result<Self, PostError> {
        let odd = |reason| PostError::Url {
            url: url.to_owned(),
            reason,
        };
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let (is_encrypted, usual) = match (scheme.to_ascii_lowercase().as_str(), hosts) {
            ("https", Hosts::Public | Hosts::Any) => (true, 443),
            ("http", Hosts::Any) => (false, 80),
            _ => {
                let allowed = match hosts {
                    Hosts::Public => "https",
                    Hosts::Any => "https, http",
                };
                let scheme = scheme.to_owned();
                return Err(PostError::Scheme { scheme, allowed });
            }
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (place, path) = rest.split_at(end);
        let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => {
                let port = port
                    .parse()
                    .map_err(|_reason| odd("its port is no number"))?;
                (host, port)
            }
            _ => (place, usual),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(odd("it must include a hostname"));
        }
        let path = path.split('#').next().unwrap_or_default();
        if path.bytes().any(|byte| byte <= b' ' || byte >= 127) {
            return Err(odd("its path has characters that need escapes"));
        }
        Ok(Self {
            is_encrypted,
            host: host.to_owned(),
            port,
            path: match path.starts_with('/') {
                true => path.to_owned(),
                false => format!("/{path}"),
            },
        })
    }

    /// Where its name leads; refuses what is not to be reached.
    pub(crate) async fn resolve(&self, hosts: Hosts) -> Result<SocketAddr, PostError> {
        let unresolved = || PostError::Unresolved {
            host: self.host.clone(),
        };
        let found = lookup_host((self.host.as_str(), self.port)).await;
        let found: Vec<SocketAddr> = found.map_err(|_reason| unresolved())?.collect();
        if hosts == Hosts::Public {
            let mut inside = found
                .iter()
                .map(SocketAddr::ip)
                .filter(|ip| !is_public(*ip));
            if let Some(address) = inside.next() {
                let host = self.host.clone();
                return Err(PostError::NotPublic { host, address });
            }
        }
        found.first().copied().ok_or_else(unresolved)
    }

    /// Posts JSON.
    pub(crate) async fn post(
        &self,
        hosts: Hosts,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Reply, PostError> {
        let sending = self.send(hosts, headers, body);
        timeout(PATIENCE, sending)
            .await
            .map_err(|_late| PostError::Late)?
    }

    async fn send(
        &self,
        hosts: Hosts,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Reply, PostError> {
        let address = self.resolve(hosts).await?;
        let stream = TcpStream::connect(address).await.map_err(broken)?;
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.path.parse().map_err(broken)?;
        *request.headers_mut() = headers;
        let host = match self.port {
            443 | 80 => self.host.clone(),
            port => format!("{}:{port}", self.host),
        };
        let host = HeaderValue::try_from(host).map_err(broken)?;
        request.headers_mut().insert(header::HOST, host);
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::CONTENT_TYPE, json);
        if !self.is_encrypted {
            return exchange(stream, request).await;
        }
        let name = ServerName::try_from(self.host.clone()).map_err(broken)?;
        let connector = TlsConnector::from(trusted());
        exchange(
            connector.connect(name, stream).await.map_err(broken)?,
            request,
        )
        .await
    }
}

async fn exchange<S>(stream: S, request: Request<Body>) -> Result<Reply, PostError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let shaken = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(broken)?;
    let driving = tokio::spawn(connection);
    let answered = sender.send_request(request).await.map_err(broken);
    let reply = match answered {
        Ok(response) => {
            let status = response.status().as_u16();
            // What is longer is not read.
            let read = axum::body::to_bytes(Body::new(response.into_body()), MOST_READ).await;
            let text = read.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            Ok(Reply {
                status,
                text: text.unwrap_or_default(),
            })
        }
        Err(error) => Err(error),
    };
    driving.abort();
    reply
}

/// Whom the system trusts.
fn trusted() -> Arc<ClientConfig> {
    static TRUSTED: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let config = TRUSTED.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let config = ClientConfig::builder().with_root_certificates(roots);
        Arc::new(config.with_no_client_auth())
    });
    Arc::clone(config)
}

/// Whether all the world reaches an address.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => {
            let parts = address.segments();
            let inner = |high: u16, low: u16| {
                let [a, b] = high.to_be_bytes();
                let [c, d] = low.to_be_bytes();
                Ipv4Addr::new(a, b, c, d)
            };
            // Addresses that carry one of version 4 are what that is.
            if let Some(mapped) = address.to_ipv4_mapped() {
                return is_public_v4(mapped);
            }
            match parts {
                [0x2002, high, low, ..] => is_public_v4(inner(high, low)),
                [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(inner(high, low)),
                [0x2001, 0..=0x1ff | 0xdb8, ..] => false,
                [first, ..] => (0x2000..0x4000).contains(&first),
            }
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast();
    let is_reserved = a == 0
        || a >= 240
        || a == 100 && (64..128).contains(&b)
        || a == 192 && b == 0 && c == 0
        || a == 192 && b == 88 && c == 99
        || a == 198 && (b == 18 || b == 19);
    !is_special && !is_reserved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_all_the_world_reaches_is_public() {
        for (address, expected) in [
            ("8.8.8.8", true),
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("0.0.0.0", false),
            ("255.255.255.255", false),
            ("2606:4700::1111", true),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("2002:7f00:1::", false),
            ("64:ff9b::a00:1", false),
            ("fd00::1", false),
            ("fe80::1", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn addresses_are_read() {
        let target =
            Target::read("https://user@example.org:8443/a/b?c=d#e", Hosts::Public).unwrap();
        let expected = Target {
            is_encrypted: true,
            host: "example.org".to_owned(),
            port: 8443,
            path: "/a/b?c=d".to_owned(),
        };
        assert_eq!(target, expected);
        let inside = Target::read("http://[::1]:80", Hosts::Any).unwrap();
        assert_eq!((inside.host.as_str(), inside.path.as_str()), ("::1", "/"));
        for odd in [
            "http://x",
            "x",
            "https://",
            "https://a:b/",
            "https://a/\r\nb",
            "file:///x",
        ] {
            assert!(Target::read(odd, Hosts::Public).is_err(), "{odd}");
        }
    }

    #[tokio::test]
    async fn names_that_lead_inside_are_refused() {
        let target = Target::read("https://localhost/hook", Hosts::Public).unwrap();
        let refused = target.resolve(Hosts::Public).await.unwrap_err();
        assert!(matches!(refused, PostError::NotPublic { .. }), "{refused}");
    }
}
