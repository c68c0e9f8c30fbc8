//! Whole commands: from fork to exit of the binary.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use trialbook_model::id::ExperimentUid;
use trialbook_store::book::Effort;

use crate::figure::{Figure, median};
use crate::fill;
use crate::machine::{line_rate, process_start};
use crate::mix::Random;

const FILTER: &str = "metrics.acc > 0.9 and params.model = 'm3' and params.p3 = 1";

/// The figures of start and list.
pub(crate) fn run(program: &Path, folder: &Path) -> Result<Vec<Figure>> {
    let start = process_start()?;
    filled(folder, 10_000, 1)?;
    let mut figures = vec![
        Figure::lower(
            "commands",
            "trialbook version",
            timed(program, folder, &["version"])?,
            "ms",
        )
        .target(5.0)
        .limit("fork + exec + exit", start),
    ];
    let list = timed(program, folder, &["list"])?;
    figures.push(
        Figure::lower("commands", "trialbook list, 10⁴ runs", list, "ms")
            .target(15.0)
            .limit("fork + exec + exit", start),
    );
    figures.push(stream(program, &folder.join("stream"))?);
    figures.extend(no_ops(program, &folder.join("no-ops"), start)?);
    Ok(figures)
}

/// The figures of searching large books.
pub(crate) fn find(program: &Path, folder: &Path) -> Result<Vec<Figure>> {
    let words = [
        "search",
        "--filter",
        FILTER,
        "--sort-by",
        "loss",
        "--top",
        "100",
    ];
    let mut figures = Vec::new();
    for (runs, experiments, name, target) in [
        (100_000, 1, "10⁵ runs", 15.0),
        (1_000_000, 1, "10⁶ runs", 30.0),
        (1_000_000, 10_000, "10⁶ runs in 10⁴ experiments", 30.0),
    ] {
        let place = folder.join(name.replace(' ', "-"));
        filled(&place, runs, experiments)?;
        let took = timed(program, &place, &words)?;
        let name = format!("trialbook search, {name}, fresh snapshot");
        let start = process_start()?;
        figures.push(
            Figure::lower("find", name, took, "ms")
                .target(target)
                .limit("fork + exec + exit", start),
        );
        if runs == 100_000 {
            figures.extend(completion("find", program, &place, start)?);
        }
        if runs == 1_000_000 {
            change(&place, experiments)?;
            let took = timed(program, &place, &words)?;
            let name = match experiments {
                1 => "trialbook search, 10⁶ runs, 1,000 changed",
                _ => "trialbook search, 10⁶ runs in 10⁴ experiments, 1,000 changed",
            };
            figures.push(
                Figure::lower("find", name, took, "ms")
                    .target(60.0)
                    .limit("fork + exec + exit", start),
            );
        }
        std::fs::remove_dir_all(&place)?;
    }
    Ok(figures)
}

/// A thousand runs of the book say something more, each in its experiment.
fn change(folder: &Path, experiments: u64) -> Result<()> {
    let book = fill::book(folder)?;
    let mut recorder = fill::recorder(&book, 9)?;
    let mut random = Random::new(10);
    for at in (0..1000).map(|at| at * 997) {
        let of = match experiments {
            1 => ExperimentUid::default(),
            _ => fill::experiment(&mut recorder, at % experiments)?,
        };
        fill::small_run(&mut recorder, at, of, &mut random)?;
    }
    recorder.finish()?;
    Ok(())
}

/// Completing the names of runs, by nothing and inside an experiment.
pub(crate) fn completion(
    bench: &'static str,
    program: &Path,
    folder: &Path,
    start: f64,
) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (last, name) in [
        ("", "nothing typed"),
        ("experiment-0/run-", "inside an experiment"),
    ] {
        let words = ["__complete", "--", "show", last];
        let took = timed(program, folder, &words)?;
        let name = format!("completion of ids, 10⁵ runs, {name}");
        figures.push(
            Figure::lower(bench, name, took, "ms")
                .target(15.0)
                .limit("fork + exec + exit", start),
        );
    }
    Ok(figures)
}

/// A book with so many small runs, sealed, and its index snapshot fresh.
pub(crate) fn filled(folder: &Path, runs: u64, experiments: u64) -> Result<()> {
    let book = fill::book(folder)?;
    let mut recorder = fill::recorder(&book, 5)?;
    let mut random = Random::new(6);
    let mut known = Vec::new();
    for at in 0..experiments {
        known.push(fill::experiment(&mut recorder, at)?);
    }
    for at in 0..runs {
        let of = known[(at % experiments) as usize];
        fill::small_run(&mut recorder, at, of, &mut random)?;
    }
    recorder.finish()?;
    book.seal(Effort::All)?;
    Ok(())
}

/// Milliseconds of a command in a folder, after runs that warm it up.
pub(crate) fn timed(program: &Path, folder: &Path, words: &[&str]) -> Result<f64> {
    let mut times = Vec::new();
    for at in 0..24 {
        let begun = Instant::now();
        let status = Command::new(program)
            .args(words)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .context("the binary starts")?;
        let took = begun.elapsed().as_secs_f64() * 1e3;
        ensure!(status.success(), "`trialbook {}` failed", words.join(" "));
        if at >= 3 {
            times.push(took);
        }
    }
    Ok(median(&mut times))
}

/// JSON lines of ten values each from standard input, from start to exit of the command.
fn stream(program: &Path, folder: &Path) -> Result<Figure> {
    const LINES: usize = 200_000;
    const VALUES: usize = 10;
    std::fs::create_dir_all(folder)?;
    let mut random = Random::new(11);
    let mut text = String::new();
    for step in 0..LINES {
        write!(text, "{{\"step\": {step}")?;
        for key in 0..VALUES {
            write!(text, ", \"m{key}\": {:.6}", random.unit())?;
        }
        text.push_str("}\n");
    }
    let lines = folder.join("lines.jsonl");
    std::fs::write(&lines, text)?;
    let started = Command::new(program)
        .arg("start")
        .current_dir(folder)
        .stderr(Stdio::null())
        .output()?;
    let run = String::from_utf8(started.stdout)?;
    let begun = Instant::now();
    let status = Command::new(program)
        .args(["log", "-", "--run", run.trim()])
        .current_dir(folder)
        .stdin(std::fs::File::open(&lines)?)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    let took = begun.elapsed().as_secs_f64();
    ensure!(status.success(), "`trialbook log -` failed");
    let rate = (LINES * VALUES) as f64 / took / 1e6;
    let limit = line_rate(&lines)? * VALUES as f64 / 1e6;
    Ok(
        Figure::higher("commands", "trialbook log -, points", rate, "M/s")
            .target(0.5)
            .limit("reading the lines and counting them", limit),
    )
}

/// Ten thousand runs that do nothing.
fn no_ops(program: &Path, folder: &Path, start: f64) -> Result<Vec<Figure>> {
    const RUNS: u32 = 10_000;
    std::fs::create_dir_all(folder)?;
    let begun = Instant::now();
    let status = Command::new(program)
        .args(["run", "--trials", &RUNS.to_string(), "--", "/bin/true"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    ensure!(status.success(), "`trialbook run` failed");
    let each = begun.elapsed().as_secs_f64() * 1e3 / f64::from(RUNS);
    Ok(vec![
        Figure::lower(
            "commands",
            "10⁴ no-op runs, each beyond process start",
            each - start,
            "ms",
        )
        .target(1.0)
        .limit("fork + exec + exit", start),
    ])
}
