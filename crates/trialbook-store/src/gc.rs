//! Clearing away what nothing speaks of any more: bytes of artifacts, the bin, free pages of the database.
//!
//! First a plan, which changes nothing, then what it says. Not here: whether it should be done. Invariant: bytes
//! that a record speaks of stay, and so do those that came within a day, for their record may still be on its
//! way; what is removed for good leaves a tombstone.

use std::collections::{BTreeMap, BTreeSet};

use trialbook_model::id::{EntryNo, EntryUid, ExperimentNo, RunNo, RunUid, Uid};
use trialbook_model::record::{EntryKind, Op, Purge, Subject};
use trialbook_model::stale::stale_since;
use trialbook_model::state::{Annotations, BASELINE, BIN_DAYS, Records};
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;

use crate::book::{Book, Effort, SealOutcome};
use crate::error::BookError;
use crate::nouns::{EntryRow, ExperimentRow, Owner, RunRow};
use crate::query::{Entries, Query, Shown};
use crate::reading::Reading as _;
use crate::recorder::Recorder;
use crate::seal::take_lease;
use crate::view::BookView;

/// Microseconds of a day.
pub const DAY: i64 = 86_400_000_000;

/// How long bytes that nothing speaks of are kept.
const GRACE: i64 = DAY;

/// Rows read at once.
const ROWS: usize = 256;

/// Free bytes of the database that are worth writing it anew.
const WORTH: u64 = 1 << 20;

/// What can be cleared away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GcPlan {
    /// Runs that have been in the bin for long, by number and uid.
    pub purged: Vec<(RunNo, RunUid)>,
    /// Entries of the register that have been there as long, each with all its uids.
    pub purged_entries: Vec<(EntryNo, Vec<EntryUid>)>,
    /// Bytes that nothing speaks of: their sums and how many they are.
    pub orphans: Vec<(String, u64)>,
    /// Bytes that nothing speaks of and that are too young to be removed.
    pub young: u64,
    /// Free bytes in the database's file.
    pub free: u64,
    /// Experiments that ended long ago, if those were asked for: they would go to the bin.
    pub old: Vec<Uid>,
}

/// What was cleared away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GcReport {
    /// Runs that were removed for good.
    pub purged: u64,
    /// Entries of the register that were.
    pub purged_entries: u64,
    /// Files that were removed.
    pub orphans: u64,
    /// Their bytes.
    pub orphan_bytes: u64,
    /// Bytes that the database's file is shorter.
    pub freed: u64,
}

impl Book {
    /// Looks what can be cleared away. Experiments count as old when nothing was heard of them since `older`.
    pub fn gc_plan(&self, now: Timestamp, older: Option<Timestamp>) -> Result<GcPlan, BookError> {
        let view = self.view()?;
        let mut looking = Looking::new(&view, now)?;
        looking.register()?;
        looking.runs(older)?;
        looking.rest()?;
        let mut plan = looking.plan;
        for sum in self.artifacts().list()? {
            if looking.sums.contains(&sum) {
                continue;
            }
            match self.age(&sum, now)? {
                Some((age, bytes)) if age >= GRACE => plan.orphans.push((sum, bytes)),
                Some(_) => plan.young += 1,
                None => {}
            }
        }
        plan.free = match self.database() {
            Some(database) => database.free_bytes()?,
            None => 0,
        };
        Ok(plan)
    }

    /// Clears away what a plan says, the bin first. `None` when somebody holds the lease; where that is known at
    /// once nothing is recorded.
    pub fn gc(
        &self,
        plan: &GcPlan,
        now: Timestamp,
        recorder: Recorder,
    ) -> Result<Option<GcReport>, BookError> {
        self.writable()?;
        if self.with_ground(take_lease)?.is_none() {
            return Ok(None);
        }
        let mut recorder = recorder;
        for (_, uid) in &plan.purged {
            let subject = Subject::Run(*uid);
            recorder.record(&Op::Purge(Purge { subject }))?;
        }
        for uid in plan.purged_entries.iter().flat_map(|(_, uids)| uids) {
            let subject = Subject::Entry(*uid);
            recorder.record(&Op::Purge(Purge { subject }))?;
        }
        recorder.finish()?;
        if self.seal(Effort::All)?.outcome == SealOutcome::Busy {
            return Ok(None);
        }
        let mut report = GcReport {
            purged: plan.purged.len() as u64,
            purged_entries: plan.purged_entries.len() as u64,
            ..GcReport::default()
        };
        for (sum, bytes) in &plan.orphans {
            // Somebody may have put the same bytes since: then they are young.
            let is_old = self.age(sum, now)?.is_some_and(|(age, _)| age >= GRACE);
            if is_old {
                self.artifacts().remove(sum)?;
                report.orphans += 1;
                report.orphan_bytes += bytes;
            }
        }
        let Some(_lease) = self.with_ground(take_lease)? else {
            return Ok(None);
        };
        if let Some(database) = self.database()
            && database.free_bytes()? >= WORTH
        {
            report.freed = database.vacuum()?;
        }
        Ok(Some(report))
    }

    /// How long ago bytes were put, and how many they are; `None` where they are gone.
    fn age(&self, sum: &str, now: Timestamp) -> Result<Option<(i64, u64)>, BookError> {
        let found = self.artifacts().age(sum)?;
        Ok(found.map(|(put, bytes)| (now.0.saturating_sub(put.0), bytes)))
    }
}

/// A look at everything.
struct Looking<'a> {
    view: &'a BookView<'a>,
    now: Timestamp,
    experiments: BTreeMap<ExperimentNo, ExperimentRow>,
    /// Sums that records speak of.
    sums: BTreeSet<String>,
    /// Runs whose files a version is made of.
    needed: BTreeSet<RunUid>,
    plan: GcPlan,
}

impl<'a> Looking<'a> {
    fn new(view: &'a BookView<'a>, now: Timestamp) -> Result<Self, BookError> {
        let rows = view.experiments()?.into_iter();
        Ok(Self {
            view,
            now,
            experiments: rows.map(|row| (row.no, row)).collect(),
            sums: BTreeSet::new(),
            needed: BTreeSet::new(),
            plan: GcPlan::default(),
        })
    }

    /// Entries of the register. What a version is made of stays as long as the version does, in the bin if it was
    /// put there.
    fn register(&mut self) -> Result<(), BookError> {
        let rows = self.view.entries(&Entries::All)?;
        let long_gone = |row: &EntryRow| {
            let since = row.state.annotations.deleted_since();
            since.is_some_and(|since| self.now.0.saturating_sub(since.0) >= BIN_DAYS * DAY)
        };
        let gone: BTreeSet<EntryNo> = rows
            .iter()
            .filter(|row| long_gone(row))
            .map(|row| row.no)
            .collect();
        let goes = |row: &EntryRow| {
            let with_its_collection =
                matches!(row.of, Some(Owner::Entry(of)) if gone.contains(&of));
            gone.contains(&row.no) || with_its_collection
        };
        let (going, staying): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| goes(row));
        let versions = staying
            .iter()
            .filter(|row| row.state.kind() == Some(EntryKind::Version));
        let versions: Vec<_> = versions.map(|row| &row.state).collect();
        self.needed
            .extend(versions.iter().filter_map(|state| state.run()));
        let models: BTreeSet<EntryUid> =
            versions.iter().filter_map(|state| state.model()).collect();
        let (kept, going): (Vec<_>, Vec<_>) = going
            .into_iter()
            .partition(|row| row.state.uids.iter().any(|uid| models.contains(uid)));
        for row in kept.iter().chain(&staying) {
            self.records(&row.state.records);
        }
        let purged = going
            .into_iter()
            .map(|row| (row.no, row.state.uids.into_iter().collect()));
        self.plan.purged_entries = purged.collect();
        Ok(())
    }

    fn runs(&mut self, older: Option<Timestamp>) -> Result<(), BookError> {
        let query = Query {
            shown: Shown::All,
            ..Query::all()
        };
        let mut numbers = self.view.search(&query)?.runs;
        numbers.sort();
        // Experiments of which something is too young, or not over, or to be kept.
        let mut kept = BTreeSet::new();
        let mut met = BTreeSet::new();
        let marked = self.marked()?;
        for some in numbers.chunks(ROWS) {
            for run in self.view.runs(some)? {
                if self.is_due(&run) {
                    self.plan.purged.push((run.no, run.uid));
                    continue;
                }
                self.records(&run.state.records);
                self.items(&run)?;
                met.insert(run.experiment);
                let state = &run.state;
                let is_old = older.is_some_and(|older| state.alive < Some(older));
                let is_tagged = state.annotations.tags().next().is_some();
                if !is_old || !state.status().is_final() || is_tagged || marked.contains(&run.uid.0)
                {
                    kept.insert(run.experiment);
                }
            }
        }
        for row in self.experiments.values() {
            let annotations = &row.state.annotations;
            // What names no experiment goes to `Default`, so that it is never over.
            let stays = row.no == ExperimentNo(0)
                || kept.contains(&row.no)
                || !met.contains(&row.no)
                || annotations.flag("archived")
                || annotations.flag("deleted")
                || annotations.tags().next().is_some()
                || row.state.uids.iter().any(|uid| marked.contains(&uid.0));
            if let (false, Some(uid)) = (stays, row.state.uids.first()) {
                self.plan.old.push(uid.0);
            }
        }
        Ok(())
    }

    /// The runs and experiments that baselines lead to.
    fn marked(&self) -> Result<BTreeSet<Uid>, BookError> {
        let mut marked = BTreeSet::new();
        for name in self.view.projects()? {
            let project = self.view.project(&name)?;
            for ((kind, _), held) in &project.pointers {
                let values = held
                    .value
                    .as_object()
                    .into_iter()
                    .flat_map(|map| map.values());
                let texts = values.filter_map(|value| value.as_str());
                if kind == BASELINE {
                    marked.extend(texts.filter_map(|text| text.parse::<Uid>().ok()));
                }
            }
        }
        Ok(marked)
    }

    /// Whether a run has been in the bin for long, by itself or with its experiment. Since something was heard of
    /// it the same days must be over: it may have gone on, or have come, when its experiment was in the bin.
    fn is_due(&self, run: &RunRow) -> bool {
        let state = &run.state;
        let is_running = state.status() == RunStatus::Running;
        if self.needed.contains(&run.uid) || is_running && stale_since(state, self.now).is_none() {
            return false;
        }
        let of = self.experiments.get(&run.experiment);
        let of = of.map(|row| &row.state.annotations);
        let since = [Some(&run.state.annotations), of].into_iter().flatten();
        let since = since.filter_map(binned).min();
        since.is_some_and(|since| {
            let since = state.alive.map_or(since, |alive| alive.max(since));
            self.now.0.saturating_sub(since.0) >= BIN_DAYS * DAY
        })
    }

    /// What experiments and projects speak of.
    fn rest(&mut self) -> Result<(), BookError> {
        for row in std::mem::take(&mut self.experiments).into_values() {
            self.records(&row.state.records);
        }
        for name in self.view.projects()? {
            let records = self.view.project(&name)?.records;
            self.records(&records);
        }
        Ok(())
    }

    fn records(&mut self, records: &Records) {
        let versions = records.artifacts.values().flatten();
        self.sums
            .extend(versions.filter_map(|version| version.value.sha256.clone()));
    }

    /// Long inputs and outputs of items.
    fn items(&mut self, run: &RunRow) -> Result<(), BookError> {
        if run.state.records.counts.items == 0 {
            return Ok(());
        }
        for item in self.view.items(run.no)? {
            for text in [item.record.input, item.record.output]
                .into_iter()
                .flatten()
            {
                let sum = text.strip_prefix("sha256:");
                self.sums.extend(sum.map(str::to_owned));
            }
        }
        Ok(())
    }
}

/// Since when something is in the bin.
fn binned(annotations: &Annotations) -> Option<Timestamp> {
    let held = annotations.fields.get("deleted")?;
    (held.value == serde_json::Value::Bool(true)).then_some(held.stamp.time)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use trialbook_model::id::ExperimentUid;
    use trialbook_model::record::{CreateEntry, CreateExperiment, PutArtifact, SetField, StartRun};
    use trialbook_model::time::Clock;

    use super::*;
    use crate::recorder::RecorderOptions;

    struct At(i64);

    impl Clock for At {
        fn now(&self) -> Timestamp {
            Timestamp(self.0)
        }
    }

    fn recorder(book: &Book, at: i64) -> Recorder {
        let clock = Arc::new(At(at));
        book.recorder(RecorderOptions::new("t", clock)).unwrap()
    }

    /// Two runs with a file each, the second one in the bin since the first day.
    fn filled(folder: &Path) -> (Book, [String; 3]) {
        let book = Book::create(folder).unwrap();
        let put = |text: &str| book.artifacts().put(&mut text.as_bytes()).unwrap().sha256;
        let sums = ["one", "two", "nobody's"].map(put);
        let mut writer = recorder(&book, DAY);
        for (at, sum) in [1, 2].into_iter().zip(&sums) {
            let run = RunUid(Uid([at; 16]));
            let subject = Subject::Run(run);
            let field = Op::SetField(SetField {
                subject: subject.clone(),
                field: "deleted".to_owned(),
                value: serde_json::Value::Bool(at == 2),
            });
            let artifact = Op::PutArtifact(PutArtifact {
                subject,
                path: "a".to_owned(),
                sha256: Some(sum.clone()),
                size: None,
                uri: None,
                r#type: None,
                role: None,
                step: None,
                description: None,
                removed: false,
            });
            for op in [Op::StartRun(StartRun::of(run)), artifact, field] {
                writer.record(&op).unwrap();
            }
        }
        writer.finish().unwrap();
        (book, sums)
    }

    #[test]
    fn the_bin_is_emptied_after_its_days_and_bytes_go_when_nothing_speaks_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let (book, sums) = filled(&folder.path().join("book"));
        let early = book.gc_plan(Timestamp(30 * DAY), None).unwrap();
        assert!(early.purged.is_empty() && early.orphans.is_empty());
        assert_eq!(
            early.young, 1,
            "put a moment ago, whatever the clock of the plan says"
        );
        // The bytes were put now, so that the plan has to lie behind.
        let now = Timestamp(i64::MAX / 2);
        let plan = book.gc_plan(now, None).unwrap();
        assert_eq!(plan.purged, [(plan.purged[0].0, RunUid(Uid([2; 16])))]);
        let mut orphans: Vec<_> = plan.orphans.iter().map(|(sum, _)| sum.clone()).collect();
        orphans.sort();
        let mut expected = sums[1..].to_vec();
        expected.sort();
        assert_eq!(orphans, expected);
        assert_eq!(
            book.view().unwrap().run_count().unwrap(),
            2,
            "a plan changes nothing"
        );
        let report = book
            .gc(&plan, now, recorder(&book, 2 * DAY))
            .unwrap()
            .unwrap();
        assert_eq!((report.purged, report.orphans), (1, 2));
        assert_eq!(book.view().unwrap().run_count().unwrap(), 1);
        assert_eq!(book.artifacts().list().unwrap(), [sums[0].clone()]);
        let again = book.gc_plan(now, None).unwrap();
        assert!(again.purged.is_empty() && again.orphans.is_empty());
    }

    /// Runs of an experiment that is in the bin since the first day: one that ended then, a young one, and one
    /// that is still running.
    #[test]
    fn runs_that_are_young_or_running_outlive_the_bin_of_their_experiment() {
        let folder = tempfile::tempdir().unwrap();
        let book = Book::create(&folder.path().join("book")).unwrap();
        let experiment = ExperimentUid(Uid([9; 16]));
        let mut writer = recorder(&book, DAY);
        let create = Op::CreateExperiment(CreateExperiment {
            experiment,
            project: "p".to_owned(),
            name: "e".to_owned(),
            handle: None,
            document: serde_json::Value::Null,
            config_hash: None,
        });
        let field = Op::SetField(SetField {
            subject: Subject::Experiment(experiment),
            field: "deleted".to_owned(),
            value: true.into(),
        });
        writer.record(&create).unwrap();
        writer.record(&field).unwrap();
        let start = |at: u8, status, source: &str| {
            Op::StartRun(StartRun {
                experiment,
                status,
                source: source.to_owned(),
                ..StartRun::of(RunUid(Uid([at; 16])))
            })
        };
        let old = start(1, RunStatus::Completed, "sdk");
        // Of a shell's run nothing may be heard for as long as one likes.
        let running = start(3, RunStatus::Running, "shell");
        writer.record(&old).unwrap();
        writer.record(&running).unwrap();
        writer.finish().unwrap();
        let mut writer = recorder(&book, 20 * DAY);
        let young = start(2, RunStatus::Completed, "sdk");
        writer.record(&young).unwrap();
        writer.finish().unwrap();
        let purged = |day: i64| {
            let plan = book.gc_plan(Timestamp(day * DAY), None).unwrap();
            let mut uids: Vec<u8> = plan.purged.iter().map(|(_, uid)| uid.0.0[0]).collect();
            uids.sort_unstable();
            uids
        };
        assert_eq!(purged(30), [0_u8; 0]);
        assert_eq!(purged(31), [1]);
        assert_eq!(purged(49), [1]);
        assert_eq!(purged(50), [1, 2]);
    }

    /// A run, a logged model and a version of both, all in the bin since the first day but for the version.
    #[test]
    fn what_a_version_is_made_of_outlives_the_bin() {
        let folder = tempfile::tempdir().unwrap();
        let book = Book::create(&folder.path().join("book")).unwrap();
        let run = RunUid(Uid([1; 16]));
        let uid = |at: u8| EntryUid(Uid([at; 16]));
        let of = Subject::Project("p".to_owned());
        let mut collection = CreateEntry::of(uid(1), EntryKind::Collection, of);
        collection.name = Some("m".to_owned());
        let of = Subject::Experiment(ExperimentUid::default());
        let model = CreateEntry::of(uid(2), EntryKind::LoggedModel, of);
        let mut version = CreateEntry::of(uid(3), EntryKind::Version, Subject::Entry(uid(1)));
        version.fields = [
            ("run".to_owned(), run.to_string().into()),
            ("model".to_owned(), uid(2).to_string().into()),
        ]
        .into();
        let ended = StartRun {
            status: RunStatus::Completed,
            ..StartRun::of(run)
        };
        let bin = |subject: Subject| {
            Op::SetField(SetField {
                subject,
                field: "deleted".to_owned(),
                value: true.into(),
            })
        };
        let mut writer = recorder(&book, DAY);
        writer.record(&Op::StartRun(ended)).unwrap();
        for create in [collection, model, version] {
            writer.record(&Op::CreateEntry(Box::new(create))).unwrap();
        }
        for subject in [Subject::Run(run), Subject::Entry(uid(2))] {
            writer.record(&bin(subject)).unwrap();
        }
        writer.finish().unwrap();
        let plan = book.gc_plan(Timestamp(90 * DAY), None).unwrap();
        assert!(plan.purged.is_empty() && plan.purged_entries.is_empty());
        // With its collection the version goes, and then what it was made of.
        let mut writer = recorder(&book, 100 * DAY);
        writer.record(&bin(Subject::Entry(uid(1)))).unwrap();
        writer.finish().unwrap();
        let now = Timestamp(131 * DAY);
        let plan = book.gc_plan(now, None).unwrap();
        assert_eq!((plan.purged.len(), plan.purged_entries.len()), (1, 3));
        let report = book.gc(&plan, now, recorder(&book, 131 * DAY)).unwrap();
        assert_eq!(report.unwrap().purged_entries, 3);
        assert!(
            book.view()
                .unwrap()
                .entries(&Entries::All)
                .unwrap()
                .is_empty()
        );
        // What arrives later for them is swallowed.
        let mut writer = recorder(&book, 132 * DAY);
        writer.record(&bin(Subject::Entry(uid(1)))).unwrap();
        writer.finish().unwrap();
        assert_eq!(book.view().unwrap().entry_no(uid(1)).unwrap(), None);
    }

    #[test]
    fn the_default_experiment_never_goes_for_its_age() {
        let folder = tempfile::tempdir().unwrap();
        let book = Book::create(&folder.path().join("book")).unwrap();
        let mut writer = recorder(&book, DAY);
        let ended = StartRun {
            status: RunStatus::Completed,
            ..StartRun::of(RunUid(Uid([1; 16])))
        };
        writer.record(&Op::StartRun(ended)).unwrap();
        writer.finish().unwrap();
        let now = Timestamp(100 * DAY);
        assert!(book.gc_plan(now, Some(now)).unwrap().old.is_empty());
    }
}
