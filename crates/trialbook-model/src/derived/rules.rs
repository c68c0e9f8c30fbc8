//! The registry of derived metrics: what each is called, its unit and goal, what it is made of.
//!
//! Not here: the computing. Invariant: whatever a state gives out has a rule here (tested).

use std::collections::BTreeSet;

use crate::goal::Definition;
use crate::record::Goal;

/// Where a rule takes its numbers from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Input {
    /// Events of this kind.
    Event(&'static str),
    /// Items.
    Items,
    /// Progress records.
    Progress,
    /// A metric of this key.
    Metric(&'static str),
    /// When the run started, ended, last gave a sign.
    Life,
}

/// How one derived metric is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its name; `{}` stands for an id, such as a task's.
    pub name: &'static str,
    /// Its unit; the empty text for counts and shares.
    pub unit: &'static str,
    /// Which direction is better.
    pub goal: Goal,
    /// What it is made of.
    pub inputs: &'static [Input],
    /// The metric that tells the same of a run, where it has that one: the whole of which this is a part, the share of
    /// which this is a count, the mean of which this is a sum.
    pub told_by: Option<&'static str>,
    /// Raised with every change of meaning, together with [`super::VERSION`].
    pub version: u32,
}

impl Rule {
    /// Its unit and goal, for [`crate::goal::resolve`].
    pub fn definition(&self) -> Definition {
        Definition {
            unit: (!self.unit.is_empty()).then(|| self.unit.to_owned()),
            goal: Some(self.goal),
        }
    }

    const fn told_by(self, name: &'static str) -> Self {
        Self {
            told_by: Some(name),
            ..self
        }
    }

    fn fits(&self, name: &str) -> bool {
        match self.name.split_once("{}") {
            None => self.name == name,
            Some((before, after)) => name
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after))
                .is_some_and(|id| !id.is_empty()),
        }
    }
}

const fn rule(
    name: &'static str,
    unit: &'static str,
    goal: Goal,
    inputs: &'static [Input],
) -> Rule {
    Rule {
        name,
        unit,
        goal,
        inputs,
        told_by: None,
        version: 1,
    }
}

const TASKS: &[Input] = &[Input::Event("task_start"), Input::Event("task_end")];
const ENDS: &[Input] = &[Input::Event("task_end")];
const BLOCKERS: &[Input] = &[Input::Event("blocker")];
const ARTIFACTS: &[Input] = &[Input::Event("artifact")];
const CONTEXTS: &[Input] = &[Input::Event("context_request")];
const ITEMS: &[Input] = &[Input::Items];

/// All rules; where several fit a name, the first holds.
pub const RULES: &[Rule] = &[
    rule("total_tasks_completed", "", Goal::Max, TASKS),
    rule("avg_task_duration", "s", Goal::Min, TASKS),
    rule("task_duration_{}", "s", Goal::Min, TASKS).told_by("avg_task_duration"),
    rule("estimation_accuracy_{}", "", Goal::Max, ENDS),
    rule("agent_{}_tasks_completed", "", Goal::Max, ENDS).told_by("total_tasks_completed"),
    rule("agent_{}_avg_duration", "s", Goal::Min, TASKS).told_by("total_tasks_completed"),
    rule("agent_{}_success_rate", "", Goal::Max, ENDS).told_by("total_tasks_completed"),
    rule("total_blockers", "", Goal::Min, BLOCKERS),
    rule("blocker_{}", "", Goal::Min, BLOCKERS).told_by("total_blockers"),
    rule("total_artifacts", "", Goal::None, ARTIFACTS),
    rule("artifacts_{}", "", Goal::None, ARTIFACTS).told_by("total_artifacts"),
    rule(
        "total_decisions",
        "",
        Goal::None,
        &[Input::Event("decision")],
    ),
    rule("total_context_requests", "", Goal::None, CONTEXTS),
    rule("context_{}", "", Goal::None, CONTEXTS).told_by("total_context_requests"),
    rule(
        "velocity",
        "tasks/hour",
        Goal::Max,
        &[Input::Event("task_end"), Input::Life],
    ),
    rule(
        "progress_percent",
        "%",
        Goal::Max,
        &[
            Input::Progress,
            Input::Metric("total_tasks"),
            Input::Metric("completed_tasks"),
        ],
    ),
    rule("total_questions", "", Goal::None, ITEMS).told_by("failure_rate"),
    rule("correct_answers", "", Goal::Max, ITEMS).told_by("accuracy_rate"),
    rule("accuracy_rate", "", Goal::Max, ITEMS),
    rule("unjudged_questions", "", Goal::Min, ITEMS).told_by("total_questions"),
    rule("avg_score", "", Goal::Max, ITEMS),
    rule("failure_count", "", Goal::Min, ITEMS).told_by("failure_rate"),
    rule("failure_rate", "", Goal::Min, ITEMS),
    rule("total_execution_time", "s", Goal::Min, ITEMS).told_by("avg_execution_time_per_question"),
    rule("avg_execution_time_per_question", "s", Goal::Min, ITEMS),
    rule("total_estimated_cost", "", Goal::Min, ITEMS).told_by("avg_cost_per_question"),
    rule("total_estimated_cost_{}", "", Goal::Min, ITEMS),
    rule("avg_cost_per_question", "", Goal::Min, ITEMS),
    rule("type_{}_total_questions", "", Goal::None, ITEMS).told_by("total_questions"),
    rule("type_{}_correct_answers", "", Goal::Max, ITEMS).told_by("total_questions"),
    rule("type_{}_accuracy_rate", "", Goal::Max, ITEMS).told_by("total_questions"),
    rule("type_{}_avg_execution_time", "s", Goal::Min, ITEMS).told_by("total_questions"),
    rule("type_{}_avg_cost", "", Goal::Min, ITEMS).told_by("total_questions"),
    rule("type_{}_total_cost", "", Goal::Min, ITEMS).told_by("total_questions"),
    rule("agent_{}_total_executions", "", Goal::None, ITEMS).told_by("total_questions"),
    rule("agent_{}_successful_executions", "", Goal::Max, ITEMS).told_by("total_questions"),
    rule("agent_{}_execution_share", "", Goal::Max, ITEMS).told_by("total_questions"),
    rule("agent_{}_avg_execution_time", "s", Goal::Min, ITEMS).told_by("total_questions"),
    rule("agent_{}_estimated_cost", "", Goal::Min, ITEMS).told_by("total_questions"),
    rule("errors_{}", "", Goal::Min, ITEMS).told_by("failure_rate"),
];

/// The rule of a derived metric's name, with or without `derived.` before it.
pub fn rule_of(name: &str) -> Option<&'static Rule> {
    let name = super::unqualified(name).unwrap_or(name);
    RULES.iter().find(|rule| rule.fits(name))
}

/// Of the derived metrics of some runs those that tell each thing once, and the others.
pub fn measured_once<'a>(names: &BTreeSet<&'a str>) -> (BTreeSet<&'a str>, BTreeSet<&'a str>) {
    let is_once = |name: &&'a str| {
        let teller = rule_of(name).and_then(|rule| rule.told_by);
        teller.is_none_or(|teller| !names.contains(teller))
    };
    names.iter().copied().partition(is_once)
}
