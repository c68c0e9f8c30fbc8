//! Adjusted p-values.

use trialbook_stats::{Correction, adjust};

use crate::args::Args;
use crate::found::{Found, Outcome};

/// Functions of this family that the crate does not offer.
pub(crate) const NOT_OFFERED: &[&str] = &[];

/// Asks the crate.
pub(crate) fn ask(function: &str, args: &Args<'_>) -> Option<Outcome> {
    (function == "adjust_p_values").then(|| adjusted(args))
}

fn adjusted(args: &Args<'_>) -> Outcome {
    let p = args.sample("p");
    let outputs: Result<_, _> = Correction::ALL
        .into_iter()
        .map(|correction| {
            let adjusted = adjust(&p, correction)?;
            Ok((correction.word().to_owned(), adjusted.into()))
        })
        .collect();
    Ok(Found::Record(outputs?))
}
