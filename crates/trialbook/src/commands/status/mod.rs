//! `trialbook status`: how far a run, an experiment or everything is, also live.
//!
//! What was observed stands apart from what is true (M-30): counts of events are one thing, the totals that the
//! program itself told another. Invariant: what is not known is null or left out, never 0; nothing is written.

mod experiment;
mod overview;
mod run;
mod totals;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::time::{Clock as _, Timestamp};

use super::run::some_time;
use crate::book::{self, Open};
use crate::context::{Context, SystemClock};
use crate::figures::done;
use crate::names::{Found, Names};

const SCHEMA: u32 = 1;

/// Show how far a run, an experiment or everything is
///
/// Without a name it shows what is running and queued. A run's progress is what its program tells
/// (`trialbook log progress`); an experiment's is how many of its trials have completed or failed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook status
  trialbook status EXP-001
  trialbook status latest --watch
  trialbook status tuning --json | jq .eta")]
pub(crate) struct Args {
    /// A run or an experiment
    #[arg(value_name = "RUN|EXPERIMENT")]
    what: Option<String>,
    /// Show it again and again until all has ended
    #[arg(short, long)]
    watch: bool,
    /// Between two looks
    #[arg(long, value_name = "TIME", value_parser = some_time, default_value = "2s")]
    interval: Duration,
}

/// Whether there is more to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outlook {
    /// Something is queued or running.
    Open,
    /// Everything has ended.
    Over,
}

/// Shows it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let open = book::reading(cx)?;
    loop {
        let outlook = look(args, cx, &open)?;
        if !args.watch {
            return Ok(ExitCode::SUCCESS);
        }
        cx.printer.frame()?;
        if outlook == Outlook::Over {
            return Ok(ExitCode::SUCCESS);
        }
        std::thread::sleep(args.interval);
    }
}

fn look(args: &Args, cx: &Context, open: &Open) -> Result<Outlook> {
    let view = open.view()?;
    let now = SystemClock.now();
    match &args.what {
        None => overview::show(&view, now, cx),
        Some(text) => match Names::new(&view).any(text)? {
            Found::Run(found) => run::show(&view, &found, now, cx),
            Found::Experiment(row) => experiment::show(&view, &row, now, cx),
        },
    }
}

/// A time to come, as a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Eta {
    /// The earlier end.
    from: String,
    /// The later end.
    to: String,
}

impl Eta {
    fn at(time: Timestamp) -> Self {
        Self {
            from: time.to_string(),
            to: time.to_string(),
        }
    }

    fn between(now: Timestamp, (least, most): (i64, i64)) -> Self {
        let after = |micros: i64| Timestamp(now.0.saturating_add(micros)).to_string();
        Self {
            from: after(least),
            to: after(most),
        }
    }
}

/// `██████████░░░░░░░░░░  50.0%`.
fn bar(share: f64) -> String {
    const WIDTH: usize = 20;
    let full = (share.clamp(0.0, 1.0) * WIDTH as f64).round() as usize;
    let (full, empty) = ("█".repeat(full), "░".repeat(WIDTH - full));
    format!("{full}{empty}  {}", done(share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_the_share() {
        assert_eq!(bar(0.0), format!("{}  0.0%", "░".repeat(20)));
        let half = format!("{}{}  50.0%", "█".repeat(10), "░".repeat(10));
        assert_eq!(bar(0.5), half);
        assert_eq!(bar(1.0), format!("{}  100.0%", "█".repeat(20)));
    }
}
