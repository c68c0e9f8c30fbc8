//! What a writer's indexes mean, and which of them the present file already defines.
//!
//! Invariant: an index keeps its meaning as long as its writer lives, also in later files and after a
//! fork; what a file has not defined yet is defined before it is used there.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use trialbook_model::record::{SeriesKey, Subject};

use super::{KeyIndex, SubjectIndex};
use crate::error::SpoolError;
use crate::frame::{put_key, put_subject};

/// Never the generation of a file: not defined anywhere.
const NOWHERE: u32 = 0;

pub(super) struct Dictionary {
    keys: Vec<(Arc<SeriesKey>, u32)>,
    key_indexes: FxHashMap<Arc<SeriesKey>, u32>,
    subjects: Vec<(Arc<Subject>, u32)>,
    subject_indexes: FxHashMap<Arc<Subject>, u32>,
    /// Which file is written; entries of another generation have to be defined again.
    generation: u32,
}

impl Dictionary {
    pub(super) fn new() -> Self {
        Self {
            keys: Vec::new(),
            key_indexes: FxHashMap::default(),
            subjects: Vec::new(),
            subject_indexes: FxHashMap::default(),
            generation: NOWHERE + 1,
        }
    }

    pub(super) fn key(&mut self, key: &SeriesKey) -> KeyIndex {
        if let Some(&index) = self.key_indexes.get(key) {
            return KeyIndex(index);
        }
        let index = self.keys.len() as u32;
        let key = Arc::new(key.clone());
        self.key_indexes.insert(Arc::clone(&key), index);
        self.keys.push((key, NOWHERE));
        KeyIndex(index)
    }

    pub(super) fn subject(&mut self, subject: &Subject) -> SubjectIndex {
        if let Some(&index) = self.subject_indexes.get(subject) {
            return SubjectIndex(index);
        }
        let index = self.subjects.len() as u32;
        let subject = Arc::new(subject.clone());
        self.subject_indexes.insert(Arc::clone(&subject), index);
        self.subjects.push((subject, NOWHERE));
        SubjectIndex(index)
    }

    /// The file is another one, or what was said to it may not have reached it.
    pub(super) fn forget_file(&mut self) {
        self.generation += 1;
    }

    /// Pushes the definitions that the present file lacks for these points.
    #[inline]
    pub(super) fn define(
        &mut self,
        out: &mut Vec<u8>,
        seq: u64,
        subject: SubjectIndex,
        pairs: &[(KeyIndex, f64)],
    ) -> Result<(), SpoolError> {
        let unknown = |what, index| SpoolError::UnknownIndex { what, index };
        match self.subjects.get(subject.0 as usize) {
            None => return Err(unknown("subject", subject.0)),
            Some((_, generation)) if *generation == self.generation => {}
            Some(_) => self.define_subject(out, seq, subject.0)?,
        }
        for &(KeyIndex(index), _) in pairs {
            match self.keys.get(index as usize) {
                None => return Err(unknown("key", index)),
                Some((_, generation)) if *generation == self.generation => {}
                Some(_) => self.define_key(out, seq, index)?,
            }
        }
        Ok(())
    }

    /// Pushes all definitions.
    pub(super) fn define_all(&mut self, out: &mut Vec<u8>, seq: u64) -> Result<(), SpoolError> {
        for index in 0..self.subjects.len() as u32 {
            self.define_subject(out, seq, index)?;
        }
        for index in 0..self.keys.len() as u32 {
            self.define_key(out, seq, index)?;
        }
        Ok(())
    }

    #[cold]
    fn define_key(&mut self, out: &mut Vec<u8>, seq: u64, index: u32) -> Result<(), SpoolError> {
        let (key, generation) = &mut self.keys[index as usize];
        if !put_key(out, seq, index, key) {
            let bytes = key.key.len() + key.context.len();
            return Err(SpoolError::TooLong { bytes });
        }
        *generation = self.generation;
        Ok(())
    }

    #[cold]
    fn define_subject(&mut self, out: &mut Vec<u8>, seq: u64, at: u32) -> Result<(), SpoolError> {
        let (subject, generation) = &mut self.subjects[at as usize];
        if !put_subject(out, seq, at, subject) {
            let bytes = match subject.as_ref() {
                Subject::Project(name) => name.len(),
                Subject::Run(_) | Subject::Experiment(_) | Subject::Entry(_) => 16,
            };
            return Err(SpoolError::TooLong { bytes });
        }
        *generation = self.generation;
        Ok(())
    }
}
