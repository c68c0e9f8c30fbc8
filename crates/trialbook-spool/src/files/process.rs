//! Who a process is, as the system tells it: start, boot, namespace, name of the machine.
//!
//! Not here: what follows from it. Invariant: a fact that the system does not tell is empty or 0, never
//! guessed.

use std::fs;

use super::Identity;

/// The present process.
pub(super) fn current() -> Identity {
    let pid = std::process::id();
    Identity {
        host: host(),
        boot: boot(),
        pid,
        pid_namespace: pid_namespace().unwrap_or(0),
        started: started(pid).unwrap_or(0),
    }
}

/// When a process started: field 22 of its `stat`, counted behind the last `)` because the name before
/// it may hold anything.
pub(super) fn started(pid: u32) -> Option<u64> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let behind = stat.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(&stat[behind + 1..]).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X" | "x") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(unix)]
fn host() -> String {
    let names = rustix::system::uname();
    names.nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host() -> String {
    String::new()
}

fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|text| text.trim().to_owned())
        .unwrap_or_default()
}

/// The number in `pid:[4026531836]`.
fn pid_namespace() -> Option<u64> {
    let link = fs::read_link("/proc/self/ns/pid").ok()?;
    let text = link.to_str()?;
    text.strip_prefix("pid:[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_knows_itself() {
        let me = current();
        assert_eq!(started(me.pid), Some(me.started));
        assert!(me.started > 0 && me.pid_namespace > 0);
        assert_eq!(me.boot.len(), 36);
        assert_eq!(started(0), None);
    }
}
