//! Runs and points as CSV (RFC 4180), for spreadsheets and data frames.
//!
//! Not here: reading CSV; it does not hold everything. Invariant: a missing value is an empty field, never 0; every
//! number has all its digits; fields with commas, quotes or line ends are quoted.

use std::collections::BTreeSet;
use std::io::{self, Write};

use trialbook_model::id::RunNo;
use trialbook_model::record::SeriesKey;
use trialbook_model::time::Timestamp;
use trialbook_store::BookError;
use trialbook_store::nouns::{ExperimentRow, Owner, RunRow};
use trialbook_store::reading::Reading;

use crate::error::ExportError;

/// Rows read at once.
const ROWS: usize = 256;

/// Columns before params, metrics and tags.
const FIXED: [&str; 14] = [
    "id",
    "run",
    "experiment",
    "project",
    "name",
    "status",
    "started",
    "ended",
    "duration_ms",
    "variation",
    "trial",
    "attempt",
    "seed",
    "error",
];

/// Where a table goes, with the name of the file for errors.
pub struct Out<'a> {
    /// The file.
    pub out: &'a mut dyn Write,
    /// What it is called.
    pub name: &'a std::path::Path,
}

impl Out<'_> {
    fn row<S: AsRef<str>>(
        &mut self,
        fields: impl IntoIterator<Item = S>,
    ) -> Result<(), ExportError> {
        let mut line = String::new();
        for (at, field) in fields.into_iter().enumerate() {
            if at > 0 {
                line.push(',');
            }
            put(field.as_ref(), &mut line);
        }
        line.push('\n');
        self.out
            .write_all(line.as_bytes())
            .map_err(|source: io::Error| ExportError::Write {
                path: self.name.to_owned(),
                source,
            })
    }
}

/// A field, quoted where it has to be.
fn put(field: &str, line: &mut String) {
    if field.contains([',', '"', '\n', '\r']) {
        line.push('"');
        line.push_str(&field.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(field);
    }
}

/// Writes a line a run: what it is, its params, the last values of its metrics, its tags.
pub fn runs<V: Reading<Error = BookError>>(
    view: &V,
    numbers: &[RunNo],
    mut out: Out<'_>,
) -> Result<(), ExportError> {
    let mut keys = Keys::default();
    for some in numbers.chunks(ROWS) {
        for run in view.runs(some)? {
            keys.meet(&run);
        }
    }
    let params = keys.params.iter().map(|key| format!("params.{key}"));
    let metrics = keys.metrics.iter().map(|key| format!("metrics.{key}"));
    let tags = keys.tags.iter().map(|key| format!("tags.{key}"));
    let fixed = FIXED.iter().map(|name| (*name).to_owned());
    out.row(fixed.chain(params).chain(metrics).chain(tags))?;
    let experiments = view.experiments()?;
    for some in numbers.chunks(ROWS) {
        for run in view.runs(some)? {
            let of = experiments.iter().find(|row| row.no == run.experiment);
            let mut fields = fixed_fields(&run, of);
            keys.fields(&run, &mut fields);
            out.row(fields)?;
        }
    }
    Ok(())
}

/// Keys of all runs.
#[derive(Default)]
struct Keys {
    params: BTreeSet<String>,
    metrics: BTreeSet<SeriesKey>,
    tags: BTreeSet<String>,
}

impl Keys {
    fn meet(&mut self, run: &RunRow) {
        let state = &run.state;
        self.params.extend(state.params.keys().cloned());
        self.metrics.extend(state.records.series.keys().cloned());
        let tags = state.annotations.tags();
        self.tags.extend(tags.map(|(key, _)| key.to_owned()));
    }

    fn fields(&self, run: &RunRow, fields: &mut Vec<String>) {
        let state = &run.state;
        let param = |key: &String| state.params.get(key).map(|held| held.param().text.clone());
        fields.extend(self.params.iter().map(|key| param(key).unwrap_or_default()));
        let last = |key: &SeriesKey| {
            let summary = state.records.series.get(key);
            summary.map(|summary| number(summary.last.value))
        };
        fields.extend(self.metrics.iter().map(|key| last(key).unwrap_or_default()));
        let tag = |key: &String| {
            let held = state.annotations.tags.get(key)?;
            held.value.clone()
        };
        fields.extend(self.tags.iter().map(|key| tag(key).unwrap_or_default()));
    }
}

fn fixed_fields(run: &RunRow, of: Option<&ExperimentRow>) -> Vec<String> {
    let state = &run.state;
    let start = state.start();
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    let whole = |number: Option<u64>| number.map(|it| it.to_string()).unwrap_or_default();
    let took = state.started().zip(state.ended());
    let took = took.map(|(from, to)| (to.0.saturating_sub(from.0) / 1000).to_string());
    let experiment = of.and_then(|row| row.state.name()).unwrap_or_default();
    vec![
        run.uid.to_string(),
        run.number
            .map(trialbook_model::handle::run_label)
            .unwrap_or_default(),
        experiment.to_owned(),
        of.map(|row| row.state.project().to_owned())
            .unwrap_or_default(),
        state.name().unwrap_or_default().to_owned(),
        state.status().word().to_owned(),
        time(state.started()),
        time(state.ended()),
        took.unwrap_or_default(),
        start
            .and_then(|it| it.variation.clone())
            .unwrap_or_default(),
        whole(start.and_then(|it| it.trial)),
        whole(start.and_then(|it| it.attempt)),
        whole(start.and_then(|it| it.seed)),
        state
            .error()
            .map(|it| it.message.clone())
            .unwrap_or_default(),
    ]
}

/// Writes a line a point of some metrics, of all where none is named; gives the number of points.
pub fn series<V: Reading<Error = BookError>>(
    view: &V,
    numbers: &[RunNo],
    metrics: &[String],
    mut out: Out<'_>,
) -> Result<u64, ExportError> {
    out.row(["id", "metric", "context", "step", "time", "value"])?;
    let mut points = 0;
    for no in numbers {
        for run in view.runs(&[*no])? {
            let keys = run.state.records.series.keys();
            let uid = run.uid.to_string();
            for key in keys.filter(|key| metrics.is_empty() || metrics.contains(&key.key)) {
                let series = view.series(&Owner::Run(run.no), key)?;
                points += series.len() as u64;
                for point in series.points() {
                    let step = point.step.to_string();
                    let (time, value) = (point.time.to_string(), number(point.value));
                    out.row([&uid, &key.key, &key.context, &step, &time, &value])?;
                }
            }
        }
    }
    Ok(points)
}

/// All digits, as programs read them.
fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        (if value > 0.0 { "inf" } else { "-inf" }).to_owned()
    } else if value == 0.0 || (1e-5..1e16).contains(&value.abs()) {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_have_to_be() {
        let mut bytes = Vec::new();
        let name = std::path::Path::new("x.csv");
        let mut out = Out {
            out: &mut bytes,
            name,
        };
        out.row(["a", "b,c", "d\"e", "", "f\ng"]).unwrap();
        assert_eq!(bytes, b"a,\"b,c\",\"d\"\"e\",,\"f\ng\"\n");
        for value in [0.1, -0.0, 1e300, 5e-324, 12_345_678.25] {
            assert_eq!(
                number(value).parse::<f64>().unwrap().to_bits(),
                value.to_bits()
            );
        }
    }
}
