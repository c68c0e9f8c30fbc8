//! Which file gives way to a new one of its name.
//!
//! Not here: whether it may. Invariant: a device, a pipe or a link is never replaced by a file.

use std::fs;
use std::path::{Path, PathBuf};

/// The file that a draft may take the name of: where a link leads to. `None` for what is no file, such as a device
/// or a pipe: that is written into.
pub(crate) fn replaceable(target: &Path) -> Option<PathBuf> {
    match fs::canonicalize(target) {
        Ok(real) => real.is_file().then_some(real),
        Err(_missing) => Some(target.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_written_into_and_links_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        assert_eq!(replaceable(&file), Some(file.clone()));
        fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(replaceable(&link), Some(fs::canonicalize(&file).unwrap()));
        assert_eq!(replaceable(Path::new("/dev/null")), None);
        assert_eq!(replaceable(folder.path()), None);
    }
}
