//! The params and configs of what is compared, in a column each or by their values.
//!
//! Not here: metrics. Invariant: a key that one of them lacks is blank there, and what is cut short says so.

use std::collections::BTreeMap;

use trialbook_analysis::comparison::{Comparison, Held, Setting, Source};

use super::COLUMNS;
use crate::page::{Page, Table};

/// Different values of a setting that are shown where subjects have no columns.
const VALUES: usize = 4;
/// Letters of a setting's value that are shown.
const LETTERS: usize = 40;

/// Which settings are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settings {
    /// Those that differ.
    Differing,
    /// All.
    All,
}

pub(super) fn add(page: &mut Page, comparison: &Comparison, shown: Settings) {
    let all = &comparison.settings;
    let wanted = |setting: &&Setting| match shown {
        Settings::All => true,
        Settings::Differing => setting.differs,
    };
    let rows: Vec<&Setting> = all.iter().filter(wanted).collect();
    let differing = all.iter().filter(|setting| setting.differs).count();
    page.heading(match shown {
        Settings::Differing => format!(
            "Params and configs that differ ({differing} of {})",
            all.len()
        ),
        Settings::All => format!("Params and configs ({differing} of {} differ)", all.len()),
    });
    if rows.is_empty() {
        page.text(if all.is_empty() {
            "None was recorded."
        } else {
            "None differs."
        });
        return;
    }
    page.table(if comparison.subjects.len() <= COLUMNS {
        settings_by_column(comparison, &rows)
    } else {
        settings_by_value(comparison, &rows)
    });
}

fn key_of(setting: &Setting) -> String {
    match setting.source {
        Source::Param => setting.key.clone(),
        Source::Config => format!("config.{}", setting.key),
    }
}

fn settings_by_column(comparison: &Comparison, rows: &[&Setting]) -> Table {
    let titles = comparison.subjects.iter().map(|it| it.title.clone());
    let mut table = Table::of_texts(std::iter::once("KEY".to_owned()).chain(titles));
    for setting in rows {
        let mut cells = vec![key_of(setting)];
        cells.extend(setting.values.iter().map(held));
        table.row(cells);
    }
    table
}

fn settings_by_value(comparison: &Comparison, rows: &[&Setting]) -> Table {
    let base = &comparison.subjects[comparison.baseline].title;
    let mut table = Table::of_texts(["KEY".to_owned(), base.clone(), "THE OTHERS".to_owned()]);
    for setting in rows {
        let mut counts: BTreeMap<&Held, usize> = BTreeMap::new();
        for (at, value) in setting.values.iter().enumerate() {
            if at != comparison.baseline {
                *counts.entry(value).or_default() += 1;
            }
        }
        let mut counts: Vec<(&Held, usize)> = counts.into_iter().collect();
        counts.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
        let more = counts.len().saturating_sub(VALUES);
        let shown = counts.iter().take(VALUES);
        let mut shown: Vec<String> = shown
            .map(|(value, number)| format!("{} ({number})", held(value)))
            .collect();
        if more > 0 {
            shown.push(format!("{more} more values"));
        }
        let base = held(&setting.values[comparison.baseline]);
        table.row(vec![key_of(setting), base, shown.join(", ")]);
    }
    table
}

fn held(value: &Held) -> String {
    match value {
        Held::One(text) => match text.char_indices().nth(LETTERS) {
            Some((at, _)) => format!("{}…", &text[..at]),
            None => text.clone(),
        },
        Held::Several { different } => format!("({different} values)"),
        Held::Missing => String::new(),
    }
}
