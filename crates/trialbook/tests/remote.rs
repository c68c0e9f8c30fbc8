//! A book on a server, through the real binary: the same words as with a folder, and nothing lost or doubled when
//! the server or the line to it fails.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod sandbox;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use sandbox::{Ended, Sandbox, ended, write};
use serde_json::Value;

/// A server over the book of a sandbox, killed when it is dropped.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(sandbox: &Sandbox, port: u16, words: &str) -> Self {
        let mut command = sandbox.command();
        command.args(["serve", "--port", &port.to_string()]);
        command.args(words.split(' ').filter(|word| !word.is_empty()));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        let port = line.trim_end().rsplit(':').next().unwrap();
        let port = port.parse().unwrap_or_else(|_| panic!("{line}"));
        Self { child, port }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Somebody elsewhere, who knows the server by its address.
struct Elsewhere {
    home: Sandbox,
    url: String,
}

impl Elsewhere {
    fn of(url: &str) -> Self {
        Self {
            home: Sandbox::new(),
            url: url.to_owned(),
        }
    }

    fn command(&self) -> Command {
        let mut command = self.home.command();
        command.env("TRIALBOOK", &self.url);
        command
    }

    fn say(&self, words: &str) -> Ended {
        ended(self.command().args(words.split(' ')))
    }

    /// Starts a stream of lines into a run.
    fn stream(&self, run: &str) -> Child {
        let mut command = self.command();
        command.args(["log", "-", "--run", run]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(Stdio::piped()).spawn().unwrap()
    }
}

const CONFIG: &str = "\
experiment: {name: sweep, project: lab}
task:
  command: |-
    echo '{{\"score\": {x}}}'
variations:
  - {name: base, params: {x: 1}, baseline: true}
  - {name: more, params: {x: 2}}
trials: 2
";

/// What is recorded by words alone.
const WRITTEN: [&str; 26] = [
    "create exp --alias EXP-001 --project lab --tags team=a",
    "create exp --project lab",
    "start --experiment exp --project lab --name first --param lr=0.1 --alias one",
    "log metric --run first loss=0.5",
    "log metric --run first loss=NaN --step 1",
    "log metric --run first loss=0.25 --step 2",
    "log param --run first depth=3",
    "log event --run first checkpoint --data {\"step\":2}",
    "log item --run first q1 --score right=true --label kind=easy --output 42",
    "log item --run first q2 --score right=false --label kind=hard",
    "log progress --run first 1/2",
    "log artifact --run first note.txt",
    "tag first colour=red",
    "note first a-note",
    "end --run first",
    "start --experiment exp --project lab --name second --param lr=0.2",
    "log metric --run second loss=0.75",
    "end --run second --status failed --error broke",
    "start --name third",
    "end --run third",
    "rename third fourth",
    "archive fourth",
    "start --name fifth",
    "end --run fifth",
    "delete fifth",
    "baseline first",
];

/// What is read.
const READ: [&str; 45] = [
    "list",
    "list --json",
    "list --all --json",
    "list --deleted",
    "list experiments",
    "list experiments --json",
    "show first",
    "show first --json",
    "show EXP-001/run-001",
    "show one --json",
    "show lab/exp",
    "show exp-2 --json",
    "show latest",
    "show missing",
    "status",
    "status --json",
    "status lab/exp",
    "search loss<0.6",
    "search loss<0.6 --json",
    "search nonsense=",
    "series first loss",
    "series first loss --json",
    "logs first",
    "compare first second",
    "compare first second --json",
    "leaderboard lab/exp --sort-by loss",
    "leaderboard lab/exp --sort-by loss --json",
    "artifact list first",
    "artifact list first --json",
    "baseline",
    "baseline --json",
    "note first",
    "lint lab/exp",
    "check sweep",
    "check sweep --json",
    "analyze sweep",
    "report sweep --format markdown",
    "show sweep",
    "model list",
    "prompt list",
    "webhook list",
    "export --format csv -",
    "export --format jsonl -",
    "revert first",
    "__complete -- show ''",
];

/// A line up to the age that it tells: `just now` becomes `1s ago` while one asks twice.
fn before_age(line: &str) -> &str {
    let young = line.find("just now");
    let old = line.find(" ago").map(|end| {
        let words = line[..end].trim_end_matches(|letter: char| letter.is_ascii_lowercase());
        let words = words.trim_end();
        words
            .trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.')
            .len()
    });
    line[..young.or(old).unwrap_or(line.len())].trim_end()
}

/// What the time of asking says, and what the book is called, left out.
fn plain(ended: &Ended, names: &[&str]) -> (i32, String, String) {
    let clean = |text: &str| {
        let mut text = text.to_owned();
        for name in names {
            text = text.replace(name, "BOOK");
        }
        let lines = text.lines().filter(|line| {
            let of_now = ["\"now\"", "AGE"];
            !of_now.iter().any(|word| line.contains(word))
        });
        let lines = lines.map(before_age);
        lines.collect::<Vec<_>>().join("\n")
    };
    (ended.code, clean(&ended.out), clean(&ended.err))
}

#[test]
fn every_verb_says_of_a_server_what_it_says_of_the_folder() {
    let here = Sandbox::new();
    here.say("init").ok();
    let server = Server::start(&here, 0, "");
    let far = Elsewhere::of(&server.url());
    fs::write(far.home.work().join("note.txt"), "a file").unwrap();
    // First, since its times lie before: who reads the folder beside the server numbers what is not sealed by time.
    far.say("simulate --num-agents 3 --tasks 10 --seed 7").ok();
    let mut failed = Vec::new();
    for words in WRITTEN {
        let done = far.say(words);
        if done.code != 0 {
            failed.push(format!("{words}: {done:?}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    write(&far.home, "sweep.yaml", CONFIG);
    let mut run = far.command();
    let ran = ended(run.env("PATH", sandbox::PATH).args(["run", "sweep.yaml"]));
    assert_eq!(ran.code, 0, "{ran:?}");
    let url = server.url();
    let folder = here.book().display().to_string();
    for words in READ {
        let near = here.say(words);
        let said = plain(&far.say(words), &[&url]);
        let expected = plain(&near, &[&folder]);
        if said != expected {
            failed.push(format!("{words}:\n{said:?}\n{expected:?}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    // Two of the table refuse; all others answer.
    assert_eq!(far.say("show missing").code, 3);
    // The outbox is empty again.
    let synced = far.say("sync --json").json();
    assert_eq!(synced["outboxes"][0]["records"], 0, "{synced}");
    assert_eq!(synced["outboxes"][0]["spools_open"], 0, "{synced}");
}

#[test]
fn files_go_there_and_come_back() {
    let here = Sandbox::new();
    here.say("init").ok();
    let server = Server::start(&here, 0, "");
    let far = Elsewhere::of(&server.url());
    fs::write(far.home.work().join("a.bin"), vec![7; 300_000]).unwrap();
    far.say("start --name one").ok();
    far.say("log artifact --run one a.bin").ok();
    let other = Elsewhere::of(&server.url());
    other.say("artifact get one -o got").ok();
    let got = fs::read(other.home.work().join("got/a.bin")).unwrap();
    assert_eq!(got, vec![7; 300_000]);
    other.say("copy Default --to mine").ok();
    let listed = other.home.say("artifact list one --book mine").ok();
    assert!(listed.contains("a.bin"), "{listed}");
    other.say("export --format mlflow mlruns --artifacts").ok();
    assert!(other.home.work().join("mlruns").is_dir());
}

#[test]
fn what_needs_the_folder_says_so() {
    let here = Sandbox::new();
    here.say("init").ok();
    let server = Server::start(&here, 0, "");
    let far = Elsewhere::of(&server.url());
    fs::write(far.home.work().join("b.tar"), "").unwrap();
    for words in [
        "backup a.tar",
        "restore b.tar",
        "gc",
        "doctor",
        "token list",
        "serve",
        "init",
    ] {
        let said = far.say(words).failed(2);
        assert!(said.contains("needs the book's folder"), "{words}: {said}");
        assert!(said.contains("server's machine"), "{words}: {said}");
    }
}

#[test]
fn a_server_that_is_away_is_told_and_loses_nothing() {
    let here = Sandbox::new();
    here.say("init").ok();
    let mut server = Server::start(&here, 0, "");
    let far = Elsewhere::of(&server.url());
    let run = far.say("start --name long").ok().trim().to_owned();
    let mut stream = far.stream(&run);
    let mut lines = stream.stdin.take().unwrap();
    writeln!(lines, "{{\"loss\": 1}}").unwrap();
    // Seen at the server: the stream has begun, and brings what it has.
    while far.say("series long loss").code != 0 {}
    server.kill();
    for step in 0..50 {
        writeln!(lines, "{{\"later\": {step}}}").unwrap();
    }
    drop(lines);
    let done = sandbox::read(stream.wait_with_output().unwrap());
    assert_eq!(done.code, 5, "{done:?}");
    assert!(done.out.contains("51 points"), "{done:?}");
    assert!(
        done.err.contains("kept in") && done.err.contains("trialbook sync"),
        "{done:?}"
    );
    let away = far.say("list").failed(5);
    assert!(away.contains("cannot be reached"), "{away}");
    let failed = far.say("sync").failed(5);
    assert!(failed.contains("kept in"), "{failed}");
    let port = server.port;
    let server = Server::start(&here, port, "");
    let said = far.say("sync").ok();
    assert!(said.contains("brought to"), "{said}");
    let later = far.say("series long later --json").json();
    assert_eq!(later["points"], 50, "{later}");
    drop(server);
}

/// A line that is cut again and again: each connection after so many bytes of the answer or the question.
struct Cutting {
    port: u16,
    done: Arc<AtomicBool>,
}

impl Cutting {
    fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let done = Arc::<AtomicBool>::default();
        let is_done = Arc::clone(&done);
        thread::spawn(move || {
            // Deterministic: short, longer, longest, and again.
            for (at, client) in listener.incoming().enumerate() {
                if is_done.load(Ordering::Relaxed) {
                    return;
                }
                let most = [40, 700, 9_000, 1_000_000][at % 4];
                thread::spawn(move || carry(client.unwrap(), server, most));
            }
        });
        Self { port, done }
    }
}

impl Drop for Cutting {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        TcpStream::connect(("127.0.0.1", self.port)).ok();
    }
}

fn carry(client: TcpStream, server: u16, most: usize) {
    let Ok(there) = TcpStream::connect(("127.0.0.1", server)) else {
        return;
    };
    let back = (there.try_clone().unwrap(), client.try_clone().unwrap());
    let returning = thread::spawn(move || pass(back.0, back.1, most));
    pass(client, there, most);
    returning.join().unwrap();
}

fn pass(mut from: TcpStream, mut to: TcpStream, most: usize) {
    let mut left = most;
    let mut bytes = [0; 4096];
    while left > 0 {
        let wanted = left.min(bytes.len());
        match from.read(&mut bytes[..wanted]) {
            Ok(0) | Err(_) => break,
            Ok(read) => {
                if to.write_all(&bytes[..read]).is_err() {
                    break;
                }
                left -= read;
            }
        }
    }
    from.shutdown(Shutdown::Both).ok();
    to.shutdown(Shutdown::Both).ok();
}

/// Brings what waits, however often it takes.
fn sync_at_last(far: &Elsewhere) {
    for _ in 0..200 {
        if far.say("sync").code == 0 {
            return;
        }
    }
    panic!("{:?}", far.say("sync"));
}

fn values(shown: &Value) -> Vec<i64> {
    let values = shown["values"].as_array().unwrap().iter();
    let mut values: Vec<i64> = values.map(|value| value.as_f64().unwrap() as i64).collect();
    values.sort_unstable();
    values
}

#[test]
fn a_line_that_is_cut_loses_and_doubles_nothing() {
    let here = Sandbox::new();
    here.say("init").ok();
    let server = Server::start(&here, 0, "");
    let run = here.start("--name cut");
    let line = Cutting::before(server.port);
    let far = Elsewhere::of(&format!("http://127.0.0.1:{}", line.port));
    let mut brought = 0;
    for _ in 0..40 {
        // Some do not even begin: what they did not record they have refused.
        let mut stream = far.stream(&run);
        let mut lines = stream.stdin.take().unwrap();
        for value in brought..brought + 100 {
            writeln!(lines, "{{\"n\": {value}}}").ok();
        }
        drop(lines);
        let done = sandbox::read(stream.wait_with_output().unwrap());
        if done.out.contains("100 points") {
            brought += 100;
        }
        if brought >= 500 {
            break;
        }
    }
    assert!(brought >= 500, "{brought}");
    sync_at_last(&far);
    let shown = here.say("series cut n --json").json();
    assert_eq!(values(&shown), (0..brought).collect::<Vec<i64>>());
}

#[test]
fn a_server_that_is_killed_under_deliveries_has_everything_once() {
    let here = Sandbox::new();
    here.say("init").ok();
    let mut server = Server::start(&here, 0, "");
    let (url, port) = (server.url(), server.port);
    let clients: Vec<Elsewhere> = (0..4).map(|_| Elsewhere::of(&url)).collect();
    let mut streams = Vec::new();
    for (at, far) in clients.iter().enumerate() {
        let run = far.say(&format!("start --name run{at}")).ok();
        streams.push(far.stream(run.trim()));
    }
    let mut pipes: Vec<_> = streams
        .iter_mut()
        .map(|stream| stream.stdin.take().unwrap())
        .collect();
    // Who has not begun when the server is away refuses to; what is meant here is what comes behind the beginning.
    for (at, pipe) in pipes.iter_mut().enumerate() {
        writeln!(pipe, "{{\"n\": 0}}").unwrap();
        let words = format!("series run{at} n --json");
        let has_begun = (0..2000).any(|_| clients[at].say(&words).code == 0);
        assert!(has_begun, "{:?}", clients[at].say(&words));
    }
    for part in 0..6 {
        for value in (part * 500).max(1)..(part + 1) * 500 {
            for pipe in &mut pipes {
                writeln!(pipe, "{{\"n\": {value}}}").unwrap();
            }
        }
        // Each way a delivery is under way, or just begins.
        clients[0].say("sync");
        server.kill();
        server = Server::start(&here, port, "");
    }
    drop(pipes);
    for stream in streams {
        let done = sandbox::read(stream.wait_with_output().unwrap());
        assert!(done.out.contains("3,000 points"), "{done:?}");
    }
    for (at, far) in clients.iter().enumerate() {
        sync_at_last(far);
        let shown = far.say(&format!("series run{at} n --json")).json();
        assert_eq!(values(&shown), (0..3000).collect::<Vec<i64>>());
    }
}

#[test]
fn two_at_once_share_an_outbox_and_names() {
    let here = Sandbox::new();
    here.say("init").ok();
    let server = Server::start(&here, 0, "");
    let far = Elsewhere::of(&server.url());
    far.say("start --name both").ok();
    thread::scope(|scope| {
        for side in 0..2 {
            let far = &far;
            scope.spawn(move || {
                for step in 0..8 {
                    let words = format!("log metric --run both m{side}={step} --step {step}");
                    far.say(&words).ok();
                    far.say(&format!("create named --project p{step}")).ok();
                }
            });
        }
    });
    for side in 0..2 {
        let shown = here.say(&format!("series both m{side} --json")).json();
        assert_eq!(values(&shown), (0..8).collect::<Vec<i64>>());
    }
    let listed = here.say("list experiments --json").json();
    let names: Vec<&str> = listed["experiments"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["name"].as_str())
        .collect();
    let of = |name: &str| names.iter().filter(|it| **it == name).count();
    assert_eq!((of("named"), of("named-2")), (8, 8), "{names:?}");
}

#[test]
fn tokens_open_and_are_told_nowhere() {
    let here = Sandbox::new();
    here.say("init").ok();
    let token = |scope: &str| {
        let made = here
            .say(&format!("token create --scope {scope} --json"))
            .json();
        made["token"].as_str().unwrap().to_owned()
    };
    let (reader, writer) = (token("read"), token("write"));
    let server = Server::start(&here, 0, "--host 0.0.0.0");
    let far = Elsewhere::of(&server.url());
    let with = |token: &str, words: &str| {
        let mut command = far.command();
        ended(command.env("TRIALBOOK_TOKEN", token).args(words.split(' ')))
    };
    with(&writer, "start --name one").ok();
    with(&reader, "list").ok();
    let refused = with(&reader, "start --name two");
    assert_ne!(refused.code, 0, "{refused:?}");
    assert!(
        refused.err.contains("nothing may be written"),
        "{refused:?}"
    );
    let unknown = with("tb_nonsense_0123456789", "list");
    assert_ne!(unknown.code, 0);
    for ended in [&refused, &unknown] {
        assert!(
            !ended.err.contains(&reader) && !ended.err.contains("nonsense"),
            "{ended:?}"
        );
    }
    let named = format!("list --book {}", server.url().replace("://", "://me:pass@"));
    let said = far.home.say(&named).failed(2);
    assert!(
        !said.contains("me:pass") && said.contains("TRIALBOOK_TOKEN"),
        "{said}"
    );
}

#[test]
fn the_variable_of_mlflow_names_a_book_where_a_server_of_ours_answers() {
    let here = Sandbox::new();
    here.say("init").ok();
    here.start("--name seen");
    let server = Server::start(&here, 0, "");
    let far = Elsewhere::of("");
    let with = |uri: &str, words: &str| {
        let mut command = far.home.command();
        ended(
            command
                .env("MLFLOW_TRACKING_URI", uri)
                .args(words.split(' ')),
        )
    };
    let listed = with(&server.url(), "list").ok();
    assert!(listed.contains("seen"), "{listed}");
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let passed = with(&format!("http://{nobody}"), "list");
    assert_eq!(passed.code, 5, "{passed:?}");
    assert!(
        passed.err.contains("is passed over") && passed.err.contains("no book"),
        "{passed:?}"
    );
}
