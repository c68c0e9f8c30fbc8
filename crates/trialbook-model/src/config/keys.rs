//! All keys of the config format, by the place where they stand.
//!
//! Not here: what they mean. Invariant: the parser and the published JSON Schema know the same keys.

pub(super) const TOP: &[&str] = &[
    "experiment",
    "task",
    "variations",
    "matrix",
    "trials",
    "metrics",
    "success_criteria",
    "environment",
    "random_seed",
    "seed_policy",
    "capture",
    "timeout",
    "retry",
    "limits",
    "priority",
    "depends_on",
    "engine",
    "eval",
];
pub(super) const EXPERIMENT: &[&str] = &[
    "id",
    "name",
    "description",
    "author",
    "created",
    "project",
    "tags",
    "notes",
];
pub(super) const TASK: &[&str] = &[
    "type",
    "description",
    "data_path",
    "command",
    "timeout",
    "cwd",
    "env",
];
pub(super) const VARIATION: &[&str] = &["name", "params", "baseline"];
pub(super) const METRIC: &[&str] = &["key", "name", "unit", "goal", "primary"];
pub(super) const CRITERION: &[&str] = &["metric", "condition"];
pub(super) const RETRY: &[&str] = &["max_attempts", "backoff", "on"];
pub(super) const BACKOFF: &[&str] = &["initial", "factor", "max", "jitter"];
pub(super) const LIMITS: &[&str] = &[
    "concurrent",
    "memory",
    "cpus",
    "api_calls_per_hour",
    "cost",
    "failures",
];
pub(super) const COST: &[&str] = &["max", "currency"];
pub(super) const CAPTURE: &[&str] = &[
    "console",
    "data",
    "environment",
    "git",
    "packages",
    "resources",
    "variables",
];
pub(super) const ENGINE: &[&str] = &["kind"];

/// Words of other formats and what they are called here.
pub(super) const OTHER_WORDS: &[(&str, &str)] = &[
    ("seed", "random_seed"),
    ("repeats", "trials"),
    ("repetitions", "trials"),
    ("grid", "matrix"),
    ("sweep", "matrix"),
    ("criteria", "success_criteria"),
    ("command", "task.command"),
    ("cmd", "task.command"),
    ("run", "task"),
    ("name", "experiment.name"),
    ("env", "task.env"),
    ("parameters", "variations"),
    ("params", "variations"),
];

/// Every place with its keys, as paths of the JSON Schema see them.
pub fn all() -> Vec<(&'static str, &'static [&'static str])> {
    vec![
        ("", TOP),
        ("experiment", EXPERIMENT),
        ("task", TASK),
        ("variation", VARIATION),
        ("metric", METRIC),
        ("criterion", CRITERION),
        ("retry", RETRY),
        ("backoff", BACKOFF),
        ("limits", LIMITS),
        ("cost", COST),
        ("capture", CAPTURE),
        ("engine", ENGINE),
    ]
}
