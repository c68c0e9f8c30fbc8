//! The stages of `cargo xtask test`: what each runs, what it needs, how its tests are counted.
//!
//! One target folder and one profile serve all of them, so that no dependency is compiled twice for
//! the same purpose. Invariant: a stage of tests that ran no test has failed, whatever its tool says.

use std::collections::BTreeSet;
use std::process::{Command, ExitStatus};

use anyhow::Result;

use crate::counts::{self, Counts};
use crate::process::{self, Stream, answers, cargo};
use crate::{mlflow, shells, tidy, tree};

/// Test targets that belong to the stage `faults` instead of `test`.
pub(crate) const FAULT_TARGETS: [&str; 2] = ["faults", "simulation"];

/// One stage.
pub(crate) struct Stage {
    /// The name for `--only`.
    pub(crate) name: &'static str,
    /// One phrase for its headline.
    pub(crate) what: &'static str,
    /// Does it.
    pub(crate) run: fn() -> Result<Outcome>,
}

/// The stages, in the order in which they run: cheap verdicts first.
pub(crate) const STAGES: [Stage; 9] = [
    Stage {
        name: "fmt",
        what: "formatting",
        run: fmt,
    },
    Stage {
        name: "clippy",
        what: "lints, warnings denied",
        run: clippy,
    },
    Stage {
        name: "doc",
        what: "documentation, warnings denied",
        run: doc,
    },
    Stage {
        name: "test",
        what: "unit, property, contract and black-box tests",
        run: test,
    },
    Stage {
        name: "doctest",
        what: "examples in the documentation",
        run: doctest,
    },
    Stage {
        name: "faults",
        what: "crashes, torn files and full disks, short form",
        run: short_faults,
    },
    Stage {
        name: "python",
        what: "tests of the Python files",
        run: python,
    },
    Stage {
        name: "mlflow",
        what: "the server under real clients of MLflow",
        run: mlflow::stage,
    },
    Stage {
        name: "tidy",
        what: "rules of the house",
        run: tidy::stage,
    },
];

/// What became of a stage.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    /// Whether all is well.
    pub(crate) passed: bool,
    /// Its tests, where it has any.
    pub(crate) counts: Counts,
    /// What else there is to say, such as a remedy.
    pub(crate) note: Option<String>,
}

impl Outcome {
    /// All is well.
    pub(crate) fn passed() -> Self {
        Self {
            passed: true,
            ..Self::default()
        }
    }

    /// It could not run, or failed with a reason that one line can say.
    pub(crate) fn refused(note: String) -> Self {
        Self {
            note: Some(note),
            ..Self::default()
        }
    }

    fn of(status: ExitStatus) -> Self {
        Self {
            passed: status.success(),
            ..Self::default()
        }
    }

    /// A stage with its tests, which has failed where none ran: a filter or a moved folder left nothing of it.
    pub(crate) fn with_tests(self, counts: Counts) -> Self {
        let ran = counts.passed + counts.failed > 0;
        let note = (self.passed && !ran).then(|| "no test ran".to_owned());
        Self {
            passed: self.passed && ran,
            counts,
            note: self.note.or(note),
        }
    }

    /// Of its tests, some passed only because they were told to do without what they test.
    fn without(mut self, left_out: u64, note: Option<String>) -> Self {
        self.counts.passed = self.counts.passed.saturating_sub(left_out);
        self.counts.ignored += left_out;
        let notes = [self.note, note].into_iter().flatten();
        self.note = notes.reduce(|one, other| format!("{one}; {other}"));
        self
    }

    fn missing(tool: &str, remedy: &str) -> Self {
        Self::refused(format!("`{tool}` is missing: {remedy}"))
    }
}

fn fmt() -> Result<Outcome> {
    if !answers(&mut cargo(&["fmt", "--version"])) {
        return Ok(Outcome::missing("rustfmt", "rustup component add rustfmt"));
    }
    let status = process::run(&mut cargo(&["fmt", "--all", "--", "--check"]))?;
    Ok(Outcome::of(status))
}

fn clippy() -> Result<Outcome> {
    if !answers(&mut cargo(&["clippy", "--version"])) {
        return Ok(Outcome::missing("clippy", "rustup component add clippy"));
    }
    if let Some(missing) = compiler_missing() {
        return Ok(missing);
    }
    let words = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    Ok(Outcome::of(process::run(&mut cargo(&words))?))
}

fn doc() -> Result<Outcome> {
    // Private items are documented too: their links are read by the people who work here.
    let words = [
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ];
    let mut command = cargo(&words);
    command.env("RUSTDOCFLAGS", "-D warnings");
    Ok(Outcome::of(process::run(&mut command)?))
}

fn test() -> Result<Outcome> {
    if let Some(missing) = compiler_missing().or_else(python_missing) {
        return Ok(missing);
    }
    let missing = shells::set_up();
    let targets = test_targets()?;
    let mut words = vec!["test", "--workspace", "--no-fail-fast", "--lib", "--bins"];
    let ordinary = targets
        .iter()
        .filter(|name| !FAULT_TARGETS.contains(&name.as_str()));
    for name in ordinary {
        words.extend(["--test", name]);
    }
    let outcome = counted(cargo(&words).env(shells::WITHOUT, missing.join(",")))?;
    Ok(outcome.without(missing.len() as u64, shells::note(&missing)))
}

fn doctest() -> Result<Outcome> {
    counted(&mut cargo(&[
        "test",
        "--workspace",
        "--no-fail-fast",
        "--doc",
    ]))
}

fn short_faults() -> Result<Outcome> {
    faults(&mut |_command| {})
}

/// The fault tests; `prepare` may set how long and from which seed.
pub(crate) fn faults(prepare: &mut dyn FnMut(&mut Command)) -> Result<Outcome> {
    let lost = lost_fault_targets(&test_targets()?);
    if !lost.is_empty() {
        let lost = lost.join("`, `");
        return Ok(Outcome::refused(format!(
            "there is no test target `{lost}`"
        )));
    }
    let mut words = vec!["test", "--workspace", "--no-fail-fast"];
    for name in FAULT_TARGETS {
        words.extend(["--test", name]);
    }
    let mut command = cargo(&words);
    prepare(&mut command);
    counted(&mut command)
}

/// Fault targets that the workspace no longer has.
fn lost_fault_targets(targets: &BTreeSet<String>) -> Vec<&'static str> {
    FAULT_TARGETS
        .into_iter()
        .filter(|name| !targets.contains(*name))
        .collect()
}

/// Names of the integration tests of the workspace.
fn test_targets() -> Result<BTreeSet<String>> {
    let metadata = tree::metadata()?;
    let packages = metadata["packages"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    Ok(packages
        .iter()
        .flat_map(|package| package["targets"].as_array().into_iter().flatten())
        .filter(|target| target["kind"][0] == "test")
        .filter_map(|target| target["name"].as_str().map(str::to_owned))
        .collect())
}

fn counted(command: &mut Command) -> Result<Outcome> {
    let (mut counts, mut left_out) = (Counts::default(), Vec::new());
    let status = process::watch(command, Stream::Output, |line| {
        if let Some(found) = counts::of_rust(line) {
            counts.add(found);
        }
        left_out.extend(counts::left_out(line).map(str::to_owned));
    })?;
    let outcome = Outcome::of(status).with_tests(counts);
    Ok(outcome.without(left_out.len() as u64, counts::note_of(left_out)))
}

fn python() -> Result<Outcome> {
    if let Some(missing) = python_missing() {
        return Ok(missing);
    }
    let folders: BTreeSet<String> = tree::sources()?
        .into_iter()
        .filter(|source| source.file_name().starts_with("test_") && source.ending() == "py")
        .filter_map(|source| source.path.rsplit_once('/').map(|(at, _)| at.to_owned()))
        .collect();
    let (mut whole, mut counts) = (Outcome::passed(), Counts::default());
    for folder in folders {
        let mut command = Command::new("python3");
        command
            .args(["-m", "unittest", "discover", "--start-directory"])
            .arg(tree::root().join(&folder));
        let one = python_tests(&mut command)?;
        if let Some(note) = one.note {
            return Ok(Outcome::refused(format!("{folder}: {note}")));
        }
        whole.passed &= one.passed;
        counts.add(one.counts);
    }
    Ok(whole.with_tests(counts))
}

/// Runs tests of Python's own runner, and counts them.
pub(crate) fn python_tests(command: &mut Command) -> Result<Outcome> {
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(tree::root());
    let (mut ran, mut failed) = (0, 0);
    let status = process::watch(command, Stream::Error, |line| {
        ran = counts::python_ran(line).unwrap_or(ran);
        failed = counts::python_failed(line).unwrap_or(failed);
    })?;
    let counts = Counts {
        passed: ran.saturating_sub(failed),
        failed,
        ignored: 0,
    };
    Ok(Outcome::of(status).with_tests(counts))
}

pub(crate) fn python_missing() -> Option<Outcome> {
    let found = answers(Command::new("python3").arg("--version"));
    (!found).then(|| Outcome::missing("python3", "install Python 3 and put it on the PATH"))
}

/// The embedded database is C; its build script looks for `$CC`, then for `cc`.
fn compiler_missing() -> Option<Outcome> {
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let found = answers(Command::new(compiler).arg("--version"));
    (!found).then(|| {
        Outcome::missing(
            "cc",
            "install a C compiler (gcc or clang) or name one in the variable CC",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64, ignored: u64) -> Counts {
        Counts {
            passed,
            failed,
            ignored,
        }
    }

    #[test]
    fn a_stage_that_ran_nothing_has_failed() {
        assert!(Outcome::passed().with_tests(counts(1, 0, 0)).passed);
        let failed = Outcome::default().with_tests(counts(1, 1, 0));
        assert!(!failed.passed && failed.note.is_none());
        for nothing in [counts(0, 0, 0), counts(0, 0, 7)] {
            let outcome = Outcome::passed().with_tests(nothing);
            assert!(!outcome.passed);
            assert_eq!(outcome.note.as_deref(), Some("no test ran"));
        }
    }

    #[test]
    fn what_is_left_out_is_not_counted_as_passed() {
        let whole = Outcome::passed().with_tests(counts(5, 0, 1));
        let outcome = whole.without(2, Some("not exercised".to_owned()));
        assert_eq!(outcome.counts, counts(3, 0, 3));
        assert!(outcome.passed && outcome.note.is_some());
    }

    #[test]
    fn every_fault_target_is_demanded() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert!(lost_fault_targets(&names(&["faults", "days", "simulation"])).is_empty());
        assert_eq!(lost_fault_targets(&names(&["faults"])), ["simulation"]);
        assert_eq!(lost_fault_targets(&names(&[])), FAULT_TARGETS);
    }
}
