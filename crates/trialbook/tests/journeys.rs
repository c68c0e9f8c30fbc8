//! Whole days of people, from the first command to what they hand over. Single verbs are tested beside.

#![expect(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod sandbox;

use std::fs;
use std::path::Path;

use sandbox::{Ended, Sandbox, copy, on_path as say};
use serde_json::{Value, json};
use trialbook_model::id::{ExperimentUid, RunUid, Uid};
use trialbook_model::record::{
    CreateExperiment, Op, Points, SeriesKey, SetStatus, StartRun, Subject,
};
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;

fn git(sandbox: &Sandbox, folder: &Path, words: &str) -> Ended {
    let folder = folder.display();
    let who = "-c user.name=t -c user.email=t@t -c commit.gpgsign=false";
    sandbox.shell(&format!("cd '{folder}' && git {who} {words}"))
}

fn read(folder: &Path, name: &str) -> String {
    let file = folder.join(name);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value}"))
}

/// The mean of a metric of an arm, by the summaries alone: as who has no Trialbook would take it.
fn mean_in_files(folder: &Path, variation: &str, metric: &str) -> f64 {
    let mut values = Vec::new();
    for entry in fs::read_dir(folder.join("runs")).unwrap() {
        let summary = read(&entry.unwrap().path(), "summary.json");
        let summary: Value = serde_json::from_str(&summary).unwrap();
        if summary["variation"] == variation {
            values.push(number(&summary["metrics"][metric]));
        }
    }
    assert_eq!(values.len(), 3, "{variation}");
    values.iter().sum::<f64>() / 3.0
}

/// What a reviewer asks of a contrast: how many, how much, how sure, how large, by which test, corrected how.
fn check_is_answered(analysis: &Value, metric: &str, arm: &str, difference: f64) {
    let of = |list: &Value, key: &str, name: &str| {
        let found = list.as_array().unwrap().iter().find(|it| it[key] == name);
        found.unwrap_or_else(|| panic!("no {name}: {list}")).clone()
    };
    let metric = of(&analysis["metrics"], "key", metric);
    let contrast = of(&metric["contrasts"], "arm", arm);
    assert_eq!(contrast["n"], json!([3, 3]), "{contrast}");
    assert_eq!(contrast["test"], "Welch's t test");
    assert_eq!(contrast["effect"]["name"], "hedges_g");
    assert!((number(&contrast["difference"]) - difference).abs() < 1e-9);
    let interval = &contrast["interval"];
    assert!(number(&interval["low"]) < difference && difference < number(&interval["high"]));
    let (p, adjusted) = (&contrast["p"], &contrast["p_adjusted"]);
    assert!(number(p) <= number(adjusted), "{contrast}");
    assert_eq!(analysis["family"]["correction"], "holm");
}

/// Template, validate, run, status, analyze, report, text files; and a reviewer who is given only the files
/// asks how sure this is, and gets the same answer to the last byte.
/// A-15, A-16, A-17, A-20, A-22, A-23, A-29, A-30.
#[test]
#[expect(clippy::too_many_lines, reason = "a day is told in its order")]
fn from_a_template_to_files_that_a_reviewer_can_question() {
    let author = Sandbox::new();
    say(&author, "template comparison -o config.yaml").ok();
    let valid = say(&author, "validate config.yaml").ok();
    assert!(
        valid.contains("3 variations × 10 trials = 30 runs"),
        "{valid}"
    );
    git(&author, &author.work(), "init -q").ok();
    git(&author, &author.work(), "add config.yaml").ok();
    git(&author, &author.work(), "commit -qm config").ok();
    let commit = git(&author, &author.work(), "rev-parse HEAD").ok();
    let run = say(&author, "run config.yaml --trials 3 --jobs 2");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.err.contains("#3  completed in "), "{run:?}");
    let status = say(&author, "status EXP-001 --json").json();
    assert_eq!(
        (&status["trials"]["completed"], &status["verdict"]),
        (&json!(9), &json!(true))
    );
    let asked = say(&author, "analyze EXP-001 --json").json();
    say(&author, "report EXP-001").ok();
    say(&author, "export --format text exp-001 EXP-001 --artifacts").ok();

    let folder = author.work().join("exp-001");
    let config = read(&folder, "config.yaml");
    assert!(config.contains("Cue-Based Coordination"), "{config}");
    let summary: Value = serde_json::from_str(&read(&folder, "runs/run-001/summary.json")).unwrap();
    for (key, value) in [
        ("experiment_id", json!("EXP-001")),
        ("variation", json!("Cue-Based Coordination")),
        ("trial", json!(1)),
        ("status", json!("success")),
        ("error", Value::Null),
    ] {
        assert_eq!(summary[key], value, "{key}");
    }
    for key in ["started_at", "ended_at"] {
        let time = summary[key].as_str().unwrap();
        assert!(
            time.len() == 24 && time.ends_with('Z'),
            "milliseconds: {time}"
        );
    }
    assert!(summary["duration_ms"].is_number() && summary["params"]["agent_count"] == 5);
    let environment = &summary["environment"];
    assert_eq!(environment["git_commit"], commit.trim());
    assert_eq!(environment["git_dirty"], false);
    assert_eq!(environment["timestamp"], summary["started_at"]);
    assert!(environment["python_version"].is_string(), "{environment}");
    let first = read(&folder, "runs/run-001/metrics.jsonl");
    let first: Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    assert!(
        first["timestamp"].is_string() && first["value"].is_number(),
        "{first}"
    );

    let reviewer = Sandbox::new();
    copy(&folder, &reviewer.work().join("exp-001"));
    say(&reviewer, "import exp-001").ok();
    let metric = "completion_time_ms";
    let base = mean_in_files(&folder, "Cue-Based Coordination", metric);
    let answered = say(&reviewer, "analyze EXP-001 --json").json();
    assert_eq!(answered, asked);
    for arm in ["Event-Driven", "Polling"] {
        let difference = mean_in_files(&folder, arm, metric) - base;
        check_is_answered(&answered, metric, arm, difference);
    }
    let said = say(&reviewer, "analyze EXP-001 --metric completion_time_ms").ok();
    for words in [
        "Polling differs from Cue-Based Coordination: +",
        "95% CI [",
        "large effect, g = ",
        "Welch's t test, t(",
        "Holm-adjusted p",
        "n = 3 and 3",
        "few trials",
        "p-values are adjusted by Holm over 2 tests",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    say(&reviewer, "report EXP-001").ok();
    let report = read(&reviewer.work(), "report.md");
    assert_eq!(report, read(&author.work(), "report.md"));
    assert!(
        report.contains("and polling coordination. By Your Name."),
        "{report}"
    );
}

const IDS: [&str; 2] = ["exp_20241227_143022", "exp_20241227_145156"];

/// A benchmark of 32 questions, all but some of which are answered.
fn benchmark(sandbox: &Sandbox, id: &str, sampling: &str, failures: usize) {
    let setup = format!(
        "agents: [{{name: supervisor, model: gpt-4o, temperature: 0.1, role: Financial QA Orchestrator}}]\n\
         workflow: {{process_type: hierarchical}}\n\
         dataset: {{total_conversations: 737, sample_size: 10, {sampling}}}\n"
    );
    fs::write(sandbox.work().join("setup.yaml"), setup).unwrap();
    let start = "start --experiment benchmark --config setup.yaml --alias";
    let words = format!("{start} {id} --notes");
    let args = words.split(' ').chain(["Testing new configuration"]);
    let run = sandbox.run(args).ok();
    let lines: Vec<String> = (0..32)
        .map(|question| {
            let outcome = if question < failures {
                r#""error": {"kind": "TimeoutError", "message": "no answer"}"#
            } else {
                r#""scores": {"correct": true}, "agent": "supervisor""#
            };
            format!(
                "{{\"event\": \"item\", \"id\": \"train_{question}\", \"latency_ms\": 4540.625, \
                 \"cost\": 0.00073125, {outcome}}}"
            )
        })
        .collect();
    let lines = lines.join("\n");
    let told = sandbox.feed(&format!("log - --run {}", run.trim()), lines.as_bytes());
    told.ok();
    sandbox.say(&format!("end --run {}", run.trim())).ok();
}

/// Every command of the tracker's README that is ours, with the line that hands everything to another book.
/// C-26, C-27, C-28, C-29, C-30, C-31, C-32.
#[test]
fn the_trackers_readme_holds_in_the_book_its_export_goes_to() {
    let first = Sandbox::new();
    benchmark(
        &first,
        IDS[0],
        "sampling_strategy: sequential, random_seed: null",
        4,
    );
    benchmark(
        &first,
        IDS[1],
        "sampling_strategy: random, random_seed: 42",
        8,
    );
    first.say("export backup_20241227.json").ok();
    let second = Sandbox::new();
    let file = "backup_20241227.json";
    fs::copy(first.work().join(file), second.work().join(file)).unwrap();
    second.say("import backup_20241227.json").ok();

    let list = second.say("list -n 50").ok();
    for text in ["87.5%", "75.0%", "$0.023", " 32 "] {
        assert!(list.contains(text), "{text}: {list}");
    }
    let show = second.say(&format!("show {}", IDS[0])).ok();
    for text in [
        "correct      28 of 32 judged (87.5%)",
        "Testing new configuration",
    ] {
        assert!(show.contains(text), "{text}: {show}");
    }
    assert_eq!(second.say("stats --json").json()["best_accuracy"], 0.875);
    let [one, other] = IDS;
    for words in [
        format!("compare {one} {other}"),
        format!("revert {one} -o revert_config.json"),
    ] {
        assert_eq!(first.say(&words).ok(), second.say(&words).ok(), "{words}");
    }
    let compared = second.say(&format!("compare {one} {other}")).ok();
    for text in ["dataset.random_seed", "42", "dataset.sampling_strategy"] {
        assert!(compared.contains(text), "{text}: {compared}");
    }
    let configs = [&first, &second].map(|it| read(&it.work(), "revert_config.json"));
    assert_eq!(configs[0], configs[1]);
    let config: Value = serde_json::from_str(&configs[0]).unwrap();
    assert_eq!(config["dataset"]["sample_size"], 10);
    // What a revert wrote is a setup to begin with.
    let start = "start --experiment benchmark --config revert_config.json";
    let run = second.say(start).ok();
    let again = second.say(&format!("show {} --json", run.trim())).json();
    let was = second.say(&format!("show {one} --json")).json();
    assert!(
        was["setup"].is_object() || was["config_hash"].is_string(),
        "{was}"
    );
    assert_eq!(again["config_hash"], was["config_hash"]);
}

/// Runs of an experiment of their own each, with an accuracy.
fn trained(accuracies: impl Iterator<Item = f64>) -> Vec<Op> {
    let mut ops = Vec::new();
    for (at, accuracy) in (1..).zip(accuracies) {
        let experiment = ExperimentUid(Uid([at; 16]));
        let run = RunUid(Uid([at + 100; 16]));
        ops.push(Op::CreateExperiment(CreateExperiment {
            experiment,
            project: "nlp-classification".to_owned(),
            name: format!("transformer-{at:02}"),
            handle: None,
            document: Value::Null,
            config_hash: None,
        }));
        ops.push(Op::StartRun(StartRun {
            experiment,
            ..StartRun::of(run)
        }));
        ops.push(Op::Points(Points {
            subject: Subject::Run(run),
            step: 0,
            time: Timestamp(0),
            set: false,
            values: vec![(SeriesKey::plain("val_accuracy"), accuracy)],
        }));
        ops.push(Op::SetStatus(SetStatus {
            run,
            status: RunStatus::Completed,
            started: None,
            ended: Some(Timestamp(9)),
            error: None,
            exit_code: None,
        }));
    }
    ops
}

/// The search of the slash commands, with the numbers of its example, and its next step.
/// T-5, T-7.
#[test]
fn twenty_three_are_found_and_the_ten_best_are_compared() {
    let sandbox = Sandbox::new();
    // 0.881 to 0.925 in steps of 0.001; 0.90 itself is not above 0.90.
    let accuracies = (0..30).map(|at| f64::from(881 + at * 3 / 2) / 1_000.0);
    let above = accuracies.clone().filter(|it| *it > 0.9).count();
    let missing = 23 - above;
    let more = (0..missing).map(|at| 0.93 + f64::from(u8::try_from(at).unwrap()) / 1_000.0);
    sandbox::record(&sandbox, &trained(accuracies.chain(more)));
    let search = |json: &[&str]| {
        let words = ["/experiment-search", "--filter"];
        let rest = ["--sort-by", "val_accuracy", "--top", "10"];
        let filter = ["metrics.val_accuracy > 0.90"];
        sandbox.run(words.iter().chain(&filter).chain(&rest).chain(json))
    };
    let found = search(&[]).ok();
    let head = "Found 23 runs, showing top 10 by val_accuracy";
    assert!(found.starts_with(head), "{found}");
    let found = search(&["--json"]).json();
    assert_eq!(found["total"], 23, "{found}");
    let runs = found["runs"].as_array().unwrap();
    let ids: Vec<&str> = runs.iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 10);
    let compare = format!(
        "/experiment-compare --experiment-ids {} --metrics val_accuracy",
        ids.join(",")
    );
    let compared = sandbox.say(&compare).ok();
    let winner = compared.lines().find(|it| it.starts_with("Winner"));
    let best = format!("transformer-{:02}", 30 + missing);
    assert!(
        winner.is_some_and(|it| it.contains(&best) && it.contains("best val_accuracy")),
        "{best}: {compared}"
    );
    sandbox
        .say(&format!(
            "/experiment-reproduce --experiment-id {} --environment staging",
            ids[0]
        ))
        .failed(9);
}

/// Everything of a book as one document, but for what is each book's own: the numbers of its runs.
fn everything(sandbox: &Sandbox) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                if let Some(Value::Object(start)) = map.get_mut("start_run") {
                    start.remove("number");
                }
                map.values_mut().for_each(strip);
            }
            Value::Array(list) => list.iter_mut().for_each(strip),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let text = sandbox.say("export -").ok();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    strip(&mut document);
    document
}

/// A run with a param, a series and a note.
fn tuned(sandbox: &Sandbox, lr: &str) -> String {
    let run = sandbox.start(&format!("--experiment tuning --param lr={lr}"));
    for step in 1..=3 {
        let words = format!("log metric loss={lr}{step} acc=NaN --step {step}");
        sandbox.say_in(&run, &words).ok();
    }
    sandbox.say_in(&run, "end").ok();
    sandbox.say(&format!("note {run} lr-is-{lr}")).ok();
    run
}

/// Both add a run at the same time: git sees it, and by taking in before giving nothing is lost on either side.
/// A-30.
#[test]
fn two_people_who_add_runs_at_the_same_time_end_with_the_same() {
    let (ann, ben) = (Sandbox::new(), Sandbox::new());
    tuned(&ann, "0.1");
    fs::write(ann.work().join("model.pt"), "weights").unwrap();
    ann.say("artifact put model.pt --run latest").ok();
    let shared = ann.work().join("shared");
    let give = |who: &Sandbox, folder: &str| {
        who.say(&format!("export --format text {folder} tuning --artifacts"))
            .ok();
    };
    give(&ann, "shared/tuning");
    for words in ["init -q -b main", "add -A", "commit -qm one"] {
        git(&ann, &shared, words).ok();
    }
    let clone = format!("clone -q '{}' clone", shared.display());
    git(&ben, &ben.work(), &clone).ok();
    let theirs = ben.work().join("clone");
    ben.say("import clone/tuning").ok();
    assert_eq!(everything(&ann), everything(&ben));
    assert_eq!(ann.say("export -").ok(), ben.say("export -").ok());

    // Each has a second run now, and each calls it run-002.
    let anns = tuned(&ann, "0.2");
    let bens = tuned(&ben, "0.3");
    ben.say("tag tuning reviewed").ok();
    give(&ann, "shared/tuning");
    for words in ["add -A", "commit -qm ann"] {
        git(&ann, &shared, words).ok();
    }
    give(&ben, "clone/tuning");
    for words in ["add -A", "commit -qm ben"] {
        git(&ben, &theirs, words).ok();
    }
    let conflict = git(&ben, &theirs, "pull -q --no-rebase");
    assert_ne!(conflict.code, 0, "git sees two different run-002");
    git(&ben, &theirs, "checkout -q MERGE_HEAD -- tuning").ok();
    let said = ben.say("import clone/tuning --json").json();
    assert_eq!(
        (&said["runs"], &said["same_runs"]),
        (&json!(1), &json!(1)),
        "{said}"
    );
    give(&ben, "clone/tuning");
    for words in ["add -A", "commit -qm both"] {
        git(&ben, &theirs, words).ok();
    }
    git(&ann, &shared, &format!("pull -q '{}'", theirs.display())).ok();
    ann.say("import shared/tuning").ok();

    assert_eq!(everything(&ann), everything(&ben));
    for who in [&ann, &ben] {
        assert_eq!(who.say("list --json").json()["total"], 3);
        assert_eq!(who.say("show tuning --json").json()["tags"]["reviewed"], "");
        for (run, lr) in [(&anns, 0.2), (&bens, 0.3)] {
            let show = who.say(&format!("show {run} --json")).json();
            assert_eq!(show["params"]["lr"], lr);
            assert_eq!(show["metrics"]["acc"]["last"], "NaN");
        }
        let words = "artifact get tuning/run-001 --output-dir out";
        who.say(words).ok();
        assert_eq!(read(&who.work(), "out/model.pt"), "weights");
    }
}
