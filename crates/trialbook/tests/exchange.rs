//! Experiments as files: documents, folders in git, tables; and files of others.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on is a failed test"
)]

mod sandbox;

use std::fs;
use std::path::Path;

use sandbox::{Sandbox, copy};
use serde_json::{Value, json};

/// A run with something of everything.
fn rich(sandbox: &Sandbox) -> String {
    let run = sandbox.start("--experiment tuning --param lr=0.10 --tag kind=sweep --name first");
    for words in [
        "log metric loss=0.5 acc=NaN --step 1",
        "log metric loss=-inf acc=0.25 --step 2",
        "log metric val=1 --step 2 --context split=test",
        "log item q-1 --score correct=true --label model=gpt --latency-ms 130",
        "log progress 3 --total 4",
    ] {
        sandbox.say_in(&run, words).ok();
    }
    let event = [
        "log",
        "event",
        "blocker",
        "disk is full",
        "--severity",
        "high",
    ];
    sandbox::ended(sandbox.command().env("TRIALBOOK_RUN", &run).args(event)).ok();
    fs::write(sandbox.work().join("model.pt"), "weights").unwrap();
    sandbox
        .say_in(&run, "log artifact model.pt --role best")
        .ok();
    fs::write(sandbox.work().join("model.pt"), "better weights").unwrap();
    sandbox
        .say_in(&run, "log artifact model.pt --role best")
        .ok();
    sandbox.say_in(&run, "end").ok();
    sandbox.say(&format!("baseline {run} --name main")).ok();
    sandbox.say(&format!("note {run} looks-good")).ok();
    run
}

fn without_numbers(mut show: Value) -> Value {
    show.as_object_mut().unwrap().remove("no");
    show
}

/// C-30, C-32.
#[test]
fn a_document_carries_everything_to_an_empty_book_and_back() {
    let first = Sandbox::new();
    let run = rich(&first);
    first.say("export all.json --artifacts").ok();
    let second = Sandbox::new();
    copy(
        &first.work().join("all.json.artifacts"),
        &second.work().join("all.json.artifacts"),
    );
    fs::copy(
        first.work().join("all.json"),
        second.work().join("all.json"),
    )
    .unwrap();
    let said = second.say("import all.json --json").json();
    assert_eq!(
        (&said["runs"], &said["artifacts"], &said["points"]),
        (&json!(1), &json!(2), &json!(5)),
        "{said}"
    );
    second.say("export again.json").ok();
    let texts = ["all.json", "again.json"].map(|name| {
        let folder = if name == "all.json" {
            first.work()
        } else {
            second.work()
        };
        fs::read_to_string(folder.join(name)).unwrap()
    });
    assert_eq!(texts[0], texts[1]);
    let show =
        |sandbox: &Sandbox| without_numbers(sandbox.say(&format!("show {run} --json")).json());
    assert_eq!(show(&first), show(&second));
    second
        .say(&format!("artifact get {run} --output-dir out"))
        .ok();
    assert_eq!(
        fs::read(second.work().join("out/model.pt")).unwrap(),
        b"better weights"
    );
    let again = second.say("import all.json --json").json();
    assert_eq!(
        (&again["runs"], &again["same_runs"]),
        (&json!(0), &json!(1))
    );
    first.say("export all.json").failed(6);
}

#[test]
fn a_damaged_or_foreign_file_brings_nothing_in_and_says_where() {
    let first = Sandbox::new();
    rich(&first);
    first.say("export all.json").ok();
    let text = fs::read_to_string(first.work().join("all.json")).unwrap();
    let second = Sandbox::new();
    let check = |name: &str, text: &str, said: &str| {
        fs::write(second.work().join(name), text).unwrap();
        let error = second.say(&format!("import {name}")).failed(7);
        assert!(error.contains(said), "{error}");
        assert!(!second.book().exists(), "no book stays of it");
    };
    check("cut.json", &text[..text.len() - 30], "cut.json");
    check("odd.json", &text.replacen("\"loss\"", "7", 1), "odd.json:");
    check(
        "other.json",
        "{\"a\": 1}",
        "other.json: this is not an export of Trialbook",
    );
    check("text.json", "hello", "text.json: this is not");
    fs::create_dir(second.work().join("empty")).unwrap();
    second.say("import empty").failed(7);
    second.say("import nowhere.json").failed(1);
    // One that was there stays as it was.
    second.start("--experiment own");
    second.say("import cut.json").failed(7);
    assert_eq!(second.say("list --json").json()["total"], 1);
    let experiments = second.say("list experiments --json").json();
    // Every book has the default one.
    assert_eq!(experiments["experiments"].as_array().unwrap().len(), 2);
}

/// Runs git in the work folder.
fn git(sandbox: &Sandbox, folder: &Path, words: &str) -> String {
    let script = format!(
        "cd '{}' && git -c user.name=t -c user.email=t@t -c commit.gpgsign=false {words}",
        folder.display()
    );
    sandbox.shell(&script).ok()
}

///
#[test]
fn two_people_exchange_an_experiment_through_git_and_lose_nothing() {
    let (ann, ben) = (Sandbox::new(), Sandbox::new());
    let run = rich(&ann);
    let shared = ann.work().join("shared");
    ann.say("export --format text shared/tuning tuning --artifacts")
        .ok();
    git(&ann, &shared, "init -q");
    git(&ann, &shared, "add -A");
    git(&ann, &shared, "commit -qm one");
    // A second export is no change for git.
    ann.say("export --format text shared/tuning tuning --artifacts")
        .ok();
    assert_eq!(git(&ann, &shared, "status --porcelain"), "");
    let theirs = ben.work().join("clone");
    git(
        &ben,
        &ben.work(),
        &format!("clone -q '{}' clone", shared.display()),
    );
    let said = ben.say("import clone/tuning --json").json();
    assert_eq!(
        (&said["runs"], &said["artifacts"]),
        (&json!(1), &json!(2)),
        "{said}"
    );
    let show =
        |sandbox: &Sandbox| without_numbers(sandbox.say(&format!("show {run} --json")).json());
    assert_eq!(show(&ann), show(&ben));
    // Ben adds a run and gives everything back: the files of Ann's runs are as they were.
    let more = ben.start("--experiment tuning --param lr=0.2");
    ben.say_in(&more, "log metric loss=0.125 --step 1").ok();
    ben.say_in(&more, "end").ok();
    ben.say("export --format text clone/tuning tuning --artifacts")
        .ok();
    let changed = git(&ben, &theirs, "status --porcelain -uall");
    let lines: Vec<&str> = changed.lines().collect();
    assert_eq!(
        lines,
        [
            " M tuning/experiment.jsonl",
            "?? tuning/runs/run-002/metrics.jsonl",
            "?? tuning/runs/run-002/records.jsonl",
            "?? tuning/runs/run-002/summary.json",
        ]
    );
    git(&ben, &theirs, "add -A");
    git(&ben, &theirs, "commit -qm two");
    git(&ann, &shared, &format!("pull -q '{}'", theirs.display()));
    let said = ann.say("import shared/tuning --json").json();
    assert_eq!(
        (&said["runs"], &said["same_runs"]),
        (&json!(1), &json!(1)),
        "{said}"
    );
    assert_eq!(ann.say("list --json").json()["total"], 2);
    let summary = fs::read(theirs.join("tuning/runs/run-001/summary.json")).unwrap();
    let summary: Value = serde_json::from_slice(&summary).unwrap();
    assert_eq!(
        (&summary["status"], &summary["params"]["lr"]),
        (&json!("success"), &json!(0.1))
    );
    assert_eq!(summary["metrics"]["loss"], "-Infinity");
}

#[test]
fn runs_of_two_people_with_one_number_go_to_folders_of_their_own() {
    let (ann, ben) = (Sandbox::new(), Sandbox::new());
    rich(&ann);
    let git = ann.work().join("git");
    ann.say("export --format text git tuning").ok();
    copy(&git, &ben.work().join("git"));
    ben.say("import git").ok();
    let add = |sandbox: &Sandbox, lr: &str| {
        let run = sandbox.start(&format!("--experiment tuning --param lr={lr}"));
        sandbox.say_in(&run, "log metric loss=0.5 --step 1").ok();
        sandbox.say_in(&run, "end").ok();
        run
    };
    let runs = [add(&ann, "2"), add(&ben, "3")];
    // Both number it 2, and both write into the same folder.
    let export = format!("export --format text {} tuning", git.display());
    ann.say(&export).ok();
    ben.say(&export).ok();
    let import = format!("import {} --json", git.display());
    for sandbox in [&ann, &ben] {
        let said = sandbox.say(&import).json();
        assert_eq!(
            (&said["runs"], &said["same_runs"]),
            (&json!(1), &json!(2)),
            "{said}"
        );
        for run in &runs {
            sandbox.say(&format!("show {run}")).ok();
        }
    }
    let state = || {
        ann.shell("cd git && find . -type f | sort | xargs sha256sum")
            .ok()
    };
    let before = state();
    assert!(before.contains("runs/run-003/records.jsonl"), "{before}");
    ann.say(&export).ok();
    assert_eq!(state(), before);
    ben.say(&export).ok();
    assert_eq!(state(), before);
}

#[test]
fn a_damaged_folder_is_refused_by_the_name_of_the_file() {
    let first = Sandbox::new();
    rich(&first);
    first.say("export --format text whole tuning").ok();
    let second = Sandbox::new();
    let check = |damage: &str, said: &str| {
        fs::remove_dir_all(second.work().join("bad")).ok();
        copy(&first.work().join("whole"), &second.work().join("bad"));
        second
            .shell(&format!("cd bad/runs/run-001 && {damage}"))
            .ok();
        let error = second.say("import bad").failed(7);
        assert!(error.contains(said), "{damage}: {error}");
        assert!(!second.book().exists(), "{damage}");
    };
    check("rm metrics.jsonl", "metrics.jsonl: this file is missing");
    check("rm records.jsonl", "records.jsonl: this file is missing");
    check("rm summary.json", "summary.json: this file is missing");
    check(
        "rm ../../experiment.jsonl",
        "experiment.jsonl: this file is missing",
    );
    for file in ["records.jsonl", "metrics.jsonl"] {
        let lost = format!("{file}: `summary.json` says that this file has");
        check(&format!("sed -i '$d' {file}"), &lost);
        check(&format!(": > {file}"), &lost);
    }
    check("sed -i '2i<<<<<<< HEAD' summary.json", "summary.json:2:");
}

#[test]
fn a_trial_that_comes_in_beside_is_no_later_attempt() {
    let sandbox = Sandbox::new();
    let folder = sandbox.work().join("own");
    fs::create_dir(&folder).unwrap();
    let run = sandbox.start("--experiment tuning --param lr=1");
    sandbox.say_in(&run, "end").ok();
    sandbox.say("export --format text own tuning").ok();
    // The same run as a trial of a plan.
    sandbox
        .shell("sed -i 's/\"start_run\":{/&\"variation\":\"a\",\"trial\":1,\"attempt\":1,\"run_key\":\"k\",/' own/runs/run-001/records.jsonl && sed -i s/crc32/was/ own/runs/run-001/summary.json")
        .ok();
    let other = Sandbox::new();
    copy(&folder, &other.work().join("own"));
    other.say("import own").ok();
    other.say(&format!("tag {run} late=yes")).ok();
    let said = other.say("import own --rename --json").json();
    let renamed = &said["renamed_runs"][0];
    assert_eq!(
        (&said["runs"], &said["same_runs"], &renamed["handle"]),
        (&json!(1), &json!(0), &json!("tuning/run-002")),
        "{said}"
    );
    let filter = |text: &str| other.say(&format!("search {text} --json")).json()["total"].clone();
    assert_eq!(filter("run_key='k'"), 1);
    assert_eq!(filter("attempt=1"), 1);
}

#[test]
fn folders_without_times_are_as_old_as_their_files() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.work().join("bare/run-001")).unwrap();
    let summary = sandbox.work().join("bare/run-001/summary.json");
    fs::write(&summary, "{\"status\": \"success\"}").unwrap();
    fs::write(
        sandbox.work().join("bare/run-001/metrics.jsonl"),
        "{\"metric\":\"a\",\"value\":1}\nnot json\n",
    )
    .unwrap();
    let said = sandbox.say("import bare --json").json();
    assert_eq!(said["lines_not_understood"], 1, "{said}");
    let notes = said["notes"].to_string();
    assert!(notes.contains("summary.json` says no time"), "{notes}");
    let show = sandbox.say("show bare/run-001 --json").json().to_string();
    assert!(!show.contains("1970"), "{show}");
    let said = sandbox.say("import bare --json").json();
    assert_eq!(said["same_runs"], 1, "{said}");
}

const CONFIG: &str = "experiment:
  id: \"EXP-007\"
  name: \"Coordination\"
  created: \"2026-01-21\"
task:
  type: \"task_s1_map_reduce\"
  data_path: \"data/\"
variations:
  - name: \"Cue-Based\"
    params:
      coordination_model: \"cue_based\"
trials: 2
metrics: [completion_time_ms]
";

/// A folder as others write it, with both places for runs.
fn foreign_folder() -> Sandbox {
    let sandbox = Sandbox::new();
    let folder = sandbox.work().join("exp-007");
    let summary = json!({
        "experiment_id": "EXP-007", "variation": "Cue-Based", "trial": 1,
        "params": {"coordination_model": "cue_based", "agents": {"count": 5}, "api_key": "sk-1234567890"},
        "metrics": {"completion_time_ms": 12345, "error_rate": 0.02},
        "status": "success", "error": null,
        "started_at": "2026-01-21T10:00:00.000Z", "ended_at": "2026-01-21T10:00:12.345Z",
        "duration_ms": 12345, "environment": {"python_version": "3.13.0", "git_dirty": false},
        "reviewer": "ann"
    });
    let lines = "{\"event\":\"task_start\",\"timestamp\":\"2026-01-21T10:00:01.000Z\",\"task_id\":\"t1\"}\n\
        {\"metric\":\"error_rate\",\"value\":0.5,\"step\":1,\"timestamp\":\"2026-01-21T10:00:02.000Z\"}\n\
        not json\n";
    for (place, trial) in [("run-001", 1), ("runs/run-002", 2)] {
        let run = folder.join(place);
        fs::create_dir_all(&run).unwrap();
        let mut summary = summary.clone();
        summary["trial"] = json!(trial);
        fs::write(run.join("summary.json"), summary.to_string()).unwrap();
        fs::write(run.join("metrics.jsonl"), lines).unwrap();
    }
    fs::create_dir_all(folder.join("runs/run-003")).unwrap();
    fs::write(folder.join("config.yaml"), CONFIG).unwrap();
    sandbox
}

///
#[test]
fn folders_of_others_are_read_in_both_layouts() {
    let sandbox = foreign_folder();
    let folder = sandbox.work().join("exp-007");
    let ended = sandbox.say("import exp-007");
    assert!(
        ended.err.contains("run-003` has no summary.json"),
        "{}",
        ended.err
    );
    ended.ok();
    let show = sandbox.say("show EXP-007/run-002 --json").json();
    assert_eq!(show["status"], "completed");
    assert_eq!(show["trial"], 2);
    assert_eq!(show["metrics"]["completion_time_ms"]["last"], 12345.0);
    assert_eq!(show["metrics"]["error_rate"]["last"], 0.02);
    let text = show.to_string();
    assert!(
        text.contains("agents.count") && text.contains("task_start"),
        "{text}"
    );
    let events = &show["counts"]["events"];
    assert_eq!(
        events,
        &json!({"not_understood": 1, "summary_fields": 1, "task_start": 1})
    );
    assert!(!text.contains("sk-1234567890"), "{text}");
    // The same folder again is the same.
    let again = sandbox.say("import exp-007 --json").json();
    assert_eq!(
        (&again["runs"], &again["same_runs"]),
        (&json!(0), &json!(2)),
        "{again}"
    );
    let broken = folder.join("run-001/summary.json");
    fs::write(
        &broken,
        "{\"status\": \"success\",\n \"metrics\": {\"a\": \"x\"}}",
    )
    .unwrap();
    let said = sandbox.say("import exp-007").failed(7);
    assert!(
        said.contains("exp-007/run-001/summary.json: `metrics.a` is not a number"),
        "{said}"
    );
    fs::write(&broken, "{\"status\": \"success\",\n \"metrics\": {").unwrap();
    let said = sandbox.say("import exp-007").failed(7);
    assert!(said.contains("run-001/summary.json:2:"), "{said}");
}

#[test]
fn tables_have_all_digits_and_empty_fields_for_what_is_missing() {
    let sandbox = Sandbox::new();
    let run = rich(&sandbox);
    let other = sandbox.start("--experiment tuning --param depth=2");
    sandbox.say_in(&other, "log metric loss=0.1 --step 7").ok();
    sandbox.say("export runs.csv tuning").ok();
    let text = fs::read_to_string(sandbox.work().join("runs.csv")).unwrap();
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!(head[0], "id");
    let row: Vec<&str> = lines.next().unwrap().split(',').collect();
    let field = |name: &str| row[head.iter().position(|it| *it == name).unwrap()];
    assert_eq!(field("id"), run);
    assert_eq!((field("params.lr"), field("params.depth")), ("0.10", ""));
    assert_eq!(
        (field("metrics.loss"), field("metrics.acc")),
        ("-inf", "0.25")
    );
    let text = sandbox
        .say("export --format csv - tuning --series loss,acc")
        .ok();
    assert_eq!(text.lines().count(), 1 + 5);
    assert!(
        text.contains(",acc,,1,") && text.contains(",NaN\n"),
        "{text}"
    );
}

/// The other tracker's database, by its table definitions.
fn tracker(path: &Path) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let sql = "
        CREATE TABLE experiments (id TEXT PRIMARY KEY, config_hash TEXT, timestamp TEXT, git_commit TEXT,
            notes TEXT, num_agents INTEGER, agent_models TEXT, agent_temperatures TEXT, process_type TEXT,
            manager_model TEXT, manager_temperature REAL, memory_enabled BOOLEAN, cache_enabled BOOLEAN,
            sample_size INTEGER, sampling_strategy TEXT, random_seed INTEGER, avg_conversation_length REAL,
            total_questions INTEGER, correct_answers INTEGER, accuracy_rate REAL, total_execution_time REAL,
            avg_execution_time_per_question REAL, total_estimated_cost REAL, avg_cost_per_question REAL,
            failure_count INTEGER, environment TEXT, created_at TEXT);
        CREATE TABLE agent_performance (id INTEGER PRIMARY KEY, experiment_id TEXT, agent_name TEXT,
            total_executions INTEGER, successful_executions INTEGER, success_rate REAL,
            avg_execution_time REAL, estimated_cost REAL);
        CREATE TABLE question_type_performance (id INTEGER PRIMARY KEY, experiment_id TEXT,
            question_type TEXT, total_questions INTEGER, correct_answers INTEGER, accuracy_rate REAL,
            avg_execution_time REAL, avg_cost REAL);
        CREATE TABLE error_patterns (id INTEGER PRIMARY KEY, experiment_id TEXT, error_type TEXT,
            error_count INTEGER, example_message TEXT);
        INSERT INTO experiments VALUES ('exp_20241227_143022', '31f58be7a31c', '2024-12-27T14:30:22',
            'ad3f49a', 'new configuration', 2, '{\"supervisor\": \"gpt-4o\", \"extractor\": \"gpt-4o-mini\"}',
            '{\"supervisor\": 0.1, \"extractor\": 0.0}', 'hierarchical', 'gpt-4o', 0.1, 1, 1, 5,
            'sequential', NULL, 3.2, 32, 28, 0.875, 145.3, 4.54, 0.0234, 0.00073, 4,
            '{\"OPENAI_API_KEY\": \"sk-proj-abcdefghijklmnopqrstuvwxyz0123\", \"HOME_CITY\": \"Bonn\"}', NULL);
        INSERT INTO experiments (id, timestamp) VALUES ('exp_20241227_145156', '2024-12-27 14:51:56');
        INSERT INTO agent_performance VALUES (1, 'exp_20241227_143022', 'supervisor', 32, 28, 0.9, 1.2, 0.01);
        INSERT INTO question_type_performance VALUES (1, 'exp_20241227_143022', 'lookup', 8, 7, 0.95, 3.1, 0.0006);
        INSERT INTO error_patterns VALUES (1, 'exp_20241227_143022', 'TimeoutError', 2, 'took too long');";
    connection.execute_batch(sql).unwrap();
}

/// The other tracker's document of one snapshot.
fn snapshot() -> Value {
    let agent = |model: &str, temperature: f64, role: &str| json!({"model": model, "temperature": temperature, "role": role, "goal": "solve it"});
    let task = |agent: &str| json!({"agent_assignment": agent});
    json!({"exp_20241227_143022": {
        "experiment_id": "exp_20241227_143022", "timestamp": "2024-12-27T14:30:22",
        "config_hash": "31f58be7a31c",
        "agents": {
            "supervisor": agent("gpt-4o", 0.1, "Financial QA Orchestrator"),
            "extractor": agent("gpt-4o-mini", 0.0, "Financial Data Extraction Specialist"),
        },
        "workflow": {"process_type": "hierarchical", "manager_model": "gpt-4o", "manager_temperature": 0.1},
        "tasks": {"calculation": task("calculator"), "extraction": task("extractor"),
            "supervision": task("supervisor"), "validation": task("validator")},
        "dataset": {"sample_size": 5, "sampling_strategy": "sequential", "random_seed": null,
            "conversation_ids": ["train_0"]},
    }})
}

/// C-5, C-18, C-20.
#[test]
fn the_other_trackers_database_and_snapshots_come_in_without_its_secrets() {
    let sandbox = Sandbox::new();
    let folder = sandbox.work().join("tracking");
    fs::create_dir(&folder).unwrap();
    tracker(&folder.join("experiments.db"));
    let snapshot = snapshot();
    fs::write(folder.join("snapshots.json"), snapshot.to_string()).unwrap();
    let said = sandbox.say("import tracking/experiments.db --json").json();
    assert_eq!(said["runs"], 2, "{said}");
    // The tracker's hash is that of the config, so that nothing is said of it.
    assert_eq!(said["notes"].as_array().unwrap().len(), 1, "{said}");
    let show = sandbox.say("show exp_20241227_143022 --json").json();
    assert_eq!(show["metrics"]["accuracy_rate"]["last"], 0.875);
    assert_eq!(show["params"]["agents.supervisor.model"], "gpt-4o");
    assert_eq!(show["params"]["workflow.process_type"], "hierarchical");
    assert_eq!(show["params"]["dataset.avg_conversation_length"], 3.2);
    assert_eq!(show["tags"]["legacy_config_hash"], "31f58be7a31c");
    let text = show.to_string();
    assert!(
        text.contains("new configuration") && text.contains("lookup"),
        "{text}"
    );
    assert!(
        !text.contains("abcdefghijklmnopqrstuvwxyz") && text.contains("Bonn"),
        "{text}"
    );
    assert!(
        !text.contains("solve it"),
        "long texts are in the snapshot: {text}"
    );
    assert_eq!(show["duration_ms"], 145_300);
    let again = sandbox.say("import tracking/experiments.db --json").json();
    assert_eq!(
        (&again["runs"], &again["same_runs"]),
        (&json!(0), &json!(2))
    );
    let other = Sandbox::new();
    fs::write(
        other.work().join("all.json"),
        json!([snapshot["exp_20241227_143022"]]).to_string(),
    )
    .unwrap();
    other.say("import all.json").ok();
    assert_eq!(
        other.say("show exp_20241227_143022 --json").json()["status"],
        "completed"
    );
    fs::write(
        other.work().join("all.json"),
        "[{\"experiment_id\": \"a\"}]",
    )
    .unwrap();
    let said = other.say("import all.json").failed(7);
    assert!(
        said.contains("all.json: `[0].timestamp` is not a time"),
        "{said}"
    );
    let odd = other.work().join("odd.db");
    fs::write(odd, b"SQLite format 3\0 and then nothing").unwrap();
    other.say("import odd.db").failed(7);
}

/// C-21.
#[test]
fn the_other_trackers_folders_of_results_and_rows_of_its_export_come_in() {
    let sandbox = Sandbox::new();
    let folder = sandbox.work().join("results/20241227_143022");
    fs::create_dir_all(&folder).unwrap();
    let answer = |turn: u64, status: &str| {
        format!(
            "Record ID: train_0\nTurn: {turn}\nQuestion: what was it?\nStatus: {status}\nTime: 2.5s\nCost: $0.5\n\n"
        )
    };
    let all = [answer(1, "PASSED"), answer(2, "FAILED"), answer(3, "odd")].concat();
    fs::write(folder.join("all_results.txt"), &all).unwrap();
    fs::write(folder.join("passed_results.txt"), answer(3, "odd")).unwrap();
    fs::write(
        folder.join("run_metadata.txt"),
        "sample size: 3\napi_key: sk-proj-abcdefghijklmnopqrstuvwxyz0123\n",
    )
    .unwrap();
    fs::write(folder.join("run_time_logs.txt"), "began\nended\n").unwrap();
    // A folder of such folders, or one of them.
    let said = sandbox.say("import results --json").json();
    assert_eq!(said["runs"], 1, "{said}");
    let show = sandbox.say("show 20241227_143022 --json").json();
    assert_eq!(show["started"], "2024-12-27T14:30:22.000Z");
    let results = &show["results"];
    assert_eq!(
        (&results["total_questions"], &results["correct_answers"]),
        (&json!(3), &json!(2)),
        "{results}"
    );
    assert_eq!(results["total_estimated_cost"], 1.5);
    assert_eq!(show["params"]["sample size"], "3");
    assert!(!show.to_string().contains("abcdefghijklmnopqrstuvwxyz"));
    assert_eq!(sandbox.say("logs 20241227_143022").ok(), "began\nended\n");
    let text = sandbox.say("export -").ok();
    assert!(text.contains("result_file") && text.contains("Status: odd"));
    let again = sandbox.say("import results/20241227_143022 --json").json();
    assert_eq!(
        (&again["runs"], &again["same_runs"]),
        (&json!(0), &json!(1))
    );
    fs::rename(&folder, sandbox.work().join("results/latest")).unwrap();
    let error = sandbox.say("import results").failed(7);
    assert!(
        error.contains("results/latest: `its name` is not a time"),
        "{error}"
    );

    let row = json!({"id": "exp_20241227_145156", "timestamp": "2024-12-27 14:51:56", "accuracy_rate": 0.75,
        "agent_models": {"extractor": "gpt-4o-mini"}});
    let export =
        json!({"export_timestamp": "2024-12-28", "total_experiments": 1, "experiments": [row]});
    let said = sandbox
        .feed("import - --json", export.to_string().as_bytes())
        .json();
    assert_eq!(said["runs"], 1, "{said}");
    let show = sandbox.say("show exp_20241227_145156 --json").json();
    assert_eq!(show["metrics"]["accuracy_rate"]["last"], 0.75);
    assert_eq!(show["params"]["agents.extractor.model"], "gpt-4o-mini");
}

#[test]
fn an_export_says_what_it_could_not_read() {
    use trialbook_store::{Access, Book, Effort};
    let sandbox = Sandbox::new();
    let damaged = sandbox.start("--experiment tuning");
    let whole = sandbox.start("--experiment tuning");
    let book = Book::open(&sandbox.book(), Access::Write).unwrap();
    book.seal(Effort::All).unwrap();
    drop(book);
    let connection = rusqlite::Connection::open(sandbox.book().join("book.db")).unwrap();
    let sql = "UPDATE run SET state = x'ff00ff' WHERE no = 1";
    assert_eq!(connection.execute(sql, []).unwrap(), 1);
    drop(connection);
    let said = sandbox.say("export all.json").failed(7);
    assert!(said.contains("1 run could not be read"), "{said}");
    let text = fs::read_to_string(sandbox.work().join("all.json")).unwrap();
    assert!(text.contains(&whole) && !text.contains(&damaged), "{text}");
}
