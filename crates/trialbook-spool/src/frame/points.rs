//! Points as bytes: one subject, one step, one time, the keys, then the values.
//!
//! Keys stand before the values, so that two calls with the same keys have equal key bytes.
//! Invariant: values come back bit for bit.

use super::{Head, close, flag, kind, open, put_varint, take_varint};

/// Fields of a points frame besides its pairs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PointsHead {
    pub(crate) seq: u64,
    pub(crate) time: i64,
    /// [`flag::SET`] or nothing.
    pub(crate) flags: u8,
    pub(crate) subject: u32,
    pub(crate) step: i64,
}

/// Pushes a points frame without a signature; false when it is too long for a frame.
#[must_use]
pub(crate) fn put_points<K: Copy + Into<u32>>(
    out: &mut Vec<u8>,
    head: PointsHead,
    pairs: &[(K, f64)],
) -> bool {
    let start = open(
        out,
        Head {
            seq: head.seq,
            time: head.time,
            kind: kind::POINTS,
            flags: head.flags,
        },
    );
    put_body(out, head.subject, head.step, pairs);
    close(out, start)
}

/// Pushes what stands behind the signature (and a time of its own) of a points frame.
pub(crate) fn put_body<K: Copy + Into<u32>>(
    out: &mut Vec<u8>,
    subject: u32,
    step: i64,
    pairs: &[(K, f64)],
) {
    put_varint(out, u64::from(subject));
    put_varint(out, zigzag(step));
    put_varint(out, pairs.len() as u64);
    out.reserve(pairs.len() * 13);
    for &(key, _) in pairs {
        put_varint(out, u64::from(key.into()));
    }
    for &(_, value) in pairs {
        out.extend_from_slice(&value.to_le_bytes());
    }
}

fn zigzag(value: i64) -> u64 {
    (value as u64) << 1 ^ (value >> 63) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Points where they stand in a frame: nothing is copied.
#[derive(Debug, Clone, Copy)]
pub struct PointsView<'a> {
    /// Index of the subject.
    pub subject: u32,
    /// The step.
    pub step: i64,
    /// The time, microseconds since 1970.
    pub time: i64,
    /// Whether equal points are kept once.
    pub set: bool,
    keys: &'a [u8],
    values: &'a [u8],
}

impl<'a> PointsView<'a> {
    /// Takes a payload apart; `None` when it is not well formed.
    pub(crate) fn of(head: Head, mut payload: &'a [u8]) -> Option<Self> {
        let mut time = head.time;
        if head.flags & flag::OWN_TIME != 0 {
            let (own, rest) = payload.split_first_chunk::<8>()?;
            time = i64::from_le_bytes(*own);
            payload = rest;
        }
        let subject = u32::try_from(take_varint(&mut payload)?).ok()?;
        let step = unzigzag(take_varint(&mut payload)?);
        let count = usize::try_from(take_varint(&mut payload)?).ok()?;
        let bytes = count.checked_mul(8)?;
        let (keys, values) = payload.split_at_checked(payload.len().checked_sub(bytes)?)?;
        // Keys are checked here, once, so that reading them cannot fail.
        let mut rest = keys;
        for _ in 0..count {
            u32::try_from(take_varint(&mut rest)?).ok()?;
        }
        rest.is_empty().then_some(Self {
            subject,
            step,
            time,
            set: head.flags & flag::SET != 0,
            keys,
            values,
        })
    }

    /// How many values.
    pub fn len(&self) -> usize {
        self.values.len() / 8
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The bytes of the key indexes: equal for two frames of one file exactly if their keys are equal
    /// and in the same order.
    pub fn key_bytes(&self) -> &'a [u8] {
        self.keys
    }

    /// The key indexes, in the order of the values.
    pub fn keys(&self) -> impl Iterator<Item = u32> + use<'a> {
        let mut rest = self.keys;
        std::iter::from_fn(move || take_varint(&mut rest).map(|index| index as u32))
    }

    /// The values alone.
    pub fn values(&self) -> impl ExactSizeIterator<Item = f64> + use<'a> {
        let (values, _) = self.values.as_chunks::<8>();
        values.iter().map(|bytes| f64::from_le_bytes(*bytes))
    }

    /// Key index and value of each point.
    pub fn iter(&self) -> impl Iterator<Item = (u32, f64)> + use<'a> {
        self.keys().zip(self.values())
    }
}
