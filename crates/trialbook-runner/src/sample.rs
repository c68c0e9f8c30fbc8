//! A sample of the items of a data file (C-24): drawn once for all runs, and given to each as a file of its own.
//!
//! Not here: which data and how many are asked for, recording what was drawn. Invariant: the same items and seed
//! give the same sample; a smaller sample is part of a larger one; items keep their order and their text.

mod data;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use trialbook_model::canonical;

use data::Table;

/// The kind of the snapshot that says which items a run was about.
pub const SAMPLE: &str = "sample";

/// How items are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// The first ones.
    Sequential,
    /// Without replacement, by a seed.
    Random,
}

impl Sampling {
    /// The word in the record.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sequential => "sequential",
            Self::Random => "random",
        }
    }
}

/// Why nothing can be drawn.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The file cannot be read.
    #[error("the data `{path}` could not be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// Not a file of a known form.
    #[error("of `{path}` no sample can be drawn: it is no file of items")]
    Form {
        /// The path.
        path: PathBuf,
    },
    /// A line or the whole is not what its form says.
    #[error("{path}:{line}: {expected} was expected", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What it had to be.
        expected: &'static str,
    },
    /// It holds no items.
    #[error("the data `{path}` holds no items")]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl SampleError {
    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "look whether the file is there and may be read",
            Self::Form { .. } => {
                "name a file `.jsonl` (a line an item), `.json` (a list), `.csv` or `.tsv` (a row an item) or `.txt`"
            }
            Self::Damaged { .. } => "mend that place of the file",
            Self::Empty { .. } => "name a file with at least one item",
        }
    }
}

/// A sample that was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// How many items the data holds.
    pub total: usize,
    /// The ids of the items that were drawn, in the order of the data.
    pub ids: Vec<String>,
    /// How they were chosen.
    pub strategy: Sampling,
    /// The seed, where chance chose.
    pub seed: Option<u64>,
    file: &'static str,
    text: String,
}

/// The files that a sample may put into a run's folder.
pub const SAMPLE_FILES: [&str; 6] = [
    IDS_FILE,
    "sample.jsonl",
    "sample.json",
    "sample.csv",
    "sample.tsv",
    "sample.txt",
];
const IDS_FILE: &str = "sample-ids.txt";

impl Sample {
    /// Draws up to `size` items of a file.
    pub fn draw(
        path: &Path,
        size: usize,
        strategy: Sampling,
        seed: u64,
    ) -> Result<Self, SampleError> {
        let table = Table::read(path)?;
        let all = table.ids();
        let chosen = match strategy {
            Sampling::Sequential => (0..size.min(all.len())).collect(),
            Sampling::Random => by_chance(&all, size, seed),
        };
        Ok(Self {
            total: all.len(),
            ids: chosen.iter().map(|at| all[*at].clone()).collect(),
            strategy,
            seed: (strategy == Sampling::Random).then_some(seed),
            file: table.file(),
            text: table.only(&chosen),
        })
    }

    /// The block of a run's setup that says what was evaluated (C-4).
    pub fn document(&self) -> Value {
        json!({
            "total_conversations": self.total,
            "sample_size": self.ids.len(),
            "sampling_strategy": self.strategy.word(),
            "random_seed": self.seed,
            "conversation_ids": self.ids,
        })
    }

    /// Where a run's program finds the items.
    pub fn items_path(&self, folder: &Path) -> PathBuf {
        folder.join(self.file)
    }

    /// Where a run's program finds the ids, one a line.
    pub fn ids_path(folder: &Path) -> PathBuf {
        folder.join(IDS_FILE)
    }

    /// Puts both into the folder of a run.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        std::fs::write(self.items_path(folder), &self.text)?;
        let ids = self.ids.iter().flat_map(|id| [id.as_str(), "\n"]);
        std::fs::write(Self::ids_path(folder), ids.collect::<String>())
    }
}

/// The items whose hashes with the seed are least: each set of that size is as likely as any other.
fn by_chance(ids: &[String], size: usize, seed: u64) -> BTreeSet<usize> {
    let ranked = ids.iter().enumerate();
    let mut ranked: Vec<(String, usize)> = ranked
        .map(|(at, id)| (canonical::hash(&json!([seed, id])), at))
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().take(size).map(|(_, at)| at).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    fn drawn(name: &str, text: &str, size: usize, strategy: Sampling) -> Sample {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        Sample::draw(&path, size, strategy, 42).unwrap()
    }

    fn refused(name: &str, text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let error = Sample::draw(&path, 1, Sampling::Sequential, 0).unwrap_err();
        let told = error.to_string();
        told.replace(&format!("{}", folder.path().display()), "")
    }

    #[test]
    fn the_first_items_of_each_form_keep_their_text() {
        use Sampling::Sequential;
        let lines = "{\"id\": \"a\", \"x\": 1.50}\n\n{\"id\": 7}\n{\"x\": 3}\n";
        let sample = drawn("d.jsonl", lines, 2, Sequential);
        assert_eq!(
            (sample.total, &sample.ids[..]),
            (3, &["a".to_owned(), "7".to_owned()][..])
        );
        assert_eq!(sample.text, "{\"id\": \"a\", \"x\": 1.50}\n{\"id\": 7}\n");
        let sample = drawn("d.ndjson", lines, 9, Sequential);
        assert_eq!(
            sample.ids,
            ["a", "7", "3"],
            "an item without an id has its number"
        );
        let list = "[{\"question_id\": \"q\", \"v\": 1.50}, 2]";
        let sample = drawn("d.json", list, 1, Sequential);
        assert_eq!(sample.text, "[{\"question_id\": \"q\", \"v\": 1.50}]\n");
        let wrapped = "{\"version\": 2, \"data\": [{\"id\": \"a\"}, {\"id\": \"b\"}]}";
        let sample = drawn("d.json", wrapped, 1, Sequential);
        let text: Value = serde_json::from_str(&sample.text).unwrap();
        assert_eq!(text, json!({"version": 2, "data": [{"id": "a"}]}));
        let rows = "q,id\r\n\"a, \"\"b\"\"\nc\",x\r\nd,y\r\n";
        let sample = drawn("d.csv", rows, 1, Sequential);
        assert_eq!((&sample.ids[..], sample.total), (&["x".to_owned()][..], 2));
        assert_eq!(sample.text, "q,id\r\n\"a, \"\"b\"\"\nc\",x\r\n");
        let sample = drawn("d.txt", "one\n\ntwo", 5, Sequential);
        assert_eq!((sample.text.as_str(), sample.total), ("one\ntwo\n", 2));
    }

    #[test]
    fn what_is_no_list_of_items_is_refused_with_its_place() {
        for (name, text, told) in [
            ("d.jsonl", "{}\n{\n", "/d.jsonl:2: JSON was expected"),
            (
                "d.json",
                "{\"a\": [], \"b\": []}",
                "/d.json:1: a list, or a map with one list, was expected",
            ),
            ("d.json", "[1,\n", "/d.json:2: JSON was expected"),
            ("d.json", "[]", "the data `/d.json` holds no items"),
            ("d.csv", "a,b\n", "the data `/d.csv` holds no items"),
            (
                "d.csv",
                "a\n\"b",
                "/d.csv:2: the end of a quoted cell was expected",
            ),
            (
                "d.parquet",
                "",
                "of `/d.parquet` no sample can be drawn: it is no file of items",
            ),
        ] {
            assert_eq!(refused(name, text), told);
        }
        let folder = tempfile::tempdir().unwrap();
        let error = Sample::draw(folder.path(), 1, Sampling::Random, 0).unwrap_err();
        assert!(matches!(error, SampleError::Form { .. }), "{error}");
        let error = Sample::draw(&folder.path().join("x.csv"), 1, Sampling::Random, 0).unwrap_err();
        assert!(matches!(error, SampleError::Unreadable { .. }), "{error}");
    }

    #[test]
    fn every_item_is_drawn_about_as_often() {
        let ids: Vec<String> = (0..10).map(|at| format!("q{at}")).collect();
        let mut times = [0_u32; 10];
        for seed in 0..2000 {
            for at in by_chance(&ids, 3, seed) {
                times[at] += 1;
            }
        }
        // 600 expected of each, with a deviation of 20: five of them hold for all ten.
        assert!(
            times.iter().all(|times| times.abs_diff(600) < 100),
            "{times:?}"
        );
    }

    proptest! {
        #[test]
        fn samples_nest_and_have_no_item_twice(total in 1_usize..60, size in 0_usize..70, seed: u64) {
            let ids: Vec<String> = (0..total).map(|at| at.to_string()).collect();
            let (small, large) = (by_chance(&ids, size, seed), by_chance(&ids, size + 3, seed));
            prop_assert_eq!(small.len(), size.min(total));
            prop_assert!(small.is_subset(&large));
            prop_assert_eq!(&small, &by_chance(&ids, size, seed));
        }
    }
}
