//! What a run's items came to, in one piece: overall, by agent, by type, by class of errors (C-11 … C-16).
//!
//! Invariant: the numbers are those of the derived metrics; what was not observed is missing, never 0.

use super::{Agent, ErrorPattern, Group, Items, only_cost, share};
use crate::derived::fold::{Capped, Mean};

/// What a run's items came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Results {
    /// All items.
    pub all: GroupResult,
    /// By the agent that answered; empty where no item names one.
    pub agents: Vec<AgentResult>,
    /// By the label of the type; empty where no item has one.
    pub types: Vec<(String, GroupResult)>,
    /// Classes of errors, the most frequent first.
    pub errors: Vec<ErrorPattern>,
}

/// What some items came to.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupResult {
    /// Items.
    pub questions: u64,
    /// Items with a verdict: right, wrong, or ended in an error.
    pub judged: u64,
    /// Items that were judged right; `None` where none was judged.
    pub correct: Option<u64>,
    /// The share of right ones among those that were judged.
    pub accuracy: Option<f64>,
    /// Items that ended in an error.
    pub failures: u64,
    /// The share of those.
    pub failure_rate: Option<f64>,
    /// Seconds in all.
    pub time: Option<f64>,
    /// Seconds of one item on average.
    pub mean_time: Option<f64>,
    /// Costs by currency: the sum and the mean of one item.
    pub costs: Vec<Cost>,
}

/// Money in one currency.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// Its code, such as `USD`.
    pub currency: String,
    /// The sum.
    pub total: f64,
    /// The mean of the items that cost something in it.
    pub mean: f64,
}

/// What one agent's items came to.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentResult {
    /// The agent.
    pub name: String,
    /// Items it answered.
    pub executions: u64,
    /// Those that did not end in an error.
    pub successes: u64,
    /// The share of those.
    pub success_rate: Option<f64>,
    /// Seconds of one item on average.
    pub mean_time: Option<f64>,
    /// What they cost, where that is in one currency.
    pub cost: Option<f64>,
}

impl Items {
    /// All of it; `None` without an item.
    pub(in crate::derived) fn results(&self) -> Option<Results> {
        (self.all.questions > 0).then(|| Results {
            all: self.all.result(),
            agents: self.by_agent.iter().map(agent).collect(),
            types: self
                .by_type
                .iter()
                .map(|(label, _, group)| (label.to_owned(), group.result()))
                .collect(),
            errors: self.error_patterns(),
        })
    }
}

impl Group {
    fn result(&self) -> GroupResult {
        GroupResult {
            questions: self.questions,
            judged: self.judged,
            correct: (self.judged > 0).then_some(self.correct),
            accuracy: self.accuracy(),
            failures: self.failures,
            failure_rate: share(self.failures, self.questions),
            time: seconds(self.latency_ms.sum()),
            mean_time: seconds(self.latency_ms.mean()),
            costs: costs(&self.costs),
        }
    }
}

fn agent((name, seen, agent): (&str, u64, &Agent)) -> AgentResult {
    let successes = seen - agent.failures.min(seen);
    AgentResult {
        name: name.to_owned(),
        executions: seen,
        successes,
        success_rate: share(successes, seen),
        mean_time: seconds(agent.latency_ms.mean()),
        cost: only_cost(&agent.costs).and_then(Mean::sum),
    }
}

fn costs<const CAP: usize>(costs: &Capped<Mean, CAP>) -> Vec<Cost> {
    let cost = |(currency, _, cost): (&str, u64, &Mean)| {
        Some(Cost {
            currency: currency.to_owned(),
            total: cost.sum()?,
            mean: cost.mean()?,
        })
    };
    costs.iter().filter_map(cost).collect()
}

fn seconds(ms: Option<f64>) -> Option<f64> {
    ms.map(|ms| ms / 1000.0)
}
