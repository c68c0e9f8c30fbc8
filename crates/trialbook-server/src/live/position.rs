//! How far a subscriber has come with a topic, and the text of it that it brings back.
//!
//! Nothing is kept for subscribers who are away: what they bring back says all. Records are known by writer and
//! number, points by their place among those of their series and by sums of all before them, changes of runs by the
//! number that the feed gave them. None of these depends on what is sealed, or on which process serves the book.
//! Not here: what is new behind a position. Invariant: a position that is read is one that was written.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use trialbook_model::id::{Uid, WriterUid};

use super::topic::Topic;

/// Marks of one series in a text: so many sums are told, farther and farther back.
const MOST_MARKS: usize = 12;

/// Writers of one topic in a text.
const MOST_WRITERS: usize = 4096;

/// What a cursor begins with.
const FORM: &str = "1";

/// How far one is with a topic.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Position {
    /// Before everything.
    Start,
    /// Behind everything that is there when it is looked at.
    Now,
    /// Behind some records.
    Records(RecordsAt),
    /// Behind some points.
    Series(SeriesAt),
    /// Behind some changes of runs.
    Runs(RunsAt),
    /// Nothing comes any more.
    Gone,
}

/// The last record of each writer.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct RecordsAt {
    pub(super) seen: BTreeMap<WriterUid, u64>,
    /// The sealed block at which reading on begins; not in texts, where it is 0.
    pub(super) block: u32,
    /// The seal whose blocks were read to their end; not in texts.
    pub(super) rev: Option<u64>,
}

/// Points up to a place.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct SeriesAt {
    /// Places and the sums of all points before them, falling; the first is how far one is.
    pub(super) marks: Vec<(u64, u64)>,
    /// What is known of the sealed points; not in texts.
    pub(super) base: Option<Base>,
}

/// The sealed points of a series, which are not looked at again while they are the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Base {
    pub(super) rev: u64,
    pub(super) count: u64,
    pub(super) sum: u64,
    /// What orders the last of them.
    pub(super) last: Option<(i64, i64, u64)>,
}

/// A place among the numbers of a feed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RunsAt {
    /// Which feed.
    pub(super) feed: u64,
    /// The last change.
    pub(super) change: u64,
    /// While the runs that are there already are told: the number of the next one.
    pub(super) next: Option<u64>,
}

/// All that a subscriber brings back.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Cursor {
    /// The first half of the book's uid.
    pub(super) book: u64,
    /// Positions by the marks of their topics.
    pub(super) positions: BTreeMap<u64, Position>,
}

/// The half of a book's uid that stands in cursors.
pub(super) fn half(uid: Uid) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&uid.0[..8]);
    u64::from_be_bytes(first)
}

/// The text of a cursor.
pub(super) fn written<'a>(
    book: u64,
    positions: impl Iterator<Item = (&'a Topic, &'a Position)>,
) -> String {
    let mut text = format!("{FORM}~{book:x}");
    for (topic, position) in positions {
        let told = match position {
            Position::Start | Position::Now => continue,
            Position::Records(at) => {
                let mut told = "l".to_owned();
                for (writer, seq) in &at.seen {
                    write!(told, ".{writer}-{seq:x}").expect("a string takes all");
                }
                told
            }
            Position::Series(at) => {
                let mut told = "s".to_owned();
                for (place, sum) in &at.marks {
                    write!(told, ".{place:x}-{sum:x}").expect("a string takes all");
                }
                told
            }
            Position::Runs(at) => {
                let next = at.next.map_or(String::new(), |next| format!(".{next:x}"));
                format!("r.{:x}.{:x}{next}", at.feed, at.change)
            }
            Position::Gone => "g".to_owned(),
        };
        write!(text, "~{:x}{told}", topic.mark() >> 16).expect("a string takes all");
        debug_assert!(!told.is_empty(), "every position has a letter");
    }
    text
}

impl Cursor {
    /// Reads a text; `None` where it is none.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('~');
        if parts.next()? != FORM {
            return None;
        }
        let mut cursor = Self {
            book: hex(parts.next()?)?,
            positions: BTreeMap::new(),
        };
        for part in parts {
            let letter = part.find(|letter: char| !letter.is_ascii_hexdigit())?;
            let mark = hex(&part[..letter])?;
            let told = part.get(letter..)?;
            cursor.positions.insert(mark, position(told)?);
        }
        Some(cursor)
    }

    /// How far it is with a topic.
    pub(super) fn position(&self, topic: &Topic) -> Option<&Position> {
        self.positions.get(&(topic.mark() >> 16))
    }
}

fn position(told: &str) -> Option<Position> {
    let mut words = told.split('.');
    match words.next()? {
        "l" => {
            let mut at = RecordsAt::default();
            for word in words {
                let (writer, seq) = word.split_once('-')?;
                at.seen.insert(writer.parse().ok()?, hex(seq)?);
            }
            (at.seen.len() <= MOST_WRITERS).then_some(Position::Records(at))
        }
        "s" => {
            let mut at = SeriesAt::default();
            for word in words {
                let (place, sum) = word.split_once('-')?;
                at.marks.push((hex(place)?, hex(sum)?));
            }
            let falls = at.marks.is_sorted_by(|one, next| one.0 > next.0);
            let is_one = falls && (1..=MOST_MARKS).contains(&at.marks.len());
            is_one.then_some(Position::Series(at))
        }
        "r" => {
            let (feed, change) = (hex(words.next()?)?, hex(words.next()?)?);
            let next = match words.next() {
                Some(next) => Some(hex(next)?),
                None => None,
            };
            let at = RunsAt { feed, change, next };
            words.next().is_none().then_some(Position::Runs(at))
        }
        "g" => words.next().is_none().then_some(Position::Gone),
        _ => None,
    }
}

fn hex(text: &str) -> Option<u64> {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

/// Places for the marks of a series of so many points: the end, and farther and farther back.
pub(super) fn mark_places(count: u64) -> Vec<u64> {
    let mut places = vec![count];
    let mut back = 1_u64;
    while places.len() < MOST_MARKS - 1 && back < count {
        places.push(count - back);
        back = back.saturating_mul(6);
    }
    if count > 0 {
        places.push(0);
    }
    places
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use trialbook_model::id::RunUid;

    use super::*;

    fn positions() -> impl Strategy<Value = Position> {
        let writer = any::<[u8; 16]>().prop_map(|bytes| WriterUid(Uid(bytes)));
        let records = btree_map(writer, any::<u64>(), 0..5).prop_map(|seen| {
            Position::Records(RecordsAt {
                seen,
                ..RecordsAt::default()
            })
        });
        let series = (any::<u32>(), vec(any::<u64>(), MOST_MARKS)).prop_map(|(count, sums)| {
            let marks = mark_places(count.into()).into_iter().zip(sums).collect();
            Position::Series(SeriesAt { marks, base: None })
        });
        let runs = (any::<u64>(), any::<u64>(), any::<Option<u64>>())
            .prop_map(|(feed, change, next)| Position::Runs(RunsAt { feed, change, next }));
        prop_oneof![records, series, runs, Just(Position::Gone)]
    }

    proptest! {
        #[test]
        fn a_cursor_is_read_as_it_is_written(book: u64, known in vec((any::<[u8; 16]>(), positions()), 0..5)) {
            let known: Vec<_> = known.into_iter()
                .map(|(uid, position)| (Topic::Logs(RunUid(Uid(uid))), position))
                .collect();
            let text = written(book, known.iter().map(|(topic, position)| (topic, position)));
            let cursor = Cursor::read(&text).unwrap();
            prop_assert_eq!(cursor.book, book);
            for (topic, position) in &known {
                prop_assert_eq!(cursor.position(topic), Some(position));
            }
        }

        #[test]
        fn no_text_is_too_odd(text in "(1~)?[0-9a-z~.-]{0,80}|.*") {
            Cursor::read(&text);
        }
    }
}
