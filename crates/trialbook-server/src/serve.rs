//! From a socket to the router: listening, connections, and a stop that loses nothing.
//!
//! Not here: routes. Invariant: after a signal no new request is taken, those that began are answered, and
//! what they wrote is on the disk.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use trialbook_model::code::ErrorCode;
use trialbook_spool::code_of_io;
use trialbook_store::Book;

use crate::app::{App, Settings, router};
use crate::desk::{Desk, DeskError, DeskOptions};

mod door;
mod secure;

use door::Door;
pub use secure::Certificate;
use secure::acceptor;

/// How long requests that began may go on after a signal.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// The pause after a connection could not be taken, such as for want of file descriptors.
const BREATH: Duration = Duration::from_millis(50);

/// Where and how to serve.
#[derive(Clone)]
pub struct ServeOptions {
    /// The address to listen at.
    pub host: IpAddr,
    /// The port; 0 for any that is free.
    pub port: u16,
    /// How the desk works.
    pub desk: DeskOptions,
    /// How requests are answered.
    pub settings: Settings,
    /// With what the server proves who it is; HTTP without TLS where there is none.
    pub certificate: Option<Certificate>,
}

/// Why serving did not begin or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Somebody else listens there.
    #[error("port {port} of {host} is in use")]
    PortTaken {
        /// The address.
        host: IpAddr,
        /// The port.
        port: u16,
    },
    /// The address cannot be listened at.
    #[error("cannot listen at {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("cannot use `{}` for TLS", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The system gives no threads or signals.
    #[error("cannot start to serve")]
    Start(#[source] io::Error),
    /// The book refused.
    #[error("cannot serve the book")]
    Desk(#[source] DeskError),
}

impl ServeError {
    /// Its code.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::PortTaken { .. } => ErrorCode::Usage,
            Self::Listen { source, .. } | Self::Start(source) => code_of_io(source),
            Self::Certificate { .. } => ErrorCode::ValueInvalid,
            Self::Desk(error) => error.code(),
        }
    }

    /// What the reader of the message can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::PortTaken { port, .. } => Some(format!(
                "`--port {}` chooses another one, `--port 0` any that is free",
                port.checked_add(1).unwrap_or(5000)
            )),
            Self::Certificate { .. } => Some(
                "`--tls-cert` and `--tls-key` take files in PEM that belong together".to_owned(),
            ),
            Self::Listen { .. } | Self::Start(_) => None,
            Self::Desk(error) => error.hint().map(str::to_owned),
        }
    }
}

/// Where a server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listening {
    /// The address with the port that was given.
    pub address: SocketAddr,
    /// Whether with TLS.
    pub is_secure: bool,
}

impl Listening {
    /// What clients are given.
    pub fn url(&self) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }
}

/// Serves a book until the process is asked to stop; `begun` is told where, once requests are answered.
pub fn serve(
    book: Book,
    options: ServeOptions,
    begun: impl FnOnce(Listening),
) -> Result<(), ServeError> {
    let runtime = runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("trialbook-http")
        .build()
        .map_err(ServeError::Start)?;
    let desk = runtime.block_on(async {
        let listener = listen(options.host, options.port).await?;
        let address = listener.local_addr().map_err(ServeError::Start)?;
        let desk = Desk::open(book, options.desk).map_err(ServeError::Desk)?;
        let secure = options.certificate.as_ref().map(acceptor).transpose()?;
        let is_secure = secure.is_some();
        let app = App::new(desk.clone(), options.settings);
        let door = Door::new(router(app.clone()), secure);
        let asked = stopped()?;
        let stop = async move {
            asked.await;
            app.live().end();
        };
        begun(Listening { address, is_secure });
        answer(listener, door, stop).await;
        Ok(desk)
    })?;
    desk.close();
    runtime.shutdown_timeout(LAST_WORDS);
    Ok(())
}

async fn listen(host: IpAddr, port: u16) -> Result<TcpListener, ServeError> {
    let address = SocketAddr::new(host, port);
    TcpListener::bind(address).await.map_err(|source| {
        if source.kind() == io::ErrorKind::AddrInUse {
            ServeError::PortTaken { host, port }
        } else {
            ServeError::Listen { address, source }
        }
    })
}

/// Ends when the process is asked to stop.
fn stopped() -> Result<impl Future<Output = ()>, ServeError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Start)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Start)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Takes connections until it is to stop, and lets those that are there come to their end.
async fn answer(listener: TcpListener, door: Door, stop: impl Future<Output = ()>) {
    answer_all(GracefulShutdown::new(), listener, door, stop).await;
}

/// As [`answer`], with a connection that was taken already.
pub(crate) async fn answer_from(
    (first, from): (TcpStream, SocketAddr),
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()>,
) {
    let graceful = GracefulShutdown::new();
    let door = Door::new(router, None);
    door.take(first, from, &graceful);
    answer_all(graceful, listener, door, stop).await;
}

async fn answer_all(
    graceful: GracefulShutdown,
    listener: TcpListener,
    door: Door,
    stop: impl Future<Output = ()>,
) {
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            taken = listener.accept() => match taken {
                Ok((stream, from)) => door.take(stream, from, &graceful),
                Err(_refused) => tokio::time::sleep(BREATH).await,
            },
            () = &mut stop => break,
        }
    }
    drop(listener);
    tokio::time::timeout(LAST_WORDS, graceful.shutdown())
        .await
        .ok();
}
