//! What of a stream comes into a book, as it is written to the draft.
//!
//! Not here: whether it comes in. Invariant: a record is counted when it is written.

use trialbook_model::record::{Op, Points, SetField, StartRun, Subject};
use trialbook_model::time::Timestamp;
use trialbook_runner::standing::LEFT_OUT_FIELD;

use super::{Arrival, Run};
use crate::blobs;
use crate::error::ImportError;
use crate::record::{Block, Record, Said};

impl Arrival<'_> {
    pub(super) fn write(&mut self, mut record: Record) -> Result<(), ImportError> {
        let life = match &record {
            Record::Points(Block {
                of: Subject::Run(uid),
                ..
            }) => match self.runs.get(uid) {
                Some(Run::New(life)) => *life,
                Some(Run::Matching(_)) | None => None,
            },
            Record::Points(_) | Record::Said(_) => None,
        };
        blobs::sums(&record, &mut self.sums);
        let is_beside = matches!(&record, Record::Said(Said { op: Op::StartRun(start), .. })
            if self.renaming.is_beside(start));
        self.renaming.apply(&mut record);
        match record {
            Record::Said(said) => {
                self.summary.records += 1;
                self.draft.say(said.time, said.actor.as_deref(), &said.op)?;
                if is_beside && let Op::StartRun(start) = &said.op {
                    self.leave_out(&said, start)?;
                }
            }
            Record::Points(block) => {
                self.summary.points += block.points();
                self.write_points(&block, life)?;
            }
        }
        Ok(())
    }

    /// Marks a trial that stands beside the planned one, so that it does not count in its place.
    fn leave_out(&mut self, said: &Said, start: &StartRun) -> Result<(), ImportError> {
        if start.trial.is_none() {
            return Ok(());
        }
        let op = Op::SetField(SetField {
            subject: Subject::Run(start.run),
            field: LEFT_OUT_FIELD.to_owned(),
            value: true.into(),
        });
        self.summary.records += 1;
        self.draft.say(said.time, said.actor.as_deref(), &op)?;
        Ok(())
    }

    /// Points are said at their time, unless that would make the run older or younger than it was.
    fn write_points(
        &mut self,
        block: &Block,
        life: Option<(Timestamp, Timestamp)>,
    ) -> Result<(), ImportError> {
        let subject = self.draft.subject(&block.of);
        let keys: Vec<_> = block.series.iter().map(|key| self.draft.key(key)).collect();
        let mut pairs: Vec<_> = keys.into_iter().map(|key| (key, 0.0)).collect();
        for (at, (step, time)) in block.steps.iter().zip(&block.times).enumerate() {
            let time = Timestamp(*time);
            for (pair, column) in pairs.iter_mut().zip(&block.values) {
                pair.1 = column.get(at).copied().unwrap_or(f64::NAN);
            }
            let said = life.map_or(time, |(born, alive)| time.clamp(born, alive));
            if said == time {
                self.draft.points(subject, (*step, time), &pairs)?;
            } else {
                let values = block.series.iter().zip(&pairs);
                let points = Points {
                    subject: block.of.clone(),
                    step: *step,
                    time,
                    set: false,
                    values: values
                        .map(|(key, (_, value))| (key.clone(), *value))
                        .collect(),
                };
                self.draft.say(said, None, &Op::Points(points))?;
            }
        }
        Ok(())
    }
}
