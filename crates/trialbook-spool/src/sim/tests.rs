use std::collections::BTreeSet;

use super::*;

/// The names that a power cut leaves, for many seeds.
fn left(act: impl Fn(&SimFiles)) -> BTreeSet<Vec<String>> {
    let of = |seed| {
        let files = SimFiles::new(seed);
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
