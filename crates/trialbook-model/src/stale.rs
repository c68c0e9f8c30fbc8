//! When a running run counts as stale (M-31): it was not ended, and nothing is heard of it any more.
//!
//! Not here: ending it, which a person or the wrapper does. Invariant: `stale` is never stored; it follows
//! from the state and the time at which it is asked.

use crate::state::RunState;
use crate::status::RunStatus;
use crate::time::Timestamp;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;

/// Wrappers and our SDK give a sign of life every few seconds.
const AFTER_HEARTBEAT: i64 = 120 * SECOND;
/// Programs without a heartbeat of ours are heard of only when they write.
const AFTER_WRITE: i64 = 24 * HOUR;

/// How long a running run may be silent, by what started it; `None` for ever.
pub fn patience(source: &str) -> Option<i64> {
    match source {
        // A person may come back to the shell after a week.
        "shell" => None,
        "wrapper" | "sdk" => Some(AFTER_HEARTBEAT),
        // It ran elsewhere, and ended there if it ended.
        "import" => Some(0),
        _ => Some(AFTER_WRITE),
    }
}

/// Since when a run counts as silent: its last sign of life, where it is running and silent for too long.
pub fn stale_since(run: &RunState, now: Timestamp) -> Option<Timestamp> {
    if run.status() != RunStatus::Running {
        return None;
    }
    let source = run.start().map_or("", |start| start.source.as_str());
    let alive = run.alive?;
    let silent = now.0.saturating_sub(alive.0);
    (silent > patience(source)?).then_some(alive)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::RunUid;
    use crate::record::StartRun;
    use crate::state::{Earliest, Stamp};

    fn stale_after(source: &str, micros: i64) -> bool {
        let mut run = RunState::default();
        let start = StartRun {
            source: source.to_owned(),
            ..StartRun::of(RunUid::default())
        };
        Earliest::offer(&mut run.start, Stamp::default(), start);
        run.alive = Some(Timestamp(HOUR));
        stale_since(&run, Timestamp(HOUR + micros)).is_some()
    }

    #[test]
    fn each_source_has_its_patience() {
        assert!(!stale_after("shell", 1000 * HOUR));
        assert!(!stale_after("wrapper", AFTER_HEARTBEAT));
        assert!(stale_after("wrapper", AFTER_HEARTBEAT + 1));
        assert!(!stale_after("mlflow", 23 * HOUR));
        assert!(stale_after("mlflow", 25 * HOUR));
        assert!(stale_after("import", 1));
        assert!(!stale_after("import", -1));
    }
}
