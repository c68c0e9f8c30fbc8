//! `trialbook logs`: what a run's program printed, also while it prints.
//!
//! Invariant: pieces are printed in the order in which they were read from the program, each once.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::id::RunNo;
use trialbook_model::record::{Log, LogStream};
use trialbook_model::stale::stale_since;
use trialbook_model::state::Stamp;
use trialbook_model::time::Clock as _;
use trialbook_store::nouns::{LogRecord, RunRow};
use trialbook_store::reading::Reading as _;

use crate::book::{self, Open};
use crate::context::{Context, SystemClock};
use crate::failure::Failure;
use crate::names::Names;

const SCHEMA: u32 = 1;
/// Between two looks at a run that is followed.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Print what a run's program printed
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook logs latest
  trialbook logs EXP-001/run-014 -f
  trialbook logs latest --stderr --tail 20
  trialbook logs latest --json | jq -r '.logs[].text'")]
pub(crate) struct Args {
    /// The run
    run: String,
    /// Go on until the run ends
    #[arg(short, long)]
    follow: bool,
    /// Standard error alone
    #[arg(long, conflicts_with = "stdout")]
    stderr: bool,
    /// Standard output alone
    #[arg(long)]
    stdout: bool,
    /// Only so many lines from the end
    #[arg(short = 'n', long, value_name = "LINES")]
    tail: Option<usize>,
}

#[derive(Serialize)]
struct Document {
    run: String,
    logs: Vec<Piece>,
}

#[derive(Serialize)]
struct Piece {
    time: String,
    stream: LogStream,
    text: String,
}

impl Piece {
    fn of(record: LogRecord) -> Self {
        Self {
            time: record.stamp.time.to_string(),
            stream: record.record.stream,
            text: record.record.text,
        }
    }
}

impl Args {
    fn wants(&self, stream: LogStream) -> bool {
        match stream {
            LogStream::Stdout => !self.stderr,
            LogStream::Stderr => !self.stdout,
        }
    }
}

/// Prints it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let open = book::reading(cx)?;
    let view = open.view()?;
    let run = Names::new(&view).run(&args.run)?;
    if args.follow {
        drop(view);
        follow(args, cx, &open, run.no)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut pieces = view.logs(run.no)?;
    pieces.retain(|piece| args.wants(piece.record.stream));
    if cx.printer.json_wanted() {
        if args.tail.is_some() {
            return Err(Failure::Usage {
                problem: "`--tail` counts lines, and JSON has pieces".to_owned(),
                hint: "leave one of `--tail` and `--json` out".to_owned(),
            }
            .into());
        }
        let document = Document {
            run: run.uid.to_string(),
            logs: pieces.into_iter().map(Piece::of).collect(),
        };
        cx.printer.json(SCHEMA, &document)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut lines = Lines::default();
    for piece in &pieces {
        lines.push(&piece.record);
    }
    for line in last(lines.rest(), args.tail) {
        cx.printer.line(line);
    }
    if run.state.records.counts.log_bytes == 0 {
        cx.printer
            .note("nothing was printed, or nothing was captured");
    }
    Ok(ExitCode::SUCCESS)
}

fn last(lines: Vec<String>, most: Option<usize>) -> impl Iterator<Item = String> {
    let all = lines.len();
    let left_out = most.map_or(0, |most| all.saturating_sub(most));
    lines.into_iter().skip(left_out)
}

/// Pieces of two streams put together to lines: one that a stream has begun is told when it is whole, so that
/// the streams do not run into each other.
#[derive(Debug, Default)]
struct Lines {
    whole: Vec<String>,
    stdout: String,
    stderr: String,
}

impl Lines {
    fn push(&mut self, log: &Log) {
        let begun = match log.stream {
            LogStream::Stdout => &mut self.stdout,
            LogStream::Stderr => &mut self.stderr,
        };
        begun.push_str(&log.text);
        let end = begun.rfind('\n').map_or(0, |at| at + 1);
        let text: String = begun.drain(..end).collect();
        self.whole.extend(text.lines().map(str::to_owned));
    }

    /// The lines that are whole by now.
    fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.whole)
    }

    /// The end, with what was only begun.
    fn rest(mut self) -> Vec<String> {
        for begun in [self.stdout, self.stderr] {
            if !begun.is_empty() {
                self.whole.push(begun);
            }
        }
        self.whole
    }
}

/// Prints on until the run has ended.
fn follow(args: &Args, cx: &Context, open: &Open, no: RunNo) -> Result<()> {
    let mut following = Following {
        args,
        cx,
        told: None,
        bytes: 0,
        lines: Lines::default(),
        tail: args.tail,
    };
    loop {
        let view = open.view()?;
        let Some(run) = view.runs(&[no])?.pop() else {
            return Ok(());
        };
        if run.state.records.counts.log_bytes > following.bytes {
            following.bytes = run.state.records.counts.log_bytes;
            following.take(view.logs(no)?)?;
        }
        drop(view);
        if is_over(&run, cx) {
            return following.finish();
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Whether nothing more will come.
fn is_over(run: &RunRow, cx: &Context) -> bool {
    if let Some(since) = stale_since(&run.state, SystemClock.now()) {
        let since = crate::when::local(since);
        cx.printer
            .warn(&format!("nothing was heard of the run since {since}"));
        return true;
    }
    run.state.status().is_final()
}

/// How far a run was told.
struct Following<'a> {
    args: &'a Args,
    cx: &'a Context,
    told: Option<Stamp>,
    bytes: u64,
    lines: Lines,
    /// How many lines of what is there at first are told.
    tail: Option<usize>,
}

impl Following<'_> {
    fn take(&mut self, pieces: Vec<LogRecord>) -> Result<()> {
        let told = self.told;
        let new = pieces
            .into_iter()
            .filter(|piece| told.is_none_or(|told| piece.stamp > told));
        for piece in new {
            self.told = Some(piece.stamp);
            if !self.args.wants(piece.record.stream) {
                continue;
            }
            if self.cx.printer.json_wanted() {
                self.cx.printer.large_json(&Piece::of(piece))?;
            } else {
                self.lines.push(&piece.record);
            }
        }
        for line in last(self.lines.take(), self.tail.take()) {
            self.cx.printer.line(line);
        }
        self.cx.printer.flush()
    }

    fn finish(self) -> Result<()> {
        for line in self.lines.rest() {
            self.cx.printer.line(line);
        }
        self.cx.printer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trialbook_model::id::RunUid;

    #[test]
    fn streams_are_put_together_line_by_line() {
        let mut lines = Lines::default();
        let mut push = |stream, text: &str| {
            lines.push(&Log {
                run: RunUid::default(),
                stream,
                text: text.to_owned(),
            });
            lines.take()
        };
        let none: [&str; 0] = [];
        assert_eq!(push(LogStream::Stdout, "one\nha"), ["one"]);
        assert_eq!(push(LogStream::Stderr, "two\n"), ["two"]);
        assert_eq!(push(LogStream::Stderr, "odd"), none);
        assert_eq!(push(LogStream::Stdout, "lf\n\nlast"), ["half", ""]);
        assert_eq!(lines.rest(), ["last", "odd"]);
    }

    #[test]
    fn the_last_lines_are_taken() {
        let all = || ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(last(all(), Some(2)).collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(last(all(), None).count(), 3);
        assert_eq!(last(all(), Some(0)).count(), 0);
    }
}
