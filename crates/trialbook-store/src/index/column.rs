//! Columns read in place, from memory or from a mapped file.
//!
//! Not here: what a filter makes of their values. Invariant: a column that was opened is whole: its lengths
//! fit, so that reading any place below the segment's length cannot fail.

use super::bits::Bits;
use super::facts::Lane;
use super::layout::{Damaged, Entry, Packing, Shape, Spread};

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

    fn slots(&self) -> usize {
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

fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Result<&'a [u8], Damaged> {
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

/// Codes, one for each slot.
#[derive(Debug, Clone, Copy)]
pub(super) enum Codes<'a> {
    /// All of so many are 0.
    Zero(usize),
    One(&'a [u8]),
    Two(&'a [[u8; 2]]),
    Four(&'a [[u8; 4]]),
}

impl Codes<'_> {
    pub(super) fn get(&self, slot: usize) -> usize {
        match self {
            Self::Zero(_) => 0,
            Self::One(codes) => usize::from(codes[slot]),
            Self::Two(codes) => usize::from(u16::from_le_bytes(codes[slot])),
            Self::Four(codes) => u32::from_le_bytes(codes[slot]) as usize,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Zero(len) => *len,
            Self::One(codes) => codes.len(),
            Self::Two(codes) => codes.len(),
            Self::Four(codes) => codes.len(),
        }
    }

    /// The slots whose code passes; the table has an answer for each code.
    pub(super) fn pick(&self, passes: &[bool]) -> Bits {
        if !passes.contains(&true) {
            return Bits::none(self.len());
        }
        if let Some((from, to)) = one_stretch(passes) {
            return self.pick_stretch(from, to);
        }
        let passes_code = |code: usize| passes[code];
        match self {
            Self::Zero(len) if passes_code(0) => Bits::all(*len),
            Self::Zero(len) => Bits::none(*len),
            Self::One(codes) => Bits::of(codes, |code| passes_code(usize::from(code))),
            Self::Two(codes) => Bits::of(codes, |code| {
                passes_code(usize::from(u16::from_le_bytes(code)))
            }),
            Self::Four(codes) => {
                Bits::of(codes, |code| passes_code(u32::from_le_bytes(code) as usize))
            }
        }
    }

    /// The slots whose code is in `from..to`: two comparisons in the place of a look into a table.
    fn pick_stretch(&self, from: usize, to: usize) -> Bits {
        let (low, count) = (from as u32, (to - from) as u32);
        let inside = |code: u32| code.wrapping_sub(low) < count;
        match self {
            Self::Zero(len) if inside(0) => Bits::all(*len),
            Self::Zero(len) => Bits::none(*len),
            Self::One(codes) => Bits::of(codes, |code| inside(u32::from(code))),
            Self::Two(codes) => Bits::of(codes, |code| inside(u32::from(u16::from_le_bytes(code)))),
            Self::Four(codes) => Bits::of(codes, |code| inside(u32::from_le_bytes(code))),
        }
    }

    fn are_below(&self, words: usize) -> bool {
        match self {
            Self::Zero(len) => *len == 0 || words > 0,
            Self::One(codes) => codes.iter().all(|code| usize::from(*code) < words),
            Self::Two(codes) => codes
                .iter()
                .all(|code| usize::from(u16::from_le_bytes(*code)) < words),
            Self::Four(codes) => codes
                .iter()
                .all(|code| (u32::from_le_bytes(*code) as usize) < words),
        }
    }
}

/// The codes that pass as one stretch, if they are one.
fn one_stretch(passes: &[bool]) -> Option<(usize, usize)> {
    let from = passes.iter().position(|passes| *passes)?;
    let to = passes.iter().rposition(|passes| *passes)? + 1;
    passes[from..to]
        .iter()
        .all(|passes| *passes)
        .then_some((from, to))
}

/// A column of texts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words<'a> {
    pub(super) presence: Presence<'a>,
    pub(super) codes: Codes<'a>,
    numbers: &'a [[u8; 8]],
    ends: &'a [[u8; 8]],
    texts: &'a [u8],
}

impl<'a> Words<'a> {
    /// Entries of the dictionary: first those that are numbers by number, then the others by text.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of an entry's text.
    pub(super) fn bytes(&self, code: usize) -> &'a [u8] {
        let end = |code: usize| u64::from_le_bytes(self.ends[code]) as usize;
        let start = if code == 0 { 0 } else { end(code - 1) };
        &self.texts[start..end(code)]
    }

    /// An entry's text. That it is UTF-8 was checked once for the whole column ([`Words::is_whole`]).
    pub(super) fn text(&self, code: usize) -> &'a str {
        std::str::from_utf8(self.bytes(code)).unwrap_or_default()
    }

    /// Which entries contain a text. All texts are searched as one, which spares starting anew in each.
    pub(super) fn containing(&self, part: &str) -> Vec<bool> {
        let mut found = vec![part.is_empty(); self.len()];
        let all = std::str::from_utf8(self.texts).unwrap_or_default();
        let end = |code: usize| u64::from_le_bytes(self.ends[code]) as usize;
        let (mut at, mut code) = (0, 0);
        while !part.is_empty()
            && let Some(hit) = all.get(at..).and_then(|left| left.find(part))
        {
            let (from, to) = (at + hit, at + hit + part.len());
            while code < self.len() && end(code) <= from {
                code += 1;
            }
            let Some(whole) = (code < self.len()).then(|| end(code)) else {
                break;
            };
            if to <= whole {
                found[code] = true;
                at = whole;
            } else {
                // It spans two entries: the next hit can start inside it.
                at = from + part.chars().next().map_or(1, char::len_utf8);
            }
        }
        found
    }

    pub(super) fn number(&self, code: usize) -> Option<f64> {
        self.numbers
            .get(code)
            .map(|number| f64::from_le_bytes(*number))
    }

    /// The code of a place.
    pub(super) fn code(&self, place: usize) -> Option<usize> {
        self.presence.slot(place).map(|slot| self.codes.get(slot))
    }
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
    fn expect(&self, shape: Shape) -> Result<(), Damaged> {
        if self.entry.shape == shape {
            Ok(())
        } else {
            Err(Damaged)
        }
    }

    /// Where there are values, whatever they are.
    pub(super) fn presence(&self) -> Result<Presence<'a>, Damaged> {
        Presence::take(&mut &*self.main, &self.entry, self.len)
    }

    /// Numbers or times.
    pub(super) fn plain(&self, shape: Shape) -> Result<Plain<'a>, Damaged> {
        self.expect(shape)?;
        let mut main = self.main;
        let presence = Presence::take(&mut main, &self.entry, self.len)?;
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
        self.expect(Shape::Uids)?;
        let mut main = self.main;
        let presence = Presence::take(&mut main, &self.entry, self.len)?;
        Ok((
            presence,
            take(&mut main, presence.slots() * 16)?.as_chunks::<16>().0,
        ))
    }

    /// Texts.
    pub(super) fn words(&self) -> Result<Words<'a>, Damaged> {
        self.expect(Shape::Words)?;
        let mut main = self.main;
        let presence = Presence::take(&mut main, &self.entry, self.len)?;
        let (slots, words) = (presence.slots(), self.entry.words as usize);
        let width = usize::from(self.entry.width);
        let bytes = take(&mut main, slots * width)?;
        let codes = match width {
            0 => Codes::Zero(slots),
            1 => Codes::One(bytes),
            2 => Codes::Two(bytes.as_chunks::<2>().0),
            4 => Codes::Four(bytes.as_chunks::<4>().0),
            _ => return Err(Damaged),
        };
        let numeric = (self.entry.numeric as usize).min(words);
        let numbers = take(&mut main, numeric * 8)?.as_chunks::<8>().0;
        let ends = take(&mut main, words * 8)?.as_chunks::<8>().0;
        Ok(Words {
            presence,
            codes,
            numbers,
            ends,
            texts: main,
        })
    }
}

impl Words<'_> {
    /// Whether all codes and ends lead somewhere; checked once for each column of a file.
    pub(super) fn is_whole(&self) -> bool {
        let Ok(texts) = std::str::from_utf8(self.texts) else {
            return false;
        };
        let mut start = 0;
        let ends_fit = self.ends.iter().all(|end| {
            let end = u64::from_le_bytes(*end);
            let fits =
                start <= end && usize::try_from(end).is_ok_and(|end| texts.is_char_boundary(end));
            start = end;
            fits
        });
        ends_fit && self.codes.are_below(self.len())
    }
}
