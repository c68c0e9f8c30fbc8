//! From spools to one batch: points straight into columns, everything else as operations.
//!
//! Points that need their place in the order of stamps (kept once, or with an operation uid) go with the
//! operations, and with them all points of subjects that keep points once. Not here: what operations do.
//! Invariant: each record of each tail is in the batch once.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;
use trialbook_model::record::{Signed, Subject};
use trialbook_model::state::Stamp;
use trialbook_spool::{Content, Frame, Origin, PointsView, ReaderState};

use super::columns::PointColumns;

/// What one seal, or one look, takes in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    /// Operations, in any order.
    pub(crate) operations: Vec<Signed>,
    /// Points without operations, by subject.
    pub(crate) points: Vec<(Subject, PointColumns)>,
    /// How many records.
    pub(crate) records: u64,
    /// Subjects that keep equal points once.
    pub(crate) once: BTreeSet<Subject>,
}

/// Collects a batch.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    batch: Batch,
    places: FxHashMap<Subject, usize>,
    /// Subjects of which all points are wanted as operations.
    ordered: BTreeSet<Subject>,
}

/// What was learnt of one spool's indexes.
#[derive(Debug, Default)]
pub(crate) struct SpoolPlaces {
    /// By subject and key bytes: subject's place and table.
    tables: FxHashMap<(u32, Vec<u8>), (usize, usize)>,
    /// By key bytes: what a subject's columns look like after its first call. Many subjects log alike.
    models: FxHashMap<Vec<u8>, PointColumns>,
    /// The call before: writers repeat themselves.
    last_subject: u32,
    last_keys: Vec<u8>,
    last: Option<(usize, usize)>,
}

impl Collector {
    /// A collector that takes all points of these subjects as operations.
    pub(crate) fn new(ordered: BTreeSet<Subject>) -> Self {
        Self {
            ordered,
            ..Self::default()
        }
    }

    /// Takes a record in; false where it speaks of something whose definition is lost.
    pub(crate) fn take(
        &mut self,
        frame: &Frame<'_>,
        state: &ReaderState,
        places: &mut SpoolPlaces,
    ) -> bool {
        let taken = match &frame.content {
            Content::Points(view) if !view.set && frame.operation.is_none() => {
                match self.table(view, state, places) {
                    Ok(place) => {
                        self.push(place, frame, view, state);
                        true
                    }
                    Err(Elsewhere::Ordered) => self.take_operation(frame, state),
                    Err(Elsewhere::Lost) => false,
                }
            }
            Content::Points(view) => {
                if view.set {
                    self.batch.once.extend(state.subject(view.subject).cloned());
                }
                self.take_operation(frame, state)
            }
            Content::Op { .. } => self.take_operation(frame, state),
        };
        self.batch.records += u64::from(taken);
        taken
    }

    fn take_operation(&mut self, frame: &Frame<'_>, state: &ReaderState) -> bool {
        let Ok(mut signed) = frame.to_signed(state) else {
            return false;
        };
        if signed.actor.is_none() && frame.origin.is_none() {
            signed.actor = actor_of(state).map(str::to_owned);
        }
        self.batch.operations.push(signed);
        true
    }

    fn push(
        &mut self,
        (subject, table): (usize, usize),
        frame: &Frame<'_>,
        view: &PointsView<'_>,
        state: &ReaderState,
    ) {
        let columns = &mut self.batch.points[subject].1;
        columns.tables[table].push(view.step, view.time, view.values());
        let own = || Origin {
            writer: state
                .header()
                .map(|header| header.writer)
                .unwrap_or_default(),
            seq: frame.seq,
        };
        let Origin { writer, seq } = frame.origin.unwrap_or_else(own);
        let stamp = Stamp {
            time: frame.time,
            writer,
            seq,
        };
        let actor = frame.actor.or_else(|| {
            let is_own = frame.origin.is_none();
            actor_of(state).filter(|_| is_own)
        });
        columns.sign(stamp, actor);
    }

    fn table(
        &mut self,
        view: &PointsView<'_>,
        state: &ReaderState,
        places: &mut SpoolPlaces,
    ) -> Result<(usize, usize), Elsewhere> {
        if let Some(last) = places.last
            && places.last_subject == view.subject
            && places.last_keys == view.key_bytes()
        {
            return Ok(last);
        }
        let entry = (view.subject, view.key_bytes().to_vec());
        let place = if let Some(place) = places.tables.get(&entry) {
            *place
        } else {
            let place = self.new_table(view, state, &mut places.models)?;
            places.tables.insert(entry, place);
            place
        };
        places.last_subject = view.subject;
        places.last_keys.clear();
        places.last_keys.extend_from_slice(view.key_bytes());
        places.last = Some(place);
        Ok(place)
    }

    fn new_table(
        &mut self,
        view: &PointsView<'_>,
        state: &ReaderState,
        models: &mut FxHashMap<Vec<u8>, PointColumns>,
    ) -> Result<(usize, usize), Elsewhere> {
        let subject = state.subject(view.subject).ok_or(Elsewhere::Lost)?;
        if state.header().is_none() {
            return Err(Elsewhere::Lost);
        }
        if self.ordered.contains(subject) {
            return Err(Elsewhere::Ordered);
        }
        let keys: Option<Vec<_>> = view.keys().map(|index| state.key(index)).collect();
        let keys = keys.ok_or(Elsewhere::Lost)?;
        let points = &mut self.batch.points;
        let place = *self.places.entry(subject.clone()).or_insert_with(|| {
            points.push((subject.clone(), PointColumns::default()));
            points.len() - 1
        });
        let columns = &mut self.batch.points[place].1;
        if !columns.is_empty() {
            let slots = keys.into_iter().map(|key| columns.slot(key)).collect();
            return Ok((place, columns.table(slots)));
        }
        if let Some(model) = models.get(view.key_bytes()) {
            *columns = model.like();
        } else {
            let slots = keys.into_iter().map(|key| columns.slot(key)).collect();
            columns.table(slots);
            models.insert(view.key_bytes().to_vec(), columns.like());
        }
        Ok((place, 0))
    }

    /// The batch, or the subjects that have to be collected as operations.
    pub(crate) fn finish(self) -> Result<Batch, BTreeSet<Subject>> {
        let mixed = self
            .batch
            .points
            .iter()
            .any(|(subject, _)| self.batch.once.contains(subject));
        if mixed {
            Err(self.batch.once)
        } else {
            Ok(self.batch)
        }
    }
}

/// Where points go that cannot go into columns.
enum Elsewhere {
    /// With the operations.
    Ordered,
    /// Nowhere: their definitions are lost.
    Lost,
}

fn actor_of(state: &ReaderState) -> Option<&str> {
    let actor = state.header()?.actor.as_str();
    (!actor.is_empty()).then_some(actor)
}
