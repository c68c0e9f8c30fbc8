//! Where the bytes of artifacts are, and which files are there.
//!
//! Stores are moved, so a place that is not there any more is looked for beside the store. Not here: putting bytes
//! into a book. Invariant: nothing outside the folder of a run is taken for its artifact.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use trialbook_model::time::Timestamp;

/// How deep folders of artifacts may stand in each other.
const DEEPEST: usize = 64;

/// What begins the addresses of artifacts behind MLflow's server.
pub(super) const PROXIED: &str = "mlflow-artifacts:";

/// What becomes of artifacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Manner {
    /// Their bytes come into the book.
    #[default]
    Copy,
    /// The book says where they are.
    Reference,
    /// They stay away.
    Leave,
}

/// Where artifacts are that a store cannot find by itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places {
    /// The folder behind `mlflow-artifacts:/`, as it was given to MLflow's server.
    pub proxied: Option<PathBuf>,
}

/// Where the bytes of a run are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bytes {
    /// In a folder of this machine.
    Folder(PathBuf),
    /// Behind an address that is not read here.
    Elsewhere(String),
    /// There are none.
    None,
}

/// A file of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Its path inside the run.
    pub(super) path: String,
    pub(super) file: PathBuf,
    pub(super) size: u64,
    /// When it was written last.
    pub(super) changed: Timestamp,
}

/// The path of a `file:` address, or of a plain path.
pub(super) fn file_path(uri: &str) -> Option<String> {
    if let Some(rest) = uri.strip_prefix("file:") {
        let path = match rest.strip_prefix("//") {
            // Behind two slashes stands a host, which is this one.
            Some(rest) => &rest[rest.find('/')?..],
            None => rest,
        };
        return Some(plain(path));
    }
    let scheme = uri.split_once(':').map(|(scheme, _)| scheme);
    let is_scheme = |text: &str| {
        text.len() > 1
            && text
                .bytes()
                .all(|it| it.is_ascii_alphanumeric() || b"+-.".contains(&it))
    };
    (!scheme.is_some_and(is_scheme)).then(|| uri.to_owned())
}

/// A path with `%20` and its like undone.
fn plain(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%');
        let value =
            digits.and_then(|it| u8::from_str_radix(std::str::from_utf8(it).ok()?, 16).ok());
        if let Some(value) = value {
            bytes.push(value);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| path.to_owned())
}

/// A path as a `file:` address.
pub(super) fn address(path: &Path) -> String {
    let mut text = "file://".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            text.push('%');
            text.push_str(&crate::record::hex(&[*byte]).to_ascii_uppercase());
        }
    }
    text
}

/// The folder of an address: as it says, else the first of some others that is there.
pub(super) fn locate(uri: Option<&str>, proxied: &[PathBuf], beside: &[PathBuf]) -> Bytes {
    let Some(uri) = uri.filter(|uri| !uri.is_empty()) else {
        return first(beside).map_or(Bytes::None, Bytes::Folder);
    };
    if let Some(path) = file_path(uri) {
        let own = PathBuf::from(path);
        let own = Some(own).filter(|own| own.is_absolute() && own.is_dir());
        return own
            .or_else(|| first(beside))
            .map_or(Bytes::None, Bytes::Folder);
    }
    if let Some(rest) = uri.strip_prefix(PROXIED) {
        let path = match rest.strip_prefix("//") {
            Some(rest) => rest.split_once('/').map_or("", |(_, path)| path),
            None => rest.trim_start_matches('/'),
        };
        let is_inside = !path.split('/').any(|part| part == "..");
        let folders: Vec<PathBuf> = proxied.iter().map(|root| root.join(path)).collect();
        if let Some(folder) = first(&folders).filter(|_| is_inside) {
            return Bytes::Folder(folder);
        }
    }
    Bytes::Elsewhere(uri.to_owned())
}

fn first(folders: &[PathBuf]) -> Option<PathBuf> {
    folders.iter().find(|folder| folder.is_dir()).cloned()
}

/// All files below a folder, by path; those with names that are no text are told apart.
pub(super) fn files(folder: &Path) -> io::Result<(Vec<Found>, Vec<PathBuf>)> {
    let (mut found, mut odd) = (Vec::new(), Vec::new());
    walk(folder, "", DEEPEST, &mut found, &mut odd)?;
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok((found, odd))
}

fn walk(
    folder: &Path,
    above: &str,
    depth: usize,
    found: &mut Vec<Found>,
    odd: &mut Vec<PathBuf>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file = entry.path();
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|_| depth > 0) else {
            odd.push(file);
            continue;
        };
        let path = if above.is_empty() {
            name.to_owned()
        } else {
            format!("{above}/{name}")
        };
        // A link to a folder may lead anywhere, and around.
        if entry.file_type()?.is_dir() {
            walk(&file, &path, depth - 1, found, odd)?;
            continue;
        }
        match fs::metadata(&file) {
            Ok(about) if about.is_file() => {
                let since = about
                    .modified()?
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                found.push(Found {
                    path,
                    file,
                    size: about.len(),
                    changed: Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)),
                });
            }
            Ok(_) => odd.push(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => odd.push(file),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_mean_paths_and_back() {
        for (uri, path) in [
            ("file:///srv/a%20b/%C3%A4", Some("/srv/a b/ä")),
            ("file:/srv/x", Some("/srv/x")),
            ("file://localhost/srv/x", Some("/srv/x")),
            ("/srv/x", Some("/srv/x")),
            ("./mlruns/0", Some("./mlruns/0")),
            ("C:\\runs", Some("C:\\runs")),
            ("s3://bucket/x", None),
            ("mlflow-artifacts:/0/x", None),
            ("dbfs:/x", None),
        ] {
            assert_eq!(file_path(uri).as_deref(), path, "{uri}");
        }
        let odd = "/srv/a b/100%/ä#?";
        assert_eq!(file_path(&address(Path::new(odd))).as_deref(), Some(odd));
    }

    #[test]
    fn folders_are_found_where_they_were_moved_to() {
        let home = tempfile::tempdir().unwrap();
        let here = home.path().join("1/run/artifacts");
        fs::create_dir_all(&here).unwrap();
        let root = vec![home.path().to_owned()];
        let beside = vec![here.clone()];
        let found = Bytes::Folder(here.clone());
        assert_eq!(
            locate(Some("mlflow-artifacts:/1/run/artifacts"), &root, &[]),
            found
        );
        assert_eq!(
            locate(
                Some("mlflow-artifacts://host:5000/1/run/artifacts"),
                &root,
                &[]
            ),
            found
        );
        assert_eq!(locate(Some("file:///nowhere/at/all"), &[], &beside), found);
        assert_eq!(locate(Some(&address(&here)), &[], &[]), found);
        assert_eq!(locate(None, &[], &beside), found);
        assert_eq!(locate(Some("/nowhere/at/all"), &[], &[]), Bytes::None);
        let away = |uri: &str| Bytes::Elsewhere(uri.to_owned());
        for uri in ["s3://bucket/x", "mlflow-artifacts:/../1/run/artifacts"] {
            assert_eq!(locate(Some(uri), &root, &beside), away(uri));
        }
    }

    #[test]
    fn links_to_folders_are_not_followed() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join("a/b")).unwrap();
        fs::write(home.path().join("a/b/c.txt"), "x").unwrap();
        std::os::unix::fs::symlink(home.path(), home.path().join("a/loop")).unwrap();
        std::os::unix::fs::symlink("b/c.txt", home.path().join("a/link.txt")).unwrap();
        let (found, odd) = files(&home.path().join("a")).unwrap();
        let paths: Vec<_> = found.iter().map(|it| (it.path.as_str(), it.size)).collect();
        assert_eq!(paths, [("b/c.txt", 1), ("link.txt", 1)]);
        assert_eq!(odd, [home.path().join("a/loop")]);
    }
}
