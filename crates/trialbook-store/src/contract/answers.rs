//! All answers of a book, written out.

use std::fmt::Write as _;

use trialbook_model::filter::{Dialect, parse, parse_order};
use trialbook_model::id::{EntryNo, ExperimentNo, RunNo};
use trialbook_model::record::{EntryKind, Hidden, SeriesKey};
use trialbook_model::state::Records;
use trialbook_spool::codec::{Along, BucketSpec, Buckets};

use super::operations::{ENTRIES, RUNS, SNAPSHOTS, entry_uid, run_uid, sum};
use crate::nouns::{EntryRow, Owner};
use crate::query::{Entries, Query, Shown};
use crate::reading::Reading;

/// Conditions and orders.
const SEARCHES: [(&str, &str); 6] = [
    ("datasets.name = 'd'", "started"),
    ("metrics.a > 0", "metrics.b DESC"),
    ("params.k = '1' OR tags.t = 'u'", "started"),
    ("NOT status = 'running'", "params.l, metrics.a"),
    ("experiment LIKE 'e%'", "number DESC"),
    ("project = 'p' AND metrics.c < 3", "duration_ms"),
];

/// Every answer to every question that the script gives reason to ask.
pub(super) fn answers<R: Reading>(book: &R) -> Vec<String> {
    let mut out = Vec::new();
    for row in book.experiments().unwrap() {
        out.push(format!("experiment {row:?}"));
        let owner = Owner::Experiment(row.no);
        records(book, &owner, &row.state.records, &mut out);
        let again = book.experiment(row.no).unwrap();
        assert_eq!(format!("{again:?}"), format!("{:?}", Some(row)));
    }
    assert_eq!(book.experiment(ExperimentNo(99)).unwrap(), None);
    for name in book.projects().unwrap() {
        let state = book.project(&name).unwrap();
        out.push(format!("project {name}: {state:?}"));
        records(book, &Owner::Project(name), &state.records, &mut out);
    }
    register(book, &mut out);
    for uid in 0..RUNS {
        out.push(format!(
            "run {uid} has {:?}",
            book.run_no(run_uid(uid)).unwrap()
        ));
    }
    out.push(format!("{} runs", book.run_count().unwrap()));
    out.push(format!("newest: {:?}", book.newest(3).unwrap()));
    out.push(format!("facts: {:?}", book.experiment_facts().unwrap()));
    assert!(book.damaged().unwrap().is_empty());
    let numbers: Vec<RunNo> = (0..=u64::from(RUNS) * 2).rev().map(RunNo).collect();
    for row in book.runs(&numbers).unwrap() {
        out.push(format!("{row:?}"));
        run(book, row.no, &row.state.records, &mut out);
    }
    side_by_side(book, &numbers, &mut out);
    searches(book, &mut out);
    let labels = ["a".to_owned(), "b".to_owned()];
    for labels in [&labels[..], &labels[1..], &[]] {
        let groups = book.group_items(&numbers, labels).unwrap();
        out.push(format!("by {labels:?}: {groups:?}"));
    }
    out.push(format!("unknown: {:?}", book.unknown().unwrap()));
    for at in 0..SNAPSHOTS {
        out.push(format!(
            "snapshot {at}: {:?}",
            book.snapshot(&sum(at)).unwrap()
        ));
    }
    out
}

/// The register: all entries, each by itself, by kind, by what they belong to, by name.
fn register<R: Reading>(book: &R, out: &mut Vec<String>) {
    for uid in 0..ENTRIES {
        let no = book.entry_no(entry_uid(uid)).unwrap();
        out.push(format!("entry {uid} has {no:?}"));
    }
    let all = book.entries(&Entries::All).unwrap();
    for row in &all {
        let secret = row.state.secret().map(Hidden::reveal);
        out.push(format!("entry {row:?} with {secret:?}"));
        records(book, &Owner::Entry(row.no), &row.state.records, out);
        let again = book.entry(row.no).unwrap();
        assert_eq!(format!("{again:?}"), format!("{:?}", Some(row)));
    }
    assert_eq!(book.entry(EntryNo(99)).unwrap(), None);
    let numbers = |rows: Vec<EntryRow>| rows.iter().map(|row| row.no.0).collect::<Vec<_>>();
    let owners: Vec<Owner> = all
        .iter()
        .map(|row| Owner::Entry(row.no))
        .chain([Owner::Project("p".to_owned())])
        .chain((0..3).map(|no| Owner::Experiment(ExperimentNo(no))))
        .collect();
    for kind in EntryKind::ALL {
        let some = book.entries(&Entries::Kind(kind)).unwrap();
        out.push(format!("{kind:?}: {:?}", numbers(some)));
        for owner in &owners {
            let some = book.entries(&Entries::Of(kind, owner.clone())).unwrap();
            out.push(format!("{kind:?} of {owner:?}: {:?}", numbers(some)));
        }
    }
    for (project, name) in [("p", "c"), ("p", "d"), ("q", "c"), ("q", "d")] {
        let found = book.collection(project, name).unwrap();
        out.push(format!("collection {project}/{name}: {found:?}"));
    }
}

fn searches<R: Reading>(book: &R, out: &mut Vec<String>) {
    let first = run_uid(0).to_string();
    for digits in ["", &first[..2], &first[..7], &first, "f", "0F", "xyz"] {
        let found = book.runs_beginning(digits, usize::MAX >> 1).unwrap();
        out.push(format!("beginning {digits}: {found:?}"));
    }
    for shown in [Shown::Active, Shown::WithArchived, Shown::Bin, Shown::All] {
        for limit in [2, usize::MAX] {
            let query = Query {
                shown,
                limit,
                offset: usize::from(limit == 2),
                ..Query::all()
            };
            out.push(format!(
                "{shown:?} {limit}: {:?}",
                book.search(&query).unwrap()
            ));
        }
    }
    out.push(format!("runs: {:?}", book.count_runs().unwrap()));
    for (filter, order) in SEARCHES {
        let query = Query {
            filter: parse(filter, Dialect::Native).unwrap(),
            order: parse_order(order, Dialect::Native).unwrap(),
            shown: Shown::All,
            ..Query::all()
        };
        out.push(format!(
            "{filter} by {order}: {:?}",
            book.search(&query).unwrap()
        ));
    }
}

fn run<R: Reading>(book: &R, no: RunNo, known: &Records, out: &mut Vec<String>) {
    records(book, &Owner::Run(no), known, out);
    out.push(format!("logs of {no}: {:?}", book.logs(no).unwrap()));
    out.push(format!("items of {no}: {:?}", book.items(no).unwrap()));
    let judged = book.assessments(no).unwrap();
    out.push(format!("assessments of {no}: {judged:?}"));
}

fn records<R: Reading>(book: &R, owner: &Owner, known: &Records, out: &mut Vec<String>) {
    out.push(format!(
        "events of {owner:?}: {:?}",
        book.events(owner).unwrap()
    ));
    out.push(format!("spans: {:?}", book.spans(owner).unwrap()));
    let nothing = SeriesKey::plain("nothing");
    for key in known.series.keys().chain([&nothing]) {
        let series = book.series(owner, key).unwrap();
        let bits: Vec<u64> = series.values.iter().map(|value| value.to_bits()).collect();
        out.push(format!(
            "{key} of {owner:?}: {:?} {:?} {bits:x?}",
            series.steps, series.times
        ));
        for (along, range) in [
            (Along::Step, (1, 0)),
            (Along::Time, (1, 0)),
            (Along::Step, (2, 5)),
        ] {
            let spec = BucketSpec {
                along,
                from: range.0,
                to: range.1,
                count: 3,
            };
            out.push(text_of(&book.buckets(owner, key, spec).unwrap()));
        }
    }
}

/// One key of many runs at once: the runs that have it, those that lack it, and some that are not there.
fn side_by_side<R: Reading>(book: &R, numbers: &[RunNo], out: &mut Vec<String>) {
    let runs: Vec<Owner> = numbers.iter().map(|no| Owner::Run(*no)).collect();
    for key in ["a", "b", "nothing"] {
        let key = SeriesKey::plain(key);
        let spec = BucketSpec {
            along: Along::Step,
            from: 1,
            to: 0,
            count: 4,
        };
        let together = book.buckets_each(&runs, &key, spec).unwrap();
        let together: Vec<String> = together.iter().map(text_of).collect();
        out.push(format!("{key} side by side: {together:?}"));
    }
}

/// Sums are rounded at each addition and may differ by the order; all else may not.
fn text_of(buckets: &Buckets) -> String {
    let mut text = format!("{:?} {:?}", buckets.spec(), buckets.detail());
    for bucket in buckets
        .as_slice()
        .iter()
        .filter(|bucket| !bucket.is_empty())
    {
        let counts = (bucket.finite, bucket.nan, bucket.pos_inf, bucket.neg_inf);
        let values = (bucket.min, bucket.max, bucket.last);
        let steps = (bucket.first_step, bucket.last_step);
        let times = (bucket.first_time, bucket.last_time);
        write!(text, " {counts:?} {values:?} {steps:?} {times:?}").unwrap();
    }
    text
}
