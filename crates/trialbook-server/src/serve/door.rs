//! One connection: which version of HTTP it speaks, how long it may be silent, how many there may be.
//!
//! Not here: routes. Invariant: a client that sends nothing, or half a header, holds a connection for a
//! bounded time; one too many is told so and closed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::Service as _;

use crate::http::guard::Peer;

/// Connections at once, where the system gives that many file descriptors.
const MOST_CONNECTIONS: usize = 8_192;

/// File descriptors that are left for everything else.
const OTHER_FILES: usize = 128;

/// How long a client may take to send a header, from the end of the answer before.
const SILENCE: Duration = Duration::from_secs(75);

/// How long it may take to agree on TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Between two signs of life of a connection of HTTP/2.
const PULSE: Duration = Duration::from_secs(30);

/// Requests at once of one connection of HTTP/2.
const MOST_STREAMS: u32 = 256;

/// What a connection of HTTP/2 begins with.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Told to whoever is one too many.
const CROWDED: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n\
    retry-after: 1\r\nconnection: close\r\ncontent-length: 83\r\n\r\n\
    {\"error\":{\"code\":\"book_busy\",\"message\":\"the server has too many connections open\"}}";

/// Which version a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// Where connections come in.
#[derive(Clone)]
pub(super) struct Door {
    router: Router,
    secure: Option<TlsAcceptor>,
    seats: Arc<Semaphore>,
    /// Those who are told that there is no seat, each for a moment.
    steps: Arc<Semaphore>,
}

impl Door {
    pub(super) fn new(router: Router, secure: Option<TlsAcceptor>) -> Self {
        let seats = MOST_CONNECTIONS.min(descriptors().saturating_sub(OTHER_FILES).max(16));
        Self {
            router,
            secure,
            seats: Arc::new(Semaphore::new(seats)),
            steps: Arc::new(Semaphore::new(OTHER_FILES / 2)),
        }
    }

    /// Takes a connection in.
    pub(super) fn take(&self, stream: TcpStream, from: SocketAddr, graceful: &GracefulShutdown) {
        // Answers are written in one piece: waiting for more would only delay them.
        stream.set_nodelay(true).ok();
        let Ok(seat) = Arc::clone(&self.seats).try_acquire_owned() else {
            self.turn_away(stream);
            return;
        };
        let (door, watcher) = (self.clone(), graceful.watcher());
        tokio::spawn(async move {
            // A client that goes away in the middle is nobody's failure.
            match &door.secure {
                None => {
                    if let Some(version) =
                        timeout(SILENCE, version_of(&stream)).await.ok().flatten()
                    {
                        door.speak((version, stream), from, watcher).await;
                    }
                }
                Some(secure) => {
                    if let Ok(Ok(stream)) = timeout(HANDSHAKE, secure.accept(stream)).await {
                        let agreed = stream.get_ref().1.alpn_protocol();
                        let is_two = agreed.is_some_and(|agreed| agreed == b"h2");
                        let version = if is_two { Version::Two } else { Version::One };
                        door.speak((version, stream), from, watcher).await;
                    }
                }
            }
            drop::<OwnedSemaphorePermit>(seat);
        });
    }

    async fn speak<S>(
        &self,
        (version, stream): (Version, S),
        from: SocketAddr,
        watcher: hyper_util::server::graceful::Watcher,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let router = self.router.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(Peer(from));
            router.clone().call(request)
        });
        let stream = TokioIo::new(stream);
        match version {
            Version::One => {
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(SILENCE)
                    .serve_connection(stream, service);
                watcher.watch(connection).await.ok();
            }
            Version::Two => {
                let connection = http2::Builder::new(TokioExecutor::new())
                    .timer(TokioTimer::new())
                    .keep_alive_interval(PULSE)
                    .max_concurrent_streams(MOST_STREAMS)
                    .serve_connection(stream, service);
                watcher.watch(connection).await.ok();
            }
        }
    }

    /// Tells a client that it is one too many.
    fn turn_away(&self, mut stream: TcpStream) {
        let Ok(step) = Arc::clone(&self.steps).try_acquire_owned() else {
            return;
        };
        tokio::spawn(async move {
            let telling = async {
                stream.write_all(CROWDED).await?;
                stream.shutdown().await?;
                // What it still sends is read: unread, it would take the answer away.
                let mut rest = [0; 1024];
                while stream.read(&mut rest).await? > 0 {}
                std::io::Result::Ok(())
            };
            timeout(Duration::from_secs(1), telling).await.ok();
            drop::<OwnedSemaphorePermit>(step);
        });
    }
}

/// The version, as the first bytes tell it; they stay to be read. `None` where the client is gone.
async fn version_of(stream: &TcpStream) -> Option<Version> {
    let mut first = [0; PREFACE.len()];
    loop {
        let some = stream.peek(&mut first).await.ok()?;
        if some == 0 {
            return None;
        }
        if first[..some] != PREFACE[..some] {
            return Some(Version::One);
        }
        if some == PREFACE.len() {
            return Some(Version::Two);
        }
        // Half of it is there.
        sleep(Duration::from_millis(10)).await;
    }
}

/// File descriptors that this process may have, as many as the system allows it to ask for.
fn descriptors() -> usize {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let before = limit.current;
    limit.current = limit.maximum;
    let now = setrlimit(Resource::Nofile, limit).map_or(before, |()| limit.current);
    now.map_or(MOST_CONNECTIONS + OTHER_FILES, |many| {
        usize::try_from(many).unwrap_or(usize::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_to_one_too_many_are_as_long_as_they_say() {
        let text = std::str::from_utf8(CROWDED).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.ends_with(&format!("content-length: {}", body.len())),
            "{}",
            body.len()
        );
        serde_json::from_str::<serde_json::Value>(body).unwrap();
    }
}
