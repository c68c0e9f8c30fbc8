//! The datasets of a run, and as one text: one entry of a dictionary.
//!
//! Invariant: reading gives what was written, whatever characters the fields have.

/// A dataset of a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct DatasetFacts {
    /// Its name.
    pub name: Option<String>,
    /// Its digest.
    pub digest: Option<String>,
    /// What the run used it for.
    pub context: Option<String>,
}

impl DatasetFacts {
    /// What a field says.
    pub(super) fn field(&self, field: &str) -> Option<&str> {
        match field {
            "name" => self.name.as_deref(),
            "digest" => self.digest.as_deref(),
            "context" => self.context.as_deref(),
            _ => None,
        }
    }
}

/// The datasets of a run as one text, which is one entry of the dictionary: fields end with a zero byte
/// and start with `+`, or are empty where they are missing. Zero bytes and `\` inside are escaped.
pub(super) fn write_datasets(datasets: &[DatasetFacts]) -> String {
    let mut text = String::new();
    for dataset in datasets {
        for field in [&dataset.name, &dataset.digest, &dataset.context] {
            if let Some(field) = field {
                text.push('+');
                text.push_str(&field.replace('\\', "\\\\").replace('\0', "\\0"));
            }
            text.push('\0');
        }
    }
    text
}

/// Reads what [`write_datasets`] wrote.
pub(super) fn read_datasets(text: &str) -> Vec<DatasetFacts> {
    let mut fields = text
        .split('\0')
        .map(|field| field.strip_prefix('+').map(unescape));
    let mut datasets = Vec::new();
    while let (Some(name), Some(digest), Some(context)) =
        (fields.next(), fields.next(), fields.next())
    {
        datasets.push(DatasetFacts {
            name,
            digest,
            context,
        });
    }
    datasets
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        plain.push(match char {
            '\\' if chars.next() == Some('0') => '\0',
            other => other,
        });
    }
    plain
}
