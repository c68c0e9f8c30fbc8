//! What the process tree of a run uses: processor time and memory, read from `/proc`.
//!
//! A tree is a process group with all descendants of its members, also those that left the group. Memory is
//! the sum of resident sets, in which pages that processes share count in each. Not here: when to look, and
//! what is recorded. Invariant: processor time never goes back; where the system has no `/proc` there are no
//! samples.

use std::collections::BTreeMap;
use std::fs;

/// One look at a tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Processor time of the tree since its beginning, in seconds.
    pub cpu_seconds: f64,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Processes that have not ended.
    pub processes: u64,
}

/// The tree of a process group.
#[derive(Debug)]
pub struct Tree {
    group: i32,
    cpu_ticks: u64,
    peak: Option<u64>,
}

/// What `/proc/PID/stat` says of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    state: u8,
    parent: i32,
    group: i32,
    /// Its own time and that of children that it waited for.
    ticks: u64,
    pages: u64,
}

impl Tree {
    /// The tree of a group, which has the number of its first process.
    pub fn of_group(group: i32) -> Self {
        Self {
            group,
            cpu_ticks: 0,
            peak: None,
        }
    }

    /// Looks at all processes of the tree; `None` where there is none, or no `/proc`.
    pub fn sample(&mut self) -> Option<Sample> {
        let all = processes()?;
        let members = members(&all, self.group);
        if members.is_empty() {
            return None;
        }
        let ticks = members.iter().map(|stat| stat.ticks).sum();
        // A child that nobody waits for takes its time with it.
        self.cpu_ticks = self.cpu_ticks.max(ticks);
        let live = || members.iter().filter(|stat| stat.state != b'Z');
        let pages: u64 = live().map(|stat| stat.pages).sum();
        let memory_bytes = pages * rustix::param::page_size() as u64;
        self.peak = self.peak.max(Some(memory_bytes));
        Some(Sample {
            cpu_seconds: seconds(self.cpu_ticks),
            memory_bytes,
            processes: live().count() as u64,
        })
    }

    /// Processor time in all, once the first process has ended and before it is waited for.
    pub fn total_cpu_seconds(&mut self) -> Option<f64> {
        if let Some(leader) = stat_of(self.group) {
            self.cpu_ticks = self.cpu_ticks.max(leader.ticks);
        } else if self.peak.is_none() {
            return None;
        }
        Some(seconds(self.cpu_ticks))
    }

    /// The most memory that a sample found, in bytes.
    pub const fn peak_memory_bytes(&self) -> Option<u64> {
        self.peak
    }
}

fn seconds(ticks: u64) -> f64 {
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}

fn processes() -> Option<BTreeMap<i32, Stat>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir("/proc").ok()?.filter_map(Result::ok) {
        let pid = entry.file_name().to_str().and_then(|it| it.parse().ok());
        // One that ends meanwhile is not there.
        if let Some(pid) = pid
            && let Some(stat) = stat_of(pid)
        {
            all.insert(pid, stat);
        }
    }
    Some(all)
}

fn stat_of(pid: i32) -> Option<Stat> {
    Stat::read(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

impl Stat {
    /// Counted behind the last `)`, because the name before it may hold anything.
    fn read(line: &[u8]) -> Option<Self> {
        let behind = line.iter().rposition(|byte| *byte == b')')?;
        let rest = std::str::from_utf8(&line[behind + 1..]).ok()?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        let signed = |at: usize| fields.get(at)?.parse::<i64>().ok();
        // Times of children are signed, and negative nowhere.
        let waited = |at: usize| signed(at).map(|ticks| u64::try_from(ticks).unwrap_or(0));
        Some(Self {
            state: *fields.first()?.as_bytes().first()?,
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            ticks: number(11)? + number(12)? + waited(13)? + waited(14)?,
            pages: u64::try_from(signed(21)?).unwrap_or(0),
        })
    }
}

/// The processes of a group and all that descend from them.
fn members(all: &BTreeMap<i32, Stat>, group: i32) -> Vec<Stat> {
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for (pid, stat) in all {
        children.entry(stat.parent).or_default().push(*pid);
    }
    let of_group = all.iter().filter(|(_, stat)| stat.group == group);
    let mut waiting: Vec<i32> = of_group.map(|(pid, _)| *pid).collect();
    let mut found: BTreeMap<i32, Stat> = BTreeMap::new();
    while let Some(pid) = waiting.pop() {
        if let Some(stat) = all.get(&pid)
            && found.insert(pid, *stat).is_none()
        {
            waiting.extend(children.get(&pid).into_iter().flatten());
        }
    }
    found.into_values().collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::process::CommandExt as _;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_line_is_read_whatever_the_name() {
        let line = b"7 (a ) b) S 3 5 5 0 -1 0 0 0 0 0 10 20 1 2 20 0 1 0 99 4096 33 0";
        let stat = Stat {
            state: b'S',
            parent: 3,
            group: 5,
            ticks: 33,
            pages: 33,
        };
        assert_eq!(Stat::read(line), Some(stat));
        assert_eq!(Stat::read(b"7 (sh) S 3 5"), None);
        assert_eq!(Stat::read(b""), None);
    }

    #[test]
    fn descendants_belong_to_the_tree_also_outside_of_the_group() {
        let stat = |parent, group| Stat {
            state: b'S',
            parent,
            group,
            ticks: 1,
            pages: 1,
        };
        let all = BTreeMap::from([
            (1, stat(0, 1)),
            (10, stat(1, 10)),
            (11, stat(10, 10)),
            (12, stat(11, 12)),
            (13, stat(12, 12)),
            // An orphan of the group, and one that has nothing to do with it.
            (14, stat(1, 10)),
            (20, stat(1, 20)),
        ]);
        assert_eq!(members(&all, 10).len(), 5);
        assert_eq!(members(&all, 99), []);
    }

    #[test]
    fn a_busy_grandchild_counts() {
        let script = "sh -c 'sh -c \"echo up; while :; do :; done\"' & wait";
        let mut child = Command::new("sh")
            .args(["-c", script])
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let group = i32::try_from(child.id()).unwrap();
        let mut tree = Tree::of_group(group);
        let deadline = Instant::now() + Duration::from_secs(60);
        let busy = loop {
            let sample = tree.sample().unwrap();
            if sample.cpu_seconds > 0.05 && sample.processes >= 3 {
                break sample;
            }
            assert!(Instant::now() < deadline, "waited in vain: {sample:?}");
            std::thread::sleep(Duration::from_millis(10));
        };
        assert!(busy.memory_bytes > 0);
        let pid = rustix::process::Pid::from_raw(group).unwrap();
        rustix::process::kill_process_group(pid, rustix::process::Signal::KILL).unwrap();
        child.wait().unwrap();
        assert!(tree.total_cpu_seconds().unwrap() >= busy.cpu_seconds);
        assert!(tree.peak_memory_bytes() >= Some(busy.memory_bytes));
        assert_eq!(Tree::of_group(group).total_cpu_seconds(), None);
    }
}
