//! Judged items: counting a million of them by two labels.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, ensure};
use trialbook_model::id::{ExperimentUid, RunNo, RunUid};
use trialbook_model::record::{Item, Op, Score};
use trialbook_store::book::Effort;
use trialbook_store::reading::Reading as _;

use crate::figure::{Figure, median};
use crate::fill;
use crate::machine::{copy_ms, seconds};
use crate::mix::Random;

const BENCH: &str = "items";
const ITEMS: u64 = 1_000_000;

/// The figures.
pub(crate) fn run(folder: &Path) -> Result<Vec<Figure>> {
    Ok(vec![
        grouped(&folder.join("one"), 1, "10⁶ items by two labels, one run")?.target(30.0),
        grouped(
            &folder.join("many"),
            1000,
            "10⁶ items by two labels, 1,000 runs",
        )?
        .target(80.0),
    ])
}

fn grouped(folder: &Path, runs: u64, name: &str) -> Result<Figure> {
    let book = fill::book(folder)?;
    let mut recorder = fill::recorder(&book, 6)?;
    let mut random = Random::new(7);
    for at in 0..runs {
        let run = RunUid(fill::uid(1, at));
        fill::start(&mut recorder, run, ExperimentUid::default())?;
        for item in 0..ITEMS / runs {
            recorder.record(&Op::Item(Box::new(item_of(run, item, &mut random))))?;
        }
        fill::end(&mut recorder, run)?;
    }
    recorder.finish()?;
    book.seal(Effort::All)?;
    let view = book.view()?;
    let numbers: Vec<RunNo> = (1..=runs).map(RunNo).collect();
    let labels = ["model".to_owned(), "domain".to_owned()];
    let mut times = Vec::new();
    for _ in 0..7 {
        let (took, groups) = seconds(|| view.group_items(&numbers, &labels));
        let counted: u64 = groups?.iter().map(|group| group.count).sum();
        ensure!(counted == ITEMS, "{counted} items are counted");
        times.push(took * 1e3);
    }
    // Two label codes, a score, a latency, a cost and a flag for each item.
    let columns = copy_ms(ITEMS as usize * (2 * 2 + 3 * 8 + 1));
    Ok(
        Figure::lower(BENCH, name, median(&mut times), "ms")
            .limit("memcpy of the columns", columns),
    )
}

fn item_of(run: RunUid, at: u64, random: &mut Random) -> Item {
    let mut item: Item = empty(run, format!("q{at}"));
    item.labels = BTreeMap::from([
        ("model".to_owned(), format!("model-{}", random.bits() % 5)),
        (
            "domain".to_owned(),
            format!("domain-{}", random.bits() % 20),
        ),
        ("level".to_owned(), format!("{}", random.bits() % 7)),
    ]);
    item.scores = BTreeMap::from([("correct".to_owned(), Score::Bool(random.unit() < 0.7))]);
    item.predicted = Some(format!("answer {}", random.bits() % 100));
    item.latency_ms = Some(100.0 + random.unit() * 900.0);
    item.tokens_in = Some(random.bits() % 500);
    item.tokens_out = Some(random.bits() % 200);
    item.cost = Some(random.unit() * 0.01);
    item
}

fn empty(run: RunUid, id: String) -> Item {
    Item {
        run,
        id,
        repeat: None,
        attempt: None,
        labels: BTreeMap::new(),
        scores: BTreeMap::new(),
        primary: None,
        expected: None,
        predicted: None,
        input: None,
        output: None,
        latency_ms: None,
        tokens_in: None,
        tokens_out: None,
        cost: None,
        currency: None,
        cached: None,
        error: None,
        agent: None,
        trace: None,
    }
}
