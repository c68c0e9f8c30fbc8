//! `run` on a sample of the data, with its notes, tags and questions (C-24).

mod sandbox;

use std::fs;

use sandbox::{Ended, Sandbox, ended, write};
use serde_json::{Value, json};

/// Answers each question of the file that it is given: every third one wrong, and one not at all.
const BENCH: &str = r#"
import json, os, sys
ids = [line.strip() for line in open(os.environ["TRIALBOOK_SAMPLE_IDS"])]
told = open(os.environ["TRIALBOOK_METRICS_FILE"], "a")
items = [json.loads(line) for line in open(sys.argv[1])]
assert [item["id"] for item in items] == ids, (items, ids)
assert os.environ["TRIALBOOK_DATA_PATH"] == sys.argv[1]
for item in items:
    number = int(item["id"][1:])
    record = {"event": "item", "id": item["id"], "input": item["question"], "expected": "yes",
              "predicted": "no" if number % 3 == 0 else "yes", "scores": {"correct": number % 3 != 0}}
    if number == 1:
        record = {"event": "item", "id": item["id"], "error": {"kind": "Timeout", "message": "no answer"}}
    told.write(json.dumps(record) + "\n")
print("n=%d" % len(items))
"#;

fn desk() -> Sandbox {
    let sandbox = Sandbox::new();
    write(&sandbox, "bench.py", BENCH);
    let question = |at: u32| {
        let text = format!("is {at} a number? {}", "indeed ".repeat(20));
        format!("{}\n", json!({"id": format!("q{at}"), "question": text}))
    };
    let data: String = (0..30).map(question).collect();
    write(&sandbox, "questions.jsonl", &data);
    sandbox
}

fn run(sandbox: &Sandbox, words: &[&str]) -> Ended {
    let mut command = sandbox.command();
    command.env("PATH", sandbox::PATH);
    let bench = ["--", "python3", "bench.py", "{data_path}"];
    let data = ["--data", "questions.jsonl"];
    ended(command.arg("run").args(words).args(data).args(bench))
}

fn sample(sandbox: &Sandbox) -> Value {
    sandbox.say("show latest --json").json()["sample"].clone()
}

/// C-24, C-4, C-10.
#[test]
fn the_first_items_are_taken_in_their_order() {
    let sandbox = desk();
    let ended = run(
        &sandbox,
        &[
            "-n",
            "5",
            "--save",
            "--notes",
            "first try",
            "--tag",
            "v=1,smoke",
        ],
    );
    assert!(
        ended.err.contains("sample: 5 of 30 items, the first ones"),
        "{ended:?}"
    );
    ended.ok();
    let expected = json!({
        "total_conversations": 30,
        "sample_size": 5,
        "sampling_strategy": "sequential",
        "random_seed": null,
        "conversation_ids": ["q0", "q1", "q2", "q3", "q4"],
    });
    assert_eq!(sample(&sandbox), expected);
    let shown = sandbox.say("show latest --json").json();
    assert_eq!(shown["notes"][0]["text"], "first try", "{shown}");
    assert_eq!(shown["tags"], json!({"smoke": "", "v": "1"}));
    assert_eq!(shown["params"]["sample_size"], 5);
    let command = shown["command"].as_array().unwrap().last().unwrap();
    assert_eq!(
        command, "questions.jsonl",
        "the data, not the sample's own file"
    );
    // Nothing of the sample is left beside the record.
    let work = sandbox.book().join("work");
    let left = fs::read_dir(&work).map_or(0, Iterator::count);
    assert_eq!(left, 0);
}

/// C-24.
#[test]
fn a_seed_draws_the_same_items_again_and_a_smaller_sample_is_part_of_a_larger_one() {
    let sandbox = desk();
    run(&sandbox, &["-n", "6", "--random", "--seed", "42"]).ok();
    let first = sample(&sandbox);
    assert_eq!(first["random_seed"], 42);
    run(&sandbox, &["-n", "6", "--random", "--seed", "42"]).ok();
    assert_eq!(sample(&sandbox), first);
    run(&sandbox, &["--random", "--seed", "42"]).ok();
    let ten = sample(&sandbox);
    assert_eq!(ten["sample_size"], 10, "ten where no number is said");
    let ids = |of: &Value| of["conversation_ids"].as_array().unwrap().clone();
    assert!(ids(&first).iter().all(|id| ids(&ten).contains(id)));
    run(&sandbox, &["-n", "100", "--random", "--seed", "42"]).ok();
    assert_eq!(
        sample(&sandbox)["sample_size"],
        30,
        "no more than there are"
    );
    // Without a seed each draws its own; what was drawn is recorded with its seed.
    run(&sandbox, &["-n", "6", "--random"]).ok();
    let drawn = sample(&sandbox);
    assert_ne!(drawn["random_seed"], 42);
    assert_eq!(ids(&drawn).len(), 6);
}

/// C-24.
#[test]
fn a_config_runs_on_a_sample_beside_its_own_runs() {
    let sandbox = desk();
    let config = "experiment: {name: bench}\n\
        task: {command: [python3, bench.py, '{data_path}'], data_path: questions.jsonl}\n\
        variations: [{name: a, t: 0}, {name: b, t: 1}]\nrandom_seed: 7\n";
    write(&sandbox, "c.yaml", config);
    let say = |words: &str| sandbox::on_path(&sandbox, words);
    let plan = say("run c.yaml -n 4 --random --dry-run --json").json();
    assert_eq!(plan["sample"]["sample_size"], 4, "{plan}");
    assert_eq!(plan["to_start"], 2);
    say("run c.yaml -n 4 --random").ok();
    let runs = say("list --json").json();
    assert_eq!(runs["total"], 2);
    let of = |at: usize| {
        let id = runs["runs"][at]["id"].as_str().unwrap();
        sandbox.say(&format!("show {id} --json")).json()["sample"].clone()
    };
    assert_eq!(of(0), of(1), "one sample for all");
    assert_eq!(
        of(0)["conversation_ids"],
        plan["sample"]["conversation_ids"]
    );
    let again = say("run c.yaml -n 4 --random");
    assert!(again.err.contains("2 of 2 done"), "{again:?}");
}

/// C-24, C-21.
#[test]
fn questions_are_printed_in_full_or_only_those_that_went_wrong() {
    let sandbox = desk();
    let all = run(&sandbox, &["-n", "4", "--show-questions"]).ok();
    let long = "indeed ".repeat(20);
    assert!(
        all.contains("4 judged items") && all.contains(long.trim_end()),
        "{all}"
    );
    let failures = run(&sandbox, &["-n", "4", "--failures-only"]).ok();
    for words in [
        "3 items not answered right",
        "q0  wrong",
        "q1  failed",
        "Timeout: no answer",
        "q3  wrong",
    ] {
        assert!(failures.contains(words), "{words}: {failures}");
    }
    assert!(
        !failures.contains("q2") && !failures.contains("indeed"),
        "{failures}"
    );
    let both = run(
        &sandbox,
        &["-n", "4", "--failures-only", "--show-questions", "--json"],
    )
    .json();
    let items = both["items"].as_array().unwrap();
    let ids: Vec<&Value> = items.iter().map(|item| &item["item"]).collect();
    assert_eq!(ids, ["q0", "q1", "q3"]);
    assert_eq!(items[0]["predicted"], "no");
    assert!(
        items[0]["question"]
            .as_str()
            .unwrap()
            .contains("is 0 a number?")
    );
}

/// C-24.
#[test]
fn a_sample_of_nothing_is_refused_and_nothing_is_recorded() {
    let sandbox = desk();
    let refused = sandbox.say("run -n 3 -- true").failed(2);
    assert!(
        refused.contains("no data to draw a sample from"),
        "{refused}"
    );
    let refused = sandbox
        .say("run -n 3 --data missing.jsonl -- true")
        .failed(2);
    assert!(refused.contains("no data at `missing.jsonl`"), "{refused}");
    sandbox
        .say("run -n 0 --data questions.jsonl -- true")
        .failed(2);
    write(&sandbox, "broken.jsonl", "{}\n{\n");
    let refused = sandbox
        .say("run -n 3 --data broken.jsonl -- true")
        .failed(4);
    assert!(
        refused.contains("broken.jsonl:2: JSON was expected"),
        "{refused}"
    );
    let refused = sandbox.say("run -n 3 --data . -- true").failed(2);
    assert!(
        refused.contains("no file of items") && refused.contains(".jsonl"),
        "{refused}"
    );
    let listed = sandbox.say("list --json").json();
    assert_eq!(listed["total"], 0);
}
