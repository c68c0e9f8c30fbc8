use std::collections::BTreeSet;

use super::*;
use crate::files::make_dir_durably;

/// The names that a power cut leaves, for many seeds.
fn left(act: impl Fn(&SimFiles)) -> BTreeSet<Vec<String>> {
    let of = |seed| {
        let files = SimFiles::new(seed);
        make_dir_durably(&files, "dir".as_ref()).unwrap();
        act(&files);
        let after = files.power_cut();
        let paths = after.list("dir".as_ref()).unwrap();
        let names = paths.iter().map(|path| path.file_name().unwrap());
        names
            .map(|name| name.to_str().unwrap().to_owned())
            .collect()
    };
    (0..64).map(of).collect()
}

fn make(files: &SimFiles, name: &str) {
    let file = files.create_new(&Path::new("dir").join(name)).unwrap();
    file.write_at(b"a", 0).unwrap();
    file.sync().unwrap();
}

fn sync(files: &SimFiles) {
    files.sync_dir("dir".as_ref()).unwrap();
}

fn rename(files: &SimFiles) {
    files.rename("dir/a".as_ref(), "dir/b".as_ref()).unwrap();
}

fn sets(expected: &[&[&str]]) -> BTreeSet<Vec<String>> {
    let owned = |names: &&[&str]| names.iter().map(|&name| name.to_owned()).collect();
    expected.iter().map(owned).collect()
}

#[test]
fn a_name_is_sure_only_once_its_folder_was_synced() {
    assert_eq!(left(|files| make(files, "a")), sets(&[&[], &["a"]]));
    let synced = |files: &SimFiles| {
        make(files, "a");
        sync(files);
    };
    assert_eq!(left(synced), sets(&[&["a"]]));
    assert_eq!(
        left(|files| {
            synced(files);
            rename(files);
        }),
        sets(&[&["a"], &["b"]])
    );
    assert_eq!(
        left(|files| {
            synced(files);
            rename(files);
            sync(files);
        }),
        sets(&[&["b"]])
    );
    assert_eq!(
        left(|files| {
            synced(files);
            files.unlink("dir/a".as_ref()).unwrap();
        }),
        sets(&[&[], &["a"]])
    );
}

#[test]
fn names_reach_the_disk_in_no_order() {
    let two = |files: &SimFiles| {
        make(files, "a");
        make(files, "b");
    };
    assert_eq!(left(two), sets(&[&[], &["a"], &["b"], &["a", "b"]]));
    assert_eq!(
        left(|files| {
            two(files);
            files.sync_dir("elsewhere".as_ref()).unwrap();
        }),
        left(two)
    );
}

#[test]
fn a_folder_whose_sync_fails_promises_nothing() {
    let failing = |files: &SimFiles| {
        make(files, "a");
        files.set_faults(Faults {
            failed: 1000,
            ..Faults::default()
        });
        files.sync_dir("dir".as_ref()).unwrap_err();
    };
    assert_eq!(left(failing), sets(&[&[], &["a"]]));
}

#[test]
fn a_folder_is_sure_only_once_the_one_above_it_was_synced() {
    let inner = |files: &SimFiles| {
        assert!(files.make_dir("dir/new".as_ref()).unwrap());
        assert!(!files.make_dir("dir/new".as_ref()).unwrap());
        let file = files.create_new("dir/new/a".as_ref()).unwrap();
        file.sync().unwrap();
        files.sync_dir("dir/new".as_ref()).unwrap();
    };
    assert_eq!(left(inner), sets(&[&[], &["new"]]));
    let outer = |files: &SimFiles| {
        inner(files);
        sync(files);
    };
    assert_eq!(left(outer), sets(&[&["new"]]));
    let unsynced = |seed| {
        let files = SimFiles::new(seed);
        files.make_dir("dir".as_ref()).unwrap();
        make(&files, "a");
        sync(&files);
        let after = files.power_cut();
        after.list("dir".as_ref()).unwrap().len()
    };
    assert_eq!(
        (0..64).map(unsynced).collect::<BTreeSet<_>>(),
        [0, 1].into()
    );
    let files = SimFiles::new(1);
    let missing = files.create_new("nowhere/a".as_ref()).err().unwrap();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
}
