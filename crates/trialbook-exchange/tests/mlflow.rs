//! Stores that real clients of MLflow 1.30, 2.9, 2.22 and 3.17 wrote come in as those clients say they are.
//!
//! `mlflow/make.py` made them; each file holds a store and what its client said of it.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on is a failed test"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::{Map, Value, json};
use trialbook_exchange::mlflow::{self, ArtifactManner, Given, Places, Report, Wanted};
use trialbook_exchange::{Gather, Selection, document};
use trialbook_model::record::{EntryKind, ModelRole, Op, SeriesKey, SetTags, Subject};
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;
use trialbook_store::nouns::{EntryRow, Owner, RunRow};
use trialbook_store::query::{Entries, Query, Shown};
use trialbook_store::reading::Reading as _;
use trialbook_store::{Book, BookError, BookView, Effort};

const FOLDERS: [&str; 4] = ["folder-1.30", "folder-2.9", "folder-2.22", "folder-3.17"];
const DATABASES: [&str; 4] = [
    "database-1.30",
    "database-2.9",
    "database-2.22",
    "database-3.17",
];
const NOW: Timestamp = Timestamp(1_900_000_000_000_000);

/// A store that was unpacked, and an empty book.
struct Case {
    home: tempfile::TempDir,
    told: Value,
    is_folder: bool,
}

impl Case {
    fn new(name: &str) -> Self {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mlflow");
        let text = fs::read(data.join(format!("{name}.json"))).unwrap();
        let document: Value = serde_json::from_slice(&text).unwrap();
        let home = tempfile::tempdir().unwrap();
        for (path, content) in document["files"].as_object().unwrap() {
            let file = home.path().join("mlruns").join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            let text = content.as_str().map(|text| text.as_bytes().to_vec());
            let bytes = text.unwrap_or_else(|| unhex(content["hex"].as_str().unwrap()));
            fs::write(file, bytes).unwrap();
        }
        if let Some(lines) = document["sql"].as_array() {
            let database = Connection::open(home.path().join("mlflow.db")).unwrap();
            database.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
            for line in lines {
                database.execute_batch(line.as_str().unwrap()).unwrap();
            }
        }
        Self {
            home,
            told: document["told"].clone(),
            is_folder: name.starts_with("folder"),
        }
    }

    fn root(&self) -> PathBuf {
        self.home.path().join("mlruns")
    }

    fn book(&self) -> Book {
        // A book of its own each time.
        let count = fs::read_dir(self.home.path()).unwrap().count();
        Book::create(&self.home.path().join(format!("book-{count}"))).unwrap()
    }

    fn bring_with(&self, book: &Book, wanted: &Wanted) -> Report {
        let address = if self.is_folder {
            "mlruns"
        } else {
            "sqlite:///mlflow.db"
        };
        let mut source = mlflow::open(address, self.home.path(), Places::default()).unwrap();
        mlflow::bring(&mut source, book, wanted, &mut |_| {}).unwrap()
    }

    fn bring(&self, book: &Book) -> Report {
        let now = NOW;
        self.bring_with(
            book,
            &Wanted {
                now,
                ..Wanted::default()
            },
        )
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn runs(view: &BookView<'_>) -> Vec<RunRow> {
    let query = Query {
        shown: Shown::All,
        ..Query::all()
    };
    view.runs(&view.search(&query).unwrap().runs).unwrap()
}

/// A number as the fixtures write it.
fn number(value: f64) -> Value {
    if value.is_nan() {
        json!("nan")
    } else if value.abs() == f64::INFINITY || value.abs() == f64::MAX {
        // Databases of MLflow have no infinities: there they are the greatest number.
        json!(if value > 0.0 { "inf" } else { "-inf" })
    } else {
        json!(value + 0.0)
    }
}

/// Numbers as [`number`] has them, and every point once.
fn points(told: &Value) -> Vec<Value> {
    let one = |point: &Value| {
        let value = &point[2];
        let word = value.as_str().map(|word| word.parse().unwrap());
        let value = word.unwrap_or_else(|| value.as_f64().unwrap());
        json!([point[0], point[1], number(value)])
    };
    let mut points: Vec<_> = told.as_array().unwrap().iter().map(one).collect();
    points.sort_by_cached_key(ToString::to_string);
    points.dedup();
    points
}

/// What a run is told to be, without what a book has no word for.
fn expected(told: &Value) -> Value {
    let mut told = told.clone();
    let map = told.as_object_mut().unwrap();
    for key in ["artifact_uri", "latest"] {
        map.remove(key);
    }
    map["tags"]
        .as_object_mut()
        .unwrap()
        .remove("mlflow.runName");
    map.entry("datasets").or_insert_with(|| json!([]));
    // The client passes over the step of a point that has a dataset; the file has it.
    if let Some(accuracy) = map["metrics"].get_mut("accuracy") {
        accuracy[0][0] = json!(2);
    }
    for (_, history) in map["metrics"].as_object_mut().unwrap() {
        *history = points(history).into();
    }
    told
}

fn found(view: &BookView<'_>, run: &RunRow) -> Value {
    let state = &run.state;
    let word = match state.status() {
        RunStatus::Queued => "SCHEDULED",
        RunStatus::Running => "RUNNING",
        RunStatus::Completed => "FINISHED",
        RunStatus::Failed => "FAILED",
        RunStatus::Cancelled => "KILLED",
    };
    let mut metrics = Map::new();
    for key in state.records.series.keys() {
        assert_eq!(key.context, "");
        let series = view.series(&Owner::Run(run.no), key).unwrap();
        let all = series
            .points()
            .map(|point| json!([point.step, point.time.0 / 1000, number(point.value)]));
        let mut all: Vec<_> = all.collect();
        all.sort_by_cached_key(ToString::to_string);
        metrics.insert(key.key.clone(), all.into());
    }
    let artifacts: Vec<_> = state
        .records
        .artifacts()
        .map(|it| json!([it.value.path, it.value.size]))
        .collect();
    let params: BTreeMap<_, _> = state
        .params
        .iter()
        .map(|(key, held)| (key, &held.param().text))
        .collect();
    let tags: BTreeMap<_, _> = state.annotations.tags().collect();
    let datasets = state.lineage.datasets().into_iter().map(|one| {
        let tags = one.tags.iter();
        let tags = tags.map(|(key, text)| (key.replace("context", "mlflow.data.context"), text));
        json!({
            "name": one.dataset.name,
            "digest": one.dataset.digest,
            "source_type": one.dataset.source_type,
            "source": one.dataset.source,
            "schema": one.dataset.schema,
            "profile": one.dataset.profile,
            "tags": tags.collect::<BTreeMap<_, _>>(),
        })
    });
    let datasets: Vec<_> = datasets.collect();
    json!({
        "datasets": datasets,
        "run_id": run.uid.to_string(),
        "run_name": state.name(),
        "status": word,
        "start_time": state.started().map(|time| time.0 / 1000),
        "end_time": state.ended().map(|time| time.0 / 1000),
        "lifecycle_stage": if state.annotations.flag("deleted") { "deleted" } else { "active" },
        "user_id": state.actor.as_ref().map(|actor| &actor.value),
        "params": params,
        "tags": tags,
        "metrics": metrics,
        "artifacts": artifacts,
    })
}

fn exported(book: &Book) -> String {
    let view = book.view().unwrap();
    let mut writer = document::Writer::new(Vec::new()).unwrap();
    let mut sink = |record| {
        writer.write(&record).unwrap();
        Ok::<_, BookError>(())
    };
    Gather::new(&view)
        .records(&Selection::All, &mut sink)
        .unwrap();
    String::from_utf8(writer.finish().unwrap().0).unwrap()
}

#[test]
fn every_store_comes_in_as_its_client_tells() {
    for name in FOLDERS.into_iter().chain(DATABASES) {
        let case = Case::new(name);
        let book = case.book();
        let report = case.bring(&book);
        assert!(report.damaged.is_empty(), "{name}: {:?}", report.damaged);
        assert_eq!((report.runs, report.artifacts), (8, 2), "{name}");
        let view = book.view().unwrap();
        let rows = view.experiments().unwrap();
        let brought = runs(&view);
        for told in case.told["experiments"].as_array().unwrap() {
            let row = rows
                .iter()
                .find(|row| told["name"] == row.state.name().unwrap())
                .unwrap();
            let held = &row.state.annotations;
            let note = held.main_note().map(|text| ("mlflow.note.content", text));
            let tags: BTreeMap<_, _> = held.tags().chain(note).collect();
            assert_eq!(json!(tags), told["tags"], "{name}");
            let is_deleted = told["lifecycle_stage"] == "deleted";
            assert_eq!(row.state.annotations.flag("deleted"), is_deleted, "{name}");
            for told in told["runs"].as_array().unwrap() {
                let run = brought
                    .iter()
                    .find(|run| told["run_id"] == run.uid.to_string())
                    .unwrap();
                assert_eq!(run.experiment, row.no, "{name}");
                assert_eq!(found(&view, run), expected(told), "{name}");
            }
        }
    }
}

#[test]
fn a_second_import_brings_nothing() {
    for name in FOLDERS.into_iter().chain(DATABASES) {
        let case = Case::new(name);
        let book = case.book();
        case.bring(&book);
        let before = exported(&book);
        let report = case.bring(&book);
        assert_eq!(
            (report.runs, report.continued, report.same),
            (0, 0, 8),
            "{name}"
        );
        assert_eq!((report.points, report.experiments), (0, 0), "{name}");
        assert!(exported(&book) == before, "{name}");
        book.seal(Effort::All).unwrap();
        case.bring(&book);
        assert!(exported(&book) == before, "{name}: sealed");
    }
}

fn entries(view: &BookView<'_>, kind: EntryKind) -> Vec<EntryRow> {
    view.entries(&Entries::Kind(kind)).unwrap()
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one look at everything that a register holds"
)]
fn registered_and_logged_models_come_in() {
    for name in FOLDERS.into_iter().chain(DATABASES) {
        // Folders of MLflow 1 have no register.
        let is_bare = name == "folder-1.30";
        let is_new = name.ends_with("3.17");
        let case = Case::new(name);
        let book = case.book();
        let report = case.bring(&book);
        let expected = match (is_bare, is_new) {
            (true, _) => (0, 0, 0),
            (false, false) => (0, 1, 2),
            (false, true) => (2, 2, 3),
        };
        assert_eq!(
            (report.models, report.collections, report.versions),
            expected,
            "{name}"
        );
        assert!(report.damaged.is_empty(), "{name}: {:?}", report.damaged);
        if is_bare {
            continue;
        }
        let (_, id) = root_run(&case);
        let view = book.view().unwrap();
        let no = view.collection("default", "wheel").unwrap().unwrap();
        let wheel = view.entry(no).unwrap().unwrap().state;
        assert_eq!(
            (wheel.text("description"), wheel.is_prompt()),
            (Some("Finds wheels"), false)
        );
        let versions = view
            .entries(&Entries::Of(EntryKind::Version, Owner::Entry(no)))
            .unwrap();
        let told: Vec<_> = versions
            .iter()
            .map(|row| {
                let tag = row
                    .state
                    .annotations
                    .tags()
                    .next()
                    .map(|(_, text)| text.to_owned());
                let text = |field| row.state.text(field).map(str::to_owned);
                (
                    row.number,
                    text("description"),
                    text("stage"),
                    text("status"),
                    text("run"),
                    tag,
                )
            })
            .collect();
        let one = |number: u64, stage: Option<&str>| {
            let run = Some(id.clone());
            let description = Some(format!("try {number}"));
            let (stage, status) = (stage.map(str::to_owned), Some("ready".to_owned()));
            (
                Some(number),
                description,
                stage,
                status,
                run,
                Some(number.to_string()),
            )
        };
        assert_eq!(told, [one(1, Some("Production")), one(2, None)], "{name}");
        let champion = (!name.ends_with("1.30")).then_some(versions[1].uid);
        assert_eq!(wheel.alias("champion"), champion, "{name}");
        if !is_new {
            continue;
        }
        let prompt = view.collection("default", "greeting").unwrap().unwrap();
        let prompt = view.entry(prompt).unwrap().unwrap();
        assert!(prompt.state.is_prompt());
        let models = entries(&view, EntryKind::LoggedModel);
        let lost = models
            .iter()
            .find(|row| row.state.name() == Some("lost"))
            .unwrap();
        assert!(lost.state.is_deleted());
        let model = models
            .iter()
            .find(|row| row.state.name() == Some("wheel"))
            .unwrap();
        assert_eq!(model.state.params().collect::<Vec<_>>(), [("depth", "3")]);
        assert_eq!(
            model.state.annotations.tags().collect::<Vec<_>>(),
            [("a", "b")]
        );
        assert_eq!(
            (model.state.text("status"), model.state.text("type")),
            (Some("ready"), Some("tree"))
        );
        let (key, summary) = model.state.records.series.iter().next().unwrap();
        assert_eq!(
            (key.key.as_str(), summary.last.value, summary.last.step),
            ("accuracy", 0.875, 2)
        );
        let context = format!(r#"{{"dataset":"räder","digest":"d1","run":"{id}"}}"#);
        assert_eq!(key.context, context);
        let row = run_of(&view, &id);
        for (role, step) in [(ModelRole::Input, None), (ModelRole::Output, Some(3))] {
            let links = row.state.lineage.models(role);
            assert_eq!((links[0].model, links[0].step), (model.uid, step), "{name}");
        }
    }
}

/// Everything of a book that a folder of MLflow can hold.
fn told_of(book: &Book) -> Value {
    let view = book.view().unwrap();
    let rows = view.experiments().unwrap();
    let experiments = rows.iter().map(|row| {
        let held = &row.state.annotations;
        let id = held.field("imported").map(|it| it["experiment_id"].clone());
        let tags: BTreeMap<_, _> = held.tags().collect();
        let mut of: Vec<_> = runs(&view)
            .into_iter()
            .filter(|run| run.experiment == row.no)
            .collect();
        of.sort_by_key(|run| run.uid);
        let runs: Vec<_> = of.iter().map(|run| found(&view, run)).collect();
        json!([
            row.state.name(),
            id,
            held.main_note(),
            tags,
            held.flag("deleted"),
            runs
        ])
    });
    let mut experiments: Vec<_> = experiments.collect();
    experiments.sort_by_cached_key(|told| told[0].to_string());
    let mut all = Vec::new();
    for kind in [
        EntryKind::Collection,
        EntryKind::Version,
        EntryKind::LoggedModel,
    ] {
        for row in entries(&view, kind) {
            let held = &row.state.annotations;
            let mut fields: BTreeMap<_, _> = held
                .fields
                .iter()
                .map(|(key, field)| (key, &field.value))
                .collect();
            // Where the files are is the folder's own business.
            fields.retain(|key, _| *key != "location");
            let tags: BTreeMap<_, _> = held.tags().collect();
            let series: Vec<_> = row
                .state
                .records
                .series
                .keys()
                .map(ToString::to_string)
                .collect();
            let told = json!([kind, row.state.name(), row.number, fields, tags, series]);
            all.push((told, row.uid));
        }
    }
    all.sort_by_cached_key(|(told, _)| told.to_string());
    json!([
        experiments,
        all.into_iter().map(|(told, _)| told).collect::<Vec<_>>()
    ])
}

/// Without uids that follow from the time of creation to the millisecond, which stays, these are equal.
#[test]
fn a_folder_that_was_written_is_the_one_that_was_read() {
    for name in FOLDERS.into_iter().chain(DATABASES) {
        let case = Case::new(name);
        let book = case.book();
        case.bring(&book);
        let view = book.view().unwrap();
        let mut wanted: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for run in runs(&view) {
            wanted.entry(run.experiment).or_default().push(run.no);
        }
        let artifacts = book.artifacts();
        let given = Given {
            view: &view,
            artifacts: Some(&artifacts),
            wanted: &wanted,
        };
        let folder = case.home.path().join("written");
        let told = mlflow::give(&given, &folder, &folder).unwrap();
        assert_eq!(
            (told.runs, told.artifacts, told.experiments),
            (8, 2, 3),
            "{name}"
        );
        assert!(
            told.left_out.is_empty() && told.notes.is_empty(),
            "{name}: {told:?}"
        );
        let again = case.book();
        let mut source = mlflow::open("written", case.home.path(), Places::default()).unwrap();
        let wanted = Wanted {
            now: NOW,
            ..Wanted::default()
        };
        let report = mlflow::bring(&mut source, &again, &wanted, &mut |_| {}).unwrap();
        assert!(report.damaged.is_empty(), "{name}: {:?}", report.damaged);
        assert_eq!(told_of(&again), told_of(&book), "{name}");
    }
}

fn root_run(case: &Case) -> (PathBuf, String) {
    let experiments = case.told["experiments"].as_array().unwrap().iter();
    let mut all = experiments.flat_map(|it| {
        it["runs"]
            .as_array()
            .unwrap()
            .iter()
            .map(move |run| (it, run))
    });
    let (experiment, run) = all.find(|(_, run)| run["run_name"] == "root").unwrap();
    let id = run["run_id"].as_str().unwrap().to_owned();
    (
        case.root()
            .join(experiment["experiment_id"].as_str().unwrap())
            .join(&id),
        id,
    )
}

fn run_of(view: &BookView<'_>, id: &str) -> RunRow {
    view.run_by_uid(id.parse().unwrap()).unwrap().unwrap()
}

fn say(book: &Book, id: &str, tag: &str, value: &str) {
    let mut draft = book.draft(NOW).unwrap();
    let tags = vec![(tag.to_owned(), Some(value.to_owned()))];
    let subject = Subject::Run(id.parse().unwrap());
    draft
        .say(NOW, None, &Op::SetTags(SetTags { subject, tags }))
        .unwrap();
    draft.commit().unwrap();
}

#[test]
fn what_went_on_in_a_folder_comes_in_and_what_was_changed_here_holds() {
    let case = Case::new("folder-2.22");
    let book = case.book();
    case.bring(&book);
    let (folder, id) = root_run(&case);
    say(&book, &id, "kind", "changed here");
    fs::write(folder.join("tags/mlflow.user"), "grace").unwrap();
    fs::write(folder.join("tags/kind"), "changed there").unwrap();
    fs::write(folder.join("tags/fresh"), "x").unwrap();
    fs::remove_file(folder.join("tags/empty")).unwrap();
    fs::write(folder.join("params/late"), "7").unwrap();
    let metric = folder.join("metrics/same");
    let grown = fs::read_to_string(&metric).unwrap() + "1700000000600 9.5 2\n";
    fs::write(&metric, grown).unwrap();
    let meta = fs::read_to_string(folder.join("meta.yaml")).unwrap();
    let meta = meta
        .replace("status: 3", "status: 4")
        .replace("end_time: 1700000000900", "end_time: 1700000001900");
    fs::write(folder.join("meta.yaml"), meta).unwrap();
    fs::write(folder.join("artifacts/model.txt"), "other weights\n").unwrap();
    for round in ["once", "and again"] {
        let report = case.bring(&book);
        let first = u64::from(round == "once");
        assert_eq!(
            (report.runs, report.continued, report.points),
            (0, first, first),
            "{round}"
        );
        let view = book.view().unwrap();
        let row = run_of(&view, &id);
        let tags: BTreeMap<_, _> = row.state.annotations.tags().collect();
        assert_eq!(tags["kind"], "changed here");
        assert_eq!(
            (
                tags["mlflow.user"],
                tags["fresh"],
                tags.contains_key("empty")
            ),
            ("grace", "x", false)
        );
        assert_eq!(row.state.params["late"].param().text, "7");
        assert_eq!(row.state.metric("same"), Some(9.5));
        assert_eq!(row.state.records.series[&SeriesKey::plain("same")].count, 2);
        assert_eq!(row.state.status(), RunStatus::Failed);
        assert_eq!(row.state.ended(), Some(Timestamp(1_700_000_001_900_000)));
        assert_eq!(row.state.records.artifacts["model.txt"].len(), 2);
    }
}

#[test]
fn a_damaged_run_stays_out_whole_and_is_named_with_its_place() {
    for (file, text, told) in [
        (
            "metrics/train/loss",
            "1700000000200 1.0 0\n1700000000201 half\n",
            "metrics/train/loss:2: ",
        ),
        ("metrics/odd", "1700000000200 1.0 zero\n", "metrics/odd:1: "),
        ("meta.yaml", "run_id: 'open\n", "meta.yaml"),
        (
            "meta.yaml",
            "run_id: x\nstatus: 9\n",
            "meta.yaml: `status` is not ",
        ),
        (
            "meta.yaml",
            "run_id: x\nstatus: 3\nstart_time: today\n",
            "meta.yaml: `start_time` is not ",
        ),
    ] {
        let case = Case::new("folder-3.17");
        let book = case.book();
        let (folder, id) = root_run(&case);
        let before = fs::read(folder.join(file)).unwrap();
        fs::write(folder.join(file), text).unwrap();
        let report = case.bring(&book);
        assert_eq!((report.runs, report.damaged.len()), (7, 1), "{file}");
        let damage = &report.damaged[0];
        assert_eq!(damage.what, format!("run {id}"));
        assert!(damage.error.to_string().contains(told), "{}", damage.error);
        assert!(
            book.view()
                .unwrap()
                .run_by_uid(id.parse().unwrap())
                .unwrap()
                .is_none()
        );
        // Mended, it comes in.
        fs::write(folder.join(file), before).unwrap();
        let report = case.bring(&book);
        assert_eq!((report.runs, report.same, report.damaged.len()), (1, 7, 0));
    }
}

#[test]
fn text_that_is_no_text_is_damage() {
    let case = Case::new("folder-2.9");
    let (folder, _) = root_run(&case);
    fs::write(folder.join("params/lr"), b"0.\xff1").unwrap();
    fs::remove_file(folder.parent().unwrap().join("meta.yaml")).unwrap();
    let report = case.bring(&case.book());
    let told: Vec<_> = report
        .damaged
        .iter()
        .map(|it| it.error.to_string())
        .collect();
    assert_eq!(told.len(), 1, "the experiment with all its runs: {told:?}");
    assert!(
        told[0].ends_with("meta.yaml: this file is missing, and what was written with it is there")
    );
    let case = Case::new("folder-2.9");
    let (folder, _) = root_run(&case);
    fs::write(folder.join("params/lr"), b"0.\xff1").unwrap();
    let report = case.bring(&case.book());
    assert!(
        report.damaged[0]
            .error
            .to_string()
            .contains("params/lr: not text in UTF-8")
    );
}

#[test]
fn artifacts_are_copied_or_referenced_or_left() {
    let case = Case::new("database-2.22");
    let (_, id) = root_run(&case);
    for (artifacts, copied, referenced) in [
        (ArtifactManner::Leave, 0, 0),
        (ArtifactManner::Reference, 0, 2),
        (ArtifactManner::Copy, 2, 0),
    ] {
        let book = case.book();
        let report = case.bring_with(
            &book,
            &Wanted {
                artifacts,
                now: NOW,
                ..Wanted::default()
            },
        );
        assert_eq!((report.artifacts, report.references), (copied, referenced));
        let view = book.view().unwrap();
        let row = run_of(&view, &id);
        let last = row.state.records.artifacts().last().map(|it| &it.value);
        match artifacts {
            ArtifactManner::Leave => assert!(last.is_none()),
            ArtifactManner::Reference => {
                let uri = last.unwrap().uri.as_deref().unwrap();
                assert!(
                    uri.ends_with("/artifacts/plots/first%20one/plot.bin"),
                    "{uri}"
                );
            }
            ArtifactManner::Copy => {
                let sum = last.unwrap().sha256.as_deref().unwrap();
                let bytes = fs::read(book.artifacts().path_of(sum)).unwrap();
                assert_eq!(bytes, (0..=255).collect::<Vec<u8>>());
            }
        }
    }
}

#[test]
fn an_old_database_without_indexes_and_columns_is_read() {
    let case = Case::new("database-1.30");
    let database = Connection::open(case.home.path().join("mlflow.db")).unwrap();
    database
        .execute_batch(
            "PRAGMA foreign_keys = OFF;
             CREATE TABLE old AS SELECT key, value, timestamp, run_uuid FROM metrics WHERE key = 'loss';
             DROP TABLE metrics; ALTER TABLE old RENAME TO metrics;
             CREATE TABLE former AS SELECT experiment_id, name, artifact_location, lifecycle_stage FROM experiments;
             DROP TABLE experiments; ALTER TABLE former RENAME TO experiments;
             DROP TABLE experiment_tags;
             UPDATE runs SET name = '', source_name = 'train.py', source_version = 'abc';",
        )
        .unwrap();
    let book = case.book();
    let report = case.bring(&book);
    assert!(report.damaged.is_empty(), "{:?}", report.damaged);
    assert_eq!((report.runs, report.points), (8, 2));
    let (_, id) = root_run(&case);
    let row = run_of(&book.view().unwrap(), &id);
    assert_eq!(row.state.name(), Some("root"));
    let tags: BTreeMap<_, _> = row.state.annotations.tags().collect();
    assert_eq!(tags["mlflow.source.git.commit"], "abc");
    assert_eq!(case.bring(&book).same, 8);
}

#[test]
fn experiments_are_chosen_and_long_ids_stay_their_names() {
    let case = Case::new("folder-2.9");
    let book = case.book();
    let wanted = Wanted {
        experiments: vec!["given*".to_owned()],
        project: Some("old".to_owned()),
        now: NOW,
        ..Wanted::default()
    };
    assert_eq!(case.bring_with(&book, &wanted).runs, 1);
    let view = book.view().unwrap();
    let experiments = case.told["experiments"].as_array().unwrap();
    let told = experiments
        .iter()
        .find(|it| it["name"] == "given up")
        .unwrap();
    let place = (
        "alias".to_owned(),
        told["experiment_id"].as_str().unwrap().to_owned(),
    );
    let state = view.project("old").unwrap();
    let uid = state.pointers[&place]
        .value
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let rows = view.experiments().unwrap();
    assert!(
        rows.iter()
            .any(|row| row.state.uids.contains(&uid) && row.state.project() == "old")
    );
}

#[test]
fn what_is_no_store_is_refused() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("empty")).unwrap();
    Connection::open(home.path().join("other.db"))
        .unwrap()
        .execute_batch("CREATE TABLE x (y)")
        .unwrap();
    fs::write(home.path().join("text.db"), "no database").unwrap();
    for (address, told) in [
        ("empty", "empty: this is not a folder `mlruns`"),
        (
            "sqlite:///other.db",
            "other.db: this is not a database of MLflow",
        ),
        ("text.db", "text.db: not a database of MLflow"),
        ("nowhere", "cannot read `nowhere`"),
    ] {
        let Err(error) = mlflow::open(address, home.path(), Places::default()) else {
            panic!("{address}");
        };
        assert!(error.to_string().starts_with(told), "{error}");
    }
}
