//! An empty home with a folder to work in, and the real binary in it.
//!
//! Invariant: nothing of the machine's own environment reaches the binary, and nothing outside the home is
//! touched.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::unwrap_used,
    reason = "each test file uses another part of it"
)]

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Where programs are found.
pub const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// An empty home.
pub struct Sandbox {
    folder: tempfile::TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code.
    pub code: i32,
    /// What it printed.
    pub out: String,
    /// What it said beside.
    pub err: String,
}

impl Ended {
    /// The text, of a command that succeeded.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// The JSON, of a command that succeeded; it has a schema version.
    #[track_caller]
    pub fn json(self) -> Value {
        let text = self.ok();
        let value: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert!(value["schema"].as_u64().is_some_and(|it| it > 0), "{text}");
        value
    }

    /// What was said, of a command that failed with a code.
    #[track_caller]
    pub fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        self.err
    }
}

impl Sandbox {
    /// A new one.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("home/work")).unwrap();
        Self { folder }
    }

    /// The home.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The folder to work in.
    pub fn work(&self) -> PathBuf {
        self.home().join("work")
    }

    /// The book that is made in the folder to work in.
    pub fn book(&self) -> PathBuf {
        self.work().join(".trialbook")
    }

    /// The binary, to be given arguments.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trialbook"));
        command
            .current_dir(self.work())
            .env_clear()
            .env("HOME", self.home())
            .env("TZ", "UTC")
            .env("USER", "tester")
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary.
    pub fn run<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ended {
        ended(self.command().args(args))
    }

    /// Runs the binary with words between blanks.
    pub fn say(&self, words: &str) -> Ended {
        self.run(words.split(' '))
    }

    /// Runs the binary for a run, as a shell does that exported `TRIALBOOK_RUN`.
    pub fn say_in(&self, run: &str, words: &str) -> Ended {
        ended(
            self.command()
                .env("TRIALBOOK_RUN", run)
                .args(words.split(' ')),
        )
    }

    /// Runs the binary with a text on its standard input.
    pub fn feed(&self, words: &str, input: &[u8]) -> Ended {
        let (sent, ended) = self.fed(words, input);
        sent.unwrap();
        ended
    }

    /// Runs the binary with a text on its standard input, which it may leave unread.
    pub fn feed_all(&self, words: &str, input: &[u8]) -> Ended {
        let (sent, ended) = self.fed(words, input);
        assert!(sent.is_ok() || ended.code != 0, "{ended:?}");
        ended
    }

    /// Whether all of the text was taken, and how the command ended.
    fn fed(&self, words: &str, input: &[u8]) -> (io::Result<()>, Ended) {
        let mut child = self
            .command()
            .args(words.split(' '))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let sent = child.stdin.take().unwrap().write_all(input);
        (sent, read(child.wait_with_output().unwrap()))
    }

    /// Starts a run and returns its id.
    #[track_caller]
    pub fn start(&self, words: &str) -> String {
        let words = format!("start {words}");
        let id = self.say(words.trim()).ok();
        let id = id.strip_suffix('\n').expect("one line").to_owned();
        assert!(id.len() == 32 && !id.contains('\n'), "{id}");
        id
    }

    /// A shell with the binary on its path.
    pub fn shell(&self, script: &str) -> Ended {
        let binary = Path::new(env!("CARGO_BIN_EXE_trialbook"));
        let path = format!("{}:{PATH}", binary.parent().unwrap().display());
        let mut command = Command::new("sh");
        command
            .current_dir(self.work())
            .env_clear()
            .env("HOME", self.home())
            .env("TZ", "UTC")
            .env("PATH", path)
            .args(["-euc", script]);
        ended(&mut command)
    }
}

/// Runs the binary with words between blanks, where programs can be found.
pub fn on_path(sandbox: &Sandbox, words: &str) -> Ended {
    ended(sandbox.command().env("PATH", PATH).args(words.split(' ')))
}

/// Writes a file below the folder to work in.
pub fn write(sandbox: &Sandbox, name: &str, text: &str) {
    let path = sandbox.work().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Runs a command to its end.
pub fn ended(command: &mut Command) -> Ended {
    read(command.output().unwrap())
}

/// What a finished command did.
pub fn read(output: std::process::Output) -> Ended {
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Records operations as a program does, without the binary.
pub fn record(sandbox: &Sandbox, ops: &[trialbook_model::record::Op]) {
    recording(sandbox, ops).finish().unwrap();
}

/// Records operations as a program does that has not ended.
pub fn recording(
    sandbox: &Sandbox,
    ops: &[trialbook_model::record::Op],
) -> trialbook_store::Recorder {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};
    use trialbook_model::time::{Clock, Timestamp};

    struct Ticks(AtomicI64);
    impl Clock for Ticks {
        fn now(&self) -> Timestamp {
            Timestamp(self.0.fetch_add(1, Ordering::Relaxed))
        }
    }
    let book = trialbook_store::Book::create(&sandbox.book()).unwrap();
    let clock = Arc::new(Ticks(AtomicI64::new(1_760_000_000_000_000)));
    let options = trialbook_store::RecorderOptions::new("tester", clock);
    let mut recorder = book.recorder(options).unwrap();
    for op in ops {
        recorder.record(op).unwrap();
    }
    recorder
}
