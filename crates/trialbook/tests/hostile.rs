//! Input that nobody should send: each piece of it either works to the last byte or is refused clearly.
//!
//! What "refused clearly" means: a code of its own, a message, nothing recorded, and no control character
//! on the terminal.

mod sandbox;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use sandbox::{Ended, Sandbox, ended};
use serde_json::{Value, json};

/// Names that break those who do not expect them. None of them holds a NUL, which arguments cannot have.
fn odd_names() -> Vec<String> {
    let mut names: Vec<String> = [
        "a/b",
        "/",
        "../../etc/hosts",
        ".",
        "..",
        "a b",
        " leading",
        "trailing ",
        "🦀",
        "👩‍👩‍👧‍👦",
        "ünïcödé",
        "e\u{301}",
        "\u{202e}desrever",
        "\u{feff}bom",
        "a=b",
        "=",
        "-x",
        "--json",
        "'\"`$(id)`",
        "a;b|c&d",
        "*?[]{}",
        "100%",
        "latest",
        "run-001",
        "NULL",
        "new\nline",
        "tab\there",
        "return\rhere",
        "\u{1b}[31mred\u{1b}]0;title\u{7}",
        "\u{9b}2J",
        "\u{7f}",
        "SELECT * FROM run; DROP TABLE run; --",
        "<script>alert(1)</script>",
        "{seed}",
        "\\",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push("x".repeat(500));
    names.push("🦀".repeat(300));
    names.push("y".repeat(100_000));
    names
}

/// Whether a command ended as it may: done, or refused with a message and for its input's sake.
#[track_caller]
fn worked(ended: &Ended, what: &str) -> bool {
    let shown: String = what.chars().take(80).collect();
    let calm = |text: &str| {
        !text
            .chars()
            .any(|letter| letter != '\n' && letter.is_control())
    };
    assert!(calm(&ended.out) && calm(&ended.err), "{shown:?}: {ended:?}");
    match ended.code {
        0 => true,
        2..=4 => {
            assert!(ended.err.contains("error"), "{shown:?}: {ended:?}");
            false
        }
        code => panic!("{shown:?}: exit code {code}: {}", ended.err),
    }
}

#[test]
fn names_come_back_as_they_were_given() {
    let sandbox = Sandbox::new();
    let (mut started, mut kept) = (0, 0);
    for name in odd_names() {
        // As one argument each, so that a name that looks like an option is taken as a value.
        let args = [
            "start".to_owned(),
            format!("--name={name}"),
            format!("--experiment={name}"),
            format!("--tag={name}"),
        ];
        let start = sandbox.run(&args);
        if !worked(&start, &name) {
            continue;
        }
        started += 1;
        let run = start.out.trim().to_owned();
        let document = json!({ name.as_str(): 1.5 }).to_string();
        let texts = json!({ name.as_str(): name.as_str() }).to_string();
        let lines = [
            document.clone(),
            json!({ "params": { name.as_str(): name.as_str() } }).to_string(),
            json!({ "event": name.as_str(), "text": name.as_str() }).to_string(),
            json!({ "event": "item", "id": name.as_str(), "scores": { "ok": true } }).to_string(),
        ];
        let fed = sandbox.feed(
            &format!("log - --json --run {run}"),
            (lines.join("\n") + "\n").as_bytes(),
        );
        let all_kept = worked(&fed, &texts);
        let show = sandbox.say(&format!("show {run} --json")).json();
        assert_eq!(show["name"], name.as_str());
        assert_eq!(show["experiment"], name.as_str(), "{show}");
        if all_kept {
            kept += 1;
            assert_eq!(show["metrics"][name.as_str()]["last"], 1.5, "{show}");
            assert_eq!(show["params"][name.as_str()], name.as_str(), "{show}");
            let csv = sandbox.run(["series", "--csv", &run, "--", &name]);
            assert!(worked(&csv, &name), "{csv:?}");
            assert!(csv.out.ends_with(",1.5\n"), "{csv:?}");
        }
        for words in [format!("show {run} --events"), "list --limit 0".to_owned()] {
            assert!(worked(&sandbox.say(&words), &words));
        }
    }
    // Most of them are names like others.
    assert!(
        started >= 30 && kept >= 28,
        "{started} started, {kept} kept"
    );
    let list = sandbox.say("list --limit 0 --json").json();
    assert_eq!(list["total"], started);
    sandbox.say("doctor --rebuild").ok();
    assert_eq!(sandbox.say("list --limit 0 --json").json(), list);
}

#[test]
fn zero_bytes_are_refused_and_nothing_of_their_line_is_kept() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("");
    let lines = [
        r#"{"a\u0000b": 1}"#,
        r#"{"params": {"a\u0000b": 1}}"#,
        r#"{"params": {"text": "a\u0000b"}}"#,
        r#"{"event": "a\u0000b"}"#,
        "{\"loss\": 1}",
        "{\"raw\u{0}\": 1}",
        "\u{0}\u{0}\u{0}",
    ];
    let input = lines.join("\n") + "\n";
    let fed = sandbox.feed(&format!("log - --run {run}"), input.as_bytes());
    worked(&fed, "zero bytes");
    let show = sandbox.say(&format!("show {run} --json")).json();
    assert_eq!(show["metrics"]["loss"]["last"], 1.0);
    let names: Vec<&String> = show["metrics"].as_object().unwrap().keys().collect();
    // A name that is taken is the whole name: never its part before the zero.
    assert!(
        !names.iter().any(|name| *name == "a" || *name == "raw"),
        "{show}"
    );
    assert!(show["params"].get("a").is_none(), "{show}");
    assert!(
        show["params"]["text"] == Value::Null || show["params"]["text"] == "a\u{0}b",
        "{show}"
    );
    for words in [
        format!("show {run} --events"),
        format!("series {run}"),
        "list".to_owned(),
    ] {
        worked(&sandbox.say(&words), &words);
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("");
    for args in [
        vec![b"start".to_vec(), b"--name".to_vec(), b"a\xffb".to_vec()],
        vec![b"log".to_vec(), b"metric".to_vec(), b"a\xff=1".to_vec()],
        vec![b"search".to_vec(), b"\xc3\x28".to_vec()],
        vec![b"show".to_vec(), b"\xf0\x9f\xa6".to_vec()],
        vec![b"\xff\xfe".to_vec()],
    ] {
        let args: Vec<OsString> = args.into_iter().map(OsString::from_vec).collect();
        let said = ended(sandbox.command().args(&args));
        assert!(!worked(&said, "bytes"), "{args:?}: {said:?}");
    }
    assert_eq!(sandbox.say("list --json").json()["total"], 1);
    let fed = sandbox.feed(
        &format!("log - --run {run}"),
        b"\xff\xfe{\"loss\": 1}\n{\"l\xffss\": 2}\n{\"loss\": 3}\n",
    );
    worked(&fed, "bytes");
    let show = sandbox.say(&format!("show {run} --json")).json();
    assert_eq!(show["metrics"]["loss"]["last"], 3.0, "{show}");
}

/// Lines that are nearly what is meant.
const ODD_LINES: [&str; 30] = [
    r#"{"step": 1e30, "loss": 1}"#,
    r#"{"step": 9223372036854775807, "loss": 1}"#,
    r#"{"step": 9223372036854775808, "loss": 1}"#,
    r#"{"step": -9223372036854775808, "loss": 1}"#,
    r#"{"step": NaN, "loss": 1}"#,
    r#"{"step": 0.5, "loss": 1}"#,
    r#"{"step": "3", "loss": 1}"#,
    r#"{"step": null, "loss": 1}"#,
    r#"{"loss": 1, "loss": 2}"#,
    r#"{"loss": [1, 2]}"#,
    r#"{"loss": {"a": 1}}"#,
    r#"{"": 1}"#,
    "{}",
    "[]",
    "null",
    r#""text""#,
    r#"{"loss": 1} {"loss": 2}"#,
    r#"{"loss": 1"#,
    "{'loss': 1}",
    r#"{"loss": 0x10}"#,
    r#"{"loss": .5}"#,
    r#"{"loss": 1.}"#,
    r#"{"loss": +1}"#,
    r#"{"loss": Infinity, "low": -Infinity, "none": NaN}"#,
    r#"{"timestamp": 1e300, "loss": 1}"#,
    r#"{"timestamp": "yesterday", "loss": 1}"#,
    r#"{"event": "progress", "done": -1, "total": 0}"#,
    r#"{"event": null}"#,
    r#"{"metric": "loss"}"#,
    r#"{"loss": "\ud800"}"#,
];

#[test]
fn json_that_is_deep_long_or_odd_breaks_nothing() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("");
    let deep = |open: &str, times: usize| open.repeat(times);
    let mut lines = vec![
        deep("[", 1_000_000),
        deep("{\"a\":", 200_000),
        format!(
            "{{\"params\": {}1{}}}",
            deep("{\"a\":", 50_000),
            deep("}", 50_000)
        ),
        format!(
            "{{\"event\": \"e\", \"data\": {}{}}}",
            deep("[", 100_000),
            deep("]", 100_000)
        ),
        "{\"loss\": 1e400}".to_owned(),
        "{\"loss\": -1e-400}".to_owned(),
        format!("{{\"loss\": {}}}", "9".repeat(100_000)),
        format!("{{\"loss\": 0.{}1}}", "0".repeat(100_000)),
    ];
    lines.extend(ODD_LINES.map(str::to_owned));
    let count = lines.len() as u64;
    let input = lines.join("\n") + "\n{\"after\": 1}\n";
    let fed = sandbox.feed(&format!("log - --run {run}"), input.as_bytes());
    assert_eq!(fed.code, 4, "{}", fed.err);
    worked(&fed, "odd JSON");
    // Every line was met, and what was not understood is kept.
    assert!(
        fed.out.contains(&format!("{} lines", count + 1)),
        "{}",
        fed.out
    );
    let show = sandbox.say(&format!("show {run} --json")).json();
    assert_eq!(show["metrics"]["after"]["last"], 1.0);
    sandbox.say("doctor --rebuild").ok();
    let sealed = sandbox.say(&format!("show {run} --json")).json();
    assert_eq!(sealed["metrics"], show["metrics"]);
    assert_eq!(sealed["counts"], show["counts"]);
    for words in [
        format!("series {run} loss --csv"),
        format!("show {run} --events"),
        "list".to_owned(),
    ] {
        assert!(worked(&sandbox.say(&words), &words));
    }
}

#[test]
fn values_of_ten_megabytes() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("--name heavy");
    let large = "é\\n".repeat(2_600_000);
    let lines = format!(
        "{{\"params\": {{\"prompt\": \"{large}\"}}}}\n{{\"event\": \"note\", \"text\": \"{large}\"}}\n{{\"loss\": 1}}\n"
    );
    sandbox
        .feed(&format!("log - --run {run}"), lines.as_bytes())
        .ok();
    let expected = large.replace("\\n", "\n");
    let check = || {
        let show = sandbox.say("show heavy --json").json();
        assert!(
            show["params"]["prompt"] == expected.as_str(),
            "the param changed"
        );
        assert_eq!(show["metrics"]["loss"]["last"], 1.0);
        let page = sandbox.say("show heavy --events").ok();
        assert!(page.len() < 100_000, "a page of {} bytes", page.len());
        assert!(sandbox.say("list").ok().len() < 10_000);
        assert_eq!(
            sandbox.run(["search", "metrics.loss = 1", "--json"]).code,
            0
        );
    };
    check();
    sandbox.say("doctor --rebuild").ok();
    check();
    // The same value again is no conflict, another one is.
    let again = format!("{{\"params\": {{\"prompt\": \"{large}\"}}}}\n");
    sandbox
        .feed(&format!("log - --run {run}"), again.as_bytes())
        .ok();
    let other = format!("{{\"params\": {{\"prompt\": \"{large}.\"}}}}\n");
    let refused = sandbox.feed(&format!("log - --run {run}"), other.as_bytes());
    assert_eq!(refused.code, 4, "{}", refused.err.len());
    assert!(
        refused.err.len() < 10_000,
        "a message of {} bytes",
        refused.err.len()
    );
}
