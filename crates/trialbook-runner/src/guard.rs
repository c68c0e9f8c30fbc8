//! The guard: a process beside the runner that kills the runs' process groups when the runner dies
//! without a word (`kill -9`, out of memory).
//!
//! A signal bound to the parent's death would reach only the first process of a run and not those that it
//! started; a group is killed whole. The runner tells the guard each group by a line on a pipe; the
//! pipe's end tells the guard that the runner is gone. Not here: ordinary ends and cancels.
//! Invariant: a group is forgotten before its leader is reaped, so that its number cannot mean
//! somebody else when it is killed.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, Signal};

/// The runner's end of the guard. Dropping it ends the guard.
#[derive(Debug)]
pub struct Guard {
    /// `None` when there is no guard, or none any more.
    pipe: Mutex<Option<ChildStdin>>,
}

impl Guard {
    /// No guard: groups outlive a runner that is killed.
    pub fn none() -> Self {
        Self {
            pipe: Mutex::new(None),
        }
    }

    /// Starts `command`, which must call [`watch`] on its standard input.
    pub fn start(mut command: Command) -> io::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of the terminal's group, so that Ctrl-C leaves the guard alone.
            .process_group(0)
            .spawn()?;
        Ok(Self {
            pipe: Mutex::new(child.stdin.take()),
        })
    }

    /// From now on the group dies with this process.
    pub(crate) fn add(&self, group: Pid) {
        self.tell('+', group);
    }

    /// The group has ended and is about to be reaped.
    pub(crate) fn remove(&self, group: Pid) {
        self.tell('-', group);
    }

    fn tell(&self, sign: char, group: Pid) {
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        let line = format!("{sign}{}\n", group.as_raw_nonzero());
        if let Some(open) = pipe.as_mut()
            && open.write_all(line.as_bytes()).is_err()
        {
            // The guard is gone; runs go on without.
            *pipe = None;
        }
    }
}

/// The guard's own work: reads groups until the end, then kills those that are left.
pub fn watch(input: &mut dyn BufRead) {
    let groups = groups_left(input);
    for group in groups.into_iter().filter_map(Pid::from_raw) {
        // A group that is gone by now is as it should be.
        rustix::process::kill_process_group(group, Signal::KILL).ok();
    }
}

fn groups_left(input: &mut dyn BufRead) -> BTreeSet<i32> {
    let mut groups = BTreeSet::new();
    // An unreadable pipe tells the same as its end: the runner is gone.
    for line in input.lines().map_while(Result::ok) {
        // To signal group 1 would be to signal every process there is.
        let group = |text: &str| text.parse().ok().filter(|group: &i32| *group > 1);
        if let Some(added) = line.strip_prefix('+').and_then(group) {
            groups.insert(added);
        } else if let Some(removed) = line.strip_prefix('-').and_then(group) {
            groups.remove(&removed);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;

    #[test]
    fn groups_are_added_and_removed() {
        let mut input = "+12\n+13\nodd\n-12\n+14\n+0\n+1\n+-5\n-99\n".as_bytes();
        assert_eq!(groups_left(&mut input), BTreeSet::from([13, 14]));
    }

    #[test]
    fn what_is_left_is_killed() {
        let mut child = Command::new("sleep")
            .arg("1000")
            .process_group(0)
            .spawn()
            .unwrap();
        watch(&mut format!("+{}\n", child.id()).as_bytes());
        assert_eq!(child.wait().unwrap().signal(), Some(9));
    }
}
