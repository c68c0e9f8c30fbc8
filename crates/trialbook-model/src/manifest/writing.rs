//! A manifest as YAML again.
//!
//! Not here: where the file is. Invariant: the text reads back to an equal manifest.

use std::fmt::Write as _;

use super::{Dataset, Manifest};

/// Which of the two forms a manifest has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// `data_sources`.
    #[default]
    Sources,
    /// `datasets`.
    Datasets,
}

impl Form {
    /// The form of a text that is a manifest.
    pub fn of(text: &str) -> Self {
        let is_full = text.lines().any(|line| line.starts_with("datasets:"));
        if is_full {
            Self::Datasets
        } else {
            Self::Sources
        }
    }

    /// Its list's key.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Sources => "data_sources",
            Self::Datasets => "datasets",
        }
    }
}

/// The YAML text of a manifest.
pub fn to_yaml(manifest: &Manifest, form: Form) -> String {
    let mut out = String::new();
    text(&mut out, "", "version", manifest.version.as_deref());
    text(&mut out, "", "created", manifest.created.as_deref());
    text(
        &mut out,
        "",
        "generator_commit",
        manifest.generator_commit.as_deref(),
    );
    out.push_str(form.key());
    out.push_str(if manifest.datasets.is_empty() {
        ": []\n"
    } else {
        ":\n"
    });
    for dataset in &manifest.datasets {
        out.push_str(&entry(dataset));
    }
    out
}

/// The lines of one entry, as they stand below the list's key.
pub fn entry(dataset: &Dataset) -> String {
    let mut out = String::new();
    let it = dataset;
    text(&mut out, "    ", "name", it.name.as_deref());
    text(&mut out, "    ", "path", Some(&it.path));
    text(&mut out, "    ", "checksum", Some(&it.checksum.to_string()));
    text(&mut out, "    ", "created", it.created.as_deref());
    text(&mut out, "    ", "source", it.source.as_deref());
    text(&mut out, "    ", "version", it.version.as_deref());
    let mut number = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            writeln!(out, "    {key}: {value}").expect("a string takes all");
        }
    };
    number("file_count", it.file_count.map(|it| it.to_string()));
    number("record_count", it.record_count.map(|it| it.to_string()));
    number("task_count", it.task_count.map(|it| it.to_string()));
    number("total_size_mb", it.total_size_mb.map(|it| it.to_string()));
    text(&mut out, "    ", "description", it.description.as_deref());
    out.replace_range(2..3, "-");
    out
}

fn text(out: &mut String, indent: &str, key: &str, value: Option<&str>) {
    let Some(value) = value else {
        return;
    };
    // JSON's quotes are YAML's.
    let quoted = serde_json::Value::String(value.to_owned());
    writeln!(out, "{indent}{key}: {quoted}").expect("a string takes all");
}

#[cfg(test)]
mod tests {
    use super::super::{Checksum, parse};
    use super::*;

    #[test]
    fn manifests_read_back_equal_in_both_forms() {
        let dataset = |path: &str| Dataset {
            name: Some(format!("n {path}")),
            path: path.to_owned(),
            checksum: Checksum::of(path.as_bytes()),
            created: Some("2026-01-21".to_owned()),
            source: Some("a: \"b\"".to_owned()),
            version: Some("1.10".to_owned()),
            file_count: Some(3),
            record_count: None,
            task_count: Some(0),
            total_size_mb: Some(4.75),
            description: Some("two\nlines".to_owned()),
        };
        let manifest = Manifest {
            version: Some("1.2".to_owned()),
            created: None,
            generator_commit: Some("4be1f0c".to_owned()),
            datasets: vec![dataset("data/a"), dataset("- odd # path")],
        };
        for form in [Form::Sources, Form::Datasets] {
            let text = to_yaml(&manifest, form);
            assert_eq!(parse(&text, "m.yaml").unwrap(), manifest, "{text}");
            assert_eq!(Form::of(&text), form);
        }
        let empty = to_yaml(&Manifest::default(), Form::Sources);
        assert_eq!(parse(&empty, "m.yaml").unwrap(), Manifest::default());
    }
}
