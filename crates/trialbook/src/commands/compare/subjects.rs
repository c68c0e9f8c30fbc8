//! From what was typed to the runs and arms that are compared.
//!
//! Invariant: an unknown name is a failure; titles differ; each run stands once.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use trialbook_analysis::arms;
use trialbook_analysis::comparison::{Kind, Subject};
use trialbook_model::config::Config;
use trialbook_model::filter::{Expr, Key, KeyKind};
use trialbook_model::handle;
use trialbook_model::id::{ExperimentNo, RunUid, Uid};
use trialbook_model::state::Baseline;
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

/// Finds the runs and arms that texts mean, `limit` runs at most.
pub(super) fn find<V>(view: &V, texts: &[&str], limit: usize) -> Result<Subjects>
where
    V: Reading,
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
            let mut all = names.runs(text)?;
            all.sort_by_key(|run| std::cmp::Reverse(run.no));
            let total = all.len() as u64;
            found.cut(&mut all, limit, (text, total));
            runs.extend(all);
            continue;
        }
        match names.any(text)? {
            Found::Run(run) => runs.push(*run),
            Found::Experiment(row) => {
                if has_variations(view, &row)? {
                    found.add_arms(view, &row, naming)?;
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
    found.add_runs(runs);
    Ok(found)
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
    fn add_arms<V>(&mut self, view: &V, row: &ExperimentRow, naming: Naming) -> Result<()>
    where
        V: Reading,
    {
        let arms = arms::arms(view, row, &[])?;
        if arms.outside > 0 {
            let belong = if arms.outside == 1 {
                "belongs to no variation and is"
            } else {
                "belong to no variation and are"
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
        Ok(())
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
            self.left_out.push(format!(
                "`{of}` means {}: the newest {} are compared; --limit changes that, \
                 `trialbook leaderboard` ranks all of them",
                count(total, "run"),
                grouped(runs.len() as u64)
            ));
        }
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

    /// The place of the subject that a baseline means.
    fn place_of(&self, baseline: &Baseline) -> Option<usize> {
        let is_it = |subject: &Subject| match baseline {
            Baseline::Run(run) => subject.kind == Kind::Run && subject.runs[0].uid == *run,
            Baseline::Variation { experiment, name } => {
                let row = self.experiments.get(&subject.experiment);
                subject.kind == Kind::Arm
                    && subject.arm == *name
                    && row.is_some_and(|row| row.state.uids.contains(experiment))
            }
        };
        self.list.iter().position(is_it)
    }
}

/// What the others are compared with: the one named, else the one that a baseline of its project or its config
/// marks, with the name of the mark.
pub(super) fn baseline<V>(
    view: &V,
    found: &Subjects,
    named: Option<&str>,
) -> Result<Option<(usize, String)>>
where
    V: Reading,
{
    let marks = marks(view, found)?;
    let Some(named) = named else {
        let mut places = marks.into_iter();
        let marked = places.find_map(|(name, mark)| {
            let at = found.place_of(&mark)?;
            Some((at, name.unwrap_or_else(|| found.list[at].title.clone())))
        });
        return Ok(marked.or_else(|| marked_variation(found)));
    };
    let by_title = found.list.iter().position(|subject| {
        subject.title == named
            || subject.kind == Kind::Run && subject.runs[0].uid.to_string().starts_with(named)
    });
    let by_mark = || {
        let (_, mark) = marks
            .iter()
            .find(|(name, _)| name.as_deref() == Some(named))?;
        found.place_of(mark)
    };
    match by_title.or_else(by_mark) {
        Some(at) => Ok(Some((at, named.to_owned()))),
        None => Err(Failure::Usage {
            problem: format!("baseline `{named}` is none of what is compared"),
            hint: "name one of the runs or variations that are compared".to_owned(),
        }
        .into()),
    }
}

/// The baselines of the projects: those of experiments, which have no name, come first, then tasks by name.
fn marks<V: Reading>(view: &V, found: &Subjects) -> Result<Vec<(Option<String>, Baseline)>> {
    let mut marks = Vec::new();
    let mut projects: BTreeSet<&str> = BTreeSet::new();
    for row in found.experiments.values() {
        projects.insert(row.state.project());
        let project = view.project(row.state.project())?;
        let own = project.baseline_of(&row.state);
        marks.extend(own.map(|it| (None, it)));
    }
    // The mark of an experiment bears its uid, which names no task.
    let is_own = |name: &str| name.parse::<Uid>().is_ok();
    for project in projects {
        let state = view.project(project)?;
        marks.extend(
            state
                .baselines()
                .filter(|(name, _)| !is_own(name))
                .map(|(name, baseline)| (Some(name.to_owned()), baseline)),
        );
    }
    Ok(marks)
}

/// The variation that a config marks.
fn marked_variation(found: &Subjects) -> Option<(usize, String)> {
    found.experiments.values().find_map(|row| {
        let document = &row.state.config()?.document;
        let config: Config = serde_json::from_value(document.clone()).ok()?;
        let marked = config.variations.iter().find(|it| it.baseline)?;
        let is_it = |subject: &Subject| {
            subject.kind == Kind::Arm && subject.experiment == row.no && subject.arm == marked.name
        };
        let at = found.list.iter().position(is_it)?;
        Some((at, found.list[at].title.clone()))
    })
}
