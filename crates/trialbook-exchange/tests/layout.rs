//! The folder of an experiment holds all of it: taken into an empty book it is the same experiment.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on is a failed test"
)]

mod random;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use trialbook_exchange::bring::Manner;
use trialbook_exchange::{Arrival, Conflicts, Gather, Selection, document, layout, source};
use trialbook_model::id::{Entropy, ExperimentUid};
use trialbook_model::time::Timestamp;
use trialbook_store::query::{Query, Shown};
use trialbook_store::reading::Reading as _;
use trialbook_store::{Book, BookError, BookView};

struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(100);
    }
}

/// The document of one experiment.
fn told(view: &BookView<'_>, uid: ExperimentUid) -> String {
    let rows = view.experiments().unwrap();
    let row = rows.iter().find(|row| row.state.uids.contains(&uid));
    let wanted = Selection::Some {
        experiments: row.map(|row| row.no).into_iter().collect(),
        runs: std::iter::empty().collect(),
    };
    let mut writer = document::Writer::new(Vec::new()).unwrap();
    let mut sink = |record| {
        writer.write(&record).unwrap();
        Ok::<_, BookError>(())
    };
    Gather::new(view).records(&wanted, &mut sink).unwrap();
    String::from_utf8(writer.finish().unwrap().0).unwrap()
}

fn written(book: &Book, folder: &Path) -> Vec<ExperimentUid> {
    let view = book.view().unwrap();
    let mut uids = Vec::new();
    for row in view.experiments().unwrap() {
        let query = Query {
            experiments: Some(vec![row.no]),
            shown: Shown::All,
            ..Query::all()
        };
        let mut numbers = view.search(&query).unwrap().runs;
        numbers.sort();
        let runs = view.runs(&numbers).unwrap();
        let what = layout::Experiment {
            row: &row,
            runs: &runs,
            changed_config: layout::ChangedConfig::Refuse,
        };
        let below = folder.join(row.no.to_string());
        layout::write(&view, &what, &below, &mut |_| ()).unwrap();
        uids.extend(row.state.uids.first());
    }
    uids
}

fn brought(book: &Book, folder: &Path) {
    let manner = Manner {
        conflicts: Conflicts::Refuse,
        now: Timestamp(7),
        entropy: &mut NoEntropy,
    };
    let mut arrival = Arrival::new(book, manner).unwrap();
    source::read(folder, Path::new("folder"), &mut arrival).unwrap();
    arrival.finish().unwrap();
}

/// All files below a folder with their bytes.
fn files(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 30,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]
    #[test]
    fn folders_carry_whole_experiments(steps in random::steps()) {
        let folder = tempfile::tempdir().unwrap();
        let first = random::book(&steps);
        let uids = written(&first, folder.path());
        let second = random::empty();
        brought(&second, folder.path());
        let (one, two) = (first.view().unwrap(), second.view().unwrap());
        for uid in &uids {
            prop_assert_eq!(told(&two, *uid), told(&one, *uid));
        }
        // Written again over it, nothing changes.
        let mut before = BTreeMap::new();
        files(folder.path(), &mut before);
        written(&first, folder.path());
        let mut after = BTreeMap::new();
        files(folder.path(), &mut after);
        prop_assert!(before == after);
    }
}
