//! `trialbook serve` and `trialbook token`, through the real binary: one line, one book with the commands,
//! nothing lost to a kill, nobody in without a token beyond this machine.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod sandbox;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use sandbox::Sandbox;
use serde_json::{Value, json};

/// Longer than any answer takes on a machine that is merely slow.
const STUCK: Duration = Duration::from_secs(60);

/// A server, killed when it is dropped.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(sandbox: &Sandbox, words: &str) -> Self {
        let mut command = sandbox.command();
        command.args(["serve", "--port", "0"]);
        command.args(words.split(' ').filter(|word| !word.is_empty()));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        let port = line.trim_end().rsplit(':').next().unwrap();
        let port = port.parse().unwrap_or_else(|_| panic!("{line}"));
        Self { child, port }
    }

    fn signal(&mut self, signal: rustix::process::Signal) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
        self.child.wait().unwrap().code()
    }

    fn get(&self, path: &str) -> Option<(u16, String)> {
        ask(self.port, &format!("GET {path} HTTP/1.1\r\n"), "")
    }

    fn post(&self, path: &str, body: &Value) -> Option<(u16, String)> {
        ask(
            self.port,
            &format!("POST {path} HTTP/1.1\r\n"),
            &body.to_string(),
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Status and body of an answer; `None` where there was none.
fn ask(port: u16, head: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(STUCK)).unwrap();
    let about = if body.is_empty() {
        String::new()
    } else {
        format!(
            "content-type: application/json\r\ncontent-length: {}\r\n",
            body.len()
        )
    };
    let host = if head.contains("host:") {
        ""
    } else {
        "host: localhost\r\n"
    };
    let request = format!("{head}{host}{about}connection: close\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

fn new_run(server: &Server) -> Option<String> {
    let body = json!({ "experiment_id": "0", "start_time": 1_700_000_000_000_u64 });
    let (status, answer) = server.post("/api/2.0/mlflow/runs/create", &body)?;
    assert_eq!(status, 200, "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    Some(answer["run"]["info"]["run_id"].as_str().unwrap().to_owned())
}

#[test]
fn a_server_prints_one_line_names_a_port_that_is_taken_and_ends_in_order() {
    let sandbox = Sandbox::new();
    let mut server = Server::start(&sandbox, "");
    assert_eq!(server.get("/health").unwrap(), (200, "OK".to_owned()));
    let taken = sandbox.run(["serve", "--port", &server.port.to_string()]);
    let said = taken.failed(2);
    assert!(
        said.contains("is in use") && said.contains("--port"),
        "{said}"
    );
    let run = new_run(&server).unwrap();
    assert_eq!(server.signal(rustix::process::Signal::TERM), Some(0));
    let listed = sandbox.say("list --json").ok();
    assert!(listed.contains(&run), "{listed}");
}

#[test]
fn commands_and_the_server_use_one_book_at_once() {
    let sandbox = Sandbox::new();
    let server = Server::start(&sandbox, "");
    let run = new_run(&server).unwrap();
    let seen = sandbox.say("list --json").ok();
    assert!(seen.contains(&run), "{seen}");
    let other = sandbox.say("start --json").json();
    let other = other["run"].as_str().unwrap();
    let (status, answer) = server
        .get(&format!("/api/2.0/mlflow/runs/get?run_id={other}"))
        .unwrap();
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("RUNNING"), "{answer}");
}

#[test]
fn a_kill_under_load_loses_nothing_that_was_acknowledged() {
    let sandbox = Sandbox::new();
    let mut server = Server::start(&sandbox, "");
    let run = new_run(&server).unwrap();
    let acknowledged = Mutex::new(BTreeSet::new());
    let port = server.port;
    thread::scope(|scope| {
        for writer in 0..8_u64 {
            let (acknowledged, run) = (&acknowledged, &run);
            scope.spawn(move || {
                for step in 0.. {
                    let step = writer * 1_000_000 + step;
                    let body = json!({
                        "run_id": run, "key": "loss", "value": step, "timestamp": step, "step": step,
                    });
                    let head = "POST /api/2.0/mlflow/runs/log-metric HTTP/1.1\r\n";
                    match ask(port, head, &body.to_string()) {
                        Some((200, _)) => acknowledged.lock().unwrap().insert(step),
                        Some(other) => panic!("{other:?}"),
                        None => return,
                    };
                }
            });
        }
        while acknowledged.lock().unwrap().len() < 200 {
            thread::yield_now();
        }
        server.signal(rustix::process::Signal::KILL);
    });
    let acknowledged = acknowledged.into_inner().unwrap();
    let check = |csv: &str| {
        let mut rows = csv.lines();
        let head: Vec<&str> = rows.next().unwrap().split(',').collect();
        let at = head.iter().position(|column| *column == "step").unwrap();
        let steps: Vec<u64> = rows
            .map(|row| row.split(',').nth(at).unwrap().parse().unwrap())
            .collect();
        let once: BTreeSet<u64> = steps.iter().copied().collect();
        assert_eq!(once.len(), steps.len(), "each step once");
        let lost: Vec<&u64> = acknowledged.difference(&once).collect();
        assert!(lost.is_empty(), "{lost:?}");
    };
    let csv = sandbox.run(["series", &run, "loss", "--csv"]).ok();
    check(&csv);
    let mut again = Server::start(&sandbox, "");
    let (status, answer) = again
        .get(&format!("/api/2.0/mlflow/runs/get?run_id={run}"))
        .unwrap();
    assert_eq!(status, 200, "{answer}");
    again.signal(rustix::process::Signal::TERM);
    check(&sandbox.run(["series", &run, "loss", "--csv"]).ok());
}

#[test]
fn beyond_this_machine_a_token_is_demanded() {
    let sandbox = Sandbox::new();
    sandbox.say("init").ok();
    let said = sandbox.say("serve --host 0.0.0.0 --port 0").failed(2);
    assert!(
        said.contains("token create") && said.contains("--insecure"),
        "{said}"
    );
    let made = sandbox
        .say("token create --name ci --scope read --json")
        .json();
    let token = made["token"].as_str().unwrap();
    let listed = sandbox.say("token list --json").json();
    assert_eq!(listed["tokens"][0]["name"], "ci");
    assert!(!listed.to_string().contains(token));
    let server = Server::start(&sandbox, "--host 0.0.0.0");
    assert_eq!(server.get("/ready").unwrap().0, 401);
    let bearer = format!("authorization: Bearer {token}\r\n");
    let with = |path: &str, body: &str| {
        let method = if body.is_empty() { "GET" } else { "POST" };
        ask(
            server.port,
            &format!("{method} {path} HTTP/1.1\r\n{bearer}"),
            body,
        )
    };
    assert_eq!(
        with("/api/2.0/mlflow/experiments/get?experiment_id=0", "")
            .unwrap()
            .0,
        200
    );
    let create = json!({ "experiment_id": "0" }).to_string();
    assert_eq!(
        with("/api/2.0/mlflow/runs/create", &create).unwrap().0,
        403,
        "only reading"
    );
    sandbox
        .run(["token", "revoke", made["id"].as_str().unwrap()])
        .ok();
    assert_eq!(with("/ready", "").unwrap().0, 401, "at once");
}

#[test]
fn names_and_pages_of_others_are_refused_and_nothing_is_written_read_only() {
    let sandbox = Sandbox::new();
    sandbox.say("init").ok();
    let server = Server::start(&sandbox, "--read-only");
    let (status, said) = ask(
        server.port,
        "GET /health HTTP/1.1\r\nhost: evil.example\r\n",
        "",
    )
    .unwrap();
    assert_eq!(status, 403);
    assert!(said.contains("--allowed-hosts"), "{said}");
    let create = json!({ "experiment_id": "0" });
    assert_eq!(
        server
            .post("/api/2.0/mlflow/runs/create", &create)
            .unwrap()
            .0,
        403
    );
    let said = sandbox
        .say("serve --backend-store-uri sqlite:///mlflow.db")
        .failed(2);
    assert!(said.contains("import mlflow sqlite:///mlflow.db"), "{said}");
}
