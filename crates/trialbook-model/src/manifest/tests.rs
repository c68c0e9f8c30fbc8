use proptest::prelude::*;

use super::*;

const SHORT: &str = include_str!("../../tests/fixtures/manifest/data_sources.yaml");
const FULL: &str = include_str!("../../tests/fixtures/manifest/datasets.yaml");
/// SHA-256 of nothing.
const NOTHING: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn good(text: &str) -> Manifest {
    parse(text, "m.yaml").unwrap_or_else(|errors| panic!("{errors}"))
}

fn errors(text: &str) -> String {
    let errors = parse(text, "m.yaml").expect_err("the manifest is wrong");
    errors.to_string()
}

#[test]
fn the_short_form_is_read() {
    let manifest = good(SHORT);
    assert_eq!(manifest.version, None);
    let [data] = &manifest.datasets[..] else {
        panic!("{manifest:?}");
    };
    assert_eq!(data.path, "test-harness/data/task-s1/");
    assert_eq!(data.checksum.to_string(), NOTHING);
    assert_eq!(data.created.as_deref(), Some("2026-01-21"));
    let description = "100 text files for map-reduce task";
    assert_eq!(data.description.as_deref(), Some(description));
    assert_eq!(
        (&data.name, data.file_count, data.total_size_mb),
        (&None, None, None)
    );
}

#[test]
fn the_full_form_is_read() {
    let manifest = good(FULL);
    assert_eq!(manifest.version.as_deref(), Some("1.10"));
    assert_eq!(manifest.created.as_deref(), Some("2026-01-21T10:00:00Z"));
    assert_eq!(manifest.generator_commit.as_deref(), Some("0123456"));
    let [texts, tasks] = &manifest.datasets[..] else {
        panic!("{manifest:?}");
    };
    assert_eq!(texts.name.as_deref(), Some("texts"));
    assert_eq!(
        (texts.file_count, texts.record_count),
        (Some(100), Some(12_345))
    );
    assert_eq!(texts.total_size_mb, Some(4.75));
    assert_eq!(texts.task_count, None);
    assert_eq!(tasks.source.as_deref(), Some("https://example.org/tasks"));
    assert_eq!(tasks.version.as_deref(), Some("2.0"));
    assert_eq!(
        (tasks.task_count, tasks.total_size_mb),
        (Some(0), Some(0.0))
    );
    assert_eq!(texts.checksum, tasks.checksum);
}

#[test]
fn documents_read_back_equal() {
    for text in [SHORT, FULL, "datasets: []\n"] {
        let manifest = good(text);
        let json = serde_json::to_string(&manifest).unwrap();
        assert_eq!(serde_json::from_str::<Manifest>(&json).unwrap(), manifest);
    }
    let json = serde_json::to_string(&good(SHORT)).unwrap();
    let expected = format!(
        r#"{{"datasets":[{{"path":"test-harness/data/task-s1/","checksum":"{NOTHING}","created":"2026-01-21","description":"100 text files for map-reduce task"}}]}}"#
    );
    assert_eq!(json, expected);
    assert!(serde_json::from_str::<Manifest>(&json.replace("sha256", "md5")).is_err());
}

#[test]
fn many_errors_are_told_at_once_each_at_its_place() {
    let text = "verison: 1
data_sources:
  - path: a
    checksum: sha256:abc123
    file_count: -1
  - checksum: sha512:00
    total_size_mb: many
  - just/a/path
";
    assert_eq!(
        errors(text),
        "m.yaml:1:1: unknown key `verison`
  hint: did you mean `version`?
m.yaml:4:15: data_sources[0].checksum: found the text `sha256:abc123`, expected `sha256:` and 64 hex digits
  hint: a checksum has 64 hex digits after `sha256:`, this one has 6; `sha256sum FILE` prints them
m.yaml:5:17: data_sources[0].file_count: found the number -1, expected a whole number from 0 to 9007199254740992
m.yaml:6:5: data_sources[1]: the key `path` is missing; expected where the data is
m.yaml:6:15: data_sources[1].checksum: found the text `sha512:00`, expected `sha256:` and 64 hex digits
  hint: `sha256sum FILE` prints the digits; write `sha256:` before them
m.yaml:7:20: data_sources[1].total_size_mb: found the text `many`, expected a size in megabytes, from 0
m.yaml:8:5: data_sources[2]: found the text `just/a/path`, expected a map with the keys name, path, checksum, created, source, version, file_count, record_count, task_count, total_size_mb, description"
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    let one = format!("{{path: a, checksum: \"{NOTHING}\"}}");
    let slashed = format!("{{path: a/, checksum: \"{NOTHING}\"}}");
    let digits = NOTHING.trim_start_matches("sha256:");
    for (text, expected) in [
        (
            String::new(),
            "1:1: the file holds no data manifest\n  hint: a data manifest needs at least a list `data_sources` or `datasets`",
        ),
        (
            "version: 1\n".to_owned(),
            "1:1: the key `data_sources` is missing; expected a list of data, or `datasets`",
        ),
        (
            "data: []\n".to_owned(),
            "1:1: unknown key `data`\n  hint: did you mean `data_sources`?\nm.yaml:1:1: the key `data_sources` is missing; expected a list of data, or `datasets`",
        ),
        (
            "datasets: {a: 1}\n".to_owned(),
            "1:11: datasets: found a map, expected a list of data",
        ),
        (
            format!("data_sources: [{one}]\ndatasets: [{one}]\n"),
            "2:11: datasets: `datasets` is given here and as `data_sources`\n  hint: keep one of them",
        ),
        (
            format!("datasets:\n- {one}\n- {slashed}\n"),
            "3:3: datasets[1]: the path `a` was named before, in line 2\n  hint: give each a name of its own",
        ),
        (
            format!("datasets: [{{path: a, checksum: {digits}}}]\n"),
            &format!(
                "1:32: datasets[0].checksum: found the text `{}…`, expected `sha256:` and 64 hex digits\n  hint: write `{NOTHING}`",
                &digits[..60]
            ),
        ),
        (
            format!("datasets: [{{path: '', checksum: \"{NOTHING}\"}}]\n"),
            "1:19: datasets[0].path: found an empty text, expected a name of one line and at most 500 bytes",
        ),
        (
            format!("datasets: [{{path: a, checksum: \"{NOTHING}\", total_size_mb: .inf}}]\n"),
            "1:122: datasets[0].total_size_mb: found the number inf, expected a size in megabytes, from 0",
        ),
        (
            "a: 1\n---\nb: 2\n".to_owned(),
            "2:1: a second document begins here; the file may hold one\n  hint: remove the line `---`, or make two files",
        ),
    ] {
        assert_eq!(errors(&text), format!("m.yaml:{expected}"), "{text}");
    }
    let many = format!("datasets: [{}]\n", "{}, ".repeat(MOST_DATASETS + 1));
    assert!(errors(&many).contains("too many entries: the limit is 10000"));
}

#[test]
fn checksums_are_read_in_either_case() {
    let upper = NOTHING.to_uppercase().replace("SHA256", "sha256");
    assert_eq!(upper.parse(), Ok(Checksum::of(b"")));
    assert_eq!(Checksum::of(b"").to_string(), NOTHING);
    let digit = format!("{}é{}", &NOTHING[..10], &NOTHING[12..]);
    let error = ChecksumError::Digit {
        letter: 'é', at: 4
    };
    assert_eq!(digit.parse::<Checksum>(), Err(error));
    let long = format!("{NOTHING}0").parse::<Checksum>();
    assert_eq!(long, Err(ChecksumError::Length { digits: 65 }));
    assert_eq!(
        "sha256:".parse::<Checksum>(),
        Err(ChecksumError::Length { digits: 0 })
    );
}

/// Expected values were computed apart, with Python: `hashlib.sha256(b"".join(sorted(path + b"\0" +
/// hashlib.sha256(content).hexdigest().encode() + b"\n" for path, content in files.items())))`.
#[test]
fn a_folder_has_the_checksum_of_its_sorted_lines() {
    for (files, expected) in [
        (
            &[][..],
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (
            &[(&b"a.txt"[..], &b""[..])][..],
            "ad7118c24c7f53c4ae76df7bdbbc1f0c79a5691922b55cf34f8ad5ccebd4c59b",
        ),
        (
            &[
                (&b"a.txt"[..], &b"alpha\n"[..]),
                (&b"b/c.txt"[..], &b"beta"[..]),
                (&b"b.txt"[..], &b"\x00\xff"[..]),
            ][..],
            "2eb902490c87dffd5ca6f9e3cf150fa89b28984917cf23a8c500031578586485",
        ),
        (
            &[
                (&b"a"[..], &b"1"[..]),
                (&b"a-b"[..], &b"2"[..]),
                (&b"a/b"[..], &b"3"[..]),
                (&b"A"[..], &b"4"[..]),
                (&b"\xc3\xa4"[..], &b"5"[..]),
                (&b"\xff"[..], &b"6"[..]),
                (&b"a\nb"[..], &b"7"[..]),
            ][..],
            "c7a9e074e323c85d2d8a633fba75517b9bef23844a948a8cc05a09dac398bc8c",
        ),
    ] {
        let files: &[(&[u8], &[u8])] = files;
        let lines = files
            .iter()
            .rev()
            .map(|(path, content)| (path, Checksum::of(content)));
        let found = directory_checksum(lines).unwrap();
        assert_eq!(found.digits(), expected, "{files:?}");
    }
}

#[test]
fn paths_outside_the_folder_have_no_line() {
    let sum = Checksum::of(b"");
    for path in ["", "/a", "a//b", "a/", "./a", "a/../b", "..", "a\0b"] {
        let refused = directory_checksum([(path, sum)]);
        let path = path.as_bytes().to_owned();
        assert_eq!(refused, Err(DirectoryError::Path { path }));
    }
    let twice = directory_checksum([("a", sum), ("a", Checksum::of(b"x"))]);
    let path = b"a".to_vec();
    assert_eq!(twice, Err(DirectoryError::Twice { path }));
    for path in ["...", "a b", "a\nb", ".hidden", "ä/🦀"] {
        assert!(directory_checksum([(path, sum)]).is_ok(), "{path}");
    }
}

/// The example of the reference is read.
#[test]
fn the_examples_of_the_reference_are_read() {
    const REFERENCE: &str = include_str!("../../../../docs/reference/data-manifest.md");
    let examples = REFERENCE.split("```yaml\n").skip(1);
    let read = examples
        .filter_map(|rest| rest.split("```").next())
        .map(good);
    assert_eq!(read.count(), 2);
    for key in TOP.iter().chain(DATASET) {
        assert!(REFERENCE.contains(&format!("`{key}`")), "{key}");
    }
}

fn any_path() -> impl Strategy<Value = String> {
    "[a-c \n]{1,3}(/[a-c.]{0,1}[a-c]){0,2}"
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "(?s)(datasets|data_sources): .{0,100}") {
        if let Err(errors) = parse(&text, "m") {
            prop_assert!(!errors.errors.is_empty());
        }
    }

    #[test]
    fn mutated_manifests_are_answered(
        at in 0..FULL.len(), with in "[-a-z:{}\\[\\]&*\n 0-9\"]{0,3}", length in 0_usize..9,
    ) {
        let end = (at + length).min(FULL.len());
        if FULL.is_char_boundary(at) && FULL.is_char_boundary(end) {
            let text = format!("{}{with}{}", &FULL[..at], &FULL[end..]);
            if let Ok(manifest) = parse(&text, "m") {
                let json = serde_json::to_string(&manifest).unwrap();
                prop_assert_eq!(serde_json::from_str::<Manifest>(&json).unwrap(), manifest);
            }
        }
    }

    #[test]
    fn checksums_read_back(bytes in any::<[u8; 32]>()) {
        let checksum = Checksum(bytes);
        prop_assert_eq!(checksum.to_string().parse(), Ok(checksum));
    }

    #[test]
    fn any_checksum_text_is_answered(text in "sha256:[0-9a-fé]{0,70}") {
        let found = text.parse::<Checksum>();
        let fits = text.len() == 71 && !text.contains('é');
        prop_assert_eq!(found.is_ok(), fits);
    }

    /// The order of files changes nothing; any change of a path, a content or the number of files does.
    #[test]
    fn a_folder_differs_when_a_file_differs(
        files in prop::collection::btree_map(any_path(), any::<[u8; 32]>(), 1..6),
        extra in any_path(), content in any::<[u8; 32]>(),
    ) {
        let sum = |files: &BTreeMap<String, [u8; 32]>| {
            directory_checksum(files.iter().map(|(path, sum)| (path, Checksum(*sum)))).unwrap()
        };
        let turned = files.iter().rev().map(|(path, sum)| (path, Checksum(*sum)));
        prop_assert_eq!(directory_checksum(turned).unwrap(), sum(&files));
        let mut other = files.clone();
        other.insert(extra, content);
        prop_assert_eq!(sum(&other) == sum(&files), other == files);
        let mut fewer = files.clone();
        fewer.pop_first();
        prop_assert_ne!(sum(&fewer), sum(&files));
    }
}
