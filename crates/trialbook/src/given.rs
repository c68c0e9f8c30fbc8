//! Files that the user names: read, or refused by the name that he gave.
//!
//! Not here: what stands in them, standard input. Invariant: an error names the file as it was given.

use anyhow::Result;
use trialbook_model::config::{self, Config};

use crate::context::Context;
use crate::failure::Failure;

/// A file's text.
pub(crate) fn text(file: &str, cx: &Context) -> Result<String> {
    let text = std::fs::read_to_string(cx.here().join(file));
    let text = text.map_err(|source| Failure::Unreadable {
        path: file.to_owned(),
        source,
    })?;
    Ok(text)
}

/// A file's config; what it warns of is told.
pub(crate) fn config(file: &str, cx: &Context) -> Result<Config> {
    let parsed = config::parse(&text(file, cx)?, file)?;
    for warning in &parsed.warnings {
        cx.printer.warn(&format!("{file}: {warning}"));
    }
    Ok(parsed.config)
}
