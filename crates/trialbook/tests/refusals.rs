//! Bad input: each mistake has its message, its exit code, and a way on; nothing of it is recorded.

mod sandbox;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use sandbox::Sandbox;

#[test]
fn reading_where_there_is_no_book_makes_none() {
    let sandbox = Sandbox::new();
    for words in ["list", "show latest", "search x=1", "series a b", "doctor"] {
        let said = sandbox.say(words).failed(5);
        assert!(said.starts_with("error: there is no book at `"), "{said}");
        assert!(
            said.contains("hint: `trialbook init` makes one here"),
            "{said}"
        );
    }
    sandbox.command().output().unwrap();
    assert!(!sandbox.book().exists());
    let told: serde_json::Value =
        serde_json::from_str(&sandbox.say("list --json").failed(5)).unwrap();
    assert_eq!(told["error"]["code"], "book_missing");
    let told: serde_json::Value =
        serde_json::from_str(&sandbox.say("list --json --bogus").failed(2)).unwrap();
    assert_eq!(told["error"]["code"], "usage");
    let message = told["error"]["message"].as_str().unwrap();
    assert!(message.contains("--bogus"), "{message}");
}

#[test]
fn books_elsewhere_are_refused_where_they_are_named_for_us_and_else_passed_over() {
    let sandbox = Sandbox::new();
    let with = |name: &str, value: &str, words: &str| {
        sandbox::ended(sandbox.command().env(name, value).args(words.split(' ')))
    };
    let url = "postgres://me:secret@db.example/x";
    with("TRIALBOOK", "http://localhost:8080", "list").failed(9);
    sandbox.say("--book https://x.example list").failed(9);
    with("MLFLOW_TRACKING_URI", "http://localhost:5000", "list").failed(5);
    assert!(!sandbox.book().exists());
    // These two are set for other programs too, and must not stop the first command here.
    let said = with("DATABASE_URL", url, "start").err;
    assert!(
        said.contains("DATABASE_URL (`postgres://db.example`) is passed over")
            && !said.contains("secret"),
        "{said}"
    );
    assert!(sandbox.book().exists());
    for (name, value) in [
        ("DATABASE_URL", url),
        ("MLFLOW_TRACKING_URI", "http://localhost:5000"),
    ] {
        let said = with(name, value, "list");
        assert!(!said.err.contains("passed over"), "{said:?}");
        said.ok();
    }
    let below = sandbox.work().join("a/b");
    fs::create_dir_all(&below).unwrap();
    sandbox::ended(sandbox.command().current_dir(&below).arg("list")).ok();
    let twin = sandbox.work().join("twin");
    let said = with("TRIALBOOK", twin.to_str().unwrap(), "start");
    assert!(said.err.contains("(named by TRIALBOOK)"), "{said:?}");
    assert!(twin.join(".gitignore").exists());
}

/// M-5.
#[test]
fn a_param_is_written_once() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("--param lr=1");
    sandbox.say_in(&run, "log param lr=1.0").ok();
    let said = sandbox.say_in(&run, "log param depth=3 lr=2").failed(6);
    assert!(
        said.contains("param `lr` of run Default/run-001 is `1` already and cannot become `2`"),
        "{said}"
    );
    let show = sandbox.say("show latest --json").json();
    assert_eq!(show["params"], serde_json::json!({ "lr": 1 }));
    assert_eq!(show["conflicts"], serde_json::json!([]));
}

#[test]
fn a_param_has_one_value_within_a_call_too() {
    let sandbox = Sandbox::new();
    let said = sandbox.say("start --param lr=1 --param lr=2").failed(6);
    assert!(
        said.contains("param `lr` of the new run is `1` already and cannot become `2`"),
        "{said}"
    );
    let run = sandbox.start("--param a=1 --param a=1.0");
    sandbox.say_in(&run, "log param lr=1 lr=2").failed(6);
    sandbox
        .feed(
            &format!("log lines - --run {run}"),
            br#"{"params": {"b.c": 1, "b": {"c": 2}}}"#,
        )
        .failed(4);
    let show = sandbox.say("show latest --json").json();
    assert_eq!(show["params"], serde_json::json!({ "a": 1 }));
}

/// S-58.
#[test]
fn verbs_record_no_secret_and_say_none() {
    const SECRET: &str = "sk-proj-Abcdef0123456789Abcdef0123456789Abcdef01";
    let sandbox = Sandbox::new();
    let args = [
        "start",
        "--param",
        &format!("model={SECRET}"),
        "--param",
        "api_key=hunter22",
        "--params",
        r#"{"db": {"password": 12345678}}"#,
        "--tag",
        "token=hunter22",
        "--note",
        &format!("with {SECRET}"),
    ];
    let started = sandbox.run(args);
    assert!(
        started.err.contains("`api_key` looks like a secret"),
        "{started:?}"
    );
    let run = started.ok().trim().to_owned();
    // The same secret again, and another one that cannot be told from it.
    let said = sandbox.say_in(&run, "log param api_key=hunter22");
    assert!(!said.err.contains("hunter22"), "{said:?}");
    said.ok();
    let lines = format!(
        "{{\"params\": {{\"password\": \"hunter22\"}}}}\n\
         {{\"params\": {{\"model\": \"other\", \"password\": \"hunter22\"}}}}\n\
         {{\"event\": \"call\", \"text\": \"{SECRET}\", \"auth_token\": \"hunter22\"}}\n\
         not JSON, \"password\": \"hunter22\", {SECRET}\n"
    );
    let said = sandbox
        .feed(&format!("log - --run {run}"), lines.as_bytes())
        .failed(4);
    assert!(
        !said.contains("hunter22") && !said.contains(SECRET),
        "{said}"
    );
    let words = ["log", "event", "error", SECRET, "--run", &run];
    sandbox.run(words).ok();
    sandbox.run(["end", "--run", &run, "--error", SECRET]).ok();
    let mut whole = Vec::new();
    for entry in walk(&sandbox.book()) {
        whole.extend(fs::read(entry).unwrap());
    }
    let holds = |text: &str| {
        whole
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    assert!(
        holds("auth_token"),
        "what is not sealed stands there plainly"
    );
    for secret in ["hunter22", "12345678", &SECRET[8..]] {
        assert!(!holds(secret), "the book holds {secret}");
    }
}

#[test]
fn who_ends_a_run_follows_from_whether_its_wrapper_lives() {
    let sandbox = Sandbox::new();
    // Inside, `end` leaves the state to the wrapper; then the program waits for its end.
    let script = "trialbook=$0; $trialbook end --status failed >said; echo $$ >pid; \
        echo $TRIALBOOK_RUN >id.part; mv id.part id; exec sleep 60";
    let binary = env!("CARGO_BIN_EXE_trialbook");
    let mut wrapper = sandbox
        .command()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .args(["run", "--", "sh", "-c", script, binary])
        .stderr(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let id = sandbox.work().join("id");
    while !id.exists() {
        assert!(wrapper.try_wait().unwrap().is_none(), "it ended early");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let said = fs::read_to_string(sandbox.work().join("said")).unwrap();
    assert!(
        said.contains("is ended by the process that executes it"),
        "{said}"
    );
    let run = fs::read_to_string(&id).unwrap().trim().to_owned();
    // From outside it is refused, also where another run is exported.
    let end = format!("end --run {run} --status failed");
    let refused = sandbox.say(&end).failed(6);
    assert!(
        refused.contains("is being executed by another process"),
        "{refused}"
    );
    let other = sandbox.start("");
    sandbox.say_in(&other, &end).failed(6);
    wrapper.kill().unwrap();
    wrapper.wait().unwrap();
    // Nobody else will end it now, whatever is exported.
    let ended = sandbox.say_in(&run, &end).ok();
    assert!(ended.contains("is failed"), "{ended}");
    let show = sandbox.run(["show", &run, "--json"]).json();
    assert_eq!(show["status"], "failed");
    let pid = fs::read_to_string(sandbox.work().join("pid")).unwrap();
    let pid = rustix::process::Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).ok();
}

/// All files of a folder.
fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry of it").path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[test]
fn ids_that_mean_nothing_or_several_list_what_they_could_mean() {
    let sandbox = Sandbox::new();
    sandbox.start("--experiment tuning --name warm-up");
    sandbox.start("--experiment tuning --name twin");
    sandbox.start("--experiment other --name twin");
    let said = sandbox.say("show warm-upp").failed(3);
    assert!(
        said.contains("error: no run of this book is called `warm-upp`"),
        "{said}"
    );
    assert!(said.contains("hint: did you mean `warm-up`?"), "{said}");
    let said = sandbox.say("show twin").failed(3);
    assert!(
        said.contains("`twin` means 2 runs or experiments of this book"),
        "{said}"
    );
    assert!(said.contains("`PROJECT/EXPERIMENT/run-001`"), "{said}");
    assert!(said.contains("tuning/run-002  twin  running"), "{said}");
    assert!(said.contains("other/run-001  twin  running"), "{said}");
    assert!(said.contains("default/tuning/run-002"), "{said}");
    sandbox.say("show default/tuning/run-002").ok();
    let said = sandbox.say("show 0f").failed(3);
    assert!(said.contains("at least 4 digits"), "{said}");
    for words in [
        "rename warm-up latest",
        "start --alias latest",
        "start --name latest",
        "create latest",
    ] {
        let said = sandbox.say(words).failed(4);
        assert!(said.contains("`latest` means the newest run"), "{said}");
    }
    let config = "experiment: {id: latest, name: x}\ntask: {command: [\"true\"]}\n";
    fs::write(sandbox.work().join("latest.yaml"), config).unwrap();
    let said = sandbox.say("run latest.yaml").failed(4);
    assert!(said.contains("`latest` means the newest run"), "{said}");
    sandbox.say("show tuning/twin").ok();
    sandbox.say("show tuning/run-2").ok();
    sandbox.say("show default/tuning").ok();
    let said = sandbox.say("list --experiment tunning").failed(3);
    assert!(said.contains("hint: did you mean `tuning`?"), "{said}");
    let said = sandbox.say("log metric loss=1 --run tuning").failed(3);
    assert!(
        said.contains("`tuning` means 2 runs of this book"),
        "{said}"
    );
    let said = sandbox.say("log metric loss=1 --run other").ok();
    assert_eq!(said, "Logged 1 metric at step 0 to other/run-001\n");
    let show = sandbox.say("show other/run-001 --json").json();
    assert_eq!(show["metrics"]["loss"]["last"], 1.0);
    let all = sandbox.run(["show", "tuning/run-*"]).ok();
    assert!(all.contains("warm-up") && all.contains("twin"), "{all}");
}

#[test]
fn unknown_names_list_the_nearest_and_the_newest() {
    let sandbox = Sandbox::new();
    let said = sandbox.say("show nowhere").failed(5);
    assert!(said.contains("error"), "{said}");
    for name in ["warm-up", "twin", "third", "fourth"] {
        sandbox.start(&format!("--experiment tuning --name {name}"));
    }
    sandbox.start("--experiment other --name fifth");
    sandbox.say("create empty").ok();
    let hint = |words: &str| {
        let said = sandbox.say(words).failed(3);
        let hint = said.lines().find_map(|line| line.strip_prefix("hint: "));
        hint.unwrap_or_default().to_owned()
    };
    let newest = "`tuning/run-004`, `tuning/run-003`, `tuning/run-002`";
    // A run that a known experiment does not have: by number, by name, with the project.
    assert_eq!(
        hint("show tuning/run-009"),
        "did you mean `tuning/run-004`? the newest runs of `tuning`: `tuning/run-003`, `tuning/run-002`"
    );
    assert_eq!(
        hint("show default/tuning/run-0"),
        "did you mean `tuning/run-001`? the newest runs of `default/tuning`: ".to_owned() + newest
    );
    assert_eq!(
        hint("show tuning/warmup"),
        "did you mean `tuning/warm-up`? the newest runs of `tuning`: ".to_owned() + newest
    );
    let none = hint("show tuning/qqqq");
    assert!(
        none.starts_with(&format!("the newest runs of `tuning`: {newest}; ")),
        "{none}"
    );
    assert_eq!(hint("show empty/run-001"), "`empty` has no run yet");
    // A misspelt experiment, with a run that the nearest one has, and with one that it has not.
    let all = "the newest runs: `other/run-001`, `tuning/run-004`, `tuning/run-003`";
    let misspelt = hint("show tunin/run-001");
    assert!(
        misspelt.starts_with("did you mean `tuning/run-001`") && misspelt.ends_with(all),
        "{misspelt}"
    );
    let misspelt = hint("show tunin/run-077");
    assert!(misspelt.starts_with("did you mean `tuning`"), "{misspelt}");
    // What resembles nothing.
    for unknown in ["deadbeef", "zzzzzzzz"] {
        let hint = hint(&format!("show {unknown}"));
        assert!(hint.starts_with(all), "{hint}");
        assert!(hint.contains("`trialbook list` shows"), "{hint}");
    }
    let unknown = hint("list --experiment qqqq");
    assert!(
        unknown.starts_with("the newest experiments: `empty`, `other`, `tuning`; "),
        "{unknown}"
    );
}

#[test]
fn a_filter_points_at_the_mistake() {
    let sandbox = Sandbox::new();
    sandbox.start("");
    let said = sandbox.run(["search", "metrics.loss < 'low'"]).failed(4);
    let marked: Vec<&str> = said.lines().collect();
    assert!(marked[0].starts_with("error: "), "{said}");
    assert_eq!(marked[1], "metrics.loss < 'low'");
    assert_eq!(marked[2], "               ^");
    let said = sandbox
        .run(["search", "staus = 'x' AND attributes.staus = 'failed'"])
        .failed(4);
    assert!(said.contains("did you mean `status`?"), "{said}");
    sandbox.run(["search", "--sort-by", "loss UP"]).failed(4);
}

#[test]
fn values_are_checked_and_odd_ones_kept() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("");
    let said = sandbox.say_in(&run, "log metric a=1 loss=low").failed(4);
    assert!(
        said.contains("the value of metric `loss`: `low` is not a number"),
        "{said}"
    );
    sandbox
        .say_in(&run, "log metric loss=nan up=inf down=-inf")
        .ok();
    let show = sandbox.say("show latest --json").json();
    assert_eq!(show["metrics"]["loss"]["last"], "NaN");
    assert_eq!(show["metrics"]["up"]["last"], "Infinity");
    assert_eq!(show["metrics"]["loss"]["min"], serde_json::Value::Null);
    assert_eq!(show["metrics"].get("a"), None, "{show}");
    let text = sandbox.say("show latest").ok();
    assert!(
        text.contains("1 NaN") && text.contains("1 infinite"),
        "{text}"
    );

    let names = ["train/loss", "a b", "🦀", "a=b?", "--x"];
    for name in names {
        let json = format!("{{{name:?}: 1}}");
        let args = ["log", "metric", "--run", &run, "--metrics", &json];
        sandbox.run(args).ok();
        let csv = sandbox.run(["series", "--csv", "latest", "--", name]).ok();
        assert!(csv.ends_with(",1\n"), "{csv}");
    }
    let zero = [
        "log",
        "param",
        "--run",
        &run,
        "--params",
        "{\"a\\u0000b\": 1}",
    ];
    assert!(sandbox.run(zero).failed(4).contains("0x00"));
    sandbox
        .run(["log", "metric", "--run", &run, "=1"])
        .failed(4);
    sandbox.run(["log", "metric", "--run", &run]).failed(2);
}

#[test]
fn what_is_stored_cannot_command_the_terminal() {
    let sandbox = Sandbox::new();
    let evil = "\u{1b}]0;owned\u{7}\u{9b}2J";
    let run = sandbox
        .run(["start", "--name", evil, "--note", evil, "--param"])
        .code;
    assert_eq!(run, 2);
    let param = format!("p={evil}");
    sandbox
        .run([
            "start", "--name", evil, "--note", evil, "--param", &param, "--tag", evil,
        ])
        .ok();
    sandbox
        .run(["log", "event", evil, evil, "--run", "latest"])
        .ok();
    sandbox
        .run(["log", "metric", "--run", "latest", evil, "1"])
        .ok();
    for words in [
        "show latest --events",
        "show latest --json",
        "list",
        "search p=1",
        "series latest",
        "list --json",
    ] {
        let ended = sandbox.say(words);
        let bad = |text: &str| text.chars().any(|c| c != '\n' && c.is_control());
        assert!(!bad(&ended.out) && !bad(&ended.err), "{words}: {ended:?}");
        assert!(!ended.out.is_empty(), "{ended:?}");
    }
    let show = sandbox.say("show latest --json").json();
    assert_eq!(show["name"], evil);
    let said = sandbox.run(["show", &format!("no{evil}")]).failed(3);
    assert!(!said.contains('\u{1b}'), "{said:?}");
}

/// T-4.
#[test]
fn files_that_are_missing_record_nothing() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("");
    fs::write(sandbox.work().join("a.csv"), "1").unwrap();
    let said = sandbox.say_in(&run, "log artifact a.csv none.pt").failed(1);
    assert!(said.contains("error: cannot read `none.pt`"), "{said}");
    assert_eq!(
        sandbox.say("show latest --json").json()["artifacts"],
        serde_json::json!([])
    );
    sandbox
        .say_in(&run, "log artifact --files a.csv --type model,plot")
        .failed(2);
    let said = sandbox
        .say_in(&run, "log-artifacts --files a.csv --type plot")
        .ok();
    assert_eq!(said, "Uploaded 1 artifact (a.csv: 1B)\n");
}

#[test]
fn pipes_and_books_are_not_kept() {
    let sandbox = Sandbox::new();
    sandbox.start("");
    fs::create_dir_all(sandbox.work().join("out/inner")).unwrap();
    fs::write(sandbox.work().join("out/inner/a.csv"), "1").unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(sandbox.work().join("out/pipe"))
        .status()
        .unwrap();
    assert!(made.success());
    let said = sandbox.say("log artifact out/pipe --run latest").failed(4);
    assert!(said.contains("`out/pipe` is not a file"), "{said}");
    sandbox
        .say("log artifact .trialbook --run latest")
        .failed(4);
    // A folder with both in it is kept without them.
    let kept = sandbox.say("log artifact . --run latest --json").json();
    let paths: Vec<&str> = kept["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|artifact| artifact["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["work/out/inner/a.csv"]);
}

#[test]
fn a_run_ends_once() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("");
    sandbox.say_in(&run, "end --exit-code 3").ok();
    let said = sandbox.say_in(&run, "end").failed(6);
    assert!(
        said.contains("run Default/run-001 has ended: it is failed"),
        "{said}"
    );
    sandbox.say_in(&run, "end --status running").failed(2);
    let late = sandbox.say_in(&run, "log metric loss=1");
    assert!(
        late.err.contains("is failed; recorded all the same"),
        "{late:?}"
    );
    late.ok();
    let done = sandbox.start("");
    sandbox.say_in(&done, "end").ok();
    for words in ["log metric loss=1", "log param lr=1", "log event note x"] {
        let late = sandbox.say_in(&done, words);
        let told = "run Default/run-002 is completed; recorded all the same";
        assert!(late.err.contains(told), "{late:?}");
        late.ok();
    }
}

#[test]
fn a_name_given_twice_is_refused_where_one_value_would_be_lost() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("");
    for (args, twice) in [
        (
            ["log", "param", "--params", r#"{"lr": 1, "lr": 2}"#],
            "`lr`",
        ),
        (
            ["log", "param", "--params", r#"{"a": {"b": 1}, "a.b": 2}"#],
            "`a.b`",
        ),
        (
            ["log", "metric", "--metrics", r#"{"loss": 1, "loss": 2}"#],
            "`loss`",
        ),
    ] {
        let refused = sandbox.run(args.into_iter().chain(["--run", run.as_str()]));
        let said = refused.failed(2);
        assert!(said.contains(twice) && said.contains("twice"), "{said}");
    }
    sandbox
        .run(["start", "--params", r#"{"lr": 1, "lr": 1}"#])
        .failed(2);
    // A line of a stream is kept as it came.
    let line = r#"{"loss": 1, "loss": 2}"#;
    let told = sandbox.feed(&format!("log - --run {run}"), line.as_bytes());
    let said = told.failed(4);
    assert!(said.contains("`loss` stands twice"), "{said}");
    let show = sandbox.say(&format!("show {run} --events --json")).json();
    assert_eq!(show["events"][0]["data"]["text"], line, "{show}");
    assert_eq!(
        (&show["params"], &show["metrics"]),
        (&serde_json::json!({}), &serde_json::json!({}))
    );
    assert_eq!(sandbox.say("list --json").json()["total"], 1);
}

#[test]
fn a_search_for_a_key_that_no_run_has_names_the_nearest() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("--param learning_rate=0.1 --tag stage=a");
    sandbox
        .say_in(&run, "log metric accuracy=0.9 loss=0.2")
        .ok();
    for (filter, told) in [
        (
            "metrics.acc > 0.5",
            "no run has a metric `acc`; nearest: `accuracy`",
        ),
        (
            "params.learning_rat = 1",
            "no run has a param `learning_rat`; nearest: `learning_rate`",
        ),
        (
            "NOT tags.stagee = 'a'",
            "no run has a tag `stagee`; nearest: `stage`",
        ),
        (
            "los < 1",
            "no run has a metric or param `los`; nearest: `loss`",
        ),
        ("metrics.f1 > 0", "no run has a metric `f1`\n"),
    ] {
        let said = sandbox.run(["search", filter]);
        assert!(said.code == 0 && said.err.contains(told), "{said:?}");
    }
    let json = sandbox.run(["search", "loss < 1", "--sort-by", "acuracy", "--json"]);
    assert_eq!(json.err, "");
    let json = json.json();
    assert_eq!(json["total"], 1);
    let unknown = serde_json::json!([{ "name": "acuracy", "nearest": "accuracy" }]);
    assert_eq!(json["unknown_keys"], unknown);
    let said = sandbox.say("search --sort-by acuracy");
    assert_eq!(said.out.lines().next(), Some("Found 1 run"), "{said:?}");
    // A key that some run has, though none that was found.
    for filter in [
        "metrics.accuracy > 2",
        "loss > 1 AND params.learning_rate > 7",
        "running_time > 0",
    ] {
        let said = sandbox.run(["search", filter]);
        assert!(
            !said.err.contains("`loss`") && !said.err.contains("`accuracy`"),
            "{said:?}"
        );
    }
}

#[test]
fn broken_lines_are_named_and_the_others_kept() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("");
    let input = b"{\"loss\": 1}\nnot json\n{\"step\": 7, \"loss\": NaN, \"note\": \"x\"}\n\n{\"loss\": \"low\"}\n\
        {\"params\": {\"lr\": 1}}\n{\"params\": {\"lr\": 2}}\n{\"event\": \"item\", \"id\": \"q\", \"scores\": {\"correct\": true}}\n\
        {\"loss\": 3}";
    let ended = sandbox.feed(&format!("log - --run {run}"), input);
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(
        ended
            .out
            .contains("Logged 3 points, 1 param, 1 event, 1 item from 9 lines"),
        "{ended:?}"
    );
    for (line, why) in [
        (2, "a JSON object was expected"),
        (5, "expected"),
        (7, "`lr`"),
    ] {
        let place = format!("warning: line {line} of standard input: ");
        let said = ended.err.lines().find(|said| said.starts_with(&place));
        assert!(
            said.is_some_and(|said| said.contains(why)),
            "{line}: {ended:?}"
        );
    }
    assert!(
        ended
            .err
            .contains("error: 3 of 9 lines were not understood"),
        "{ended:?}"
    );
    let csv = sandbox.say("series latest loss --csv").ok();
    let points: Vec<(&str, &str)> = csv
        .lines()
        .skip(1)
        .map(|line| {
            (
                line.split(',').next().unwrap(),
                line.rsplit(',').next().unwrap(),
            )
        })
        .collect();
    assert_eq!(points, [("0", "1"), ("7", "NaN"), ("8", "3")]);
    let show = sandbox.say("show latest --events --json").json();
    assert_eq!(show["counts"]["events"]["not_understood"], 3);
    assert_eq!(show["params"]["lr"], 1);
    assert!(show["events"].to_string().contains("not json"), "{show}");
}

#[test]
fn large_things_work() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("");
    let large = format!(
        "{{\"params\": {{\"text\": \"{}\"}}}}\n",
        "x".repeat(10 << 20)
    );
    sandbox
        .feed(&format!("log - --run {run}"), large.as_bytes())
        .ok();
    let text = sandbox.say("show latest").ok();
    assert!(
        text.len() < 10_000 && text.contains("(10.5MB)"),
        "{}",
        text.len()
    );
    let mut keys = String::new();
    for key in 0..5_000 {
        writeln!(keys, "{{\"step\": 0, \"key-{key}\": {key}}}").unwrap();
    }
    sandbox
        .feed(&format!("log - --run {run}"), keys.as_bytes())
        .ok();
    let csv = sandbox.say("series latest key-4999 --csv").ok();
    assert!(csv.ends_with(",4999\n"), "{csv}");
}

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("");
    let mut lines = String::new();
    for step in 0..5_000 {
        writeln!(lines, "{{\"step\": {step}, \"loss\": 0.5}}").unwrap();
    }
    sandbox
        .feed(&format!("log - --run {run}"), lines.as_bytes())
        .ok();
    for words in [
        "series latest loss --csv",
        "series latest loss",
        "series latest loss --json",
    ] {
        let mut child = sandbox
            .command()
            .args(words.split(' '))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        assert!(
            ended.status.success() && ended.stderr.is_empty(),
            "{words}: {ended:?}"
        );
    }
}

#[test]
fn a_read_only_folder_can_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Sandbox::new();
    let run = sandbox.start("--param lr=1");
    sandbox.say_in(&run, "log metric loss=1").ok();
    let set = |mode| {
        for folder in [sandbox.book().join("spool"), sandbox.book()] {
            fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    set(0o500);
    let show = sandbox.say("show latest --json");
    let list = sandbox.say("list");
    let written = sandbox.say_in(&run, "log metric loss=2");
    set(0o700);
    assert_eq!(show.json()["metrics"]["loss"]["last"], 1.0);
    list.ok();
    // The superuser may write everywhere.
    if !rustix::process::geteuid().is_root() {
        assert_ne!(written.code, 0);
    }
}

#[test]
fn damage_is_named_and_the_rest_kept() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("");
    sandbox.say_in(&run, "log metric loss=1").ok();
    let spools = || -> BTreeSet<PathBuf> {
        let entries = fs::read_dir(sandbox.book().join("spool")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let before = spools();
    sandbox.say_in(&run, "log metric loss=2").ok();
    let new = spools().difference(&before).next().unwrap().clone();
    let mut bytes = fs::read(&new).unwrap();
    let last = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[last - 16] ^= 0xff;
    fs::write(&new, bytes).unwrap();
    fs::write(sandbox.work().join("a.csv"), "1").unwrap();
    sandbox.say_in(&run, "log artifact a.csv").ok();
    sandbox.say("doctor").failed(7);
    fs::remove_dir_all(sandbox.book().join("artifacts")).unwrap();

    let show = sandbox.say("show latest --json").json();
    assert_eq!(show["metrics"]["loss"]["count"], 1);
    let ended = sandbox.say("doctor --json");
    assert_eq!(ended.code, 7, "{ended:?}");
    let health: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(
        (&health["healthy"], &health["points"]),
        (&false.into(), &1.into())
    );
    let damage = health["damage"].to_string();
    let name = new.file_name().unwrap().to_str().unwrap();
    assert!(
        damage.contains(name) && damage.contains("`a.csv`"),
        "{damage}"
    );
    let rebuilt = sandbox.say("doctor --rebuild");
    assert!(rebuilt.out.contains("made 0 rows anew"), "{rebuilt:?}");
    assert_eq!(
        sandbox.say("show latest --json").json()["metrics"]["loss"]["count"],
        1
    );
}

#[test]
fn a_verb_that_changes_what_is_there_makes_no_book() {
    let sandbox = Sandbox::new();
    for (words, code) in [
        ("log metric a=1", 2),
        ("end", 2),
        ("end --run r", 5),
        ("tag r best", 5),
        ("cancel r", 5),
        ("delete r", 5),
    ] {
        let said = sandbox.say(words).failed(code);
        assert!(!sandbox.book().exists(), "{words}: {said}");
    }
}

#[test]
fn what_is_left_out_as_a_secret_is_told() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("");
    let key = "AKIAIOSFODNN7EXAMPLE";
    let event = sandbox.run([
        "log",
        "event",
        "decision",
        key,
        "--run",
        &run,
        "--data",
        "{\"db\": {\"password\": \"x\"}}",
    ]);
    let note = sandbox.run(["note", &run, key]);
    let end = sandbox.run(["end", "--run", &run, "--error", key]);
    for (ended, place) in [
        (&event, "`text` (aws key) looks like a secret"),
        (&event, "`db.password` looks like a secret"),
        (&note, "`note` (aws key)"),
        (&end, "`error` (aws key)"),
    ] {
        assert!(ended.err.contains(place), "{ended:?}");
        assert!(!ended.err.contains(key));
    }
}
