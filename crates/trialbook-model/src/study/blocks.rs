//! The other blocks of a study (S-20 … S-28): each key has a kind of value, and those without effect are told.
//!
//! Invariant: thresholds under `monitoring` win over those under `tracking`.

use super::{Benchmark, Scrambling, number};
use crate::yaml::{Doubt, Fields, Node, Reading, Shape};

const METHODS: [(&str, &str); 5] = [
    ("character_substitution", "character_substitution"),
    ("character", "character_substitution"),
    ("symbol_substitution", "symbol_substitution"),
    ("word_scramble", "word_scramble"),
    ("word_order", "word_order"),
];
const THRESHOLDS: [&str; 6] = [
    "cpu_percent",
    "memory_percent",
    "disk_percent",
    "api_calls_per_minute",
    "cost_per_hour",
    "error_rate",
];

/// What the value of a key has to be.
#[derive(Clone, Copy)]
enum Kind {
    Flag,
    Whole,
    /// From 0 to 1.
    Share,
    Words(&'static [&'static str]),
    List(&'static [&'static str]),
    Thresholds,
}

type Block = (&'static str, &'static [(&'static str, Kind)]);

const BLOCKS: [Block; 7] = [
    (
        "statistical_analysis",
        &[
            ("calculate_language_dependency", Kind::Flag),
            ("threshold_analysis", Kind::Flag),
            ("confidence_level", Kind::Share),
            (
                "correction_method",
                Kind::Words(&["none", "bonferroni", "holm", "fdr"]),
            ),
        ],
    ),
    (
        "tracking",
        &[
            ("enable_progress_monitoring", Kind::Flag),
            ("enable_resource_monitoring", Kind::Flag),
            ("auto_retry_failures", Kind::Flag),
            ("resource_alert_thresholds", Kind::Thresholds),
        ],
    ),
    (
        "reproducibility",
        &[
            ("capture_environment_snapshot", Kind::Flag),
            ("generate_replication_package", Kind::Flag),
            (
                "validation_tolerance",
                Kind::Words(&["strict", "moderate", "loose"]),
            ),
        ],
    ),
    (
        "export",
        &[
            ("formats", Kind::List(&["csv", "json", "excel"])),
            ("generate_latex_tables", Kind::Flag),
            ("create_publication_package", Kind::Flag),
        ],
    ),
    (
        "execution",
        &[
            ("max_concurrent_requests", Kind::Whole),
            ("timeout_per_question", Kind::Whole),
            ("retry_attempts", Kind::Whole),
        ],
    ),
    (
        "optimization",
        &[
            ("batch_size", Kind::Whole),
            ("clear_cache_threshold", Kind::Share),
            ("enable_response_caching", Kind::Flag),
        ],
    ),
    (
        "monitoring",
        &[
            ("resource_alert_thresholds", Kind::Thresholds),
            ("email_alerts", Kind::Flag),
            ("slack_alerts", Kind::Flag),
        ],
    ),
];

/// Checks the blocks that nothing is taken from yet.
pub(super) fn check(reading: &mut Reading<'_>, top: &Fields<'_>) {
    for (block, kinds) in BLOCKS {
        let known: Vec<&str> = kinds.iter().map(|(key, _)| *key).collect();
        let node = top.get(block);
        let fields = node.and_then(|node| reading.lenient_fields(node, block, &known));
        let Some(fields) = fields else {
            continue;
        };
        for (key, kind) in kinds {
            if let Some(node) = fields.get(key) {
                check_value(reading, node, &fields.path_of(key), *kind);
            }
        }
    }
    overridden(reading, top);
    for key in ["email_alerts", "slack_alerts"] {
        let asked = inner(top, "monitoring", key);
        let is_on = |node: &&Node| matches!(&node.shape, Shape::Scalar(it) if it.text == "true");
        if let Some(node) = asked.filter(is_on) {
            let key = format!("monitoring.{key}");
            reading.warn(node.at, "monitoring", Doubt::NoEffect { key });
        }
    }
}

fn inner<'n>(top: &Fields<'n>, block: &str, key: &str) -> Option<&'n Node> {
    let Shape::Map(entries) = &top.get(block)?.shape else {
        return None;
    };
    let entry = entries.iter().find(|entry| entry.key == key)?;
    Some(&entry.value)
}

/// A threshold of `tracking` that `monitoring` has, too, has no effect.
fn overridden(reading: &mut Reading<'_>, top: &Fields<'_>) {
    const KEY: &str = "resource_alert_thresholds";
    let (tracking, monitoring) = (inner(top, "tracking", KEY), inner(top, "monitoring", KEY));
    let (Some(tracking), Some(monitoring)) = (tracking, monitoring) else {
        return;
    };
    if let (Shape::Map(weaker), Shape::Map(stronger)) = (&tracking.shape, &monitoring.shape) {
        let both = weaker
            .iter()
            .filter(|entry| stronger.iter().any(|other| other.key == entry.key));
        for entry in both {
            let key = format!("tracking.{KEY}.{}", entry.key);
            reading.warn(entry.at, "tracking", Doubt::NoEffect { key });
        }
    }
}

fn check_value(reading: &mut Reading<'_>, node: &Node, path: &str, kind: Kind) {
    match kind {
        Kind::Flag => {
            reading.flag(node, path);
        }
        Kind::Whole => {
            reading.whole(node, path, 0..=u64::from(u32::MAX));
        }
        Kind::Share => {
            number(reading, node, path, (0.0, 1.0));
        }
        Kind::Words(words) => {
            let words: Vec<(&'static str, ())> = words.iter().map(|word| (*word, ())).collect();
            reading.one_of(node, path, &words);
        }
        Kind::List(words) => {
            let words: Vec<(&'static str, ())> = words.iter().map(|word| (*word, ())).collect();
            let items = reading.short_list(node, path, "words");
            for (at, item) in items.iter().enumerate() {
                reading.one_of(item, &format!("{path}[{at}]"), &words);
            }
        }
        Kind::Thresholds => {
            let Some(fields) = reading.lenient_fields(node, path, &THRESHOLDS) else {
                return;
            };
            for key in THRESHOLDS {
                if let Some(node) = fields.get(key) {
                    number(reading, node, &fields.path_of(key), (0.0, f64::INFINITY));
                }
            }
        }
    }
}

/// The block `scrambling` (S-20, S-30, S-31).
pub(super) fn scrambling(reading: &mut Reading<'_>, top: &Fields<'_>) -> Scrambling {
    const KEYS: [&str; 5] = [
        "levels",
        "methods",
        "preserve_numbers",
        "random_seed",
        "level_unit",
    ];
    let mut scrambling = Scrambling::default();
    let node = top.get("scrambling");
    let fields = node.and_then(|node| reading.lenient_fields(node, "scrambling", &KEYS));
    let Some(fields) = fields else {
        return scrambling;
    };
    let unit = fields.get("level_unit");
    let words = [("percent", 1.0), ("fraction", 100.0)];
    let factor = unit.and_then(|node| reading.one_of(node, "scrambling.level_unit", &words));
    if let Some(node) = fields.get("levels") {
        scrambling.levels = levels(reading, node, factor);
    }
    if let Some(node) = fields.get("methods") {
        let items = reading.short_list(node, "scrambling.methods", "methods");
        let items = items.iter().enumerate();
        let methods = items.filter_map(|(at, item)| {
            let path = format!("scrambling.methods[{at}]");
            reading.one_of(item, &path, &METHODS).map(str::to_owned)
        });
        scrambling.methods = methods.collect();
    }
    let keep = fields.get("preserve_numbers");
    let keep = keep.and_then(|node| reading.flag(node, "scrambling.preserve_numbers"));
    scrambling.preserve_numbers = keep.unwrap_or(scrambling.preserve_numbers);
    let seed = fields.get("random_seed");
    let seed = seed.and_then(|node| reading.whole(node, "scrambling.random_seed", 0..=u64::MAX));
    scrambling.random_seed = seed;
    scrambling
}

/// Levels in percent; a list that ends at 1 is probably meant as fractions.
fn levels(reading: &mut Reading<'_>, node: &Node, factor: Option<f64>) -> Vec<f64> {
    let (path, times) = ("scrambling.levels", factor.unwrap_or(1.0));
    let items = reading.short_list(node, path, "numbers");
    let items = items.iter().enumerate();
    let levels: Vec<f64> = items
        .filter_map(|(at, item)| {
            number(
                reading,
                item,
                &format!("{path}[{at}]"),
                (0.0, 100.0 / times),
            )
        })
        .map(|level| level * times)
        .collect();
    let highest = levels.iter().copied().fold(0.0, f64::max);
    if factor.is_none() && highest > 0.0 && highest <= 1.0 {
        reading.warn(node.at, path, Doubt::FractionLevels);
    }
    levels
}

/// The block `benchmarks` (S-25).
pub(super) fn benchmarks(reading: &mut Reading<'_>, top: &Fields<'_>) -> Vec<Benchmark> {
    const KEYS: [&str; 2] = ["paths", "sample_size"];
    let Some(node) = top.get("benchmarks") else {
        return Vec::new();
    };
    let Shape::Map(entries) = &node.shape else {
        reading.wrong(node, "benchmarks", "a map of benchmarks by name");
        return Vec::new();
    };
    let mut benchmarks = Vec::new();
    for entry in entries {
        let path = format!("benchmarks.{}", entry.key);
        let Some(fields) = reading.lenient_fields(&entry.value, &path, &KEYS) else {
            continue;
        };
        let paths = reading.required(&fields, "paths", "a list of files with questions");
        let paths = paths.map_or(&[][..], |node| {
            reading.short_list(node, &fields.path_of("paths"), "files")
        });
        let paths = paths
            .iter()
            .enumerate()
            .filter_map(|(at, item)| reading.text(item, &format!("{path}.paths[{at}]")));
        let paths = paths.collect();
        let size = fields.get("sample_size");
        let size_path = fields.path_of("sample_size");
        let sample_size =
            size.and_then(|node| reading.whole(node, &size_path, 1..=u64::from(u32::MAX)));
        benchmarks.push(Benchmark {
            name: entry.key.clone(),
            paths,
            sample_size,
        });
    }
    benchmarks
}
