//! A filled column as bytes.
//!
//! Not here: filling. Invariant: values stand in the order of their places, whatever order they came in.

use super::bits::Bits;
use super::build::{Filling, Values};
use super::layout::{Entry, Packing, Shape, Spread};

/// Writes a column's bytes; its key's place is filled in by the caller.
pub(super) fn write_column(column: &mut Filling, len: usize, out: &mut Vec<u8>) -> Entry {
    let order = sort_places(&mut column.places);
    let (places, order) = (column.places.as_slice(), order.as_deref());
    let main_at = out.len() as u64;
    let spread = if places.len() == len {
        Spread::All
    } else if places.len() * 4 < len {
        Spread::List
    } else {
        Spread::Bitmap
    };
    match spread {
        Spread::All => {}
        Spread::Bitmap => {
            let mut bits = Bits::none(len);
            for place in places {
                bits.set(usize::from(*place));
            }
            out.extend(bits.words().iter().flat_map(|word| word.to_le_bytes()));
        }
        Spread::List => out.extend(places.iter().flat_map(|place| place.to_le_bytes())),
    }
    let slots = Slots {
        places,
        order,
        spread,
        len,
    };
    let mut entry = Entry {
        shape: Shape::Mark,
        spread,
        width: 0,
        present: places.len() as u32,
        key_at: 0,
        key_len: 0,
        main_at,
        main_len: 0,
        rest_len: 0,
        main_crc: 0,
        rest_crc: 0,
        words: 0,
        numeric: 0,
        packing: [Packing::Plain; 6],
    };
    let rest_at = write_values(&column.values, &slots, &mut entry, out);
    entry.main_len = rest_at as u64 - main_at;
    entry.rest_len = (out.len() - rest_at) as u64;
    entry.main_crc = crc32fast::hash(&out[main_at as usize..rest_at]);
    entry.rest_crc = crc32fast::hash(&out[rest_at..]);
    entry
}

/// Sorts places; returns which value belongs to each, if they were not in order.
fn sort_places(places: &mut [u16]) -> Option<Vec<u32>> {
    if places.is_sorted() {
        return None;
    }
    let mut order: Vec<u32> = (0..places.len() as u32).collect();
    order.sort_by_key(|at| places[*at as usize]);
    places.sort_unstable();
    Some(order)
}

/// Which value goes where.
pub(super) struct Slots<'a> {
    places: &'a [u16],
    order: Option<&'a [u32]>,
    spread: Spread,
    len: usize,
}

impl Slots<'_> {
    /// Values in the order of their slots; slots without a value get `filler`.
    pub(super) fn arrange<T: Copy>(&self, values: &[T], filler: T) -> Vec<T> {
        let value = |at: usize| values[self.order.map_or(at, |order| order[at] as usize)];
        match self.spread {
            Spread::All | Spread::List => (0..values.len()).map(value).collect(),
            Spread::Bitmap => {
                let mut arranged = vec![filler; self.len];
                for (at, place) in self.places.iter().enumerate() {
                    arranged[usize::from(*place)] = value(at);
                }
                arranged
            }
        }
    }
}

/// Writes values; returns where those after the main ones start.
fn write_values(values: &Values, slots: &Slots<'_>, entry: &mut Entry, out: &mut Vec<u8>) -> usize {
    match values {
        Values::Mark => {}
        Values::Numbers(numbers) => {
            entry.shape = Shape::Numbers;
            let lane: Vec<[u8; 8]> = numbers.iter().map(|number| number.to_le_bytes()).collect();
            entry.packing[0] = write_lane(&lane, slots, out);
        }
        Values::Times(times) => {
            entry.shape = Shape::Times;
            let lane: Vec<[u8; 8]> = times.iter().map(|time| time.to_le_bytes()).collect();
            entry.packing[0] = write_lane(&lane, slots, out);
        }
        Values::Words(words) => {
            entry.shape = Shape::Words;
            words.write(slots, entry, out);
        }
        Values::Uids(uids) => {
            entry.shape = Shape::Uids;
            out.extend(slots.arrange(uids, [0; 16]).as_flattened());
        }
        Values::Series(lanes) => {
            entry.shape = Shape::Series;
            return write_series(lanes, slots, entry, out);
        }
    }
    out.len()
}

fn write_series(
    lanes: &[Vec<f64>; 6],
    slots: &Slots<'_>,
    entry: &mut Entry,
    out: &mut Vec<u8>,
) -> usize {
    let bytes =
        |lane: &[f64]| -> Vec<[u8; 8]> { lane.iter().map(|number| number.to_le_bytes()).collect() };
    let last = bytes(&lanes[0]);
    entry.packing[0] = write_lane(&last, slots, out);
    let rest_at = out.len();
    for (packing, lane) in entry.packing.iter_mut().zip(lanes).skip(1) {
        let lane = bytes(lane);
        *packing = if lane == last {
            Packing::AsLast
        } else {
            write_lane(&lane, slots, out)
        };
    }
    rest_at
}

fn write_lane(lane: &[[u8; 8]], slots: &Slots<'_>, out: &mut Vec<u8>) -> Packing {
    if let Some(first) = lane.first()
        && lane.iter().all(|value| value == first)
    {
        out.extend(first);
        return Packing::Constant;
    }
    out.extend(slots.arrange(lane, [0; 8]).as_flattened());
    Packing::Plain
}
