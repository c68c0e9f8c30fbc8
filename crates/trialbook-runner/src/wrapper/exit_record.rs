//! The exit record: a small file by which a run's end is known where neither the book nor the process
//! can be asked any more.
//!
//! Invariant: the file is there whole or not at all, also after a power cut.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use trialbook_model::id::RunUid;
use trialbook_model::record::RunError;
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitRecord {
    /// The run.
    pub run: RunUid,
    /// Its final state.
    pub status: RunStatus,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RunError>,
    /// Its process's exit code, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// When it started.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
}

impl ExitRecord {
    /// Writes the record: a file beside it, synced, then renamed, then the folder synced.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let beside = path.with_extension("part");
        let mut file = File::create(&beside)?;
        serde_json::to_writer(&mut file, self)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
            Some(_) | None => File::open(".")?.sync_all(),
        }
    }

    /// Reads a record; `None` where there is none.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        match std::fs::read(path) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trialbook_model::id::Uid;

    #[test]
    fn a_record_is_read_back_and_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("exit.json");
        assert_eq!(ExitRecord::read(&path).unwrap(), None);
        let mut record = ExitRecord {
            run: RunUid(Uid([3; 16])),
            status: RunStatus::Failed,
            error: Some(RunError {
                kind: "exit(2)".to_owned(),
                message: "no data".to_owned(),
            }),
            exit_code: Some(2),
            started: Timestamp(1),
            ended: Timestamp(2),
        };
        record.write(&path).unwrap();
        assert_eq!(ExitRecord::read(&path).unwrap().unwrap(), record);
        record.error = None;
        record.write(&path).unwrap();
        assert_eq!(ExitRecord::read(&path).unwrap().unwrap(), record);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
