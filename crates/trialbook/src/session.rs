//! Which terminal is this? The session of the shell that a command was typed into.
//!
//! Not here: what is remembered about it. Invariant: two commands of one shell get the same answer; those
//! of other machines, boots and containers another one.

use std::fs;

/// The session of the shell that this process belongs to; `None` where the system does not tell.
pub(crate) fn current(machine: &str) -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
    let boot = boot.as_deref().map_or(machine, str::trim);
    Some(format!("{boot}/{}", own()?))
}

/// Numbers of sessions mean something within their pid namespace only.
#[cfg(target_os = "linux")]
fn own() -> Option<String> {
    let stat = fs::read("/proc/self/stat").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok();
    let namespace = namespace.as_ref().and_then(|link| link.to_str());
    Some(format!("{}/{}", namespace.unwrap_or_default(), of(&stat)?))
}

/// From `stat`, counted behind the last `)` because the name before it may hold anything. A shell that
/// was brought into a container from outside has a session that has no number there: 0. Its terminal tells
/// it from others.
#[cfg(target_os = "linux")]
fn of(stat: &[u8]) -> Option<String> {
    let behind = stat.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(&stat[behind + 1..]).ok()?;
    let mut fields = rest.split_ascii_whitespace().skip(3);
    let session = fields.next()?;
    let terminal = fields.next()?;
    Some(match session {
        "0" => format!("outside/{terminal}"),
        number => number.to_owned(),
    })
}

#[cfg(not(target_os = "linux"))]
fn own() -> Option<String> {
    let session = rustix::process::getsid(None).ok()?;
    Some(session.as_raw_nonzero().to_string())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_the_sixth_field_whatever_the_name() {
        let stat = b"12 (a ) b) S 1 12 7 34816 12 4194560";
        assert_eq!(of(stat).as_deref(), Some("7"));
    }

    #[test]
    fn a_session_from_outside_is_told_by_its_terminal() {
        let stat = b"12 (sh) S 0 0 0 34816 -1 4194560";
        assert_eq!(of(stat).as_deref(), Some("outside/34816"));
    }

    #[test]
    fn half_a_line_is_no_session() {
        assert_eq!(of(b"12 (sh) S 0 0"), None);
        assert_eq!(of(b""), None);
    }

    #[test]
    fn one_process_is_always_in_the_same() {
        let session = current("machine");
        assert!(session.is_some());
        assert_eq!(session, current("machine"));
    }
}
