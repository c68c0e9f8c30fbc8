//! Check vectors of the generator.

use trialbook_stats::SplitMix64;

use crate::args::{Args, generated};
use crate::found::{Outcome, record};

/// Functions of this family that the crate does not offer.
pub(crate) const NOT_OFFERED: &[&str] = &[];

/// Asks the crate.
pub(crate) fn ask(function: &str, args: &Args<'_>) -> Option<Outcome> {
    match function {
        "splitmix64" => Some(splitmix64(args)),
        "generate" => Some(Ok(record! { "x" => generated(args.all()) })),
        _ => None,
    }
}

fn splitmix64(args: &Args<'_>) -> Outcome {
    let n = args.count("n")?;
    let seed = args.word("seed").parse().unwrap();
    let (mut whole, mut unit) = (SplitMix64::new(seed), SplitMix64::new(seed));
    let words: Vec<_> = (0..n).map(|_| format!("{:016x}", whole.word())).collect();
    let units: Vec<_> = (0..n).map(|_| unit.unit()).collect();
    Ok(record! { "u64_hex" => words, "uniform" => units })
}
