//! A sample of the data in place of all of it (C-24): asked for, drawn once, told and recorded.
//!
//! Not here: drawing. Invariant: a sample belongs to what a run does, so runs on samples stand beside those on
//! all the data, and a smaller sample is another run than a larger one.

use anyhow::Result;
use serde_json::Value;
use trialbook_capture::data;
use trialbook_model::config::{Axis, plain_scalar};
use trialbook_model::record::Param;
use trialbook_model::secret;
use trialbook_runner::outline::Outline;
use trialbook_runner::sample::{Sample, Sampling};

use super::Args;
use super::source::{Intent, Repeat, Spec};
use crate::context::Context;
use crate::failure::Failure;
use crate::figures::count;

/// Items where only `--random` is said.
const DEFAULT_SIZE: u32 = 10;

/// The choice of a sample on the command line.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct SampleChoice {
    /// Only so many items of the data file: the first ones, unless --random draws them. The program finds
    /// them where it finds its data
    #[arg(short = 'n', long = "sample", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    size: Option<u32>,
    /// Draw the items by chance and the seed, none twice; 10 of them, unless -n says how many
    #[arg(long)]
    random: bool,
    /// The data of a command: a file `.jsonl`, `.json`, `.csv`, `.tsv` or `.txt` where -n is given
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    data: Option<String>,
}

impl SampleChoice {
    /// Whether not all of the data is meant.
    pub(super) const fn is_asked(&self) -> bool {
        self.size.is_some() || self.random
    }

    /// The data that is named.
    pub(super) fn data(&self) -> Option<&str> {
        self.data.as_deref()
    }

    const fn size(&self) -> u32 {
        match self.size {
            Some(size) => size,
            None => DEFAULT_SIZE,
        }
    }

    const fn sampling(&self) -> Sampling {
        if self.random {
            Sampling::Random
        } else {
            Sampling::Sequential
        }
    }

    /// What the sample adds to the params of each run.
    pub(super) fn axes(&self) -> Vec<Axis> {
        if !self.is_asked() {
            return Vec::new();
        }
        let size = plain_scalar(&self.size().to_string());
        let mut axes = vec![("sample_size".to_owned(), vec![size])];
        if self.random {
            let word = Param::text(self.sampling().word());
            axes.push(("sampling_strategy".to_owned(), vec![word]));
        }
        axes
    }
}

/// Draws the sample, where one is asked for and something is to be started.
pub(super) fn draw(args: &Args, spec: &Spec, outline: &Outline) -> Result<Option<Sample>> {
    if !args.sample.is_asked() || outline.decisions.tally().to_start == 0 {
        return Ok(None);
    }
    let Some(written) = spec.config.task.data_path.as_deref() else {
        return Err(Failure::Usage {
            problem: "there is no data to draw a sample from".to_owned(),
            hint: "name it: `--data FILE` of a command, `task.data_path` in a config".to_owned(),
        }
        .into());
    };
    let Some(path) = data::locate(&spec.folder, written) else {
        return Err(Failure::Usage {
            problem: format!("there is no data at `{written}` to draw a sample from"),
            hint: "the path is relative to the config, or to this folder for a command".to_owned(),
        }
        .into());
    };
    let (size, sampling) = (args.sample.size() as usize, args.sample.sampling());
    let sample = Sample::draw(&path, size, sampling, seed(args, spec, outline))?;
    Ok(Some(sample))
}

/// All runs of a config have one sample, also those that a later `run` does. A bare command draws anew each time,
/// unless it is given a seed.
fn seed(args: &Args, spec: &Spec, outline: &Outline) -> u64 {
    let first = outline.decisions.decisions.first();
    let own = first.map(|decision| decision.planned.seed);
    let chance = match spec.intent {
        Intent::Adhoc(Repeat::Another) => own,
        Intent::Adhoc(Repeat::Missing) | Intent::Config | Intent::Beside => None,
    };
    args.seed.or(chance).unwrap_or(outline.base_seed)
}

/// What is recorded of a sample.
pub(super) fn document(sample: &Sample) -> Value {
    secret::json(sample.document()).content
}

/// Says what was drawn.
pub(super) fn announce(cx: &Context, sample: Option<&Sample>) {
    let Some(sample) = sample else {
        return;
    };
    let drawn = sample.ids.len();
    let how = match sample.seed {
        Some(seed) => format!("drawn with seed {seed}"),
        None => "the first ones".to_owned(),
    };
    let all = count(sample.total as u64, "item");
    cx.printer.note(format!("sample: {drawn} of {all}, {how}"));
}
