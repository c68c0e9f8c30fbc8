//! What an experiment is made with: a config, or a study of language models.
//!
//! Not here: reading either (the model). Invariant: what is recorded of it passed the secret filter.

use anyhow::Result;
use serde_json::Value;
use trialbook_model::config::Config;
use trialbook_model::secret;
use trialbook_model::study::{self, Study};
use trialbook_runner::known::KnownSecrets;

use crate::context::Context;
use crate::given;

/// What is planned: an experiment with a task, or a study of language models.
pub(super) enum Plan {
    Config(Box<Config>),
    Study(Box<Study>),
}

impl Plan {
    /// Reads it; `name` is what the command line calls it.
    pub(super) fn read(file: &str, name: Option<&String>, cx: &Context) -> Result<Self> {
        let text = given::text(file, cx)?;
        if study::is_study(&text) {
            let (study, warnings) = study::parse(&text, file)?;
            for warning in &warnings {
                cx.printer.warn(&format!("{file}: {warning}"));
            }
            return Ok(Self::Study(Box::new(study)));
        }
        let mut config = given::config(file, cx)?;
        if let Some(name) = name
            && *name != config.experiment.name
        {
            // The config's id belongs to the experiment of the config's own name.
            config.experiment.id = None;
            config.experiment.name.clone_from(name);
        }
        Ok(Self::Config(Box::new(config)))
    }

    /// Its own name.
    pub(super) fn name(&self) -> &String {
        match self {
            Self::Config(config) => &config.experiment.name,
            Self::Study(study) => &study.name,
        }
    }

    /// The same under a name: its id, its hash and what is recorded of it.
    pub(super) fn named(&self, name: &str) -> (Option<String>, String, Value) {
        match self {
            Self::Config(config) => {
                let mut named = (**config).clone();
                if named.experiment.name != name {
                    named.experiment.id = None;
                    name.clone_into(&mut named.experiment.name);
                }
                let document = KnownSecrets::of_configs([&named]).recorded(&named);
                (named.experiment.id.clone(), named.hash(), document)
            }
            Self::Study(study) => {
                let document = secret::json(study.document.clone()).content;
                (None, study.hash(), document)
            }
        }
    }
}
