//! What is to be run: a config file, or a command with a grid, as one config.
//!
//! Invariant: whatever the command line says, the result is a config that obeys the rules of config files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use trialbook_model::canonical;
use trialbook_model::config::{self, Config, GridParts};
use trialbook_model::nearest::nearest;
use trialbook_model::plan::check_names;
use trialbook_model::secret;
use trialbook_runner::known::KnownSecrets;
use trialbook_runner::outline::Scope;
use trialbook_runner::standing::Standing;

use super::Args;
use crate::context::Context;
use crate::failure::Failure;
use crate::given;

/// What is to be run.
#[derive(Debug)]
pub(super) struct Spec {
    pub(super) config: Config,
    /// The config of the file, where `config` is a grid beside it.
    pub(super) beside: Option<Config>,
    /// The folder that its paths are relative to.
    pub(super) folder: PathBuf,
    pub(super) intent: Intent,
}

/// What a second `run` of the same means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intent {
    /// The config names all runs of its experiment.
    Config,
    /// A grid over a config: its runs stand beside those that the config names.
    Beside,
    /// The command line names some runs beside those that are there.
    Adhoc(Repeat),
}

/// What a command line means that was run before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// A grid or a number of trials: do what is missing.
    Missing,
    /// One bare command: do it once more.
    Another,
}

impl Spec {
    /// Fits the number of trials to what is there: one bare command is the next trial of itself.
    pub(super) fn settle(&mut self, standing: &Standing) {
        if self.intent == Intent::Adhoc(Repeat::Another)
            && let Some(variation) = self.config.variations.first()
        {
            let trial = standing.highest_trial(&variation.name) + 1;
            self.config.trials = u32::try_from(trial).unwrap_or(u32::MAX);
        }
    }

    /// The secrets that are recorded nowhere.
    pub(super) fn known(&self) -> KnownSecrets {
        KnownSecrets::of_configs(std::iter::once(&self.config).chain(&self.beside))
    }

    /// The config that is recorded with the experiment.
    pub(super) fn recorded(&self) -> &Config {
        self.beside.as_ref().unwrap_or(&self.config)
    }

    pub(super) fn scope(&self) -> Scope {
        match self.intent {
            Intent::Config | Intent::Beside | Intent::Adhoc(Repeat::Missing) => Scope::All,
            Intent::Adhoc(Repeat::Another) => Scope::LastTrial,
        }
    }
}

pub(super) fn read(args: &Args, cx: &Context) -> Result<Spec> {
    match (&args.config, args.command.is_empty()) {
        (Some(file), true) => from_file(file, args, cx),
        (None, false) => from_line(args, cx),
        (Some(file), false) => Err(usage(
            format!("both a config, `{file}`, and a command are given"),
            "give one of them; the command's own arguments stand after `--`",
        )),
        (None, true) => Err(usage(
            "there is nothing to run".to_owned(),
            "`trialbook run CONFIG`, or `trialbook run -- COMMAND`",
        )),
    }
}

fn usage(problem: String, hint: &str) -> anyhow::Error {
    let hint = hint.to_owned();
    Failure::Usage { problem, hint }.into()
}

fn from_file(file: &str, args: &Args, cx: &Context) -> Result<Spec> {
    let path = cx.here().join(file);
    let mut config = given::config(file, cx)?;
    if let Some(name) = &args.experiment {
        // The config's id belongs to the experiment of the config's own name.
        config.experiment.id = None;
        config.experiment.name.clone_from(name);
    }
    let is_grid = !args.set.is_empty() || args.sample.is_asked();
    let beside = is_grid.then(|| config.clone());
    if let Some(trials) = args.trials {
        config.trials = trials;
    }
    config.random_seed = args.seed.or(config.random_seed);
    if beside.is_some() {
        config = grid(&config, args, cx)?;
    }
    Ok(Spec {
        config,
        intent: if beside.is_some() {
            Intent::Beside
        } else {
            Intent::Config
        },
        beside,
        folder: path.parent().unwrap_or(cx.here()).to_owned(),
    })
}

/// The chosen variations of a config, each at each point of a grid.
fn grid(config: &Config, args: &Args, cx: &Context) -> Result<Config> {
    let axes = args.set.iter().map(|text| config::axis(text));
    let mut axes: Vec<_> = axes.collect::<Result<_, _>>()?;
    let mut chosen = config.clone();
    if !args.only.is_empty() {
        let known: Vec<&str> = config
            .variations
            .iter()
            .map(|it| it.name.as_str())
            .collect();
        check_names(&known, &args.only)?;
        chosen
            .variations
            .retain(|variation| args.only.contains(&variation.name));
    }
    for (key, _) in &axes {
        let params = config.variations.iter().flat_map(|it| &it.params);
        let known: Vec<&str> = params.map(|(name, _)| name.as_str()).collect();
        if !known.contains(&key.as_str()) {
            let nearest = nearest(key, &known);
            let meant = nearest.map_or_else(String::new, |it| format!("; did you mean `{it}`?"));
            cx.printer.warn(&format!(
                "no variation of the config has a param `{key}`{meant}"
            ));
        }
    }
    axes.extend(args.sample.axes());
    Ok(config::with_grid(&chosen, &axes)?)
}

fn from_line(args: &Args, cx: &Context) -> Result<Spec> {
    let axes = args.set.iter().map(|text| config::axis(text));
    let mut axes: Vec<_> = axes.collect::<Result<_, _>>()?;
    let is_bare = axes.is_empty() && args.trials.is_none();
    axes.extend(args.sample.axes());
    let name = args
        .experiment
        .clone()
        .unwrap_or_else(|| name_of(&args.command));
    let mut config = config::from_grid(GridParts {
        name,
        command: args.command.clone(),
        axes,
        trials: args.trials.unwrap_or(1),
        random_seed: args.seed,
        data_path: args.sample.data().map(str::to_owned),
        ..GridParts::default()
    })?;
    if let (true, [only]) = (is_bare, config.variations.as_mut_slice()) {
        let label = label_of(&args.command);
        only.name = if args.sample.is_asked() {
            format!("{label} {}", only.name)
        } else {
            label
        };
    }
    Ok(Spec {
        config,
        beside: None,
        folder: cx.here().to_owned(),
        intent: Intent::Adhoc(if is_bare {
            Repeat::Another
        } else {
            Repeat::Missing
        }),
    })
}

/// A name for the experiment of a command: its script's, else its program's.
fn name_of(command: &[String]) -> String {
    let stem = |word: &String| {
        let stem = Path::new(word).file_stem();
        stem.map(|stem| stem.to_string_lossy().into_owned())
    };
    let program = command.first().and_then(stem).unwrap_or_default();
    if !is_interpreter(&program) {
        return program;
    }
    let script = command.iter().skip(1).find(|word| {
        // What follows `-c` is a script, but no file.
        !word.starts_with('-')
            && !word.contains(char::is_whitespace)
            && Path::new(word).extension().is_some()
    });
    script.and_then(stem).unwrap_or(program)
}

/// A name for the variation that one bare command is: the command line itself, so that another one is another
/// variation.
fn label_of(command: &[String]) -> String {
    const LONGEST: usize = 60;
    let line = secret::argv(command).content.join(" ");
    // A shell has put in the value of what was a variable before.
    let line = KnownSecrets::of_configs([]).text(&line).into_owned();
    let line = line.replace(char::is_control, " ");
    match line.char_indices().nth(LONGEST) {
        None => line,
        Some((end, _)) => {
            let mut hash = canonical::hash(&line.as_str().into());
            hash.truncate(4);
            format!("{}… {hash}", &line[..end])
        }
    }
}

fn is_interpreter(program: &str) -> bool {
    let word = program.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    [
        "python", "sh", "bash", "zsh", "node", "ruby", "perl", "Rscript", "julia", "uv", "env",
    ]
    .contains(&word)
}

/// A time such as `500ms`, `90s`, `10m`, `1.5h`; a bare number means seconds.
pub(in crate::commands) fn duration(text: &str) -> Result<Duration, String> {
    let end = text
        .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let seconds = match unit.trim() {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err("expected a time such as `500ms`, `90s`, `10m` or `2h`".to_owned()),
    };
    let number: f64 = number
        .parse()
        .map_err(|_no_number| "expected a time such as `90s` or `10m`".to_owned())?;
    Duration::try_from_secs_f64(number * seconds)
        .map_err(|_too_long| "this time is longer than can be measured".to_owned())
}

/// A time of more than nothing.
pub(in crate::commands) fn some_time(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|time| {
        if time.is_zero() {
            Err("expected a time above 0".to_owned())
        } else {
            Ok(time)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_have_names() {
        let inline = ["sh", "-c", "sleep 0.1; echo a=1"].map(str::to_owned);
        assert_eq!(name_of(&inline), "sh");
        for (command, name) in [
            ("./bench.sh --fast", "bench"),
            ("python3 -u src/train.py --lr 1.5", "train"),
            ("/usr/bin/python3.11 -m train", "python3"),
            ("true", "true"),
        ] {
            let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
            assert_eq!(name_of(&words), name, "{command}");
        }
    }

    #[test]
    fn times_are_read() {
        for (text, millis) in [
            ("500ms", 500),
            ("90", 90_000),
            ("1.5h", 5_400_000),
            ("2 m", 120_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in [
            "",
            "s",
            "-1s",
            "1d",
            "1e9s",
            "1.2.3s",
            "99999999999999999999h",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(some_time("0s").is_err() && some_time("1ms").is_ok());
    }
}
