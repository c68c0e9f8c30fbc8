//! Programs that log with MLflow and are executed as runs: they reach the book without a server.

mod sandbox;

use sandbox::{PATH, Sandbox, write};

/// Logs as MLflow's client does, with nothing but the standard library.
const SCRIPT: &str = r#"
import json, os, sys, urllib.error, urllib.request

def call(route, body, token=os.environ.get("MLFLOW_TRACKING_TOKEN", "")):
    headers = {"Content-Type": "application/json", "Authorization": "Bearer " + token}
    url = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/" + route
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    return json.load(urllib.request.urlopen(request))

first = call("runs/create", {"experiment_id": "0", "run_name": "named by it"})["run"]["info"]["run_id"]
assert first == os.environ["TRIALBOOK_RUN"], first
for step in range(3):
    call("runs/log-metric", {"run_id": first, "key": "loss", "value": 1.5, "timestamp": 5, "step": step})
child = call("runs/create", {"experiment_id": "0", "run_name": "child"})["run"]["info"]["run_id"]
for run in [child, first]:
    call("runs/update", {"run_id": run, "status": "FINISHED", "end_time": 1700000000000})
try:
    call("runs/create", {}, token="00" * 16 + "." + "00" * 16)
except urllib.error.HTTPError as error:
    assert error.code == 401, error.code
else:
    sys.exit("a token of nobody was taken")
sys.exit(3)
"#;

#[test]
fn the_first_run_of_a_program_is_the_one_that_executes_it() {
    let sandbox = Sandbox::new();
    write(&sandbox, "train.py", SCRIPT);
    let mut command = sandbox.command();
    command.env("PATH", PATH);
    let words = ["run", "--experiment", "exp", "--", "python3", "train.py"];
    let ended = sandbox::ended(command.args(words));
    assert_eq!(ended.code, 11, "{ended:?}");
    let listed = sandbox.say("list --json").json();
    let runs = listed["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2, "{listed}");
    let named = |name: &str| runs.iter().find(|run| run["name"] == name).unwrap();
    // The program said that it had finished; its wrapper knows better.
    assert_eq!(named("named by it")["status"], "failed");
    assert_eq!(named("child")["status"], "completed");
    assert_eq!(named("child")["experiment"], "exp");
    let found = sandbox
        .run(["search", "metrics.loss = 1.5", "--json"])
        .json();
    assert_eq!(found["total"], 1, "{found}");
}

#[test]
fn a_server_that_the_user_has_chosen_stays_chosen() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command();
    command.env("PATH", PATH);
    command.env("MLFLOW_TRACKING_URI", "http://chosen:5000");
    let words = [
        "run",
        "--",
        "sh",
        "-c",
        "echo uri=$MLFLOW_TRACKING_URI$MLFLOW_TRACKING_TOKEN",
    ];
    sandbox::ended(command.args(words)).ok();
    let logs = sandbox.say("logs latest").ok();
    assert!(logs.contains("uri=http://chosen:5000\n"), "{logs}");
}
