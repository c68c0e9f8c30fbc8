//! The folder of an experiment between two people: whose it is, what is missed in it, what two books say otherwise.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on is a failed test"
)]

mod sandbox;

use std::fs;
use std::path::Path;

use sandbox::{Sandbox, copy};
use serde_json::json;

fn run(sandbox: &Sandbox, experiment: &str, lr: &str) -> String {
    let run = sandbox.start(&format!("--experiment {experiment} --param lr={lr}"));
    sandbox.say_in(&run, "log metric loss=0.5 --step 1").ok();
    sandbox.say_in(&run, "end").ok();
    run
}

/// All files below the folder to work in's `of`, with their sums.
fn sums(sandbox: &Sandbox, of: &str) -> String {
    let script = format!("find {of} -type f | sort | xargs sha256sum");
    sandbox.shell(&script).ok()
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn no_experiment_takes_the_folder_of_another() {
    let sandbox = Sandbox::new();
    let first = run(&sandbox, "one", "1");
    run(&sandbox, "two", "2");
    sandbox.say("export --format text it one").ok();
    let before = sums(&sandbox, "it");
    for words in [
        "export --format text it two",
        "export --format text it",
        "export --format text it two --force",
    ] {
        let error = sandbox.say(words).failed(6);
        assert!(error.contains("holds experiment"), "{error}");
        assert!(error.contains("name another folder"), "{error}");
        assert_eq!(sums(&sandbox, "it"), before, "{words}");
    }
    // An experiment stays what it is under another name.
    sandbox.say("rename one uno").ok();
    sandbox.say("export --format text it uno").ok();
    assert!(read(sandbox.work().join("it/experiment.jsonl")).contains("uno"));
    assert!(read(sandbox.work().join("it/runs/run-001/records.jsonl")).contains(&first));
    // What cannot be read is not written over.
    let damage = "sed -i '2i<<<<<<< HEAD' it/experiment.jsonl";
    sandbox.shell(damage).ok();
    let error = sandbox.say("export --format text it uno").failed(7);
    assert!(error.contains("experiment.jsonl:2"), "{error}");
}

#[test]
fn experiments_of_one_name_stand_side_by_side_in_a_shared_folder() {
    let (ann, ben) = (Sandbox::new(), Sandbox::new());
    let shared = ann.work().join("shared");
    let runs = [(&ann, "1"), (&ben, "2")].map(|(who, lr)| run(who, "tuning", lr));
    let give = |who: &Sandbox| {
        let words = format!("export --format text {}", shared.display());
        let said = who.say(&words);
        assert_eq!(said.code, 0, "{said:?}");
        said.err
    };
    assert_eq!(give(&ann), "");
    let note = give(&ben);
    assert!(note.contains("goes to `tuning-2`"), "{note}");
    let before = sums(&ann, "shared");
    // Each finds its own again.
    give(&ben);
    give(&ann);
    assert_eq!(sums(&ann, "shared"), before);
    let third = Sandbox::new();
    let words = format!("import {} --rename", shared.display());
    third.say(&words).ok();
    for run in &runs {
        third.say(&format!("show {run}")).ok();
    }
    assert_eq!(third.say("list --json").json()["total"], 2);
}

#[test]
fn folders_below_an_experiment_are_taken_in_with_it() {
    let sandbox = Sandbox::new();
    run(&sandbox, "one", "1");
    run(&sandbox, "two", "2");
    sandbox.say("export --format text it one").ok();
    sandbox.say("export --format text it/two two").ok();
    let other = Sandbox::new();
    copy(&sandbox.work().join("it"), &other.work().join("it"));
    let said = other.say("import it --json").json();
    assert_eq!(
        (&said["experiments"], &said["runs"]),
        (&json!(2), &json!(2)),
        "{said}"
    );
}

#[test]
fn a_run_that_is_lost_as_a_whole_is_missed() {
    let ann = Sandbox::new();
    let runs = ["1", "2"].map(|lr| run(&ann, "tuning", lr));
    ann.say("export --format text it tuning").ok();
    let ben = Sandbox::new();
    let cut = |script: &str| {
        fs::remove_dir_all(ben.work().join("it")).ok();
        copy(&ann.work().join("it"), &ben.work().join("it"));
        ben.shell(script).ok();
    };
    for script in [
        "rm -r it/runs/run-002",
        "rm it/runs/run-002/*",
        "rm -r it/runs",
    ] {
        cut(script);
        let error = ben.say("import it").failed(7);
        let lost = usize::from(script != "rm -r it/runs");
        let told = format!(
            "run {} is to be here, in `runs/run-00{}`",
            runs[lost],
            lost + 1
        );
        assert!(error.contains("it/experiment.jsonl:"), "{error}");
        assert!(error.contains(&told), "{error}");
        assert!(!ben.book().exists(), "{script}");
    }
    // It may have another name, and may be taken away on purpose.
    cut("mv it/runs/run-002 it/runs/late");
    assert_eq!(ben.say("import it --json").json()["runs"], 2);
    cut("rm -r it/runs/run-002 && sed -i '/run-002/d' it/experiment.jsonl");
    ben.say("import it").ok();
    // Who does not have a run keeps its line.
    let caro = Sandbox::new();
    cut("true");
    copy(&ben.work().join("it"), &caro.work().join("it"));
    caro.say("import it").ok();
    caro.say(&format!("delete {}", runs[1])).ok();
    fs::remove_dir_all(caro.work().join("it/runs/run-002")).unwrap();
    caro.say(&format!("export --format text it {}", runs[0]))
        .ok();
    assert!(read(caro.work().join("it/experiment.jsonl")).contains(&runs[1]));
}

/// What a slip of the hand does to a folder is refused by the name of the file, and nothing comes in.
#[test]
fn what_is_not_as_it_was_written_is_noticed() {
    let ann = Sandbox::new();
    let config = "experiment: {name: tuning}\ntask: {command: [\"true\"]}\nvariations: [{name: a}]\ntrials: 1\n";
    fs::write(ann.work().join("c.yaml"), config).unwrap();
    ann.say("run c.yaml").ok();
    for lr in ["1", "2"] {
        run(&ann, "tuning", lr);
    }
    ann.say("tag tuning fine").ok();
    ann.say("note tuning words --key plan").ok();
    ann.say("export --format text it tuning").ok();
    let ben = Sandbox::new();
    let cut = |script: &str| {
        fs::remove_dir_all(ben.work().join("it")).ok();
        copy(&ann.work().join("it"), &ben.work().join("it"));
        ben.shell(script).ok();
    };
    for (script, told) in [
        (
            "cp -r it/runs/run-002 it/runs/run-009",
            "it/runs/run-009/records.jsonl:1: this is run",
        ),
        (
            "sed -i 's/:0.5}/:0.05}/' it/runs/run-002/metrics.jsonl",
            "it/runs/run-002/metrics.jsonl: lines of this file were changed since `summary.json`",
        ),
        (
            "sed -i 's/\"lr\"/\"rate\"/' it/runs/run-002/records.jsonl",
            "it/runs/run-002/records.jsonl: lines of this file were changed",
        ),
        ("rm it/config.yaml", "it/config.yaml: this file is missing"),
        ("rm -r it/snapshots", ".json: this file is missing"),
        ("sed -i '/fine/d' it/experiment.jsonl", "1 of the "),
        (
            "sed -i 's/words/lies/' it/experiment.jsonl",
            "are not in it, or were changed",
        ),
    ] {
        cut(script);
        let error = ben.say("import it").failed(7);
        assert!(error.contains(told), "{script}: {error}");
        assert!(error.contains("nothing was taken in"), "{error}");
        assert!(!ben.book().exists(), "{script}");
    }
    cut("sed -i 's/: 0.5/: 0.05/' it/runs/run-002/summary.json");
    let said = ben.say("import it --json").json();
    let note = "`it/runs/run-002/summary.json` was changed since the export: what records.jsonl and metrics.jsonl say comes in";
    assert_eq!(said["notes"], json!([note]));
    assert_eq!(said["runs"], 3);
    // Other ends of lines, and changes that are meant, are none of them.
    let third = Sandbox::new();
    copy(&ann.work().join("it"), &third.work().join("it"));
    third
        .shell(
            "sed -i 's/$/\\r/' it/*.jsonl it/runs/*/*.jsonl && \
             sed -i 's/:0.5}/:0.05}/' it/runs/run-002/metrics.jsonl && \
             sed -i 's/\"crc32\"/\"were\"/' it/runs/run-002/summary.json && \
             sed -i '/fine/d; /^{\"records\":/d' it/experiment.jsonl",
        )
        .ok();
    assert_eq!(third.say("import it --json").json()["runs"], 3);
}

#[test]
fn numbers_that_differ_are_told_on_both_ways() {
    let (ann, ben) = (Sandbox::new(), Sandbox::new());
    run(&ann, "tuning", "1");
    ann.say("export --format text it tuning").ok();
    copy(&ann.work().join("it"), &ben.work().join("it"));
    let first = ben.say("import it --json").json();
    assert_eq!(first["numbered"], json!([]));
    let [anns, bens] = [run(&ann, "tuning", "2"), run(&ben, "tuning", "3")];
    ann.say("export --format text it tuning").ok();
    fs::remove_dir_all(ben.work().join("it")).unwrap();
    copy(&ann.work().join("it"), &ben.work().join("it"));
    let said = ben.say("import it --json");
    let told = format!(
        "run-002 of the files is tuning/run-003 here: numbers are each book's own, its id {}",
        &anns[..8]
    );
    assert!(said.err.contains(&told), "{said:?}");
    let said = said.json();
    assert_eq!(
        said["numbered"],
        json!([{"run": anns, "handle": "tuning/run-003", "in_files": "run-002"}])
    );
    let said = ben.say("export --format text it tuning --json");
    let told = format!("run-002 ({}) stands in `runs/run-003`", &bens[..8]);
    assert!(said.err.contains(&told), "{said:?}");
    let elsewhere = said.json()["elsewhere"].clone();
    assert_eq!(elsewhere.as_array().unwrap().len(), 2, "{elsewhere}");
    // What was said of `run-002` in either book stays true, and each is found by its id.
    for (who, own) in [(&ann, &anns), (&ben, &bens)] {
        let show = who.say("show tuning/run-002 --json").json();
        assert_eq!(show["id"], json!(own));
    }
    // The numbers of those that are here already are told as well.
    let again = ben.say("import it --json").json();
    assert_eq!(
        (
            &again["same_runs"],
            again["numbered"].as_array().unwrap().len()
        ),
        (&json!(3), 2)
    );
}

#[test]
fn git_merges_what_two_sides_added_to_the_experiment() {
    let (ann, ben) = (Sandbox::new(), Sandbox::new());
    run(&ann, "tuning", "1");
    ann.say("export --format text shared/tuning tuning").ok();
    let git = |who: &Sandbox, folder: &str, words: &str| {
        who.shell(&format!(
            "cd {folder} && git -c user.name=t -c user.email=t@t -c commit.gpgsign=false {words}"
        ))
        .ok()
    };
    for words in ["init -q -b main", "add -A", "commit -qm one"] {
        git(&ann, "shared", words);
    }
    let shared = ann.work().join("shared");
    git(&ben, ".", &format!("clone -q '{}' clone", shared.display()));
    ben.say("import clone/tuning").ok();
    run(&ann, "tuning", "2");
    ann.say("tag tuning by-ann").ok();
    ann.say("export --format text shared/tuning tuning").ok();
    // Ben's is the third by luck: that the folders of runs meet is another matter.
    let passed = run(&ben, "tuning", "3");
    let third = run(&ben, "tuning", "4");
    ben.say("tag tuning by-ben").ok();
    ben.say(&format!("export --format text clone/tuning {third}"))
        .ok();
    for (who, folder) in [(&ann, "shared"), (&ben, "clone")] {
        git(who, folder, "add -A");
        git(who, folder, "commit -qm more");
    }
    git(&ben, "clone", "pull -q --no-rebase --no-edit");
    let said = ben.say("import clone/tuning --json").json();
    assert_eq!(
        (&said["runs"], &said["same_runs"]),
        (&json!(1), &json!(2)),
        "{said}"
    );
    let tags = ben.say("show tuning --json").json()["tags"].clone();
    assert_eq!(tags, json!({"by-ann": "", "by-ben": ""}));
    ben.say(&format!("show {passed}")).ok();
}

#[test]
fn a_config_that_people_wrote_stays_theirs() {
    let sandbox = Sandbox::new();
    let config = "# Ours\nexperiment: {id: EXP-001, name: tuning}\ntask: {type: t, command: [\"true\"]}\nvariations: [{name: a}] # one\ntrials: 1\n";
    let path = sandbox.work().join("exp-001/config.yaml");
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::write(&path, config).unwrap();
    sandbox.say("run exp-001/config.yaml").ok();
    sandbox.say("export --format text exp-001 EXP-001").ok();
    assert_eq!(read(&path), config, "it says the same");
    let other = Sandbox::new();
    copy(
        &sandbox.work().join("exp-001"),
        &other.work().join("exp-001"),
    );
    let said = other.say("import exp-001 --json").json();
    assert_eq!(said["notes"], json!([]));
    // What was written and not run yet is not lost.
    let changed = config.replace("trials: 1", "trials: 2");
    fs::write(&path, &changed).unwrap();
    let before = sums(&sandbox, "exp-001");
    let error = sandbox
        .say("export --format text exp-001 EXP-001")
        .failed(6);
    assert!(error.contains("config.yaml` is another config"), "{error}");
    assert_eq!(sums(&sandbox, "exp-001"), before);
    sandbox
        .say("export --format text exp-001 EXP-001 --force")
        .ok();
    let written = read(&path);
    assert!(
        written.contains("trials: 1") && !written.contains('#'),
        "{written}"
    );
    // What an export wrote, the next one may write anew.
    fs::write(sandbox.work().join("next.yaml"), &changed).unwrap();
    sandbox.say("run next.yaml").ok();
    sandbox.say("export --format text exp-001 EXP-001").ok();
    assert!(read(&path).contains("trials: 2"));
}

#[test]
fn what_two_people_say_otherwise_of_one_thing_is_told() {
    let (ann, ben) = (Sandbox::new(), Sandbox::new());
    run(&ann, "tuning", "1");
    ann.say("export --format text it tuning").ok();
    copy(&ann.work().join("it"), &ben.work().join("it"));
    ben.say("import it").ok();
    ann.say("note tuning anns-words --key plan").ok();
    ben.say("note tuning bens-words --key plan").ok();
    ben.say("export it.json tuning").ok();
    ann.say("export it.json tuning").ok();
    let import = |who: &Sandbox, from: &Sandbox| {
        let path = from.work().join("it.json");
        who.say(&format!("import {} --json", path.display()))
    };
    let said = import(&ann, &ben);
    let told = "note `plan` of experiment `default/tuning` was `anns-words` here; `bens-words`, as it is in the files since later, holds";
    assert!(said.err.contains(told), "{said:?}");
    assert_eq!(said.json()["overruled"][0]["lost"], "anns-words");
    let said = import(&ben, &ann);
    let told = "was `anns-words` in the files; `bens-words`, as it is here since later, holds";
    assert!(said.err.contains(told), "{said:?}");
    // What is agreed on is nothing to be told.
    assert_eq!(import(&ann, &ben).json()["overruled"], json!([]));
}

#[test]
fn a_document_goes_through_a_pipe() {
    let sandbox = Sandbox::new();
    run(&sandbox, "tuning", "1");
    let text = sandbox.say("export -").ok();
    let other = Sandbox::new();
    let said = other.feed("import - --json", text.as_bytes()).json();
    assert_eq!(
        (&said["runs"], &said["points"]),
        (&json!(1), &json!(1)),
        "{said}"
    );
    assert_eq!(other.say("export -").ok(), text);
    let third = Sandbox::new();
    let error = third
        .feed("import -", &text.as_bytes()[..text.len() / 2])
        .failed(7);
    assert!(error.contains("the standard input:"), "{error}");
    let error = third.feed("import -", b"SQLite format 3\0").failed(7);
    assert!(error.contains("the standard input: this is not"), "{error}");
    assert!(!third.book().exists());
}
