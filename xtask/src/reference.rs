//! `cargo xtask docs`: the pages under `docs/reference/` that programs write.
//!
//! The words of the command line come from the binary's hidden verb `__docs`, which prints the whole
//! page; which tests name which requirements comes from their comments. Nothing is written by hand there.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::arguments::Arguments;
use crate::printer::say;
use crate::process::{self, cargo};
use crate::requirements;
use crate::tree;

/// A generated page.
pub(crate) struct Page {
    /// From the root.
    pub(crate) path: String,
    /// What it has to say.
    pub(crate) text: String,
}

/// Runs the verb.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode> {
    arguments.finish()?;
    for page in pages()? {
        let path = tree::root().join(&page.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make `{}`", folder.display()))?;
        }
        fs::write(&path, &page.text).with_context(|| format!("cannot write `{}`", page.path))?;
        say(&format!("wrote {}", page.path));
    }
    Ok(ExitCode::SUCCESS)
}

/// The pages as they have to be now.
pub(crate) fn pages() -> Result<Vec<Page>> {
    let mut pages = vec![requirements::page()?];
    for (word, path) in [
        ("cli", "docs/reference/cli.md"),
        ("api", "docs/reference/openapi.json"),
    ] {
        let words = [
            "run",
            "--quiet",
            "--package",
            "trialbook",
            "--",
            "__docs",
            word,
        ];
        pages.push(Page {
            path: path.to_owned(),
            text: process::output(&mut cargo(&words))?,
        });
    }
    Ok(pages)
}
