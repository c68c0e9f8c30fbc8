//! Keeping, finding and annotating what was recorded: the everyday verbs, black box.

#![expect(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod sandbox;

use std::fs;
use std::process::{Child, Stdio};

use sandbox::{Ended, Sandbox, ended, read};
use serde_json::Value;

/// The titles of what a verb changed.
fn titles(document: &Value, list: &str) -> Vec<String> {
    let list = document[list].as_array().unwrap();
    list.iter()
        .map(|it| it["title"].as_str().unwrap().to_owned())
        .collect()
}

fn names(sandbox: &Sandbox, words: &str) -> Vec<String> {
    let list = sandbox.say(&format!("{words} --json")).json();
    let runs = list["runs"].as_array().unwrap();
    runs.iter()
        .map(|run| run["name"].as_str().unwrap().to_owned())
        .collect()
}

/// T-1, S-1, C-7.
#[test]
fn an_experiment_is_made_with_an_id_that_is_understood() {
    let sandbox = Sandbox::new();
    let out = sandbox
        .say("create --name transformer-baseline --project nlp --tags baseline,bert")
        .ok();
    let id = out
        .strip_prefix("Experiment created: nlp/transformer-baseline (ID: ")
        .unwrap_or_else(|| panic!("{out}"))
        .strip_suffix(")\n")
        .unwrap()
        .to_owned();
    let digits = id.strip_prefix("exp-").unwrap();
    let is_base_36 = |c: char| c.is_ascii_digit() || c.is_ascii_lowercase();
    assert!(digits.len() == 6 && digits.chars().all(is_base_36), "{id}");

    let show = sandbox.say(&format!("show {id} --json")).json();
    assert_eq!(show["name"], "transformer-baseline");
    assert_eq!(show["tags"]["bert"], "");
    // What is logged to it goes to its only run, which the first record starts.
    let logged = sandbox.say(&format!("log metric --experiment-id {id} loss=0.5"));
    let logged = logged.ok();
    assert!(
        logged.ends_with(&format!("to experiment {id}\n")),
        "{logged}"
    );
    sandbox.say(&format!("log param --run {id} lr=0.1")).ok();
    let run = sandbox
        .say("show transformer-baseline/run-001 --json")
        .json();
    assert_eq!(run["params"]["lr"], 0.1);
    assert_eq!(run["metrics"]["loss"]["last"], 0.5);
    // The glob of the documents means the runs of what it matches.
    sandbox.say("create other --project nlp").ok();
    let shown = sandbox.say("show exp-*").ok();
    assert!(shown.contains("transformer-baseline/run-001"), "{shown}");
}

/// T-1.
#[test]
fn a_taken_name_gets_a_number_or_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.say("create tuning").ok();
    let second = sandbox.say("create tuning");
    assert!(
        second
            .out
            .starts_with("Experiment created: default/tuning-2 (")
    );
    assert!(
        second
            .err
            .contains("the name `tuning` is taken: made `tuning-2`")
    );
    let refused = sandbox.say("create tuning --unique").failed(6);
    assert!(
        refused.contains("experiment `default/tuning` exists already"),
        "{refused}"
    );
    sandbox.say("create tuning --unique --project other").ok();
    let taken = sandbox.say("create fresh --alias mine").ok();
    assert!(taken.contains("default/fresh"), "{taken}");
    let refused = sandbox.say("create fresher --alias mine").failed(6);
    assert!(refused.contains("alias `mine` exists already"), "{refused}");
    assert_eq!(sandbox.say("show mine --json").json()["name"], "fresh");
    let secret = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789";
    let refused = sandbox.say(&format!("create {secret}")).failed(4);
    assert!(!refused.contains(secret), "{refused}");
    sandbox.say("create").failed(2);
}

/// C-9.
#[test]
fn the_same_configuration_is_named() {
    let sandbox = Sandbox::new();
    let config = "
experiment: {name: first}
task: {command: [\"true\"]}
variations: [{name: a, params: {lr: 1.0}}]
trials: 2
";
    fs::write(sandbox.work().join("one.yaml"), config).unwrap();
    let made = sandbox.say("create first one.yaml --json").json();
    assert_eq!(made["same_configuration"], serde_json::json!([]));
    let hash = made["config_hash"].as_str().unwrap().to_owned();
    let again = sandbox.say("create first one.yaml").ok();
    assert!(!again.contains("Same configuration as default/first\n") || hash.len() == 64);
    let show = sandbox.say("show first --json").json();
    assert_eq!(show["config_hash"].as_str().unwrap(), hash);
}

/// M-15, C-10, T-12, T-19.
#[test]
#[expect(clippy::too_many_lines, reason = "a day is told in its order")]
fn tags_and_notes_are_set_and_removed_on_several_at_once() {
    let sandbox = Sandbox::new();
    for name in ["a", "b", "c"] {
        sandbox.start(&format!("--experiment tuning --name {name}"));
        sandbox.say(&format!("end --run {name}")).ok();
    }
    let out = sandbox.say("tag tuning/run-* good,stage=prod").ok();
    assert_eq!(out.lines().count(), 3);
    assert!(
        out.contains("Tagged run tuning/run-002: good, stage=prod\n"),
        "{out}"
    );
    sandbox.say("tag a,b --remove stage").ok();
    assert_eq!(names(&sandbox, "search tags.stage='prod'"), ["c"]);
    // One that is refused leaves all as they were.
    let refused = sandbox.say("tag --of a --of nobody --tags new").failed(3);
    assert!(
        refused.contains("no run of this book is called `nobody`"),
        "{refused}"
    );
    assert_eq!(
        sandbox.say("show a --json").json()["tags"]["new"],
        Value::Null
    );
    let told = sandbox.run(["tag", "a", "api_key=hunter2hunter2"]);
    assert!(
        told.err.contains("`api_key` looks like a secret"),
        "{told:?}"
    );
    assert_eq!(
        sandbox.say("show a --json").json()["tags"]["api_key"],
        "[redacted]"
    );
    sandbox.say("tag a").failed(2);
    sandbox.say("tag --project default team=search").ok();

    sandbox.run(["note", "a", "converged"]).ok();
    let told = sandbox.run(["note", "a", ""]).failed(2);
    assert!(told.contains("--remove"), "{told}");
    let args = [
        "note",
        "a",
        "next try",
        "--key",
        "next",
        "--namespace",
        "plans",
        "--tags",
        "todo,ann",
    ];
    sandbox.run(args).ok();
    sandbox
        .run([
            "note",
            "--project",
            "default",
            "--key",
            "baselines/text",
            "--data",
            "{\"f1\": 0.83}",
        ])
        .ok();
    let show = sandbox.say("show a --json").json();
    assert_eq!(show["notes"][0]["text"], "converged");
    // Between them stands the note of its end.
    assert_eq!(show["notes"][2]["tags"], serde_json::json!(["todo", "ann"]));
    assert_eq!(show["notes"][2]["namespace"], "plans");
    let text = sandbox.say("show a").ok();
    assert!(
        text.contains("Note plans/next (todo, ann)\n  next try\n"),
        "{text}"
    );
    let of_project = sandbox.say("note --project default --json").json();
    assert_eq!(of_project["notes"][0]["notes"][0]["data"]["f1"], 0.83);
    sandbox
        .say("note a --key next --namespace plans --remove")
        .ok();
    let left = sandbox.say("note a").ok();
    assert!(
        left.contains("converged") && !left.contains("next try"),
        "{left}"
    );
    let found = names(&sandbox, "search notes='converged'");
    assert_eq!(found, ["a"]);
    let secret = "token ghp_abcdefghijklmnopqrstuvwxyz0123456789";
    sandbox.run(["note", "b", secret]).ok();
    assert!(!sandbox.say("show b").ok().contains("ghp_abc"));
    sandbox.say("note").failed(2);
    sandbox.run(["note", "a", "x", "--data", "{"]).failed(2);
}

/// T-13.
#[test]
fn what_is_archived_or_deleted_is_hidden_and_comes_back() {
    let sandbox = Sandbox::new();
    for name in ["a", "b", "c"] {
        sandbox.start(&format!("--experiment tuning --name {name}"));
        sandbox.say(&format!("end --run {name}")).ok();
    }
    let archived = sandbox.say("archive a b --json").json();
    assert_eq!(
        titles(&archived, "changed"),
        ["tuning/run-001", "tuning/run-002"]
    );
    assert_eq!(names(&sandbox, "list"), ["c"]);
    assert_eq!(names(&sandbox, "list --all"), ["c", "b", "a"]);
    let again = sandbox.say("archive a").ok();
    assert_eq!(again, "run tuning/run-001 is archived already\n");
    assert_eq!(sandbox.say("show a --json").json()["archived"], true);
    assert!(sandbox.say("show a").ok().contains("archived"));
    sandbox.say("unarchive tuning/run-*").ok();
    assert_eq!(names(&sandbox, "list").len(), 3);

    let deleted = sandbox.say("delete tuning/run-001,c");
    assert!(
        deleted.err.contains("kept in the bin for 30 days"),
        "{deleted:?}"
    );
    assert_eq!(names(&sandbox, "list --all"), ["b"]);
    assert_eq!(names(&sandbox, "list --deleted"), ["c", "a"]);
    let show = sandbox.say("show a").ok();
    assert!(show.contains("in the bin"), "{show}");
    // A glob means what can be deleted, or brought back.
    let back = sandbox.say("undelete tuning/* --json").json();
    assert_eq!(
        titles(&back, "changed"),
        ["tuning/run-001", "tuning/run-003"]
    );
    assert_eq!(names(&sandbox, "list").len(), 3);

    sandbox.say("delete tuning").ok();
    assert!(names(&sandbox, "list --all").is_empty());
    // Nothing new goes where nobody would see it.
    let refused = sandbox.say("start --experiment tuning").failed(6);
    assert!(
        refused.contains("experiment default/tuning is in the bin"),
        "{refused}"
    );
    sandbox.say("undelete tuning").ok();
    assert_eq!(names(&sandbox, "list").len(), 3);

    // Refusals: several with one unknown, what is running, what every book has.
    sandbox.say("delete a nobody").failed(3);
    assert_eq!(names(&sandbox, "list").len(), 3);
    sandbox.start("--experiment tuning --name going");
    let refused = sandbox.say("delete b going").failed(6);
    assert!(
        refused.contains("run tuning/run-004 is running"),
        "{refused}"
    );
    assert_eq!(names(&sandbox, "list").len(), 4);
    let refused = sandbox.say("delete tuning").failed(6);
    assert!(
        refused.contains("a run of experiment default/tuning is running"),
        "{refused}"
    );
    sandbox.say("delete Default").failed(2);
    sandbox.say("archive").failed(2);
}

#[test]
fn renaming_and_moving_keep_everything() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("--experiment scratch --name a");
    sandbox.say("log metric --run a loss=0.5").ok();
    sandbox.start("--experiment scratch --name b");
    sandbox.start("--experiment tuning --name c");
    let out = sandbox.say("rename a warm-up").ok();
    assert_eq!(out, "Renamed run scratch/run-001 to warm-up (was a)\n");
    assert_eq!(
        sandbox.say("show warm-up --json").json()["id"],
        run.as_str()
    );
    sandbox.say("rename scratch drafts").ok();
    assert_eq!(
        sandbox.say("show drafts/run-001 --json").json()["name"],
        "warm-up"
    );
    let refused = sandbox.say("rename drafts tuning").failed(6);
    assert!(
        refused.contains("experiment `default/tuning` exists already"),
        "{refused}"
    );
    sandbox.say("rename Default other").failed(2);
    sandbox.run(["rename", "warm-up", ""]).failed(4);
    // The old name is free.
    sandbox.start("--experiment scratch --name d");
    assert_eq!(names(&sandbox, "list --experiment scratch"), ["d"]);

    let out = sandbox.say("move warm-up,b --to tuning").ok();
    assert_eq!(
        out,
        "Moved run drafts/run-001: it is tuning/run-002 now\n\
         Moved run drafts/run-002: it is tuning/run-003 now\n"
    );
    let moved = sandbox.say("show tuning/run-002 --json").json();
    assert_eq!(
        (&moved["id"], &moved["metrics"]["loss"]["last"]),
        (&run.into(), &0.5.into())
    );
    assert!(names(&sandbox, "list --experiment drafts").is_empty());
    assert_eq!(names(&sandbox, "search experiment='tuning'").len(), 3);
    sandbox.say("baseline warm-up").ok();
    let out = sandbox.say("move tuning --to-project nlp").ok();
    assert_eq!(
        out,
        "Moved experiment default/tuning: it is nlp/tuning now\n"
    );
    assert_eq!(names(&sandbox, "list --project nlp").len(), 3);
    let show = sandbox.say("show nlp/tuning --json").json();
    assert_eq!(show["baseline"]["title"], "tuning/run-002");
    sandbox.say("move drafts --to tuning").failed(2);
    sandbox.say("move warm-up --to-project nlp").failed(2);
    sandbox.say("move warm-up --to nowhere").failed(3);
    sandbox.say("move warm-up").failed(2);
}

/// T-22, C-10.
#[test]
fn baselines_are_marked_for_experiments_and_for_tasks() {
    let sandbox = Sandbox::new();
    sandbox.start("--experiment tuning --name a");
    let out = sandbox.say("baseline a").ok();
    assert_eq!(
        out,
        "Baseline of experiment default/tuning is run tuning/run-001\n"
    );
    sandbox.say("baseline a --name text-classification").ok();
    let shown = sandbox.say("show a").ok();
    assert!(shown.contains("baseline"), "{shown}");
    let json = sandbox.say("show a --json").json();
    assert_eq!(
        json["baseline_of"],
        serde_json::json!(["default/tuning", "text-classification"])
    );
    let list = sandbox.say("baseline --json").json();
    assert_eq!(list["baselines"][0]["experiment"], "default/tuning");
    assert_eq!(list["baselines"][1]["name"], "text-classification");
    let table = sandbox.say("baseline").ok();
    assert!(table.contains("run tuning/run-001"), "{table}");

    let config = "
experiment: {name: arms}
task: {command: [\"true\"]}
variations: [{name: one, params: {x: 1}}, {name: two, params: {x: 2}}]
";
    fs::write(sandbox.work().join("arms.yaml"), config).unwrap();
    sandbox.say("create arms arms.yaml").ok();
    let out = sandbox.say("baseline arms --variation two").ok();
    assert_eq!(
        out,
        "Baseline of experiment default/arms is variation two\n"
    );
    let refused = sandbox.say("baseline arms --variation three").failed(3);
    assert!(
        refused.contains("no variation of this book is called `three`"),
        "{refused}"
    );
    assert!(
        refused.contains("did you mean `one` or `two`?"),
        "{refused}"
    );
    sandbox.say("baseline arms --remove").ok();
    assert_eq!(
        sandbox.say("show arms --json").json()["baseline"],
        Value::Null
    );
    sandbox
        .say("baseline --name text-classification --remove")
        .ok();
    sandbox
        .say("baseline --name text-classification --remove")
        .failed(3);
    sandbox.say("baseline nobody").failed(3);
}

#[test]
fn lists_show_the_project_where_names_repeat() {
    let sandbox = Sandbox::new();
    sandbox.start("--experiment tuning");
    sandbox.start("--experiment other --project nlp");
    let list = sandbox.say("list").ok();
    assert!(!list.contains("nlp/other/run-001"), "{list}");
    sandbox.say("rename other tuning").ok();
    let list = sandbox.say("list").ok();
    for place in ["default/tuning/run-001", "nlp/tuning/run-001"] {
        assert!(list.contains(place), "{list}");
        sandbox.say(&format!("show {place}")).ok();
    }
}

/// T-27.
#[test]
fn a_role_finds_its_newest_version() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("");
    for (text, role) in [("1", "best"), ("2", "best"), ("3", "last")] {
        fs::write(sandbox.work().join("model.pt"), text).unwrap();
        let words = format!("log artifact model.pt --role {role}");
        sandbox.say_in(&run, &words).ok();
    }
    let list = sandbox.say(&format!("artifact list {run} --json")).json();
    let found: Vec<_> = list["artifacts"].as_array().unwrap().iter().collect();
    let found: Vec<_> = found
        .iter()
        .map(|it| {
            (
                it["role"].as_str().unwrap(),
                it["version"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(found, [("best", 2), ("last", 3)]);
}

/// S-66, S-67.
#[test]
fn progress_is_told_and_its_finish_foreseen() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("--name long");
    let out = sandbox.say_in(&run, "log progress 3/10").ok();
    assert_eq!(out, "Progress of Default/run-001: 3 of 10 (30.0%)\n");
    let second = sandbox
        .say_in(&run, "log progress 50% --stage evaluations --json")
        .json();
    assert_eq!(second["share"], 0.5);
    assert!(second["finish"].is_string(), "{second}");
    let show = sandbox.say("show long --json").json();
    assert_eq!(show["progress"]["stage"], "evaluations");
    assert!(show["progress"]["finish"].is_string(), "{show}");
    let text = sandbox.say("show long").ok();
    assert!(text.contains("50 of 100 (50.0%), evaluations"), "{text}");
    assert!(text.contains("finished by"), "{text}");
    // More than all of it is all of it; an ended run foresees nothing.
    let over = sandbox.say_in(&run, "log progress 12/10 --json").json();
    assert_eq!(over["share"], 1.0);
    sandbox.say_in(&run, "end").ok();
    assert_eq!(
        sandbox.say("show long --json").json()["progress"]["finish"],
        Value::Null
    );
    for bad in ["110%", "-1", "x", "1/0", "3/x", "NaN", "inf"] {
        let refused = ended(
            sandbox
                .command()
                .args(["log", "progress", "--run", "long", "--", bad]),
        );
        assert_eq!(refused.code, 4, "{bad} {refused:?}");
    }
}

#[test]
fn lists_are_narrowed_by_age_project_and_state() {
    let sandbox = Sandbox::new();
    sandbox.start("--experiment old --name a");
    sandbox.say("create fresh --project nlp").ok();
    sandbox.start("--experiment fresh --project nlp --name b");
    assert_eq!(names(&sandbox, "list --since 1h"), ["b", "a"]);
    assert!(names(&sandbox, "list --before 1h").is_empty());
    assert!(names(&sandbox, "list --before 2020-01-01").is_empty());
    assert_eq!(
        names(&sandbox, "list --since 2020-01-01 --project nlp"),
        ["b"]
    );
    assert_eq!(
        names(&sandbox, "list --experiment old --status running -n 1"),
        ["a"]
    );
    let experiments = sandbox
        .say("list experiments --project nlp --since 1d --json")
        .json();
    assert_eq!(experiments["total"], 1);
    assert_eq!(experiments["experiments"][0]["name"], "fresh");
    sandbox.say("list experiments -e nowhere").failed(3);
    let refused = sandbox.say("list --since soon").failed(2);
    assert!(
        refused.contains("expected an age such as `2d`"),
        "{refused}"
    );
}

/// The names of the experiments that are listed.
fn of(sandbox: &Sandbox, words: &str) -> Vec<String> {
    let told = sandbox
        .say(&format!("list experiments {words} --json"))
        .json();
    let told = told["experiments"].as_array().unwrap().clone();
    let named = |it: &serde_json::Value| it["name"].as_str().unwrap().to_owned();
    told.iter().map(named).collect()
}

/// S-3, S-9.
#[test]
fn experiments_are_listed_by_what_became_of_their_runs() {
    let sandbox = Sandbox::new();
    sandbox.start("--experiment old --name a");
    sandbox.say("create fresh --project nlp").ok();
    sandbox.start("--experiment fresh --project nlp --name b");
    sandbox.say("create idle").ok();
    assert_eq!(of(&sandbox, "--status running"), ["fresh", "old"]);
    assert_eq!(of(&sandbox, "-s running -n 1"), ["fresh"]);
    assert_eq!(of(&sandbox, "-e old"), ["old"]);
    assert!(of(&sandbox, "-e old -s failed").is_empty());
    assert!(of(&sandbox, "-s planned").contains(&"idle".to_owned()));
    sandbox.say("end --run a --status failed").ok();
    sandbox.say("end --run b").ok();
    assert_eq!(of(&sandbox, "-s failed"), ["old"]);
    assert_eq!(of(&sandbox, "-s completed"), ["fresh"]);
    let told = sandbox.say("list experiments -s failed").ok();
    assert!(told.contains("STATUS") && told.contains("failed"), "{told}");
    let none = sandbox.say("list experiments -s cancelled").ok();
    assert_eq!(none, "no experiments\n");
    for words in ["show old", "status old"] {
        assert_eq!(
            sandbox.say(&format!("{words} --json")).json()["status"],
            "failed"
        );
        let told = sandbox.say(words).ok();
        assert!(told.contains("failed"), "{told}");
    }
}

/// By who makes them; `--format json` is `--json`.
/// S-9.
#[test]
fn runs_and_experiments_are_listed_by_researcher() {
    let sandbox = Sandbox::new();
    sandbox.start("--experiment old --name a");
    sandbox.say("create theirs --researcher Ada").ok();
    sandbox.start("--experiment theirs --name c");
    assert_eq!(of(&sandbox, "-r Ada"), ["theirs"]);
    assert!(of(&sandbox, "-r Ada -e old").is_empty());
    assert_eq!(names(&sandbox, "list -r Ada"), ["c"]);
    assert!(names(&sandbox, "list --researcher Nobody").is_empty());
    assert_eq!(
        sandbox.say("list -r Ada --format json").ok(),
        sandbox.say("list -r Ada --json").ok()
    );
    assert!(sandbox.say("list --format table").ok().starts_with("ID "));
}

/// T-19.
#[test]
fn a_completed_run_gets_a_note_of_what_it_came_to() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("--experiment bert --name a --param lr=2e-5 --tag nlp");
    for (step, accuracy) in [(1, "0.7"), (2, "0.9"), (3, "0.8")] {
        sandbox
            .say_in(
                &run,
                &format!("log metric val_accuracy={accuracy} --step {step}"),
            )
            .ok();
    }
    fs::write(sandbox.work().join("model.pt"), vec![0; 1_500]).unwrap();
    sandbox.say_in(&run, "log artifact model.pt").ok();
    sandbox.say_in(&run, "end").ok();
    let show = sandbox.say("show a --json").json();
    let note = &show["notes"][0];
    assert_eq!(note["namespace"], "experiment-tracking");
    assert_eq!(note["key"], format!("mlops/experiments/bert/{}", &run[..8]));
    assert_eq!(note["tags"], serde_json::json!(["nlp"]));
    let text = note["text"].as_str().unwrap();
    let told = format!(
        "Run bert/run-001 ({}) completed. Best val_accuracy 0.9 at step 2. Params: lr=2e-5. \
         Artifacts: model.pt (1.5kB). Took ",
        &run[..8]
    );
    assert!(text.starts_with(&told), "{text}");
    // One that failed came to nothing.
    let run = sandbox.start("--name b");
    sandbox.say_in(&run, "end --status failed").ok();
    assert_eq!(
        sandbox.say("show b --json").json()["notes"],
        serde_json::json!([])
    );
}

#[test]
fn of_several_that_want_one_name_at_once_each_knows_what_it_got() {
    let sandbox = Sandbox::new();
    let at_once = |words: &str| all_at_once(&sandbox, &vec![words.to_owned(); 6]);
    let mut made: Vec<String> = at_once("create same --json")
        .into_iter()
        .map(|ended| ended.json()["name"].as_str().unwrap().to_owned())
        .collect();
    made.sort();
    assert_eq!(
        made,
        ["same", "same-2", "same-3", "same-4", "same-5", "same-6"]
    );
    let unique = at_once("create uniq --unique");
    let successes = unique.iter().filter(|ended| ended.code == 0).count();
    assert_eq!(successes, 1, "{unique:?}");
    assert!(unique.iter().all(|ended| [0, 6].contains(&ended.code)));
    let alias = at_once("start --alias EXP-7");
    let successes = alias.iter().filter(|ended| ended.code == 0).count();
    assert_eq!(successes, 1, "{alias:?}");
    // Names are given by `rename` and `move`, too.
    let others = ["same", "same-2", "same-3", "same-4", "same-5", "same-6"];
    let renames: Vec<_> = others
        .iter()
        .map(|it| format!("rename {it} renamed"))
        .collect();
    for at in 0..6 {
        let words = format!("create moving --project p{at}");
        sandbox.say(&words).ok();
    }
    let moves = (0..6).map(|at| format!("move p{at}/moving --to-project q"));
    for words in [renames, moves.collect()] {
        let ends = all_at_once(&sandbox, &words);
        let successes = ends.iter().filter(|ended| ended.code == 0).count();
        assert_eq!(successes, 1, "{ends:?}");
        assert!(ends.iter().all(|ended| [0, 6].contains(&ended.code)));
    }
}

fn all_at_once(sandbox: &Sandbox, commands: &[String]) -> Vec<Ended> {
    let start = |words: &String| {
        let mut command = sandbox.command();
        command.args(words.split(' '));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let children: Vec<_> = commands.iter().map(start).collect();
    let ends = children.into_iter().map(Child::wait_with_output);
    ends.map(|end| read(end.unwrap())).collect()
}
