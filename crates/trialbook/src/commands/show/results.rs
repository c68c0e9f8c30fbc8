//! What a run's judged items came to (C-11 … C-16, C-25): overall, by agent, by type, by class of errors.
//!
//! Not here: the folds. Invariant: what was not observed is absent, never 0.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use trialbook_model::derived::{
    AgentResult, Cost, ErrorPattern, GroupResult, Results, answers, repeated,
};
use trialbook_store::nouns::RunRow;
use trialbook_store::reading::Reading;

use super::page::{clipped, field, heading};
use crate::context::Context;
use crate::figures::{self, done, grouped, short};
use crate::printer::{Column, Table};

/// Characters of an example that are shown.
const EXAMPLE: usize = 80;

/// The results as JSON.
#[derive(Serialize)]
pub(super) struct Document {
    #[serde(flatten)]
    all: GroupDocument,
    /// Questions with a verdict, of which the accuracy is the share that is right.
    judged_questions: u64,
    /// Records without a repeat or an attempt whose item an earlier one has, too; they count as questions.
    recorded_again: u64,
    /// Records that gave way to a later attempt, or a later record of the same one; they do not count.
    superseded: u64,
    agent_performance: BTreeMap<String, AgentDocument>,
    question_type_performance: BTreeMap<String, GroupDocument>,
    error_patterns: BTreeMap<String, ErrorDocument>,
}

#[derive(Serialize)]
struct GroupDocument {
    total_questions: u64,
    correct_answers: Option<u64>,
    accuracy_rate: Option<Value>,
    failure_count: u64,
    failure_rate: Option<Value>,
    /// Seconds.
    total_execution_time: Option<Value>,
    /// Seconds.
    avg_execution_time_per_question: Option<Value>,
    /// Where all costs are in one currency.
    total_estimated_cost: Option<Value>,
    avg_cost_per_question: Option<Value>,
    /// The sums by currency.
    costs: BTreeMap<String, Value>,
}

#[derive(Serialize)]
struct AgentDocument {
    total_executions: u64,
    successful_executions: u64,
    success_rate: Option<Value>,
    avg_execution_time: Option<Value>,
    estimated_cost: Option<Value>,
}

#[derive(Serialize)]
struct ErrorDocument {
    count: u64,
    example_item: String,
    example_message: String,
}

/// As JSON.
pub(super) fn document(results: &Results, again: Again) -> Document {
    let agents = results.agents.iter();
    let types = results.types.iter();
    let errors = results.errors.iter();
    Document {
        all: group(&results.all),
        judged_questions: results.all.judged,
        recorded_again: again.repeated,
        superseded: again.superseded,
        agent_performance: agents.map(|it| (it.name.clone(), agent(it))).collect(),
        question_type_performance: types.map(|(name, it)| (name.clone(), group(it))).collect(),
        error_patterns: errors.map(|it| (it.kind.clone(), error(it))).collect(),
    }
}

fn group(of: &GroupResult) -> GroupDocument {
    let only = only(&of.costs);
    let costs = of.costs.iter();
    GroupDocument {
        total_questions: of.questions,
        correct_answers: of.correct,
        accuracy_rate: of.accuracy.map(figures::json),
        failure_count: of.failures,
        failure_rate: of.failure_rate.map(figures::json),
        total_execution_time: of.time.map(figures::json),
        avg_execution_time_per_question: of.mean_time.map(figures::json),
        total_estimated_cost: only.map(|cost| figures::json(cost.total)),
        avg_cost_per_question: only.map(|cost| figures::json(cost.mean)),
        costs: costs
            .map(|cost| (cost.currency.clone(), figures::json(cost.total)))
            .collect(),
    }
}

fn agent(of: &AgentResult) -> AgentDocument {
    AgentDocument {
        total_executions: of.executions,
        successful_executions: of.successes,
        success_rate: of.success_rate.map(figures::json),
        avg_execution_time: of.mean_time.map(figures::json),
        estimated_cost: of.cost.map(figures::json),
    }
}

fn error(of: &ErrorPattern) -> ErrorDocument {
    ErrorDocument {
        count: of.count,
        example_item: of.item.clone(),
        example_message: of.message.clone(),
    }
}

/// The costs, where they are in one currency.
fn only(costs: &[Cost]) -> Option<&Cost> {
    match costs {
        [only] => Some(only),
        _ => None,
    }
}

/// As people read it.
pub(super) fn print(results: &Results, again: Again, cx: &Context) {
    heading(cx, "Results");
    let all = &results.all;
    let told = |share: Option<f64>| share.map_or_else(String::new, |it| format!(" ({})", done(it)));
    field(cx, "questions", questions(all.questions, again));
    if let Some(correct) = all.correct {
        let (correct, judged) = (grouped(correct), grouped(all.judged));
        let accuracy = told(all.accuracy);
        field(
            cx,
            "correct",
            format!("{correct} of {judged} judged{accuracy}"),
        );
    }
    let failures = grouped(all.failures);
    field(
        cx,
        "failures",
        format!("{failures}{}", told(all.failure_rate)),
    );
    if let (Some(time), Some(mean)) = (all.time, all.mean_time) {
        field(
            cx,
            "time",
            format!("{} s, {} s a question", short(time), short(mean)),
        );
    }
    for cost in &all.costs {
        let (total, mean) = (
            money(cost.total, &cost.currency),
            money(cost.mean, &cost.currency),
        );
        field(cx, "cost", format!("{total}, {mean} a question"));
    }
    agents(&results.agents, cx);
    types(&results.types, cx);
    errors(&results.errors, cx);
}

fn questions(questions: u64, again: Again) -> String {
    let mut parts = vec![grouped(questions)];
    if again.repeated > 0 {
        let repeated = grouped(again.repeated);
        parts.push(format!(
            "{repeated} recorded again without a repeat or an attempt: each counts"
        ));
    }
    if again.superseded > 0 {
        let superseded = grouped(again.superseded);
        parts.push(format!("{superseded} earlier that later ones replace"));
    }
    parts.join("; ")
}

/// Items of which there are several records.
#[derive(Debug, Clone, Copy)]
pub(super) struct Again {
    repeated: u64,
    superseded: u64,
}

/// Counts the records of a run's items that stand again.
/// Items that cannot be read are no reason not to show the rest: `doctor` names what is damaged.
pub(super) fn again<V: Reading>(view: &V, run: &RunRow) -> Again {
    let items = view.items(run.no).unwrap_or_default();
    let ordered = items.iter().map(|item| (item.stamp.order(), &item.record));
    let counting = answers(ordered);
    Again {
        repeated: repeated(counting.iter().map(|(_, item)| *item)),
        superseded: (items.len() - counting.len()) as u64,
    }
}

fn agents(agents: &[AgentResult], cx: &Context) {
    if agents.is_empty() {
        return;
    }
    heading(cx, &format!("By agent ({})", agents.len()));
    let mut table = Table::new(vec![
        Column::text("AGENT"),
        Column::number("EXECUTIONS"),
        Column::number("SUCCESSFUL"),
        Column::number("SUCCESS"),
        Column::number("AVG TIME"),
        Column::number("COST"),
    ]);
    for agent in agents {
        table.row(vec![
            agent.name.clone(),
            grouped(agent.executions),
            grouped(agent.successes),
            share(agent.success_rate),
            agent.mean_time.map_or_else(missing, seconds),
            agent.cost.map_or_else(missing, short),
        ]);
    }
    cx.printer.table(&table);
}

fn types(types: &[(String, GroupResult)], cx: &Context) {
    if types.is_empty() {
        return;
    }
    heading(cx, &format!("By type ({})", types.len()));
    let mut table = Table::new(vec![
        Column::text("TYPE"),
        Column::number("QUESTIONS"),
        Column::number("CORRECT"),
        Column::number("ACCURACY"),
        Column::number("AVG TIME"),
        Column::number("AVG COST"),
        Column::number("COST"),
    ]);
    for (name, group) in types {
        let cost = only(&group.costs);
        table.row(vec![
            name.clone(),
            grouped(group.questions),
            group.correct.map_or_else(missing, grouped),
            share(group.accuracy),
            group.mean_time.map_or_else(missing, seconds),
            cost.map_or_else(missing, |cost| short(cost.mean)),
            cost.map_or_else(missing, |cost| short(cost.total)),
        ]);
    }
    cx.printer.table(&table);
}

fn errors(errors: &[ErrorPattern], cx: &Context) {
    if errors.is_empty() {
        return;
    }
    heading(cx, &format!("Errors ({})", errors.len()));
    let mut table = Table::new(vec![
        Column::text("CLASS"),
        Column::number("COUNT"),
        Column::text("FIRST"),
        Column::text("MESSAGE"),
    ]);
    for error in errors {
        table.row(vec![
            error.kind.clone(),
            grouped(error.count),
            error.item.clone(),
            clipped(&error.message, EXAMPLE),
        ]);
    }
    cx.printer.table(&table);
}

fn share(share: Option<f64>) -> String {
    share.map_or_else(missing, done)
}

fn missing() -> String {
    "-".to_owned()
}

fn seconds(seconds: f64) -> String {
    format!("{} s", short(seconds))
}

fn money(amount: f64, currency: &str) -> String {
    let amount = short(amount);
    if currency == "USD" {
        format!("${amount}")
    } else {
        format!("{amount} {currency}")
    }
}
