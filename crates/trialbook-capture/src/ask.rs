//! Asking a program for one short answer.
//!
//! Invariant: a program that does not answer and end in time is killed and counts as having said nothing; what
//! is beyond the longest answer is read and passed over, so that the program can end.

use std::io::{self, Read as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Longer answers are cut; nothing here needs more.
const LONGEST: u64 = 4 * 1024 * 1024;
/// How often a program that has answered is looked at until it ends.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// What the program writes on standard output if it ends well within `patience`.
pub(crate) fn ask(command: &mut Command, patience: Duration) -> Option<String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let deadline = Instant::now() + patience;
    let mut stdout = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.by_ref().take(LONGEST).read_to_end(&mut bytes);
        let read = read.and_then(|_| io::copy(&mut stdout, &mut io::sink()));
        // Nobody listens any more when the patience is over.
        sender.send(read.map(|_| bytes)).ok();
    });
    let answer = receiver.recv_timeout(patience);
    let status = ended_by(&mut child, deadline);
    let bytes = answer.ok()?.ok()?;
    status?
        .success()
        .then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// How the program ended; one that has not by the deadline is killed.
fn ended_by(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(LOOK_EVERY),
            Ok(None) | Err(_) => {
                child.kill().ok();
                child.wait().ok();
                return None;
            }
        }
    }
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
        let short = Duration::from_millis(50);
        assert_eq!(sh("exec sleep 1000", short), None);
        assert_eq!(sh("echo yes; exec sleep 1000 >&-", short), None);
        let much = sh("head -c 9000000 /dev/zero", long);
        assert_eq!(much.map(|it| it.len() as u64), Some(LONGEST));
    }
}
