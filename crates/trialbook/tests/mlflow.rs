//! `import mlflow` and `export --format mlflow` as their users see them.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on is a failed test"
)]

mod sandbox;

use std::fs;
use std::path::Path;

use sandbox::Sandbox;
use serde_json::Value;

/// Unpacks a folder that a client of MLflow wrote.
fn unpack(name: &str, to: &Path) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../trialbook-exchange/tests/mlflow");
    let text = fs::read(data.join(format!("{name}.json"))).unwrap();
    let document: Value = serde_json::from_slice(&text).unwrap();
    for (path, content) in document["files"].as_object().unwrap() {
        let file = to.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content.as_str().unwrap_or("bytes")).unwrap();
    }
}

#[test]
fn a_folder_comes_in_once_and_goes_out_again() {
    let sandbox = Sandbox::new();
    unpack("folder-3.17", &sandbox.work().join("mlruns"));
    let said = sandbox.say("import mlflow --json").json();
    for (key, count) in [
        ("experiments", 2),
        ("runs", 8),
        ("artifacts", 2),
        ("logged_models", 2),
        ("registered_models", 2),
        ("model_versions", 3),
    ] {
        assert_eq!(said[key], count, "{key}: {said}");
    }
    assert_eq!(said["not_brought"][0]["what"], "traces", "{said}");
    let line = sandbox.say("import mlflow").ok();
    assert!(line.contains("8 runs were here already"), "{line}");
    let found = sandbox.say("search status='failed' --json").json();
    assert_eq!(found["runs"].as_array().unwrap().len(), 1, "{found}");
    sandbox.say("export --format mlflow out --artifacts").ok();
    let refused = sandbox.say("export --format mlflow out").failed(2);
    assert!(refused.contains("is there already"), "{refused}");
    let other = Sandbox::new();
    sandbox::copy(&sandbox.work().join("out"), &other.work().join("mlruns"));
    let again = other.say("import mlflow --json").json();
    assert_eq!(
        (&again["runs"], &again["points"]),
        (&said["runs"], &said["points"])
    );
}

#[test]
fn damage_is_named_and_does_not_hinder_the_rest() {
    let sandbox = Sandbox::new();
    let folder = sandbox.work().join("mlruns");
    unpack("folder-2.9", &folder);
    let experiments = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let runs = experiments.flat_map(|path| fs::read_dir(path).unwrap());
    let mut metrics = runs.map(|entry| entry.unwrap().path().join("metrics/same"));
    let metric = metrics.find(|path| path.is_file()).unwrap();
    fs::write(metric, "1700000000500 two 1\n").unwrap();
    let ended = sandbox.say("import mlflow mlruns");
    assert!(ended.out.contains("7 new runs"), "{ended:?}");
    let told = ended.failed(7);
    assert!(
        told.contains("metrics/same:1: ") && told.contains("did not come in"),
        "{told}"
    );
}

#[test]
fn what_is_no_store_makes_no_book() {
    let sandbox = Sandbox::new();
    let told = sandbox.say("import mlflow nothing").failed(1);
    assert!(told.contains("cannot read `nothing`"), "{told}");
    assert!(!sandbox.book().exists());
}
