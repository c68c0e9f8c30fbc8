//! Entries of the register: collections by their names, versions by their numbers.
//!
//! Not here: what an entry is made of (the model has it). Invariant: what an entry belongs to and its number are
//! given once and stay; the first collection of a name that is not in the bin holds it.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use trialbook_model::id::{EntryNo, EntryUid};
use trialbook_model::record::{CreateEntry, EntryKind, Op, Signed, Subject};
use trialbook_model::state::EntryState;

use super::{Fold, Folded, Kept, Shared};
use crate::backend::Look;
use crate::error::BookError;
use crate::nouns::{EntryRow, Owner};
use crate::pack::Places;

/// An entry that the batch speaks of.
#[derive(Debug, Clone)]
pub(crate) struct FoldedEntry {
    pub(crate) row: EntryRow,
    pub(crate) kept: Kept,
    /// Its place among the names of the fold.
    named: Option<(String, String)>,
}

/// The entries that the batch speaks of.
#[derive(Debug, Clone, Default)]
pub(crate) struct FoldedEntries {
    pub(crate) by_no: BTreeMap<EntryNo, Shared<FoldedEntry>>,
    /// Uids that the batch gave a meaning.
    pub(crate) uids: BTreeMap<EntryUid, EntryNo>,
    /// Present names of the collections above.
    names: FxHashMap<(String, String), BTreeSet<EntryNo>>,
    pub(crate) removed: BTreeMap<EntryNo, Places>,
}

impl EntryRow {
    /// An entry of which nothing but its uid is known.
    pub(crate) fn new(no: EntryNo, uid: EntryUid) -> Self {
        let mut state = EntryState::default();
        state.uids.insert(uid);
        Self {
            no,
            uid,
            of: None,
            number: None,
            state,
        }
    }
}

impl Fold<'_> {
    /// The number of an entry, which is loaded, or made.
    pub(super) fn entry_at(&mut self, uid: EntryUid) -> Result<EntryNo, BookError> {
        let no = match self.entry_no(uid)? {
            Some(no) => no,
            None => self.new_entry(uid),
        };
        self.load_entry(no)?;
        Ok(no)
    }

    fn new_entry(&mut self, uid: EntryUid) -> EntryNo {
        let no = EntryNo(self.counters.entry);
        self.counters.entry += 1;
        let entry = FoldedEntry {
            row: EntryRow::new(no, uid),
            kept: Kept::default(),
            named: None,
        };
        self.entries.by_no.insert(no, entry.into());
        self.entries.uids.insert(uid, no);
        no
    }

    fn load_entry(&mut self, no: EntryNo) -> Result<(), BookError> {
        if self.entries.by_no.contains_key(&no) {
            return Ok(());
        }
        if let Some(sealed) = self.sealed.entry(no)? {
            let kept = Kept {
                places: sealed.places,
                aside: sealed.aside,
                ..Kept::default()
            };
            let (row, named) = (sealed.row, None);
            let entry = FoldedEntry { row, kept, named };
            self.entries.by_no.insert(no, entry.into());
            self.note_collection(no);
        }
        Ok(())
    }

    pub(super) fn entry_mut(&mut self, no: EntryNo) -> &mut FoldedEntry {
        let entry = self.entries.by_no.get_mut(&no).map(|entry| &mut **entry);
        entry.expect("an entry that was just found")
    }

    /// Folds an operation into an entry.
    pub(super) fn apply_to_entry(&mut self, no: EntryNo, signed: &Signed) {
        self.entry_mut(no).row.state.apply(signed);
        self.note_collection(no);
    }

    /// Takes in what gives a collection its name or frees it, before anything else is said.
    pub(super) fn name_entry(&mut self, signed: &Signed) -> Result<(), BookError> {
        if let Op::CreateEntry(create) = &signed.op {
            if let Some((project, name)) = found_by(create) {
                let no = match self.entry_no(create.entry)? {
                    Some(no) => Some(no),
                    None => self.collection(project, name)?,
                };
                if let Some(no) = no {
                    self.load_entry(no)?;
                    self.entries.uids.insert(create.entry, no);
                }
                self.take(signed)?;
            }
            return Ok(());
        }
        if let Some(uid) = freed(&signed.op)
            && self.entry_no(uid)?.is_some()
        {
            self.take(signed)?;
        }
        Ok(())
    }

    /// The first collection that bears a name in a project now.
    fn collection(&self, project: &str, name: &str) -> Result<Option<EntryNo>, BookError> {
        self.folded.collection(self.sealed.look(), project, name)
    }

    fn note_collection(&mut self, no: EntryNo) {
        let entry = self.entry_mut(no);
        let place = entry.row.state.findable();
        let place = place.map(|(project, name)| (project.to_owned(), name.to_owned()));
        if entry.named == place {
            return;
        }
        let known = std::mem::replace(&mut entry.named, place.clone());
        let names = &mut self.entries.names;
        if let Some(numbers) = known.and_then(|known| names.get_mut(&known)) {
            numbers.remove(&no);
        }
        if let Some(place) = place {
            names.entry(place).or_default().insert(no);
        }
    }

    /// Gives entries that the batch speaks of what they belong to and their numbers: first those that wish for a
    /// number, then all others, in the order given.
    pub(super) fn number_entries(&mut self, mentions: &[EntryUid]) -> Result<(), BookError> {
        for uid in mentions {
            let no = self.entry_at(*uid)?;
            let row = &self.entry_mut(no).row;
            let belonging = row.of.is_none().then(|| belonging(&row.state)).flatten();
            let of = match belonging {
                // Nothing is said of the project by that.
                Some(Subject::Project(name)) => Some(Owner::Project(name)),
                Some(of) if self.is_swallowed(Some(&of))? => None,
                Some(of) => Some(self.owner(&of)?),
                None => continue,
            };
            self.entry_mut(no).row.of = of;
        }
        if mentions.is_empty() {
            return Ok(());
        }
        let mut taken = Taken::new();
        for row in self.entries.by_no.values().map(|entry| &entry.row) {
            if let (Some(Owner::Entry(of)), Some(number)) = (&row.of, row.number) {
                taken.entry(*of).or_default().insert(number);
            }
        }
        let mut whole = BTreeSet::new();
        for is_wishing in [true, false] {
            for uid in mentions {
                let no = self.entry_at(*uid)?;
                let Some((of, wish)) = unnumbered(&self.entry_mut(no).row) else {
                    continue;
                };
                if is_wishing && wish.is_none() {
                    continue;
                }
                let taken = taken.entry(of).or_default();
                if whole.insert(of) {
                    let sealed = self.sealed.look().versions(of)?.into_iter();
                    let sealed = sealed.filter(|(_, no)| self.is_sealed_entry(*no));
                    taken.extend(sealed.map(|(number, _)| number));
                }
                let number = next_version(taken, wish);
                taken.insert(number);
                self.entry_mut(no).row.number = Some(number);
            }
        }
        Ok(())
    }

    /// Removes an entry for good, under all its uids.
    pub(super) fn purge_entry(&mut self, uid: EntryUid) -> Result<(), BookError> {
        self.purged.insert(Subject::Entry(uid));
        self.swallowed.insert(Subject::Entry(uid), true);
        self.forget_entry(uid)?;
        if let Some(no) = self.sealed.look().entry_no(uid)?
            && let Some(sealed) = self.sealed.entry(no)?
        {
            for uid in sealed.row.state.uids {
                self.purged.insert(Subject::Entry(uid));
                self.swallowed.insert(Subject::Entry(uid), true);
            }
            self.entries.removed.insert(no, sealed.places);
        }
        Ok(())
    }

    /// Drops what was said of an entry. A number that it got here stays unused.
    fn forget_entry(&mut self, uid: EntryUid) -> Result<(), BookError> {
        // A sealed entry that was loaded is known by its number alone.
        let Some(no) = self.entry_no(uid)? else {
            return Ok(());
        };
        let Some(entry) = self.entries.by_no.remove(&no) else {
            return Ok(());
        };
        for uid in &entry.row.state.uids {
            self.purged.insert(Subject::Entry(*uid));
            self.swallowed.insert(Subject::Entry(*uid), true);
        }
        if let Some(place) = &entry.named
            && let Some(numbers) = self.entries.names.get_mut(place)
        {
            numbers.remove(&no);
        }
        self.entries.uids.retain(|_, at| *at != no);
        self.entries.removed.insert(no, Places::default());
        Ok(())
    }

    /// The number of an entry of the book as it is with the batch.
    fn entry_no(&self, uid: EntryUid) -> Result<Option<EntryNo>, BookError> {
        self.folded.entry_no(self.sealed.look(), uid)
    }
}

impl Folded {
    /// The number of an entry of the book as it is now.
    pub(crate) fn entry_no(
        &self,
        sealed: &dyn Look,
        uid: EntryUid,
    ) -> Result<Option<EntryNo>, BookError> {
        if let Some(no) = self.entries.uids.get(&uid) {
            return Ok(Some(*no));
        }
        let sealed = sealed.entry_no(uid)?;
        Ok(sealed.filter(|no| !self.entries.removed.contains_key(no)))
    }

    /// The first collection that bears a name in a project now.
    pub(crate) fn collection(
        &self,
        sealed: &dyn Look,
        project: &str,
        name: &str,
    ) -> Result<Option<EntryNo>, BookError> {
        let place = (project.to_owned(), name.to_owned());
        let folded = self.entries.names.get(&place);
        let folded = folded.and_then(BTreeSet::first).copied();
        let sealed = sealed.entries_named(project, name)?;
        let sealed = sealed.into_iter().find(|no| self.is_sealed_entry(*no));
        Ok(folded.into_iter().chain(sealed).min())
    }

    /// Whether the sealed row of an entry still holds.
    fn is_sealed_entry(&self, no: EntryNo) -> bool {
        !self.entries.by_no.contains_key(&no) && !self.entries.removed.contains_key(&no)
    }
}

/// Project and name by which a creation is found again, where it is one of a collection.
pub(crate) fn found_by(create: &CreateEntry) -> Option<(&str, &str)> {
    let Subject::Project(project) = &create.of else {
        return None;
    };
    match create.kind {
        EntryKind::Collection => Some((project, create.name.as_deref()?)),
        EntryKind::Version | EntryKind::LoggedModel | EntryKind::Webhook => None,
    }
}

/// The entry whose name an operation changes, frees or takes again.
pub(crate) fn freed(op: &Op) -> Option<EntryUid> {
    let Op::SetField(set) = op else {
        return None;
    };
    match set.subject {
        Subject::Entry(uid) if ["name", "deleted"].contains(&set.field.as_str()) => Some(uid),
        Subject::Entry(_) | Subject::Experiment(_) | Subject::Run(_) | Subject::Project(_) => None,
    }
}

/// What an entry belongs to, where it is what entries of its kind belong to.
pub(crate) fn belonging(state: &EntryState) -> Option<Subject> {
    let place = &state.place.as_ref()?.value;
    let fits = match (place.kind, &place.of) {
        (EntryKind::Collection | EntryKind::Webhook, Subject::Project(_))
        | (EntryKind::Version, Subject::Entry(_))
        | (EntryKind::LoggedModel, Subject::Experiment(_)) => true,
        (
            EntryKind::Collection
            | EntryKind::Webhook
            | EntryKind::Version
            | EntryKind::LoggedModel,
            _,
        ) => false,
    };
    // A version of itself would be nobody's.
    let itself = matches!(&place.of, Subject::Entry(uid) if state.uids.contains(uid));
    (fits && !itself).then(|| place.of.clone())
}

/// The collection of a version that has no number yet, and the number that it wishes for.
pub(crate) fn unnumbered(row: &EntryRow) -> Option<(EntryNo, Option<u64>)> {
    let place = &row.state.place.as_ref()?.value;
    match row.of {
        Some(Owner::Entry(of)) if row.number.is_none() => Some((of, place.number)),
        Some(Owner::Entry(_) | Owner::Experiment(_) | Owner::Project(_) | Owner::Run(_)) | None => {
            None
        }
    }
}

/// The numbers of the versions of collections.
type Taken = BTreeMap<EntryNo, BTreeSet<u64>>;

/// The number that a version gets among those that are taken: the one wished for if it is free, else the highest
/// and one.
pub(crate) fn next_version(taken: &BTreeSet<u64>, wish: Option<u64>) -> u64 {
    let next = taken.last().map_or(1, |last| last.saturating_add(1));
    wish.filter(|wish| !taken.contains(wish)).unwrap_or(next)
}
