//! Params are written once (M-5): the check that verbs make before they write.
//!
//! Not here: what happens when two writers race, which the fold of records decides. Invariant: a message
//! holds no value of a secret, and values are compared as they are recorded.

use std::collections::BTreeMap;

use trialbook_model::record::Param;
use trialbook_store::nouns::RunRow;

use crate::failure::Failure;
use crate::secrets;

/// The params of a run, and those that are about to be recorded.
pub(crate) struct WriteOnce<'a> {
    /// `None` for a run that is being made.
    run: Option<&'a RunRow>,
    /// The run, as told to people.
    title: String,
    accepted: BTreeMap<String, Param>,
}

impl<'a> WriteOnce<'a> {
    /// For a run that is there.
    pub(crate) fn of(run: &'a RunRow, title: &str) -> Self {
        Self {
            run: Some(run),
            title: format!("run {title}"),
            accepted: BTreeMap::new(),
        }
    }

    /// For a run that is being made.
    pub(crate) fn of_new() -> Self {
        Self {
            run: None,
            title: "the new run".to_owned(),
            accepted: BTreeMap::new(),
        }
    }

    /// Takes params as they are to be recorded; refuses all of them where one has another value already, in
    /// the run or among themselves.
    pub(crate) fn accept(
        &mut self,
        params: Vec<(String, Param)>,
    ) -> Result<Vec<(String, Param)>, Failure> {
        let mut new: BTreeMap<String, Param> = BTreeMap::new();
        let params: Vec<(String, Param)> = params
            .into_iter()
            .map(|(key, param)| {
                let param = secrets::param(&key, param);
                (key, param)
            })
            .collect();
        for (key, param) in &params {
            let of_run = self.run.and_then(|run| run.state.params.get(key));
            let of_run = of_run.map(|held| secrets::param(key, held.param().clone()));
            let held = of_run
                .as_ref()
                .or_else(|| self.accepted.get(key))
                .or_else(|| new.get(key));
            match held {
                Some(held) if !held.same(param) => {
                    return Err(Failure::ParamConflict {
                        key: key.clone(),
                        run: self.title.clone(),
                        present: clipped(&held.text),
                        refused: clipped(&param.text),
                    });
                }
                Some(_) => {}
                None => {
                    new.insert(key.clone(), param.clone());
                }
            }
        }
        self.accepted.append(&mut new);
        Ok(params)
    }
}

/// A value short enough for a message.
fn clipped(text: &str) -> String {
    const MOST: usize = 200;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
