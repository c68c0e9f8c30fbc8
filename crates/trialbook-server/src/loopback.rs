//! A listener inside of another process, for the programs that it executes as runs.
//!
//! It listens at a free port of this machine. Whoever asks shows a token that was made for one run, and speaks
//! within that run ([`Within`]). The book is opened for the first one who asks, so that a process whose programs
//! never do pays for a socket alone; others may have the book in service meanwhile. Not here: what a run is to its
//! program's requests.
//! Invariant: a request without a token of this listener is answered with 401 and changes nothing.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;
use trialbook_model::id::{RunUid, Uid};
use trialbook_store::{Access, Book};

use crate::app::{App, Settings, router};
use crate::desk::{Desk, DeskOptions};
use crate::serve;

/// The run that a request is made within, of a program that is executed as that run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Within(pub(crate) RunUid);

/// What a listener's tokens are made with.
type Secret = [u8; 32];

/// A listener of this process.
pub struct Loopback {
    address: SocketAddr,
    secret: Secret,
    ending: Arc<Ending>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// How the listener is told to end.
#[derive(Default)]
struct Ending {
    has_come: AtomicBool,
    told: Notify,
}

impl Loopback {
    /// Listens.
    pub fn open(folder: &Path, options: DeskOptions) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let mut secret = Secret::default();
        getrandom::fill(&mut secret).map_err(io::Error::other)?;
        let ending = Arc::<Ending>::default();
        let service = Service {
            folder: folder.to_owned(),
            options,
            secret,
            ending: Arc::clone(&ending),
        };
        let thread = thread::Builder::new()
            .name("trialbook-loopback".to_owned())
            .spawn(move || service.wait(&listener))?;
        Ok(Self {
            address,
            secret,
            ending,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// What clients are given.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The token of a run's program.
    pub fn token(&self, run: RunUid) -> String {
        token(&self.secret, run)
    }

    /// Ends it: requests that began are answered, and what they wrote is on the disk.
    pub fn close(&self) {
        self.ending.has_come.store(true, Ordering::SeqCst);
        self.ending.told.notify_one();
        // Wakes the thread where nobody has asked yet.
        TcpStream::connect(self.address).ok();
        let thread = self.thread.lock();
        let thread = thread.unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            thread.join().ok();
        }
    }
}

/// The listener's own side.
struct Service {
    folder: PathBuf,
    options: DeskOptions,
    secret: Secret,
    ending: Arc<Ending>,
}

impl Service {
    /// Waits for the first one who asks, then answers until it is to end.
    fn wait(self, listener: &TcpListener) {
        let Ok(first) = listener.accept() else {
            return;
        };
        if self.ending.has_come.load(Ordering::SeqCst) {
            return;
        }
        // What hinders it, the client meets as a connection that is closed.
        self.answer(listener, first).ok();
    }

    fn answer(
        self,
        listener: &TcpListener,
        (first, from): (TcpStream, SocketAddr),
    ) -> io::Result<()> {
        let book = Book::open(&self.folder, Access::Write).map_err(io::Error::other)?;
        let desk = Desk::beside(book, self.options).map_err(io::Error::other)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .thread_name("trialbook-loopback")
            .build()?;
        let listener = listener.try_clone()?;
        listener.set_nonblocking(true)?;
        first.set_nonblocking(true)?;
        let router = guarded(
            router(App::new(desk.clone(), Settings::default())),
            self.secret,
        );
        let ending = self.ending;
        let answered = runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let first = tokio::net::TcpStream::from_std(first)?;
            let stop = async move { ending.told.notified().await };
            serve::answer_from((first, from), listener, router, stop).await;
            Ok(())
        });
        desk.close();
        answered
    }
}

/// Lets in those alone who show a token, within their run.
pub(crate) fn guarded(router: Router, secret: Secret) -> Router {
    router.layer(middleware::from_fn_with_state(secret, check))
}

async fn check(State(secret): State<Secret>, mut request: Request, next: Next) -> Response {
    let Some(run) = run_of(&secret, request.headers()) else {
        return (
            StatusCode::UNAUTHORIZED,
            "this listener is for the programs of runs",
        )
            .into_response();
    };
    // What it says was read here; nobody else knows it.
    request.headers_mut().remove(header::AUTHORIZATION);
    request.extensions_mut().insert(Within(run));
    next.run(request).await
}

fn run_of(secret: &Secret, headers: &HeaderMap) -> Option<RunUid> {
    let shown = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let shown = shown.strip_prefix("Bearer ")?.trim();
    let run: RunUid = shown.split('.').next()?.parse().ok()?;
    let known = token(secret, run);
    // As long for a wrong token as for a right one.
    let differ = known
        .bytes()
        .zip(shown.bytes())
        .fold(0, |all, (one, other)| all | (one ^ other));
    (differ == 0 && known.len() == shown.len()).then_some(run)
}

/// The run's uid and what only this process can make of it.
fn token(secret: &Secret, run: RunUid) -> String {
    let mut hash = Sha256::new();
    hash.update(secret);
    hash.update(run.0.0);
    // Of the hash alone no longer one can be made.
    let sum = Sha256::digest(hash.finalize());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&sum[..16]);
    format!("{run}.{}", Uid(bytes))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::testing::Bench;

    const SECRET: Secret = [7; 32];

    async fn ask(bench: &Bench, token: Option<&str>) -> u16 {
        let mut request = Request::builder().uri("/health");
        request = request.header(header::HOST, "localhost");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        bench.ask(request.body(Body::empty()).unwrap()).await.status
    }

    #[tokio::test]
    async fn only_tokens_of_the_listener_let_in() {
        let mut bench = Bench::new();
        bench.router = guarded(bench.router, SECRET);
        let run = RunUid(Uid([3; 16]));
        let right = token(&SECRET, run);
        assert_eq!(ask(&bench, Some(&right)).await, 200);
        let other = token(&[8; 32], run);
        let longer = format!("{right}0");
        let of_another = right.replace("03", "04");
        for wrong in ["", "x", &other, &longer, &right[..40], &of_another] {
            assert_eq!(ask(&bench, Some(wrong)).await, 401, "{wrong}");
        }
        assert_eq!(ask(&bench, None).await, 401);
    }
}
