//! Turns the signals that ask a process to end into requests to stop.
//!
//! Not here: what a stop does. Invariant: once nobody watches any more, such a signal ends the process as it
//! would have without a watch; a signal to end that was ignored when the program started (`nohup`,
//! a background job of a script) stays ignored; the ends of child processes are never lost.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

use crate::stop::Stop;

/// Signals are requests to stop while this lives.
#[derive(Debug)]
pub struct SignalWatch {
    handle: Handle,
    watched: Vec<i32>,
    thread: Option<JoinHandle<()>>,
}

impl SignalWatch {
    /// From now on Ctrl-C, SIGTERM and SIGHUP are requests to stop.
    pub fn start(stop: Arc<Stop>) -> io::Result<Self> {
        let ignored = ignored_signals();
        let is_ignored = |signal: i32| ignored & (1 << (signal - 1)) != 0;
        let mut watched = vec![SIGINT, SIGTERM, SIGHUP];
        watched.retain(|signal| !is_ignored(*signal));
        let mut signals = Signals::new(&watched)?;
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
            watched,
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
        for signal in &self.watched {
            // A handler that has nothing to call would make the process ignore the signal. Where this one cannot
            // be set, it does.
            let always = Arc::new(AtomicBool::new(true));
            signal_hook::flag::register_conditional_default(*signal, always).ok();
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

    /// Says to this test that it is the process that is to end.
    const INSIDE: &str = "TRIALBOOK_TEST_SIGNALS";

    #[test]
    fn after_the_watch_a_signal_ends_the_process() {
        use std::os::unix::process::ExitStatusExt as _;
        if std::env::var_os(INSIDE).is_some() {
            drop(SignalWatch::start(Arc::new(Stop::new().unwrap())).unwrap());
            let own = rustix::process::getpid();
            rustix::process::kill_process(own, rustix::process::Signal::TERM).unwrap();
            std::thread::park();
        }
        let name = "signals::tests::after_the_watch_a_signal_ends_the_process";
        let ended = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env(INSIDE, "1")
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap();
        assert_eq!(ended.signal(), Some(SIGTERM));
    }

    #[test]
    fn the_mask_is_read() {
        assert_eq!(mask_of("Name:\tx\nSigIgn:\t0000000000001001\n"), 0x1001);
        assert_eq!(mask_of("Name:\tx\n"), 0);
    }
}
