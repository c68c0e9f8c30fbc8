//! Sort keys of runs as whole numbers, smallest first.
//!
//! Not here: choosing the hits. Invariant: inside a segment the keys of a term order runs exactly as
//! `compare_values` does; where [`TermKeys::scale`] is [`Scale::Everywhere`] they do so between segments too.

use trialbook_model::filter::{Collation, Direction, OrderTerm, Value, Wanted, compare_values};

use super::bits::Bits;
use super::column::Plain;
use super::dictionary::Words;
use super::layout::Damaged;
use super::source::{Scene, Source, word};

/// The key of a missing value: the last.
const MISSING: u64 = u64::MAX;
/// The key of NaN: before the missing ones.
const NAN: u64 = u64::MAX - 1;

/// Where keys can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// With those of all segments.
    Everywhere,
    /// Only inside the segment.
    Here,
}

/// The keys of one term in one segment.
#[derive(Debug)]
pub(super) struct TermKeys<'a> {
    pub(super) scale: Scale,
    kept: Kept<'a>,
}

#[derive(Debug)]
enum Kept<'a> {
    Nothing,
    Numbers(Plain<'a>, bool, Direction),
    Times(Plain<'a>, Direction),
    No(Direction),
    /// By code.
    Words(Words<'a>, Vec<u64>),
    /// By place.
    Places(Vec<u64>),
}

/// The key of a number.
fn number_key(number: f64, direction: Direction) -> u64 {
    if number.is_nan() {
        return NAN;
    }
    let bits = (number + 0.0).to_bits();
    let ascending = if bits >> 63 == 1 {
        !bits
    } else {
        bits | 1 << 63
    };
    directed(ascending, direction)
}

/// The number of a key that is not NaN's nor that of a missing value.
fn key_number(key: u64, direction: Direction) -> f64 {
    let ascending = directed(key, direction);
    f64::from_bits(if ascending >> 63 == 1 {
        ascending ^ 1 << 63
    } else {
        !ascending
    })
}

/// The key of an instant. Milliseconds of 64-bit microseconds never reach the keys of NaN and missing.
fn time_key(millis: i64, direction: Direction) -> u64 {
    directed(millis as u64 ^ 1 << 63, direction)
}

fn directed(ascending: u64, direction: Direction) -> u64 {
    match direction {
        Direction::Ascending => ascending,
        Direction::Descending => !ascending,
    }
}

/// The key of a value that can be compared with those of all segments; a text has none.
pub(super) fn value_key(term: &OrderTerm, value: Option<&Value<'_>>) -> Option<u64> {
    let direction = term.direction_for(None);
    match value {
        None => Some(MISSING),
        Some(Value::Number(number)) => Some(number_key(*number, direction)),
        Some(Value::Time(millis)) => Some(time_key(*millis, direction)),
        Some(Value::Text(..)) => None,
    }
}

impl<'a> TermKeys<'a> {
    /// The keys of a term for the runs of `of`, given where its values come from.
    pub(super) fn new(
        term: &OrderTerm,
        sources: &[Source<'a>],
        (scene, of): (&Scene<'a>, &Bits),
    ) -> Self {
        let direction = term.direction_for(None);
        let (scale, kept) = match sources {
            [] => (Scale::Everywhere, Kept::Nothing),
            [Source::Numbers { column, partial }] => (
                Scale::Everywhere,
                Kept::Numbers(*column, *partial, direction),
            ),
            [Source::Times(column)] => (Scale::Everywhere, Kept::Times(*column, direction)),
            [Source::No] => (Scale::Everywhere, Kept::No(direction)),
            [Source::Words(words)] => (Scale::Here, Kept::Words(*words, word_keys(term, words))),
            [..] => (
                Scale::Here,
                Kept::Places(place_keys(term, sources, (scene, of))),
            ),
        };
        Self { scale, kept }
    }

    /// Drops places whose key is greater than a threshold, where a pass over the column finds them faster
    /// than asking for each key; others may stay.
    pub(super) fn keep(&self, places: &mut Bits, threshold: u64) {
        let Kept::Numbers(column, _, direction) = &self.kept else {
            return;
        };
        if threshold >= NAN {
            return;
        }
        let bound = key_number(threshold, *direction);
        let slots = match direction {
            Direction::Ascending => column
                .values
                .pick(|value| f64::from_le_bytes(value) <= bound),
            Direction::Descending => column
                .values
                .pick(|value| f64::from_le_bytes(value) >= bound),
        };
        places.and(&column.presence.pick(&slots));
    }

    /// The key of the run at a place.
    pub(super) fn at(&self, scene: &Scene<'_>, place: usize) -> u64 {
        match &self.kept {
            Kept::Nothing => MISSING,
            Kept::Numbers(column, partial, direction) => match column.presence.slot(place) {
                None => MISSING,
                Some(slot) => {
                    let number = column.values.number(slot);
                    if *partial && number.is_nan() {
                        MISSING
                    } else {
                        number_key(number, *direction)
                    }
                }
            },
            Kept::Times(column, direction) => match column.presence.slot(place) {
                None => MISSING,
                Some(slot) => time_key(i64::from_le_bytes(column.values.get(slot)), *direction),
            },
            Kept::No(direction) => number_key(scene.no(place) as f64, *direction),
            Kept::Words(words, keys) => words.code(place).map_or(MISSING, |code| keys[code]),
            Kept::Places(keys) => keys[place],
        }
    }
}

/// The key of each entry of a dictionary.
fn word_keys(term: &OrderTerm, words: &Words<'_>) -> Vec<u64> {
    let mut codes: Vec<usize> = (0..words.len()).collect();
    let compare =
        |a: &usize, b: &usize| compare_values(term, Some(&word(words, *a)), Some(&word(words, *b)));
    // A dictionary is sorted already, so that this costs one pass in most cases.
    if term.collation == Collation::Natural && term.direction_for(None) == Direction::Descending {
        codes.reverse();
    }
    codes.sort_by(compare);
    let mut keys = vec![0; codes.len()];
    let mut rank = 0;
    for (at, code) in codes.iter().enumerate() {
        if at > 0 && compare(&codes[at - 1], code).is_ne() {
            rank = at as u64;
        }
        let is_nan =
            term.collation == Collation::Natural && words.number(*code).is_some_and(f64::is_nan);
        keys[*code] = if is_nan { NAN } else { rank };
    }
    keys
}

/// The key of each place of `of`, by sorting the values that are there.
fn place_keys<'a>(
    term: &OrderTerm,
    sources: &[Source<'a>],
    (scene, of): (&Scene<'a>, &Bits),
) -> Vec<u64> {
    let mut values: Vec<(usize, Option<Value<'_>>)> = of
        .iter()
        .map(|place| (place, first_value(sources, scene, place)))
        .collect();
    values.sort_by(|(_, a), (_, b)| compare_values(term, a.as_ref(), b.as_ref()));
    let mut keys = vec![MISSING; scene.len];
    let mut rank = 0;
    for (at, (place, value)) in values.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| &values[at].1);
        if before
            .is_some_and(|before| compare_values(term, before.as_ref(), value.as_ref()).is_ne())
        {
            rank = at as u64;
        }
        keys[*place] = rank;
    }
    keys
}

/// The value of the first source that has one.
pub(super) fn first_value<'a>(
    sources: &[Source<'a>],
    scene: &Scene<'a>,
    place: usize,
) -> Option<Value<'a>> {
    sources.iter().find_map(|source| source.at(scene, place))
}

/// Where the values of each term come from in a segment.
pub(super) fn term_sources<'a>(
    terms: &[OrderTerm],
    scene: &Scene<'a>,
) -> Result<Vec<Vec<Source<'a>>>, Damaged> {
    terms
        .iter()
        .map(|term| scene.sources(&term.key, Wanted::Any))
        .collect()
}
