//! What a comparison and an analysis have in common: arms, directions, each thing asked once, what makes other data.

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod sandbox;

use sandbox::Sandbox;
use serde_json::{Value, json};
use trialbook_model::id::{ExperimentUid, RunUid, Uid};
use trialbook_model::record::{
    CreateExperiment, Item, Op, Points, SeriesKey, SetStatus, StartRun, Subject,
};
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;

const EXPERIMENT: ExperimentUid = ExperimentUid(Uid([200; 16]));

fn experiment(config: &str) -> Op {
    let parsed = trialbook_model::config::parse(config, "t.yaml").unwrap();
    Op::CreateExperiment(CreateExperiment {
        experiment: EXPERIMENT,
        project: "default".to_owned(),
        name: "x".to_owned(),
        handle: Some("EXP-001".to_owned()),
        document: parsed.config.document(),
        config_hash: None,
    })
}

/// A trial of a variation that said something and ended.
fn trial(
    at: usize,
    variation: &str,
    said: impl Fn(RunUid) -> Vec<Op>,
    status: RunStatus,
) -> Vec<Op> {
    let run = RunUid(Uid([u8::try_from(at + 1).unwrap(); 16]));
    let start = Op::StartRun(StartRun {
        experiment: EXPERIMENT,
        variation: Some(variation.to_owned()),
        trial: Some(at as u64 + 1),
        ..StartRun::of(run)
    });
    let end = Op::SetStatus(SetStatus {
        run,
        status,
        started: None,
        ended: Some(Timestamp(9)),
        error: None,
        exit_code: None,
    });
    let mut ops = vec![start];
    ops.extend(said(run));
    ops.push(end);
    ops
}

fn measured(key: &'static str, value: f64) -> impl Fn(RunUid) -> Vec<Op> {
    move |run| {
        vec![Op::Points(Points {
            subject: Subject::Run(run),
            step: 0,
            time: Timestamp(0),
            set: false,
            values: vec![(SeriesKey::plain(key), value)],
        })]
    }
}

/// Judged answers: id and whether right.
fn answers(of: Vec<(String, bool)>) -> impl Fn(RunUid) -> Vec<Op> {
    move |run| {
        let op = |(id, right): &(String, bool)| {
            let item = json!({"run": run, "id": id, "scores": {"correct": right}, "latency_ms": 5,
                "labels": {"type": "lookup"}});
            Op::Item(Box::new(serde_json::from_value::<Item>(item).unwrap()))
        };
        of.iter().map(op).collect()
    }
}

const TWO: &str = "
experiment: {id: EXP-001, name: x}
task: {command: [\"true\"]}
variations: [{name: a}, {name: b}]
trials: 3
success_criteria: [\"ms < 60\"]
";

/// Three values each, of `a` from 50 on and of `b` from 10 on.
fn two_arms() -> Vec<Op> {
    let mut ops = vec![experiment(TWO)];
    for at in 0..6 {
        let (name, from) = if at < 3 { ("a", 50.0) } else { ("b", 10.0) };
        let value = measured("ms", from + at as f64);
        ops.extend(trial(at, name, value, RunStatus::Completed));
    }
    ops
}

/// Nothing in the name `ms` says so: who demands less than a number wants less, in every verb.
#[test]
fn a_criterion_says_which_direction_is_better() {
    let sandbox = Sandbox::new();
    sandbox::record(&sandbox, &two_arms());
    let said = sandbox.say("compare EXP-001").ok();
    assert!(said.contains("Winner: b (best ms 14.0)"), "{said}");
    assert!(!said.contains("Assumed"), "{said}");
    let said = sandbox.say("analyze EXP-001").ok();
    assert!(said.contains("b is better (less is better)."), "{said}");
    sandbox.say("report EXP-001").ok();
    let report = std::fs::read_to_string(sandbox.work().join("report.md")).unwrap();
    assert!(report.contains("b is better (less is better)."), "{report}");
    for words in [
        "leaderboard --sort-by ms --json",
        "leaderboard EXP-001 --sort-by ms --json",
    ] {
        let board = sandbox.say(words).json();
        let (way, assumed) = (&board["direction"], &board["assumed"]);
        assert_eq!(
            (way, assumed),
            (&json!("ascending"), &json!(false)),
            "{words}"
        );
        assert_eq!(board["runs"][0]["value"], 13.0);
    }
    let found = sandbox.say("search --sort-by ms --json").json();
    assert_eq!(found["sorted_by"][0]["direction"], "ascending", "{found}");
    let lint = sandbox.say("lint EXP-001 --json").json();
    let goals = |hint: &Value| hint["code"] == "goals_assumed";
    assert!(
        !lint["hints"].as_array().unwrap().iter().any(goals),
        "{lint}"
    );
}

#[test]
fn trials_without_metrics_leave_no_empty_section() {
    let sandbox = Sandbox::new();
    let mut ops = vec![experiment(TWO)];
    for at in 0..4 {
        let name = ["a", "b"][at % 2];
        ops.extend(trial(at, name, |_| Vec::new(), RunStatus::Completed));
    }
    sandbox::record(&sandbox, &ops);
    for words in ["analyze EXP-001", "report EXP-001 -o -"] {
        let said = sandbox.say(words).ok();
        assert!(said.contains("No metric was recorded."), "{said}");
        assert!(
            !said.contains("Against a\n") && !said.contains("Comparisons"),
            "{said}"
        );
    }
}

/// Without a word in the name, a definition or a criterion nothing is better, unless the metric is asked for.
#[test]
fn a_guess_names_no_better_arm() {
    let sandbox = Sandbox::new();
    let mut ops = vec![experiment(TWO)];
    for at in 0..6 {
        let (name, from) = if at < 3 { ("a", 50.0) } else { ("b", 10.0) };
        let value = measured("messages", from + at as f64);
        ops.extend(trial(at, name, value, RunStatus::Completed));
    }
    sandbox::record(&sandbox, &ops);
    let said = sandbox.say("analyze EXP-001").ok();
    assert!(
        said.contains("Nothing says which direction is better."),
        "{said}"
    );
    let said = sandbox.say("analyze EXP-001 --metric messages").ok();
    assert!(
        said.contains("a is better (more is better, assumed"),
        "{said}"
    );
}

/// The one fact of right and wrong answers is tested once, not as five metrics that the correction pays for.
#[test]
fn what_items_say_in_several_forms_is_asked_once() {
    let sandbox = Sandbox::new();
    let mut ops = vec![experiment(TWO)];
    for at in 0..6 {
        let (name, wrong) = if at < 3 { ("a", 6 + at) } else { ("b", at - 3) };
        let of = (0..20).map(|item| (format!("q{item}"), item >= wrong));
        ops.extend(trial(at, name, answers(of.collect()), RunStatus::Completed));
    }
    sandbox::record(&sandbox, &ops);
    let json = sandbox.say("analyze EXP-001 --json").json();
    let keys = json["question"]["metrics"].clone();
    let once = json!([
        "accuracy_rate",
        "avg_execution_time_per_question",
        "failure_rate"
    ]);
    assert_eq!(keys, once);
    // Of the others nothing varies.
    assert_eq!(json["family"]["size"], 1, "{json}");
    let again = json["not_looked_at"].as_array().unwrap();
    for key in [
        "avg_score",
        "correct_answers",
        "failure_count",
        "type_lookup_accuracy_rate",
    ] {
        assert!(again.contains(&json!(key)), "{key}: {json}");
    }
    let named = "analyze EXP-001 --metric accuracy_rate,avg_score --json";
    assert_eq!(sandbox.say(named).json()["family"]["size"], 2);
    let compared = sandbox.say("compare EXP-001 --json").json();
    let keys = compared["metrics"].as_array().unwrap().iter();
    let keys: Vec<&Value> = keys.map(|row| &row["key"]).collect();
    assert_eq!(json!(keys), once);
    assert_eq!(compared["metrics"][0]["standing"]["family"], 1);
    let all = sandbox.say("compare EXP-001 --all --json").json();
    let rows = all["metrics"].as_array().unwrap();
    let score = rows.iter().find(|row| row["key"] == "avg_score").unwrap();
    assert_eq!(score["judged"], false);
    let accuracy = rows
        .iter()
        .find(|row| row["key"] == "accuracy_rate")
        .unwrap();
    assert_eq!(accuracy["standing"]["family"], 1, "{accuracy}");
}

#[test]
fn a_run_that_failed_makes_other_data() {
    let sandbox = Sandbox::new();
    sandbox::record(&sandbox, &two_arms());
    let ask = || sandbox.say("analyze EXP-001 --json").json();
    let first = ask();
    assert_eq!(ask(), first);
    let mut data = vec![first["inputs"]["data"].clone()];
    for (at, status) in [(6, RunStatus::Failed), (7, RunStatus::Cancelled)] {
        let ops = trial(at, "b", |_| Vec::new(), status);
        sandbox::record(&sandbox, &ops);
        let next = ask();
        let look = data.len() as u64 + 1;
        assert_eq!(
            (&next["look"], &next["arms"][1]["completed"]),
            (&json!(look), &json!(3))
        );
        let sum = next["inputs"]["data"].clone();
        assert!(!data.contains(&sum), "{next}");
        data.push(sum);
    }
    let open = trial(8, "b", |_| Vec::new(), RunStatus::Completed);
    sandbox::record(&sandbox, &open[..1]);
    assert_eq!(ask()["inputs"]["data"], data[2]);
}

#[test]
fn runs_of_equal_keys_are_an_arm_whoever_planned_them() {
    let sandbox = Sandbox::new();
    for (at, lr) in ["1e-3", "0.001", "0.1", "0.1", ""].iter().enumerate() {
        let lr = if lr.is_empty() {
            String::new()
        } else {
            format!(" --param lr={lr}")
        };
        let run = sandbox.start(&format!("--experiment tuning --param seed={at}{lr}"));
        sandbox
            .say(&format!("log metric ms={at}.5 --run {run}"))
            .ok();
        sandbox.say(&format!("end --run {run}")).ok();
    }
    for subjects in ["tuning", "tuning/run-*"] {
        let said = sandbox.say(&format!("compare {subjects} --by lr --json"));
        let without = "1 run of default/tuning has no `lr` and is not shown";
        assert!(said.err.contains(without), "{said:?}");
        let json = said.json();
        let titles = json["subjects"].as_array().unwrap().iter();
        let titles: Vec<&str> = titles.map(|it| it["title"].as_str().unwrap()).collect();
        assert_eq!(titles, ["lr=0.001", "lr=0.1"]);
        let cell = &json["metrics"][0]["cells"][1];
        assert_eq!((&cell["n"], &cell["delta"]), (&json!(2), &json!(2.0)));
        assert_eq!(cell["contrast"]["effect"]["name"], "hedges_g");
    }
    // Who names an experiment twice means it once.
    let twice = sandbox.say("compare tuning tuning --by lr --json").json();
    assert_eq!(twice["subjects"].as_array().unwrap().len(), 2, "{twice}");
    let error = sandbox.say("compare tuning --by nope").failed(2);
    assert!(
        error.contains("no run of the experiment has `nope`"),
        "{error}"
    );
    let said = sandbox.say("compare tuning --by seed --limit 3");
    let cut = "these are 5 arms: the first 3 are compared";
    assert!(said.err.contains(cut), "{said:?}");
}

/// Three items, twice each: of `b` numpy.var([[0, 1], [1, 1], [0, 0]], axis=1, ddof=1).mean() = 1/6 within, and
/// numpy.var([0.5, 1, 0], ddof=1) - 1/12 = 1/6 between: a third of the variance of the mean comes from answering again.
#[test]
fn repeats_split_the_variance_between_items_and_answers() {
    let sandbox = Sandbox::new();
    let mut ops = vec![experiment(TWO)];
    let scores = [[[true; 2]; 3], [[false, true], [true; 2], [false; 2]]];
    for (at, (name, scores)) in ["a", "b"].iter().zip(scores).enumerate() {
        let mut of = vec![(format!("only-{name}"), true)];
        for (item, scores) in scores.iter().enumerate() {
            of.extend(scores.map(|score| (format!("q{item}"), score)));
        }
        ops.extend(trial(at, name, answers(of), RunStatus::Completed));
    }
    sandbox::record(&sandbox, &ops);
    let [a, b] = ["01", "02"].map(|digits| digits.repeat(16));
    let json = sandbox
        .say(&format!("compare {a} {b} --items --json"))
        .json();
    let split = &json["sides"][1]["repeats"];
    for (key, expected) in [
        ("between", 1.0 / 6.0),
        ("within", 1.0 / 6.0),
        ("share_within", 1.0 / 3.0),
    ] {
        let found = split[key].as_f64().unwrap();
        assert!((found - expected).abs() < 1e-12, "{json}");
    }
    let side = &json["sides"][1];
    assert_eq!((&side["answers"], &side["matched"]), (&json!(7), &json!(6)));
    assert_eq!(json["sides"][0]["repeats"]["share_within"], Value::Null);
    let said = sandbox.say(&format!("compare {a} {b} --items")).ok();
    let told = "(2 answers to each item): between items 0.16667, within items 0.16667; answering again makes 33% of the variance of its mean.";
    assert!(said.contains(told), "{said}");
}

/// `lr` makes the arms and `seed` the pairs, whoever planned them.
#[test]
fn seeds_repeat_what_is_compared() {
    let sandbox = Sandbox::new();
    let numbers = [
        (1, "0.1", 3.0),
        (2, "0.1", 5.0),
        (1, "0.2", 4.0),
        (2, "0.2", 6.5),
    ];
    for (seed, lr, loss) in numbers {
        let run = sandbox.start(&format!(
            "--experiment tuning --param lr={lr} --param seed={seed}"
        ));
        sandbox
            .say(&format!("log metric loss={loss} --run {run}"))
            .ok();
        sandbox.say(&format!("end --run {run}")).ok();
    }
    let json = sandbox.say("analyze tuning --pair-by seed --json").json();
    assert_eq!(json["division"], json!({"kind": "only_param", "key": "lr"}));
    assert_eq!(json["metrics"][0]["contrasts"][0]["pairs"]["n"], 2);
    let report = sandbox
        .say("report tuning --by lr --test mann-whitney -o -")
        .ok();
    assert!(report.contains("Mann-Whitney U test"), "{report}");
}

/// Tables keep to forty columns, and a reader that leaves is no error.
#[test]
fn narrow_windows_and_closed_pipes_are_enough() {
    let sandbox = Sandbox::new();
    let mut ops = vec![experiment(TWO)];
    for at in 0..120 {
        let long = format!(
            "an arm with a name that needs much room {:03} {}",
            at / 2,
            "x".repeat(900)
        );
        let name = if at < 6 {
            ["a", "b"][at % 2]
        } else {
            &long[..]
        };
        let said = measured("ms", at as f64 + 0.125);
        ops.extend(trial(at, name, said, RunStatus::Completed));
    }
    sandbox::record(&sandbox, &ops);
    for words in [
        "compare EXP-001",
        "compare EXP-001 --json",
        "analyze EXP-001",
        "report EXP-001 -o -",
    ] {
        let script =
            format!("{{ trialbook {words} 2>err; echo $? >code; }} | head -n 1 >/dev/null");
        sandbox.shell(&script).ok();
        let read = |name: &str| std::fs::read_to_string(sandbox.work().join(name)).unwrap();
        assert_eq!(
            (read("err").as_str(), read("code").as_str()),
            ("", "0\n"),
            "{words}"
        );
    }
    let narrow = Sandbox::new();
    sandbox::record(&narrow, &two_arms());
    for words in [
        "compare EXP-001",
        "analyze EXP-001",
        "report EXP-001 -o -",
        "leaderboard --sort-by ms",
        "lint EXP-001",
        "check EXP-001/run-001",
    ] {
        let said = sandbox::ended(narrow.command().env("COLUMNS", "40").args(words.split(' ')));
        let is_table = |line: &&str| line.contains("  ") && !words.starts_with("report");
        for line in said.out.lines().filter(is_table) {
            assert!(line.chars().count() <= 40, "{words}: {line}");
        }
        assert!(said.out.lines().count() > 3, "{said:?}");
    }
}
