//! Taking in a batch of operations, as one seal does.

use std::collections::BTreeSet;

use trialbook_model::derived::Judgements;
use trialbook_model::id::{ExperimentNo, ExperimentUid, RunNo, RunUid};
use trialbook_model::record::{CreateExperiment, Op, Points, Signed, Subject};
use trialbook_model::state::{ExperimentState, Point, RunState, Stamp};

use super::Reference;
use crate::fold::{Mention, renamed};
use crate::nouns::{ExperimentRow, Owner, Recorded, RunRow};

impl Reference {
    /// Takes in the operations of one seal. They are taken in the order of their stamps, whatever the order
    /// given; new experiments and runs get their numbers in that order.
    pub fn seal(&mut self, operations: &[Signed]) {
        let mut batch: Vec<&Signed> = operations.iter().collect();
        batch.sort_by_key(|signed| signed.order());
        let fresh: Vec<&Signed> = batch
            .into_iter()
            .filter(|signed| {
                signed
                    .operation
                    .is_none_or(|uid| self.operations.insert(uid))
            })
            .collect();
        self.purge(&fresh);
        let touched: Vec<&Signed> = fresh
            .into_iter()
            .filter(|signed| {
                signed
                    .op
                    .subject()
                    .is_none_or(|of| !self.purged.contains(&of))
            })
            .collect();
        for signed in &touched {
            if let Op::CreateExperiment(create) = &signed.op {
                let no = self.create_experiment(create);
                self.experiments[no.0 as usize].state.apply(signed);
            } else if let Some(uid) = renamed(&signed.op)
                && self.experiment_numbers.contains_key(&uid)
            {
                self.take(signed);
            }
            self.name_entry(signed);
        }
        for signed in &touched {
            if !matches!(signed.op, Op::CreateExperiment(_)) {
                self.take(signed);
            }
        }
        self.number_runs(&touched);
        self.number_entries(&touched);
        self.judge_again(&touched);
    }

    /// A later judgement or attempt changes what an item counts for, so the items of such runs are folded anew.
    fn judge_again(&mut self, batch: &[&Signed]) {
        let runs: BTreeSet<RunUid> = batch
            .iter()
            .filter_map(|signed| match signed.op.subject() {
                Some(Subject::Run(uid)) => Some(uid),
                Some(Subject::Experiment(_) | Subject::Project(_) | Subject::Entry(_)) | None => {
                    None
                }
            })
            .collect();
        for uid in runs {
            let at = self.run_at(uid);
            let owner = Owner::Run(RunNo(at as u64 + 1));
            let state = &mut self.runs[at].as_mut().expect("a run of this batch").state;
            if !state.derived.needs_all_items() {
                continue;
            }
            let mut judgements = Judgements::default();
            for known in self.assessments.get(&owner).into_iter().flatten() {
                judgements.observe(known.stamp.order(), &known.record);
            }
            let items = self.items.get(&owner).into_iter().flatten();
            let items = items.map(|known| (known.stamp.order(), &known.record));
            state.derived.refold_items(&judgements, items);
        }
    }

    /// Purged subjects are gone at once, with what this batch says of them.
    fn purge(&mut self, batch: &[&Signed]) {
        for signed in batch {
            let Op::Purge(purge) = &signed.op else {
                continue;
            };
            let uid = match purge.subject {
                Subject::Run(uid) => uid,
                Subject::Entry(uid) => {
                    self.purge_entry(uid);
                    continue;
                }
                Subject::Experiment(_) | Subject::Project(_) => continue,
            };
            self.purged.insert(purge.subject.clone());
            if let Some(at) = self.run_numbers.remove(&uid) {
                self.runs[at] = None;
                let owner = Owner::Run(RunNo(at as u64 + 1));
                self.points.retain(|(of, _), _| *of != owner);
                self.events.remove(&owner);
                self.logs.remove(&owner);
                self.items.remove(&owner);
                self.assessments.remove(&owner);
                self.spans.remove(&owner);
            }
        }
    }

    /// The first experiment of a name in its project holds; later uids come to mean it.
    fn create_experiment(&mut self, create: &CreateExperiment) -> ExperimentNo {
        if let Some(no) = self.experiment_numbers.get(&create.experiment) {
            return *no;
        }
        let known = self.experiments.iter().find(|row| {
            row.state.project() == create.project && row.state.name() == Some(&create.name)
        });
        let no = match known {
            Some(row) => row.no,
            None => self.add_experiment(),
        };
        self.experiment_numbers.insert(create.experiment, no);
        no
    }

    fn add_experiment(&mut self) -> ExperimentNo {
        let no = ExperimentNo(self.experiments.len() as u64);
        let state = ExperimentState::default();
        self.experiments.push(ExperimentRow { no, state });
        no
    }

    /// The experiment of a uid; one that only its runs name is made without a name.
    fn experiment_no(&mut self, uid: ExperimentUid) -> ExperimentNo {
        if let Some(no) = self.experiment_numbers.get(&uid) {
            return *no;
        }
        let no = self.add_experiment();
        self.experiments[no.0 as usize].state.uids.insert(uid);
        self.experiment_numbers.insert(uid, no);
        no
    }

    fn run_at(&mut self, uid: RunUid) -> usize {
        if let Some(at) = self.run_numbers.get(&uid) {
            return *at;
        }
        let at = self.runs.len();
        self.runs.push(Some(RunRow {
            no: RunNo(at as u64 + 1),
            uid,
            experiment: ExperimentNo(0),
            number: None,
            state: RunState::default(),
        }));
        self.run_numbers.insert(uid, at);
        at
    }

    pub(super) fn take(&mut self, signed: &Signed) {
        let Some(subject) = signed.op.subject() else {
            let number = (signed.writer, signed.seq);
            self.unknown.insert(number, signed.clone());
            return;
        };
        let owner = self.owner(subject);
        let Some(signed) = self.keep(&owner, signed) else {
            return;
        };
        match owner {
            Owner::Run(no) => {
                let row = self.runs[no.0 as usize - 1].as_mut();
                row.expect("a run that was just found").state.apply(&signed);
            }
            Owner::Experiment(no) => self.experiments[no.0 as usize].state.apply(&signed),
            Owner::Project(name) => self.projects.entry(name).or_default().apply(&signed),
            Owner::Entry(no) => self.entry_row(no).state.apply(&signed),
        }
    }

    /// The subject by its number, a new one where it is not known.
    pub(super) fn owner(&mut self, subject: Subject) -> Owner {
        match subject {
            Subject::Run(uid) => Owner::Run(RunNo(self.run_at(uid) as u64 + 1)),
            Subject::Experiment(uid) => Owner::Experiment(self.experiment_no(uid)),
            Subject::Project(name) => Owner::Project(name),
            Subject::Entry(uid) => Owner::Entry(self.entry_at(uid)),
        }
    }

    /// Keeps what a state does not hold; returns the operation without the points that were known already.
    fn keep(&mut self, owner: &Owner, signed: &Signed) -> Option<Signed> {
        let stamp = Stamp::from(signed);
        let mut signed = signed.clone();
        match &mut signed.op {
            Op::Points(points) => self.keep_points(owner, points),
            Op::Event(event) => keep(self.events.entry(owner.clone()), stamp, event),
            Op::Log(log) => keep(self.logs.entry(owner.clone()), stamp, log),
            Op::Item(item) => keep(self.items.entry(owner.clone()), stamp, item),
            Op::Span(span) => keep(self.spans.entry(owner.clone()), stamp, span),
            Op::Assess(assess) => keep(self.assessments.entry(owner.clone()), stamp, assess),
            Op::LinkSnapshot(link) => {
                if let Some(document) = link.document.take() {
                    self.snapshots.insert(link.sha256.clone(), document);
                }
            }
            Op::CreateExperiment(_)
            | Op::StartRun(_)
            | Op::SetStatus(_)
            | Op::SetParams(_)
            | Op::SetTags(_)
            | Op::SetField(_)
            | Op::PutNote(_)
            | Op::SetPointer(_)
            | Op::DefineMetric(_)
            | Op::PutArtifact(_)
            | Op::Progress(_)
            | Op::Heartbeat(_)
            | Op::CreateEntry(_)
            | Op::SetSecret(_)
            | Op::UseDataset(_)
            | Op::LinkModel(_)
            | Op::Unknown { .. } => {}
            Op::Purge(_) => return None,
        }
        Some(signed)
    }

    fn keep_points(&mut self, owner: &Owner, points: &mut Points) {
        let (step, time, set) = (points.step, points.time, points.set);
        points.values.retain(|(key, value)| {
            let series = self.points.entry((owner.clone(), key.clone())).or_default();
            let point = Point {
                step,
                time,
                value: *value,
            };
            let known = set && series.iter().any(|other| other.order(&point).is_eq());
            if !known {
                let at = series.partition_point(|other| other.order(&point).is_le());
                series.insert(at, point);
            }
            !known
        });
    }

    /// Runs whose start has become known, or that were moved, get their experiment and `run-NNN`, in the order
    /// of the batch.
    fn number_runs(&mut self, batch: &[&Signed]) {
        let mut seen = BTreeSet::new();
        let mut mentions = Vec::new();
        for signed in batch {
            if let Some(Subject::Run(uid)) = signed.op.subject()
                && seen.insert(uid)
            {
                mentions.push(Mention::Seen(uid));
            }
            mentions.extend(Mention::of_move(signed));
        }
        for mention in Mention::with_ends(&mentions) {
            let at = self.run_at(mention.run());
            let row = self.runs[at].as_ref().expect("a run that was just found");
            let Some((experiment, wish)) = mention.place(row) else {
                continue;
            };
            let experiment = self.experiment_no(experiment);
            let row = self.runs[at].as_ref().expect("a run that was just found");
            if row.number.is_some() && row.experiment == experiment {
                continue;
            }
            let number = self.free_number(experiment, wish);
            let row = self.runs[at].as_mut().expect("a run that was just found");
            row.experiment = experiment;
            row.number = Some(number);
        }
    }

    /// The number wished for if it is free, else the highest and one.
    fn free_number(&self, experiment: ExperimentNo, wish: Option<u64>) -> u64 {
        let taken: BTreeSet<u64> = self
            .runs
            .iter()
            .flatten()
            .filter(|row| row.experiment == experiment)
            .filter_map(|row| row.number)
            .collect();
        let next = taken.last().map_or(1, |last| last + 1);
        wish.filter(|wish| !taken.contains(wish)).unwrap_or(next)
    }
}

fn keep<T: Clone>(
    entry: std::collections::btree_map::Entry<'_, Owner, Vec<Recorded<T>>>,
    stamp: Stamp,
    record: &T,
) {
    let records = entry.or_default();
    let at = records.partition_point(|known| known.stamp < stamp);
    records.insert(
        at,
        Recorded {
            stamp,
            record: record.clone(),
        },
    );
}
