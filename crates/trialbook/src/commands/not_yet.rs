//! Verbs of the documents that this version does not have.
//!
//! Invariant: they say so, with an exit code of their own, whatever they are given.

use std::ffi::OsString;

use anyhow::Result;

use crate::failure::Failure;

/// Not supported yet
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Anything
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _rest: Vec<OsString>,
}

/// Says so.
pub(crate) fn run<T>(verb: &str, hint: &'static str) -> Result<T> {
    Err(Failure::NotYet {
        verb: verb.to_owned(),
        hint,
    }
    .into())
}
