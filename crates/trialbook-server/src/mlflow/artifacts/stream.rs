//! Bytes between a connection and the disk, piece by piece.
//!
//! Not here: which bytes. Invariant: at most [`WAITING`] pieces of a transfer are in memory; a transfer that breaks
//! off is an error for whoever reads it, never an early end.

use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use hyper::body::{Body as _, Frame, SizeHint};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Pieces that may wait for the slower side.
const WAITING: usize = 4;

/// Bytes of a piece that is read from the disk.
const PIECE: usize = 64 * 1024;

/// Hands the body of a request to `take`, which reads it on a thread of its own.
pub(crate) async fn received<T: Send + 'static>(
    mut body: Body,
    take: impl FnOnce(&mut dyn Read) -> T + Send + 'static,
) -> Option<T> {
    let (pieces, waiting) = channel(WAITING);
    let taking = tokio::task::spawn_blocking(move || {
        let mut incoming = Incoming {
            pieces: waiting,
            piece: Bytes::new(),
            is_whole: false,
        };
        take(&mut incoming)
    });
    let sent = send(&mut body, &pieces).await;
    if sent.is_some() {
        pieces.send(Piece::End).await.ok();
    }
    drop(pieces);
    taking.await.ok()
}

/// Sends all of a body; `None` where it breaks off or nobody takes it any more.
async fn send(body: &mut Body, pieces: &Sender<Piece>) -> Option<()> {
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
        if let Ok(bytes) = frame.ok()?.into_data() {
            pieces.send(Piece::Bytes(bytes)).await.ok()?;
        }
    }
    Some(())
}

enum Piece {
    Bytes(Bytes),
    End,
}

/// What has come of a body.
struct Incoming {
    pieces: Receiver<Piece>,
    piece: Bytes,
    is_whole: bool,
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && !self.is_whole {
            match self.pieces.blocking_recv() {
                Some(Piece::Bytes(bytes)) => self.piece = bytes,
                Some(Piece::End) => self.is_whole = true,
                None => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
        }
        let taken = self.piece.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&self.piece.split_to(taken));
        Ok(taken)
    }
}

/// The next `length` bytes of a file as the body of an answer.
pub(crate) fn sent(file: impl Read + Send + 'static, length: u64) -> Body {
    let (pieces, waiting) = channel(WAITING);
    tokio::task::spawn_blocking(move || read_out(file, length, &pieces));
    Body::new(Outgoing {
        pieces: waiting,
        left: length,
    })
}

fn read_out(mut file: impl Read, length: u64, pieces: &Sender<io::Result<Bytes>>) {
    let mut left = length;
    while left > 0 {
        let mut piece = vec![0; usize::try_from(left).map_or(PIECE, |left| left.min(PIECE))];
        let read = file.read_exact(&mut piece);
        let is_broken = read.is_err();
        left -= piece.len() as u64;
        let sent = pieces.blocking_send(read.map(|()| Bytes::from(piece)));
        if is_broken || sent.is_err() {
            return;
        }
    }
}

/// What goes out of a file.
struct Outgoing {
    pieces: Receiver<io::Result<Bytes>>,
    left: u64,
}

impl hyper::body::Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.pieces.poll_recv(cx).map(|piece| {
            let piece = piece?;
            if let Ok(bytes) = &piece {
                self.left = self.left.saturating_sub(bytes.len() as u64);
            }
            Some(piece.map(Frame::data))
        })
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
