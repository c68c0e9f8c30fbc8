//! Reading a spool: frames where they stand, operations, and an honest account of the end.
//!
//! [`Frames`] walks over bytes without copying; [`ReaderState`] carries what earlier frames defined, so
//! that reading goes on where it ended; [`SpoolReader`] does both with a file. Not here: what operations
//! do, who may remove a file.
//!
//! Where a frame should stand and none does, the question is what that means. Behind the offset that
//! the disk surely had, a power cut may have lost pages and kept later ones: that is a torn tail,
//! whatever stands behind it. Before it, or when the machine has not stopped since, nothing gets lost by
//! itself: if a later valid frame exists, the bytes in between are damaged, reading goes on behind them
//! and what is lost is named.
//! Invariant: any bytes are accepted; no record is given twice; records come in the order of their
//! sequence numbers, and a gap between two of them is named.

mod file;
mod meaning;
mod state;

use trialbook_model::id::OperationUid;
use trialbook_model::time::Timestamp;

pub use self::file::SpoolReader;
pub use self::meaning::FrameError;
pub use self::state::ReaderState;
use crate::frame::{
    ALIGN, Definition, HEAD, Look, MAX_BODY, Origin, PREFIX, PointsView, RawFrame, Signature,
    head_of, kind, look,
};

/// Bytes of the smallest frame.
const LEAST: usize = (PREFIX + HEAD).next_multiple_of(ALIGN);

/// More records than any writer has.
const MOST_RECORDS: u64 = 1 << 40;

/// What may have happened to a file since it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    /// Its writer may be writing, or nothing is known.
    Open,
    /// Its writer has ended, and the machine has not stopped since.
    Ended,
    /// Its writer has ended, and the machine may have stopped at any moment.
    Stopped,
}

/// How far the bytes of a file can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trust {
    /// Up to here the disk surely has the file, says its header.
    pub durable: u64,
    /// What may have happened since.
    pub past: Past,
}

/// One record.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    /// Where it starts.
    pub offset: u64,
    /// Where the next one starts.
    pub end: u64,
    /// Position in the writer's stream.
    pub seq: u64,
    /// The writer's clock.
    pub time: Timestamp,
    /// Who says it, if not the header's actor.
    pub actor: Option<&'a str>,
    /// For idempotent retries.
    pub operation: Option<OperationUid>,
    /// Where it was written first, if not here.
    pub origin: Option<Origin>,
    /// What it says.
    pub content: Content<'a>,
}

/// What a record says.
#[derive(Debug, Clone)]
pub enum Content<'a> {
    /// Values of one logging call.
    Points(PointsView<'a>),
    /// Everything else.
    Op {
        /// The frame's kind.
        kind: u8,
        /// The frame's flags.
        flags: u8,
        /// Whether actor and operation could be taken off its bytes.
        is_signed: bool,
        /// Its bytes.
        payload: &'a [u8],
    },
}

/// A damaged range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// First byte of it.
    pub offset: u64,
    /// Where the next valid frame starts; `None` when there is none so far.
    pub resumes_at: Option<u64>,
    /// The first record that is missing.
    pub first_seq: u64,
    /// How many are missing; `None` when no later one tells.
    pub records: Option<u64>,
}

/// What stands behind the last frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// Nothing.
    Clean,
    /// A frame that was not finished, or was not on the disk when the machine stopped; nothing of it
    /// was acknowledged as durable.
    Torn,
    /// Bytes that the disk had and that are no frames; the last [`Lost`] tells of them.
    Damaged,
    /// More bytes than were given to this walk.
    More,
}

/// How a walk ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Where the next walk begins.
    pub offset: u64,
    /// What stands there.
    pub tail: Tail,
    /// What was damaged on the way, in order.
    pub lost: Vec<Lost>,
}

/// What a file has behind the bytes that are walked over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behind {
    /// Nothing.
    Nothing,
    /// Zeros only, up to its end.
    Zeros,
    /// Anything.
    Unread,
}

/// A walk over the frames in some bytes of a file.
#[derive(Debug)]
pub struct Frames<'a, 's> {
    bytes: &'a [u8],
    /// Offset of the first byte.
    base: u64,
    at: usize,
    behind: Behind,
    trust: Trust,
    state: &'s mut ReaderState,
    lost: Vec<Lost>,
    tail: Option<Tail>,
}

impl<'a, 's> Frames<'a, 's> {
    /// A walk over `bytes`, which stand at `state.offset()` of their file and reach its end.
    pub fn new(bytes: &'a [u8], trust: Trust, state: &'s mut ReaderState) -> Self {
        Self {
            bytes,
            base: state.offset(),
            at: 0,
            behind: Behind::Nothing,
            trust,
            state,
            lost: Vec::new(),
            tail: None,
        }
    }

    /// The same, where the file goes on behind `bytes`.
    pub(crate) fn before(mut self, behind: Behind) -> Self {
        self.behind = behind;
        self
    }

    /// What is defined so far.
    pub fn state(&self) -> &ReaderState {
        self.state
    }

    /// What was damaged so far.
    pub fn lost(&self) -> &[Lost] {
        &self.lost
    }

    /// The next record; `None` at the end, about which [`Self::end`] tells.
    #[expect(
        clippy::should_implement_trait,
        reason = "the state is looked at between two records, which an iterator would hold"
    )]
    pub fn next(&mut self) -> Option<Frame<'a>> {
        while self.tail.is_none() {
            match look(&self.bytes[self.at..]) {
                Look::Frame(raw) if self.state.expects(raw.head.seq) => {
                    if let Some(frame) = self.take(raw) {
                        return Some(frame);
                    }
                }
                Look::Short if self.behind != Behind::Nothing => self.tail = Some(Tail::More),
                Look::Nothing if self.behind == Behind::Unread && self.at == self.bytes.len() => {
                    self.tail = Some(Tail::More);
                }
                Look::Frame(_) | Look::Bad | Look::Short | Look::Nothing => self.stumble(),
            }
        }
        None
    }

    /// How the walk ended; records that were not taken are walked over first.
    pub fn end(mut self) -> End {
        while self.next().is_some() {}
        End {
            offset: self.state.offset(),
            tail: self.tail.unwrap_or(Tail::Clean),
            lost: self.lost,
        }
    }

    /// Takes a valid frame; `None` for definitions.
    fn take(&mut self, raw: RawFrame<'a>) -> Option<Frame<'a>> {
        let offset = self.base + self.at as u64;
        // The last frame of a file that was cut may lack its padding.
        self.at = (self.at + raw.step).min(self.bytes.len());
        let end = offset + raw.step as u64;
        if raw.head.kind < kind::FIRST_RECORD {
            self.state.define(Definition::of(raw.head.kind, raw.rest));
            self.state.advance(end);
            return None;
        }
        self.state.advance_record(end, raw.head.seq);
        let signature = Signature::take(raw.head.flags, raw.rest);
        let (signed, payload) = signature.unwrap_or((Signature::default(), raw.rest));
        let points = if raw.head.kind == kind::POINTS && signature.is_some() {
            PointsView::of(raw.head, payload)
        } else {
            None
        };
        Some(Frame {
            offset,
            end,
            seq: raw.head.seq,
            time: Timestamp(raw.head.time),
            actor: signed.actor,
            operation: signed.operation,
            origin: signed.origin,
            content: points.map_or(
                Content::Op {
                    kind: raw.head.kind,
                    flags: raw.head.flags,
                    is_signed: signature.is_some(),
                    payload,
                },
                Content::Points,
            ),
        })
    }

    /// Decides what it means that no frame stands here.
    fn stumble(&mut self) {
        let offset = self.base + self.at as u64;
        let rest = &self.bytes[self.at..];
        let kept = offset < self.trust.durable || self.state.lacks_beginning();
        if kept || self.trust.past == Past::Ended {
            if let Some((skip, raw)) = self.search(rest) {
                self.lost.push(Lost {
                    offset,
                    resumes_at: Some(offset + skip as u64),
                    first_seq: self.state.next_seq(),
                    records: self.state.known_seq().map(|next| raw.head.seq - next),
                });
                self.state.resume(offset + skip as u64, raw.head.seq);
                self.at += skip;
                return;
            }
            if self.behind == Behind::Unread {
                self.tail = Some(Tail::More);
                return;
            }
        }
        self.tail = Some(if kept {
            self.lost.push(Lost {
                offset,
                resumes_at: None,
                first_seq: self.state.next_seq(),
                records: None,
            });
            Tail::Damaged
        } else if zeros_at(rest) == rest.len() {
            Tail::Clean
        } else {
            Tail::Torn
        });
    }

    /// The next place with a valid frame that may follow here. Its sequence number is looked at before
    /// its check: it can be ahead by one record per smallest frame only, and where nothing is known of it,
    /// it is at least none that no writer comes to.
    fn search(&self, rest: &'a [u8]) -> Option<(usize, RawFrame<'a>)> {
        let expected = self.state.known_seq();
        let mut at = 0;
        while at + PREFIX + HEAD <= rest.len() {
            let here = &rest[at..];
            if here.starts_with(&[0; ALIGN]) {
                at += zeros_at(here).max(ALIGN) / ALIGN * ALIGN;
                continue;
            }
            let len = u32::from_le_bytes(here[..4].try_into().expect("the loop's bound")) as usize;
            if (HEAD..=MAX_BODY).contains(&len) {
                let seq = head_of(&here[PREFIX..PREFIX + HEAD]).seq;
                let may_follow = match expected {
                    Some(expected) => seq
                        .checked_sub(expected)
                        .is_some_and(|ahead| at == 0 || ahead <= (at / LEAST) as u64),
                    None => (1..MOST_RECORDS).contains(&seq),
                };
                if may_follow && let Look::Frame(raw) = look(here) {
                    return Some((at, raw));
                }
            }
            at += ALIGN;
        }
        None
    }
}

/// How many zeros `bytes` begin with, whole blocks at a time: mapped files end with many.
fn zeros_at(bytes: &[u8]) -> usize {
    const BLOCK: [u8; 4096] = [0; 4096];
    let blocks = bytes.chunks(BLOCK.len());
    let zero = |block: &&[u8]| **block == BLOCK[..block.len()];
    let whole: usize = blocks.take_while(zero).map(<[u8]>::len).sum();
    let behind = &bytes[whole..];
    let some = behind.iter().take(BLOCK.len());
    whole + some.take_while(|&&byte| byte == 0).count()
}

#[cfg(test)]
mod tests;
