use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use trialbook_model::id::Uid;
use trialbook_model::record::LogStream;
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;

use super::*;

struct Counter(AtomicI64);

impl Clock for Counter {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[derive(Default)]
struct Heard(Mutex<Vec<Op>>);

impl Sink for Heard {
    fn record(&self, op: Op) -> Result<(), RecordError> {
        self.0.lock().unwrap().push(op);
        Ok(())
    }
}

/// A folder, a sink and a stop for one run of a shell script.
struct Bench {
    folder: tempfile::TempDir,
    heard: Heard,
    stop: Stop,
    limits: Limits,
    capture: Capture,
    secrets: KnownSecrets,
}

impl Bench {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            heard: Heard::default(),
            stop: Stop::new().unwrap(),
            limits: Limits {
                timeout: Some(Duration::from_secs(120)),
                grace: Duration::from_secs(120),
            },
            capture: Capture {
                console: true,
                resources: None,
            },
            secrets: KnownSecrets::default(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn task(&self, argv: &[&str]) -> Task {
        Task {
            run: RunUid(Uid([9; 16])),
            program: Program {
                argv: argv.iter().map(|word| (*word).to_owned()).collect(),
                directory: self.folder.path().to_owned(),
                variables: vec![("GREETING".into(), "hello".into())],
                removed: vec!["HOME".into()],
            },
            files: Files {
                metrics: self.path("metrics.jsonl"),
                result: self.path("result.json"),
                exit: Some(self.path("exit.json")),
                cancel: Some(self.path("cancel")),
            },
            limits: self.limits,
            capture: self.capture,
            secrets: self.secrets.clone(),
        }
    }

    fn execute(&self, argv: &[&str]) -> Ended {
        let tools = Tools {
            sink: &self.heard,
            clock: &Counter(AtomicI64::new(1)),
            stop: &self.stop,
            guard: &Guard::none(),
            begun: &Begun::new(),
        };
        let ended = execute(&self.task(argv), tools).unwrap();
        let record = ExitRecord::read(&self.path("exit.json")).unwrap().unwrap();
        assert_eq!((record.status, &record.error), (ended.status, &ended.error));
        let last = self.heard.0.lock().unwrap().last().cloned();
        let Some(Op::SetStatus(last)) = last else {
            panic!("the last word is not the final state: {last:?}")
        };
        assert_eq!((last.status, &last.error), (ended.status, &ended.error));
        assert!(last.status.is_final() && last.ended.is_some() && last.started.is_some());
        ended
    }

    fn sh(&self, script: &str) -> Ended {
        self.execute(&["sh", "-c", script])
    }

    fn text(&self, stream: LogStream) -> String {
        self.logs()
            .into_iter()
            .filter(|log| log.0 == stream)
            .map(|log| log.1)
            .collect()
    }

    fn logs(&self) -> Vec<(LogStream, String)> {
        let heard = self.heard.0.lock().unwrap();
        heard
            .iter()
            .filter_map(|op| {
                if let Op::Log(log) = op {
                    Some((log.stream, log.text.clone()))
                } else {
                    None
                }
            })
            .collect()
    }

    /// Requests a stop as soon as a file is there.
    fn stop_when(&self, file: &str, times: usize) {
        wait_for(|| self.path(file).exists());
        for _ in 0..times {
            self.stop.request();
        }
    }
}

fn wait_for(mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !happened() {
        assert!(Instant::now() < deadline, "waited in vain");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process runs; one that only waits to be reaped does not.
fn runs(pid: &str) -> bool {
    std::fs::read_to_string(Path::new("/proc").join(pid.trim()).join("stat")).is_ok_and(|stat| {
        stat.rsplit_once(')')
            .is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
    })
}

fn kind(ended: &Ended) -> &str {
    ended.error.as_ref().map_or("", |error| error.kind.as_str())
}

fn message(ended: &Ended) -> &str {
    ended
        .error
        .as_ref()
        .map_or("", |error| error.message.as_str())
}

fn metric(ended: &Ended, name: &str) -> Option<f64> {
    let found = ended.metrics.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| *value)
}

#[test]
fn a_program_speaks_in_all_three_ways() {
    let bench = Bench::new();
    let ended = bench.sh(r#"
        echo "$GREETING ${HOME-gone}"
        echo 'a=1 b=2'
        printf 'step=3 a=7'
        echo '{"metric": "c", "value": NaN}' >> metrics.jsonl
        printf '{"metric": "d", "value": 4}' >> metrics.jsonl
        echo '{"metrics": {"e": 5}}' > result.json
    "#);
    assert_eq!(ended.status, RunStatus::Completed);
    assert_eq!(ended.exit_code(), Some(0));
    for (name, value) in [("a", 7.0), ("b", 2.0), ("d", 4.0), ("e", 5.0)] {
        assert_eq!(metric(&ended, name), Some(value), "{name}");
    }
    assert!(metric(&ended, "c").unwrap().is_nan());
    assert_eq!(
        bench.text(LogStream::Stdout),
        "hello gone\na=1 b=2\nstep=3 a=7"
    );
}

#[test]
fn what_follows_a_very_long_line_of_the_metrics_file_is_heard() {
    let bench = Bench::new();
    let ended = bench.sh(
        "{ printf '{\"pad\": \"'; head -c 9000000 /dev/zero | tr '\\0' x; \
         printf '\"}\\n{\"after\": 7}\\n'; } > metrics.jsonl",
    );
    assert_eq!(metric(&ended, "after"), Some(7.0));
}

#[test]
fn a_metrics_file_that_cannot_be_read_is_told_once() {
    let bench = Bench::new();
    // Long enough for several looks, and one more at the end.
    let ended = bench.sh("mkdir metrics.jsonl; sleep 0.8");
    assert_eq!(ended.status, RunStatus::Completed);
    assert_eq!(ended.not_understood, 1);
}

#[test]
fn a_writer_that_left_the_group_does_not_hold_the_run() {
    let bench = Bench::new();
    let writer = "echo $$ > inner; while :; do echo '{\"a\": 1}'; done >> metrics.jsonl";
    std::fs::write(bench.path("writer"), writer).unwrap();
    let ended = bench.sh(
        "setsid sh writer > /dev/null 2>&1 & while ! [ -s metrics.jsonl ]; do sleep 0.01; done",
    );
    let inner = std::fs::read_to_string(bench.path("inner")).unwrap();
    let pid = inner.trim().parse().ok();
    let pid = pid.and_then(rustix::process::Pid::from_raw).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    assert_eq!(metric(&ended, "a"), Some(1.0));
}

#[test]
fn an_error_of_a_result_file_holds_no_secret() {
    let bench = Bench::new();
    let ended = bench.sh(
        "echo '{\"error\": {\"kind\": \"Denied\", \"message\": \"no https://me:hunter2pw@db.example/x\"}}' \
         > result.json; exit 1",
    );
    assert_eq!(kind(&ended), "Denied");
    assert!(
        !message(&ended).contains("hunter2pw"),
        "{}",
        message(&ended)
    );
    assert!(message(&ended).contains("db.example"));
}

#[test]
fn secrets_that_the_program_repeats_are_recorded_nowhere() {
    let mut bench = Bench::new();
    bench.secrets.add("api_key", "abc123");
    bench.secrets.add("DB_PASSWORD", "correct horse");
    let ended = bench.sh(
        "printf 'k abc'; echo mid >&2; sleep 0.3; echo 123 and abc123=4; printf 'a correct'; sleep 0.3; echo ' horse'; \
         echo '{\"type\": \"e\", \"text\": \"u abc123\", \"abc123\": 1}' >> metrics.jsonl; \
         echo 'not json correct horse' >> metrics.jsonl; \
         echo 'ValueError: correct horse' >&2; exit 3",
    );
    assert_eq!(message(&ended), "ValueError: [redacted]");
    assert_eq!(
        bench.text(LogStream::Stdout),
        "k [redacted] and [redacted]=4\na [redacted]\n"
    );
    let heard = format!("{:?}", bench.heard.0.lock().unwrap());
    assert!(heard.contains("u [redacted]"), "{heard}");
    assert!(
        !heard.contains("abc123") && !heard.contains("correct horse"),
        "{heard}"
    );
}

#[test]
fn failures_say_why() {
    let bench = Bench::new();
    let ended = bench.sh("echo first >&2; echo 'ValueError: no data' >&2; echo >&2; exit 3");
    assert_eq!(
        (kind(&ended), message(&ended)),
        ("exit(3)", "ValueError: no data")
    );
    assert_eq!(ended.exit_code(), Some(3));
    let ended = bench.sh("kill -SEGV $$");
    assert_eq!(kind(&ended), "signal(11)");
    let ended = bench.sh("echo '{\"error\": \"nothing to do\"}' > result.json");
    assert_eq!((kind(&ended), message(&ended)), ("error", "nothing to do"));
}

#[test]
fn what_cannot_be_started_says_so() {
    let bench = Bench::new();
    let ended = bench.execute(&["no-such-program-anywhere", "x"]);
    assert_eq!((ended.status, kind(&ended)), (RunStatus::Failed, "spawn"));
    // The PATH itself is long and somebody's own.
    assert_eq!(
        message(&ended),
        "command `no-such-program-anywhere` was not found on the PATH"
    );
    std::fs::write(bench.path("script"), "#!/no/such/interpreter\n").unwrap();
    let ended = bench.execute(&["./script"]);
    assert_eq!(message(&ended), "`./script` may not be executed");
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(bench.path("script"), executable).unwrap();
    let ended = bench.execute(&["./script"]);
    assert!(
        message(&ended).contains("interpreter"),
        "{}",
        message(&ended)
    );
    let ended = bench.execute(&["./nothing"]);
    assert!(
        message(&ended).contains("does not exist in"),
        "{}",
        message(&ended)
    );
    let long = "x".repeat(3_000_000);
    let ended = bench.execute(&["true", &long]);
    assert!(
        message(&ended).contains("longer than"),
        "{}",
        message(&ended)
    );
}

#[test]
fn output_is_kept_whole_and_in_order() {
    let bench = Bench::new();
    let script = "i=0; while [ $i -lt 50 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done";
    bench.sh(script);
    let expected = |word: &str| {
        let lines: Vec<String> = (0..50).map(|i| format!("{word} {i}\n")).collect();
        lines.concat()
    };
    assert_eq!(bench.text(LogStream::Stdout), expected("out"));
    assert_eq!(bench.text(LogStream::Stderr), expected("err"));
}

#[test]
fn a_hundred_megabytes_without_a_line_end_pass_through() {
    /// Counts instead of keeping.
    #[derive(Default)]
    struct Counting(Mutex<(usize, usize)>);
    impl Sink for Counting {
        fn record(&self, op: Op) -> Result<(), RecordError> {
            if let Op::Log(log) = op {
                let mut seen = self.0.lock().unwrap();
                seen.0 += log.text.len();
                seen.1 = seen.1.max(log.text.len());
            }
            Ok(())
        }
    }
    let bench = Bench::new();
    let counting = Counting::default();
    let tools = Tools {
        sink: &counting,
        clock: &Counter(AtomicI64::new(1)),
        stop: &bench.stop,
        guard: &Guard::none(),
        begun: &Begun::new(),
    };
    let task = bench.task(&["sh", "-c", "head -c 100000000 /dev/zero | tr '\\0' x"]);
    let ended = execute(&task, tools).unwrap();
    assert_eq!(ended.status, RunStatus::Completed);
    let (bytes, longest) = *counting.0.lock().unwrap();
    assert_eq!(bytes, 100_000_000);
    assert!(longest <= 128 * 1024, "{longest}");
}

#[test]
fn bytes_that_are_no_text_are_replaced() {
    let bench = Bench::new();
    bench.sh(r"printf 'a\377\303\251\n'");
    assert_eq!(bench.text(LogStream::Stdout), "a\u{fffd}\u{e9}\n");
}

#[test]
fn closed_output_is_not_the_end() {
    let bench = Bench::new();
    let ended =
        bench.sh("exec >&- 2>&-; echo '{\"a\": 1}' > late.json; mv late.json result.json; exit 4");
    assert_eq!(kind(&ended), "exit(4)");
    assert_eq!(metric(&ended, "a"), Some(1.0));
}

#[test]
fn a_timeout_ends_the_whole_group() {
    let mut bench = Bench::new();
    bench.limits.timeout = Some(Duration::from_secs(2));
    bench.limits.grace = Duration::from_millis(200);
    // Neither the shell nor what it started heeds SIGTERM.
    let ended = bench.sh(
        "trap '' TERM; sh -c 'trap \"\" TERM; echo $$ > inner; while :; do sleep 1; done' & \
         while :; do sleep 1; done",
    );
    assert_eq!((ended.status, kind(&ended)), (RunStatus::Failed, "timeout"));
    assert_eq!(message(&ended), "did not end within 2s");
    let inner = std::fs::read_to_string(bench.path("inner")).unwrap();
    wait_for(|| !runs(&inner));
}

#[test]
fn a_program_may_end_well_when_asked_to() {
    let mut bench = Bench::new();
    bench.limits.timeout = Some(Duration::from_secs(2));
    let ended = bench.sh("trap 'echo saved=1; exit 0' TERM; while :; do sleep 0.05; done");
    assert_eq!(kind(&ended), "timeout");
    assert_eq!(metric(&ended, "saved"), Some(1.0));
}

#[test]
fn output_held_open_by_others_does_not_hold_the_run() {
    let bench = Bench::new();
    let ended = bench.sh("sleep 1000 & echo $! > inner; echo done=1");
    assert_eq!(ended.status, RunStatus::Completed);
    assert_eq!(metric(&ended, "done"), Some(1.0));
    let inner = std::fs::read_to_string(bench.path("inner")).unwrap();
    wait_for(|| !runs(&inner));
}

#[test]
fn a_process_that_left_the_group_does_not_hold_the_run() {
    let bench = Bench::new();
    let ended = bench.sh("setsid sh -c 'echo $$ > inner; exec sleep 1000' & while ! [ -s inner ]; do sleep 0.01; done");
    assert_eq!(ended.status, RunStatus::Completed);
    let inner = std::fs::read_to_string(bench.path("inner")).unwrap();
    assert!(runs(&inner), "it is none of the group's");
    let pid = inner
        .trim()
        .parse()
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(pid.unwrap(), rustix::process::Signal::KILL).unwrap();
}

#[test]
fn a_stop_cancels_what_runs() {
    let bench = Bench::new();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| bench.sh("echo > up; while :; do sleep 0.05; done"));
        bench.stop_when("up", 1);
        let ended = run.join().unwrap();
        assert_eq!(
            (ended.status, kind(&ended)),
            (RunStatus::Cancelled, "interrupted")
        );
    });
}

#[test]
fn a_second_stop_kills_what_does_not_heed_the_first() {
    let bench = Bench::new();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| bench.sh("trap '' TERM; echo > up; while :; do sleep 0.05; done"));
        bench.stop_when("up", 2);
        let ended = run.join().unwrap();
        assert_eq!(ended.status, RunStatus::Cancelled);
        assert!(matches!(ended.ending, Ending::Stopped(Exit::Signal(9))));
    });
}

#[test]
fn a_stopped_process_is_woken_to_end() {
    let bench = Bench::new();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| bench.sh("echo $$ > up; kill -STOP $$; sleep 1000"));
        wait_for(|| bench.path("up").exists());
        bench.stop.request();
        assert_eq!(run.join().unwrap().status, RunStatus::Cancelled);
    });
}

#[test]
fn a_recorder_that_refuses_ends_the_run() {
    struct Full(Mutex<u32>);
    impl Sink for Full {
        fn record(&self, op: Op) -> Result<(), RecordError> {
            *self.0.lock().unwrap() += 1;
            if matches!(op, Op::Log(_)) {
                let source = std::io::Error::other("no space").into();
                return Err(RecordError { source });
            }
            Ok(())
        }
    }
    let bench = Bench::new();
    let tools = Tools {
        sink: &Full(Mutex::new(0)),
        clock: &Counter(AtomicI64::new(1)),
        stop: &bench.stop,
        guard: &Guard::none(),
        begun: &Begun::new(),
    };
    let task = bench.task(&["sh", "-c", "echo $$ > inner; echo text; sleep 1000"]);
    assert!(matches!(
        execute(&task, tools),
        Err(WrapperError::Record(_))
    ));
    let inner = std::fs::read_to_string(bench.path("inner")).unwrap();
    wait_for(|| !runs(&inner));
}

#[test]
fn a_request_ends_the_run_and_says_who_asked() {
    let bench = Bench::new();
    let script = "trap 'exit 4' TERM; echo up; echo me@here > cancel; while :; do sleep 0.02; done";
    let ended = bench.sh(script);
    assert_eq!(ended.status, RunStatus::Cancelled);
    assert_eq!(ended.exit_code(), Some(4));
    let error = ended.error.unwrap();
    assert_eq!(
        (error.kind.as_str(), error.message.as_str()),
        ("cancelled", "cancelled by me@here")
    );
}

#[test]
fn a_request_that_is_not_heeded_is_followed_by_the_kill() {
    let mut bench = Bench::new();
    bench.limits.grace = Duration::from_millis(50);
    let script = "trap '' TERM; echo me > cancel; while :; do sleep 0.02; done";
    let ended = bench.sh(script);
    assert_eq!(
        (ended.status, ended.exit_code()),
        (RunStatus::Cancelled, None)
    );
}

#[test]
fn output_is_passed_over_where_it_is_not_wanted() {
    let mut bench = Bench::new();
    bench.capture.console = false;
    let ended = bench.sh("echo a=1; echo text; echo last >&2; exit 2");
    assert_eq!(ended.metrics, [("a".to_owned(), 1.0)]);
    assert_eq!(ended.error.unwrap().message, "last");
    assert!(bench.logs().is_empty());
}

/// The points told under a name, in order.
fn points_of(bench: &Bench, name: &str) -> Vec<f64> {
    let heard = bench.heard.0.lock().unwrap();
    let points = heard.iter().filter_map(|op| {
        if let Op::Points(points) = op {
            Some(&points.values)
        } else {
            None
        }
    });
    let of_it = points.flatten().filter(|(key, _)| key.key == name);
    of_it.map(|(_, value)| *value).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn what_grandchildren_use_is_sampled_and_summed_up() {
    use trialbook_model::system;

    let mut bench = Bench::new();
    bench.capture.resources = Some(Duration::from_millis(20));
    // The busy one is a grandchild.
    let busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
    std::fs::write(bench.path("busy"), busy).unwrap();
    std::fs::write(bench.path("middle"), "sh busy & wait").unwrap();
    let ended = bench.sh("sh middle & wait");
    assert_eq!(ended.status, RunStatus::Completed);
    let percents = points_of(&bench, system::CPU_PERCENT);
    assert!(
        percents.iter().any(|percent| *percent > 0.0),
        "{percents:?}"
    );
    let processes = points_of(&bench, system::PROCESSES);
    assert!(
        processes.iter().any(|number| *number >= 3.0),
        "{processes:?}"
    );
    let memory = points_of(&bench, system::MEMORY_BYTES);
    let peak = memory.iter().copied().fold(0.0, f64::max);
    assert_eq!(points_of(&bench, system::PEAK_MEMORY_BYTES), [peak]);
    let total = points_of(&bench, system::CPU_SECONDS);
    assert!(total.len() == 1 && total[0] > 0.0, "{total:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_short_run_has_totals_and_no_samples() {
    use trialbook_model::system;

    let mut bench = Bench::new();
    bench.capture.resources = Some(super::SAMPLE_EVERY);
    bench.sh("true");
    assert_eq!(points_of(&bench, system::CPU_SECONDS).len(), 1);
    assert!(points_of(&bench, system::MEMORY_BYTES).is_empty());
    assert!(points_of(&bench, system::PEAK_MEMORY_BYTES).is_empty());
}
