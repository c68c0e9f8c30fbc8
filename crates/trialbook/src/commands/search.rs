//! `trialbook search`: finds runs by a filter (T-7).

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use serde_json::{Map, Value};
use trialbook_analysis::measure::over_experiments;
use trialbook_model::filter::{self, Dialect, Direction, Key, KeyKind, OrderTerm};
use trialbook_model::id::ExperimentNo;
use trialbook_model::time::Clock as _;
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::query::{Query, Shown};
use trialbook_store::reading::Reading as _;

use crate::book::{self, View};
use crate::context::{Context, SystemClock};
use crate::failure::Failure;
use crate::figures::count;
use crate::keyed::{self, Unknown, json_value, text_value};
use crate::listing::{Listing, More, tell_unreadable};
use crate::names::Names;
use trialbook_api::runs::RunHead;

const SCHEMA: u32 = 1;

/// Find runs
///
/// Conditions are joined by AND, OR, NOT and parentheses: metrics.loss < 0.5, params.model = 'bert',
/// tags.stage LIKE 'prod%', status IN ('running', 'failed'), min(metrics.loss) < 0.1, params.lr IS NULL.
/// A name alone is an attribute, then a metric, then a param. Sorting puts the best first: the greatest,
/// or the smallest where the metric's name, definition or success criterion says that less is better; `KEY ASC` or
/// `KEY DESC` decides it. Missing values come last.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook search 'metrics.val_accuracy > 0.90' --sort-by val_accuracy --top 10
  trialbook search --filter \"params.model = 'bert' AND loss < 0.5\" --sort-by 'loss ASC, started DESC'
  trialbook search \"status = 'failed' AND started > '2026-01-21'\" --json")]
pub(crate) struct Args {
    /// The filter; without one all runs are found
    #[arg(value_name = "FILTER", conflicts_with = "filter")]
    text: Option<String>,
    /// The filter
    #[arg(long = "filter", value_name = "FILTER")]
    filter: Option<String>,
    /// What to sort by: KEY [ASC|DESC], …; default: the newest first
    #[arg(long, alias = "order-by", value_name = "KEYS")]
    sort_by: Option<String>,
    /// So many at most; 0 for all
    #[arg(
        long,
        short = 'n',
        alias = "limit",
        default_value_t = 20,
        value_name = "NUMBER"
    )]
    top: usize,
    /// Only runs of this experiment; may be given several times
    #[arg(short, long, value_name = "EXPERIMENT")]
    experiment: Vec<String>,
    /// Read the filter as MLflow does
    #[arg(long)]
    mlflow: bool,
    /// Also those that are archived
    #[arg(short, long)]
    all: bool,
}

#[derive(Serialize)]
struct Found {
    total: u64,
    /// Runs of the book whose records are damaged, so that they cannot be found.
    unreadable: u64,
    /// Keys that were asked for and that no run of the book has.
    unknown_keys: Vec<UnknownKey>,
    sorted_by: Vec<Sorted>,
    runs: Vec<FoundRun>,
}

#[derive(Serialize)]
struct Sorted {
    key: String,
    direction: &'static str,
    /// Whether the direction follows from the name alone.
    assumed: bool,
}

/// A key that no run has.
#[derive(Serialize)]
struct UnknownKey {
    #[serde(skip)]
    noun: &'static str,
    name: String,
    nearest: Option<String>,
}

#[derive(Serialize)]
struct FoundRun {
    #[serde(flatten)]
    head: RunHead,
    /// The values of the keys that were used.
    values: Map<String, Value>,
}

/// Finds them.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let dialect = if args.mlflow {
        Dialect::Mlflow
    } else {
        Dialect::Native
    };
    let text = args.text.as_ref().or(args.filter.as_ref());
    let text = text.map_or("", String::as_str);
    let condition = filter::parse(text, dialect).map_err(|source| Failure::Filter {
        text: text.to_owned(),
        source,
    })?;
    let order_text = args.sort_by.as_deref().unwrap_or_default();
    let mut order = filter::parse_order(order_text, dialect).map_err(|source| Failure::Filter {
        text: order_text.to_owned(),
        source,
    })?;
    let keys = used_keys(&condition, &order);
    let open = book::reading(cx)?;
    let view = open.view()?;
    let names = Names::new(&view);
    let mut experiments = Vec::new();
    for text in &args.experiment {
        experiments.push(names.experiment(text)?);
    }
    let sorted = directed(&view, (&mut order, dialect), &experiments)?;
    let numbers: Vec<ExperimentNo> = experiments.iter().map(|row| row.no).collect();
    let hits = view.search(&Query {
        filter: condition,
        experiments: (!numbers.is_empty()).then_some(numbers),
        shown: if args.all {
            Shown::WithArchived
        } else {
            Shown::Active
        },
        order,
        limit: if args.top == 0 { usize::MAX } else { args.top },
        ..Query::all()
    })?;
    let listing = Listing::read(&view, &hits.runs)?;
    let found = Outcome {
        total: hits.total,
        unreadable: tell_unreadable(&view, cx)?,
        unknown_keys: unknown_keys(&view, &keys, &listing)?,
        sorted,
        keys,
        listing,
    };
    view.leave();
    found.tell(cx)?;
    Ok(ExitCode::SUCCESS)
}

/// Gives every term without a direction the one that puts the best first; in MLflow's dialect that is
/// always the smallest.
fn directed(
    view: &View<'_>,
    (order, dialect): (&mut [OrderTerm], Dialect),
    experiments: &[ExperimentRow],
) -> Result<Vec<Sorted>> {
    let mut sorted = Vec::new();
    for term in order {
        let is_metric = match term.key.kind {
            KeyKind::Metric | KeyKind::Bare => true,
            KeyKind::Attribute | KeyKind::Param | KeyKind::Tag | KeyKind::Dataset => false,
        };
        let measure = match (term.direction, dialect) {
            (None, Dialect::Native) if is_metric => {
                Some(over_experiments(view, &term.key, experiments)?)
            }
            (_, Dialect::Native | Dialect::Mlflow) => None,
        };
        let direction = match (term.direction, dialect) {
            (None, Dialect::Mlflow) => Direction::Ascending,
            (None, Dialect::Native) | (Some(_), Dialect::Native | Dialect::Mlflow) => {
                term.direction_for(measure.as_ref().map(|measure| measure.goal))
            }
        };
        term.direction = Some(direction);
        sorted.push(Sorted {
            key: term.key.to_string(),
            direction: match direction {
                Direction::Ascending => "ascending",
                Direction::Descending => "descending",
            },
            assumed: measure.is_some_and(|measure| measure.goal_assumed.is_some()),
        });
    }
    Ok(sorted)
}

/// The keys that get a column: those sorted by, then those of the filter, but for what every table shows.
fn used_keys(condition: &filter::Expr, order: &[OrderTerm]) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    let sorted = order.iter().map(|term| &term.key);
    for key in sorted.chain(condition.keys()) {
        let shown = match key.kind {
            KeyKind::Attribute | KeyKind::Dataset => false,
            KeyKind::Metric | KeyKind::Param | KeyKind::Tag | KeyKind::Bare => true,
        };
        if shown && !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    keys
}

/// The keys that no run has. One that a shown run has is not looked up.
fn unknown_keys(view: &View<'_>, keys: &[Key], listing: &Listing) -> Result<Vec<UnknownKey>> {
    let mut unknown = Vec::new();
    for key in keys {
        let noun = match key.kind {
            KeyKind::Metric => "metric",
            KeyKind::Param => "param",
            KeyKind::Tag => "tag",
            KeyKind::Bare => "metric or param",
            KeyKind::Attribute | KeyKind::Dataset => continue,
        };
        if listing
            .runs
            .iter()
            .any(|run| !json_value(run, key, listing.goal(run, key)).is_null())
        {
            continue;
        }
        if let Some(Unknown { nearest }) = keyed::unknown(view, key)? {
            let name = key.name.clone();
            unknown.push(UnknownKey {
                noun,
                name,
                nearest,
            });
        }
    }
    Ok(unknown)
}

struct Outcome {
    total: u64,
    unreadable: u64,
    unknown_keys: Vec<UnknownKey>,
    sorted: Vec<Sorted>,
    keys: Vec<Key>,
    listing: Listing,
}

impl Outcome {
    fn tell(self, cx: &Context) -> Result<()> {
        let now = SystemClock.now();
        if cx.printer.json_wanted() {
            let heads = self.listing.heads(now);
            let runs = heads.into_iter().zip(&self.listing.runs);
            let runs = runs.map(|(head, run)| FoundRun {
                head,
                values: self
                    .keys
                    .iter()
                    .map(|key| {
                        (
                            key.to_string(),
                            json_value(run, key, self.listing.goal(run, key)),
                        )
                    })
                    .collect(),
            });
            let found = Found {
                total: self.total,
                unreadable: self.unreadable,
                unknown_keys: self.unknown_keys,
                runs: runs.collect(),
                sorted_by: self.sorted,
            };
            return cx.printer.json(SCHEMA, &found);
        }
        for unknown in &self.unknown_keys {
            let UnknownKey {
                noun,
                name,
                nearest,
            } = unknown;
            let nearest = nearest.as_ref();
            let nearest = nearest.map_or_else(String::new, |name| format!("; nearest: `{name}`"));
            cx.printer
                .note(format!("no run has a {noun} `{name}`{nearest}"));
        }
        cx.printer.line(self.headline());
        let keys = self.columns();
        let titles: Vec<String> = keys.iter().map(ToString::to_string).collect();
        let more: Vec<More<'_>> = keys
            .into_iter()
            .zip(&titles)
            .map(|(key, title)| More {
                title,
                cell: Box::new(|run| text_value(run, key, self.listing.goal(run, key))),
            })
            .collect();
        if !self.listing.runs.is_empty() {
            cx.printer.table(&self.listing.table(now, &more));
        }
        Ok(())
    }

    /// The keys without those that say of each run what the same name of another kind says: `metrics.loss` beside
    /// `loss`.
    fn columns(&self) -> Vec<&Key> {
        let mut columns: Vec<&Key> = Vec::new();
        for key in &self.keys {
            let is_twin = |other: &&Key| {
                let whole = |key: &Key| (key.name.clone(), key.context.clone(), key.aggregate);
                let mut runs = self.listing.runs.iter();
                whole(other) == whole(key)
                    && runs.all(|run| {
                        json_value(run, other, self.listing.goal(run, other))
                            == json_value(run, key, self.listing.goal(run, key))
                    })
            };
            if !columns.iter().any(is_twin) {
                columns.push(key);
            }
        }
        columns
    }

    /// Whether no run has what a term of the order names, so that it sorts nothing.
    fn is_unknown(&self, term: &str) -> bool {
        let keys = self.keys.iter().filter(|key| key.to_string() == term);
        let mut unknown = self.unknown_keys.iter();
        let names: Vec<&str> = keys.map(|key| key.name.as_str()).collect();
        unknown.any(|unknown| names.contains(&unknown.name.as_str()))
    }

    /// `Found 23 runs, showing top 10 by val_accuracy (descending, assumed)`.
    fn headline(&self) -> String {
        let mut text = format!("Found {}", count(self.total, "run"));
        let shown = self.listing.runs.len() as u64;
        let by: Vec<String> = self
            .sorted
            .iter()
            .filter(|term| !self.is_unknown(&term.key))
            .map(|term| {
                let assumed = if term.assumed {
                    ", assumed from its name"
                } else {
                    ""
                };
                format!("{} ({}{assumed})", term.key, term.direction)
            })
            .collect();
        if shown < self.total {
            write!(text, ", showing top {shown}").expect("a string takes all");
        }
        if !by.is_empty() && self.total > 0 {
            let by = by.join(", ");
            let word = if shown < self.total {
                " by "
            } else {
                ", sorted by "
            };
            text.push_str(word);
            text.push_str(&by);
        }
        text
    }
}
