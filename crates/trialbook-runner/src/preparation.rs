//! From a planned run to the task that the wrapper executes: its command, folder and variables.
//!
//! Not here: the words of the protocol for users (`docs/reference/task-protocol.md`), starting anything.
//! Invariant: everything that a program is told about its run is told by variables; templates are filled
//! from the same values.

mod interpreter;
mod words;

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use trialbook_capture::data;
use trialbook_model::config::Config;
use trialbook_model::record::Param;
use trialbook_model::secret;
use trialbook_model::template::{self, TemplateError};

use crate::guard::RUN_VARIABLE;
use crate::known::KnownSecrets;
use crate::leading::Leading;
use crate::ledger::{Job, without_secrets};
use crate::requests::Requests;
use crate::sample::{SAMPLE_FILES, Sample};
use crate::wrapper::{Capture, Files, Limits, Program, Task};

/// What all runs of an experiment have in common.
#[derive(Debug, Clone)]
pub struct Preparation {
    /// The config.
    pub config: Config,
    /// The folder of the config file, or the present folder.
    pub folder: PathBuf,
    /// The book's folder, or the outbox of its server.
    pub book: PathBuf,
    /// What programs find the book by: its folder, or its address.
    pub named: PathBuf,
    /// The Python shim, where the task has no command.
    pub shim: Option<PathBuf>,
    /// The interpreter for it.
    pub python: String,
    /// A longest time that is asked for beside the config's.
    pub timeout: Option<Duration>,
    /// The secrets of the config, which are recorded nowhere.
    pub known: KnownSecrets,
    /// Time between the request to end and the kill.
    pub grace: Duration,
    /// What is recorded beside what the programs tell.
    pub capture: Capture,
    /// Variables that lead a run's program to whoever runs it.
    pub leading: Leading,
    /// What of the data the runs are about, where that is not all of it.
    pub sample: Option<Arc<Sample>>,
}

/// Why a run cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// Its folder cannot be made.
    #[error("the folder `{folder}` of the run could not be made")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// A template cannot be filled in.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

/// Where a program appends its metrics, in its run's folder.
const METRICS_FILE: &str = "metrics.jsonl";
/// Where it writes its result.
const RESULT_FILE: &str = "result.json";
/// Where a program finds its data.
const DATA_PATH: &str = "TRIALBOOK_DATA_PATH";
/// Where it finds the ids of its sample, one a line.
const SAMPLE_IDS: &str = "TRIALBOOK_SAMPLE_IDS";
/// Programs that start the Python of the folder's own environment.
const LAUNCHERS: [&str; 6] = ["hatch", "pdm", "pipenv", "poetry", "rye", "uv"];
/// Variables of an outer run, which mean nothing inside.
const OUTER: &str = "TRIALBOOK_PARAM_";

impl Preparation {
    /// The folder of a run's own files.
    pub fn run_folder(&self, job: &Job) -> PathBuf {
        self.book.join("work").join(job.run.to_string())
    }

    /// Removes the folder of a run that has ended, where it holds nothing but files of the protocol: what they
    /// say is recorded, and they say it unfiltered. Whatever else the program left in it stays with them.
    pub fn clear(&self, job: &Job) {
        let folder = self.run_folder(job);
        let Ok(mut entries) = std::fs::read_dir(&folder) else {
            return;
        };
        let is_own = |entry: io::Result<std::fs::DirEntry>| {
            entry.is_ok_and(|entry| {
                let name = entry.file_name();
                let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
                let is_ours = |own: &str| name == own;
                is_file && own_files().any(is_ours)
            })
        };
        if entries.all(is_own) {
            for name in own_files() {
                std::fs::remove_file(folder.join(name)).ok();
            }
            std::fs::remove_dir(&folder).ok();
        }
    }

    /// Requests to end runs of the book.
    pub fn requests(&self) -> Requests {
        Requests::of(&self.book)
    }

    /// The interpreter that the runs use, as far as it shows: to ask it for its version and packages.
    pub fn interpreter(&self) -> String {
        let command = self.config.task.command.first();
        let own = command.and_then(|program| self.interpreter_of(program));
        own.unwrap_or_else(|| self.python.clone())
    }

    fn interpreter_of(&self, program: &str) -> Option<String> {
        if interpreter::is_python(program) {
            return Some(program.to_owned());
        }
        if LAUNCHERS.contains(&program) {
            let own = self.folder.join(".venv/bin/python");
            return own.exists().then(|| own.to_string_lossy().into_owned());
        }
        // A script that names its interpreter in its first line.
        if !program.contains('/') {
            return None;
        }
        let mut beginning = [0; 256];
        let mut file = std::fs::File::open(self.folder.join(program)).ok()?;
        let length = file.read(&mut beginning).ok()?;
        interpreter::named(&beginning[..length])
    }

    /// The command line of a run; a template that cannot be filled in stays as it is.
    pub fn command(&self, job: &Job) -> Vec<String> {
        self.filled(&|name| self.value(job, name))
    }

    /// The command line as it is recorded: no secret is filled into it, and none stands in it.
    pub fn recorded_command(&self, job: &Job) -> Vec<String> {
        let params = without_secrets(self.params(job));
        let value = |name: &str| {
            if let Some((_, param)) = params.iter().find(|(own, _)| own == name) {
                return Some(param.text.clone());
            }
            // The data itself is told: a sample of it is gone with the run.
            let own = job.planned.value(&self.config, name);
            let value = own.or_else(|| self.value(job, name))?;
            Some(secret::value(&value).content.into_owned())
        };
        let clean = secret::argv(&self.filled(&value)).content;
        clean
            .iter()
            .map(|word| self.known.text(word).into_owned())
            .collect()
    }

    fn filled(&self, value: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
        let task = &self.config.task;
        if task.command.is_empty() {
            return self.shim_command();
        }
        let filled =
            |word: &String| template::render(word, value).unwrap_or_else(|_unfilled| word.clone());
        task.command.iter().map(filled).collect()
    }

    fn params(&self, job: &Job) -> &[(String, Param)] {
        let variation = self.config.variations.get(job.planned.variation_at);
        variation.map_or(&[][..], |variation| variation.params.as_slice())
    }

    fn shim_command(&self) -> Vec<String> {
        let shim = self
            .shim
            .as_deref()
            .unwrap_or(Path::new("trialbook_task.py"));
        vec![
            self.python.clone(),
            shim.to_string_lossy().into_owned(),
            self.config.task.kind.clone().unwrap_or_default(),
            self.folder.to_string_lossy().into_owned(),
        ]
    }

    /// Makes the run's folder and the task for the wrapper.
    pub fn task(&self, job: &Job) -> Result<Task, PrepareError> {
        let folder = self.run_folder(job);
        // A run that was cut off after this may find its own folder again.
        let failed = |source| PrepareError::Folder {
            folder: folder.clone(),
            source,
        };
        std::fs::create_dir_all(&folder).map_err(failed)?;
        if let Some(sample) = &self.sample {
            sample.write(&folder).map_err(failed)?;
        }
        let files = Files {
            metrics: folder.join(METRICS_FILE),
            result: folder.join(RESULT_FILE),
            exit: None,
            cancel: Some(self.requests().path(job.run)),
        };
        let directory = match &self.config.task.cwd {
            Some(cwd) => self.folder.join(self.fill(job, cwd)?),
            None => self.folder.clone(),
        };
        let own = self.config.task.timeout_ms.map(Duration::from_millis);
        let variables = self.variables(job, &files)?;
        Ok(Task {
            run: job.run,
            secrets: self.secrets(job, &variables),
            program: Program {
                argv: self.command(job),
                directory,
                variables,
                removed: outer_variables(),
            },
            files,
            limits: Limits {
                timeout: self.timeout.or(own),
                grace: self.grace,
            },
            capture: self.capture,
        })
    }

    /// What the program is told and must not be recorded.
    fn secrets(&self, job: &Job, variables: &[(OsString, OsString)]) -> KnownSecrets {
        let mut known = KnownSecrets::default();
        for (name, param) in self.params(job) {
            known.add(name, &param.text);
        }
        for (name, value) in variables {
            // Those of the protocol hold params, which are known by their own names.
            let own = name
                .to_str()
                .filter(|name| self.config.task.env.iter().any(|(it, _)| it == name));
            if let (Some(name), Some(value)) = (own, value.to_str()) {
                known.add(name, value);
            }
        }
        for (name, value) in std::env::vars_os() {
            if let (Some(name), Some(value)) = (name.to_str(), value.to_str()) {
                known.add_inherited(name, value);
            }
        }
        known
    }

    fn fill(&self, job: &Job, text: &str) -> Result<String, TemplateError> {
        template::render(text, &|name| self.value(job, name))
    }

    fn value(&self, job: &Job, name: &str) -> Option<String> {
        if let ("data_path", Some(path)) = (name, self.sampled(job))
            && !self.params(job).iter().any(|(own, _)| own == name)
        {
            return Some(path.to_string_lossy().into_owned());
        }
        let own = job.planned.value(&self.config, name);
        let path = |file: &str| {
            let path = self.run_folder(job).join(file);
            path.to_string_lossy().into_owned()
        };
        own.or_else(|| match name {
            "run_dir" => Some(self.run_folder(job).to_string_lossy().into_owned()),
            "metrics_file" => Some(path(METRICS_FILE)),
            "result_file" => Some(path(RESULT_FILE)),
            _ => None,
        })
    }

    fn variables(
        &self,
        job: &Job,
        files: &Files,
    ) -> Result<Vec<(OsString, OsString)>, TemplateError> {
        let (planned, params, book) = (&job.planned, self.params(job), self.named.as_os_str());
        let mut variables: Vec<(OsString, OsString)> = vec![
            (RUN_VARIABLE.into(), job.run.to_string().into()),
            ("TRIALBOOK".into(), book.into()),
            ("TRIALBOOK_BOOK".into(), book.into()),
            (
                "TRIALBOOK_PARAMS".into(),
                words::as_json(params).to_string().into(),
            ),
            (
                "TRIALBOOK_METRICS_FILE".into(),
                files.metrics.clone().into(),
            ),
            ("TRIALBOOK_RESULT_FILE".into(), files.result.clone().into()),
            ("TRIALBOOK_RUN_DIR".into(), self.run_folder(job).into()),
            ("TRIALBOOK_SEED".into(), planned.seed.to_string().into()),
            (
                "TRIALBOOK_VARIATION".into(),
                planned.variation.clone().into(),
            ),
            ("TRIALBOOK_TRIAL".into(), planned.trial.to_string().into()),
            (
                "TRIALBOOK_EXPERIMENT".into(),
                self.config.experiment.name.clone().into(),
            ),
            // Output that a program holds back is lost when the program is killed.
            ("PYTHONUNBUFFERED".into(), "1".into()),
        ];
        variables.extend(self.data_variables(job));
        for (name, param) in params {
            if !param.text.contains('\0') {
                let name = format!("{OUTER}{}", words::variable_name(name));
                variables.push((name.into(), param.text.clone().into()));
            }
        }
        let leading = self.leading.of(job.run).into_iter();
        variables.extend(leading.map(|(name, value)| (name.into(), value.into())));
        for (name, value) in &self.config.task.env {
            variables.push((name.into(), self.fill(job, value)?.into()));
        }
        Ok(variables)
    }

    /// The items of a run's sample.
    fn sampled(&self, job: &Job) -> Option<PathBuf> {
        let sample = self.sample.as_ref()?;
        Some(sample.items_path(&self.run_folder(job)))
    }

    fn data_variables(&self, job: &Job) -> Vec<(OsString, OsString)> {
        let all = || {
            let written = self.config.task.data_path.as_deref()?;
            Some(self.data_path(written))
        };
        let path = self.sampled(job).map(OsString::from).or_else(all);
        let ids = self.sample.as_ref();
        let ids = ids.map(|_| Sample::ids_path(&self.run_folder(job)).into());
        let path = path.map(|path| (OsString::from(DATA_PATH), path));
        let ids = ids.map(|ids| (OsString::from(SAMPLE_IDS), ids));
        path.into_iter().chain(ids).collect()
    }

    /// A path of something in the config's folder, or in one above it, becomes absolute, so that it holds in any
    /// working folder; an address or a name of something else stays as written.
    fn data_path(&self, written: &str) -> OsString {
        data::locate(&self.folder, written).map_or_else(|| written.into(), OsString::from)
    }
}

/// The files of the protocol in a run's folder.
fn own_files() -> impl Iterator<Item = &'static str> {
    [METRICS_FILE, RESULT_FILE].into_iter().chain(SAMPLE_FILES)
}

fn outer_variables() -> Vec<OsString> {
    std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| {
            let name = name.to_string_lossy();
            name.starts_with(OUTER) || name == DATA_PATH || name == SAMPLE_IDS
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use trialbook_model::capture::Parts;
    use trialbook_model::config;
    use trialbook_model::id::{RunUid, Uid};
    use trialbook_model::plan::expand;

    use super::*;
    use crate::wrapper::GRACE;

    const CONFIG: &str = "
experiment: {name: e x}
task:
  command: [./run, '{train.lr}', '{{n}}', '{seed}/{trial}/{variation}/{experiment}', '{run_dir}', '{result_file}']
  data_path: data
  cwd: sub/{n}
  env: {OWN: '{n}-{metrics_file}', PYTHONUNBUFFERED: '0'}
  timeout: 2s
variations:
  - {name: v 1, params: {train: {lr: 0.10}, n: 3, flag: true, none: null, text: '7', huge: 1e400, odd-Näme: x}}
random_seed: 5
";

    fn prepared(folder: &Path, timeout: Option<Duration>) -> (Job, Task) {
        let preparation = Preparation {
            config: config::parse(CONFIG, "c").unwrap().config,
            folder: folder.to_owned(),
            book: folder.join("book"),
            named: folder.join("book"),
            shim: None,
            python: "python3".to_owned(),
            timeout,
            known: KnownSecrets::default(),
            grace: GRACE,
            capture: Capture::of(&Parts::all()),
            leading: Leading::by(|run| vec![("LEAD".to_owned(), run.to_string())]),
            sample: None,
        };
        let job = Job {
            run: RunUid(Uid([1; 16])),
            number: 1,
            attempt: 1,
            planned: expand(&preparation.config, 5).remove(0),
        };
        let task = preparation.task(&job).unwrap();
        (job, task)
    }

    #[test]
    fn commands_and_variables_are_filled_from_the_same_values() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        let (job, task) = prepared(folder.path(), None);
        let own = folder.path().join("book/work").join("01".repeat(16));
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let seed = job.planned.seed;
        let argv = [
            "./run".to_owned(),
            "0.10".to_owned(),
            "{n}".to_owned(),
            format!("{seed}/1/v 1/e x"),
            text(&own),
            text(&own.join("result.json")),
        ];
        assert_eq!(task.program.argv, argv);
        assert_eq!(task.program.directory, folder.path().join("sub/3"));
        assert!(own.is_dir());
        let variable = |name: &str| {
            // A later one of the same name holds.
            let mut found = task.program.variables.iter().rev();
            let (_, value) = found.find(|(known, _)| known == name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        let metrics = text(&own.join("metrics.jsonl"));
        for (name, value) in [
            ("TRIALBOOK_RUN", "01".repeat(16)),
            ("TRIALBOOK_SEED", seed.to_string()),
            ("TRIALBOOK_TRIAL", "1".to_owned()),
            ("TRIALBOOK_VARIATION", "v 1".to_owned()),
            ("TRIALBOOK_PARAM_TRAIN_LR", "0.10".to_owned()),
            ("TRIALBOOK_PARAM_ODD_N_ME", "x".to_owned()),
            ("TRIALBOOK_DATA_PATH", text(&folder.path().join("data"))),
            ("TRIALBOOK_BOOK", text(&folder.path().join("book"))),
            ("OWN", format!("3-{metrics}")),
            ("PYTHONUNBUFFERED", "0".to_owned()),
            ("LEAD", "01".repeat(16)),
        ] {
            assert_eq!(variable(name), Some(value), "{name}");
        }
        let params = variable("TRIALBOOK_PARAMS").unwrap();
        let params: serde_json::Value = serde_json::from_str(&params).unwrap();
        let expected = serde_json::json!({
            "train.lr": 0.1, "n": 3, "flag": true, "none": null, "text": "7", "huge": "1e400", "odd-Näme": "x"
        });
        assert_eq!(params, expected);
    }

    #[test]
    fn only_interpreters_are_asked_for_their_version() {
        for program in ["python", "python3", "./python3", "/opt/bin/python3.12"] {
            assert!(interpreter::is_python(program), "{program}");
        }
        for program in [
            "./python_bench.sh",
            "python3.sh",
            "python3.",
            "python4",
            "pythonw",
            "",
            "train.py",
        ] {
            assert!(!interpreter::is_python(program), "{program}");
        }
    }

    #[test]
    fn scripts_name_their_interpreter() {
        for (line, expected) in [
            ("#!/usr/bin/env python3\nimport x\n", Some("python3")),
            ("#!/usr/bin/env -S python3.12 -u\n", Some("python3.12")),
            ("#!/opt/venv/bin/python -u", Some("/opt/venv/bin/python")),
            ("#!/bin/sh\npython3 x\n", None),
            ("#!\n", None),
            ("import x\n", None),
        ] {
            let found = interpreter::named(line.as_bytes());
            assert_eq!(found.as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn a_timeout_of_the_command_line_goes_before_the_configs() {
        let folder = tempfile::tempdir().unwrap();
        let timeout = |asked| prepared(folder.path(), asked).1.limits.timeout;
        assert_eq!(timeout(None), Some(Duration::from_secs(2)));
        let asked = Some(Duration::from_secs(9));
        assert_eq!(timeout(asked), asked);
    }
}
