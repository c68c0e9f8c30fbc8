//! The guard: a process beside the runner that kills the runs' process groups when the runner dies
//! without a word (`kill -9`, out of memory).
//!
//! A signal bound to the parent's death would reach only the first process of a run and not those that it
//! started; a group is killed whole. The runner tells the guard by lines on a pipe that a run's process is about
//! to be started, then which group it has; the pipe's end tells the guard that the runner is gone. The child
//! holds the pipe until it has become the program, and the program has the run's uid among its variables: so a
//! group that nobody came to tell of is found by them (on Linux, where `/proc` shows them).
//! Not here: ordinary ends and cancels.
//! Invariant: a group is forgotten before its leader is reaped, so that its number cannot mean
//! somebody else when it is killed; a run is announced before its process can be there.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use trialbook_model::id::RunUid;

/// The variable that tells a program which run it is.
pub(crate) const RUN_VARIABLE: &str = "TRIALBOOK_RUN";

/// How long a process of an announced run is looked for. It is there when the pipe has ended, unless it could
/// not be started; what the system still does then takes less than a millisecond.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

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

    /// The run's process is about to be started: from now on it dies with this process.
    pub(crate) fn announce(&self, run: RunUid) {
        self.tell(&format!("?{run}\n"));
    }

    /// The run's process could not be started.
    pub(crate) fn withdraw(&self, run: RunUid) {
        self.tell(&format!("!{run}\n"));
    }

    /// The announced run's process is there, and leads this group.
    pub(crate) fn add(&self, run: RunUid, group: Pid) {
        self.tell(&format!("+{}\n!{run}\n", group.as_raw_nonzero()));
    }

    /// The group has ended and is about to be reaped.
    pub(crate) fn remove(&self, group: Pid) {
        self.tell(&format!("-{}\n", group.as_raw_nonzero()));
    }

    fn tell(&self, lines: &str) {
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = pipe.as_mut()
            && open.write_all(lines.as_bytes()).is_err()
        {
            // The guard is gone; runs go on without.
            *pipe = None;
        }
    }
}

/// The guard's own work: reads groups until the end, then kills those that are left.
pub fn watch(input: &mut dyn BufRead) {
    let mut left = Left::read(input);
    for group in left.groups.into_iter().filter_map(Pid::from_raw) {
        kill(group);
    }
    let until = Instant::now() + PATIENCE;
    while !left.announced.is_empty() {
        left.announced.retain(|run| {
            let found = surroundings::processes_of(run);
            for process in &found {
                kill_with_group(*process);
            }
            found.is_empty()
        });
        if Instant::now() > until {
            break;
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn kill(group: Pid) {
    // A group that is gone by now is as it should be.
    rustix::process::kill_process_group(group, Signal::KILL).ok();
}

/// The first process of a run leads its group; of another one, which left the group, only it is meant.
fn kill_with_group(process: Pid) {
    if rustix::process::getpgid(Some(process)).is_ok_and(|group| group == process) {
        kill(process);
    } else {
        rustix::process::kill_process(process, Signal::KILL).ok();
    }
}

/// What a runner leaves behind.
#[derive(Debug, Default, PartialEq, Eq)]
struct Left {
    groups: BTreeSet<i32>,
    /// Runs whose process may be there, of an unknown group.
    announced: BTreeSet<String>,
}

impl Left {
    fn read(input: &mut dyn BufRead) -> Self {
        let mut left = Self::default();
        // An unreadable pipe tells the same as its end: the runner is gone.
        for line in input.lines().map_while(Result::ok) {
            let Some((sign, text)) = line.split_at_checked(1) else {
                continue;
            };
            // To signal group 1 would be to signal every process there is.
            let group = text.parse().ok().filter(|group: &i32| *group > 1);
            match (sign, group) {
                ("+", Some(group)) => {
                    left.groups.insert(group);
                }
                ("-", Some(group)) => {
                    left.groups.remove(&group);
                }
                ("?", _) if text.parse::<RunUid>().is_ok() => {
                    left.announced.insert(text.to_owned());
                }
                ("!", _) => {
                    left.announced.remove(text);
                }
                _ => {}
            }
        }
        left
    }
}

#[cfg(target_os = "linux")]
mod surroundings {
    use rustix::process::Pid;

    use super::RUN_VARIABLE;

    /// The processes that were told that they are this run. Those of other users cannot be looked at.
    pub(super) fn processes_of(run: &str) -> Vec<Pid> {
        let Ok(all) = std::fs::read_dir("/proc") else {
            return Vec::new();
        };
        let told = format!("{RUN_VARIABLE}={run}");
        let is_told = |pid: &i32| {
            let variables = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            variables
                .split(|byte| *byte == 0)
                .any(|variable| variable == told.as_bytes())
        };
        all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(is_told)
            .filter_map(Pid::from_raw)
            .collect()
    }
}

#[cfg(not(target_os = "linux"))]
mod surroundings {
    use rustix::process::Pid;

    /// There is no way to look at the variables of other processes.
    pub(super) fn processes_of(_run: &str) -> Vec<Pid> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;

    const RUN: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn groups_and_runs_are_added_and_removed() {
        let other = "ffffffffffffffffffffffffffffffff";
        let lines = format!(
            "+12\n+13\nodd\n\n-12\n+14\n+0\n+1\n+-5\n-99\n?{RUN}\n?{other}\n!{other}\n?odd\n?\n"
        );
        let left = Left::read(&mut lines.as_bytes());
        let announced = BTreeSet::from([RUN.to_owned()]);
        let groups = BTreeSet::from([13, 14]);
        assert_eq!(left, Left { groups, announced });
    }

    fn sleeper(run: &str) -> std::process::Child {
        let mut command = Command::new("sleep");
        command.arg("1000").process_group(0);
        command.env(RUN_VARIABLE, run).spawn().unwrap()
    }

    #[test]
    fn what_is_left_is_killed() {
        let mut child = sleeper("none");
        watch(&mut format!("+{}\n", child.id()).as_bytes());
        assert_eq!(child.wait().unwrap().signal(), Some(9));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_that_nobody_told_of_is_found_by_its_run() {
        let mut child = sleeper(RUN);
        let mut other = sleeper("fedcba9876543210fedcba9876543210");
        watch(&mut format!("?{RUN}\n").as_bytes());
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        assert_eq!(other.try_wait().unwrap(), None);
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
