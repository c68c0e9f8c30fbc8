//! `--format csv`: a table of runs, or points.
//!
//! Invariant: a missing value is an empty field.

use anyhow::Result;
use trialbook_exchange::{Selection, table};
use trialbook_model::id::RunNo;
use trialbook_store::query::{Query, Shown};
use trialbook_store::reading::Reading as _;

use super::{Args, Target, Written};
use crate::book::View;
use crate::context::Context;
use crate::figures::count;

/// Writes the table.
pub(super) fn write(
    args: &Args,
    cx: &Context,
    view: &View<'_>,
    wanted: &Selection,
) -> Result<Written> {
    let numbers = numbers(view, wanted)?;
    let mut target = Target::open(args, cx)?;
    let out = table::Out {
        out: &mut target,
        name: &args.target,
    };
    let mut points = 0;
    if args.series.is_empty() {
        table::runs(view, &numbers, out)?;
    } else {
        points = table::series(view, &numbers, &args.series, out)?;
    }
    target.finish()?;
    if points == 0 && !args.series.is_empty() {
        cx.printer.note(format!(
            "none of {} has points of `{}`",
            count(numbers.len() as u64, "run"),
            args.series.join("`, `")
        ));
    }
    Ok(Written {
        file: args.target.display().to_string(),
        runs: numbers.len() as u64,
        points,
        ..Written::default()
    })
}

/// The runs, oldest first; those in the bin only where they are named.
fn numbers(view: &View<'_>, wanted: &Selection) -> Result<Vec<RunNo>> {
    let all = |experiments| Query {
        experiments,
        shown: Shown::WithArchived,
        ..Query::all()
    };
    let mut numbers = match wanted {
        Selection::All => view.search(&all(None))?.runs,
        Selection::Some { experiments, runs } => {
            let mut numbers: Vec<RunNo> = runs.iter().copied().collect();
            if !experiments.is_empty() {
                let of = Some(experiments.iter().copied().collect());
                numbers.extend(view.search(&all(of))?.runs);
            }
            numbers
        }
    };
    numbers.sort();
    numbers.dedup();
    Ok(numbers)
}
