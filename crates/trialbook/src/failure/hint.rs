//! What to do about a failure of the binary.
//!
//! Not here: the failures, and how they are told. Invariant: a command that a hint names works when it is typed.

use trialbook_client::ClientError;
use trialbook_model::handle::LEAST_PREFIX;

use super::Failure;

/// What to do, where something can be said.
pub(super) fn of(failure: &Failure) -> Option<String> {
    Some(match failure {
        Failure::NoBook { named, .. } => hint_of_no_book(named.as_deref()),
        Failure::Undelivered { source, .. } => hint_of_undelivered(source),
        Failure::Usage { hint, .. } => hint.clone(),
        Failure::Unknown {
            noun,
            text,
            nearest,
        } => hint_of_unknown(noun, text, nearest),
        Failure::UnknownName {
            noun,
            text,
            nearest,
            of,
            last,
        } => hint_of_name((noun, text), nearest, (of.as_deref(), last)),
        Failure::UnknownSeries { nearest, .. } if nearest.is_empty() => return None,
        Failure::UnknownSeries { nearest, .. } => {
            let known = nearest.join("`, `");
            format!("it has `{known}`; contexts are given with --context")
        }
        Failure::Filter { source, .. } => return source.hint(),
        Failure::NoRunYet { experiment } => {
            format!("start one: `trialbook start --experiment '{experiment}'`")
        }
        Failure::AllEnded { experiment } => {
            format!("`trialbook status '{experiment}'` shows how it stands")
        }
        Failure::Value { .. }
        | Failure::Ambiguous { .. }
        | Failure::NoRun { .. }
        | Failure::Taken { .. }
        | Failure::InBin { .. }
        | Failure::Running { .. }
        | Failure::Secret { .. }
        | Failure::NotYet { .. }
        | Failure::ParamConflict { .. }
        | Failure::Ended { .. }
        | Failure::Executed { .. }
        | Failure::NotEmpty { .. }
        | Failure::Exists { .. }
        | Failure::NoReport { .. }
        | Failure::DataChanged { .. }
        | Failure::OtherFile { .. }
        | Failure::NoManifest { .. }
        | Failure::Unreadable { .. }
        | Failure::BrokenLines { .. } => return plain(failure).map(str::to_owned),
    })
}

/// The hint that is the same whatever the failure holds.
fn plain(failure: &Failure) -> Option<&'static str> {
    Some(match failure {
        Failure::Ambiguous { .. } => {
            "give its id, or its place with the project: `PROJECT/EXPERIMENT/run-001`"
        }
        Failure::NoRun { .. } => {
            "name it with `--run RUN`, or start one: `export TRIALBOOK_RUN=$(trialbook start)`"
        }
        Failure::ParamConflict { .. } => {
            "params are written once; start another run for another value"
        }
        Failure::NotEmpty { .. } => {
            "`--force` replaces its experiments by those of the backup; back it up first"
        }
        Failure::OtherFile { .. } | Failure::Exists { .. } | Failure::NoReport { .. } => {
            "`--force` replaces it"
        }
        Failure::Taken { .. } => "choose another name",
        Failure::InBin { .. } => {
            "`trialbook undelete EXPERIMENT` brings it back; or take another name"
        }
        Failure::Running { .. } => "end it first: `trialbook end --run RUN --status cancelled`",
        Failure::Secret { .. } => "give the name of a variable or of a file that holds it instead",
        Failure::NotYet { hint, .. } => hint,
        Failure::Executed { .. } => {
            "`trialbook cancel RUN` ends it, or Ctrl-C where `trialbook run` runs"
        }
        Failure::DataChanged { .. } => {
            "`trialbook dataset update` takes the data as it is now; `trialbook run CONFIG` without \
             `--strict-data` only warns of it"
        }
        Failure::NoManifest { .. } => "`trialbook dataset add PATH` writes one",
        Failure::NoBook { .. }
        | Failure::Undelivered { .. }
        | Failure::Usage { .. }
        | Failure::Unknown { .. }
        | Failure::UnknownName { .. }
        | Failure::UnknownSeries { .. }
        | Failure::Filter { .. }
        | Failure::NoRunYet { .. }
        | Failure::AllEnded { .. }
        | Failure::Value { .. }
        | Failure::Ended { .. }
        | Failure::Unreadable { .. }
        | Failure::BrokenLines { .. } => return None,
    })
}

/// What to do about what could not be brought to a server.
fn hint_of_undelivered(error: &ClientError) -> String {
    match error.hint() {
        _ if error.is_passing() => {
            "`trialbook sync` brings it over when the server is there again".to_owned()
        }
        Some(hint) => format!("{hint}; then `trialbook sync` brings it over"),
        None => "`trialbook sync` tries again".to_owned(),
    }
}

/// Whether a text may be meant as the beginning of an id and is too short for one.
fn is_short(text: &str) -> bool {
    text.len() < LEAST_PREFIX && text.bytes().all(|letter| letter.is_ascii_hexdigit())
}

/// What could be meant by the name of a run or experiment: what resembles it, and the newest of an experiment or of all.
fn hint_of_name(
    (noun, text): (&str, &str),
    nearest: &[String],
    (of, last): (Option<&str>, &[String]),
) -> String {
    let newest = match of {
        Some(of) => format!("the newest runs of `{of}`"),
        None => format!("the newest {noun}s"),
    };
    let alike = nearest.join("` or `");
    let last = last.join("`, `");
    match (alike.is_empty(), last.is_empty(), of) {
        (false, false, _) => format!("did you mean `{alike}`? {newest}: `{last}`"),
        (false, true, _) => hint_of_unknown(noun, text, nearest),
        (true, true, Some(of)) => format!("`{of}` has no run yet"),
        (true, _, None) if is_short(text) => {
            format!("the beginning of an id has at least {LEAST_PREFIX} digits")
        }
        (true, true, None) => hint_of_unknown(noun, text, &[]),
        (true, false, _) => {
            let also = hint_of_unknown(noun, text, &[]);
            format!("{newest}: `{last}`; {also}")
        }
    }
}

/// How the book that is missing is made.
fn hint_of_no_book(named: Option<&str>) -> String {
    match named {
        Some(named) => format!("`trialbook init --book '{named}'` makes one there"),
        None => {
            "`trialbook init` makes one here; `--book FOLDER` or TRIALBOOK names another".to_owned()
        }
    }
}

/// What to do about a name that means nothing here.
fn hint_of_unknown(noun: &str, text: &str, nearest: &[String]) -> String {
    if !nearest.is_empty() {
        return format!("did you mean `{}`?", nearest.join("` or `"));
    }
    if noun.contains("run") && is_short(text) {
        return format!("the beginning of an id has at least {LEAST_PREFIX} digits");
    }
    let hint = match noun {
        "experiment" => "`trialbook list experiments` shows what there is",
        "entry" => "the manifest has other names and paths",
        "metric" => "`trialbook show RUN` lists the metrics of a run",
        "run" => "`trialbook list` shows the runs, `trialbook list experiments` the experiments",
        "artifact" => "`trialbook artifact list RUN` shows what there is",
        "baseline" => "`trialbook baseline` shows what there is",
        "model" => "`trialbook model list` shows what there is",
        "prompt" => "`trialbook prompt list` shows what there is",
        "webhook" => "`trialbook webhook list` shows what there is",
        "version" | "alias" => {
            "`trialbook model show NAME` and `trialbook prompt show NAME` show what there is"
        }
        "variation" => "`trialbook show EXPERIMENT` shows what there is",
        _ => "`trialbook list` shows what there is",
    };
    hint.to_owned()
}
