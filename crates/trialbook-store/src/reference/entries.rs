//! The register in the reference model.

use std::collections::BTreeSet;

use trialbook_model::id::{EntryNo, EntryUid};
use trialbook_model::record::{CreateEntry, Op, Signed, Subject};

use super::Reference;
use crate::fold::{belonging, found_by, freed, next_version, unnumbered};
use crate::nouns::{EntryRow, Owner};

impl Reference {
    /// Takes in what gives a collection its name or frees it.
    pub(super) fn name_entry(&mut self, signed: &Signed) {
        if let Op::CreateEntry(create) = &signed.op {
            if found_by(create).is_some() {
                self.meet_collection(create);
                self.take(signed);
            }
        } else if let Some(uid) = freed(&signed.op)
            && self.entry_numbers.contains_key(&uid)
        {
            self.take(signed);
        }
    }

    /// A later uid of a collection comes to mean the one that has its name.
    fn meet_collection(&mut self, create: &CreateEntry) {
        if !self.entry_numbers.contains_key(&create.entry)
            && let Some((project, name)) = found_by(create)
            && let Some(no) = self.collection_named(project, name)
        {
            self.entry_numbers.insert(create.entry, no);
        }
    }

    /// The first collection that bears a name in a project now.
    pub(super) fn collection_named(&self, project: &str, name: &str) -> Option<EntryNo> {
        let mut rows = self.entries.iter().flatten();
        let found = rows.find(|row| row.state.findable() == Some((project, name)));
        found.map(|row| row.no)
    }

    /// The number of an entry, a new one where it is not known.
    pub(super) fn entry_at(&mut self, uid: EntryUid) -> EntryNo {
        if let Some(no) = self.entry_numbers.get(&uid) {
            return *no;
        }
        let no = EntryNo(self.entries.len() as u64 + 1);
        self.entries.push(Some(EntryRow::new(no, uid)));
        self.entry_numbers.insert(uid, no);
        no
    }

    pub(super) fn entry_row(&mut self, no: EntryNo) -> &mut EntryRow {
        let row = self.entries[no.0 as usize - 1].as_mut();
        row.expect("an entry that was just found")
    }

    /// Gives the entries of a batch what they belong to and their numbers: first those that wish for one.
    pub(super) fn number_entries(&mut self, batch: &[&Signed]) {
        let mut mentioned = Vec::new();
        for signed in batch {
            if let Some(Subject::Entry(uid)) = signed.op.subject()
                && !mentioned.contains(&uid)
            {
                mentioned.push(uid);
            }
        }
        for uid in &mentioned {
            let no = self.entry_at(*uid);
            let row = self.entry_row(no);
            if row.of.is_none()
                && let Some(of) = belonging(&row.state)
                && !self.purged.contains(&of)
            {
                self.entry_row(no).of = Some(self.owner(of));
            }
        }
        for is_wishing in [true, false] {
            for uid in &mentioned {
                let no = self.entry_at(*uid);
                if let Some((of, wish)) = unnumbered(self.entry_row(no))
                    && !(is_wishing && wish.is_none())
                {
                    let rows = self.entries.iter().flatten();
                    let versions = rows.filter(|row| row.of == Some(Owner::Entry(of)));
                    let taken: BTreeSet<u64> = versions.filter_map(|row| row.number).collect();
                    self.entry_row(no).number = Some(next_version(&taken, wish));
                }
            }
        }
    }

    /// Removes an entry for good, under all its uids.
    pub(super) fn purge_entry(&mut self, uid: EntryUid) {
        self.purged.insert(Subject::Entry(uid));
        let Some(no) = self.entry_numbers.get(&uid).copied() else {
            return;
        };
        if let Some(row) = self.entries[no.0 as usize - 1].take() {
            self.purged
                .extend(row.state.uids.into_iter().map(Subject::Entry));
        }
        self.entry_numbers.retain(|_, known| *known != no);
        let owner = Owner::Entry(no);
        self.points.retain(|(of, _), _| *of != owner);
        self.events.remove(&owner);
        self.spans.remove(&owner);
    }
}
