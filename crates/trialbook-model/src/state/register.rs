//! Registers: values of which the latest, the earliest or the first written holds.
//!
//! Invariant: offering the same values in any order, any number of times, gives equal registers.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::{Deserialize, Serialize};

use crate::id::WriterUid;
use crate::record::{Param, Signed};
use crate::time::Timestamp;

/// What orders operations that speak of the same thing: time, then writer, then the writer's sequence.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Stamp {
    /// The writer's clock, which never falls inside one writer.
    pub time: Timestamp,
    /// Who wrote.
    pub writer: WriterUid,
    /// Position in the writer's stream.
    pub seq: u64,
}

impl Stamp {
    /// As derived metrics order by it.
    pub const fn order(&self) -> crate::derived::Order {
        (self.time, self.writer, self.seq)
    }
}

impl From<&Signed> for Stamp {
    fn from(signed: &Signed) -> Self {
        Self {
            time: signed.time,
            writer: signed.writer,
            seq: signed.seq,
        }
    }
}

/// A value of which the one with the greatest stamp holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latest<T> {
    /// When and by whom it was said.
    pub stamp: Stamp,
    /// The value.
    pub value: T,
}

impl<T> Latest<T> {
    /// The first value of a register.
    pub const fn new(stamp: Stamp, value: T) -> Self {
        Self { stamp, value }
    }

    /// Offers a value to a register that may be empty.
    pub fn offer(slot: &mut Option<Self>, stamp: Stamp, value: T) {
        if slot.as_ref().is_none_or(|held| held.stamp < stamp) {
            *slot = Some(Self { stamp, value });
        }
    }

    /// Offers a value to the register under `key`.
    pub fn offer_to<K: Ord>(registers: &mut BTreeMap<K, Self>, key: K, stamp: Stamp, value: T) {
        match registers.entry(key) {
            Entry::Vacant(slot) => {
                slot.insert(Self::new(stamp, value));
            }
            Entry::Occupied(mut slot) => {
                if slot.get().stamp < stamp {
                    slot.insert(Self::new(stamp, value));
                }
            }
        }
    }
}

/// A value of which the one with the least stamp holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Earliest<T> {
    /// When and by whom it was said.
    pub stamp: Stamp,
    /// The value.
    pub value: T,
}

impl<T> Earliest<T> {
    /// Offers a value to a register that may be empty.
    pub fn offer(slot: &mut Option<Self>, stamp: Stamp, value: T) {
        if slot.as_ref().is_none_or(|held| held.stamp > stamp) {
            *slot = Some(Self { stamp, value });
        }
    }

    /// Offers a value to the register under `key`.
    pub fn offer_to<K: Ord>(registers: &mut BTreeMap<K, Self>, key: K, stamp: Stamp, value: T) {
        match registers.entry(key) {
            Entry::Vacant(slot) => {
                slot.insert(Self { stamp, value });
            }
            Entry::Occupied(mut slot) => {
                if slot.get().stamp > stamp {
                    slot.insert(Self { stamp, value });
                }
            }
        }
    }
}

/// A param that may be written once (M-5). The earliest value holds; other values that blind writers
/// gave are kept beside it, so that the conflict can be shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WriteOnce {
    /// Values that differ, each with its earliest stamp, by stamp; the first one holds.
    values: Vec<(Stamp, Param)>,
}

impl WriteOnce {
    /// A param written for the first time.
    pub fn new(stamp: Stamp, param: Param) -> Self {
        Self {
            values: vec![(stamp, param)],
        }
    }

    /// Adds a value; one that is the same as a known one changes at most its stamp.
    pub fn offer(&mut self, stamp: Stamp, param: Param) {
        match self.values.iter_mut().find(|(_, known)| known.same(&param)) {
            Some(known) => {
                if stamp < known.0 {
                    *known = (stamp, param);
                }
            }
            None => self.values.push((stamp, param)),
        }
        self.values.sort_by_key(|(stamp, _)| *stamp);
    }

    /// The value that holds.
    pub fn param(&self) -> &Param {
        &self.values[0].1
    }

    /// When the value that holds was written.
    pub fn stamp(&self) -> Stamp {
        self.values[0].0
    }

    /// Values that lost, with their stamps.
    pub fn conflicts(&self) -> &[(Stamp, Param)] {
        &self.values[1..]
    }
}
