//! What is wrong with spools: those there are, those that are sealed, and those that should be there.
//!
//! Invariant: a loss that a damaged spool explains is not told twice.

use super::{Check, Finding};
use crate::backend::SpoolRecord;
use crate::error::BookError;
use crate::tails::Tails;

impl Check<'_> {
    /// Looks at spools as known at the last seal and as read now.
    pub(super) fn spools(
        &mut self,
        mut spools: Vec<SpoolRecord>,
        tails: Tails,
    ) -> Result<(), BookError> {
        // What is read now tells more of a damaged spool than what was known at the last seal.
        for tail in tails.spools {
            spools.retain(|record| record.name != tail.record.name);
            spools.push(tail.record);
        }
        spools.retain(|record| record.lost > 0 || !record.damage.is_empty());
        let mut sequences = tails.sequences;
        for writer in self.sealed.look().broken_sequences()? {
            if !sequences.contains_key(&writer) {
                let numbers = self.sealed.look().sequence(writer)?;
                sequences.insert(writer, numbers);
            }
        }
        let findings = &mut self.report.findings;
        for (writer, numbers) in sequences {
            let name = writer.to_string();
            let is_explained = spools.iter().any(|record| record.name.starts_with(&name));
            let records = numbers.missing();
            if records > 0 && !is_explained {
                findings.push(Finding::Missing { writer, records });
            }
        }
        findings.extend(spools.into_iter().map(|record| Finding::Spool {
            name: record.name,
            lost: record.lost,
            damage: record.damage,
        }));
        let unreadable = tails.unreadable.into_iter();
        findings.extend(unreadable.map(|path| Finding::UnreadableSpool { path }));
        Ok(())
    }
}
