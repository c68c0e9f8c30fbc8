//! What is to be done for a config, decided before anything is done.
//!
//! A second `run` does what never finished. A config that changed is carried out where nothing finished
//! falls out of the plan; where something does, the user has to accept it, because results would no longer
//! be shown. Not here: recording, starting. Invariant: an outline is made from what was read alone, so a
//! dry run shows exactly what a run would do.

use std::collections::BTreeSet;

use trialbook_model::config::{Config, Variation};
use trialbook_model::plan::{
    Action, Change, Choice, Decisions, ExistingRun, PlanError, PlannedRun, difference, does_same,
    expand, reconcile,
};
use trialbook_model::record::Param;
use trialbook_model::secret;
use trialbook_model::status::RunStatus;

use crate::known::KnownSecrets;
use crate::standing::{Elsewhere, Standing, StandingRun};

/// What the user asked for beside the config.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wish {
    /// Which runs are started again.
    pub choice: Choice,
    /// What is done with runs that the config no longer asks for.
    pub outside: Outside,
    /// Which runs of the plan are meant.
    pub scope: Scope,
}

/// What is done with finished runs that the config no longer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outside {
    /// Refuse, and show what changed.
    #[default]
    Refuse,
    /// Archive them.
    Archive,
    /// They stay beside the others: the config was never meant to name all runs.
    Keep,
}

/// Which runs of the plan are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// All of them.
    #[default]
    All,
    /// Only the last trial of each variation.
    LastTrial,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// One decision for each planned run.
    pub decisions: Decisions,
    /// How the config differs from the recorded one.
    pub changes: Vec<Change>,
    /// Runs in state running whose process is gone.
    pub cut_off: Vec<StandingRun>,
    /// Runs that the plan no longer asks for and that leave with this run.
    pub leaving: Vec<StandingRun>,
    /// Runs that an earlier change left out and that the plan asks for again.
    pub returning: Vec<StandingRun>,
    /// The base of the seeds.
    pub base_seed: u64,
}

impl Outline {
    /// How many of the runs whose process is gone are attempted again.
    pub fn retried(&self) -> usize {
        let is_retried = |run: &&StandingRun| {
            self.decisions.decisions.iter().any(|decision| {
                matches!(decision.action, Action::Start { after: Some(after), .. } if after == run.uid)
            })
        };
        self.cut_off.iter().filter(is_retried).count()
    }
}

/// Why nothing can be done.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OutlineError {
    /// The wish and the plan do not fit.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Finished runs would fall out of the experiment.
    #[error(
        "the config has changed so that {leaving} finished {} no longer {} to it",
        if *.leaving == 1 { "run" } else { "runs" },
        if *.leaving == 1 { "belongs" } else { "belong" }
    )]
    Changed {
        /// How many finished runs fall out.
        leaving: usize,
        /// What has changed.
        changes: Vec<Change>,
    },
    /// The experiment is in the bin.
    #[error("experiment `{name}` is in the bin")]
    Deleted {
        /// Its name.
        name: String,
    },
}

impl OutlineError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Plan(error) => error.hint(),
            Self::Changed { .. } => "`--accept-change` goes on and archives them; another \
                                     `experiment.name` keeps both apart"
                .to_owned(),
            Self::Deleted { .. } => {
                "`trialbook undelete` brings it back; or give the experiment another name"
                    .to_owned()
            }
        }
    }
}

/// What an outline is made from.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The config.
    pub config: &'a Config,
    /// The config that is recorded: another one where the runs stand beside those that it names.
    pub recorded: &'a Config,
    /// The experiment as it stands.
    pub standing: &'a Standing,
    /// Whether another process executes it.
    pub elsewhere: Elsewhere,
    /// A base of seeds, drawn for the case that one is needed.
    pub drawn_seed: u64,
    /// The secrets of the config, which are recorded nowhere.
    pub known: &'a KnownSecrets,
}

impl Ground<'_> {
    /// Decides what is to be done.
    pub fn outline(&self, wish: &Wish) -> Result<Outline, OutlineError> {
        if self.standing.deleted {
            return Err(OutlineError::Deleted {
                name: self.config.experiment.name.clone(),
            });
        }
        let base_seed = self.base_seed();
        let plan = self.plan(base_seed, wish.scope);
        let existing: Vec<ExistingRun> = self
            .standing
            .runs
            .iter()
            .map(|run| run.existing(self.elsewhere))
            .collect();
        let decisions = reconcile(&plan, &existing, &wish.choice)?;
        let changes = self.changes();
        let leaving = match wish.outside {
            Outside::Keep => Vec::new(),
            Outside::Refuse | Outside::Archive => self.leaving(&decisions, &changes),
        };
        let finished = leaving.iter().filter(|run| is_result(run)).count();
        if finished > 0 && wish.outside == Outside::Refuse {
            return Err(OutlineError::Changed {
                leaving: finished,
                changes,
            });
        }
        Ok(Outline {
            cut_off: self.cut_off(),
            returning: self.returning(&decisions),
            decisions,
            changes,
            leaving,
            base_seed,
        })
    }

    fn base_seed(&self) -> u64 {
        self.config
            .random_seed
            .or(self.standing.base_seed)
            .unwrap_or(self.drawn_seed)
    }

    fn plan(&self, base_seed: u64, scope: Scope) -> Vec<PlannedRun> {
        let mut plan = expand(self.config, base_seed);
        match scope {
            Scope::All => {}
            Scope::LastTrial => plan.retain(|run| run.trial == self.config.trials),
        }
        plan
    }

    /// Secrets never reach the recorded document, so they must not look like a change either.
    fn changes(&self) -> Vec<Change> {
        match &self.standing.document {
            None => Vec::new(),
            Some(recorded) => difference(recorded, &self.known.recorded(self.recorded)),
        }
    }

    /// Runs that do something else than the config asks for. A trial beyond the asked number does the same as
    /// the others: its result stays, and only one that still waits leaves.
    fn leaving(&self, decisions: &Decisions, changes: &[Change]) -> Vec<StandingRun> {
        let mut all_trials = self.config.clone();
        let highest = self.standing.runs.iter().map(|run| run.trial).max();
        let highest = highest.and_then(|trial| u32::try_from(trial).ok());
        all_trials.trials = all_trials.trials.max(highest.unwrap_or(0));
        let base = self.base_seed();
        let same: BTreeSet<String> = expand(&all_trials, base)
            .into_iter()
            .map(|run| run.key)
            .collect();
        let is_grid = self.config != self.recorded;
        let leaves = |run: &&StandingRun| {
            !run.left_out
                && decisions.unplanned.contains(&run.uid)
                && if run.beside {
                    self.is_stale(run, changes)
                } else if is_grid {
                    self.is_dropped(run)
                } else {
                    run.status == RunStatus::Queued || !same.contains(&run.key)
                }
        };
        self.standing.runs.iter().filter(leaves).cloned().collect()
    }

    /// Whether a run that stands beside those of the config would be another one if it were asked for now: the
    /// task is another, or the variation that it was made from.
    fn is_stale(&self, run: &StandingRun, changes: &[Change]) -> bool {
        let bases = &self.recorded.variations;
        let base = bases.iter().filter_map(|base| {
            let set = run.variation.strip_prefix(base.name.as_str())?;
            Some((base, set)).filter(|(_, set)| set.starts_with([' ', ',']))
        });
        // `a b k=1` may belong to `a` and to `a b`.
        let Some((base, set)) = base.max_by_key(|(base, _)| base.name.len()) else {
            return true;
        };
        let is_hidden = |text: &str| text == secret::MARK;
        let is_kept = |(name, param): &(String, Param)| {
            let is_set = set.contains(&format!("{name}=")) || set.contains(&format!("{name}#"));
            let mut own = run.params.iter().filter(|(own, _)| own == name);
            is_set || own.any(|(_, own)| own.text == param.text || is_hidden(&own.text))
        };
        if !base.params.iter().all(is_kept) {
            return true;
        }
        if run.params.iter().any(|(_, param)| is_hidden(&param.text)) {
            // What it did exactly is not recorded.
            return changes.iter().any(|change| change.path.starts_with("task"));
        }
        let variation = Variation {
            name: run.variation.clone(),
            params: run.params.clone(),
            baseline: false,
        };
        !does_same(self.recorded, &variation, (run.trial, run.seed), &run.key)
    }

    /// Whether the config no longer asks for a run that it once named. The grid's own seeds and number of trials
    /// say nothing of it.
    fn is_dropped(&self, run: &StandingRun) -> bool {
        let known = &self.recorded.variations;
        !known.iter().any(|variation| {
            variation.name == run.variation
                && does_same(self.recorded, variation, (run.trial, run.seed), &run.key)
        })
    }

    fn returning(&self, decisions: &Decisions) -> Vec<StandingRun> {
        let runs = self.standing.runs.iter();
        runs.filter(|run| run.left_out && !decisions.unplanned.contains(&run.uid))
            .cloned()
            .collect()
    }

    fn cut_off(&self) -> Vec<StandingRun> {
        match self.elsewhere {
            Elsewhere::Somebody => Vec::new(),
            Elsewhere::Nobody => {
                let runs = self.standing.runs.iter();
                runs.filter(|run| run.status == RunStatus::Running)
                    .cloned()
                    .collect()
            }
        }
    }
}

fn is_result(run: &StandingRun) -> bool {
    match run.status {
        RunStatus::Completed => true,
        RunStatus::Failed => !run.interrupted,
        RunStatus::Queued | RunStatus::Running | RunStatus::Cancelled => false,
    }
}
