use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use trialbook_model::filter::{
    Aggregate, Attribute, AttributeType, Case, Collation, CompareOp, Direction, Expr, Key, KeyKind,
    Literal, OrderTerm,
};
use trialbook_model::id::{ExperimentNo, RunUid};
use trialbook_model::record::{Goal, ParamKind};

use super::layout::SEGMENT;
use super::*;
use crate::query::{Hits, Query, Shown};
use crate::reference::search::judged;

const BOOK: Uid = Uid([7; 16]);

/// Draws what a test needs from a seed (xorshift).
struct Draw(u64);

impl Draw {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

const NUMBERS: [f64; 11] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    -0.0,
    0.0,
    1.0,
    2.0,
    0.5,
    -3.0,
    1e300,
    1000.0,
];
const TEXTS: [&str; 12] = [
    "", "1", "1.0", "0.5", "abc", "abd", "NaN", "true", "1e3", "-0", "aXc", "größe",
];
const NAMES: [&str; 5] = ["a", "b", "derived.a", "p", "q"];
const CONTEXTS: [&str; 2] = ["", "{\"split\":\"test\"}"];

fn numbers(draw: &mut Draw) -> Numbers {
    let value = draw.one(&NUMBERS);
    if draw.chance(50) {
        return Numbers::of_one(value);
    }
    let finite = [f64::NAN, -1.0, 0.0, 1.0, 2.0];
    let (min, max) = (draw.one(&finite), draw.one(&finite));
    Numbers {
        last: value,
        min,
        max,
        mean: draw.one(&finite),
        count: draw.below(4) as f64,
        nan: draw.below(2) as f64,
    }
}

fn fact(draw: &mut Draw, attribute: Attribute) -> Option<Fact<'static>> {
    let own = !matches!(
        attribute,
        Attribute::Id
            | Attribute::No
            | Attribute::Handle
            | Attribute::Experiment
            | Attribute::ExperimentId
            | Attribute::Project
    );
    if !own || draw.chance(40) {
        return None;
    }
    match attribute.value_type() {
        AttributeType::Number if attribute == Attribute::Number => {
            Some(Fact::Number(1.0 + draw.below(3) as f64))
        }
        AttributeType::Number => Some(Fact::Number(draw.one(&NUMBERS))),
        AttributeType::Time => Some(Fact::Time(draw.below(5) as i64 - 2)),
        AttributeType::Text => Some(Fact::Text(Cow::from(draw.one(&TEXTS)))),
        AttributeType::Status => Some(Fact::Text(Cow::from(draw.one(&["running", "failed"])))),
        AttributeType::Flag => None,
    }
}

fn run(draw: &mut Draw, no: u64) -> RunFacts<'static> {
    let attributes: Vec<(Attribute, Fact<'static>)> = Attribute::ALL
        .iter()
        .filter_map(|attribute| Some((*attribute, fact(draw, *attribute)?)))
        .collect();
    let number = attributes.iter().find_map(|(attribute, fact)| match fact {
        Fact::Number(number) if *attribute == Attribute::Number => Some(*number as u64),
        Fact::Number(_) | Fact::Time(_) | Fact::Text(_) => None,
    });
    let (mut metrics, mut derived) = (BTreeMap::new(), BTreeMap::new());
    let (mut params, mut tags) = (BTreeMap::new(), BTreeMap::new());
    for name in NAMES.map(Cow::from) {
        for context in CONTEXTS {
            if draw.chance(40) {
                metrics.insert((name.clone(), Cow::from(context)), numbers(draw));
            }
        }
        if draw.chance(30) {
            derived.insert(name.clone(), Numbers::of_one(draw.one(&NUMBERS)));
        }
        if draw.chance(50) {
            let kinds = [ParamKind::Text, ParamKind::Number, ParamKind::Bool];
            params.insert(
                name.clone(),
                (Cow::from(draw.one(&TEXTS)), draw.one(&kinds)),
            );
        }
        if draw.chance(50) {
            tags.insert(name, Cow::from(draw.one(&TEXTS)));
        }
    }
    let datasets = if draw.chance(70) { 0 } else { draw.below(3) };
    RunFacts {
        no: RunNo(no),
        uid: RunUid(Uid([no as u8; 16])),
        experiment: ExperimentNo(draw.below(4) as u64),
        number,
        archived: draw.chance(10),
        deleted: draw.chance(10),
        attributes,
        metrics: metrics.into_iter().collect(),
        derived: derived.into_iter().collect(),
        params: params.into_iter().collect(),
        tags: tags.into_iter().collect(),
        datasets: (0..datasets).map(|_| dataset(draw)).collect(),
    }
}

fn dataset(draw: &mut Draw) -> DatasetFacts {
    let texts = ["abc", "a\0c", "a\\0", "+", ""];
    let mut field = || draw.chance(70).then(|| draw.one(&texts).to_owned());
    DatasetFacts {
        name: field(),
        digest: field(),
        context: field(),
    }
}

fn experiment(draw: &mut Draw, no: u64) -> ExperimentFacts {
    let goals = [Goal::Min, Goal::Max, Goal::None];
    ExperimentFacts {
        no: ExperimentNo(no),
        name: draw.chance(80).then(|| draw.one(&TEXTS).to_owned()),
        handle: draw.chance(60).then(|| format!("EXP-{no}")),
        project: draw.one(&["default", "abc"]).to_owned(),
        archived: draw.chance(15),
        deleted: draw.chance(15),
        goals: NAMES
            .iter()
            .take(draw.below(6))
            .map(|name| ((*name).to_owned(), draw.one(&goals)))
            .collect(),
    }
}

fn key(draw: &mut Draw) -> Key {
    let kinds = [
        KeyKind::Attribute,
        KeyKind::Metric,
        KeyKind::Metric,
        KeyKind::Param,
        KeyKind::Tag,
        KeyKind::Dataset,
        KeyKind::Bare,
        KeyKind::Bare,
    ];
    let kind = draw.one(&kinds);
    let name = match kind {
        KeyKind::Attribute => draw.one(Attribute::ALL).name(),
        KeyKind::Dataset => draw.one(&["name", "digest", "context"]),
        KeyKind::Metric | KeyKind::Param | KeyKind::Tag | KeyKind::Bare => draw.one(&NAMES),
    };
    let mut key = Key::new(kind, name);
    if matches!(kind, KeyKind::Metric | KeyKind::Bare) {
        key.aggregate = draw.one(&Aggregate::ALL);
        key.context = draw.one(&CONTEXTS).to_owned();
    }
    key
}

fn literal(draw: &mut Draw) -> Literal {
    match draw.below(4) {
        0 => Literal::Text(draw.one(&TEXTS).to_owned()),
        1 => Literal::Time(draw.below(5) as i64 - 2, "then".to_owned()),
        2 => {
            let no = draw.one(&[1_u8, 2, 5]);
            let words = [
                "true".to_owned(),
                "EXP-1/run-001".to_owned(),
                Uid([no; 16]).to_string(),
            ];
            Literal::Text(draw.one(&words))
        }
        _ => Literal::number(draw.one(&NUMBERS)),
    }
}

fn filter(draw: &mut Draw, depth: usize) -> Expr {
    let negated = draw.chance(50);
    match draw.below(if depth == 0 { 5 } else { 8 }) {
        0 | 1 => Expr::Compare {
            key: key(draw),
            op: draw.one(&CompareOp::ALL),
            value: literal(draw),
        },
        2 => Expr::Like {
            key: key(draw),
            pattern: draw
                .one(&["%", "a%", "%c", "%b%", "a_c", "abc", "", "%1%0", "EXP%"])
                .to_owned(),
            case: draw.one(&[Case::Sensitive, Case::Insensitive]),
            negated,
        },
        3 => Expr::In {
            key: key(draw),
            values: (0..=draw.below(3)).map(|_| literal(draw)).collect(),
            negated,
        },
        4 => Expr::IsNull {
            key: key(draw),
            negated,
        },
        5 => Expr::And(
            (0..draw.below(4))
                .map(|_| filter(draw, depth - 1))
                .collect(),
        ),
        6 => Expr::Or(
            (0..draw.below(4))
                .map(|_| filter(draw, depth - 1))
                .collect(),
        ),
        _ => Expr::Not(Box::new(filter(draw, depth - 1))),
    }
}

fn query(draw: &mut Draw) -> Query {
    let directions = [
        None,
        Some(Direction::Ascending),
        Some(Direction::Descending),
    ];
    let terms = draw.below(4);
    Query {
        filter: if draw.chance(30) {
            Expr::all()
        } else {
            filter(draw, 3)
        },
        experiments: draw
            .chance(20)
            .then(|| vec![ExperimentNo(1), ExperimentNo(draw.below(9) as u64)]),
        shown: draw.one(&[Shown::All, Shown::Active, Shown::WithArchived, Shown::Bin]),
        order: (0..terms)
            .map(|_| OrderTerm {
                key: key(draw),
                direction: draw.one(&directions),
                collation: draw.one(&[Collation::Natural, Collation::Text]),
            })
            .collect(),
        offset: draw.one(&[0, 0, 0, 3, 1000]),
        limit: draw.one(&[0, 1, 3, 10, usize::MAX]),
    }
}

/// A book as plain facts, searched in the plainest way.
#[derive(Default, Clone)]
struct Plain {
    runs: BTreeMap<u64, RunFacts<'static>>,
    experiments: BTreeMap<u64, ExperimentFacts>,
}

impl Plain {
    fn search(&self, query: &Query) -> Hits {
        let views = self.runs.values().map(|run| RunView {
            run,
            experiment: &self.experiments[&run.experiment.0],
        });
        judged(views, query)
    }

    fn apply(&mut self, changes: &Changes) {
        for experiment in &changes.experiments {
            self.experiments.insert(experiment.no.0, experiment.clone());
        }
        for run in &changes.runs {
            self.runs.insert(run.no.0, run.clone());
        }
        for no in &changes.purged {
            self.runs.remove(&no.0);
        }
    }
}

/// Runs of three segments, so that both sparse and dense columns and empty segments occur.
fn some_no(draw: &mut Draw) -> u64 {
    let inside = 1 + draw.below(40) as u64;
    draw.one(&[0, SEGMENT, 3 * SEGMENT]) + inside
}

fn changes(draw: &mut Draw, rev: u64) -> Changes {
    let runs: BTreeSet<u64> = (0..draw.below(12)).map(|_| some_no(draw)).collect();
    Changes {
        rev,
        runs: runs.into_iter().map(|no| run(draw, no)).collect(),
        purged: (0..draw.below(4)).map(|_| RunNo(some_no(draw))).collect(),
        experiments: (0..draw.below(2) as u64)
            .map(|no| experiment(draw, no))
            .collect(),
    }
}

fn first_book(draw: &mut Draw) -> (Plain, Index) {
    let mut plain = Plain::default();
    let mut builder = IndexBuilder::new(BOOK);
    for no in 0..4 {
        let experiment = experiment(draw, no);
        builder.add_experiment(experiment.clone());
        plain.experiments.insert(no, experiment);
    }
    for _ in 0..draw.below(60) {
        let no = some_no(draw);
        plain.runs.insert(no, run(draw, no));
    }
    for run in plain.runs.values() {
        builder.add_run(run).unwrap();
    }
    (plain, builder.finish(1).unwrap())
}

fn check(index: &Index, plain: &Plain, draw: &mut Draw) {
    for _ in 0..12 {
        let query = query(draw);
        assert_eq!(
            index.search(&query).unwrap(),
            plain.search(&query),
            "{query:?}"
        );
    }
    let mut counts = BTreeMap::new();
    let shown = plain.search(&Query {
        shown: Shown::WithArchived,
        ..Query::all()
    });
    for no in shown.runs {
        *counts.entry(plain.runs[&no.0].experiment).or_default() += 1;
    }
    assert_eq!(index.count_runs().unwrap(), counts);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_search_is_that_of_judging_and_sorting_every_run(seed: u64) {
        let mut draw = Draw::new(seed);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        let (mut plain, mut index) = first_book(&mut draw);
        check(&index, &plain, &mut draw);
        for rev in 2..6 {
            let changes = changes(&mut draw, rev);
            plain.apply(&changes);
            index.apply(changes);
            check(&index, &plain, &mut draw);
            match draw.below(3) {
                0 => index.settle().unwrap(),
                1 => index.write(&path).unwrap(),
                _ => {}
            }
            check(&index, &plain, &mut draw);
        }
        index.write(&path).unwrap();
        let again = Index::open(&path, BOOK).unwrap();
        assert_eq!(again.rev(), 5);
        check(&again, &plain, &mut draw);
    }
}

/// Every byte of a snapshot, changed: the answer is the right one or none. A search opens the columns that it
/// names, so each query gets its own look.
#[test]
fn a_damaged_snapshot_gives_no_wrong_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let mut draw = Draw::new(11);
    let (plain, mut index) = small_book(&mut draw);
    index.write(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let queries = telling_queries();
    let right: Vec<Hits> = queries.iter().map(|query| plain.search(query)).collect();
    let damaged = folder.path().join("damaged");
    let (mut refused, mut answered) = (0, 0);
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        std::fs::write(&damaged, &bytes).unwrap();
        let Ok(index) = Index::open(&damaged, BOOK) else {
            refused += 1;
            continue;
        };
        for (query, right) in queries.iter().zip(&right) {
            match index.search(query) {
                Ok(hits) => assert_eq!(&hits, right, "byte {at}: {query:?}"),
                Err(Damaged) => refused += 1,
            }
            answered += 1;
        }
        std::fs::remove_file(&damaged).unwrap();
    }
    assert!(refused > 1000 && answered > 1000, "{refused} of {answered}");
}

/// What was not looked at yet may be damaged too, and is not to be written as if it were whole.
#[test]
fn damage_is_not_carried_into_the_next_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let (_, mut index) = small_book(&mut Draw::new(13));
    index.write(&path).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100] ^= 1;
    let damaged = folder.path().join("damaged");
    std::fs::write(&damaged, bytes).unwrap();
    let mut index = Index::open(&damaged, BOOK).unwrap();
    let written = index.write(&path);
    assert!(matches!(written, Err(SnapshotError::Damaged(_))));
    assert!(Index::open(&path, BOOK).is_ok(), "the one before stays");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_snapshot_cut_anywhere_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let (_, mut index) = small_book(&mut Draw::new(12));
    index.write(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let cut = folder.path().join("cut");
    for len in (0..whole.len()).step_by(7) {
        std::fs::write(&cut, &whole[..len]).unwrap();
        assert!(Index::open(&cut, BOOK).is_err(), "{len} bytes");
        std::fs::remove_file(&cut).unwrap();
    }
}

fn small_book(draw: &mut Draw) -> (Plain, Index) {
    let mut plain = Plain::default();
    let mut index = Index::empty(BOOK);
    let changes = Changes {
        rev: 1,
        runs: (1..7).map(|no| run(draw, no)).collect(),
        purged: Vec::new(),
        experiments: (0..4).map(|no| experiment(draw, no)).collect(),
    };
    plain.apply(&changes);
    index.apply(changes);
    (plain, index)
}

fn telling_queries() -> Vec<Query> {
    let all = Query {
        shown: Shown::All,
        ..Query::all()
    };
    let by = |kind, name: &str, aggregate| Query {
        order: vec![OrderTerm {
            key: Key {
                aggregate,
                ..Key::new(kind, name)
            },
            direction: None,
            collation: Collation::Natural,
        }],
        ..all.clone()
    };
    vec![
        by(KeyKind::Metric, "a", Aggregate::Last),
        by(KeyKind::Metric, "b", Aggregate::Best),
        by(KeyKind::Param, "p", Aggregate::Last),
        by(KeyKind::Tag, "q", Aggregate::Last),
        by(KeyKind::Attribute, "experiment", Aggregate::Last),
        Query {
            shown: Shown::Active,
            ..by(KeyKind::Attribute, "started", Aggregate::Last)
        },
    ]
}

/// A key that few runs have costs what those runs cost, not what all do.
#[test]
fn rare_keys_cost_little() {
    let mut builder = IndexBuilder::new(BOOK);
    for no in 1..=4000_u64 {
        let metrics = (0..20).map(|at| {
            let key = format!("metric-{:05}", (no * 20 + at) % 12_000);
            ((Cow::from(key), Cow::from("")), Numbers::of_one(no as f64))
        });
        let mut metrics: Vec<_> = metrics.collect();
        metrics.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut facts = bare_run(no);
        facts.metrics = metrics;
        builder.add_run(&facts).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let mut index = builder.finish(1).unwrap();
    index.write(&path).unwrap();
    let (keys, values) = (12_000, 4000 * 20);
    let bytes = std::fs::metadata(&path).unwrap().len();
    assert!(
        bytes < keys * 110 + values * 10 + 4000 * 20,
        "{bytes} bytes"
    );
}

/// Metrics that all runs have with one value, and aggregates that equal the last value, take no bytes a run.
#[test]
fn columns_without_variety_are_free() {
    let folder = tempfile::tempdir().unwrap();
    let sizes = [false, true].map(|with_constants| {
        let mut builder = IndexBuilder::new(BOOK);
        for no in 1..=1000_u64 {
            let mut facts = bare_run(no);
            if with_constants {
                let key = (Cow::from("beta"), Cow::from(""));
                facts.metrics = vec![(key, Numbers::of_one(0.999))];
                facts.params = vec![(Cow::from("model"), (Cow::from("m"), ParamKind::Text))];
            }
            builder.add_run(&facts).unwrap();
        }
        let path = folder.path().join(format!("{with_constants}"));
        builder.finish(1).unwrap().write(&path).unwrap();
        std::fs::metadata(&path).unwrap().len()
    });
    assert!(sizes[1] - sizes[0] < 2 * (64 + 32), "{sizes:?}");
}

fn bare_run(no: u64) -> RunFacts<'static> {
    RunFacts {
        no: RunNo(no),
        uid: RunUid(Uid(u128::from(no).to_be_bytes())),
        experiment: ExperimentNo(0),
        number: None,
        archived: false,
        deleted: false,
        attributes: Vec::new(),
        metrics: Vec::new(),
        derived: Vec::new(),
        params: Vec::new(),
        tags: Vec::new(),
        datasets: Vec::new(),
    }
}

#[test]
fn a_snapshot_of_another_book_or_version_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let missing = Index::open(&path, BOOK);
    assert!(matches!(missing, Err(SnapshotError::Missing)));
    Index::empty(BOOK).write(&path).unwrap();
    let other = Index::open(&path, Uid([8; 16]));
    assert!(matches!(
        other,
        Err(SnapshotError::OtherBook { found: BOOK })
    ));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[8] += 1;
    let newer = folder.path().join("newer");
    std::fs::write(&newer, bytes).unwrap();
    let newer = Index::open(&newer, BOOK);
    assert!(matches!(newer, Err(SnapshotError::Version { found }) if found == VERSION + 1));
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(files.len(), 2, "no draft is left: {files:?}");
}

/// A clone with changes over it does not touch what it was cloned from.
#[test]
fn a_view_over_an_index_leaves_the_index_alone() {
    let mut draw = Draw::new(5);
    let (plain, index) = small_book(&mut draw);
    let (mut over, mut changed) = (index.clone(), plain.clone());
    let changes = changes(&mut draw, 9);
    changed.apply(&changes);
    over.apply(changes);
    check(&over, &changed, &mut draw);
    check(&index, &plain, &mut draw);
    assert_eq!((index.rev(), over.rev()), (1, 9));
}

#[test]
fn runs_at_the_border_of_segments_are_found() {
    let mut index = Index::empty(BOOK);
    let numbers = [
        1,
        SEGMENT - 1,
        SEGMENT,
        SEGMENT + 1,
        2 * SEGMENT,
        2 * SEGMENT + 1,
    ];
    index.apply(Changes {
        rev: 1,
        runs: numbers.iter().map(|no| bare_run(*no)).collect(),
        ..Changes::default()
    });
    let newest_first: Vec<RunNo> = numbers.iter().rev().map(|no| RunNo(*no)).collect();
    assert_eq!(index.search(&Query::all()).unwrap().runs, newest_first);
    index.settle().unwrap();
    assert_eq!(index.search(&Query::all()).unwrap().runs, newest_first);
    assert_eq!(index.pending(), 0);
}

/// The example of `docs/format/index.md` is what is written.
#[test]
fn the_format_page_shows_the_bytes() {
    let page = include_str!("../../../../docs/format/index.md");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let mut index = Index::empty(BOOK);
    let text = |text: &'static str| Cow::from(text);
    index.apply(Changes {
        rev: 9,
        runs: vec![RunFacts {
            metrics: vec![((text("loss"), text("")), Numbers::of_one(0.5))],
            params: vec![(text("lr"), (text("1e-3"), ParamKind::Number))],
            ..bare_run(1)
        }],
        experiments: vec![ExperimentFacts {
            name: Some("Default".to_owned()),
            project: "default".to_owned(),
            goals: BTreeMap::from([("loss".to_owned(), Goal::Min)]),
            ..ExperimentFacts::default()
        }],
        ..Changes::default()
    });
    index.write(&path).unwrap();
    let shown = hex_dump(&std::fs::read(&path).unwrap());
    assert!(page.contains(&shown), "{shown}");
}

fn hex_dump(bytes: &[u8]) -> String {
    let lines = bytes.chunks(16).zip(0..).map(|(line, at)| {
        let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = line.iter().map(|byte| match byte {
            0x20..=0x7e => char::from(*byte),
            _ => '.',
        });
        format!(
            "{:04x}  {:<47}  {}\n",
            at * 16,
            hex.join(" "),
            text.collect::<String>()
        )
    });
    lines.collect()
}
