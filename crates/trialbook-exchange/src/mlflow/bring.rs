//! A store into a book, some runs at a time, so that what broke off goes on where it was.
//!
//! Not here: reading stores, and what is new of a run. Invariant: what does not come in is in the report.

use std::path::PathBuf;

use trialbook_model::handle::glob_matches;
use trialbook_model::time::Timestamp;
use trialbook_store::{Artifacts, Book};

use super::artifacts::{self, Bytes, Manner};
use super::join::{Became, Files, Joining};
use super::store::{Experiment, Listed, NotBrought, Run, Source};
use crate::error::ImportError;

/// Runs that come in together at most.
const RUNS: u64 = 1_000;

/// Points after which those that were read come in.
const POINTS: u64 = 2_000_000;

/// What is wanted of a store, and how.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Names and ids of experiments, or globs of them; all where none is named.
    pub experiments: Vec<String>,
    /// The project that they come into; by itself the default one, or that of the store's workspace.
    pub project: Option<String>,
    /// What becomes of artifacts.
    pub artifacts: Manner,
    /// The present time.
    pub now: Timestamp,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The experiment.
    pub experiment: &'a str,
    /// Runs of it that were looked at.
    pub done: u64,
    /// All of its runs.
    pub of: u64,
    /// Points that came in so far, of all experiments.
    pub points: u64,
}

/// What did not come in because it is damaged.
#[derive(Debug)]
pub struct Damage {
    /// What it is, such as a run's id.
    pub what: String,
    /// Where, and why.
    pub error: ImportError,
}

/// What came in, and what did not.
#[derive(Debug, Default)]
pub struct Report {
    /// Experiments that are new.
    pub experiments: u64,
    /// Runs that are new.
    pub runs: u64,
    /// Runs that were here and went on since.
    pub continued: u64,
    /// Runs that were here already.
    pub same: u64,
    /// Points that came in.
    pub points: u64,
    /// Logged models that are new.
    pub models: u64,
    /// Registered models and prompts that are new.
    pub collections: u64,
    /// Versions of these that are new.
    pub versions: u64,
    /// Artifacts whose bytes are in the book.
    pub artifacts: u64,
    /// Artifacts of which the book knows where they are.
    pub references: u64,
    /// Things of the store that do not come in, by what they are called.
    pub not_brought: Vec<(&'static str, u64)>,
    /// Places of artifacts that are not read here, each with the number of runs.
    pub elsewhere: Vec<(String, u64)>,
    /// What is damaged.
    pub damaged: Vec<Damage>,
    /// What else there is to say.
    pub notes: Vec<String>,
}

/// Told how far it is.
pub(super) type Teller<'t> = &'t mut dyn FnMut(&Progress<'_>);

/// Brings a store into a book.
pub fn bring(
    source: &mut Source,
    book: &Book,
    wanted: &Wanted,
    tell: Teller<'_>,
) -> Result<Report, ImportError> {
    let listing = source.store.experiments()?;
    let mut report = Report {
        notes: listing.notes,
        ..Report::default()
    };
    let damaged = listing.damaged.into_iter().map(|error| Damage {
        what: "an experiment".to_owned(),
        error,
    });
    report.damaged.extend(damaged);
    let mut bringing = Bringing {
        book,
        artifacts: book.artifacts(),
        wanted,
        joining: Joining::new(book, wanted.now)?,
        joined: 0,
        report,
    };
    for experiment in listing.found {
        if wanted.is_named(&experiment) {
            bringing.experiment(source, &experiment, tell)?;
        }
    }
    if wanted.experiments.is_empty() {
        bringing.collections(source)?;
    }
    bringing.finish(source.store.not_brought()?)
}

impl Wanted {
    fn is_named(&self, experiment: &Experiment) -> bool {
        let names = [&experiment.name, &experiment.id];
        let is_meant = |text: &String| {
            names
                .iter()
                .any(|name| *name == text || glob_matches(text, name))
        };
        self.experiments.is_empty() || self.experiments.iter().any(is_meant)
    }
}

/// A store on its way into a book.
struct Bringing<'a> {
    book: &'a Book,
    artifacts: Artifacts,
    wanted: &'a Wanted,
    joining: Joining<'a>,
    /// Runs since the last time that something came in.
    joined: u64,
    report: Report,
}

impl Bringing<'_> {
    fn experiment(
        &mut self,
        source: &mut Source,
        experiment: &Experiment,
        tell: Teller<'_>,
    ) -> Result<(), ImportError> {
        let runs = match source.store.runs(experiment) {
            Ok(runs) => runs,
            Err(error) => {
                let what = format!("experiment {}", experiment.id);
                return self.damaged(what, error);
            }
        };
        if self
            .joining
            .meets(experiment, self.wanted.project.as_deref())
        {
            self.report.notes.push(format!(
                "the book has an experiment `{}` already: the runs came in beside its own",
                experiment.name
            ));
        }
        self.name(experiment)?;
        for (at, listed) in runs.iter().enumerate() {
            self.run(source, experiment, listed)?;
            tell(&Progress {
                experiment: &experiment.name,
                done: at as u64 + 1,
                of: runs.len() as u64,
                points: self.report.points + self.joining.points,
            });
        }
        self.models(source, experiment)
    }

    /// The models that were logged in an experiment.
    fn models(&mut self, source: &mut Source, experiment: &Experiment) -> Result<(), ImportError> {
        let listing = source.store.models(experiment)?;
        for error in listing.damaged {
            self.damaged("a logged model".to_owned(), error)?;
        }
        let project = self.wanted.project.as_deref();
        let (uid, _) = self.joining.experiment(experiment, project)?;
        for model in &listing.found {
            let became = self.joining.logged_model(model, uid)?;
            self.report.models += u64::from(became == Became::New);
        }
        Ok(())
    }

    /// Registered models and prompts.
    fn collections(&mut self, source: &mut Source) -> Result<(), ImportError> {
        let listing = source.store.collections()?;
        for error in listing.damaged {
            self.damaged("a registered model".to_owned(), error)?;
        }
        for collection in &listing.found {
            let became = self
                .joining
                .collection(collection, self.wanted.project.as_deref())?;
            let (own, versions) = became.split_at(1);
            let new = |some: &[Became]| {
                some.iter().filter(|became| **became == Became::New).count() as u64
            };
            self.report.collections += new(own);
            self.report.versions += new(versions);
        }
        Ok(())
    }

    fn name(&mut self, experiment: &Experiment) -> Result<(), ImportError> {
        let project = self.wanted.project.as_deref();
        let (_, became) = self.joining.experiment(experiment, project)?;
        self.report.experiments += u64::from(became == Became::New);
        Ok(())
    }

    fn run(
        &mut self,
        source: &mut Source,
        experiment: &Experiment,
        listed: &Listed,
    ) -> Result<(), ImportError> {
        let what = || format!("run {}", listed.id);
        let mut run = match source.store.run(experiment, listed) {
            Ok(run) => run,
            Err(error) => return self.damaged(what(), error),
        };
        let (found, elsewhere) = match self.files(source, experiment, &run) {
            Ok(files) => files,
            Err(error) => return self.damaged(what(), error),
        };
        let manner = (self.wanted.artifacts, &self.artifacts);
        let kept = self.joining.keep(&run, experiment, found, manner)?;
        let files = Files { kept, elsewhere };
        // Also where the runs before came in and this one is the first of the next ones.
        let project = self.wanted.project.as_deref();
        let (uid, _) = self.joining.experiment(experiment, project)?;
        match self.joining.run(&mut run, (experiment, uid), &files)? {
            Became::New => self.report.runs += 1,
            Became::Continued => self.report.continued += 1,
            Became::Same => self.report.same += 1,
        }
        let kept = files.kept.iter();
        let copied = kept.filter(|file| file.sha256.is_some()).count() as u64;
        self.report.artifacts += copied;
        self.report.references += files.kept.len() as u64 - copied;
        self.joined += 1;
        if self.joined >= RUNS || self.joining.points >= POINTS {
            self.commit()?;
        }
        Ok(())
    }

    /// What was read so far comes in.
    fn commit(&mut self) -> Result<(), ImportError> {
        self.joined = 0;
        self.report.points += self.joining.points;
        self.joining.restart(self.book)?;
        Ok(())
    }

    /// The files of a run that are read here.
    fn files(
        &mut self,
        source: &Source,
        experiment: &Experiment,
        run: &Run,
    ) -> Result<(Vec<artifacts::Found>, Option<String>), ImportError> {
        match source.store.bytes(experiment, run) {
            Bytes::Folder(_) if self.wanted.artifacts == Manner::Leave => Ok((Vec::new(), None)),
            Bytes::Folder(folder) => {
                let (found, odd) = artifacts::files(&folder).map_err(ImportError::read(&folder))?;
                let told = odd.iter().map(|path: &PathBuf| {
                    format!(
                        "`{}` is no file with a name in text: it did not come in",
                        path.display()
                    )
                });
                self.report.notes.extend(told);
                Ok((found, None))
            }
            Bytes::Elsewhere(uri) => {
                let root = uri.trim_end_matches("/artifacts").trim_end_matches(&run.id);
                let root = root.trim_end_matches('/').to_owned();
                match self
                    .report
                    .elsewhere
                    .iter_mut()
                    .find(|(known, _)| *known == root)
                {
                    Some((_, runs)) => *runs += 1,
                    None => self.report.elsewhere.push((root, 1)),
                }
                Ok((Vec::new(), Some(uri)))
            }
            Bytes::None => Ok((Vec::new(), None)),
        }
    }

    /// Damage does not hinder the rest; what the disk or the book refuses does.
    fn damaged(&mut self, what: String, error: ImportError) -> Result<(), ImportError> {
        match error {
            ImportError::At { .. } | ImportError::Read { .. } | ImportError::Config(_) => {
                self.report.damaged.push(Damage { what, error });
                Ok(())
            }
            ImportError::Book(_) => Err(error),
        }
    }

    fn finish(mut self, not_brought: NotBrought) -> Result<Report, ImportError> {
        self.report.points += self.joining.points;
        self.joining.finish()?;
        self.report.not_brought = not_brought.into_iter().collect();
        Ok(self.report)
    }
}
