//! The Python shim for tasks that have a type and no command.
//!
//! Invariant: the script on the disk is the one that this program was built with.

use std::io;
use std::path::{Path, PathBuf};

/// The script.
pub const SCRIPT: &str = include_str!("../../../python/trialbook_task.py");

/// Writes the script into a folder, unless it is there already, and gives its path.
pub fn install(folder: &Path) -> io::Result<PathBuf> {
    let path = folder.join("trialbook_task.py");
    if std::fs::read(&path).is_ok_and(|bytes| bytes == SCRIPT.as_bytes()) {
        return Ok(path);
    }
    std::fs::create_dir_all(folder)?;
    let beside = folder.join(format!("trialbook_task.{}.part", std::process::id()));
    std::fs::write(&beside, SCRIPT)?;
    std::fs::rename(&beside, &path)?;
    Ok(path)
}
