//! The folds over a run's items: questions, accuracy, failures, time, costs, agents, types, errors (C-11 … C-16).
//!
//! Every record that is observed counts as a question; which records of one item count, `answers` says, and where some
//! do not, all are folded again.
//!
//! Not here: what a score says, the history of judgements. Invariant: what has no verdict counts neither as right nor as
//! wrong; an item that ended in an error is a failure and not right, whatever its scores say.

mod results;

use serde::{Deserialize, Serialize};

use super::answers::is_numbered;
use super::fold::{Capped, Mean, Merge, Order, count, is_default};
use super::verdict::verdict;
use super::{MOST_AGENTS, MOST_ERRORS, MOST_TYPES, Truncation, Values};
use crate::record::{Item, RunError};
pub use results::{AgentResult, Cost, GroupResult, Results};

/// Currencies kept apart.
const MOST_CURRENCIES: usize = 8;
/// Bytes kept of an example's item id and of its message.
const MOST_EXAMPLE_BYTES: usize = 500;
/// Labels that name an item's type, the first that is there.
const TYPE_LABELS: [&str; 3] = ["type", "question_type", "group"];

/// What is counted of all items, and of the items of one type.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Group {
    questions: u64,
    /// Items with a verdict: right, wrong, or ended in an error.
    judged: u64,
    correct: u64,
    failures: u64,
    scores: Mean,
    latency_ms: Mean,
    costs: Capped<Mean, MOST_CURRENCIES>,
}

impl Group {
    fn observe(&mut self, item: &Item) {
        let verdict = verdict(item);
        let failed = item.error.is_some();
        let correct = verdict.and_then(|it| it.correct);
        count(&mut self.questions, 1);
        count(&mut self.failures, u64::from(failed));
        count(&mut self.judged, u64::from(failed || correct.is_some()));
        let right = !failed && correct == Some(true);
        count(&mut self.correct, u64::from(right));
        self.scores.extend(verdict.and_then(|it| it.score));
        self.latency_ms.extend(item.latency_ms);
        add_cost(&mut self.costs, item);
    }

    fn accuracy(&self) -> Option<f64> {
        share(self.correct, self.judged)
    }
}

impl Merge for Group {
    fn merge(&mut self, other: &Self) {
        count(&mut self.questions, other.questions);
        count(&mut self.judged, other.judged);
        count(&mut self.correct, other.correct);
        count(&mut self.failures, other.failures);
        self.scores.merge(&other.scores);
        self.latency_ms.merge(&other.latency_ms);
        self.costs.merge(&other.costs);
    }
}

/// What is counted of one agent's items.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Agent {
    failures: u64,
    latency_ms: Mean,
    costs: Capped<Mean, MOST_CURRENCIES>,
}

impl Merge for Agent {
    fn merge(&mut self, other: &Self) {
        count(&mut self.failures, other.failures);
        self.latency_ms.merge(&other.latency_ms);
        self.costs.merge(&other.costs);
    }
}

/// The first item of an error class, by order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
struct FirstExample(Option<(Order, String, String)>);

impl FirstExample {
    fn offer(&mut self, order: Order, item: &str, message: &str) {
        if self.0.as_ref().is_none_or(|held| order < held.0) {
            self.0 = Some((order, shortened(item), shortened(message)));
        }
    }
}

impl Merge for FirstExample {
    fn merge(&mut self, other: &Self) {
        if let Some((order, item, message)) = &other.0 {
            self.offer(*order, item, message);
        }
    }
}

/// A class of errors, how often it was met, and where first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorPattern {
    /// The class, such as `ValueError`; `unknown` where the error has none.
    pub kind: String,
    /// Items that ended so.
    pub count: u64,
    /// The first such item by order, cut after 500 bytes.
    pub item: String,
    /// Its message, cut after 500 bytes.
    pub message: String,
}

/// Everything derived from items.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Items {
    all: Group,
    by_type: Capped<Group, MOST_TYPES>,
    by_agent: Capped<Agent, MOST_AGENTS>,
    errors: Capped<FirstExample, MOST_ERRORS>,
    /// Whether a record says which repeat or attempt it is.
    #[serde(skip_serializing_if = "is_default")]
    numbered: bool,
}

impl Merge for Items {
    fn merge(&mut self, other: &Self) {
        self.numbered |= other.numbered;
        self.all.merge(&other.all);
        self.by_type.merge(&other.by_type);
        self.by_agent.merge(&other.by_agent);
        self.errors.merge(&other.errors);
    }
}

impl Items {
    pub(super) fn observe(&mut self, order: Order, item: &Item) {
        self.numbered |= is_numbered(item);
        self.all.observe(item);
        let label = TYPE_LABELS.iter().find_map(|name| item.labels.get(*name));
        let label = label.filter(|label| !label.is_empty());
        if let Some(group) = label.and_then(|label| self.by_type.at(label)) {
            group.observe(item);
        }
        let agent = item.agent.as_deref().filter(|agent| !agent.is_empty());
        if let Some(agent) = agent.and_then(|agent| self.by_agent.at(agent)) {
            count(&mut agent.failures, u64::from(item.error.is_some()));
            agent.latency_ms.extend(item.latency_ms);
            add_cost(&mut agent.costs, item);
        }
        if let Some(error) = &item.error
            && let Some(first) = self.errors.at(kind_of(error))
        {
            first.offer(order, &item.id, &error.message);
        }
    }

    pub(super) const fn has_numbered(&self) -> bool {
        self.numbered
    }

    pub(super) fn values(&self, out: &mut Values) {
        let all = &self.all;
        if all.questions == 0 {
            return;
        }
        let seconds = |ms: Option<f64>| ms.map(|ms| ms / 1000.0);
        let unjudged = all.questions - all.judged.min(all.questions);
        out.put("total_questions", Some(all.questions as f64));
        out.put(
            "correct_answers",
            (all.judged > 0).then_some(all.correct as f64),
        );
        out.put("accuracy_rate", all.accuracy());
        out.put(
            "unjudged_questions",
            (unjudged > 0).then_some(unjudged as f64),
        );
        out.put("avg_score", all.scores.mean());
        out.put("failure_count", Some(all.failures as f64));
        out.put("failure_rate", share(all.failures, all.questions));
        out.put("total_execution_time", seconds(all.latency_ms.sum()));
        out.put(
            "avg_execution_time_per_question",
            seconds(all.latency_ms.mean()),
        );
        if let Some(cost) = only_cost(&all.costs) {
            out.put("total_estimated_cost", cost.sum());
            out.put("avg_cost_per_question", cost.mean());
        } else {
            for (currency, _, cost) in all.costs.iter() {
                out.put(&format!("total_estimated_cost_{currency}"), cost.sum());
            }
        }
        self.type_values(out);
        self.agent_values(out);
        for (kind, seen, _) in self.errors.iter() {
            out.put(&format!("errors_{kind}"), Some(seen as f64));
        }
    }

    fn type_values(&self, out: &mut Values) {
        for (label, _, group) in self.by_type.iter() {
            let name = |what: &str| format!("type_{label}_{what}");
            let cost = only_cost(&group.costs);
            let correct = (group.judged > 0).then_some(group.correct as f64);
            let time = group.latency_ms.mean().map(|ms| ms / 1000.0);
            out.put(&name("total_questions"), Some(group.questions as f64));
            out.put(&name("correct_answers"), correct);
            out.put(&name("accuracy_rate"), group.accuracy());
            out.put(&name("avg_execution_time"), time);
            out.put(&name("avg_cost"), cost.and_then(Mean::mean));
            out.put(&name("total_cost"), cost.and_then(Mean::sum));
        }
    }

    fn agent_values(&self, out: &mut Values) {
        for (id, seen, agent) in self.by_agent.iter() {
            let name = |what: &str| format!("agent_{id}_{what}");
            let successes = seen - agent.failures.min(seen);
            let time = agent.latency_ms.mean().map(|ms| ms / 1000.0);
            let cost = only_cost(&agent.costs).and_then(Mean::sum);
            out.put(&name("total_executions"), Some(seen as f64));
            out.put(&name("successful_executions"), Some(successes as f64));
            out.put(&name("execution_share"), share(successes, seen));
            out.put(&name("avg_execution_time"), time);
            out.put(&name("estimated_cost"), cost);
        }
    }

    pub(super) fn error_patterns(&self) -> Vec<ErrorPattern> {
        let mut patterns: Vec<ErrorPattern> = self
            .errors
            .iter()
            .filter_map(|(kind, seen, first)| {
                let (_, item, message) = first.0.clone()?;
                Some(ErrorPattern {
                    kind: kind.to_owned(),
                    count: seen,
                    item,
                    message,
                })
            })
            .collect();
        patterns.sort_by(|left, right| {
            right
                .count
                .cmp(&left.count)
                .then(left.kind.cmp(&right.kind))
        });
        patterns
    }

    pub(super) fn not_finite(&self) -> u64 {
        let costs = self.all.costs.iter().map(|(_, _, cost)| cost.not_finite());
        costs
            .chain([
                self.all.scores.not_finite(),
                self.all.latency_ms.not_finite(),
            ])
            .fold(0, u64::saturating_add)
    }

    pub(super) fn truncations(&self) -> impl Iterator<Item = Truncation> {
        [
            ("item types", self.by_type.truncated()),
            ("item agents", self.by_agent.truncated()),
            ("error classes", self.errors.truncated()),
            ("currencies", self.all.costs.truncated()),
        ]
        .into_iter()
        .map(Truncation::from)
    }
}

fn share(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

fn kind_of(error: &RunError) -> &str {
    if error.kind.is_empty() {
        "unknown"
    } else {
        &error.kind
    }
}

fn add_cost(costs: &mut Capped<Mean, MOST_CURRENCIES>, item: &Item) {
    if let Some(cost) = item.cost {
        let currency = item.currency.as_deref().filter(|it| !it.is_empty());
        let currency = currency.unwrap_or("USD");
        if let Some(mean) = costs.at(&currency.to_ascii_uppercase()) {
            mean.add(cost);
        }
    }
}

/// The costs, where they are in one currency: money of several is never added up.
fn only_cost(costs: &Capped<Mean, MOST_CURRENCIES>) -> Option<&Mean> {
    let mut all = costs.iter();
    let (_, _, first) = all.next()?;
    (all.next().is_none() && costs.truncated() == 0).then_some(first)
}

fn shortened(text: &str) -> String {
    let mut end = text.len().min(MOST_EXAMPLE_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
