//! Generated pages are what their generator writes now.

use std::fs;

use anyhow::Result;

use crate::{reference, tree};

/// Pages that `cargo xtask docs` would write differently.
pub(super) fn findings() -> Result<Vec<String>> {
    let pages = reference::pages()?;
    Ok(pages
        .into_iter()
        .filter(|page| {
            let written = fs::read_to_string(tree::root().join(&page.path));
            written.map_or(true, |text| text != page.text)
        })
        .map(|page| format!("{}: is stale: run `cargo xtask docs`", page.path))
        .collect())
}
