//! The benches: `cargo xtask bench [NAME…] [--json FILE]`.
//!
//! Every figure stands beside what it must reach and the machine's own limit, measured in the same run.
//! Not here: tests; a bench judges nothing but prints whether a target is reached.

mod append;
mod capture;
mod cli;
mod commands;
mod figure;
mod files;
mod fill;
mod items;
mod machine;
mod mix;
mod read;
mod seal;
mod search;
mod server;
mod stats;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use figure::Figure;

/// What benches work with.
struct Place {
    /// An empty folder of their own.
    folder: tempfile::TempDir,
    /// The `trialbook` binary, built for release.
    program: Option<PathBuf>,
}

impl Place {
    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The binary under test.
    fn program(&self) -> Result<&Path> {
        self.program
            .as_deref()
            .context("this bench runs the binary: give `--program PATH`")
    }
}

/// A bench and its name.
type Bench = (&'static str, fn(&Place) -> Result<Vec<Figure>>);

const BENCHES: &[Bench] = &[
    ("machine", |place| machine::run(place.folder())),
    ("append", |place| append::run(place.folder())),
    ("seal", |place| seal::run(place.folder())),
    ("read", |place| read::run(place.folder())),
    ("items", |place| items::run(place.folder())),
    ("commands", |place| {
        commands::run(place.program()?, place.folder())
    }),
    ("cli", |place| cli::run(place.program()?, place.folder())),
    ("capture", |place| {
        capture::run(place.program()?, place.folder())
    }),
    ("search", |place| search::run(place.folder())),
    ("find", |place| {
        commands::find(place.program()?, place.folder())
    }),
    ("files", |place| files::run(place.folder())),
    ("server", |place| {
        server::run(place.program()?, place.folder())
    }),
    ("stats", |place| stats::run(place.folder())),
];

/// What is asked of the command line has more than one bench: who asks for the first gets the others too.
const TOGETHER: &[&str] = &["cli", "capture", "files"];

/// Whether a bench was asked for.
fn is_wanted(bench: &str, names: &[String]) -> bool {
    let is_named = |name: &str| names.iter().any(|it| it == name);
    names.is_empty() || is_named(bench) || TOGETHER.contains(&bench) && is_named(TOGETHER[0])
}

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    if std::env::args().nth(1).as_deref() == Some(append::WRITER) {
        let words: Vec<String> = std::env::args().skip(2).collect();
        let points = append::write(Path::new(&words[0]), &words[1])?;
        writeln!(std::io::stdout(), "{points}")?;
        return Ok(());
    }
    let (mut program, mut json, mut names) = (None, None, Vec::new());
    while let Some(word) = words.next() {
        match word.as_str() {
            "--program" => program = words.next().map(std::fs::canonicalize).transpose()?,
            "--json" => json = words.next().map(PathBuf::from),
            _ => names.push(word),
        }
    }
    for name in &names {
        if !BENCHES.iter().any(|(known, _)| known == name) {
            let known: Vec<&str> = BENCHES.iter().map(|(name, _)| *name).collect();
            bail!("no bench `{name}`; there are {}", known.join(", "));
        }
    }
    let mut lines = Vec::new();
    for (name, bench) in BENCHES {
        if !is_wanted(name, &names) {
            continue;
        }
        let place = Place {
            folder: tempfile::Builder::new()
                .prefix("bench-")
                .tempdir_in("target")?,
            program: program.clone(),
        };
        for figure in bench(&place).with_context(|| format!("bench `{name}`"))? {
            writeln!(std::io::stdout(), "{}", figure.line())?;
            lines.push(serde_json::to_string(&figure)?);
        }
    }
    if let Some(file) = json {
        std::fs::write(&file, lines.join("\n") + "\n")
            .with_context(|| format!("cannot write `{}`", file.display()))?;
    }
    Ok(())
}
