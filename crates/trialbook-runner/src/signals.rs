//! Turns the signals that ask a process to end into requests to stop.
//!
//! Not here: what a stop does. Invariant: a signal to end that was ignored when the program started (`nohup`,
//! a background job of a script) stays ignored; the ends of child processes are never lost.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

use crate::stop::Stop;

/// Signals are requests to stop while this lives.
#[derive(Debug)]
pub struct SignalWatch {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl SignalWatch {
    /// From now on Ctrl-C, SIGTERM and SIGHUP are requests to stop.
    pub fn start(stop: Arc<Stop>) -> io::Result<Self> {
        let ignored = ignored_signals();
        let is_ignored = |signal: i32| ignored & (1 << (signal - 1)) != 0;
        let mut signals = Signals::new(
            [SIGINT, SIGTERM, SIGHUP]
                .iter()
                .filter(|it| !is_ignored(**it)),
        )?;
        if is_ignored(SIGCHLD) {
            // Whoever started this program made the system forget how child processes end; a handler, even
            // one that does nothing, makes it remember.
            signals.add_signal(SIGCHLD)?;
        }
        let handle = signals.handle();
        let thread = std::thread::spawn(move || {
            for signal in signals.forever() {
                if signal != SIGCHLD {
                    stop.request();
                }
            }
        });
        Ok(Self {
            handle,
            thread: Some(thread),
        })
    }
}

impl Drop for SignalWatch {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            // The thread only passes signals on; a panic in it is no reason for another one here.
            thread.join().ok();
        }
    }
}

/// The signals that this process ignores, as a mask; none where the system does not tell.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    mask_of(&status)
}

fn mask_of(status: &str) -> u64 {
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_is_read() {
        assert_eq!(mask_of("Name:\tx\nSigIgn:\t0000000000001001\n"), 0x1001);
        assert_eq!(mask_of("Name:\tx\n"), 0);
    }
}
