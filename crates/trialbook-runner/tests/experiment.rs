//! Experiments executed by the library as a whole: a real book, real processes, no binary.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it has to be"
)]

use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use trialbook_model::capture::Parts;
use trialbook_model::config;
use trialbook_model::id::Entropy;
use trialbook_model::plan::{Choice, Mode};
use trialbook_model::record::{LinkKind, Op, RunError, SetStatus};
use trialbook_model::status::RunStatus;
use trialbook_model::time::{Clock, Timestamp};
use trialbook_runner::begun::Begun;
use trialbook_runner::engine::{Engine, Progress, Totals};
use trialbook_runner::guard::Guard;
use trialbook_runner::known::KnownSecrets;
use trialbook_runner::leading::Leading;
use trialbook_runner::ledger::{Job, Ledger};
use trialbook_runner::outline::{Ground, Outline, OutlineError, Outside, Wish};
use trialbook_runner::preparation::Preparation;
use trialbook_runner::recording::SharedRecorder;
use trialbook_runner::shim;
use trialbook_runner::snapshot::Snapshot;
use trialbook_runner::standing::{Elsewhere, Standing};
use trialbook_runner::stop::Stop;
use trialbook_runner::wrapper::{Capture, Ended, Sink as _, Tools};
use trialbook_store::nouns::RunRow;
use trialbook_store::query::{Query, Shown};
use trialbook_store::reading::Reading as _;
use trialbook_store::{Access, Book, RecorderOptions};

struct Ticks(AtomicI64);

impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// Distinct bytes, for all tests of this process.
struct Counted;

impl Entropy for Counted {
    fn fill(&mut self, bytes: &mut [u8]) {
        static NEXT: AtomicI64 = AtomicI64::new(1);
        let number = NEXT.fetch_add(1, Ordering::SeqCst).to_le_bytes();
        for (slot, byte) in bytes.iter_mut().zip(number.iter().cycle()) {
            *slot = *byte;
        }
    }
}

/// Requests a stop after so many runs have ended.
struct StopAfter<'a> {
    left: AtomicU8,
    stop: &'a Stop,
    seen: Mutex<Vec<String>>,
}

impl Progress for StopAfter<'_> {
    fn started(&self, _job: &Job) {}

    fn ended(&self, job: &Job, ended: &Ended) {
        let line = format!("{} {}", job.number, ended.status);
        self.seen.lock().unwrap().push(line);
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.stop.request();
        }
    }
}

struct Laboratory {
    folder: tempfile::TempDir,
    clock: Arc<Ticks>,
}

impl Laboratory {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Book::create(&folder.path().join("book")).unwrap();
        Self {
            folder,
            clock: Arc::new(Ticks(AtomicI64::new(1_700_000_000_000_000))),
        }
    }

    fn book(&self) -> Book {
        Book::open(&self.folder.path().join("book"), Access::Write).unwrap()
    }

    fn recorder(&self) -> SharedRecorder {
        let options = RecorderOptions::new("test", self.clock.clone());
        SharedRecorder::new(self.book().recorder(options).unwrap())
    }

    fn standing(&self) -> Standing {
        let book = self.book();
        Standing::read(&book.view().unwrap(), "default", "exp").unwrap()
    }

    fn preparation(&self, text: &str) -> Preparation {
        Preparation {
            config: config::parse(text, "c.yaml").unwrap().config,
            folder: self.folder.path().to_owned(),
            book: self.folder.path().join("book"),
            named: self.folder.path().join("book"),
            shim: Some(shim::install(&self.folder.path().join("book/work")).unwrap()),
            python: "python3".to_owned(),
            timeout: Some(Duration::from_secs(120)),
            known: KnownSecrets::default(),
            grace: Duration::from_secs(10),
            capture: Capture::of(&Parts::all()),
            leading: Leading::default(),
            sample: None,
        }
    }

    fn outline(&self, text: &str, wish: &Wish) -> Result<Outline, OutlineError> {
        let config = config::parse(text, "c.yaml").unwrap().config;
        let standing = self.standing();
        Ground {
            config: &config,
            recorded: &config,
            standing: &standing,
            elsewhere: Elsewhere::Nobody,
            drawn_seed: 4711,
            known: &KnownSecrets::default(),
        }
        .outline(wish)
    }

    /// One `run` of a config that is stopped after some runs.
    fn run_until(&self, text: &str, wish: &Wish, runs: u8) -> Totals {
        let outline = self.outline(text, wish).unwrap();
        let preparation = self.preparation(text);
        let recorder = self.recorder();
        let jobs = Ledger {
            sink: &recorder,
            clock: self.clock.as_ref(),
            entropy: &mut Counted,
            preparation: &preparation,
            standing: &self.standing(),
            beside: None,
        }
        .write(&outline)
        .unwrap();
        let stop = Stop::new().unwrap();
        let progress = StopAfter {
            left: AtomicU8::new(runs),
            stop: &stop,
            seen: Mutex::default(),
        };
        let snapshots = [Snapshot::new(
            "environment",
            serde_json::json!({"host": "h"}),
        )];
        let totals = Engine {
            workers: 2,
            tools: Tools {
                sink: &recorder,
                clock: self.clock.as_ref(),
                stop: &stop,
                guard: &Guard::none(),
                begun: &Begun::new(),
            },
            preparation: &preparation,
            snapshots: &snapshots,
            progress: &progress,
        }
        .execute(&jobs)
        .unwrap();
        recorder.finish().unwrap();
        assert_eq!(
            progress.seen.lock().unwrap().len() + totals.left,
            jobs.len()
        );
        totals
    }

    fn run(&self, text: &str, wish: &Wish) -> Totals {
        self.run_until(text, wish, u8::MAX)
    }

    fn rows(&self, shown: Shown) -> Vec<RunRow> {
        let book = self.book();
        let view = book.view().unwrap();
        let query = Query {
            shown,
            ..Query::all()
        };
        let mut rows = view.runs(&view.search(&query).unwrap().runs).unwrap();
        rows.sort_by_key(|row| row.number);
        rows
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

fn config_text(trials: u32, command: &str) -> String {
    format!(
        "experiment: {{name: exp, id: EXP-7, description: words, tags: [t]}}\n\
         task: {{command: {command}}}\n\
         variations: [{{name: a, n: 1}}, {{name: b, n: 2}}]\n\
         metrics: [{{name: m, unit: ms, goal: min}}]\n\
         trials: {trials}\n"
    )
}

const ECHO: &str = "[sh, -c, 'echo m={n}']";

fn plain() -> Wish {
    Wish::default()
}

fn mode(mode: Mode) -> Wish {
    Wish {
        choice: Choice {
            mode,
            ..Choice::default()
        },
        ..Wish::default()
    }
}

fn statuses(rows: &[RunRow]) -> Vec<RunStatus> {
    rows.iter().map(|row| row.state.status()).collect()
}

#[test]
fn an_experiment_is_recorded_whole() {
    let lab = Laboratory::new();
    let totals = lab.run(&config_text(2, ECHO), &plain());
    assert_eq!((totals.completed, totals.failed, totals.left), (4, 0, 0));
    let rows = lab.rows(Shown::Active);
    let numbers: Vec<_> = rows.iter().map(|row| row.number).collect();
    assert_eq!(numbers, [Some(1), Some(2), Some(3), Some(4)]);
    let start = rows[2].state.start().unwrap();
    assert_eq!(start.variation.as_deref(), Some("b"));
    assert_eq!((start.trial, start.attempt), (Some(1), Some(1)));
    assert_eq!(start.command, ["sh", "-c", "echo m=2"]);
    assert!(start.seed.is_some() && start.run_key.is_some());
    assert_eq!(rows[2].state.params["n"].param().text, "2");
    assert_eq!(rows[2].state.exit_code(), Some(0));
    assert!(rows[2].state.ended() > rows[2].state.started());
    assert!(
        rows.iter()
            .all(|row| row.state.snapshots.contains_key("environment"))
    );
    let standing = lab.standing();
    assert_eq!(standing.base_seed, Some(4711));
    assert_eq!(
        standing.document,
        Some(lab.preparation(&config_text(2, ECHO)).config.document())
    );
    // Nothing was left in the runs' folders, so the folders are gone.
    let left = std::fs::read_dir(lab.folder.path().join("book/work")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["trialbook_task.py"]);
}

#[test]
fn a_second_run_does_only_what_is_missing() {
    let lab = Laboratory::new();
    let text = config_text(5, ECHO);
    let first = lab.run_until(&text, &plain(), 3);
    assert!(first.completed >= 3 && first.left >= 1, "{first:?}");
    let before = statuses(&lab.rows(Shown::Active));
    assert!(before.iter().all(|it| *it == RunStatus::Completed
        || *it == RunStatus::Queued
        || *it == RunStatus::Cancelled));
    let second = lab.run(&text, &plain());
    assert_eq!(second.completed, 10 - first.completed);
    let third = lab.run(&text, &plain());
    assert_eq!(third, Totals::default());
    assert_eq!(lab.run(&config_text(6, ECHO), &plain()).completed, 2);
    assert_eq!(
        lab.run(&config_text(6, ECHO), &mode(Mode::Rerun)).completed,
        12
    );
    let again = lab.outline(&config_text(6, ECHO), &plain()).unwrap();
    assert_eq!(again.decisions.tally().done, 12);
}

#[test]
fn failed_runs_are_tried_again_only_when_asked() {
    let lab = Laboratory::new();
    let text = config_text(1, "[sh, -c, 'test {n} = 2 -o -e fixed']");
    let first = lab.run(&text, &plain());
    assert_eq!((first.completed, first.failed), (1, 1));
    assert_eq!(lab.run(&text, &plain()), Totals::default());
    lab.write("fixed", "");
    assert_eq!(lab.run(&text, &mode(Mode::RetryFailed)).completed, 1);
    let rows = lab.rows(Shown::Active);
    let retried = rows[2].state.start().unwrap();
    assert_eq!(retried.attempt, Some(2));
    assert_eq!(retried.links, [(LinkKind::RetryOf, rows[0].uid)]);
    assert_eq!(retried.run_key, rows[0].state.start().unwrap().run_key);
    assert_eq!(rows[0].state.error().unwrap().kind, "exit(1)");
}

#[test]
fn a_run_that_lost_its_process_is_closed_and_tried_again() {
    let lab = Laboratory::new();
    let text = config_text(1, ECHO);
    lab.run(&text, &plain());
    let victim = lab.rows(Shown::Active)[1].uid;
    let recorder = lab.recorder();
    let running = SetStatus {
        run: victim,
        status: RunStatus::Running,
        started: None,
        ended: None,
        error: None,
        exit_code: None,
    };
    recorder.record(Op::SetStatus(running)).unwrap();
    recorder.finish().unwrap();
    let outline = lab.outline(&text, &plain()).unwrap();
    assert_eq!(outline.cut_off.len(), 1);
    assert_eq!(lab.run(&text, &plain()).completed, 1);
    let rows = lab.rows(Shown::Active);
    let expected = [
        RunStatus::Completed,
        RunStatus::Failed,
        RunStatus::Completed,
    ];
    assert_eq!(statuses(&rows), expected);
    let error = rows[1].state.error().unwrap();
    assert_eq!(error.kind, "interrupted");
    assert_eq!(rows[2].state.start().unwrap().attempt, Some(2));
    assert_eq!(lab.run(&text, &plain()), Totals::default());
}

#[test]
fn a_lost_run_that_the_changed_config_leaves_out_stays_a_lost_one() {
    let lab = Laboratory::new();
    let old = config_text(1, ECHO);
    lab.run_until(&old, &plain(), 0);
    let victim = lab.rows(Shown::Active)[1].uid;
    let recorder = lab.recorder();
    let status = |status| SetStatus {
        run: victim,
        status,
        started: None,
        ended: None,
        error: None,
        exit_code: None,
    };
    recorder
        .record(Op::SetStatus(status(RunStatus::Running)))
        .unwrap();
    recorder.finish().unwrap();
    let new = old.replace("n: 2", "n: 3");
    let outline = lab.outline(&new, &plain()).unwrap();
    assert_eq!((outline.cut_off.len(), outline.retried()), (1, 0));
    assert_eq!(outline.leaving.len(), 1);
    lab.run(&new, &plain());
    let rows = lab.rows(Shown::WithArchived);
    let lost = rows.iter().find(|row| row.uid == victim).unwrap();
    assert_eq!(lost.state.status(), RunStatus::Failed);
    assert_eq!(lost.state.error().unwrap().kind, "interrupted");
}

#[test]
fn a_runs_folder_goes_with_what_was_recorded_and_stays_with_anything_else() {
    let lab = Laboratory::new();
    lab.write(
        "task.sh",
        "echo '{\"m\": 1}' > \"$TRIALBOOK_METRICS_FILE\"\n\
         echo '{\"r\": 1}' > \"$TRIALBOOK_RESULT_FILE\"\n\
         test $1 = 1 || echo > \"$TRIALBOOK_RUN_DIR/kept\"\n",
    );
    lab.run(&config_text(1, "[sh, task.sh, '{n}']"), &plain());
    let rows = lab.rows(Shown::Active);
    let folder = |at: usize| {
        let work = lab.folder.path().join("book/work");
        work.join(rows[at].uid.to_string())
    };
    assert!(!folder(0).exists());
    let left = std::fs::read_dir(folder(1)).unwrap().count();
    assert_eq!(left, 3);
}

#[test]
fn results_leave_the_plan_only_when_the_user_accepts_it() {
    let lab = Laboratory::new();
    let old = config_text(1, ECHO);
    lab.run(&old, &plain());
    let new = old.replace("n: 2", "n: 3");
    let Err(OutlineError::Changed { leaving, changes }) = lab.outline(&new, &plain()) else {
        panic!("the change was carried out")
    };
    assert_eq!(
        (leaving, changes[0].path.as_str()),
        (1, "variations[b].params.n")
    );
    let accept = Wish {
        outside: Outside::Archive,
        ..Wish::default()
    };
    assert_eq!(lab.run(&new, &accept).completed, 1);
    let params = |rows: &[RunRow]| -> Vec<String> {
        let text = |row: &RunRow| row.state.params["n"].param().text.clone();
        rows.iter().map(text).collect()
    };
    assert_eq!(params(&lab.rows(Shown::Active)), ["1", "3"]);
    assert_eq!(params(&lab.rows(Shown::WithArchived)), ["1", "2", "3"]);
    // Back to the old config: its result is there already and returns.
    assert_eq!(lab.run(&old, &accept), Totals::default());
    assert_eq!(params(&lab.rows(Shown::Active)), ["1", "2"]);
}

#[test]
fn words_and_new_variations_need_no_leave() {
    let lab = Laboratory::new();
    let old = config_text(1, ECHO);
    lab.run(&old, &plain());
    let new = old
        .replace("words", "other words")
        .replace("{name: b, n: 2}", "{name: b, n: 2}, {name: c, n: 3}");
    let outline = lab.outline(&new, &plain()).unwrap();
    assert_eq!(outline.changes.len(), 2);
    assert_eq!(lab.run(&new, &plain()).completed, 1);
    assert!(lab.outline(&new, &plain()).unwrap().changes.is_empty());
}

#[test]
fn secrets_of_a_config_stay_out_of_the_book() {
    let lab = Laboratory::new();
    let text = "experiment: {name: exp}\n\
                task: {command: [sh, -c, 'test {api_key} = hunter2hunter2', --token, hunter2hunter2]}\n\
                variations: [{name: a, api_key: hunter2hunter2}]\n";
    assert_eq!(lab.run(text, &plain()).completed, 1);
    let row = &lab.rows(Shown::Active)[0];
    assert_eq!(row.state.params["api_key"].param().text, "[redacted]");
    let recorded = format!("{:?} {:?}", row.state.start(), lab.standing().document);
    assert!(!recorded.contains("--token\", \"hunter2"), "{recorded}");
    // What is not recorded does not look like a change.
    assert!(lab.outline(text, &plain()).unwrap().changes.is_empty());
}

#[test]
fn python_tasks_run_through_the_shim() {
    let lab = Laboratory::new();
    lab.write(
        "tasks/count.py",
        "import json\n\
         def execute(params, data_path, metrics_file):\n\
         \x20   if params['n'] == 2:\n\
         \x20       raise ValueError('two is too many')\n\
         \x20   with open(metrics_file, 'a') as out:\n\
         \x20       out.write(json.dumps({'metric': 'seen', 'value': params['n']}) + '\\n')\n\
         \x20   return {'metrics': {'m': params['n'] * 10}}\n",
    );
    let text = config_text(1, ECHO).replace(&format!("command: {ECHO}"), "type: count");
    let totals = lab.run(&text, &plain());
    let rows = lab.rows(Shown::Active);
    assert_eq!(
        (totals.completed, totals.failed),
        (1, 1),
        "{:?}",
        rows[0].state.error()
    );
    let last = |key: &str| {
        let series = rows[0].state.records.series.iter();
        let mut found = series.filter(|(series, _)| series.key == key);
        found.next().map(|(_, summary)| summary.count)
    };
    assert_eq!((last("m"), last("seen")), (Some(1), Some(1)));
    let error = rows[1].state.error().cloned().unwrap();
    let expected = RunError {
        kind: "ValueError".to_owned(),
        message: "ValueError: two is too many".to_owned(),
    };
    assert_eq!(error, expected);
}
