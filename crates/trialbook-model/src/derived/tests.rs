use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::id::{RunUid, Uid, WriterUid};
use crate::record::{
    Assess, Event, Points, Progress, RunError, Score, SeriesKey, SetStatus, Signed, StartRun,
    Subject,
};
use crate::state::RunState;
use crate::status::RunStatus;

fn run() -> RunUid {
    RunUid(Uid([7; 16]))
}

fn order(at: u64) -> Order {
    (Timestamp(at as i64), WriterUid(Uid([1; 16])), at)
}

fn event(kind: &str, data: serde_json::Value) -> Op {
    Op::Event(Event {
        subject: Subject::Run(run()),
        kind: kind.to_owned(),
        severity: None,
        text: String::new(),
        data,
        step: None,
    })
}

fn item(id: &str) -> Item {
    serde_json::from_value(json!({"run": run(), "id": id})).unwrap()
}

fn error(kind: &str, message: &str) -> RunError {
    RunError {
        kind: kind.to_owned(),
        message: message.to_owned(),
    }
}

/// Folds operations at one second each, from second 1.
fn fold(ops: impl IntoIterator<Item = Op>) -> RunState {
    let mut run = RunState::default();
    for (at, op) in ops.into_iter().enumerate() {
        let seq = (at as u64 + 1) * 1_000_000;
        run.apply(&Signed {
            time: Timestamp(seq as i64),
            writer: order(0).1,
            seq,
            actor: None,
            operation: None,
            op,
        });
    }
    run
}

fn values(run: &RunState) -> BTreeMap<String, f64> {
    run.derived_values().into_iter().collect()
}

#[track_caller]
fn check(ops: impl IntoIterator<Item = Op>, expected: &[(&str, f64)]) {
    let found = values(&fold(ops));
    let found: Vec<(&str, f64)> = found.iter().map(|(k, v)| (k.as_str(), *v)).collect();
    let mut expected = expected.to_vec();
    expected.sort_by(|a, b| a.0.cmp(b.0));
    assert_eq!(found, expected);
}

#[test]
fn nothing_seen_is_nothing_said() {
    check([], &[]);
    check([event("message", json!({"text": "hello"}))], &[]);
    assert_eq!(State::default().truncations(), []);
}

#[test]
fn tasks_agents_and_velocity_come_from_events() {
    check(
        [
            event("task_start", json!({"task_id": "a", "agent_id": "w1"})),
            event(
                "task_end",
                json!({"task_id": "b", "agent_id": "w1", "duration_seconds": 4, "estimated_hours": 2, "actual_hours": 4}),
            ),
            event("task_end", json!({"task_id": "a", "agent_id": "w1"})),
            event(
                "task_end",
                json!({"task_id": 3, "agent_id": "w2", "status": "failed", "duration_ms": 9000}),
            ),
            event(
                "task_end",
                json!({"task_id": "d", "agent_id": "w1", "duration_ms": 500, "estimated_hours": 0, "actual_hours": 1}),
            ),
        ],
        &[
            ("total_tasks_completed", 3.0),
            ("task_duration_b", 4.0),
            ("task_duration_a", 2.0),
            ("task_duration_d", 0.5),
            ("estimation_accuracy_b", 0.5),
            ("avg_task_duration", 6.5 / 3.0),
            ("agent_w1_tasks_completed", 3.0),
            ("agent_w1_avg_duration", 6.5 / 3.0),
            ("agent_w1_success_rate", 1.0),
            ("agent_w2_tasks_completed", 0.0),
            ("agent_w2_success_rate", 0.0),
            ("velocity", 3.0 / (4.0 / 3600.0)),
        ],
    );
}

#[test]
fn a_task_that_runs_again_has_no_duration_yet() {
    let start = || event("task_start", json!({"task_id": "a"}));
    let end = || event("task_end", json!({"task_id": "a"}));
    assert_eq!(
        values(&fold([start(), end(), start()])).get("task_duration_a"),
        None
    );
    assert_eq!(
        values(&fold([start(), end(), start(), end()]))["task_duration_a"],
        1.0
    );
    let again = event(
        "task_start",
        json!({"task_id": "a", "start_time": "1970-01-01T00:00:00Z"}),
    );
    assert_eq!(values(&fold([end(), again])).get("task_duration_a"), None);
    assert_eq!(values(&fold([end()])).get("avg_task_duration"), None);
}

#[test]
fn kinds_are_counted_and_not_constant_one() {
    let blocker = |severity: Option<&str>| {
        let Op::Event(mut it) = event("blocker", json!({})) else {
            unreachable!()
        };
        it.severity = severity.map(str::to_owned);
        Op::Event(it)
    };
    check(
        [
            blocker(Some("high")),
            blocker(Some("high")),
            blocker(None),
            event("artifact", json!({"artifact_type": "design"})),
            event("artifact", json!({"type": "design"})),
            event("artifact", json!({})),
            event("decision", json!({"decision": "go"})),
            event("context_request", json!({})),
            event("context_request", json!({"context_type": "schema"})),
        ],
        &[
            ("total_blockers", 3.0),
            ("blocker_high", 2.0),
            ("blocker_medium", 1.0),
            ("total_artifacts", 3.0),
            ("artifacts_design", 2.0),
            ("total_decisions", 1.0),
            ("total_context_requests", 2.0),
            ("context_task_context", 1.0),
            ("context_schema", 1.0),
        ],
    );
}

fn started_and_ended() -> [Op; 2] {
    let start: StartRun = serde_json::from_value(json!({
        "run": run(), "experiment": run(), "started": 0, "status": "running",
    }))
    .unwrap();
    let end = SetStatus {
        run: run(),
        status: RunStatus::Completed,
        started: None,
        ended: Some(Timestamp(7_200_000_000)),
        error: None,
        exit_code: None,
    };
    [Op::StartRun(start), Op::SetStatus(end)]
}

#[test]
fn velocity_is_tasks_over_the_hours_of_the_run() {
    let [start, end] = started_and_ended();
    let done = || event("task_end", json!({}));
    check(
        [start, done(), done(), done(), end],
        &[("total_tasks_completed", 3.0), ("velocity", 1.5)],
    );
}

fn points(step: i64, values: &[(&str, f64)]) -> Op {
    Op::Points(Points {
        subject: Subject::Run(run()),
        step,
        time: Timestamp(step),
        set: false,
        values: values
            .iter()
            .map(|(key, value)| (SeriesKey::plain(*key), *value))
            .collect(),
    })
}

fn progress(done: f64, total: Option<f64>) -> Op {
    Op::Progress(Progress {
        run: run(),
        done,
        total,
        stage: None,
    })
}

#[test]
fn progress_is_told_or_computed_from_logged_totals() {
    let state = [
        points(2, &[("total_tasks", 8.0), ("completed_tasks", 6.0)]),
        points(1, &[("total_tasks", 8.0), ("completed_tasks", f64::NAN)]),
    ];
    check(state.clone(), &[("progress_percent", 75.0)]);
    let [a, b] = state;
    check(
        [a, b, progress(1.0, Some(4.0))],
        &[("progress_percent", 25.0)],
    );
    check([progress(0.0, Some(0.0))], &[("progress_percent", 0.0)]);
    check([progress(5.0, None)], &[]);
    check([progress(f64::NAN, Some(2.0))], &[]);
    check([points(1, &[("completed_tasks", -0.0)])], &[]);
    check(
        [points(
            1,
            &[("total_tasks", 4.0), ("completed_tasks", f64::NAN)],
        )],
        &[],
    );
}

/// The example of document 002: 32 questions of four types, 28 right, 4 failures of three classes.
fn example() -> Vec<Item> {
    let types = [
        ("lookup", 15),
        ("calculation", 8),
        ("comparison", 5),
        ("other", 4),
    ];
    let labels = types
        .into_iter()
        .flat_map(|(label, n)| std::iter::repeat_n(label, n));
    let classes = ["parse", "parse", "timeout", "rate_limit"];
    labels
        .enumerate()
        .map(|(at, label)| {
            let mut item = item(&format!("q{at:02}"));
            item.labels.insert("type".to_owned(), label.to_owned());
            item.latency_ms = Some(if at == 0 { 5800.0 } else { 4500.0 });
            item.cost = Some(if at == 0 { 0.0017 } else { 0.0007 });
            match at.checked_sub(28) {
                None => drop(item.scores.insert("correct".to_owned(), Score::Bool(true))),
                Some(failed) => item.error = Some(error(classes[failed], &format!("at {at}"))),
            }
            item
        })
        .collect()
}

#[test]
fn the_example_of_the_document_comes_out() {
    let mut ops: Vec<Op> = example()
        .into_iter()
        .map(|it| Op::Item(Box::new(it)))
        .collect();
    ops.reverse();
    let state = fold(ops);
    let values = values(&state);
    let near = |name: &str, expected: f64, digits: f64| {
        assert!(
            (values[name] - expected).abs() <= digits,
            "{name}: {}",
            values[name]
        );
    };
    assert_eq!(values["total_questions"], 32.0);
    assert_eq!(values["correct_answers"], 28.0);
    assert_eq!(values["accuracy_rate"], 0.875);
    assert_eq!(values["total_execution_time"], 145.3);
    near("avg_execution_time_per_question", 4.54, 0.005);
    near("total_estimated_cost", 0.0234, 1e-15);
    near("avg_cost_per_question", 0.00073, 0.000_005);
    assert_eq!(values["failure_count"], 4.0);
    assert_eq!(values["failure_rate"], 0.125);
    let per_type = ["lookup", "calculation", "comparison", "other"]
        .map(|label| values[&format!("type_{label}_total_questions")]);
    assert_eq!(per_type, [15.0, 8.0, 5.0, 4.0]);
    assert_eq!(values["type_other_accuracy_rate"], 0.0);
    assert_eq!(values["type_lookup_accuracy_rate"], 1.0);
    assert!(!values.contains_key("unjudged_questions"));
    let counts: Vec<(String, u64, String)> = state
        .derived
        .error_patterns()
        .into_iter()
        .map(|it| (it.kind, it.count, it.message))
        .collect();
    // Observed in reverse, so the first by order is the last of the list.
    let pattern = |kind: &str, n, text: &str| (kind.to_owned(), n, text.to_owned());
    assert_eq!(
        counts,
        [
            pattern("parse", 2, "at 29"),
            pattern("rate_limit", 1, "at 31"),
            pattern("timeout", 1, "at 30"),
        ]
    );
}

#[test]
fn a_primary_score_is_read_in_one_way() {
    let judge = |scores: serde_json::Value, primary: Option<&str>| {
        let mut item = item("q");
        item.scores = serde_json::from_value(scores).unwrap();
        item.primary = primary.map(str::to_owned);
        verdict(&item).map(|it| (it.correct, it.score))
    };
    assert_eq!(judge(json!({}), None), None);
    assert_eq!(
        judge(json!({"f1": 1.0}), None),
        Some((Some(true), Some(1.0)))
    );
    assert_eq!(
        judge(json!({"f1": 0.9}), None),
        Some((Some(false), Some(0.9)))
    );
    assert_eq!(judge(json!({"stars": 4.0}), None), Some((None, Some(4.0))));
    assert_eq!(judge(json!({"grade": "B"}), None), Some((None, None)));
    assert_eq!(judge(json!({"a": true, "b": false}), None), None);
    assert_eq!(
        judge(json!({"a": true, "correct": false}), None),
        Some((Some(false), Some(0.0)))
    );
    assert_eq!(
        judge(json!({"a": true, "b": false}), Some("a")),
        Some((Some(true), Some(1.0)))
    );
    assert_eq!(judge(json!({"a": true}), Some("gone")), None);
}

#[test]
fn items_without_a_verdict_are_neither_right_nor_wrong() {
    let mut right = item("a");
    right.scores.insert("correct".to_owned(), Score::Bool(true));
    right.latency_ms = Some(f64::NAN);
    let ops = [right, item("b")].map(|it| Op::Item(Box::new(it)));
    let state = fold(ops);
    assert_eq!(state.derived.not_finite(), 1);
    let values = values(&state);
    assert_eq!(values["accuracy_rate"], 1.0);
    assert_eq!(values["unjudged_questions"], 1.0);
    assert!(!values.contains_key("total_execution_time"));
    check(
        [Op::Item(Box::new(item("b")))],
        &[
            ("total_questions", 1.0),
            ("unjudged_questions", 1.0),
            ("failure_count", 0.0),
            ("failure_rate", 0.0),
        ],
    );
}

#[test]
fn an_error_is_a_failure_whatever_the_score_says() {
    let mut odd = item("a");
    odd.scores.insert("correct".to_owned(), Score::Bool(true));
    odd.error = Some(error("", "half an answer"));
    let state = fold([Op::Item(Box::new(odd))]);
    let values = values(&state);
    assert_eq!(values["accuracy_rate"], 0.0);
    assert_eq!(values["failure_count"], 1.0);
    assert_eq!(values["errors_unknown"], 1.0);
    assert_eq!(state.derived.error_patterns()[0].item, "a");
}

#[test]
fn money_of_several_currencies_is_not_added_up() {
    let mut dollars = item("a");
    dollars.cost = Some(1.0);
    let mut euros = item("b");
    euros.cost = Some(2.0);
    euros.currency = Some("eur".to_owned());
    euros.agent = Some("x".to_owned());
    let values = values(&fold([dollars, euros].map(|it| Op::Item(Box::new(it)))));
    assert_eq!(values["total_estimated_cost_USD"], 1.0);
    assert_eq!(values["total_estimated_cost_EUR"], 2.0);
    assert!(!values.contains_key("total_estimated_cost"));
    assert_eq!(values["agent_x_estimated_cost"], 2.0);
    assert_eq!(values["agent_x_successful_executions"], 1.0);
}

#[test]
fn the_latest_judgement_counts_after_folding_again() {
    let assess = |scorer: &str, score| Assess {
        run: run(),
        item: "a".to_owned(),
        scorer: scorer.to_owned(),
        source: "person".to_owned(),
        score,
    };
    let mut wrong = item("a");
    wrong.scores.insert("exact".to_owned(), Score::Bool(false));
    let mut state = fold([
        Op::Item(Box::new(wrong.clone())),
        Op::Assess(assess("exact", Score::Bool(true))),
    ]);
    assert!(state.derived.needs_all_items());
    assert_eq!(values(&state)["accuracy_rate"], 0.0);
    let mut judgements = Judgements::default();
    judgements.observe(order(9), &assess("exact", Score::Bool(true)));
    judgements.observe(order(8), &assess("exact", Score::Bool(false)));
    judgements.observe(order(10), &assess("style", Score::Number(0.0)));
    state
        .derived
        .refold_items(&judgements, [(order(1), &wrong), (order(2), &item("b"))]);
    let values = values(&state);
    assert_eq!(values["accuracy_rate"], 1.0);
    assert_eq!(values["unjudged_questions"], 1.0);
    judgements.observe(order(11), &assess("correct", Score::Bool(false)));
    assert_eq!(
        verdict(&judgements.judged(&wrong)).unwrap().correct,
        Some(false)
    );
}

const RIGHT: Score = Score::Bool(true);
const WRONG: Score = Score::Bool(false);

/// A record of one item.
fn record(repeat: Option<u64>, attempt: Option<u64>, score: Score) -> Item {
    let mut item = item("a");
    (item.repeat, item.attempt) = (repeat, attempt);
    item.scores.insert("correct".to_owned(), score);
    item
}

#[test]
fn of_the_records_of_one_answer_the_latest_counts() {
    let check = |records: &[Item], questions: f64, correct: f64| {
        // Whatever the order in which they are met.
        for turned in [false, true] {
            let mut orders: Vec<_> = (1..).map(order).zip(records).collect();
            if turned {
                orders.reverse();
            }
            let items = records.iter().map(|it| Op::Item(Box::new(it.clone())));
            let mut state = fold(items);
            if state.derived.needs_all_items() {
                let none = Judgements::default();
                state.derived.refold_items(&none, orders);
            }
            let values = values(&state);
            assert_eq!(values["total_questions"], questions, "{records:?}");
            assert_eq!(values["correct_answers"], correct, "{records:?}");
        }
    };
    let (first, second) = (Some(1), Some(2));
    // Without numbers nothing tells a repeat from a slip.
    check(
        &[record(None, None, RIGHT), record(None, None, WRONG)],
        2.0,
        1.0,
    );
    check(
        &[record(first, None, RIGHT), record(second, None, RIGHT)],
        2.0,
        2.0,
    );
    check(
        &[record(first, None, RIGHT), record(first, None, WRONG)],
        1.0,
        0.0,
    );
    check(
        &[record(None, second, RIGHT), record(None, first, WRONG)],
        1.0,
        1.0,
    );
    check(
        &[record(first, first, WRONG), record(first, second, RIGHT)],
        1.0,
        1.0,
    );
    // Before a second attempt there was a first one, though nobody numbered it.
    check(
        &[record(None, None, WRONG), record(None, second, RIGHT)],
        1.0,
        1.0,
    );
    check(
        &[record(None, None, WRONG), record(first, None, RIGHT)],
        2.0,
        1.0,
    );
    let both = [record(None, None, RIGHT), record(None, None, RIGHT)];
    assert_eq!(repeated(&both), 1);
    assert_eq!(
        repeated(&[record(first, None, RIGHT), record(first, None, RIGHT)]),
        0
    );
}

#[test]
fn ids_beyond_the_bound_are_counted_and_said() {
    let ends = (0..MOST_TASKS + 5).map(|at| {
        event(
            "task_end",
            json!({"task_id": format!("{at:05}"), "duration_seconds": 1}),
        )
    });
    let state = fold(ends);
    let values = values(&state);
    assert_eq!(values["total_tasks_completed"], 1005.0);
    assert_eq!(values["avg_task_duration"], 1.0);
    assert!(values.contains_key("task_duration_00999"));
    assert!(!values.contains_key("task_duration_01000"));
    assert_eq!(
        state.derived.truncations(),
        [Truncation {
            family: "tasks",
            observations: 5
        }]
    );
}

#[test]
fn a_logged_name_wins_and_the_derived_one_stays_reachable() {
    let free = names("velocity", |_| false);
    assert_eq!(free.plain.as_deref(), Some("velocity"));
    assert_eq!(free.qualified, "derived.velocity");
    assert_eq!(names("velocity", |name| name == "velocity").plain, None);
    assert_eq!(unqualified("derived.velocity"), Some("velocity"));
    assert_eq!(rule_of("derived.velocity").unwrap().unit, "tasks/hour");
    assert_eq!(rule_of("task_duration_"), None);
    assert!(RULES.iter().all(|rule| rule.version <= VERSION));
}

#[test]
fn what_is_told_twice_is_measured_once() {
    for rule in RULES {
        let teller = rule.told_by.map(|name| rule_of(name).unwrap().name);
        assert_eq!(teller, rule.told_by, "{rule:?}");
        assert!(!teller.is_some_and(|name| name.contains("{}")), "{rule:?}");
    }
    let names = [
        "accuracy_rate",
        "correct_answers",
        "failure_count",
        "failure_rate",
        "total_questions",
        "type_a_accuracy_rate",
        "errors_timeout",
        "total_estimated_cost",
    ];
    let (once, again) = measured_once(&names.into());
    let once: Vec<&str> = once.into_iter().collect();
    assert_eq!(
        once,
        ["accuracy_rate", "failure_rate", "total_estimated_cost"]
    );
    assert_eq!(again.len(), 5);
}

#[test]
fn a_state_that_saw_nothing_is_small() {
    let size = |state: &State| serde_json::to_string(state).unwrap().len();
    assert_eq!(size(&State::default()), r#"{"version":2}"#.len());
    let plain = fold([points(1, &[("loss", 0.5)])]);
    assert_eq!(size(&plain.derived), size(&State::default()));
}

#[test]
fn a_state_of_other_rules_is_to_be_made_anew() {
    let mut text = serde_json::to_value(State::default()).unwrap();
    text["version"] = json!(0);
    let old: State = serde_json::from_value(text).unwrap();
    let mut new = State::default();
    assert!(new.is_current() && !old.is_current());
    new.merge(&old);
    assert!(!new.is_current());
}

fn word() -> impl Strategy<Value = String> {
    proptest::sample::select(vec!["a", "b", "a_success", "", "é"]).prop_map(str::to_owned)
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        -10.0..1e6_f64,
        proptest::sample::select(vec![0.0, -0.0, 1.0, 0.1, f64::NAN, f64::INFINITY, f64::MAX]),
    ]
}

fn any_event() -> impl Strategy<Value = Op> {
    let kinds = vec![
        "task_start",
        "task_end",
        "task_end",
        "blocker",
        "artifact",
        "decision",
        "context_request",
    ];
    (
        proptest::sample::select(kinds),
        word(),
        word(),
        proptest::option::of(number()),
        proptest::sample::select(vec!["completed", "failed", ""]),
    )
        .prop_map(|(kind, task, agent, seconds, status)| {
            event(
                kind,
                json!({
                    "task_id": task, "agent_id": agent, "type": agent, "status": status,
                    "duration_seconds": seconds, "estimated_hours": seconds, "actual_hours": 2,
                }),
            )
        })
}

fn any_item() -> impl Strategy<Value = Op> {
    let score = prop_oneof![
        any::<bool>().prop_map(Score::Bool),
        number().prop_map(Score::Number),
        word().prop_map(Score::Text),
    ];
    (
        word(),
        proptest::collection::btree_map(word(), score, 0..3),
        proptest::option::of(number()),
        proptest::option::of((word(), word())),
        proptest::option::of(word()),
    )
        .prop_map(|(id, scores, number, failed, label)| {
            let mut item = item(&id);
            item.scores = scores;
            item.latency_ms = number;
            item.cost = number.map(|it| it / 3.0);
            item.currency.clone_from(&label);
            item.agent.clone_from(&label);
            item.error = failed.map(|(kind, message)| error(&kind, &message));
            item.labels
                .extend(label.map(|label| ("type".to_owned(), label)));
            Op::Item(Box::new(item))
        })
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => any_event(),
        4 => any_item(),
        1 => (number(), proptest::option::of(number())).prop_map(|(done, total)| progress(done, total)),
        1 => (0_i64..3, number(), number())
            .prop_map(|(step, a, b)| points(step, &[("total_tasks", a), ("completed_tasks", b)])),
        1 => proptest::sample::select(started_and_ended().to_vec()),
    ]
}

fn fold_ordered(ops: &[(u64, Op)]) -> State {
    let mut state = State::default();
    for (at, op) in ops {
        state.observe(Timestamp(*at as i64 * 1000), order(*at), op);
    }
    state
}

proptest! {
    #[test]
    fn any_order_and_any_grouping_give_the_same_state(
        (ops, shuffled) in proptest::collection::vec(any_op(), 0..40)
            .prop_map(|ops| ops.into_iter().enumerate().map(|(at, op)| (at as u64, op)).collect::<Vec<_>>())
            .prop_flat_map(|ops| (Just(ops.clone()), Just(ops).prop_shuffle())),
        cuts in proptest::collection::vec(0_usize..40, 0..4),
        from_the_end in any::<bool>(),
    ) {
        let whole = fold_ordered(&ops);
        prop_assert_eq!(&fold_ordered(&shuffled), &whole);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(shuffled.len())).collect();
        cuts.sort_unstable();
        let mut parts = Vec::new();
        let mut from = 0;
        for to in cuts.into_iter().chain([shuffled.len()]) {
            parts.push(fold_ordered(&shuffled[from..to]));
            from = to;
        }
        if from_the_end {
            parts.reverse();
        }
        let merged = parts
            .into_iter()
            .reduce(|mut left, right| { left.merge(&right); left })
            .unwrap_or_default();
        prop_assert_eq!(&merged, &whole);
        let text = serde_json::to_string(&whole).unwrap();
        prop_assert_eq!(serde_json::to_string(&merged).unwrap(), text.clone());
        prop_assert_eq!(&serde_json::from_str::<State>(&text).unwrap(), &whole);

        let values = whole.values(&Life::default());
        let names: BTreeSet<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
        prop_assert_eq!(names.len(), values.len());
        for (name, value) in &values {
            prop_assert!(rule_of(name).is_some(), "{} has no rule", name);
            prop_assert!(!value.is_nan(), "{} is not a number", name);
        }
        for (name, value) in values.iter().filter(|(name, _)| name.ends_with("_rate")) {
            prop_assert!((0.0..=1.0).contains(value), "{}: {}", name, value);
        }
    }
}
