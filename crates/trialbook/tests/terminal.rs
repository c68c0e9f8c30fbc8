//! What a person at a terminal meets: what is offered for a word, the pager, narrow windows, pipes that close.

#![expect(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod sandbox;

use sandbox::{Sandbox, ended, on_path, record};
use trialbook_model::id::{ExperimentUid, RunUid, Uid};
use trialbook_model::record::{CreateExperiment, Op, StartRun};
use trialbook_model::time::Timestamp;

/// The words that are offered for the last of some words.
fn offered(sandbox: &Sandbox, words: &[&str]) -> Vec<String> {
    let mut args = vec!["__complete", "--"];
    args.extend(words);
    let said = sandbox.run(args);
    assert_eq!(said.err, "");
    let text = said.ok();
    let lines = text.lines();
    lines
        .map(|line| line.split_once('\t').unwrap().0.to_owned())
        .collect()
}

/// An experiment with so many runs.
fn many(sandbox: &Sandbox, runs: u64) {
    let experiment = ExperimentUid(Uid([7; 16]));
    let mut ops = vec![Op::CreateExperiment(CreateExperiment {
        experiment,
        project: "default".to_owned(),
        name: "many".to_owned(),
        handle: None,
        document: serde_json::Value::Null,
        config_hash: None,
    })];
    for at in 0..runs {
        let mut uid = [9; 16];
        uid[8..].copy_from_slice(&at.to_be_bytes());
        ops.push(Op::StartRun(StartRun {
            experiment,
            name: Some(format!("a run with a long name that takes room {at}")),
            started: Timestamp(1_760_000_000_000_000),
            ..StartRun::of(RunUid(Uid(uid)))
        }));
    }
    record(sandbox, &ops);
}

#[test]
fn verbs_options_and_names_are_completed() {
    let sandbox = Sandbox::new();
    assert_eq!(offered(&sandbox, &["sho"]), ["show"]);
    // Without a book there are no names, and none is made.
    assert!(offered(&sandbox, &["show", ""]).is_empty());
    assert!(!sandbox.book().exists());
    let id = sandbox.start("--experiment tuning --name warm-up");
    sandbox.start("--experiment tuning --name cool-down");
    sandbox.say("create other --project nlp").ok();
    assert_eq!(offered(&sandbox, &["list", "--sta"]), ["--status"]);
    assert_eq!(
        offered(&sandbox, &["list", "--status=f"]),
        ["--status=failed"]
    );
    assert_eq!(offered(&sandbox, &["list", "--odd="]), [""; 0]);
    let all = offered(&sandbox, &["show", ""]);
    for name in [
        "latest",
        "tuning/run-001",
        "tuning/run-002",
        "tuning",
        "other",
    ] {
        assert!(all.contains(&name.to_owned()), "{name} {all:?}");
    }
    assert_eq!(offered(&sandbox, &["show", "war"]), ["warm-up"]);
    assert_eq!(
        offered(&sandbox, &["show", "tuning/run-002"]),
        ["tuning/run-002"]
    );
    assert_eq!(
        offered(&sandbox, &["log", "metric", "--run", "tuning/c"]),
        ["tuning/cool-down"]
    );
    assert_eq!(offered(&sandbox, &["show", &id[..5]]), [&id[..8]]);
    assert_eq!(offered(&sandbox, &["list", "-e", "o"]), ["other"]);
    assert_eq!(
        offered(&sandbox, &["create", "x", "--project", "n"]),
        ["nlp"]
    );
    assert_eq!(offered(&sandbox, &["experiment-tag", "co"]), ["cool-down"]);
    assert!(offered(&sandbox, &["--book", "nowhere", "show", "t"]).is_empty());
    many(&sandbox, 300);
    // Old ones too, of many.
    let few = offered(&sandbox, &["show", "many/run-01"]);
    assert_eq!((few.len(), few[9].as_str()), (10, "many/run-010"));
    assert_eq!(
        offered(
            &sandbox,
            &["show", "many/a run with a long name that takes room 7"]
        )[0],
        "many/a run with a long name that takes room 79"
    );
    // What is archived or deleted is not offered.
    sandbox.say("archive warm-up other").ok();
    assert!(offered(&sandbox, &["show", "war"]).is_empty());
    assert!(offered(&sandbox, &["show", "oth"]).is_empty());
}

#[test]
fn a_pager_shows_what_is_longer_than_a_terminal_and_nothing_else() {
    let sandbox = Sandbox::new();
    many(&sandbox, 60);
    // Python opens a terminal of 24 lines and 80 columns around the command.
    let script = "import pty, sys, fcntl, termios, struct, os\n\
        def spawn(words):\n\
        \x20   pid, fd = pty.fork()\n\
        \x20   if pid == 0:\n\
        \x20       fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))\n\
        \x20       os.execvp(words[0], words)\n\
        \x20   text = b''\n\
        \x20   while True:\n\
        \x20       try: piece = os.read(fd, 65536)\n\
        \x20       except OSError: break\n\
        \x20       if not piece: break\n\
        \x20       text += piece\n\
        \x20   os.waitpid(pid, 0)\n\
        \x20   sys.stdout.write(text.decode().replace('\\r', ''))\n\
        spawn(sys.argv[1:])\n";
    std::fs::write(sandbox.work().join("terminal.py"), script).unwrap();
    std::fs::write(
        sandbox.work().join("pager.sh"),
        "echo paged; cat >/dev/null\n",
    )
    .unwrap();
    let at_terminal = |words: &str, pager: &str| {
        sandbox
            .shell(&format!("{pager} python3 terminal.py trialbook {words}"))
            .ok()
    };
    let own = "TRIALBOOK_PAGER='sh pager.sh' PAGER=false";
    assert_eq!(at_terminal("list -n 0", own), "paged\n");
    assert_eq!(at_terminal("list -n 0", "PAGER='sh pager.sh'"), "paged\n");
    let short = at_terminal("list -n 2", own);
    assert!(short.contains("many/run-060"), "{short}");
    for (words, pager) in [
        ("list -n 0 --no-pager", own),
        ("list -n 0", "TRIALBOOK_PAGER="),
        ("list -n 0", "TRIALBOOK_PAGER=/nowhere/pager"),
    ] {
        let whole = at_terminal(words, pager);
        assert!(whole.contains("many/run-001"), "{pager}: {whole}");
    }
    // No terminal, no pager.
    let piped = ended(
        sandbox
            .command()
            .env("TRIALBOOK_PAGER", "false")
            .args(["list", "-n", "0"]),
    );
    assert!(piped.ok().contains("many/run-001"));
}

#[test]
fn a_pipe_that_closes_ends_quietly() {
    let sandbox = Sandbox::new();
    many(&sandbox, 1_500);
    let lines = "a line of output that takes room\n".repeat(20_000);
    let file = sandbox.work().join("lines.txt");
    std::fs::write(&file, lines).unwrap();
    on_path(&sandbox, "run --experiment loud -- cat lines.txt").ok();
    for words in [
        "logs loud/run-001",
        "list -n 0",
        "list -n 0 --json",
        "search -n 0",
        "show 'many/run-*'",
        "export - many",
        "export - --format csv",
        "__complete -- show many/",
    ] {
        let script =
            format!("{{ trialbook {words} 2>err; echo $? >code; }} | head -n 1 >/dev/null");
        sandbox.shell(&script).ok();
        let read = |name: &str| std::fs::read_to_string(sandbox.work().join(name)).unwrap();
        assert_eq!(
            (read("err").as_str(), read("code").as_str()),
            ("", "0\n"),
            "{words}"
        );
    }
}

#[test]
fn forty_columns_are_enough_for_every_table() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("--experiment tuning --name 'warm-up' --param lr=0.1 --tag good");
    sandbox
        .say_in(&run, "log metric loss=0.5 accuracy=0.25")
        .ok();
    sandbox
        .say_in(&run, "log item q-1 --score correct=true --label type=lookup --agent a --cost 0.1 --latency-ms 3")
        .ok();
    sandbox.say_in(&run, "log event decision keep").ok();
    sandbox.say("baseline warm-up").failed(3);
    for words in [
        "list",
        "list experiments",
        "search --sort-by loss",
        "show latest --events",
        "show tuning",
        "show latest",
        "status",
        "status tuning",
        "status latest",
        "baseline",
    ] {
        let narrow = ended(
            sandbox
                .command()
                .env("COLUMNS", "40")
                .args(words.split(' ')),
        );
        let text = narrow.ok();
        // The first line may be a sentence; fields are indented.
        let tables = text.lines().skip(1).filter(|line| !line.starts_with("  "));
        for line in tables {
            assert!(line.chars().count() <= 40, "{words}: {line}\n{text}");
        }
    }
    // They have no tables, only lines that a terminal folds.
    for words in ["stats", "doctor"] {
        let narrow = ended(sandbox.command().env("COLUMNS", "40").arg(words)).ok();
        assert!(narrow.lines().count() > 1, "{narrow}");
    }
    let list = ended(sandbox.command().env("COLUMNS", "40").arg("list")).ok();
    assert!(
        list.contains("tuning/run-001") && list.contains("running"),
        "{list}"
    );
}
