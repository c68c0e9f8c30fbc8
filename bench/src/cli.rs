//! Whole commands that show and decide, on a book of a hundred thousand runs.

use std::path::Path;

use anyhow::Result;
use trialbook_model::id::{ExperimentUid, RunUid};
use trialbook_model::record::{
    CreateExperiment, Op, Param, ParamKind, SeriesKey, SetParams, StartRun, Subject,
};
use trialbook_store::book::Effort;
use trialbook_store::recorder::Recorder;

use crate::commands::{completion, filled, timed};
use crate::figure::Figure;
use crate::fill;
use crate::machine::process_start;
use crate::mix::Random;

/// Metrics of each run.
const METRICS: usize = 20;
/// Params of a wide run.
const PARAMS: usize = 200;

/// The figures.
pub(crate) fn run(program: &Path, folder: &Path) -> Result<Vec<Figure>> {
    let book = fill::book(folder)?;
    let mut recorder = fill::recorder(&book, 12)?;
    let mut random = Random::new(13);
    let wide = named(&mut recorder, "wide", 3)?;
    for at in 0..100 {
        trial(&mut recorder, (wide, at), None, &mut random)?;
    }
    let arms = named(&mut recorder, "arms", 4)?;
    for at in 0..1000 {
        let arm = format!("arm-{}", at % 10);
        trial(&mut recorder, (arms, 1000 + at), Some(arm), &mut random)?;
    }
    recorder.finish()?;
    book.seal(Effort::All)?;
    drop(book);
    // The many come last, so that their seal writes the index's snapshot anew and it is fresh.
    filled(folder, 100_000, 1)?;
    let start = process_start()?;
    let mut figures = Vec::new();
    for (words, name, target) in [
        (
            &["compare", "wide"][..],
            "compare, 100 runs × 200 params",
            30.0,
        ),
        (&["show", "wide/run-050"], "show of a run", 15.0),
        (
            &["analyze", "arms"],
            "analyze, 10³ runs × 20 metrics",
            150.0,
        ),
    ] {
        let took = timed(program, folder, words)?;
        figures.push(
            Figure::lower("cli", format!("trialbook {name}, 10⁵ runs"), took, "ms")
                .target(target)
                .limit("fork + exec + exit", start),
        );
    }
    figures.extend(completion("cli", program, folder, start)?);
    Ok(figures)
}

fn named(recorder: &mut Recorder, name: &str, at: u64) -> Result<ExperimentUid> {
    let experiment = ExperimentUid(fill::uid(7, at));
    recorder.record(&Op::CreateExperiment(CreateExperiment {
        experiment,
        project: "default".to_owned(),
        name: name.to_owned(),
        handle: None,
        document: serde_json::Value::Null,
        config_hash: None,
    }))?;
    Ok(experiment)
}

/// A completed run: 200 params, a tenth of which differ from run to run, or a trial of an arm without any.
fn trial(
    recorder: &mut Recorder,
    (experiment, at): (ExperimentUid, u64),
    arm: Option<String>,
    random: &mut Random,
) -> Result<()> {
    let run = RunUid(fill::uid(8, at));
    let started = recorder.tick();
    let is_trial = arm.is_some();
    recorder.record(&Op::StartRun(StartRun {
        experiment,
        started,
        source: "sdk".to_owned(),
        variation: arm,
        trial: is_trial.then_some(at / 10),
        ..StartRun::of(run)
    }))?;
    if !is_trial {
        let param = |key: usize| {
            let value = if key.is_multiple_of(10) { at } else { 0 };
            let text = format!("{}", value as usize + key);
            let kind = ParamKind::Number;
            (
                format!("group.{}.param_{key}", key % 7),
                Param { text, kind },
            )
        };
        recorder.record(&Op::SetParams(SetParams {
            run,
            params: (0..PARAMS).map(param).collect(),
        }))?;
    }
    let subject = recorder.subject(&Subject::Run(run));
    let mut pairs = Vec::new();
    for metric in 0..METRICS {
        let key = recorder.key(&SeriesKey::plain(format!("metric_{metric}")));
        pairs.push((key, random.unit() + (at % 10) as f64 / 100.0));
    }
    let time = recorder.tick();
    recorder.points_at(subject, 0, time, &pairs)?;
    fill::end(recorder, run)
}
