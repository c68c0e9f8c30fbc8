//! Asking a program for one short answer.
//!
//! Invariant: a program that does not answer in time is killed and counts as having said nothing.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Longer answers are cut; nothing here needs more.
const LONGEST: u64 = 4 * 1024 * 1024;

/// What the program writes on standard output if it ends well within `patience`.
pub(crate) fn ask(command: &mut Command, patience: Duration) -> Option<String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let stdout = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.take(LONGEST).read_to_end(&mut bytes);
        // Nobody listens any more when the patience is over.
        sender.send(read.map(|_| bytes)).ok();
    });
    let answer = receiver.recv_timeout(patience);
    if answer.is_err() {
        child.kill().ok();
    }
    let status = child.wait().ok()?;
    let bytes = answer.ok()?.ok()?;
    status
        .success()
        .then(|| String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, patience: Duration) -> Option<String> {
        ask(Command::new("sh").args(["-c", script]), patience)
    }

    #[test]
    fn only_good_answers_in_time_count() {
        let long = Duration::from_secs(60);
        assert_eq!(sh("echo yes; echo no >&2", long).as_deref(), Some("yes\n"));
        assert_eq!(sh("echo yes; exit 1", long), None);
        assert_eq!(
            ask(&mut Command::new("no-such-program-anywhere"), long),
            None
        );
        assert_eq!(sh("exec sleep 1000", Duration::from_millis(50)), None);
    }
}
