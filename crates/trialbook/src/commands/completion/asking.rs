//! `trialbook __complete`: what can stand in the place of the last word, one a line with its meaning.
//!
//! Invariant: the names come from the column index and from the rows of what is printed alone, so that a large
//! book is no slower than a small one.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::CommandFactory as _;
use trialbook_model::filter::{Case, CompareOp, Expr, Key, KeyKind, Literal};
use trialbook_model::handle::{self, run_label};
use trialbook_model::id::{ExperimentNo, RunNo};
use trialbook_store::index::ExperimentFacts;
use trialbook_store::nouns::RunRow;
use trialbook_store::query::Query;
use trialbook_store::reading::Reading as _;

use super::line::{Nouns, Wanted, lead, wanted};
use crate::book::View;
use crate::cli::{Cli, Options};
use crate::context::Context;
use crate::{book, spelling, titles};

/// Names that are offered of each kind.
const MOST: usize = 100;

/// Complete a command line
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The words after the program's name, the last one as far as it is typed
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// Completes it.
pub(crate) fn run(args: &Args, cx: &Context) -> ExitCode {
    let words = spelt(&args.words);
    let typed = words.last().map_or("", String::as_str);
    let lead = lead(typed);
    let last = &typed[lead.len()..];
    let found = match wanted(&Cli::command(), &words) {
        Wanted::Words(mut words) => {
            words.retain(|(word, _)| word.starts_with(last));
            words
        }
        // Who completes is not to be told what is wrong with the book.
        Wanted::Noun(nouns) => names(nouns, last, &words, cx).unwrap_or_default(),
        Wanted::Other => Vec::new(),
    };
    for (word, meaning) in found {
        let meaning = meaning.lines().next().unwrap_or_default();
        let word = word.replace(['\t', '\n'], " ");
        cx.printer.tabbed(&format!("{lead}{word}"), meaning);
    }
    ExitCode::SUCCESS
}

/// The words with the verb in our spelling.
fn spelt(words: &[String]) -> Vec<String> {
    let program = std::iter::once(OsString::from("trialbook"));
    let all = program.chain(words.iter().map(OsString::from));
    let spelt = spelling::arguments(all).into_iter().skip(1);
    spelt
        .map(|word| word.to_string_lossy().into_owned())
        .collect()
}

type Found = Vec<(String, String)>;

fn names(nouns: Nouns, last: &str, words: &[String], cx: &Context) -> Result<Found> {
    let given = words.iter().position(|word| word == "--book");
    let given = given.and_then(|at| words.get(at + 1)).cloned();
    let open = match given {
        Some(book) => {
            let options = Options {
                book: Some(book),
                json: false,
                no_pager: true,
            };
            book::glance(&Context::read(&options)?)?
        }
        None => book::glance(cx)?,
    };
    let Some(open) = open else {
        return Ok(Found::new());
    };
    let view = open.view()?;
    let experiments = view.experiment_facts()?;
    Ok(match nouns {
        Nouns::Projects => projects(&experiments, last),
        Nouns::Experiments => of_experiments(&experiments, last),
        Nouns::Runs => of_runs(&view, &experiments, last)?,
        Nouns::RunsAndExperiments => {
            let mut all = of_runs(&view, &experiments, last)?;
            all.extend(of_experiments(&experiments, last));
            all
        }
    })
}

fn projects(experiments: &[ExperimentFacts], last: &str) -> Found {
    let mut names: Vec<&str> = experiments.iter().map(|it| it.project.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let fitting = names.into_iter().filter(|name| name.starts_with(last));
    fitting
        .map(|name| (name.to_owned(), "project".to_owned()))
        .collect()
}

/// Experiments by their own ids, else by name; the newest first.
fn of_experiments(experiments: &[ExperimentFacts], last: &str) -> Found {
    let shown = experiments.iter().rev();
    let shown = shown.filter(|it| !it.archived && !it.deleted);
    let named = |it: &ExperimentFacts| {
        let own = it.handle.iter().chain(&it.name);
        let text = own.into_iter().find(|text| text.starts_with(last))?.clone();
        let name = it.name.as_deref().unwrap_or_default();
        Some((text, format!("experiment {}/{name}", it.project)))
    };
    shown.filter_map(named).take(MOST).collect()
}

/// Runs by name, by id, or inside the experiment that stands before a slash; the newest first.
fn of_runs(view: &View<'_>, experiments: &[ExperimentFacts], last: &str) -> Result<Found> {
    let mut found = Found::new();
    if "latest".starts_with(last) {
        found.push(("latest".to_owned(), "the newest run".to_owned()));
    }
    for run in view.runs(&candidates(view, experiments, last)?)? {
        let facts = experiments.iter().find(|it| it.no == run.experiment);
        let is_hidden = |flag| run.state.annotations.flag(flag);
        if !["archived", "deleted"].into_iter().any(is_hidden)
            && !facts.is_some_and(|it| it.archived || it.deleted)
        {
            found.extend(of_run(&run, facts, last));
        }
    }
    Ok(found)
}

/// The numbers of runs that may be meant.
fn candidates(view: &View<'_>, experiments: &[ExperimentFacts], last: &str) -> Result<Vec<RunNo>> {
    let inside = last.rsplit_once('/');
    let of = inside.map(|(path, _)| {
        let fitting = experiments.iter().filter(|it| is_at(it, path));
        fitting.map(|it| it.no).collect::<Vec<ExperimentNo>>()
    });
    let query = Query {
        filter: match inside {
            Some((_, own)) => begins_inside(own),
            None if last.is_empty() => Expr::all(),
            None => like("name", last),
        },
        experiments: of,
        limit: MOST,
        ..Query::all()
    };
    let mut numbers = view.search(&query)?.runs;
    if inside.is_none() && last.len() >= handle::LEAST_PREFIX {
        for no in view.runs_beginning(last, MOST)?.into_iter().rev() {
            if !numbers.contains(&no) {
                numbers.push(no);
            }
        }
    }
    Ok(numbers)
}

/// What is offered for a run: the first of its names that begins so.
fn of_run(run: &RunRow, facts: Option<&ExperimentFacts>, last: &str) -> Option<(String, String)> {
    let of = facts.and_then(|it| it.handle.as_deref().or(it.name.as_deref()));
    let label = run.number.map(run_label);
    let name = run.state.name().unwrap_or_default().to_owned();
    let id = run.uid.to_string();
    let texts = match last.rsplit_once('/') {
        Some((path, _)) => {
            let own = label.clone().into_iter().chain([name.clone()]);
            own.map(|own| format!("{path}/{own}")).collect()
        }
        None if last.is_empty() => match (of, &label) {
            (Some(of), Some(label)) => vec![format!("{of}/{label}")],
            (Some(_) | None, _) => vec![name.clone()],
        },
        None => vec![name.clone(), id[..last.len().clamp(8, 32)].to_owned()],
    };
    let text = texts.into_iter().find(|text| text.starts_with(last))?;
    let status = run.state.status();
    let title = match (of, label) {
        (Some(of), Some(label)) => format!("{of}/{label}"),
        (Some(_) | None, _) => titles::short_id(run.uid.0),
    };
    Some((text, format!("{title} {name} {status}")))
}

fn is_at(experiment: &ExperimentFacts, path: &str) -> bool {
    let name = experiment.name.as_deref();
    let handle = experiment.handle.as_deref();
    let full = || format!("{}/{}", experiment.project, name.unwrap_or_default());
    name == Some(path)
        || handle.is_some_and(|it| it.eq_ignore_ascii_case(path))
        || path.contains('/') && full() == path
}

/// Runs whose name, or label inside their experiment, begins so.
fn begins_inside(own: &str) -> Expr {
    const LABEL: &str = "run-";
    let Some(digits) = own.strip_prefix(LABEL).filter(|digits| !digits.is_empty()) else {
        return if LABEL.starts_with(own) {
            Expr::all()
        } else {
            like("name", own)
        };
    };
    let mut ways = vec![like("name", own)];
    let number = |op, number: u64| Expr::Compare {
        key: Key::new(KeyKind::Attribute, "number"),
        op,
        value: Literal::number(number as f64),
    };
    ways.extend(numbers(digits).into_iter().map(|(least, most)| {
        Expr::And(vec![
            number(CompareOp::GreaterEqual, least),
            number(CompareOp::LessEqual, most),
        ])
    }));
    Expr::Or(ways)
}

/// The numbers whose labels, of three digits at least, begin with some digits: ranges.
fn numbers(digits: &str) -> Vec<(u64, u64)> {
    /// More digits than any run's number has.
    const LONGEST: usize = 12;
    let Ok(head) = digits.parse::<u64>() else {
        return Vec::new();
    };
    let more = if digits.starts_with('0') {
        3_usize.saturating_sub(digits.len())..=3_usize.saturating_sub(digits.len())
    } else {
        3_usize.saturating_sub(digits.len())..=LONGEST.saturating_sub(digits.len())
    };
    let range = |more: usize| {
        let unit = 10_u64.checked_pow(u32::try_from(more).ok()?)?;
        let least = head.checked_mul(unit)?;
        Some((least, least.checked_add(unit - 1)?))
    };
    more.filter_map(range).collect()
}

fn like(attribute: &str, last: &str) -> Expr {
    Expr::Like {
        key: Key::new(KeyKind::Attribute, attribute),
        pattern: format!("{last}%"),
        case: Case::Sensitive,
        negated: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_begin_with_digits_are_ranges_of_numbers() {
        for digits in [
            "0", "00", "001", "000", "1", "12", "123", "1234", "9", "010",
        ] {
            let ranges = numbers(digits);
            for number in 0..20_000_u64 {
                let begins = run_label(number)["run-".len()..].starts_with(digits);
                let within = ranges
                    .iter()
                    .any(|(least, most)| (*least..=*most).contains(&number));
                assert_eq!(begins, within, "{digits} {number}");
            }
        }
        assert!(numbers("x").is_empty() && numbers("99999999999999999999").is_empty());
    }
}
