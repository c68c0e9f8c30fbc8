//! `trialbook artifact get`: files of a run, written to a folder and checked (T-10).
//!
//! Invariant: nothing is written when one of the files would take the place of a different one; nothing is
//! written outside the folder.

use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde::Serialize;
use trialbook_model::handle::{glob_matches, is_glob};
use trialbook_model::record::PutArtifact;
use trialbook_model::state::Records;
use trialbook_store::{Artifacts, Standing};

use super::{Version, is_of, versions};
use crate::book;
use crate::context::Context;
use crate::failure::Failure;
use crate::figures::{bytes, count};
use crate::target::{self, RunChoice};

/// Write files of a run to a folder
///
/// Every file is checked against its SHA-256 while it is written. A file that is there already with the same
/// bytes is left as it is; a different one is refused, and then nothing is written, unless --force is given.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook artifact get latest --output-dir out
  trialbook artifact get EXP-001/run-014 model.pt
  trialbook artifact get latest --type model,plot --output-dir out
  trialbook artifact get latest --role best
  trialbook artifact get latest model.pt --version 1 --force")]
pub(super) struct Args {
    /// The run, unless --run names it, then paths inside the run, or globs; default: all of them
    #[arg(value_name = "RUN|PATH")]
    words: Vec<String>,
    /// Only these types: model, plot, data, report, log, other …
    #[arg(
        long = "type",
        alias = "artifact-type",
        value_delimiter = ',',
        value_name = "TYPE,…"
    )]
    types: Vec<String>,
    /// Only those of this role, such as best
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Where to write
    #[arg(short, long, default_value = ".", value_name = "FOLDER")]
    output_dir: PathBuf,
    /// An older version, from 1; default: the newest
    #[arg(long, value_name = "NUMBER")]
    version: Option<usize>,
    /// Replace different files
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    choice: RunChoice,
}

#[derive(Serialize)]
struct Document {
    run: String,
    handle: String,
    artifacts: Vec<Got>,
}

#[derive(Serialize)]
struct Got {
    path: String,
    file: String,
    size: Option<u64>,
    sha256: String,
    /// `written`, or `unchanged` where the same bytes were there.
    outcome: &'static str,
}

/// Writes them.
pub(super) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let open = book::reading(cx)?;
    let view = open.view()?;
    let (choice, paths) = match (&args.choice.run, args.words.split_first()) {
        (None, Some((run, paths))) => {
            let run = Some(run.clone());
            (RunChoice { run }, paths)
        }
        (Some(_), _) | (None, None) => (args.choice.clone(), args.words.as_slice()),
    };
    let target = target::choose(cx, &view, &choice)?;
    let wanted = wanted((args, paths), &target.run.state.records, cx)?;
    let mut plan = Vec::new();
    for artifact in wanted {
        let to = args.output_dir.join(inside(&args.output_dir, artifact)?);
        let sum = artifact.sha256.as_deref().unwrap_or_default();
        let standing = Artifacts::standing(sum, &to)?;
        if standing == Standing::Other && !args.force {
            return Err(Failure::OtherFile {
                path: to.display().to_string(),
            }
            .into());
        }
        plan.push((artifact, to, standing));
    }
    let mut got = Vec::new();
    for (artifact, to, standing) in plan {
        let sum = artifact.sha256.clone().unwrap_or_default();
        if standing != Standing::Same {
            open.artifacts_with([&sum])?
                .fetch(&sum, &to)
                .with_context(|| format!("cannot write artifact `{}`", artifact.path))?;
        }
        got.push(Got {
            path: artifact.path.clone(),
            file: to.display().to_string(),
            size: artifact.size,
            sha256: sum,
            outcome: match standing {
                Standing::Same => "unchanged",
                Standing::Nothing | Standing::Other => "written",
            },
        });
    }
    tell(cx, &target, got)
}

fn tell(cx: &Context, target: &target::Target, got: Vec<Got>) -> Result<ExitCode> {
    if cx.printer.json_wanted() {
        let document = Document {
            run: target.uid().to_string(),
            handle: target.title.clone(),
            artifacts: got,
        };
        cx.printer.json(super::SCHEMA, &document)?;
    } else {
        for one in &got {
            let size = one.size.map(bytes).unwrap_or_default();
            cx.printer
                .line(format!("{}  {size}  {}", one.file, one.outcome));
        }
        let number = count(got.len() as u64, "artifact");
        cx.printer
            .line(format!("{number} of run {}, checksums right", target.title));
    }
    Ok(ExitCode::SUCCESS)
}

/// The artifacts that are meant; a failure where there is none.
fn wanted<'a>(
    (args, paths): (&Args, &[String]),
    records: &'a Records,
    cx: &Context,
) -> Result<Vec<&'a PutArtifact>> {
    let mut found = Vec::new();
    let mut elsewhere = Vec::new();
    for Version {
        number,
        of,
        held,
        stands,
    } in versions(records)
    {
        let artifact = &held.value;
        // A role finds its newest version, which need not be the newest of the path.
        let is_newest = number == of || args.role.is_some() && stands;
        let is_version = args.version.map_or(is_newest, |asked| asked == number);
        let is_named = paths.is_empty() || paths.iter().any(|path| names(path, &artifact.path));
        let is_role = args.role.is_none() || args.role == artifact.role;
        let is_meant = is_version && is_named && is_role && is_of(artifact, &args.types);
        if artifact.removed || !is_meant {
            continue;
        }
        if artifact.sha256.is_some() {
            found.push(artifact);
        } else {
            elsewhere.push(artifact);
            let place = artifact.uri.as_deref().unwrap_or("unknown");
            cx.printer.note(format!(
                "artifact `{}` is only a reference to {place}",
                artifact.path
            ));
        }
    }
    for path in paths {
        let mut known = found.iter().chain(&elsewhere);
        if !known.any(|artifact| names(path, &artifact.path)) {
            return Err(unknown(path, records));
        }
    }
    if found.is_empty() && elsewhere.is_empty() {
        let asked = args.types.iter().chain(&args.role);
        let types = asked.cloned().collect::<Vec<_>>().join(",");
        return Err(unknown(
            if types.is_empty() { "*" } else { &types },
            records,
        ));
    }
    Ok(found)
}

/// Whether what was typed means a path: itself, a folder above it, or a glob.
fn names(typed: &str, path: &str) -> bool {
    let folder = path.strip_prefix(typed.trim_end_matches('/'));
    path == typed
        || folder.is_some_and(|rest| rest.starts_with('/'))
        || (is_glob(typed) && glob_matches(typed, path))
}

fn unknown(text: &str, records: &Records) -> anyhow::Error {
    let known = records.artifacts().map(|held| held.value.path.clone());
    Failure::Unknown {
        noun: "artifact",
        text: text.to_owned(),
        nearest: known.take(3).collect(),
    }
    .into()
}

/// The artifact's path, if it stays inside the folder: imported records may say anything.
fn inside(folder: &Path, artifact: &PutArtifact) -> Result<PathBuf, Failure> {
    let path = Path::new(&artifact.path);
    let refused = || Failure::Value {
        what: "the path of an artifact".to_owned(),
        value: artifact.path.clone(),
        expected: "a path inside the folder",
    };
    let mut parts = path.components();
    if artifact.path.is_empty() || !parts.all(|part| matches!(part, Component::Normal(_))) {
        return Err(refused());
    }
    let mut above = path.ancestors().skip(1);
    if above.any(|it| !it.as_os_str().is_empty() && folder.join(it).is_symlink()) {
        return Err(refused());
    }
    Ok(path.to_owned())
}
