//! The command lines of other trackers' documents, followed line by line with the numbers of their examples.

#![expect(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod sandbox;

use std::fs;

use sandbox::Sandbox;

/// The id in what `experiment-create` says.
fn create(sandbox: &Sandbox, name: &str) -> String {
    let out = sandbox
        .run([
            "experiment-create",
            "--name",
            name,
            "--project",
            "nlp-classification",
            "--tags",
            "baseline,transformer,bert",
        ])
        .ok();
    let head = format!("Experiment created: nlp-classification/{name} (ID: ");
    let id = out.strip_prefix(&head).unwrap_or_else(|| panic!("{out}"));
    id.strip_suffix(")\n").unwrap().to_owned()
}

/// T-1, T-2, T-3, T-4, T-10, T-11, T-17.
#[test]
#[expect(clippy::too_many_lines, reason = "a day is told in its order")]
fn the_slash_commands_do_what_their_document_shows() {
    let sandbox = Sandbox::new();
    let bert = create(&sandbox, "BERT-baseline");
    let params =
        r#"{"learning_rate": 2e-5, "batch_size": 32, "epochs": 10, "model": "bert-base-uncased"}"#;
    let logged = sandbox.run([
        "experiment-log-params",
        "--experiment-id",
        &bert,
        "--params",
        params,
    ]);
    assert_eq!(
        logged.ok(),
        format!("Logged 4 parameters to experiment {bert}\n")
    );
    let metrics = r#"{"train_loss": 0.32, "val_loss": 0.28, "val_accuracy": 0.89}"#;
    let args = [
        "experiment-log-metrics",
        "--experiment-id",
        &bert,
        "--metrics",
        metrics,
    ];
    let logged = sandbox
        .run(args.iter().copied().chain(["--step", "5"]))
        .ok();
    assert!(logged.starts_with("Logged 3 metrics at step 5"), "{logged}");

    fs::write(sandbox.work().join("model.pt"), vec![1; 1_000]).unwrap();
    fs::write(sandbox.work().join("loss_curve.png"), vec![2; 2_000]).unwrap();
    let args = ["experiment-log-artifacts", "--experiment-id", &bert];
    let files = ["--files", "model.pt,loss_curve.png", "--type", "model,plot"];
    let uploaded = sandbox.run(args.iter().chain(&files)).ok();
    assert_eq!(
        uploaded,
        "Uploaded 2 artifacts (model.pt: 1kB, loss_curve.png: 2kB)\n"
    );

    let mut ids = vec![bert.clone()];
    for (name, accuracy, f1, time) in [
        ("RoBERTa-large", 0.92, 0.90, 120),
        ("DistilBERT-fast", 0.86, 0.84, 15),
    ] {
        let id = create(&sandbox, name);
        let metrics =
            format!(r#"{{"val_accuracy": {accuracy}, "val_f1": {f1}, "inference_time": {time}}}"#);
        sandbox
            .run([
                "experiment-log-metrics",
                "--experiment-id",
                &id,
                "--metrics",
                &metrics,
            ])
            .ok();
        ids.push(id);
    }
    let metrics = r#"{"val_f1": 0.87, "inference_time": 45}"#;
    sandbox
        .run([
            "experiment-log-metrics",
            "--experiment-id",
            &bert,
            "--metrics",
            metrics,
        ])
        .ok();
    let compared = sandbox
        .run([
            "experiment-compare",
            "--experiment-ids",
            &ids.join(","),
            "--metrics",
            "val_accuracy,val_f1,inference_time",
        ])
        .ok();
    for word in [
        "BERT-baseline",
        "RoBERTa-large",
        "DistilBERT-fast",
        "0.92",
        "120",
        "Winner",
    ] {
        assert!(compared.contains(word), "{word}: {compared}");
    }
    let winner = compared
        .lines()
        .find(|line| line.starts_with("Winner"))
        .unwrap();
    assert!(
        winner.contains("RoBERTa") && winner.contains("best val_accuracy"),
        "{winner}"
    );
    assert!(
        winner.contains("DistilBERT") && winner.contains("best inference_time"),
        "{winner}"
    );

    let found = sandbox
        .run([
            "experiment-search",
            "--filter",
            "metrics.val_accuracy > 0.90",
            "--sort-by",
            "val_accuracy",
            "--top",
            "10",
        ])
        .ok();
    assert!(found.starts_with("Found 1 run"), "{found}");
    assert!(found.contains("RoBERTa-large"), "{found}");

    let args = [
        "artifact-download",
        "--experiment-id",
        &bert,
        "--artifact-type",
        "model",
    ];
    sandbox
        .run(
            args.iter()
                .copied()
                .chain(["--output-dir", "models/production/"]),
        )
        .ok();
    let got = fs::read(sandbox.work().join("models/production/model.pt")).unwrap();
    assert_eq!(got.len(), 1_000);
    assert!(
        !sandbox
            .work()
            .join("models/production/loss_curve.png")
            .exists()
    );
    fs::write(sandbox.work().join("embeddings.npy"), vec![3; 1_200]).unwrap();
    let args = [
        "artifact-upload",
        "--experiment-id",
        &bert,
        "--files",
        "embeddings.npy",
    ];
    let uploaded = sandbox
        .run(
            args.iter()
                .copied()
                .chain(["--description", "GloVe 300d embeddings"]),
        )
        .ok();
    assert!(uploaded.contains("embeddings.npy: 1.2kB"), "{uploaded}");
    let show = sandbox.say("show BERT-baseline/run-001 --json").json();
    let described = show["artifacts"].as_array().unwrap().iter();
    let described: Vec<_> = described
        .filter_map(|it| it["description"].as_str())
        .collect();
    assert_eq!(described, ["GloVe 300d embeddings"]);
}

#[test]
fn what_is_not_there_yet_says_so() {
    let sandbox = Sandbox::new();
    for words in [
        "experiment-visualize --experiment-ids exp-* --plot-type line --x-axis epoch --y-axis val_accuracy",
        "experiment-reproduce --experiment-id exp-4d5e6f --environment staging --dataset new_data_v2.csv",
        "visualize",
        "/experiment-reproduce",
    ] {
        let refused = sandbox.say(words).failed(9);
        assert!(refused.contains("is not supported yet"), "{refused}");
        assert!(refused.contains("hint: "), "{refused}");
    }
}

/// T-12, T-13, T-14, T-15, T-17.
#[test]
fn the_batch_commands_and_their_flags_are_understood() {
    let sandbox = Sandbox::new();
    let id = create(&sandbox, "transformer-baseline");
    let args = [
        "run-create",
        "--experiment-id",
        &id,
        "--name",
        "a",
        "--params",
        r#"{"lr": 0.1}"#,
    ];
    sandbox
        .run(args.iter().copied().chain(["--tags", "first,quick"]))
        .ok();
    let args = ["run-create", "--experiment-id", &id, "--name", "b"];
    sandbox.run(args).ok();
    for (run, accuracy) in [("a", "0.8"), ("b", "0.9")] {
        let metrics = format!(r#"{{"accuracy": {accuracy}}}"#);
        let args = ["run-log", "--run-id", run, "--params", r#"{"seed": 1}"#];
        sandbox
            .run(args.iter().copied().chain(["--metrics", &metrics]))
            .ok();
    }
    let run = sandbox
        .say("show transformer-baseline/run-001 --json")
        .json();
    assert_eq!(run["params"]["seed"], 1);
    assert_eq!(run["tags"]["quick"], "");
    assert_eq!(run["metrics"]["accuracy"]["last"], 0.8);
    let compared = sandbox
        .say("run-compare --run-ids a,b --metrics accuracy")
        .ok();
    assert!(compared.contains("Winner: b (best accuracy"), "{compared}");
    let args = [
        "experiment-tag",
        "--experiment-id",
        &id,
        "--tags",
        "reviewed",
    ];
    sandbox.run(args).ok();
    assert_eq!(
        sandbox.run(["show", &id, "--json"]).json()["tags"]["reviewed"],
        ""
    );
    sandbox.say("end --run a").ok();
    sandbox
        .run(["experiment-archive", "--experiment-id", &id])
        .ok();
    assert_eq!(sandbox.say("list --json").json()["total"], 0);
    sandbox.run(["unarchive", &id]).ok();
    sandbox.say("baseline set text-classification a").ok();
    let marked = sandbox.say("baseline --json").json();
    assert_eq!(marked["baselines"][0]["name"], "text-classification");
}

/// C-26, C-27, C-28, C-29, C-30, C-31.
#[test]
#[expect(clippy::too_many_lines, reason = "a day is told in its order")]
fn the_readme_of_the_question_tracker_can_be_followed() {
    let sandbox = Sandbox::new();
    let setup = |temperature: f64| {
        format!(
            "agents: [{{name: supervisor, model: gpt-4o, temperature: {temperature}, role: QA}}]\n\
             workflow: {{process_type: hierarchical}}\n\
             dataset: {{sample_size: 2, sampling_strategy: sequential, random_seed: null}}\n"
        )
    };
    // Two benchmarks of two questions each.
    for (id, temperature, second) in [
        ("exp_20241227_143022", 0.1, "correct=true"),
        ("exp_20241227_145156", 0.7, "correct=false"),
    ] {
        fs::write(sandbox.work().join("setup.yaml"), setup(temperature)).unwrap();
        let notes = ["--notes", "Testing new configuration"];
        let start = ["start", "--experiment", "benchmark", "--alias", id];
        let args = start.iter().copied().chain(["--config", "setup.yaml"]);
        let run = sandbox.run(args.chain(notes)).ok();
        for (item, score) in [("train_0", "correct=true"), ("train_1", second)] {
            let args = ["log", "item", item, "--run", run.trim(), "--score", score];
            sandbox
                .run(
                    args.iter()
                        .copied()
                        .chain(["--cost", "0.01", "--latency-ms", "1500"]),
                )
                .ok();
        }
        sandbox.say(&format!("end --run {}", run.trim())).ok();
    }
    let list = sandbox.say("list").ok();
    assert!(
        list.contains("100.0%") && list.contains("50.0%") && list.contains("$0.020"),
        "{list}"
    );
    assert_eq!(sandbox.say("list -n 50").ok().lines().count(), 3);
    let show = sandbox.say("show exp_20241227_143022").ok();
    for text in [
        "Setup ",
        "gpt-4o",
        "correct      2 of 2 judged (100.0%)",
        "Testing new configuration",
    ] {
        assert!(show.contains(text), "{text}: {show}");
    }
    let stats = sandbox.say("stats").ok();
    assert!(
        stats.contains("configurations  2") && stats.contains("best accuracy   100.0%"),
        "{stats}"
    );
    let compared = sandbox
        .say("compare exp_20241227_143022 exp_20241227_145156")
        .ok();
    assert!(compared.contains("temperature"), "{compared}");
    sandbox.say("export backup_20241227.json").ok();
    let backup = fs::read_to_string(sandbox.work().join("backup_20241227.json")).unwrap();
    assert!(backup.contains("exp_20241227_143022"), "{backup}");
    let said = sandbox
        .say("revert exp_20241227_143022 -o revert_config.json")
        .ok();
    assert!(said.contains("to revert_config.json"), "{said}");
    let file = fs::read_to_string(sandbox.work().join("revert_config.json")).unwrap();
    let file: serde_json::Value = serde_json::from_str(&file).unwrap();
    assert_eq!(file["agents"]["supervisor"]["temperature"], 0.1);
    sandbox.say("show exp_20990101_000000").failed(3);
}
