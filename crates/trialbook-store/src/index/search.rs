//! Searching: judge segment by segment, keep the best, put them in order.
//!
//! Not here: columns and keys. Invariant: the hits are those of judging every run with `holds` and sorting
//! all by `compare_rows`, ties by the greatest number.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;

use trialbook_model::filter::{OrderTerm, Value, Wanted, compare_values, holds, lookup};
use trialbook_model::id::{ExperimentNo, RunNo};

use super::bits::Bits;
use super::facts::ExperimentFacts;
use super::layout::{Damaged, SEGMENT, first_of};
use super::order::{Scale, TermKeys, first_value, term_sources, value_key};
use super::run_view::RunView;
use super::source::{Scene, Source};
use super::{Change, Index};
use crate::query::{Hits, Query, Shown};

/// A run that may be among the hits.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    no: u64,
    /// Key of the first term.
    key: u64,
    /// Where its other keys start in [`Search::keys`].
    keys_at: usize,
    /// Which of [`Search::stages`] it comes from; `None` for a changed run.
    stage: Option<usize>,
}

/// A segment that gave candidates, with where the terms find their values.
struct Stage<'a> {
    scene: Scene<'a>,
    sources: Vec<Vec<Source<'a>>>,
}

/// A search under way.
struct Search<'a> {
    index: &'a Index,
    query: &'a Query,
    experiments: Option<BTreeSet<ExperimentNo>>,
    /// Whether [`Search::asks`] says yes to every experiment.
    asks_all: bool,
    /// Hits that are kept at most.
    need: usize,
    total: u64,
    candidates: Vec<Candidate>,
    keys: Vec<u64>,
    stages: Vec<Stage<'a>>,
    /// Whether the keys of all candidates so far can be compared: those of the first term, those of all.
    first_scale: Scale,
    scale: Scale,
    /// No run with a greater first key can be among the hits.
    threshold: u64,
}

impl Index {
    /// Searches. The snapshot that this index may read from is judged as far as the search touches it; a
    /// damaged one gives no answer.
    pub fn search(&self, query: &Query) -> Result<Hits, Damaged> {
        let experiments = query.experiments.as_ref();
        let mut search = Search {
            index: self,
            query,
            experiments: experiments.map(|list| list.iter().copied().collect()),
            asks_all: experiments.is_none() && self.experiments.are_all_active(),
            need: query.offset.saturating_add(query.limit),
            total: 0,
            candidates: Vec::new(),
            keys: Vec::new(),
            stages: Vec::new(),
            first_scale: Scale::Everywhere,
            scale: Scale::Everywhere,
            threshold: u64::MAX,
        };
        search.take_changed();
        for at in (0..self.segments.len()).rev() {
            search.take_segment(at)?;
        }
        Ok(search.finish())
    }
}

impl<'a> Search<'a> {
    fn asks(&self, experiment: &ExperimentFacts, no: ExperimentNo) -> bool {
        let asked = self
            .experiments
            .as_ref()
            .is_none_or(|asked| asked.contains(&no));
        asked
            && match self.query.shown {
                Shown::Active => !experiment.archived && !experiment.deleted,
                Shown::WithArchived => !experiment.deleted,
                Shown::Bin | Shown::All => true,
            }
    }

    /// Changed runs are judged one by one.
    fn take_changed(&mut self) {
        for (no, change) in self.index.changed.iter() {
            let Change::Put(run) = change else {
                continue;
            };
            let experiment = self.index.experiments.get(run.experiment.0);
            let view = RunView { run, experiment };
            if !view.is_shown(self.query.shown)
                || !self.asks(experiment, run.experiment)
                || !holds(&self.query.filter, &view)
            {
                continue;
            }
            self.total += 1;
            self.add_changed(*no, &view);
        }
    }

    fn add_changed(&mut self, no: u64, view: &RunView<'_>) {
        let keys_at = self.keys.len();
        for (at, term) in self.query.order.iter().enumerate() {
            let value = lookup(view, &term.key, Wanted::Any);
            let key = value_key(term, value.as_ref()).unwrap_or_else(|| {
                self.scale = Scale::Here;
                if at == 0 {
                    self.first_scale = Scale::Here;
                }
                0
            });
            self.keys.push(key);
        }
        self.candidates.push(Candidate {
            no,
            key: self.keys.get(keys_at).copied().unwrap_or_default(),
            keys_at,
            stage: None,
        });
    }

    fn take_segment(&mut self, at: usize) -> Result<(), Damaged> {
        let Some(segment) = &self.index.segments[at] else {
            return Ok(());
        };
        let first = first_of(at as u64);
        let scene = Scene::new(segment, first, &self.index.experiments)?;
        let mut of = self.shown(&scene)?;
        for no in self
            .index
            .changed
            .range(first..first + SEGMENT)
            .map(|(no, _)| *no)
        {
            let place = (no - first) as usize;
            if place < of.len() {
                of.clear(place);
            }
        }
        if of.is_empty() {
            return Ok(());
        }
        let found = scene.judge(&self.query.filter, &of)?;
        self.total += found.count();
        if self.query.order.is_empty() {
            self.take_newest(&scene, &found);
            return Ok(());
        }
        if found.is_empty() || self.need == 0 {
            return Ok(());
        }
        self.take_best(scene, &found)
    }

    /// The runs of a segment that are looked at.
    fn shown(&self, scene: &Scene<'_>) -> Result<Bits, Damaged> {
        let mut shown = if self.asks_all {
            scene.exists()
        } else {
            let experiments = scene.experiments().iter().zip(0..);
            let passes: Vec<bool> = experiments
                .map(|(experiment, code)| self.asks(experiment, scene.experiment_no(code)))
                .collect();
            scene.of_codes(&passes)
        };
        let drop = |shown: &mut Bits, flag| -> Result<(), Damaged> {
            if let Some(flagged) = scene.flagged(flag)? {
                shown.and_not(&flagged.bits());
            }
            Ok(())
        };
        match self.query.shown {
            Shown::Active => {
                drop(&mut shown, "archived")?;
                drop(&mut shown, "deleted")?;
            }
            Shown::WithArchived => drop(&mut shown, "deleted")?,
            Shown::Bin => {
                let in_bin: Vec<bool> = scene.experiments().iter().map(|of| of.deleted).collect();
                let mut bin = scene.of_codes(&in_bin);
                if let Some(flagged) = scene.flagged("deleted")? {
                    bin.or(&flagged.bits());
                }
                shown.and(&bin);
            }
            Shown::All => {}
        }
        Ok(shown)
    }

    /// Without an order: the greatest numbers of the segment, as many as are needed at most.
    fn take_newest(&mut self, scene: &Scene<'_>, found: &Bits) {
        for place in found.iter_down().take(self.need) {
            self.candidates.push(Candidate {
                no: scene.no(place),
                key: 0,
                keys_at: 0,
                stage: None,
            });
        }
        self.need_only();
    }

    /// With an order: the best of the segment that the threshold lets through.
    fn take_best(&mut self, scene: Scene<'a>, found: &Bits) -> Result<(), Damaged> {
        let terms = &self.query.order;
        let sources = term_sources(terms, &scene)?;
        let keys: Vec<TermKeys<'_>> = terms
            .iter()
            .zip(&sources)
            .map(|(term, sources)| TermKeys::new(term, sources, (&scene, found)))
            .collect();
        if keys[0].scale == Scale::Here {
            self.first_scale = Scale::Here;
        }
        if keys.iter().any(|keys| keys.scale == Scale::Here) {
            self.scale = Scale::Here;
        }
        let threshold = match self.first_scale {
            Scale::Everywhere => self.threshold,
            Scale::Here => u64::MAX,
        };
        let mut passing = found.clone();
        keys[0].keep(&mut passing, threshold);
        let mut best: Vec<(u64, usize)> = passing
            .iter()
            .map(|place| (keys[0].at(&scene, place), place))
            .filter(|(key, _)| *key <= threshold)
            .collect();
        if best.len() > self.need {
            best.select_nth_unstable_by(self.need - 1, |(a_key, a), (b_key, b)| {
                let others = || {
                    let later = keys[1..].iter();
                    later.map(|keys| keys.at(&scene, *a).cmp(&keys.at(&scene, *b)))
                };
                a_key
                    .cmp(b_key)
                    .then_with(|| {
                        others()
                            .find(|order| order.is_ne())
                            .unwrap_or(Ordering::Equal)
                    })
                    .then(b.cmp(a))
            });
            best.truncate(self.need);
        }
        for (key, place) in best {
            let keys_at = self.keys.len();
            self.keys
                .extend(keys.iter().map(|keys| keys.at(&scene, place)));
            self.candidates.push(Candidate {
                no: scene.no(place),
                key,
                keys_at,
                stage: Some(self.stages.len()),
            });
        }
        self.stages.push(Stage { scene, sources });
        self.lower_threshold();
        Ok(())
    }

    /// Once there are enough candidates, the worst first key of the best of them bounds all that follow.
    fn lower_threshold(&mut self) {
        if self.first_scale == Scale::Here || self.candidates.len() < self.need {
            return;
        }
        let mut keys: Vec<u64> = self
            .candidates
            .iter()
            .map(|candidate| candidate.key)
            .collect();
        let (_, worst, _) = keys.select_nth_unstable(self.need - 1);
        self.threshold = *worst;
        let threshold = self.threshold;
        self.candidates
            .retain(|candidate| candidate.key <= threshold);
    }

    /// Candidates without an order, cut to the greatest numbers.
    fn need_only(&mut self) {
        if self.candidates.len() > self.need {
            self.candidates
                .sort_unstable_by_key(|candidate| Reverse(candidate.no));
            self.candidates.truncate(self.need);
        }
    }

    fn finish(mut self) -> Hits {
        match self.scale {
            Scale::Everywhere => self.sort_by_keys(),
            Scale::Here => self.sort_by_values(),
        }
        Hits {
            total: self.total,
            runs: self
                .candidates
                .iter()
                .skip(self.query.offset)
                .take(self.query.limit)
                .map(|candidate| RunNo(candidate.no))
                .collect(),
        }
    }

    fn sort_by_keys(&mut self) {
        let terms = self.query.order.len();
        let keys = &self.keys;
        let of = |candidate: &Candidate| &keys[candidate.keys_at..][..terms];
        self.candidates.sort_unstable_by(|a, b| {
            let order = if terms == 0 {
                Ordering::Equal
            } else {
                of(a).cmp(of(b))
            };
            order.then(b.no.cmp(&a.no))
        });
    }

    fn sort_by_values(&mut self) {
        let terms = &self.query.order;
        let mut rows: Vec<(Vec<Option<Value<'_>>>, Candidate)> = self
            .candidates
            .iter()
            .map(|candidate| (self.values(candidate), *candidate))
            .collect();
        rows.sort_unstable_by(|(a, a_run), (b, b_run)| {
            compare_all(terms, a, b).then(b_run.no.cmp(&a_run.no))
        });
        let sorted = rows.into_iter().map(|(_, candidate)| candidate).collect();
        self.candidates = sorted;
    }

    fn values(&self, candidate: &Candidate) -> Vec<Option<Value<'_>>> {
        match candidate.stage {
            Some(stage) => {
                let Stage { scene, sources } = &self.stages[stage];
                let place = scene.place(candidate.no);
                sources
                    .iter()
                    .map(|sources| first_value(sources, scene, place))
                    .collect()
            }
            None => self.index.values(candidate.no, &self.query.order),
        }
    }
}

impl Index {
    /// The values of a changed run.
    fn values(&self, no: u64, terms: &[OrderTerm]) -> Vec<Option<Value<'_>>> {
        let Some(Change::Put(run)) = self.changed.get(&no) else {
            return vec![None; terms.len()];
        };
        let experiment = self.experiments.get(run.experiment.0);
        let view = RunView { run, experiment };
        terms
            .iter()
            .map(|term| lookup(&view, &term.key, Wanted::Any).map(owned))
            .collect()
    }
}

fn owned(value: Value<'_>) -> Value<'static> {
    match value {
        Value::Number(number) => Value::Number(number),
        Value::Time(millis) => Value::Time(millis),
        Value::Text(text, number) => Value::Text(text.into_owned().into(), number),
    }
}

fn compare_all(terms: &[OrderTerm], a: &[Option<Value<'_>>], b: &[Option<Value<'_>>]) -> Ordering {
    terms
        .iter()
        .zip(a.iter().zip(b))
        .map(|(term, (a, b))| compare_values(term, a.as_ref(), b.as_ref()))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}
