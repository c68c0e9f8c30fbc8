//! `cargo xtask tidy`: the rules of the house that no compiler knows.
//!
//! Each rule is a pure function from sources to findings, so that it is tested on small texts; the
//! same rules run on the real tree as a test. Invariant: a finding names the place, the rule and what
//! to do instead.

mod arrows;
mod generated;
mod names;
mod pages;
mod size;
mod texts;

use std::process::ExitCode;

use anyhow::Result;

use crate::arguments::Arguments;
use crate::counts::Counts;
use crate::printer::{complain, say};
use crate::stages::Outcome;
use crate::tree;

/// Runs the verb.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode> {
    arguments.finish()?;
    let outcome = stage()?;
    if outcome.passed {
        say("tidy: nothing to say");
        Ok(ExitCode::SUCCESS)
    } else {
        Ok(ExitCode::FAILURE)
    }
}

/// Runs all rules, those too for which the binary has to be built.
pub(crate) fn stage() -> Result<Outcome> {
    let mut findings = rules()?;
    findings.extend(generated::findings()?);
    for finding in &findings {
        complain(finding);
    }
    let passed = findings.is_empty();
    Ok(Outcome {
        passed,
        counts: Counts::default(),
        note: (!passed).then(|| format!("{} findings", findings.len())),
    })
}

/// The rules that need nothing but the sources.
fn rules() -> Result<Vec<String>> {
    let sources = tree::sources()?;
    let mut findings = arrows::findings(&tree::metadata()?);
    findings.extend(size::findings(&sources));
    findings.extend(names::findings(&sources));
    findings.extend(texts::findings(&sources));
    findings.extend(pages::findings(&sources));
    Ok(findings)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_house_is_tidy() {
        let findings = super::rules().unwrap();
        assert!(findings.is_empty(), "\n{}", findings.join("\n"));
    }
}
