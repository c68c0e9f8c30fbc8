//! Dictionary columns read in place: codes by slot, entries by code.
//!
//! Not here: which entries satisfy a condition. Invariant: codes and ends of a column that
//! [`Words::is_whole`] found whole all lead somewhere.

use super::bits::Bits;
use super::column::{Column, Presence, take};
use super::layout::{Damaged, Shape};

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
    /// Opens the dictionary of a column.
    pub(super) fn open(column: &Column<'a>) -> Result<Self, Damaged> {
        let entry = &column.entry;
        let (presence, mut main) = column.part(Shape::Words)?;
        let (slots, words) = (presence.slots(), entry.words as usize);
        let width = usize::from(entry.width);
        let bytes = take(&mut main, slots * width)?;
        let codes = match width {
            0 => Codes::Zero(slots),
            1 => Codes::One(bytes),
            2 => Codes::Two(bytes.as_chunks::<2>().0),
            4 => Codes::Four(bytes.as_chunks::<4>().0),
            _ => return Err(Damaged),
        };
        let numeric = (entry.numeric as usize).min(words);
        let numbers = take(&mut main, numeric * 8)?.as_chunks::<8>().0;
        let ends = take(&mut main, words * 8)?.as_chunks::<8>().0;
        Ok(Self {
            presence,
            codes,
            numbers,
            ends,
            texts: main,
        })
    }

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
