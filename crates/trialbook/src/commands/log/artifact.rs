//! `trialbook log artifact`: keeps files of a run (T-4).
//!
//! Invariant: when a file is missing, nothing is recorded; nothing but regular files is opened, for a pipe would
//! wait for its writer, and no book is put into itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::record::{Op, PutArtifact, Subject};

use crate::context::Context;
use crate::failure::Failure;
use crate::figures::{bytes, count};
use crate::target::RunChoice;
use crate::values;

/// Keep files of the run
///
/// The bytes are copied (or shared, where the file system can) under the SHA-256 of themselves, so that
/// equal files are kept once. A file logged again under the same path makes a newer version. Folders are
/// kept with all files that are in them, except links, books, and what is no file, such as pipes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook log artifact model.pt --type model --role best --step 1200
  trialbook log artifact plots/ report.html
  trialbook log artifact --files model.pt,loss_curve.png --type model,plot")]
pub(crate) struct Args {
    /// Files and folders
    #[arg(value_name = "FILE")]
    paths: Vec<PathBuf>,
    /// Files as a comma list
    #[arg(long, value_delimiter = ',', value_name = "FILE,…")]
    files: Vec<PathBuf>,
    /// model, plot, data, report, log, other …: one for all, or a comma list with one for each; default:
    /// by the ending of the name
    #[arg(long = "type", value_delimiter = ',', value_name = "TYPE,…")]
    types: Vec<String>,
    /// best, last …
    #[arg(long, value_name = "WORD")]
    role: Option<String>,
    /// The step that it belongs to
    #[arg(short, long, allow_negative_numbers = true)]
    step: Option<i64>,
    /// What it is
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The folder inside the run that it is kept in
    #[arg(long, value_name = "PATH", default_value = "")]
    under: String,
    #[command(flatten)]
    choice: RunChoice,
}

/// A file that is to be kept.
struct Source {
    file: PathBuf,
    /// Its path inside the run.
    path: String,
    r#type: String,
}

#[derive(Serialize)]
struct Logged {
    run: String,
    handle: String,
    artifacts: Vec<Kept>,
}

#[derive(Serialize)]
struct Kept {
    path: String,
    size: u64,
    sha256: String,
    r#type: String,
}

/// Keeps them.
pub(in crate::commands) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let sources = sources(args)?;
    let (open, target) = super::open(&args.choice, cx)?;
    let mut kept = Vec::new();
    for source in sources {
        let sum = open.artifacts()?.put_file(&source.file)?;
        kept.push(Kept {
            path: source.path,
            size: sum.size,
            sha256: sum.sha256,
            r#type: source.r#type,
        });
    }
    let mut writer = open.writer(cx)?;
    for artifact in &kept {
        writer.record(&Op::PutArtifact(PutArtifact {
            subject: Subject::Run(target.uid()),
            path: artifact.path.clone(),
            sha256: Some(artifact.sha256.clone()),
            size: Some(artifact.size),
            uri: None,
            r#type: Some(artifact.r#type.clone()),
            role: args.role.clone(),
            step: args.step,
            description: args.description.clone(),
            removed: false,
        }))?;
    }
    writer.finish(cx)?;
    let sizes: Vec<String> = kept
        .iter()
        .map(|artifact| format!("{}: {}", artifact.path, bytes(artifact.size)))
        .collect();
    if cx.printer.json_wanted() {
        let logged = Logged {
            run: target.uid().to_string(),
            handle: target.title.clone(),
            artifacts: kept,
        };
        cx.printer.json(super::SCHEMA, &logged)?;
    } else {
        let number = count(kept.len() as u64, "artifact");
        cx.printer
            .line(format!("Uploaded {number} ({})", sizes.join(", ")));
    }
    Ok(ExitCode::SUCCESS)
}

/// All files that are meant, with their paths and types; fails where one is missing.
fn sources(args: &Args) -> Result<Vec<Source>, Failure> {
    let given: Vec<&PathBuf> = args.paths.iter().chain(&args.files).collect();
    let types = args.types.len();
    if given.is_empty() || (types > 1 && types != given.len()) {
        return Err(Failure::Usage {
            problem: format!(
                "{} and {}",
                count(given.len() as u64, "file"),
                count(types as u64, "type")
            ),
            hint: "name at least one file, and no type, one for all, or one for each".to_owned(),
        });
    }
    let mut sources: Vec<Source> = Vec::new();
    for (at, path) in given.into_iter().enumerate() {
        let r#type = args.types.get(if types > 1 { at } else { 0 });
        collect(path, &args.under, r#type.map(String::as_str), &mut sources)?;
    }
    let mut paths: Vec<&str> = sources.iter().map(|source| source.path.as_str()).collect();
    paths.sort_unstable();
    let twice = paths
        .iter()
        .zip(paths.iter().skip(1))
        .find(|(one, next)| one == next);
    if let Some((twice, _)) = twice {
        return Err(Failure::Usage {
            problem: format!("two files would be kept as `{twice}`"),
            hint: "log them one by one with --under".to_owned(),
        });
    }
    Ok(sources)
}

fn collect(
    file: &Path,
    under: &str,
    r#type: Option<&str>,
    sources: &mut Vec<Source>,
) -> Result<(), Failure> {
    let unreadable = |source| Failure::Unreadable {
        path: file.display().to_string(),
        source,
    };
    let whole = file.canonicalize().map_err(unreadable)?;
    let name = whole
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let under = under.trim_matches('/');
    let path = if under.is_empty() {
        name
    } else {
        format!("{under}/{name}")
    };
    values::check_name("an artifact", &path)?;
    if path.split('/').any(|part| part == "..") {
        return Err(Failure::Value {
            what: "the path".to_owned(),
            value: path,
            expected: "inside the run: it holds `..`",
        });
    }
    if is_book(&whole) || !(whole.is_dir() || whole.is_file()) {
        return Err(Failure::Value {
            what: "the path".to_owned(),
            value: file.display().to_string(),
            expected: "a file or a folder of files: books, pipes and devices are not kept",
        });
    }
    if whole.is_dir() {
        let mut inner: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(&whole).map_err(unreadable)? {
            inner.push(entry.map_err(unreadable)?.path());
        }
        inner.sort();
        // A link inside a folder could lead out of it, or in circles.
        inner.retain(|path| !path.is_symlink());
        inner.retain(|path| path.is_file() || (path.is_dir() && !is_book(path)));
        for file in inner {
            collect(&file, &path, r#type, sources)?;
        }
        return Ok(());
    }
    fs::File::open(&whole).map_err(unreadable)?;
    sources.push(Source {
        r#type: r#type.unwrap_or_else(|| type_of(&path)).to_owned(),
        file: whole,
        path,
    });
    Ok(())
}

/// Whether a folder is a book, whatever it is called.
fn is_book(folder: &Path) -> bool {
    folder.join("book.db").is_file() && folder.join("spool").is_dir()
}

/// The type that the ending of a name says (T-11).
fn type_of(path: &str) -> &'static str {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending.to_ascii_lowercase().as_str() {
        "pt" | "pth" | "ckpt" | "onnx" | "h5" | "keras" | "safetensors" | "pkl" | "joblib"
        | "gguf" | "pb" | "tflite" | "mlmodel" => "model",
        "png" | "jpg" | "jpeg" | "svg" | "gif" | "webp" => "plot",
        "md" | "html" | "htm" | "pdf" | "tex" => "report",
        "log" | "out" | "err" => "log",
        _ => "data",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_say_types() {
        assert_eq!(type_of("a/model.PT"), "model");
        assert_eq!(type_of("loss.png"), "plot");
        assert_eq!(type_of("train.csv"), "data");
        assert_eq!(type_of("noend"), "data");
        assert_eq!(type_of("train.log"), "log");
    }
}
