//! Every verb has help with examples and JSON with a schema; other spellings mean the same.

mod sandbox;

use sandbox::Sandbox;
use serde_json::Value;

const VERBS: &[&str] = &[
    "init",
    "create",
    "run",
    "start",
    "log",
    "log metric",
    "log param",
    "log event",
    "log item",
    "log artifact",
    "log lines",
    "log progress",
    "end",
    "list",
    "show",
    "search",
    "compare",
    "analyze",
    "report",
    "check",
    "lint",
    "leaderboard",
    "series",
    "stats",
    "tag",
    "note",
    "baseline",
    "revert",
    "rename",
    "move",
    "archive",
    "unarchive",
    "delete",
    "undelete",
    "completion",
    "doctor",
    "artifact",
    "artifact list",
    "artifact get",
    "artifact put",
    "export",
    "import",
    "copy",
    "backup",
    "restore",
    "gc",
    "dataset",
    "validate",
    "template",
    "simulate",
    "logs",
    "status",
    "cancel",
    "version",
];

#[test]
fn every_verb_has_help_with_examples() {
    let sandbox = Sandbox::new();
    for &verb in VERBS {
        let help = sandbox.say(&format!("{verb} --help")).ok();
        assert!(help.contains("Examples:\n  "), "{verb}: {help}");
        assert!(
            help.contains(&format!("trialbook {verb}")) || verb == "log lines",
            "{verb}: {help}"
        );
        assert!(
            help.lines().all(|line| line.chars().count() <= 110),
            "{verb}: {help}"
        );
    }
    let help = sandbox.say("--help").ok();
    for verb in VERBS.iter().filter(|verb| !verb.contains(' ')) {
        assert!(help.contains(&format!("\n  {verb} ")), "{verb}: {help}");
    }
    assert!(
        !help.contains("__docs") && !help.contains("\n  exec"),
        "{help}"
    );
    let codes = trialbook_model::code::EXIT_CODES;
    for (code, meaning) in codes {
        assert!(
            help.contains(&format!("{code}  {meaning}\n")),
            "{code}: {help}"
        );
    }
}

#[test]
fn a_wrong_command_line_is_told() {
    let sandbox = Sandbox::new();
    let said = sandbox.say("lst").failed(2);
    assert!(said.contains("list"), "{said}");
    let said = sandbox.say("list --limt 3").failed(2);
    assert!(said.contains("--limit"), "{said}");
    sandbox.say("log").failed(2);
}

/// What a verb says with `--json`; `key` is in it.
fn spoken(sandbox: &Sandbox, words: &str, key: &str) -> Value {
    let value = sandbox.say(&format!("{words} --json")).json();
    assert!(!value[key].is_null(), "{words}: {value}");
    value
}

#[test]
fn every_verb_speaks_json() {
    let sandbox = Sandbox::new();
    let check = |words: &str, key: &str| spoken(&sandbox, words, key);
    assert_eq!(check("init", "book")["created"], true);
    assert_eq!(check("init", "book")["created"], false);
    let run = check("start --name a", "run")["run"]
        .as_str()
        .unwrap()
        .to_owned();
    std::fs::write(sandbox.work().join("a.csv"), "1").unwrap();
    assert_eq!(check("log metric loss=1 --run a", "step")["metrics"], 1);
    check("log param lr=1 --run a", "params");
    check("log event message hello --run a", "event");
    check("log item q --score correct=true --run a", "item");
    check("log artifact a.csv --run a", "artifacts");
    std::fs::write(sandbox.work().join("lines"), "{\"loss\": 2}\n").unwrap();
    assert_eq!(check("log lines lines --run a", "lines")["points"], 1);
    assert_eq!(check("list", "runs")["runs"][0]["id"], run);
    assert_eq!(check("list experiments", "experiments")["total"], 1);
    assert_eq!(check("show a", "params")["id"], run);
    assert_eq!(check("show Default", "table")["runs"], 1);
    assert_eq!(check("search loss=2 --sort-by loss", "runs")["total"], 1);
    assert_eq!(
        check("series a loss", "values")["values"],
        serde_json::json!([1.0, 2.0])
    );
    assert_eq!(
        check("series a loss --points 1", "buckets")["buckets"][0]["count"],
        2
    );
    assert_eq!(check("series a", "series")["series"][0]["key"], "loss");
    assert_eq!(check("doctor", "healthy")["healthy"], true);
    assert_eq!(check("end --run a", "status")["status"], "completed");
    check("version", "version");
    let overview = sandbox::ended(sandbox.command().arg("--json")).json();
    assert_eq!(overview["runs"], 1);
}

#[test]
fn every_verb_that_judges_speaks_json() {
    let sandbox = Sandbox::new();
    let check = |words: &str, key: &str| spoken(&sandbox, words, key);
    let run = sandbox.start("--name a");
    sandbox.say("log metric loss=1 --run a").ok();
    sandbox.say("log item q --score correct=true --run a").ok();
    let stats = check("stats", "runs_by_status");
    assert_eq!(stats["runs_by_status"]["running"], 1);
    assert_eq!(
        (&stats["best_accuracy"], &stats["best_run"]),
        (&1.0.into(), &"Default/run-001".into())
    );
    assert_eq!(
        (&stats["total_cost"], &stats["runs"]),
        (&Value::Null, &1.into())
    );
    let text = sandbox.say("stats").ok();
    assert!(
        text.contains("best accuracy   100.0% by Default/run-001"),
        "{text}"
    );
    assert_eq!(check("compare a", "metrics")["subjects"][0]["ids"][0], run);
    assert_eq!(check("leaderboard --sort-by loss", "runs")["ranked"], 1);
    assert_eq!(check("analyze Default", "inputs")["look"], 1);
    assert_eq!(
        check("report Default", "analysis")["experiment_name"],
        "Default"
    );
    assert_eq!(
        check("lint Default", "hints")["experiment"],
        "default/Default"
    );
}

#[test]
fn spellings_of_the_slash_commands_work() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("");
    let json = r#"{"learning_rate": 2e-5, "optimizer": {"name": "adam"}}"#;
    let said = sandbox
        .run(["log-params", "--experiment-id", &run, "--params", json])
        .ok();
    assert_eq!(said, "Logged 2 parameters to Default/run-001\n");
    let json = r#"{"train_loss": 0.32, "val_loss": NaN}"#;
    let args = [
        "experiment-log-metrics",
        "--experiment-id",
        &run,
        "--metrics",
        json,
        "--step",
        "5",
    ];
    assert_eq!(
        sandbox.run(args).ok(),
        "Logged 2 metrics at step 5 to Default/run-001\n"
    );
    let args = [
        "search",
        "--filter",
        "metrics.train_loss < 1",
        "--sort-by",
        "train_loss",
        "--top",
        "10",
    ];
    let said = sandbox.run(args).ok();
    assert!(
        said.starts_with("Found 1 run, sorted by train_loss (ascending, assumed"),
        "{said}"
    );
    let show = sandbox.say("show latest --json").json();
    assert_eq!(show["params"]["optimizer.name"], "adam");
    assert!(sandbox.say("show latest").ok().contains("2e-5"));
}

#[test]
fn tables_fit_the_width_and_colours_stay_out_of_pipes() {
    let sandbox = Sandbox::new();
    sandbox
        .run(["start", "--name", &"long name ".repeat(20)])
        .ok();
    let narrow = sandbox::ended(sandbox.command().env("COLUMNS", "100").arg("list")).ok();
    assert!(
        narrow.lines().all(|line| line.chars().count() <= 100),
        "{narrow}"
    );
    assert!(
        narrow.contains('…') && !narrow.contains('\u{1b}'),
        "{narrow}"
    );
    let whole = sandbox.say("list").ok();
    assert!(whole.contains(&"long name ".repeat(20)), "{whole}");
    let first = whole.lines().nth(1).unwrap();
    assert!(first.contains(" +00:00  "), "{first}");
}

#[test]
fn bounds_that_are_rounded_are_said_to_be_so() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("");
    let points = usize::try_from(trialbook_spool::codec::EXACT_POINTS).unwrap() + 1;
    let lines = "{\"loss\": 0.1}\n".repeat(points);
    sandbox
        .feed(&format!("log - --run {run}"), lines.as_bytes())
        .ok();
    let exact = sandbox.say("series latest loss --points 2 --csv");
    assert!(!exact.err.contains("rounded"), "{exact:?}");
    assert!(exact.ok().contains(",0,0,0.1,"));
    let book = trialbook_store::Book::open(&sandbox.book(), trialbook_store::Access::Write);
    book.unwrap().seal(trialbook_store::Effort::All).unwrap();
    let rounded = sandbox.say("series latest loss --points 2 --csv");
    assert!(
        rounded.err.contains("min and max are rounded outward"),
        "{rounded:?}"
    );
    let rounded = rounded.ok();
    assert!(rounded.contains(",0.099999994,"), "{rounded}");
    assert!(!rounded.contains("0.0999999940"), "{rounded}");
    let json = sandbox.say("series latest loss --points 2 --json").json();
    assert_eq!(json["exact"], false);
    assert_eq!(json["buckets"][0]["min"], 0.099_999_994);
}

#[test]
fn what_is_run_is_told_as_json() {
    let sandbox = Sandbox::new();
    let config =
        "experiment: {name: x}\ntask: {command: [/bin/echo, m=3]}\nvariations: [{name: v}]\n";
    std::fs::write(sandbox.work().join("x.yaml"), config).unwrap();
    let check = |words: &str, key: &str| spoken(&sandbox, words, key);
    assert_eq!(check("run --dry-run x.yaml", "runs")["to_start"], 1);
    let executed = check("run x.yaml", "variations");
    assert_eq!(executed["completed"], 1, "{executed}");
    assert_eq!(check("run x.yaml", "variations")["completed"], 1);
    let refused = sandbox.say("exec x/run-001 --json").failed(2);
    assert!(refused.starts_with("{\"schema\":1,\"error\""), "{refused}");
}

#[test]
fn init_writes_a_config_that_runs_and_spares_another_one() {
    let sandbox = Sandbox::new();
    sandbox.say("init --template odd").failed(3);
    assert!(!sandbox.book().exists());
    let said = sandbox.say("init --template minimal").ok();
    assert!(said.contains("trialbook run experiment.yaml"), "{said}");
    sandbox.say("validate experiment.yaml").ok();
    sandbox.say("init --template minimal").ok();
    let file = sandbox.work().join("experiment.yaml");
    std::fs::write(&file, "mine").unwrap();
    let refused = sandbox.say("init --template");
    assert_ne!(refused.code, 0, "{refused:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
}

/// S-5.
#[test]
fn there_is_no_queue_and_nothing_is_put_there_in_silence() {
    let sandbox = Sandbox::new();
    let refused = sandbox.say("create x --queue").failed(9);
    assert!(refused.contains("not supported yet"), "{refused}");
    assert!(!sandbox.book().exists());
    sandbox.say("create x --no-queue").ok();
    let made = sandbox.say("create y -p 5 --no-queue --json").json();
    assert_eq!(made["priority"], 5);
    let made = sandbox.say("create z --json").json();
    assert_eq!(made["priority"], 1, "what holds where nothing is said");
    let shown = sandbox.say("show y --json").json();
    assert_eq!(shown["fields"]["priority"], 5, "{shown}");
}

const STUDY: &str = include_str!("../../trialbook-model/tests/fixtures/config/study.yaml");

/// S-15, S-17, S-18, S-1.
#[test]
fn a_study_is_checked_estimated_and_kept() {
    let sandbox = Sandbox::new();
    let file = sandbox.work().join("study.yaml");
    let benchmarks = "benchmarks:\n  maths: {paths: [maths.json], sample_size: 100}\n";
    std::fs::write(&file, format!("{STUDY}{benchmarks}colour: red\n")).unwrap();
    let told = sandbox.say("validate study.yaml").ok();
    for words in [
        "study.yaml: valid: language_dependency_study",
        "2 models, 1 benchmark, at most 100 questions; 7 levels × 1 method",
        // 100 questions at seven levels, of two models of which one costs something.
        "estimated: 1,400 calls, 0.8 hours one after the other, $0.70",
        "unknown key `colour`: it is kept and has no effect",
        "benchmarks.maths.paths: there is nothing at `maths.json`",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let told = sandbox.say("validate -c study.yaml --json").json();
    assert_eq!(told["valid"], true);
    assert_eq!(told["study"]["estimate"]["api_calls"], 1400);
    assert_eq!(told["study"]["max_samples"], 100);
    let refused = sandbox.say("run study.yaml").failed(4);
    assert!(refused.contains("not supported yet"), "{refused}");
    let create = [
        "create",
        "My Experiment",
        "study.yaml",
        "--researcher",
        "Dr. Who",
    ];
    sandbox.run(create).ok();
    let shown = sandbox.run(["show", "My Experiment", "--json"]).json();
    assert_eq!(shown["fields"]["researcher_name"], "Dr. Who");
    assert_eq!(shown["fields"]["institution"], "University Research Lab");
    assert_eq!(shown["config"]["scrambling"]["levels"][6], 100, "{shown}");
    for verb in ["status", "show", "analyze", "lint"] {
        let ended = sandbox.run([verb, "My Experiment"]);
        assert!(!ended.err.contains("panicked"), "{ended:?}");
    }
    std::fs::write(&file, STUDY.replace("0.95", "95")).unwrap();
    let told = sandbox.say("validate study.yaml").failed(4);
    assert!(
        told.is_empty(),
        "what is wrong with the file is the answer: {told}"
    );
}

#[test]
fn a_key_that_is_written_in_two_ways_has_one_column() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("--name a --param n=2");
    sandbox.say_in(&run, "log metric acc=0.9").ok();
    let filter = ["search", "metrics.acc > 0.5", "--sort-by", "acc"];
    let table = sandbox.run(filter).ok();
    let head = table.lines().nth(1).unwrap_or_default();
    assert_eq!(head.matches("acc").count(), 1, "{table}");
    let both = sandbox
        .run(["search", "params.n = 2", "--sort-by", "metrics.n"])
        .ok();
    assert!(
        both.contains("params.n") && both.contains("metrics.n"),
        "{both}"
    );
}

#[test]
fn hints_name_what_helps_there() {
    let sandbox = Sandbox::new();
    let refused = sandbox.say("--book x list").failed(5);
    let hint = refused
        .split('`')
        .find(|it| it.starts_with("trialbook init"));
    sandbox.shell(hint.unwrap()).ok();
    sandbox.say("--book x list").ok();
    let refused = sandbox.say("--book x prompt show a").failed(3);
    assert!(refused.contains("`trialbook prompt list`"), "{refused}");
    let refused = sandbox.say("--book x model show mm@champ").failed(3);
    assert!(refused.contains("`trialbook model list`"), "{refused}");
    let refused = sandbox.say("--book x model alias mm v1 1").failed(4);
    assert!(
        refused.contains("unlike a version such as `3` or `v3`"),
        "{refused}"
    );
}

#[test]
fn numbers_that_mean_nothing_are_refused() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("--name a");
    for words in [
        "log item q --repeat 0",
        "log item q --attempt 0",
        "run --timeout 0s -- true",
    ] {
        sandbox.say_in(&run, words).failed(2);
    }
    let line = r#"{"event": "item", "id": "q", "repeat": 0, "scores": {"correct": true}}"#;
    let told = sandbox.feed(&format!("log - --run {run}"), line.as_bytes());
    assert_ne!(told.code, 0, "{told:?}");
    let shown = sandbox.say("show latest --json").json();
    assert_eq!(shown["counts"]["items"], 0, "{shown}");
    let long = "x".repeat(501);
    let refused = sandbox.say(&format!("create {long}")).failed(4);
    assert!(refused.contains("at most 500 bytes"), "{refused}");
    sandbox.say(&format!("create {}", &long[1..])).ok();
}

/// S-66.
#[test]
fn progress_is_a_share_wherever_it_is_shown() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("--experiment far --name a");
    for (words, share, text) in [
        ("log progress 0.5", 0.5, "50.0%"),
        ("log progress 5/3", 1.0, "100.0%"),
        ("log progress 45%", 0.45, "45.0%"),
        ("log progress 1.0", 1.0, "100.0%"),
    ] {
        let told = sandbox.say_in(&run, words).ok();
        assert!(
            told.contains(text) && !told.contains("166.7"),
            "{words}: {told}"
        );
        let json = sandbox.say("status latest --json").json();
        assert_eq!(json["progress"], share, "{words}");
        for verb in ["show latest", "status latest"] {
            let shown = sandbox.say(verb).ok();
            assert!(
                shown.contains(text) && !shown.contains("166.7"),
                "{words}: {shown}"
            );
        }
    }
    let json = sandbox.say_in(&run, "log progress 7 --json").json();
    assert_eq!(
        json["share"],
        serde_json::Value::Null,
        "of how many is not known"
    );
}

/// A run with two calls, of which one failed.
fn a_run_that_costs_something(sandbox: &Sandbox) -> String {
    let run = sandbox.start("--experiment study");
    for words in [
        "log item q-1 --score correct=true --cost 0.25",
        "log item q-2 --error late --error-kind timeout --cost 0.25",
        "log metric system.cpu_seconds=1800",
        "log progress 1/2 --stage evaluations",
    ] {
        sandbox.say_in(&run, words).ok();
    }
    run
}

/// S-2, S-8, S-68.
#[test]
fn what_an_experiment_came_to_is_told_while_it_runs_and_afterwards() {
    let sandbox = Sandbox::new();
    sandbox.say("create study").ok();
    let json = sandbox.say("status study --json").json();
    for field in [
        "api_calls",
        "total_cost",
        "success_rate",
        "compute_hours",
        "started",
        "ended",
        "stage",
    ] {
        assert!(
            json.get(field).is_some_and(serde_json::Value::is_null),
            "{field}: {json}"
        );
    }
    assert!(json["created"].is_string() && json["id"].as_str().unwrap().len() == 32);
    let runs = [
        a_run_that_costs_something(&sandbox),
        a_run_that_costs_something(&sandbox),
    ];
    let json = sandbox.say("status study --json").json();
    assert_eq!(
        (&json["api_calls"], &json["total_cost"]),
        (&4.into(), &1.0.into())
    );
    assert_eq!(
        (&json["success_rate"], &json["compute_hours"]),
        (&0.5.into(), &1.0.into())
    );
    assert_eq!(json["stage"], "evaluations");
    assert!(
        json["started"].is_string() && json["ended"].is_null(),
        "{json}"
    );
    for run in &runs {
        sandbox.say(&format!("end --run {run}")).ok();
    }
    let json = sandbox.say("status study --json").json();
    assert!(
        json["ended"].is_string() && json["stage"].is_null(),
        "{json}"
    );
    let text = sandbox.say("status study").ok();
    for words in ["$1.0000", "1.00 hours", "4, 50% without error"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

/// S-10, C-30.
#[test]
fn what_has_ended_cannot_be_cancelled_and_is_counted_once() {
    let sandbox = Sandbox::new();
    sandbox.say("create study").ok();
    let run = sandbox.start("--experiment study");
    sandbox.say(&format!("end --run {run}")).ok();
    // A run and an experiment are refused alike.
    sandbox.say(&format!("cancel {run} --yes")).failed(6);
    sandbox.say("cancel study --yes").failed(6);
    let exported = sandbox.say("export e.json study --json").json();
    let (experiments, runs) = (&exported["experiments"], &exported["runs"]);
    assert_eq!((experiments, runs), (&1.into(), &1.into()));
}
