//! The judged items of the runs that were just done, one by one (C-24, C-21).
//!
//! Not here: counting them (the table of the variations). Invariant: of several records of an item and repeat the
//! one is shown that counts.

use std::borrow::Cow;
use std::io::Read as _;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::derived::{answers, verdict};
use trialbook_model::handle::run_label;
use trialbook_model::record::Item;
use trialbook_runner::ledger::Job;
use trialbook_store::Artifacts;
use trialbook_store::nouns::RunRow;
use trialbook_store::reading::Reading;

use crate::context::Context;
use crate::figures::count;
use crate::printer::{Line, Style};

/// Characters of an answer on its line.
const SHOWN: usize = 60;

/// Which items are shown, and how much of each.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct QuestionChoice {
    /// Print each judged item of these runs with its full question and answers
    #[arg(long)]
    show_questions: bool,
    /// Print only the judged items that are wrong or have no answer
    #[arg(long)]
    failures_only: bool,
}

/// What is asked of the items of some runs.
pub(super) struct Asked<'a> {
    jobs: &'a [Job],
    choice: &'a QuestionChoice,
}

impl QuestionChoice {
    /// `None` where no items are asked for.
    pub(super) fn of<'a>(&'a self, jobs: &'a [Job]) -> Option<Asked<'a>> {
        let choice = self;
        (self.show_questions || self.failures_only).then_some(Asked { jobs, choice })
    }
}

/// An item as it is told.
#[derive(Debug, Serialize)]
pub(super) struct ItemDocument {
    run: String,
    item: String,
    repeat: Option<u64>,
    /// Null where it is not judged right or wrong.
    correct: Option<bool>,
    question: Option<String>,
    expected: Option<String>,
    predicted: Option<String>,
    output: Option<String>,
    error: Option<String>,
}

impl ItemDocument {
    fn of(run: &str, item: &Item) -> Self {
        let failed = item.error.is_some();
        let correct = verdict(item).and_then(|verdict| verdict.correct);
        let error = item.error.as_ref();
        Self {
            run: run.to_owned(),
            item: item.id.clone(),
            repeat: item.repeat,
            correct: if failed { Some(false) } else { correct },
            question: item.input.clone(),
            expected: item.expected.clone(),
            predicted: item.predicted.clone(),
            output: item.output.clone(),
            error: error.map(|error| format!("{}: {}", error.kind, error.message)),
        }
    }
}

impl Asked<'_> {
    /// The items, run by run in the order of the plan.
    pub(super) fn read<V: Reading>(
        &self,
        view: &V,
        kept: &Artifacts,
    ) -> Result<Vec<ItemDocument>, V::Error> {
        let mut all = Vec::new();
        for job in self.jobs {
            let Some(run) = find(view, job)? else {
                continue;
            };
            let label = run_label(job.number);
            let records = view.items(run.no)?;
            let records = records.iter().map(|it| (it.stamp.order(), &it.record));
            let told = answers(records)
                .into_iter()
                .map(|(_, item)| ItemDocument::of(&label, item));
            let is_asked =
                |item: &ItemDocument| !self.choice.failures_only || item.correct != Some(true);
            all.extend(told.filter(is_asked));
        }
        if self.choice.show_questions {
            for item in &mut all {
                item.question = whole(item.question.take(), kept);
                item.output = whole(item.output.take(), kept);
            }
        }
        Ok(all)
    }

    /// As people read them.
    pub(super) fn print(&self, items: &[ItemDocument], cx: &Context) {
        cx.printer.line("");
        let told = if self.choice.failures_only {
            count(items.len() as u64, "item") + " not answered right"
        } else {
            count(items.len() as u64, "judged item")
        };
        cx.printer.line(Line::styled(Style::Bold, told));
        for item in items {
            self.print_item(item, cx);
        }
    }

    fn print_item(&self, item: &ItemDocument, cx: &Context) {
        let (style, word) = match (item.correct, &item.error) {
            (_, Some(_)) => (Style::Red, "failed"),
            (Some(true), None) => (Style::Green, "right"),
            (Some(false), None) => (Style::Red, "wrong"),
            (None, None) => (Style::Yellow, "not judged"),
        };
        let line = Line::default().plain(format!("  {}  {}  ", item.run, item.item));
        cx.printer.line(line.add(style, word));
        let fields = [
            ("question", &item.question),
            ("expected", &item.expected),
            ("predicted", &item.predicted),
            ("output", &item.output),
            ("error", &item.error),
        ];
        for (name, text) in fields {
            // Questions and outputs are long: they are shown where they are asked for.
            let is_long = matches!(name, "question" | "output");
            if let (Some(text), true) = (text, self.choice.show_questions || !is_long) {
                let name = Line::styled(Style::Dim, format!("    {name:<10} "));
                cx.printer.line(name.plain(self.shown(text)));
            }
        }
    }

    fn shown<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match text.char_indices().nth(SHOWN) {
            Some((at, _)) if !self.choice.show_questions => format!("{}…", &text[..at]).into(),
            Some(_) | None => text.into(),
        }
    }
}

fn find<V: Reading>(view: &V, job: &Job) -> Result<Option<RunRow>, V::Error> {
    match view.run_no(job.run)? {
        Some(no) => Ok(view.runs(&[no])?.pop()),
        None => Ok(None),
    }
}

/// A text that was too long to stand in its record is kept by itself.
fn whole(text: Option<String>, kept: &Artifacts) -> Option<String> {
    let text = text?;
    let sum = text.strip_prefix("sha256:");
    let sum = sum.filter(|sum| sum.len() == 64 && kept.contains(sum));
    let mut full = String::new();
    let read = sum.and_then(|sum| kept.get(sum).ok()?.read_to_string(&mut full).ok());
    Some(if read.is_some() { full } else { text })
}
