use std::fs;
use std::os::unix::fs::symlink;

use proptest::prelude::*;

use super::*;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn a_file_has_the_checksum_of_its_bytes() {
    let folder = folder(&[("a", "abc")]);
    let measured = checksum(&folder.path().join("a")).unwrap();
    let text = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(measured.checksum.to_string(), text);
    assert_eq!((measured.files, measured.bytes), (1, 3));
}

/// Worked out by the Python lines of `docs/reference/data-manifest.md`.
#[test]
fn a_folder_has_the_checksum_that_the_documentation_gives() {
    let folder = folder(&[("b/c", "two"), ("a", "one"), ("b.x", "")]);
    fs::create_dir(folder.path().join("empty")).unwrap();
    let measured = checksum(folder.path()).unwrap();
    let text = "sha256:9313febff7a3ed0896af0151db40b8a4d955557f2fd3dcdc6b34f981f4a77a80";
    assert_eq!(measured.checksum.to_string(), text);
    assert_eq!((measured.files, measured.bytes), (3, 6));
    fs::write(folder.path().join(MANIFEST), "version: 1").unwrap();
    assert_eq!(checksum(folder.path()).unwrap(), measured);
    fs::write(folder.path().join("b").join(MANIFEST), "").unwrap();
    assert_ne!(checksum(folder.path()).unwrap(), measured);
}

#[test]
fn links_count_as_what_they_lead_to() {
    let plain = folder(&[("a", "one"), ("b/c", "two")]);
    let elsewhere = folder(&[("c", "two"), ("x", "one")]);
    let linked = tempfile::tempdir().unwrap();
    symlink(elsewhere.path().join("x"), linked.path().join("a")).unwrap();
    let sub = linked.path().join("b");
    fs::create_dir(&sub).unwrap();
    symlink(elsewhere.path().join("c"), sub.join("c")).unwrap();
    assert_eq!(
        checksum(plain.path()).unwrap(),
        checksum(linked.path()).unwrap()
    );
    let whole = linked.path().join("whole");
    symlink(plain.path(), &whole).unwrap();
    assert_eq!(checksum(&whole).unwrap(), checksum(plain.path()).unwrap());
    assert_eq!(checksum(linked.path()).unwrap().files, 4);
}

#[test]
fn what_has_no_checksum_is_named() {
    let folder = folder(&[("sub/a", "one")]);
    let error = |path: &Path| checksum(path).unwrap_err();
    let gone = folder.path().join("gone");
    assert!(matches!(error(&gone), DataError::Missing { path } if path == gone));
    let dangling = folder.path().join("sub/dangling");
    symlink("nowhere", &dangling).unwrap();
    assert!(matches!(error(folder.path()), DataError::Dangling { path } if path == dangling));
    fs::remove_file(&dangling).unwrap();
    let circle = folder.path().join("sub/circle");
    symlink("..", &circle).unwrap();
    assert!(matches!(error(folder.path()), DataError::Loop { .. }));
    fs::remove_file(&circle).unwrap();
    symlink("circle", &circle).unwrap();
    assert!(matches!(error(folder.path()), DataError::Loop { path } if path == circle));
    fs::remove_file(&circle).unwrap();
    let socket = folder.path().join("sub/socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    assert!(matches!(error(folder.path()), DataError::Special { path } if path == socket));
    assert!(matches!(
        error(Path::new("/dev/null")),
        DataError::Special { .. }
    ));
}

#[test]
fn a_written_path_is_looked_for_in_the_folders_above_too() {
    let folder = folder(&[("data/a", "one"), ("experiments/e/data/b", "two")]);
    let own = folder.path().join("experiments/e");
    assert_eq!(locate(&own, "data/b"), Some(own.join("data/b")));
    assert_eq!(locate(&own, "data/a"), Some(folder.path().join("data/a")));
    assert_eq!(locate(&own, "no/such/thing/anywhere"), None);
}

#[test]
fn reading_stops_when_asked_to() {
    let folder = folder(&[("a", "one")]);
    let stopped = checksum_unless(folder.path(), &|| true);
    assert!(matches!(stopped, Err(DataError::Stopped { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Reading in pieces is the same as reading whole, whatever the length.
    #[test]
    fn the_length_does_not_matter(length in 0_usize..3 * BUFFER, seed: u8) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8 ^ seed).collect();
        fs::write(&path, &bytes).unwrap();
        let measured = checksum(&path).unwrap();
        prop_assert_eq!(measured.checksum, Checksum::of(&bytes));
        prop_assert_eq!(measured.bytes, length as u64);
    }
}
