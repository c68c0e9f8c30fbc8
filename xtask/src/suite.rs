//! `cargo xtask test`: runs the stages one after the other, whatever becomes of each, and sums up.
//!
//! Invariant: the last line and the exit code speak of all stages that were asked for; a stage that
//! could not start counts as failed, never as absent.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::arguments::Arguments;
use crate::counts::Counts;
use crate::printer::say;
use crate::stages::{Outcome, STAGES, Stage};

struct Line {
    stage: &'static str,
    took: Duration,
    outcome: Outcome,
}

impl Line {
    fn text(&self) -> String {
        let Outcome {
            passed,
            counts,
            note,
        } = &self.outcome;
        let word = if *passed { "ok" } else { "FAILED" };
        let seconds = self.took.as_secs_f64();
        let tests = if counts.passed + counts.failed > 0 {
            format!(
                "  {} passed, {} failed, {} ignored",
                counts.passed, counts.failed, counts.ignored
            )
        } else {
            String::new()
        };
        let note = note.as_deref().unwrap_or_default();
        format!(
            "{:<8} {word:<6} {seconds:>8.1} s{tests}  {note}",
            self.stage
        )
        .trim_end()
        .to_owned()
    }
}

/// Runs the verb.
pub(crate) fn run(mut arguments: Arguments) -> Result<ExitCode> {
    let chosen = choose(&arguments.values("--only")?)?;
    arguments.finish()?;
    let mut lines = Vec::new();
    for stage in chosen {
        say(&format!("── {} ── {}", stage.name, stage.what));
        let started = Instant::now();
        let outcome = (stage.run)().unwrap_or_else(|error| Outcome::refused(format!("{error:#}")));
        lines.push(Line {
            stage: stage.name,
            took: started.elapsed(),
            outcome,
        });
    }
    say(&summary(&lines));
    Ok(if lines.iter().all(|line| line.outcome.passed) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn choose(only: &[String]) -> Result<Vec<&'static Stage>> {
    for name in only {
        if !STAGES.iter().any(|stage| stage.name == name) {
            let names: Vec<_> = STAGES.iter().map(|stage| stage.name).collect();
            bail!("no stage `{name}`; there are {}", names.join(", "));
        }
    }
    Ok(STAGES
        .iter()
        .filter(|stage| only.is_empty() || only.iter().any(|name| name == stage.name))
        .collect())
}

/// The closing table; its last line is the sum of all tests.
fn summary(lines: &[Line]) -> String {
    let mut total = Counts::default();
    let mut text = "── summary ──\n".to_owned();
    for line in lines {
        let Outcome { passed, counts, .. } = line.outcome;
        total.add(counts);
        // A stage that failed without a failed test (a lint, a compile error) is a failure too.
        if !passed && counts.failed == 0 {
            total.failed += 1;
        }
        text.push_str(&line.text());
        text.push('\n');
    }
    let whole: Duration = lines.iter().map(|line| line.took).sum();
    let seconds = whole.as_secs_f64();
    let Counts { passed, failed, .. } = total;
    text + &format!("all {seconds:>20.1} s\n{passed} passed, {failed} failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(outcome: Outcome) -> Line {
        Line {
            stage: "some",
            took: Duration::from_millis(5),
            outcome,
        }
    }

    #[test]
    fn the_last_line_counts_failed_stages_and_failed_tests() {
        let counts = Counts {
            passed: 7,
            failed: 2,
            ignored: 0,
        };
        let tests = Outcome {
            counts,
            ..Outcome::default()
        };
        let lint = Outcome::refused("no clippy".to_owned());
        let text = summary(&[line(Outcome::passed()), line(lint), line(tests)]);
        assert!(text.ends_with("\n7 passed, 3 failed"), "{text}");
        assert!(text.contains("FAILED"), "{text}");
        assert!(text.contains("no clippy"), "{text}");
        assert!(summary(&[line(Outcome::passed())]).ends_with("\n0 passed, 0 failed"));
    }

    #[test]
    fn stages_are_chosen_by_name_and_unknown_ones_refused() {
        let names = |only: &[&str]| {
            let only: Vec<_> = only.iter().map(|&name| name.to_owned()).collect();
            choose(&only).map(|stages| stages.iter().map(|stage| stage.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["tidy", "fmt"]).unwrap(), ["fmt", "tidy"]);
        assert_eq!(names(&[]).unwrap().len(), STAGES.len());
        assert!(
            names(&["nope"])
                .unwrap_err()
                .to_string()
                .contains("no stage `nope`")
        );
    }
}
