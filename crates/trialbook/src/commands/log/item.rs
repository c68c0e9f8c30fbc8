//! `trialbook log item`: one judged answer.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::derived::verdict;
use trialbook_model::id::RunUid;
use trialbook_model::record::{Item, Op, RunError, Score};

use crate::book::Open;
use crate::context::Context;
use crate::failure::Failure;
use crate::target::RunChoice;
use crate::values;

/// Longer inputs and outputs are kept as files named by their content.
const INLINE: usize = 4 * 1024;
/// The score that says right or wrong.
const CORRECT: &str = "correct";

/// Record a judged answer
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook log item q-17 --score correct=true --label model=gpt --label type=lookup
  trialbook log item q-18 --score f1=0.71 --expected 42 --predicted 41 --latency-ms 130 --cost 0.002
  trialbook log item q-19 --error-kind timeout --error 'no answer within 30 s'")]
pub(crate) struct Args {
    /// The item's id inside its dataset
    id: String,
    /// A score: NAME=true, NAME=0.7, NAME=text
    #[arg(long = "score", value_name = "NAME=VALUE")]
    scores: Vec<String>,
    /// The name of the score that counts; default: correct, else the only one
    #[arg(long, value_name = "NAME")]
    primary: Option<String>,
    /// A label: model, benchmark, domain, type, method, level …
    #[arg(long = "label", value_name = "KEY=VALUE")]
    labels: Vec<String>,
    /// The expected answer
    #[arg(long, value_name = "TEXT")]
    expected: Option<String>,
    /// The given answer
    #[arg(long, value_name = "TEXT")]
    predicted: Option<String>,
    /// The input
    #[arg(long, value_name = "TEXT")]
    input: Option<String>,
    /// The output
    #[arg(long, value_name = "TEXT")]
    output: Option<String>,
    /// Milliseconds until the answer
    #[arg(long, value_name = "NUMBER")]
    latency_ms: Option<f64>,
    /// Tokens in
    #[arg(long, value_name = "NUMBER")]
    tokens_in: Option<u64>,
    /// Tokens out
    #[arg(long, value_name = "NUMBER")]
    tokens_out: Option<u64>,
    /// What it cost
    #[arg(long, value_name = "NUMBER")]
    cost: Option<f64>,
    /// The currency of the cost; default USD
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// Which repeat of the item, from 1
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    repeat: Option<u64>,
    /// Which attempt, from 1
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    attempt: Option<u64>,
    /// The agent that answered
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Why it has no answer
    #[arg(long, value_name = "TEXT")]
    error: Option<String>,
    /// The class of the error
    #[arg(long, value_name = "WORD", default_value = "error")]
    error_kind: String,
    /// The answer came from a cache
    #[arg(long)]
    cached: bool,
    #[command(flatten)]
    choice: RunChoice,
}

#[derive(Serialize)]
struct Logged {
    run: String,
    handle: String,
    item: String,
}

/// Records it.
pub(super) fn run(args: Args, cx: &Context) -> Result<ExitCode> {
    values::check_name("an item", &args.id)?;
    let scores = scores(&args.scores)?;
    if let Some(primary) = args
        .primary
        .as_ref()
        .filter(|name| !scores.contains_key(*name))
    {
        return Err(Failure::Usage {
            problem: format!("`{primary}` is to count and is not among the scores"),
            hint: format!("add --score {primary}=VALUE"),
        }
        .into());
    }
    let labels = values::pairs(&args.labels, "label")?.into_iter().collect();
    let (open, target) = super::open(&args.choice, cx)?;
    let id = args.id.clone();
    let item = item(args, target.uid(), (scores, labels), &open)?;
    let unjudged = unjudged(&item);
    let mut writer = open.writer(cx)?;
    writer.record(&Op::Item(Box::new(item)))?;
    writer.finish(cx)?;
    if let Some(unjudged) = unjudged {
        cx.printer.note(unjudged);
    }
    if cx.printer.json_wanted() {
        let logged = Logged {
            run: target.uid().to_string(),
            handle: target.title.clone(),
            item: id,
        };
        cx.printer.json(super::SCHEMA, &logged)?;
    } else {
        cx.printer
            .line(format!("Logged item {id} to {}", target.told()));
    }
    Ok(ExitCode::SUCCESS)
}

/// What to say where the score `correct` is neither right nor wrong.
fn unjudged(item: &Item) -> Option<String> {
    let counts = item.primary.as_deref().is_none_or(|it| it == CORRECT);
    let is_verdict = || verdict(item).is_some_and(|it| it.correct.is_some());
    if !counts || item.error.is_some() || !item.scores.contains_key(CORRECT) || is_verdict() {
        return None;
    }
    Some(format!(
        "`{CORRECT}` is neither true, false nor a number from 0 to 1: item {} counts as not judged",
        item.id
    ))
}

type Parts = (BTreeMap<String, Score>, BTreeMap<String, String>);

fn item(args: Args, run: RunUid, (scores, labels): Parts, open: &Open) -> Result<Item> {
    let kept = |text: Option<String>| text.map(|text| inline(text, open)).transpose();
    Ok(Item {
        run,
        id: args.id,
        repeat: args.repeat,
        attempt: args.attempt,
        labels,
        scores,
        primary: args.primary,
        expected: args.expected,
        predicted: args.predicted,
        input: kept(args.input)?,
        output: kept(args.output)?,
        latency_ms: args.latency_ms,
        tokens_in: args.tokens_in,
        tokens_out: args.tokens_out,
        cost: args.cost,
        currency: args.currency,
        cached: args.cached.then_some(true),
        error: args.error.map(|message| RunError {
            kind: args.error_kind,
            message,
        }),
        agent: args.agent,
        trace: None,
    })
}

/// The text, or where its bytes are if it is long.
fn inline(text: String, open: &Open) -> Result<String> {
    if text.len() <= INLINE {
        return Ok(text);
    }
    let sum = open.artifacts()?.put(&mut text.as_bytes())?;
    Ok(format!("sha256:{}", sum.sha256))
}

fn scores(words: &[String]) -> Result<BTreeMap<String, Score>, Failure> {
    let score = |(name, text): (String, String)| {
        values::check_name("a score", &name)?;
        let score = match text.as_str() {
            "true" => Score::Bool(true),
            "false" => Score::Bool(false),
            _ => text.parse().map_or(Score::Text(text), Score::Number),
        };
        Ok((name, score))
    };
    values::pairs(words, "score")?
        .into_iter()
        .map(score)
        .collect()
}
