//! Which room may use which: the table of ARCHITECTURE.md, checked against `cargo metadata`.

use std::collections::BTreeSet;

use serde_json::Value;

/// A room and the rooms it may use, in code and in tests alike.
const ARROWS: &[(&str, &[&str])] = &[
    ("trialbook-model", &[]),
    ("trialbook-stats", &[]),
    ("trialbook-spool", &["trialbook-model"]),
    ("trialbook-store", &["trialbook-model", "trialbook-spool"]),
    (
        "trialbook-analysis",
        &["trialbook-model", "trialbook-stats", "trialbook-store"],
    ),
    (
        "trialbook-report",
        &["trialbook-model", "trialbook-analysis"],
    ),
    ("trialbook-capture", &["trialbook-model"]),
    (
        "trialbook-client",
        &["trialbook-model", "trialbook-spool", "trialbook-store"],
    ),
    (
        "trialbook-exchange",
        &[
            "trialbook-model",
            "trialbook-spool",
            "trialbook-store",
            "trialbook-runner",
        ],
    ),
    (
        "trialbook-runner",
        &[
            "trialbook-model",
            "trialbook-spool",
            "trialbook-store",
            "trialbook-capture",
        ],
    ),
    (
        "trialbook-server",
        &[
            "trialbook-model",
            "trialbook-spool",
            "trialbook-store",
            "trialbook-analysis",
            "trialbook-report",
            "trialbook-runner",
            "trialbook-exchange",
        ],
    ),
    (
        "trialbook",
        &[
            "trialbook-model",
            "trialbook-stats",
            "trialbook-spool",
            "trialbook-store",
            "trialbook-analysis",
            "trialbook-report",
            "trialbook-capture",
            "trialbook-client",
            "trialbook-runner",
            "trialbook-exchange",
            "trialbook-server",
        ],
    ),
    (
        "trialbook-bench",
        &[
            "trialbook-model",
            "trialbook-stats",
            "trialbook-spool",
            "trialbook-store",
            "trialbook-analysis",
            "trialbook-runner",
            "trialbook-exchange",
        ],
    ),
    ("xtask", &[]),
];

/// What `cargo metadata` shows against the table.
pub(super) fn findings(metadata: &Value) -> Vec<String> {
    let packages = list(&metadata["packages"]);
    let ours: BTreeSet<&str> = packages
        .iter()
        .map(|package| text(&package["name"]))
        .collect();
    let mut findings = Vec::new();
    for package in packages {
        let name = text(&package["name"]);
        let Some((_, allowed)) = ARROWS.iter().find(|(room, _)| *room == name) else {
            findings.push(format!(
                "{name}: a room without arrows: add it to ARCHITECTURE.md and to xtask/src/tidy/arrows.rs"
            ));
            continue;
        };
        let used: BTreeSet<&str> = list(&package["dependencies"])
            .iter()
            .map(|dependency| text(&dependency["name"]))
            .filter(|used| ours.contains(used) && !allowed.contains(used))
            .collect();
        for used in used {
            findings.push(format!(
                "{name} may not use {used}: the arrows stand in ARCHITECTURE.md"
            ));
        }
    }
    findings
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn package(name: &str, uses: &[&str]) -> Value {
        let dependencies: Vec<_> = uses.iter().map(|used| json!({ "name": used })).collect();
        json!({ "name": name, "dependencies": dependencies })
    }

    #[test]
    fn a_forbidden_arrow_and_an_unknown_room_are_found() {
        let metadata = json!({ "packages": [
            package("trialbook-model", &["serde", "trialbook-store"]),
            package("trialbook-store", &["trialbook-model", "rusqlite"]),
            package("trialbook-attic", &[]),
        ]});
        let findings = findings(&metadata);
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(findings[0].starts_with("trialbook-model may not use trialbook-store"));
        assert!(findings[1].starts_with("trialbook-attic: a room without arrows"));
    }

    #[test]
    fn the_table_has_no_circle() {
        let mut settled: BTreeSet<&str> = BTreeSet::new();
        for _round in 0..ARROWS.len() {
            for (room, uses) in ARROWS {
                if uses.iter().all(|used| settled.contains(used)) {
                    settled.insert(room);
                }
            }
        }
        assert_eq!(settled.len(), ARROWS.len());
    }
}
