//! The shells whose completion is tested: got where they are missing and can be got, else left out aloud.
//!
//! Invariant: who has Rust, a C compiler and Python 3 can pass; a shell that is left out is named in the summary
//! and counted there.

use std::process::Command;

use crate::printer::say;
use crate::process::{self, answers};

/// The variable by which the tests know which shells they have to do without.
pub(crate) const WITHOUT: &str = "TRIALBOOK_TEST_WITHOUT";

const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// The shells that are missing, after trying to get them.
pub(crate) fn set_up() -> Vec<&'static str> {
    let missing = missing();
    if missing.is_empty() {
        return missing;
    }
    get(&missing);
    let missing = self::missing();
    if let Some(note) = note(&missing) {
        say(&note);
    }
    missing
}

/// What the summary says of shells that are left out.
pub(crate) fn note(missing: &[&str]) -> Option<String> {
    let names = missing.join(", ");
    (!missing.is_empty()).then(|| format!("NOT EXERCISED: completion in {names} (install {names})"))
}

fn missing() -> Vec<&'static str> {
    let is_there = |shell: &&str| answers(Command::new(shell).args(["-c", "exit 0"]));
    SHELLS.into_iter().filter(|it| !is_there(it)).collect()
}

/// Installs them from the distribution, where that is Debian's kind and we may.
fn get(missing: &[&str]) {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| {
        use std::os::unix::fs::MetadataExt as _;
        own.uid() == 0
    });
    if !is_root || !answers(Command::new("apt-get").arg("--version")) {
        return;
    }
    say(&format!("installing {}", missing.join(", ")));
    let install = || {
        let mut command = Command::new("apt-get");
        command
            .args(["install", "--yes", "--quiet", "--no-install-recommends"])
            .args(missing)
            .env("DEBIAN_FRONTEND", "noninteractive");
        process::run(&mut command).is_ok_and(|status| status.success())
    };
    // A fresh machine has no list of packages yet. What still fails is told by what is missing afterwards.
    if !install() && answers(Command::new("apt-get").args(["update", "--quiet"])) {
        install();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shells_that_are_left_out_are_named() {
        assert_eq!(note(&[]), None);
        let said = note(&["zsh", "fish"]).unwrap_or_default();
        assert!(
            said.starts_with("NOT EXERCISED: completion in zsh, fish"),
            "{said}"
        );
    }
}
