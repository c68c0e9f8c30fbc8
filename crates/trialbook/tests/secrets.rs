//! Secrets that a command line or a config spells out: they reach the program and no byte of the book, of an export
//! or of a backup.

#![expect(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod sandbox;

use std::path::{Path, PathBuf};

use sandbox::{Ended, Sandbox, ended};

/// The program checks that it was told everything as written.
const CONFIG: &str = r#"
experiment: {name: exp, description: says cfgsecret1 aloud, notes: says cfgsecret1 too, tags: {place: at cfgsecret1}}
task:
  description: uses cfgsecret1
  command: [sh, -c, 'true --api-key litsecret1 -u bob:litsecret2 --token "litsecret3 x"; export DB_PASSWORD="litsecret4"; test "$OTHER $1" = "x cfgsecret1 y inherited-secret1" && echo m=1 && echo cfgsecret1 inherited-secret1', sh, inherited-secret1]
  env: {DB_PASSWORD: cfgsecret1, OTHER: x cfgsecret1 y}
variations: [{name: a, secret_key: cfgsecret2, other: with cfgsecret2}]
"#;

const SECRETS: [&str; 3] = ["litsecret", "cfgsecret", "inherited-secret1"];

fn run(sandbox: &Sandbox, words: &[&str]) -> Ended {
    let mut command = sandbox.command();
    command
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("MY_TOKEN", "inherited-secret1");
    ended(command.args(words))
}

/// The files below a folder whose bytes hold a text.
fn holding(folder: &Path, text: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            holding(&path, text, found);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        if bytes.windows(text.len()).any(|it| it == text.as_bytes()) {
            found.push(path);
        }
    }
}

#[track_caller]
fn none_is_kept(sandbox: &Sandbox) {
    for secret in SECRETS {
        let mut found = Vec::new();
        holding(&sandbox.home(), secret, &mut found);
        assert!(found.is_empty(), "`{secret}` in {found:?}");
    }
}

/// S-58.
#[test]
fn what_a_config_spells_out_is_nowhere_in_the_book() {
    let sandbox = Sandbox::new();
    let config = sandbox.work().join("exp.yaml");
    std::fs::write(&config, CONFIG).unwrap();
    run(&sandbox, &["run", "exp.yaml"]).ok();
    // The secrets are part of what is asked for: the same is no change, another one is.
    let again = run(&sandbox, &["run", "exp.yaml"]);
    assert!(again.err.contains("1 of 1 done"), "{again:?}");
    assert!(!again.err.contains("changed"), "{again:?}");
    std::fs::write(&config, CONFIG.replace("cfgsecret2", "cfgsecret3")).unwrap();
    let refused = run(&sandbox, &["run", "exp.yaml"]).failed(6);
    assert!(!refused.contains("cfgsecret"), "{refused}");
    std::fs::remove_file(&config).unwrap();
    none_is_kept(&sandbox);
    sandbox.say("doctor --rebuild").ok();
    sandbox.say("export --format json all.json").ok();
    sandbox.say("export --format text exp exp").ok();
    sandbox.say("report exp").ok();
    none_is_kept(&sandbox);
}

#[test]
fn what_a_shell_put_into_a_command_is_nowhere_in_the_book() {
    let sandbox = Sandbox::new();
    let command = [
        "sh",
        "-c",
        "test $0 = inherited-secret1",
        "inherited-secret1",
    ];
    let words = [&["run", "--"], &command[..]].concat();
    for trial in ["#1", "#2"] {
        let said = run(&sandbox, &words);
        assert!(said.err.contains(trial), "{said:?}");
        assert!(!said.err.contains("inherited-secret1"), "{said:?}");
        said.ok();
    }
    none_is_kept(&sandbox);
}

#[test]
fn what_stands_for_a_secret_is_kept() {
    let sandbox = Sandbox::new();
    let config = "experiment: {name: exp}\ntask: {command: [sh, -c, 'true --token $TOKEN', sh, --lr-key, '{lr}']}\nvariations: [{name: a, lr: 0.1}]\n";
    std::fs::write(sandbox.work().join("exp.yaml"), config).unwrap();
    sandbox.say("create exp exp.yaml").ok();
    let config = sandbox.say("show exp --json").ok();
    assert!(config.contains("--token $TOKEN"), "{config}");
    assert!(config.contains("{lr}"), "{config}");
}

/// S-58.
#[test]
fn what_people_and_programs_say_is_kept_without_secrets() {
    let sandbox = Sandbox::new();
    let said =
        "password=litsecret1 and Bearer litsecretABCDEF0123456789 and sk-litsecret0123456789abcdef";
    let id = sandbox.run(["start", "--notes", said]).ok();
    let id = id.trim();
    for args in [
        vec!["note", "latest", said],
        vec!["log", "event", "message", said, "--run", id],
        vec!["note", "latest", "--key", "k", said],
    ] {
        let ended = sandbox.run(&args);
        assert!(ended.err.contains("looks like a secret"), "{ended:?}");
        ended.ok();
    }
    let line = format!("{{\"event\": \"x\", \"message\": \"{said}\"}}");
    sandbox
        .feed(&format!("log - --run {id}"), line.as_bytes())
        .ok();
    let script = format!("echo '{line}' >> $TRIALBOOK_METRICS_FILE");
    std::fs::write(sandbox.work().join("say.sh"), &script).unwrap();
    run(
        &sandbox,
        &["run", "--no-capture", "all", "--", "sh", "say.sh"],
    )
    .ok();
    run(
        &sandbox,
        &["run", "--no-capture", "all", "--notes", said, "--", "true"],
    )
    .ok();
    std::fs::remove_file(sandbox.work().join("say.sh")).unwrap();
    none_is_kept(&sandbox);
    let notes = sandbox.say(&format!("note {id}")).ok();
    assert!(
        notes.contains("password=[redacted]") && notes.contains("Bearer [redacted]"),
        "{notes}"
    );
}
