//! A figure: what was measured, what it must reach, and the machine's own limit measured in the same run.

use serde::Serialize;

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Better {
    /// Smaller figures.
    Lower,
    /// Greater figures.
    Higher,
}

/// One figure; printed as one line of JSON.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    /// The bench.
    pub(crate) bench: &'static str,
    /// What was measured.
    pub(crate) name: String,
    /// The median.
    pub(crate) value: f64,
    /// Its unit.
    pub(crate) unit: &'static str,
    /// What it must reach, if anything.
    pub(crate) target: Option<f64>,
    /// Which way is better.
    pub(crate) better: Better,
    /// The machine's own limit for this work, measured in the same run.
    pub(crate) limit: Option<f64>,
    /// What the limit is.
    pub(crate) limit_name: Option<String>,
}

impl Figure {
    /// A figure of which less is better.
    pub(crate) fn lower(
        bench: &'static str,
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
    ) -> Self {
        Self::new(bench, name, value, unit, Better::Lower)
    }

    /// A figure of which more is better.
    pub(crate) fn higher(
        bench: &'static str,
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
    ) -> Self {
        Self::new(bench, name, value, unit, Better::Higher)
    }

    fn new(
        bench: &'static str,
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        better: Better,
    ) -> Self {
        Self {
            bench,
            name: name.into(),
            value,
            unit,
            target: None,
            better,
            limit: None,
            limit_name: None,
        }
    }

    /// With what it must reach.
    pub(crate) fn target(mut self, target: f64) -> Self {
        self.target = Some(target);
        self
    }

    /// With the machine's limit.
    pub(crate) fn limit(mut self, name: impl Into<String>, limit: f64) -> Self {
        self.limit = Some(limit);
        self.limit_name = Some(name.into());
        self
    }

    /// Whether the target is reached; true where there is none.
    pub(crate) fn reached(&self) -> bool {
        self.target.is_none_or(|target| match self.better {
            Better::Lower => self.value <= target,
            Better::Higher => self.value >= target,
        })
    }

    /// One line for people.
    pub(crate) fn line(&self) -> String {
        let sign = match self.better {
            Better::Lower => '≤',
            Better::Higher => '≥',
        };
        let target = self
            .target
            .map_or(String::new(), |target| format!("{sign} {}", short(target)));
        let verdict = match (self.target, self.reached()) {
            (None, _) => "",
            (Some(_), true) => "reached",
            (Some(_), false) => "MISSED",
        };
        let limit = match (&self.limit_name, self.limit) {
            (Some(name), Some(limit)) => format!("  limit {}: {}", name, short(limit)),
            _ => String::new(),
        };
        format!(
            "{:<9} {:<58} {:>10} {:<9} {target:<10} {verdict:<8}{limit}",
            self.bench,
            self.name,
            short(self.value),
            self.unit
        )
        .trim_end()
        .to_owned()
    }
}

/// Three digits that count.
fn short(value: f64) -> String {
    let digits = if value.abs() >= 100.0 {
        0
    } else if value.abs() >= 10.0 {
        1
    } else {
        3
    };
    format!("{value:.digits$}")
}

/// The median of measured values; NaN of none.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    quantile(values, 0.5)
}

/// A quantile (nearest rank) of measured values; NaN of none.
pub(crate) fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1) as f64;
    values
        .get((last * part).round() as usize)
        .copied()
        .unwrap_or(f64::NAN)
}
