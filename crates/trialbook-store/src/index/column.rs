//! Columns read in place, from memory or from a mapped file.
//!
//! Not here: what a filter makes of their values. Invariant: a column that was opened is whole: its lengths
//! fit, so that reading any place below the segment's length cannot fail.

use super::bits::Bits;
use super::layout::{Damaged, Entry, Packing, Shape, Spread};
use super::numbers::Lane;

/// In which places a column has values.
#[derive(Debug, Clone, Copy)]
pub(super) enum Presence<'a> {
    /// In all of so many.
    All(usize),
    /// Where the bit is set.
    Bitmap(&'a [u8], usize),
    /// In these places of so many, ascending.
    List(&'a [[u8; 2]], usize),
}

impl<'a> Presence<'a> {
    /// As a set.
    pub(super) fn bits(&self) -> Bits {
        match *self {
            Self::All(len) => Bits::all(len),
            Self::Bitmap(bytes, len) => Bits::from_words(bytes, len),
            Self::List(places, len) => {
                let mut bits = Bits::none(len);
                for place in places {
                    bits.set(usize::from(u16::from_le_bytes(*place)));
                }
                bits
            }
        }
    }

    /// Where the value of a place is kept, if it has one.
    pub(super) fn slot(&self, place: usize) -> Option<usize> {
        match self {
            Self::All(len) => (place < *len).then_some(place),
            Self::Bitmap(bytes, len) => {
                let set = place < *len && bytes[place / 8] >> (place % 8) & 1 == 1;
                set.then_some(place)
            }
            Self::List(places, _) => places
                .binary_search_by_key(&place, |at| usize::from(u16::from_le_bytes(*at)))
                .ok(),
        }
    }

    /// The places whose slot passes.
    pub(super) fn pick(&self, slots: &Bits) -> Bits {
        match self {
            Self::All(_) => slots.clone(),
            Self::Bitmap(..) => {
                let mut bits = self.bits();
                bits.and(slots);
                bits
            }
            Self::List(places, len) => {
                let mut bits = Bits::none(*len);
                for slot in slots.iter() {
                    bits.set(usize::from(u16::from_le_bytes(places[slot])));
                }
                bits
            }
        }
    }

    pub(super) fn slots(&self) -> usize {
        match self {
            Self::All(len) | Self::Bitmap(_, len) => *len,
            Self::List(places, _) => places.len(),
        }
    }

    /// Takes presence off the front of a column's bytes.
    fn take(bytes: &mut &'a [u8], entry: &Entry, len: usize) -> Result<Self, Damaged> {
        match entry.spread {
            Spread::All => Ok(Self::All(len)),
            Spread::Bitmap => Ok(Self::Bitmap(take(bytes, len.div_ceil(64) * 8)?, len)),
            Spread::List => {
                let (places, _) = take(bytes, entry.present as usize * 2)?.as_chunks::<2>();
                let ascending =
                    places.is_sorted_by(|a, b| u16::from_le_bytes(*a) < u16::from_le_bytes(*b));
                let last = places
                    .last()
                    .map_or(0, |last| usize::from(u16::from_le_bytes(*last)) + 1);
                if !ascending || last > len {
                    return Err(Damaged);
                }
                Ok(Self::List(places, len))
            }
        }
    }
}

pub(super) fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Result<&'a [u8], Damaged> {
    let (taken, rest) = bytes.split_at_checked(len).ok_or(Damaged)?;
    *bytes = rest;
    Ok(taken)
}

/// 64-bit values, one for each slot.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lanes<'a> {
    /// Value by value.
    Plain(&'a [[u8; 8]]),
    /// One for so many.
    Constant([u8; 8], usize),
}

impl<'a> Lanes<'a> {
    pub(super) fn get(&self, slot: usize) -> [u8; 8] {
        match self {
            Self::Plain(values) => values[slot],
            Self::Constant(value, _) => *value,
        }
    }

    pub(super) fn number(&self, slot: usize) -> f64 {
        f64::from_le_bytes(self.get(slot))
    }

    /// The slots whose value satisfies a test.
    #[inline]
    pub(super) fn pick(&self, test: impl Fn([u8; 8]) -> bool) -> Bits {
        match self {
            Self::Plain(values) => Bits::of(values, test),
            Self::Constant(value, len) if test(*value) => Bits::all(*len),
            Self::Constant(_, len) => Bits::none(*len),
        }
    }

    fn take(bytes: &mut &'a [u8], packing: Packing, slots: usize) -> Result<Self, Damaged> {
        match packing {
            Packing::Plain => Ok(Self::Plain(take(bytes, slots * 8)?.as_chunks::<8>().0)),
            Packing::Constant => {
                let value = take(bytes, 8)?.try_into().map_err(|_length| Damaged)?;
                Ok(Self::Constant(value, slots))
            }
            Packing::AsLast => Err(Damaged),
        }
    }
}

/// A column of numbers or times.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain<'a> {
    pub(super) presence: Presence<'a>,
    pub(super) values: Lanes<'a>,
}

/// The bytes of a column with what its directory says of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column<'a> {
    pub(super) entry: Entry,
    /// Places of the segment.
    pub(super) len: usize,
    pub(super) main: &'a [u8],
    /// The lanes but `last`; `None` while they were not asked for.
    pub(super) rest: Option<&'a [u8]>,
}

impl<'a> Column<'a> {
    /// Where there are values, whatever they are.
    pub(super) fn presence(&self) -> Result<Presence<'a>, Damaged> {
        Presence::take(&mut &*self.main, &self.entry, self.len)
    }

    /// Presence and the bytes behind it of a column of this shape.
    pub(super) fn part(&self, shape: Shape) -> Result<(Presence<'a>, &'a [u8]), Damaged> {
        if self.entry.shape != shape {
            return Err(Damaged);
        }
        let mut main = self.main;
        let presence = Presence::take(&mut main, &self.entry, self.len)?;
        Ok((presence, main))
    }

    /// Numbers or times.
    pub(super) fn plain(&self, shape: Shape) -> Result<Plain<'a>, Damaged> {
        let (presence, mut main) = self.part(shape)?;
        let values = Lanes::take(&mut main, self.entry.packing[0], presence.slots())?;
        Ok(Plain { presence, values })
    }

    /// One lane of a series.
    pub(super) fn lane(&self, lane: Lane) -> Result<Plain<'a>, Damaged> {
        let last = self.plain(Shape::Series)?;
        if self.entry.packing[lane as usize] == Packing::AsLast || lane == Lane::Last {
            return Ok(last);
        }
        let (presence, slots) = (last.presence, last.presence.slots());
        let mut rest = self.rest.ok_or(Damaged)?;
        let mut values = last.values;
        for packing in &self.entry.packing[1..=lane as usize] {
            if *packing != Packing::AsLast {
                values = Lanes::take(&mut rest, *packing, slots)?;
            }
        }
        Ok(Plain { presence, values })
    }

    /// Uids.
    pub(super) fn uids(&self) -> Result<(Presence<'a>, &'a [[u8; 16]]), Damaged> {
        let (presence, mut main) = self.part(Shape::Uids)?;
        Ok((
            presence,
            take(&mut main, presence.slots() * 16)?.as_chunks::<16>().0,
        ))
    }
}
