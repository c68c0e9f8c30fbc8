//! Where a version comes from: whether it may, and where its files are.
//!
//! A source names a run, a logged model, another version or a place. Invariant: a place of this server belongs to the
//! run or model that is named with it; a local path leads nowhere but into the files of its run.

use trialbook_model::id::EntryUid;

use crate::desk::Look;
use crate::mlflow::error::Refusal;
use crate::mlflow::registry::{RegistryError, all_versions, find_model, find_version};
use crate::mlflow::{logged_models, registered_models, runs};

/// What a request says of where a version comes from.
pub(super) struct Origin {
    /// The source as given.
    pub(super) source: String,
    /// The run, if it is given.
    pub(super) run: Option<String>,
    /// The logged model, if it is given.
    pub(super) model: Option<String>,
}

/// Where a version comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::mlflow) struct Place {
    /// The source.
    pub source: String,
    /// Where the files are.
    pub location: String,
    /// The run; empty for none.
    pub run: String,
    /// The logged model.
    pub model: Option<EntryUid>,
}

impl Place {
    /// Of a prompt, which has no files.
    pub(super) fn of_prompt(origin: Origin) -> Self {
        Self {
            location: origin.source.clone(),
            source: origin.source,
            run: origin.run.unwrap_or_default(),
            model: None,
        }
    }
}

const RUN: &str =
    "The run_id request parameter must identify the resource that contains the source.";
const MODEL: &str =
    "The model_id request parameter must identify the resource that contains the source.";
const LOCAL: &str = "To use a local path as a model version source, the run_id request parameter has to be specified and the local path has to be contained within the artifact directory of the run specified by the run_id.";
const RELATIVE: &str = "If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references present. Please provide an absolute path.";
const ELSEWHERE: &str = "Registered model sources must use the active model registry.";
const OF_PROMPT: &str = "Prompt versions cannot be used as model version sources.";
const DIFFERS: &str =
    "The run_id and model_id request parameters must match the referenced model version.";

fn refused(from: &str, reason: &'static str) -> Refusal {
    let from = from.to_owned();
    RegistryError::Source { from, reason }.into()
}

/// Where a version comes from, or why it cannot.
pub(super) fn resolve(look: &Look<'_>, root: &str, origin: Origin) -> Result<Place, Refusal> {
    let Origin { source, run, model } = origin;
    let Some(named) = source.strip_prefix("models:") else {
        check_place(look, root, (&source, run.as_deref(), model.as_deref()))?;
        let model = given(model.as_deref());
        return with_run(
            look,
            Place {
                location: source.clone(),
                source,
                run: run.unwrap_or_default(),
                model: model.map(logged_models::uid).transpose()?,
            },
        );
    };
    let named = named
        .strip_prefix('/')
        .ok_or_else(|| refused(&source, MODEL))?;
    if named.starts_with('/') {
        return Err(refused(&source, ELSEWHERE));
    }
    if let Ok(uid) = logged_models::uid(named) {
        let is_given = given(model.as_deref()).is_some_and(|id| id == named);
        if !is_given {
            return Err(refused(&source, MODEL));
        }
        let row = logged_models::find(look, named)?;
        let place = Place {
            location: logged_models::location(&row).to_owned(),
            source,
            run: run.unwrap_or_default(),
            model: Some(uid),
        };
        return with_run(look, place);
    }
    of_version(look, (&source, named), (run, model))
}

fn given(id: Option<&str>) -> Option<&str> {
    id.filter(|id| !id.is_empty())
}

/// A version without a run has the run of its logged model.
fn with_run(look: &Look<'_>, mut place: Place) -> Result<Place, Refusal> {
    if place.run.is_empty()
        && let Some(uid) = place.model
    {
        let row = logged_models::find(look, &logged_models::id(uid))?;
        place.run = row.state.text("run").unwrap_or_default().to_owned();
    }
    Ok(place)
}

/// A version of another one: `NAME/VERSION` or `NAME@ALIAS`.
fn of_version(
    look: &Look<'_>,
    (source, named): (&str, &str),
    (run, model): (Option<String>, Option<String>),
) -> Result<Place, Refusal> {
    let (name, number) = if let Some((name, alias)) = named.split_once('@') {
        let row = find_model(look, name)?;
        let versions = all_versions(look, &row)?;
        let led = registered_models::aliases(&row, &versions);
        let led = led.into_iter().find(|(known, _)| *known == alias);
        let alias = alias.to_owned();
        (
            name,
            led.ok_or(RegistryError::UnknownAlias { alias })?
                .1
                .to_string(),
        )
    } else {
        let parts = named.split_once('/');
        let (name, number) = parts.ok_or_else(|| refused(source, MODEL))?;
        (name, number.to_owned())
    };
    let (of, row) = find_version(look, name, &number)?;
    if of.state.is_prompt() {
        return Err(refused(source, OF_PROMPT));
    }
    let state = &row.state;
    let known = (
        state.text("run").unwrap_or_default().to_owned(),
        state.model().map(logged_models::id).unwrap_or_default(),
    );
    let differs =
        |given: &Option<String>, known: &str| given.as_ref().is_some_and(|given| given != known);
    if differs(&run, &known.0) || differs(&model, &known.1) {
        return Err(refused(source, DIFFERS));
    }
    let place = state.text("location").or_else(|| state.text("source"));
    Ok(Place {
        source: format!("models:/{name}/{}", row.number.unwrap_or_default()),
        location: place.unwrap_or_default().to_owned(),
        run: known.0,
        model: state.model(),
    })
}

fn check_place(
    look: &Look<'_>,
    root: &str,
    (source, run, model): (&str, Option<&str>, Option<&str>),
) -> Result<(), Refusal> {
    let (run, model) = (given(run), given(model));
    let scheme = source.split_once(':').map(|(scheme, _)| scheme);
    let reason = if model.is_some() { MODEL } else { RUN };
    let owner = || match (model, run) {
        (Some(id), _) => model_place(look, id),
        (None, Some(id)) => run_place(look, root, id),
        (None, None) => Ok(None),
    };
    if scheme.is_none_or(|scheme| scheme == "file") {
        let place = owner()?.filter(|place| !place.contains(':') || place.starts_with("file:"));
        let inside = place.is_some_and(|place| is_inside(path_of(source), path_of(&place)));
        let is_plain = !source.split('/').any(|part| part == "..");
        return if inside && is_plain {
            Ok(())
        } else {
            Err(refused(source, LOCAL))
        };
    }
    let plain = plain(source);
    if plain.contains('\0') || plain.split('/').any(|part| part == ".." || part == ".") {
        return Err(refused(source, RELATIVE));
    }
    if scheme == Some("runs") {
        let named = source
            .strip_prefix("runs:/")
            .and_then(|rest| rest.split('/').next());
        return if named.is_some() && named == run && model.is_none() {
            Ok(())
        } else {
            Err(refused(source, reason))
        };
    }
    let is_proxied = scheme == Some("mlflow-artifacts")
        || plain.contains("/api/2.0/mlflow-artifacts/artifacts/");
    if is_proxied && !owner()?.is_some_and(|place| is_inside(&plain, &place)) {
        return Err(refused(source, reason));
    }
    Ok(())
}

/// A source without escapes.
fn plain(source: &str) -> String {
    let mut text = source.to_owned();
    // Escapes of escapes end, for each round shortens the text.
    loop {
        let decoded = crate::mlflow::wire::unescaped(&text);
        if decoded == text {
            return text;
        }
        text = decoded;
    }
}

/// The path of a local place.
fn path_of(place: &str) -> &str {
    let path = place.strip_prefix("file:").unwrap_or(place);
    path.strip_prefix("//").unwrap_or(path)
}

/// Whether a place is another one or inside of it.
fn is_inside(place: &str, outer: &str) -> bool {
    let outer = outer.trim_end_matches('/');
    let rest = place.strip_prefix(outer);
    !outer.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn run_place(look: &Look<'_>, root: &str, id: &str) -> Result<Option<String>, Refusal> {
    let Ok(row) = runs::find(look, id) else {
        return Ok(None);
    };
    let Some(experiment) = look.experiment_of(row.experiment)? else {
        return Ok(None);
    };
    let facts = runs::Facts {
        run: &row,
        experiment: &experiment,
        root,
    };
    Ok(Some(runs::location(facts).into_owned()))
}

fn model_place(look: &Look<'_>, id: &str) -> Result<Option<String>, Refusal> {
    let row = logged_models::find(look, id).ok();
    Ok(row.map(|row| logged_models::location(&row).to_owned()))
}
