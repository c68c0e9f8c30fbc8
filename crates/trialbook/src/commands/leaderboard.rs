//! `trialbook leaderboard`: runs ranked by a metric (T-29).
//!
//! Not here: finding them, which is a search. Invariant: equal values have equal ranks; runs without the metric
//! are counted, not ranked.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;
use trialbook_analysis::measure;
use trialbook_model::filter::{
    self, Aggregate, Dialect, Direction, Expr, FilterError, Key, KeyKind, OrderTerm,
};
use trialbook_model::id::ExperimentNo;
use trialbook_model::nearest;
use trialbook_model::record::Goal;
use trialbook_model::time::Clock as _;
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::query::Query;
use trialbook_store::reading::Reading as _;

use crate::book::{self, View};
use crate::context::{Context, SystemClock};
use crate::documents::RunHead;
use crate::failure::Failure;
use crate::figures::{count, grouped};
use crate::keyed::{json_value, text_value};
use crate::listing::{Listing, More};
use crate::names::Names;

const SCHEMA: u32 = 1;

/// Rank runs by a metric
///
/// The best first: the greatest, or the smallest where a definition, a success criterion or the metric's name says that
/// less is better.
/// Equal values have equal ranks. Runs without the metric are counted and not ranked.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook leaderboard --sort-by f1 --top 20 --filter 'latency_ms<50'
  trialbook leaderboard tuning --metric accuracy
  trialbook leaderboard --sort-by 'min(metrics.loss)' --experiment tuning --show lr,depth")]
pub(crate) struct Args {
    /// Only runs of this experiment
    #[arg(value_name = "EXPERIMENT")]
    of: Option<String>,
    /// The metric, or an aggregate of it, to rank by: KEY [ASC|DESC]
    #[arg(long, visible_alias = "metric", alias = "by", value_name = "KEY")]
    sort_by: String,
    /// So many at most; 0 for all
    #[arg(
        long,
        short = 'n',
        alias = "limit",
        default_value_t = 20,
        value_name = "NUMBER"
    )]
    top: usize,
    /// Only runs of which this holds
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
    /// Only runs of this experiment; may be given several times
    #[arg(short, long, value_name = "EXPERIMENT")]
    experiment: Vec<String>,
    /// Further columns: params, metrics, tags
    #[arg(long, value_delimiter = ',', value_name = "KEYS")]
    show: Vec<String>,
}

#[derive(Serialize)]
struct Board {
    key: String,
    direction: &'static str,
    /// Whether the direction follows from the name alone.
    assumed: bool,
    /// The metric whose name is the most like this one, where no run has this one.
    nearest: Option<String>,
    ranked: u64,
    without: u64,
    runs: Vec<Place>,
}

#[derive(Serialize)]
struct Place {
    rank: usize,
    value: Value,
    #[serde(flatten)]
    head: RunHead,
    values: BTreeMap<String, Value>,
}

/// Ranks them.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let told = |text: &str| {
        let text = text.to_owned();
        move |source: FilterError| Failure::Filter { text, source }
    };
    let text = args.filter.as_deref().unwrap_or_default();
    let condition = filter::parse(text, Dialect::Native).map_err(told(text))?;
    let term = filter::parse_order_term(&args.sort_by, Dialect::Native);
    let term = term.map_err(told(&args.sort_by))?;
    let mut shown = Vec::new();
    for text in &args.show {
        let term = filter::parse_order_term(text, Dialect::Native).map_err(told(text))?;
        shown.push(term.key);
    }
    let open = book::reading(cx)?;
    let view = open.view()?;
    let names = Names::new(&view);
    let mut experiments = Vec::new();
    for text in args.of.iter().chain(&args.experiment) {
        experiments.push(names.experiment(text)?);
    }
    let (term, assumed) = directed(&view, term, &experiments)?;
    let board = Search {
        condition,
        term,
        numbers: experiments.iter().map(|row| row.no).collect(),
        top: if args.top == 0 { usize::MAX } else { args.top },
    };
    let (listing, ranked, without) = board.find(&view)?;
    let ranks = board.ranks(&listing);
    let nearest = nearest_metric(&view, &board, ranked)?;
    let told = Told {
        nearest,
        board,
        listing,
        ranks,
        shown,
        assumed,
        counts: (ranked, without),
    };
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &told.document())?;
    } else {
        told.print(cx);
    }
    Ok(ExitCode::SUCCESS)
}

/// What was found.
struct Told {
    board: Search,
    listing: Listing,
    ranks: Vec<usize>,
    shown: Vec<Key>,
    assumed: bool,
    /// The metric whose name is the most like the wanted one, where no run has that.
    nearest: Option<String>,
    /// Runs with a value, and without.
    counts: (u64, u64),
}

impl Told {
    fn document(&self) -> Board {
        let heads = self.listing.heads(SystemClock.now()).into_iter();
        let runs = heads.zip(&self.listing.runs).zip(&self.ranks);
        let key = &self.board.term.key;
        let runs = runs.map(|((head, run), rank)| Place {
            rank: *rank,
            value: json_value(run, key),
            head,
            values: self
                .shown
                .iter()
                .map(|key| (key.to_string(), json_value(run, key)))
                .collect(),
        });
        Board {
            key: key.to_string(),
            direction: self.board.direction(),
            assumed: self.assumed,
            nearest: self.nearest.clone(),
            ranked: self.counts.0,
            without: self.counts.1,
            runs: runs.collect(),
        }
    }

    fn print(&self, cx: &Context) {
        let (ranked, without) = self.counts;
        let mut headline = format!(
            "Top {} of {} by {} ({}{})",
            grouped(self.listing.runs.len() as u64),
            count(ranked, "run"),
            self.board.term.key,
            self.board.direction(),
            if self.assumed {
                ", assumed from its name"
            } else {
                ""
            }
        );
        if without > 0 {
            let have = if without == 1 { "has" } else { "have" };
            write!(headline, "; {} {have} no such value", count(without, "run"))
                .expect("a string takes all");
        }
        cx.printer.line(headline);
        if let Some(nearest) = &self.nearest {
            let name = &self.board.term.key.name;
            let told = format!("no run has a metric `{name}`; nearest: `{nearest}`");
            cx.printer.note(told);
        }
        if !self.listing.runs.is_empty() {
            tell(&self.board, &self.listing, (&self.ranks, &self.shown), cx);
        }
    }
}

fn tell(board: &Search, listing: &Listing, (ranks, shown): (&[usize], &[Key]), cx: &Context) {
    let rank_of: BTreeMap<_, usize> = listing
        .runs
        .iter()
        .map(|run| run.no)
        .zip(ranks.iter().copied())
        .collect();
    let keys = std::iter::once(&board.term.key).chain(shown);
    let titles: Vec<String> = keys.clone().map(ToString::to_string).collect();
    let mut more = vec![More {
        title: "RANK",
        cell: Box::new(|run: &RunRow| rank_of[&run.no].to_string()),
    }];
    for (key, title) in keys.zip(&titles) {
        more.push(More {
            title,
            cell: Box::new(move |run: &RunRow| text_value(run, key)),
        });
    }
    cx.printer.table(&listing.table(SystemClock.now(), &more));
}

/// What the wanted metric may have been meant to be, where nothing is ranked and no run of the book has it.
fn nearest_metric(view: &View<'_>, board: &Search, ranked: u64) -> Result<Option<String>> {
    if ranked > 0 {
        return Ok(None);
    }
    let names = view.key_names(KeyKind::Metric)?;
    let wanted = &board.term.key.name;
    if names.contains(wanted) {
        return Ok(None);
    }
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    Ok(nearest::resembling(wanted, &known).map(str::to_owned))
}

/// The term with the direction that puts the best first, and whether that was assumed.
fn directed(
    view: &View<'_>,
    mut term: OrderTerm,
    experiments: &[ExperimentRow],
) -> Result<(OrderTerm, bool)> {
    let ranks = match term.key.kind {
        KeyKind::Metric | KeyKind::Bare => true,
        KeyKind::Attribute | KeyKind::Param | KeyKind::Tag | KeyKind::Dataset => false,
    };
    if !ranks {
        return Err(Failure::Usage {
            problem: format!("`{}` is not a metric", term.key),
            hint: "rank by a metric: `--sort-by accuracy`".to_owned(),
        }
        .into());
    }
    let measure = measure::over_experiments(view, &term.key, experiments)?;
    let counts = match term.key.aggregate {
        Aggregate::Count | Aggregate::Nan => true,
        Aggregate::Last | Aggregate::Min | Aggregate::Max | Aggregate::Mean | Aggregate::Best => {
            false
        }
    };
    let assumed = term.direction.is_none() && measure.goal_assumed.is_some() && !counts;
    let direction = match measure.goal {
        Goal::Min if !counts => Direction::Ascending,
        Goal::Min | Goal::Max | Goal::None => Direction::Descending,
    };
    term.direction = Some(term.direction.unwrap_or(direction));
    Ok((term, assumed))
}

struct Search {
    condition: Expr,
    term: OrderTerm,
    numbers: Vec<ExperimentNo>,
    top: usize,
}

impl Search {
    /// The best runs, how many have the value, and how many that satisfy the filter have none.
    fn find(&self, view: &View<'_>) -> Result<(Listing, u64, u64)> {
        let has = |negated| Expr::IsNull {
            key: self.term.key.clone(),
            negated,
        };
        let query = |condition: Expr, limit| Query {
            filter: Expr::And(vec![self.condition.clone(), condition]),
            experiments: (!self.numbers.is_empty()).then(|| self.numbers.clone()),
            order: vec![self.term.clone()],
            limit,
            ..Query::all()
        };
        let hits = view.search(&query(has(true), self.top))?;
        let without = view.search(&query(has(false), 0))?.total;
        Ok((Listing::read(view, &hits.runs)?, hits.total, without))
    }

    const fn direction(&self) -> &'static str {
        match self.term.direction {
            Some(Direction::Ascending) => "ascending",
            Some(Direction::Descending) | None => "descending",
        }
    }

    /// Ranks from 1; equal values share the first of theirs.
    fn ranks(&self, listing: &Listing) -> Vec<usize> {
        let mut ranks: Vec<usize> = Vec::new();
        let mut before = None;
        for (at, run) in listing.runs.iter().enumerate() {
            let value = Some(json_value(run, &self.term.key));
            let rank = match ranks.last() {
                Some(rank) if value == before => *rank,
                Some(_) | None => at + 1,
            };
            ranks.push(rank);
            before = value;
        }
        ranks
    }
}
