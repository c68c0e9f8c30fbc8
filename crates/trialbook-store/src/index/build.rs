//! Building a segment: runs go in one by one, a block of bytes comes out.
//!
//! Not here: reading. Invariant: the bytes depend on the runs alone, not on the order in which they came.

use rustc_hash::FxHashMap;
use trialbook_model::filter::number_in;
use trialbook_model::record::ParamKind;

use super::bits::Bits;
use super::column::Column;
use super::datasets::write_datasets;
use super::dictionary::Words;
use super::encode::write_column;
use super::facts::{Fact, RunFacts, param_number};
use super::layout::{Damaged, ENTRY, Entry, Kind, Shape, place_of, write_key};
use super::numbers::Lane;
use super::segment::Segment;
use super::words::{Says, WordsBuilder};

/// Values of one column as they come in.
#[derive(Debug)]
pub(super) enum Values {
    Mark,
    Numbers(Vec<f64>),
    Times(Vec<i64>),
    Words(WordsBuilder),
    Series([Vec<f64>; 6]),
    Uids(Vec<[u8; 16]>),
}

/// A column as it is filled.
#[derive(Debug)]
pub(super) struct Filling {
    key: Box<[u8]>,
    pub(super) places: Vec<u16>,
    pub(super) values: Values,
    /// The column that got its value after this one in the last run.
    next: usize,
}

/// A segment as it is filled. A place gets its values once.
#[derive(Debug, Default)]
pub(super) struct SegmentBuilder {
    columns: Vec<Filling>,
    by_key: FxHashMap<Box<[u8]>, usize>,
    /// The column used last.
    last: usize,
    key: Vec<u8>,
    len: usize,
}

impl SegmentBuilder {
    /// Whether it holds no run.
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a run.
    pub(super) fn add(&mut self, run: &RunFacts<'_>) {
        let (_, place) = place_of(run.no.0);
        self.uid(place, run.uid.0.0);
        self.experiment(place, run.experiment.0);
        for (flag, name) in [(run.archived, "archived"), (run.deleted, "deleted")] {
            if flag {
                self.column(Kind::Flag, name, "", Shape::Mark)
                    .places
                    .push(place);
            }
        }
        for (attribute, fact) in &run.attributes {
            self.attribute(place, attribute.name(), fact);
        }
        for ((name, context), numbers) in &run.metrics {
            self.series(place, (Kind::Metric, name, context), numbers.lanes());
        }
        for (name, numbers) in &run.derived {
            self.series(place, (Kind::Derived, name, ""), numbers.lanes());
        }
        for (name, (text, kind)) in &run.params {
            let class = *kind == ParamKind::Number;
            self.word(place, (Kind::Param, name, ""), text, class.then_some(*kind));
        }
        for (name, text) in &run.tags {
            self.word(place, (Kind::Tag, name, ""), text, None);
        }
        if !run.datasets.is_empty() {
            let text = write_datasets(&run.datasets);
            self.word(place, (Kind::Dataset, "", ""), &text, None);
        }
    }

    fn column(&mut self, kind: Kind, name: &str, context: &str, shape: Shape) -> &mut Filling {
        write_key(&mut self.key, kind, name, context);
        let at = self.column_at(shape);
        &mut self.columns[at]
    }

    /// The column of the key that was just written. Runs mostly have the same keys, so the one that
    /// followed last time is looked at before the map.
    fn column_at(&mut self, shape: Shape) -> usize {
        let guess = self.columns.get(self.last).map_or(0, |last| last.next);
        let at = match self.columns.get(guess) {
            Some(column) if *column.key == *self.key => guess,
            Some(_) | None => match self.by_key.get(&*self.key) {
                Some(at) => *at,
                None => self.add_column(shape),
            },
        };
        if let Some(last) = self.columns.get_mut(self.last) {
            last.next = at;
        }
        self.last = at;
        at
    }

    fn add_column(&mut self, shape: Shape) -> usize {
        let at = self.columns.len();
        let key: Box<[u8]> = self.key.as_slice().into();
        self.columns.push(Filling {
            key: key.clone(),
            places: Vec::new(),
            values: match shape {
                Shape::Mark => Values::Mark,
                Shape::Numbers => Values::Numbers(Vec::new()),
                Shape::Times => Values::Times(Vec::new()),
                Shape::Words => Values::Words(WordsBuilder::default()),
                Shape::Series => Values::Series(Default::default()),
                Shape::Uids => Values::Uids(Vec::new()),
            },
            next: at + 1,
        });
        self.by_key.insert(key, at);
        at
    }

    fn uid(&mut self, place: u16, uid: [u8; 16]) {
        self.len = self.len.max(usize::from(place) + 1);
        let column = self.column(Kind::Uid, "", "", Shape::Uids);
        if let Values::Uids(uids) = &mut column.values {
            column.places.push(place);
            uids.push(uid);
        }
    }

    fn experiment(&mut self, place: u16, no: u64) {
        let column = self.column(Kind::Experiment, "", "", Shape::Words);
        if let Values::Words(words) = &mut column.values {
            column.places.push(place);
            let code = words.number_code(no);
            words.push(code);
        }
    }

    fn attribute(&mut self, place: u16, name: &str, fact: &Fact<'_>) {
        match fact {
            Fact::Number(number) => self.number(place, name, *number),
            Fact::Time(millis) => self.time(place, name, *millis),
            Fact::Text(text) => self.word(place, (Kind::Attribute, name, ""), text, None),
        }
    }

    fn number(&mut self, place: u16, name: &str, number: f64) {
        let column = self.column(Kind::Attribute, name, "", Shape::Numbers);
        if let Values::Numbers(numbers) = &mut column.values {
            column.places.push(place);
            numbers.push(number);
        }
    }

    fn time(&mut self, place: u16, name: &str, millis: i64) {
        let column = self.column(Kind::Attribute, name, "", Shape::Times);
        if let Values::Times(times) = &mut column.values {
            column.places.push(place);
            times.push(millis);
        }
    }

    fn series(&mut self, place: u16, key: (Kind, &str, &str), lanes: [f64; 6]) {
        let column = self.column(key.0, key.1, key.2, Shape::Series);
        if let Values::Series(kept) = &mut column.values {
            column.places.push(place);
            for (kept, value) in kept.iter_mut().zip(lanes) {
                kept.push(value);
            }
        }
    }

    fn word(&mut self, place: u16, key: (Kind, &str, &str), text: &str, kind: Option<ParamKind>) {
        let column = self.column(key.0, key.1, key.2, Shape::Words);
        if let Values::Words(words) = &mut column.values {
            column.places.push(place);
            let code = text_code(words, key.0, text, kind);
            words.push(code);
        }
    }

    /// Adds what a segment holds in the places of `keep`.
    pub(super) fn add_segment(&mut self, segment: &Segment, keep: &Bits) -> Result<(), Damaged> {
        for column in segment.columns()? {
            let ((kind, name, context), column) = column?;
            let mut kept = column.presence()?.bits();
            kept.and(keep);
            if let (Kind::Uid, Some(last)) = (kind, kept.iter_down().next()) {
                self.len = self.len.max(last + 1);
            }
            let filling = self.column(kind, name, context, column.entry.shape);
            filling.places.extend(kept.iter().map(|place| place as u16));
            filling.values.extend(kind, &column, &kept)?;
        }
        Ok(())
    }

    /// The segment.
    pub(super) fn finish(self) -> Segment {
        let mut columns = self.columns;
        columns.retain(|column| !column.places.is_empty());
        columns.sort_by(|a, b| a.key.cmp(&b.key));
        let mut out = Vec::new();
        let mut entries = Vec::with_capacity(columns.len() * ENTRY);
        let mut keys = Vec::new();
        for column in &mut columns {
            let entry = write_column(column, self.len, &mut out);
            Entry {
                key_at: keys.len() as u32,
                key_len: column.key.len() as u32,
                ..entry
            }
            .write(&mut entries);
            keys.extend_from_slice(&column.key);
        }
        let directory_at = out.len() as u64;
        out.extend((self.len as u32).to_le_bytes());
        out.extend((columns.len() as u32).to_le_bytes());
        out.extend((keys.len() as u64).to_le_bytes());
        out.append(&mut entries);
        out.append(&mut keys);
        out.shrink_to_fit();
        Segment::built(out, directory_at)
    }
}

impl Values {
    /// Adds what a column holds in the places of `kept`, where it has values.
    fn extend(&mut self, kind: Kind, column: &Column<'_>, kept: &Bits) -> Result<(), Damaged> {
        let presence = column.presence()?;
        let slots = kept.iter().filter_map(|place| presence.slot(place));
        match self {
            Self::Mark => {}
            Self::Numbers(numbers) => {
                let plain = column.plain(Shape::Numbers)?;
                numbers.extend(slots.map(|slot| plain.values.number(slot)));
            }
            Self::Times(times) => {
                let plain = column.plain(Shape::Times)?;
                times.extend(slots.map(|slot| i64::from_le_bytes(plain.values.get(slot))));
            }
            Self::Words(words) => words.extend(kind, &Words::open(column)?, slots),
            Self::Series(lanes) => {
                let slots: Vec<usize> = slots.collect();
                for (kept, lane) in lanes.iter_mut().zip(Lane::ALL) {
                    let values = column.lane(lane)?.values;
                    kept.extend(slots.iter().map(|slot| values.number(*slot)));
                }
            }
            Self::Uids(uids) => {
                let (_, known) = column.uids()?;
                uids.extend(slots.map(|slot| known[slot]));
            }
        }
        Ok(())
    }
}

impl WordsBuilder {
    /// Adds the entries of a dictionary column that stand in slots.
    fn extend(&mut self, kind: Kind, words: &Words<'_>, slots: impl Iterator<Item = usize>) {
        let mut codes: Vec<Option<u32>> = vec![None; words.len()];
        for slot in slots {
            let known = words.codes.get(slot);
            let code = *codes[known].get_or_insert_with(|| match (kind, words.number(known)) {
                (Kind::Experiment, number) => self.number_code(number.unwrap_or_default() as u64),
                (_, number) => {
                    let number = number.map(|_| ParamKind::Number);
                    text_code(self, kind, words.text(known), number)
                }
            });
            self.push(code);
        }
    }
}

/// The code of a text. Params say whether they are numbers, tags are read, the others are none.
fn text_code(words: &mut WordsBuilder, of: Kind, text: &str, kind: Option<ParamKind>) -> u32 {
    let says = match kind {
        Some(ParamKind::Number) if of == Kind::Param => Says::Number,
        Some(ParamKind::Number | ParamKind::Text | ParamKind::Bool | ParamKind::Null) | None => {
            Says::Text
        }
    };
    words.code(text, says, || match of {
        Kind::Tag => number_in(text),
        Kind::Param => param_number(text, kind?),
        Kind::Uid
        | Kind::Experiment
        | Kind::Flag
        | Kind::Attribute
        | Kind::Metric
        | Kind::Derived
        | Kind::Dataset => None,
    })
}
