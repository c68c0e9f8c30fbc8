//! `cargo xtask faults --minutes N [--seed S]`: the fault tests for as long as one likes.
//!
//! The tests themselves stand in the crates (targets `faults` and `simulation`); they read how long to go
//! on and from which seed in the environment. Invariant: a round that failed prints its seed, and the
//! same seed makes the same round.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};

use crate::arguments::Arguments;
use crate::printer::say;
use crate::stages;

/// Seconds that each fault test may spend.
const SECONDS: &str = "TRIALBOOK_FAULT_SECONDS";

/// Seed of the first round.
const SEED: &str = "TRIALBOOK_FAULT_SEED";

/// Runs the verb.
pub(crate) fn run(mut arguments: Arguments) -> Result<ExitCode> {
    let minutes: f64 = arguments.value("--minutes")?.unwrap_or(10.0);
    let seed = arguments.value::<u64>("--seed")?;
    arguments.finish()?;
    ensure!(
        minutes.is_finite() && minutes > 0.0,
        "`--minutes` cannot be `{minutes}`"
    );
    let seed = seed.unwrap_or_else(fresh_seed);
    let seconds = (minutes * 60.0).ceil();
    say(&format!(
        "faults: {minutes} minutes for each test, seed {seed}"
    ));
    let outcome = stages::faults(&mut |command| {
        command
            .env(SECONDS, seconds.to_string())
            .env(SEED, seed.to_string());
    })?;
    if let Some(note) = &outcome.note {
        say(note);
    }
    say(&format!(
        "faults: {} passed, {} failed, {} ignored, seed {seed}",
        outcome.counts.passed, outcome.counts.failed, outcome.counts.ignored
    ));
    Ok(if outcome.passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a seed that nobody asked for may come from the clock; it is printed"
)]
fn fresh_seed() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
