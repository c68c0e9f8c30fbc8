//! From what was typed to the runs and arms that are compared.
//!
//! Invariant: an unknown name is a failure; titles differ; each run stands once.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use trialbook_analysis::arms::{self, Arms, ArmsError, Division};
use trialbook_analysis::baseline::{self, Place};
use trialbook_analysis::comparison::{Kind, Subject};
use trialbook_model::filter::{Expr, Key, KeyKind};
use trialbook_model::handle;
use trialbook_model::id::{ExperimentNo, RunUid};
use trialbook_store::BookError;
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::query::{Query, Shown};
use trialbook_store::reading::Reading;

use crate::failure::Failure;
use crate::figures::{count, grouped};
use crate::names::{Found, Names};
use crate::titles;

/// What was found.
#[derive(Default)]
pub(super) struct Subjects {
    /// In the order in which they were named.
    pub(super) list: Vec<Subject>,
    /// What is not shown, in words.
    pub(super) left_out: Vec<String>,
    experiments: BTreeMap<ExperimentNo, ExperimentRow>,
    seen: BTreeSet<RunUid>,
}

/// How arms are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Naming {
    Alone,
    WithExperiment,
}

/// Finds the runs and arms that texts mean, `limit` of each at most. Where keys are given they make the arms.
pub(super) fn find<V>(view: &V, texts: &[&str], by: &[Key], limit: usize) -> Result<Subjects>
where
    V: Reading<Error = BookError>,
{
    let names = Names::new(view);
    let mut found = Subjects::default();
    let naming = if texts.len() > 1 {
        Naming::WithExperiment
    } else {
        Naming::Alone
    };
    let mut runs: Vec<RunRow> = Vec::new();
    for text in texts {
        if handle::is_glob(text) {
            let newest = names.newest_runs(text, limit)?;
            if newest.more {
                found.tell_cut(
                    text,
                    &format!("more than {}", count(limit as u64, "run")),
                    limit,
                );
            }
            runs.extend(newest.runs);
            continue;
        }
        match names.any(text)? {
            Found::Run(run) => runs.push(*run),
            Found::Experiment(row) if found.experiments.contains_key(&row.no) => {}
            Found::Experiment(row) => {
                found.experiments.insert(row.no, (*row).clone());
                if !by.is_empty() || has_variations(view, &row)? {
                    let arms = arms::arms(view, &row, by).map_err(told)?;
                    found.add_arms(&row, arms, naming);
                } else {
                    runs.extend(found.newest(view, &row, limit)?);
                }
            }
        }
    }
    if runs.len() > limit {
        let total = runs.len() as u64;
        found.cut(&mut runs, limit, ("all of them", total));
    }
    for run in &runs {
        if !found.experiments.contains_key(&run.experiment)
            && let Some(row) = view.experiment(run.experiment)?
        {
            found.experiments.insert(row.no, row);
        }
    }
    if by.is_empty() {
        found.add_runs(runs);
    } else {
        found.divide(view, runs, by)?;
    }
    found.cut_arms(limit);
    Ok(found)
}

/// Why runs make no arms.
fn told(error: ArmsError<BookError>) -> anyhow::Error {
    let hint = error.hint().unwrap_or_default().to_owned();
    match error {
        ArmsError::Reading(source) => source.into(),
        other @ (ArmsError::SeveralVary { .. } | ArmsError::NoSuchKey { .. }) => Failure::Usage {
            problem: other.to_string(),
            hint,
        }
        .into(),
    }
}

fn has_variations<V: Reading>(view: &V, row: &ExperimentRow) -> Result<bool> {
    if row.state.config().is_some() {
        return Ok(true);
    }
    let query = Query {
        filter: Expr::IsNull {
            key: Key::new(KeyKind::Attribute, "variation"),
            negated: true,
        },
        experiments: Some(vec![row.no]),
        shown: Shown::WithArchived,
        limit: 1,
        ..Query::all()
    };
    Ok(view.search(&query)?.total > 0)
}

impl Subjects {
    fn add_arms(&mut self, row: &ExperimentRow, arms: Arms, naming: Naming) {
        if arms.outside > 0 {
            let (one, many) = match &arms.division {
                Division::Asked(keys) => {
                    let keys = keys.join("`, `");
                    (format!("has no `{keys}`"), format!("have no `{keys}`"))
                }
                Division::Variations | Division::OnlyParam(_) | Division::Whole => (
                    "belongs to no variation".to_owned(),
                    "belong to no variation".to_owned(),
                ),
            };
            let belong = if arms.outside == 1 {
                format!("{one} and is")
            } else {
                format!("{many} and are")
            };
            self.left_out.push(format!(
                "{} of {} {belong} not shown",
                count(arms.outside, "run"),
                titles::experiment(row)
            ));
        }
        self.tell_archived(row, arms.archived);
        for arm in arms.arms {
            let title = if naming == Naming::WithExperiment {
                let path = row.state.handle().or_else(|| row.state.name());
                format!("{}: {}", path.unwrap_or("unnamed"), arm.name)
            } else {
                arm.name.clone()
            };
            self.list.push(Subject {
                title,
                kind: Kind::Arm,
                arm: arm.name,
                experiment: row.no,
                runs: arm.runs,
            });
        }
        self.experiments.insert(row.no, row.clone());
    }

    /// Makes arms of runs by keys, those of each experiment by themselves.
    fn divide<V>(&mut self, view: &V, mut runs: Vec<RunRow>, by: &[Key]) -> Result<()>
    where
        V: Reading<Error = BookError>,
    {
        runs.retain(|run| self.seen.insert(run.uid));
        let mut of: BTreeMap<ExperimentNo, Vec<RunRow>> = BTreeMap::new();
        for run in runs {
            of.entry(run.experiment).or_default().push(run);
        }
        let naming = if of.len() > 1 || !self.list.is_empty() {
            Naming::WithExperiment
        } else {
            Naming::Alone
        };
        for (no, runs) in of {
            if let Some(row) = self.experiments.get(&no).cloned() {
                let arms = arms::of_runs(view, (&row, runs), by).map_err(told)?;
                self.add_arms(&row, arms, naming);
            }
        }
        Ok(())
    }

    /// Keeps the first arms: each is tested against each other one.
    fn cut_arms(&mut self, limit: usize) {
        let is_arm = |subject: &&Subject| subject.kind == Kind::Arm;
        let arms = self.list.iter().filter(is_arm).count();
        if arms > limit {
            let mut kept = 0;
            self.list.retain(|subject| {
                kept += usize::from(subject.kind == Kind::Arm);
                subject.kind == Kind::Run || kept <= limit
            });
            self.left_out.push(format!(
                "these are {} arms: the first {} are compared; --limit changes that",
                grouped(arms as u64),
                grouped(limit as u64)
            ));
        }
    }

    fn tell_archived(&mut self, row: &ExperimentRow, archived: u64) {
        if archived > 0 {
            let are = if archived == 1 { "is" } else { "are" };
            let runs = count(archived, "archived run");
            self.left_out.push(format!(
                "{runs} of {} {are} left out",
                titles::experiment(row)
            ));
        }
    }

    fn newest<V>(&mut self, view: &V, row: &ExperimentRow, limit: usize) -> Result<Vec<RunRow>>
    where
        V: Reading,
    {
        let of = |shown, limit| Query {
            experiments: Some(vec![row.no]),
            shown,
            limit,
            ..Query::all()
        };
        let hits = view.search(&of(Shown::Active, limit))?;
        let with_archived = view.search(&of(Shown::WithArchived, 0))?.total;
        self.tell_archived(row, with_archived.saturating_sub(hits.total));
        let mut runs = view.runs(&hits.runs)?;
        self.cut(&mut runs, limit, (&titles::experiment(row), hits.total));
        Ok(runs)
    }

    /// Keeps the first ones and says what is left out.
    fn cut(&mut self, runs: &mut Vec<RunRow>, limit: usize, (of, total): (&str, u64)) {
        runs.truncate(limit);
        if total > runs.len() as u64 {
            self.tell_cut(of, &count(total, "run"), runs.len());
        }
    }

    fn tell_cut(&mut self, of: &str, means: &str, kept: usize) {
        self.left_out.push(format!(
            "`{of}` means {means}: the newest {} are compared; --limit changes that, \
             `trialbook leaderboard` ranks all of them",
            grouped(kept as u64)
        ));
    }

    fn add_runs(&mut self, runs: Vec<RunRow>) {
        let mut runs = runs;
        runs.retain(|run| self.seen.insert(run.uid));
        let name = |run: &RunRow| run.state.name().unwrap_or_default().to_owned();
        let mut uses: BTreeMap<String, usize> = BTreeMap::new();
        for run in &runs {
            *uses.entry(name(run)).or_default() += 1;
        }
        for run in runs {
            let name = name(&run);
            let title = if name.is_empty() || uses[&name] > 1 {
                titles::run(&run, self.experiments.get(&run.experiment))
            } else {
                name
            };
            self.list.push(Subject {
                title,
                kind: Kind::Run,
                arm: String::new(),
                experiment: run.experiment,
                runs: vec![run],
            });
        }
    }
}

/// What the others are compared with, and under which name: the one named, else a marked one.
pub(super) fn baseline<V>(
    view: &V,
    found: &Subjects,
    named: Option<&str>,
) -> Result<Option<(usize, String)>>
where
    V: Reading,
{
    let experiments: Vec<&ExperimentRow> = found.experiments.values().collect();
    let places: Vec<Place<'_>> = found
        .list
        .iter()
        .map(|subject| Place {
            title: &subject.title,
            arm: (subject.kind == Kind::Arm).then_some(&subject.arm[..]),
            experiment: subject.experiment,
            runs: &subject.runs,
        })
        .collect();
    let chosen = baseline::choose(view, &experiments, &places, named)?;
    if let (Some(named), None) = (named, &chosen) {
        return Err(Failure::Usage {
            problem: format!("baseline `{named}` is none of what is compared"),
            hint: "name one of the runs or variations that are compared".to_owned(),
        }
        .into());
    }
    Ok(chosen.map(|it| {
        let title = || found.list[it.at].title.clone();
        (it.at, it.name.unwrap_or_else(title))
    }))
}
