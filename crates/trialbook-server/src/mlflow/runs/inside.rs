//! Runs that a program starts which is itself executed as a run.
//!
//! The first one is the run around the program; others are its children. A program that names an experiment of its
//! own gets none: the name becomes a tag. Invariant: the wrapper alone says how its run ended.

use trialbook_model::id::RunUid;

use super::create::{self, Wanted};
use super::{find_active, subject, tags};
use crate::desk::{Draft, Look};
use crate::loopback::Within;
use crate::mlflow::error::Refusal;
use crate::mlflow::experiments;
use crate::mlflow::names::{PARENT, field};

/// The field that says that a program has taken its run over.
const JOINED: &str = "joined";

/// The tag for the experiment that a program names.
pub(in crate::mlflow) const EXPERIMENT_NAME: &str = "mlflow.experimentName";

/// What a program gets that asks for a run.
pub(super) fn decide(
    look: &Look<'_>,
    draft: &mut Draft,
    (mut wanted, Within(around)): (Wanted, Within),
    root: &str,
) -> Result<RunUid, Refusal> {
    let run = find_active(look, &around.to_string())?;
    let named = experiments::find(look, &wanted.experiment)?;
    if named.no.0 != 0 && named.no != run.experiment {
        let name = experiments::name_of(&named).into_owned();
        wanted.tags.push((EXPERIMENT_NAME.to_owned(), Some(name)));
    }
    if run.state.annotations.flag(JOINED) {
        if wanted.tag(PARENT).is_none() {
            let parent = (PARENT.to_owned(), Some(around.to_string()));
            wanted.tags.push(parent);
        }
        wanted.experiment = run.experiment.to_string();
        return create::decide(look, draft, wanted, root);
    }
    draft.say(field(subject(&run), JOINED, true));
    if let Some(name) = wanted.name {
        draft.say(field(subject(&run), "name", name));
    }
    tags::say(draft, &subject(&run), wanted.tags);
    Ok(around)
}
