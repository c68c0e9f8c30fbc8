//! What one book gives and an empty one takes in is given again equal, byte for byte.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on is a failed test"
)]

mod random;

use std::path::Path;

use proptest::prelude::*;
use serde_json::json;
use trialbook_exchange::bring::Manner;
use trialbook_exchange::{
    Arrival, Conflicts, Gather, ImportError, Place, Selection, Summary, document,
};
use trialbook_model::id::Entropy;
use trialbook_model::record::*;
use trialbook_model::time::Timestamp;
use trialbook_store::reading::Reading as _;
use trialbook_store::{Book, BookError, BookView, Effort};

use random::operations::run_uid;

struct Count(u8);

impl Entropy for Count {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0 += 1;
        bytes.fill(self.0);
    }
}

fn exported(view: &BookView<'_>) -> Vec<u8> {
    let mut writer = document::Writer::new(Vec::new()).unwrap();
    let mut sink = |record| {
        writer.write(&record).unwrap();
        Ok::<_, BookError>(())
    };
    Gather::new(view)
        .records(&Selection::All, &mut sink)
        .unwrap();
    writer.finish().unwrap().0
}

fn brought(book: &Book, text: &[u8], conflicts: Conflicts) -> Result<Summary, ImportError> {
    let manner = Manner {
        conflicts,
        now: Timestamp(7_000),
        entropy: &mut Count(100),
    };
    let mut arrival = Arrival::new(book, manner)?;
    let file = Place::file(Path::new("x.json"));
    document::read(text, &file, &mut |place, record| {
        arrival.take(place, record)
    })?;
    arrival.finish()
}

fn text_of(book: &Book) -> String {
    String::from_utf8(exported(&book.view().unwrap())).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 40,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]
    #[test]
    fn any_book_comes_back_equal(steps in random::steps()) {
        let first = random::book(&steps);
        let text = text_of(&first);
        let second = random::empty();
        brought(&second, text.as_bytes(), Conflicts::Refuse).unwrap();
        prop_assert_eq!(&text_of(&second), &text, "unsealed");
        second.seal(Effort::All).unwrap();
        prop_assert_eq!(&text_of(&second), &text, "sealed");
        first.seal(Effort::All).unwrap();
        prop_assert_eq!(&text_of(&first), &text, "the first one, sealed");
        // What is there is passed over, and nothing is written.
        let again = brought(&second, text.as_bytes(), Conflicts::Refuse).unwrap();
        prop_assert_eq!((again.runs, again.points, again.experiments), (0, 0, 0));
        prop_assert_eq!(&text_of(&second), &text, "twice");
        let renamed = brought(&second, text.as_bytes(), Conflicts::Rename).unwrap();
        prop_assert!(renamed.renamed.is_empty());
        prop_assert!(!text.contains("pssst"), "a secret leaves no book");
    }
}

fn said(time: i64, op: &serde_json::Value) -> String {
    format!("{{\"time\":{time},\"op\":{op}}}")
}

fn whole(records: &[String]) -> String {
    let list = records.join(",\n");
    format!(
        "{{\"format\":\"trialbook-export\",\"version\":1,\"records\":[\n{list}\n],\"count\":{}}}",
        records.len()
    )
}

fn small(tag: &str) -> Vec<String> {
    let (run, experiment) = (run_uid(0), run_uid(9));
    let create =
        json!({"create_experiment": {"experiment": experiment, "project": "p", "name": "e"}});
    let start = json!({"start_run": {"run": run, "experiment": experiment, "number": 1, "name": "m", "started": 2, "status": "running"}});
    let tags = json!({"set_tags": {"subject": {"run": run}, "tags": [["t", tag]]}});
    let pointer = json!({"set_pointer": {"project": "p", "kind": "baseline", "name": "main", "value": {"run": run}}});
    let points = json!({"points": {"of": {"run": run}, "series": [{"key": "a"}], "steps": [1, 2], "times": [5, 2], "values": [["NaN", 0.5]]}});
    vec![
        said(1, &create),
        said(2, &start),
        said(9, &tags),
        points.to_string(),
        said(4, &pointer),
    ]
}

#[test]
fn an_experiment_that_moved_and_has_another_name_is_known_again() {
    let mut records = small("one");
    for (time, field, value) in [(20, "name", "f"), (21, "project", "q")] {
        let subject = json!({"experiment": run_uid(9)});
        let op = json!({"set_field": {"subject": subject, "field": field, "value": value}});
        records.push(said(time, &op));
    }
    let book = random::empty();
    brought(&book, whole(&records).as_bytes(), Conflicts::Refuse).unwrap();
    let text = text_of(&book);
    let again = brought(&book, text.as_bytes(), Conflicts::Refuse).unwrap();
    assert_eq!((again.experiments, again.runs, again.same), (0, 0, 1));
    assert_eq!(text_of(&book), text);
    // Who does not know yet that it moved has the same experiment.
    let early = whole(&small("one"));
    let again = brought(&book, early.as_bytes(), Conflicts::Refuse).unwrap();
    assert_eq!((again.experiments, again.same, again.records), (0, 1, 0));
    assert_eq!(text_of(&book), text);
}

#[test]
fn a_run_that_differs_is_refused_or_comes_in_beside() {
    let book = random::empty();
    brought(&book, whole(&small("one")).as_bytes(), Conflicts::Refuse).unwrap();
    let before = text_of(&book);
    let other = whole(&small("two"));
    let error = brought(&book, other.as_bytes(), Conflicts::Refuse).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("x.json:4:1: run 01010101"), "{text}");
    assert!(error.hint().unwrap().contains("--rename"));
    assert_eq!(text_of(&book), before, "nothing by halves");
    let summary = brought(&book, other.as_bytes(), Conflicts::Rename).unwrap();
    let (old, new) = summary.renamed[0];
    assert_eq!((old, summary.points), (run_uid(0), 2));
    let view = book.view().unwrap();
    let renamed = view.run_by_uid(new).unwrap().unwrap();
    assert_eq!(renamed.number, Some(2));
    assert_eq!(renamed.state.name(), Some("m-2"));
    assert_eq!(renamed.state.annotations.tags().next(), Some(("t", "two")));
    let kept = view.run_by_uid(old).unwrap().unwrap();
    assert_eq!(kept.state.annotations.tags().next(), Some(("t", "one")));
    assert_eq!(kept.experiment, renamed.experiment);
}

#[test]
fn a_part_of_a_run_is_another_run() {
    let book = random::empty();
    let mut records = small("one");
    brought(&book, whole(&records).as_bytes(), Conflicts::Refuse).unwrap();
    records.remove(3);
    let error = brought(&book, whole(&records).as_bytes(), Conflicts::Refuse).unwrap_err();
    assert!(error.to_string().contains("differs"), "{error}");
    let summary = brought(&book, whole(&records).as_bytes(), Conflicts::Rename).unwrap();
    assert_eq!((summary.renamed.len(), summary.points), (1, 0));
}

#[test]
fn an_experiment_whose_name_is_taken_is_refused_or_renamed() {
    let book = random::empty();
    brought(&book, whole(&small("one")).as_bytes(), Conflicts::Refuse).unwrap();
    let other = whole(&small("one"))
        .replace("01010101", "77777777")
        .replace("0a0a0a0a", "78787878");
    let error = brought(&book, other.as_bytes(), Conflicts::Refuse).unwrap_err();
    assert_eq!(
        error.to_string(),
        "x.json:2:1: another experiment of the book is called `p/e`"
    );
    brought(&book, other.as_bytes(), Conflicts::Rename).unwrap();
    let names: Vec<_> = book.view().unwrap().experiments().unwrap();
    let mut names: Vec<_> = names.iter().filter_map(|row| row.state.name()).collect();
    names.sort_unstable();
    assert_eq!(names, ["Default", "e", "e-2"]);
}

#[test]
fn what_cannot_be_right_leaves_the_book_as_it_was() {
    let book = random::empty();
    let before = text_of(&book);
    let run = run_uid(0);
    let check = |op: serde_json::Value, expected: &str| {
        let mut records = small("one");
        records.push(said(5, &op));
        let error = brought(&book, whole(&records).as_bytes(), Conflicts::Refuse).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(text_of(&book), before);
    };
    check(
        json!({"link_snapshot": {"run": run, "kind": "config", "sha256": "0".repeat(64), "document": {}}}),
        "x.json:7:1: the snapshot has not the hash",
    );
    check(
        json!({"put_artifact": {"subject": {"run": run}, "path": "../x", "sha256": "0".repeat(64)}}),
        "x.json:7:1: `put_artifact.path` is not",
    );
    check(
        json!({"set_tags": {"subject": {"run": run}}}),
        "missing field `tags`",
    );
}

#[test]
fn half_of_an_experiment_is_selected_with_what_leads_to_it() {
    let book = random::empty();
    brought(&book, whole(&small("one")).as_bytes(), Conflicts::Refuse).unwrap();
    let view = book.view().unwrap();
    let no = view.run_no(run_uid(0)).unwrap().unwrap();
    let mut ops = Vec::new();
    let mut sink = |record| {
        ops.push(record);
        Ok::<_, BookError>(())
    };
    let wanted = Selection::Some {
        experiments: std::iter::empty().collect(),
        runs: [no].into_iter().collect(),
    };
    Gather::new(&view).records(&wanted, &mut sink).unwrap();
    let pointers = ops.iter().filter(|record| {
        matches!(record, trialbook_exchange::Record::Said(said) if matches!(said.op, Op::SetPointer(_)))
    });
    assert_eq!((ops.len(), pointers.count()), (5, 1));
}
