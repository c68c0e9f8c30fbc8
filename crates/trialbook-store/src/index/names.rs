//! Which names runs have for their metrics, params and tags: for hints, where a search asks for another one.
//!
//! Not here: values. Invariant: every name that some run has is among them; a name that only purged or changed
//! runs had may be, until the segment is built anew.

use std::collections::BTreeSet;

use trialbook_model::filter::KeyKind;

use super::layout::{Damaged, Kind};
use super::{Change, Index, RunFacts};

impl Index {
    /// The names of a kind of keys; a bare key is a metric or a param. Attributes and datasets have none of
    /// their own. A damaged snapshot gives no answer.
    pub fn names(&self, kind: KeyKind) -> Result<BTreeSet<String>, Damaged> {
        let kinds: &[Kind] = match kind {
            KeyKind::Metric => &[Kind::Metric, Kind::Derived],
            KeyKind::Param => &[Kind::Param],
            KeyKind::Tag => &[Kind::Tag],
            KeyKind::Bare => &[Kind::Metric, Kind::Derived, Kind::Param],
            KeyKind::Attribute | KeyKind::Dataset => &[],
        };
        let mut names = BTreeSet::new();
        for segment in self.segments.iter().flatten() {
            for key in segment.keys()? {
                let (kind, name, _context) = key?;
                if kinds.contains(&kind) && !names.contains(name) {
                    names.insert(name.to_owned());
                }
            }
        }
        for change in self.changed.values() {
            if let Change::Put(run) = change {
                add_names(run, kinds, &mut names);
            }
        }
        Ok(names)
    }
}

fn add_names(run: &RunFacts<'_>, kinds: &[Kind], names: &mut BTreeSet<String>) {
    let mut add = |kind, of: &mut dyn Iterator<Item = &str>| {
        if kinds.contains(&kind) {
            for name in of {
                if !names.contains(name) {
                    names.insert(name.to_owned());
                }
            }
        }
    };
    add(
        Kind::Metric,
        &mut run.metrics.iter().map(|((key, _), _)| &**key),
    );
    add(
        Kind::Derived,
        &mut run.derived.iter().map(|(key, _)| &**key),
    );
    add(Kind::Param, &mut run.params.iter().map(|(key, _)| &**key));
    add(Kind::Tag, &mut run.tags.iter().map(|(key, _)| &**key));
}
