//! The state of an entry of the register: a collection, a version, a logged model, a webhook.
//!
//! Not here: numbers of versions, which a book gives. Invariant: what an entry is made of is registers alone, so
//! that any order of operations gives an equal state.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::annotations::Annotations;
use super::records::Records;
use super::register::{Earliest, Latest, Stamp};
use crate::id::{EntryUid, RunUid};
use crate::record::{CreateEntry, EntryKind, Hidden, Op, Signed, Subject};
use crate::time::Timestamp;

/// What begins the names of fields that are aliases of a collection.
pub const ALIAS: &str = "alias.";

/// What begins the names of fields that are params of a logged model.
pub const ENTRY_PARAM: &str = "param.";

/// What kind of collection holds models.
pub const MODEL: &str = "model";

/// What kind of collection holds prompts.
pub const PROMPT: &str = "prompt";

/// What an entry was made as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryPlace {
    /// What it is.
    pub kind: EntryKind,
    /// What it belongs to.
    pub of: Subject,
    /// Its first name.
    pub name: Option<String>,
    /// The number wished for.
    pub number: Option<u64>,
}

/// What is known of one entry.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EntryState {
    /// All uids that writers gave it.
    pub uids: BTreeSet<EntryUid>,
    /// The earliest creation.
    pub place: Option<Earliest<EntryPlace>>,
    /// Tags, fields, notes.
    pub annotations: Annotations,
    /// What signs that which is sent to it; never shown.
    pub secret: Option<Latest<Option<Hidden>>>,
    /// Series, artifacts, and how much was recorded.
    pub records: Records,
}

impl EntryState {
    /// Folds one operation that speaks of this entry; others change nothing.
    pub fn apply(&mut self, signed: &Signed) {
        let stamp = Stamp::from(signed);
        if let Op::CreateEntry(create) = &signed.op {
            self.create(stamp, create);
        } else if let Op::SetSecret(set) = &signed.op {
            Latest::offer(&mut self.secret, stamp, set.secret.clone());
        } else {
            self.annotations.apply(stamp, &signed.op);
            self.records.apply(signed);
        }
    }

    fn create(&mut self, stamp: Stamp, create: &CreateEntry) {
        self.uids.insert(create.entry);
        let place = EntryPlace {
            kind: create.kind,
            of: create.of.clone(),
            name: create.name.clone(),
            number: create.number,
        };
        Earliest::offer(&mut self.place, stamp, place);
        let held = &mut self.annotations;
        for (field, value) in &create.fields {
            Latest::offer_to(&mut held.fields, field.clone(), stamp, value.clone());
        }
        for (tag, value) in &create.tags {
            Latest::offer_to(&mut held.tags, tag.clone(), stamp, Some(value.clone()));
        }
    }

    /// What it is; `None` where only its uid is known.
    pub fn kind(&self) -> Option<EntryKind> {
        self.place.as_ref().map(|place| place.value.kind)
    }

    /// What it belongs to, as it was made.
    pub fn of(&self) -> Option<&Subject> {
        self.place.as_ref().map(|place| &place.value.of)
    }

    /// The project that it belongs to, if it belongs to one.
    pub fn project(&self) -> Option<&str> {
        match self.of()? {
            Subject::Project(name) => Some(name),
            Subject::Run(_) | Subject::Experiment(_) | Subject::Entry(_) => None,
        }
    }

    /// Its name: as set later, else as made.
    pub fn name(&self) -> Option<&str> {
        self.text("name")
            .or_else(|| self.place.as_ref()?.value.name.as_deref())
    }

    /// The name by which a collection is found: none where it is in the bin, for then its name is free.
    pub fn findable(&self) -> Option<(&str, &str)> {
        let is_there = self.kind() == Some(EntryKind::Collection) && !self.is_deleted();
        is_there.then_some(()).and(self.project()).zip(self.name())
    }

    /// A field, if it is text.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.annotations.text(field)
    }

    /// A field that names a run.
    pub fn run(&self) -> Option<RunUid> {
        self.text("run")?.parse().ok()
    }

    /// The logged model that a version was made from.
    pub fn model(&self) -> Option<EntryUid> {
        self.text("model")?.parse().ok()
    }

    /// Whether it is in the bin.
    pub fn is_deleted(&self) -> bool {
        self.annotations.flag("deleted")
    }

    /// When it was made.
    pub fn created(&self) -> Option<Timestamp> {
        self.place.as_ref().map(|place| place.stamp.time)
    }

    /// When something of it was changed last: a field, a tag, a note.
    pub fn updated(&self) -> Option<Timestamp> {
        self.annotations.changed().max(self.created())
    }

    /// The aliases of a collection, each with the version that it leads to.
    pub fn aliases(&self) -> impl Iterator<Item = (&str, EntryUid)> {
        self.prefixed(ALIAS)
            .filter_map(|(name, value)| Some((name, value.as_str()?.parse().ok()?)))
    }

    /// The version that an alias of a collection leads to.
    pub fn alias(&self, name: &str) -> Option<EntryUid> {
        self.text(&format!("{ALIAS}{name}"))?.parse().ok()
    }

    /// The params of a logged model.
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        self.prefixed(ENTRY_PARAM)
            .filter_map(|(name, value)| Some((name, value.as_str()?)))
    }

    /// Whether a collection holds prompts.
    pub fn is_prompt(&self) -> bool {
        self.text("kind") == Some(PROMPT)
    }

    /// The words of a field that is a list of texts.
    pub fn words(&self, field: &str) -> Vec<&str> {
        let words = self.annotations.field(field).and_then(Value::as_array);
        words
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    /// The secret, if there is one.
    pub fn secret(&self) -> Option<&Hidden> {
        self.secret.as_ref()?.value.as_ref()
    }

    fn prefixed(&self, prefix: &'static str) -> impl Iterator<Item = (&str, &Value)> {
        let from = self.annotations.fields.range(prefix.to_owned()..);
        from.map_while(move |(field, held)| Some((field.strip_prefix(prefix)?, &held.value)))
            .filter(|(_, value)| !value.is_null())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::id::{Uid, WriterUid};
    use crate::record::{SetField, SetSecret, SetTags};

    const ENTRY: EntryUid = EntryUid(Uid([3; 16]));

    fn of() -> Subject {
        Subject::Project("default".to_owned())
    }

    fn op() -> impl Strategy<Value = Op> {
        let create = (0_u8..2, "[mn]", "[de]").prop_map(|(uid, name, text)| {
            let mut create = CreateEntry::of(EntryUid(Uid([uid; 16])), EntryKind::Collection, of());
            create.name = Some(name);
            create.fields = [("description".to_owned(), json!(text))].into();
            create.tags = [("t".to_owned(), text)].into();
            Op::CreateEntry(Box::new(create))
        });
        let field = ("name|description|deleted|alias.[ab]", 0_u8..3).prop_map(|(field, value)| {
            let value = [json!(null), json!(1), json!(true)][usize::from(value)].clone();
            let subject = Subject::Entry(ENTRY);
            Op::SetField(SetField {
                subject,
                field,
                value,
            })
        });
        let tag = proptest::option::of("[pq]").prop_map(|value| {
            Op::SetTags(SetTags {
                subject: Subject::Entry(ENTRY),
                tags: vec![("t".to_owned(), value)],
            })
        });
        let secret = proptest::option::of("[pq]").prop_map(|secret| {
            Op::SetSecret(SetSecret {
                entry: ENTRY,
                secret: secret.map(Hidden::new),
            })
        });
        prop_oneof![create, field, tag, secret]
    }

    fn signed(at: usize, time: i64, op: Op) -> Signed {
        Signed {
            time: Timestamp(time),
            writer: WriterUid::default(),
            seq: at as u64,
            actor: None,
            operation: None,
            op,
        }
    }

    fn folded<'a>(ops: impl IntoIterator<Item = &'a Signed>) -> EntryState {
        let mut state = EntryState::default();
        for op in ops {
            state.apply(op);
        }
        state
    }

    fn script() -> impl Strategy<Value = Vec<Signed>> {
        let ops = proptest::collection::vec((0_i64..9, op()), 0..16);
        ops.prop_map(|ops| {
            let ops = ops.into_iter().enumerate();
            ops.map(|(at, (time, op))| signed(at, time, op)).collect()
        })
    }

    proptest! {
        #[test]
        fn any_order_of_operations_gives_an_equal_entry(
            (ops, shuffled) in script().prop_flat_map(|ops| (Just(ops.clone()), Just(ops).prop_shuffle())),
        ) {
            let (one, other) = (folded(&ops), folded(&shuffled));
            prop_assert_eq!(&one, &other);
            // Twice is as good as once.
            prop_assert_eq!(&folded(ops.iter().chain(&shuffled)), &one);
            let bytes = rmp_serde::to_vec_named(&one).unwrap();
            prop_assert_eq!(rmp_serde::from_slice::<EntryState>(&bytes).unwrap(), one);
        }
    }

    #[test]
    fn a_name_is_free_while_its_collection_is_in_the_bin() {
        let mut create = CreateEntry::of(ENTRY, EntryKind::Collection, of());
        create.name = Some("m".to_owned());
        let field = |field: &str, value: Value| {
            let (subject, field) = (Subject::Entry(ENTRY), field.to_owned());
            Op::SetField(SetField {
                subject,
                field,
                value,
            })
        };
        let mut ops = vec![signed(1, 1, Op::CreateEntry(Box::new(create)))];
        let version = EntryUid(Uid([8; 16]));
        ops.push(signed(
            2,
            2,
            field("alias.champion", json!(version.to_string())),
        ));
        let state = folded(&ops);
        assert_eq!(state.findable(), Some(("default", "m")));
        assert_eq!(state.aliases().collect::<Vec<_>>(), [("champion", version)]);
        assert_eq!(
            (state.created(), state.updated()),
            (Some(Timestamp(1)), Some(Timestamp(2)))
        );
        ops.push(signed(3, 3, field("deleted", json!(true))));
        ops.push(signed(4, 4, field("alias.champion", Value::Null)));
        let state = folded(&ops);
        assert_eq!((state.findable(), state.alias("champion")), (None, None));
    }
}
