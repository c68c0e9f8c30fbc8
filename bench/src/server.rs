//! The server under load: durable writes of 64 clients against an empty endpoint of the same server, what one
//! sync carries, how soon it is ready, what it takes of memory.
//!
//! The load shares the machine with the server. Not here: other servers. Invariant: every counted write was
//! answered with success.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::commands::filled;
use crate::figure::{Figure, quantile};
use crate::fill;
use crate::machine::sync_rate;

/// Connections of the load.
const CLIENTS: usize = 64;

/// How long each load lasts.
const LOAD: Duration = Duration::from_secs(5);

/// Runs of the book that is opened.
const RUNS: u64 = 100_000;

/// A server that is stopped when it is dropped.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(program: &Path, folder: &Path) -> Result<Self> {
        let mut child = Command::new(program)
            .args(["serve", "--port", "0", "--book"])
            .arg(folder.join(".trialbook"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().context("a pipe was asked for")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let port = line.trim_end().rsplit(':').next().unwrap_or_default();
        let port = port
            .parse()
            .with_context(|| format!("no port in `{line}`"))?;
        Ok(Self { child, port })
    }

    /// Resident megabytes.
    fn resident(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS"));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
        Ok(kilobytes.context("no VmRSS")?.parse::<f64>()? / 1024.0)
    }

    /// Processor time so far, in seconds.
    fn processor(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields = stat.rsplit(')').next().context("a line of fields")?;
        let ticks = fields.split_whitespace().skip(11).take(2);
        let ticks: f64 = ticks.filter_map(|field| field.parse::<f64>().ok()).sum();
        Ok(ticks / 100.0)
    }

    fn client(&self) -> Result<Client> {
        let stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_nodelay(true)?;
        Ok(Client {
            reader: BufReader::new(stream.try_clone()?),
            stream,
        })
    }

    /// A counter of `/metrics`.
    fn counter(&self, name: &str) -> Result<f64> {
        let (_, text) = self.client()?.ask("GET", "/metrics", "")?;
        let line = text
            .lines()
            .find(|line| line.split(' ').next() == Some(name));
        let value = line.and_then(|line| line.rsplit(' ').next());
        Ok(value
            .with_context(|| format!("no counter {name}"))?
            .parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        // Whoever does not end in order is ended anyway.
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).ok();
        self.child.wait().ok();
    }
}

/// A connection that is kept.
struct Client {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Client {
    fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<(u16, String)> {
        let about = if body.is_empty() {
            String::new()
        } else {
            format!(
                "content-type: application/json\r\ncontent-length: {}\r\n",
                body.len()
            )
        };
        let request = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{about}\r\n{body}");
        self.stream.write_all(request.as_bytes())?;
        let (mut status, mut length, mut line) = (0, 0, String::new());
        loop {
            line.clear();
            ensure!(self.reader.read_line(&mut line)? > 0, "the server hung up");
            let text = line.trim_end();
            if text.is_empty() {
                break;
            }
            if let Some(rest) = text.strip_prefix("HTTP/1.1 ") {
                status = rest.split(' ').next().unwrap_or_default().parse()?;
            } else if let Some((name, value)) = text.split_once(": ")
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.parse()?;
            }
        }
        let mut answer = vec![0; length];
        self.reader.read_exact(&mut answer)?;
        Ok((status, String::from_utf8(answer)?))
    }
}

/// What a load came to.
struct Load {
    rate: f64,
    /// Milliseconds of requests.
    times: Vec<f64>,
    requests: u64,
}

/// Has every client ask again and again; `body` makes the body of a client's request by its number.
fn load(
    server: &Server,
    (method, path): (&str, &str),
    body: impl Fn(usize, u64) -> String + Sync,
) -> Result<Load> {
    let stop = AtomicBool::new(false);
    let done = AtomicU64::new(0);
    let begun = Instant::now();
    let times = thread::scope(|scope| -> Result<Vec<f64>> {
        let workers: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (stop, done, body) = (&stop, &done, &body);
                scope.spawn(move || -> Result<Vec<f64>> {
                    let mut connection = server.client()?;
                    let mut times = Vec::new();
                    for at in 0.. {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        let body = body(client, at);
                        let asked = Instant::now();
                        let (status, answer) = connection.ask(method, path, &body)?;
                        times.push(asked.elapsed().as_secs_f64() * 1e3);
                        ensure!(status == 200, "{status}: {answer}");
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(times)
                })
            })
            .collect();
        thread::sleep(LOAD);
        stop.store(true, Ordering::Relaxed);
        let mut times = Vec::new();
        for worker in workers {
            times.extend(worker.join().expect("a client does not panic")?);
        }
        Ok(times)
    })?;
    let requests = done.load(Ordering::Relaxed);
    Ok(Load {
        rate: requests as f64 / begun.elapsed().as_secs_f64(),
        times,
        requests,
    })
}

/// The figures.
pub(crate) fn run(program: &Path, folder: &Path) -> Result<Vec<Figure>> {
    let mut figures = ready(program, &folder.join("ready"))?;
    let folder = folder.join("load");
    std::fs::create_dir_all(&folder)?;
    let syncs = sync_rate(&folder, 1)?;
    fill::book(&folder)?;
    let server = Server::start(program, &folder)?;
    figures.push(Figure::lower("server", "resident, idle", server.resident()?, "MB").target(40.0));
    let empty = load(&server, ("GET", "/health"), |_, _| String::new())?;
    let run = json!({ "experiment_id": "0" }).to_string();
    let mut client = server.client()?;
    let (_, answer) = client.ask("POST", "/api/2.0/mlflow/runs/create", &run)?;
    let answer: serde_json::Value = serde_json::from_str(&answer)?;
    let run = answer["run"]["info"]["run_id"]
        .as_str()
        .context("a run's id")?
        .to_owned();
    let metric = |client: usize, at: u64| {
        let time = 1_700_000_000_000 + at;
        format!(
            "{{\"run_id\":\"{run}\",\"key\":\"k{client}\",\"value\":{at}.5,\"timestamp\":{time},\"step\":{at}}}"
        )
    };
    let before = [
        server.counter("trialbook_syncs_total")?,
        server.processor()?,
    ];
    let path = "/api/2.0/mlflow/runs/log-metric";
    let mut logged = load(&server, ("POST", path), metric)?;
    let after = [
        server.counter("trialbook_syncs_total")?,
        server.processor()?,
    ];
    let each = logged.requests as f64 / (after[0] - before[0]).max(1.0);
    let rate = logged.rate;
    let target = (0.35 * empty.rate).min(0.7 * 64.0 * syncs);
    figures.push(Figure::higher(
        "server",
        "empty endpoint, 64 clients",
        empty.rate,
        "1/s",
    ));
    figures.push(
        Figure::higher("server", "log-metric, 64 clients", rate, "1/s")
            .target(target)
            .limit("fdatasync, 1 file", syncs),
    );
    figures.push(Figure::higher("server", "log-metric, requests a sync", each, "").target(1.0));
    let cpu = (after[1] - before[1]) * 1e3 / logged.requests as f64;
    figures.push(Figure::lower("server", "processor a log-metric", cpu, "ms").target(0.06));
    let [p50, p99] = [0.5, 0.99].map(|part| quantile(&mut logged.times, part));
    figures.push(
        Figure::lower("server", "log-metric, p99 of 64 clients", p99, "ms").target(p50 * 10.0),
    );
    figures.extend(reading(&server, &run)?);
    Ok(figures)
}

/// Reading a run again and again, and what memory all of it took.
fn reading(server: &Server, run: &str) -> Result<Vec<Figure>> {
    let get = format!("/api/2.0/mlflow/runs/get?run_id={run}");
    let before = server.processor()?;
    let got = load(server, ("GET", &get), |_, _| String::new())?;
    let cpu = (server.processor()? - before) * 1e3 / got.requests as f64;
    let resident = server.resident()?;
    Ok(vec![
        Figure::lower("server", "processor a runs/get of 64 metrics", cpu, "ms").target(0.1),
        Figure::lower("server", "resident after the load", resident, "MB").target(150.0),
    ])
}

/// From the start of the process to the first answer, on a large book.
fn ready(program: &Path, folder: &Path) -> Result<Vec<Figure>> {
    std::fs::create_dir_all(folder)?;
    filled(folder, RUNS, 10)?;
    let mut times = Vec::new();
    let mut resident = 0.0;
    for _ in 0..11 {
        let begun = Instant::now();
        let server = Server::start(program, folder)?;
        let (status, _) = server.client()?.ask("GET", "/health", "")?;
        ensure!(status == 200, "{status}");
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        resident = server.resident()?;
    }
    Ok(vec![
        Figure::lower(
            "server",
            "start to healthy, 10⁵ runs",
            quantile(&mut times, 0.5),
            "ms",
        )
        .target(100.0),
        Figure::lower("server", "resident, idle, 10⁵ runs", resident, "MB"),
    ])
}
