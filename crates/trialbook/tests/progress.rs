//! How far `trialbook run` is (A-18): plain lines into a pipe, one line that is drawn anew on a terminal.

mod sandbox;

use std::process::{Command, Stdio};

use sandbox::Sandbox;

const GRID: [&str; 8] = [
    "run",
    "--set",
    "n=1,2",
    "--trials",
    "2",
    "--",
    "echo",
    "value={n}",
];

/// A-18.
#[test]
fn plain_lines_come_out_where_there_is_no_terminal() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run(GRID);
    assert_eq!(ended.code, 0, "{ended:?}");
    let done: Vec<&str> = ended
        .err
        .lines()
        .filter(|line| line.starts_with("run-"))
        .collect();
    assert_eq!(done.len(), 4, "{ended:?}");
    for (at, line) in done.iter().enumerate() {
        let start = format!("run-{:03}  ", at + 1);
        assert!(line.starts_with(&start), "{line}");
        assert!(
            line.contains("completed in ") && line.ends_with(" ms"),
            "{line}"
        );
    }
    let plain = |text: &str| !text.contains(['\r', '\u{1b}']) && !text.contains("running");
    assert!(plain(&ended.err) && plain(&ended.out), "{ended:?}");
}

#[test]
fn a_terminal_shows_how_many_are_done() {
    let sandbox = Sandbox::new();
    let script =
        "import pty, sys, os; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    let output = Command::new("python3")
        .args(["-c", script, env!("CARGO_BIN_EXE_trialbook")])
        .args(GRID)
        .current_dir(sandbox.work())
        .env("HOME", sandbox.home())
        .env_remove("TRIALBOOK")
        .env_remove("TRIALBOOK_RUN")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let ended = sandbox::read(output);
    assert_eq!(ended.code, 0, "{ended:?}");
    // The line is taken away before each that stays.
    assert!(
        ended.out.contains("\r\u{1b}[K0 of 4 done, 1 running\r"),
        "{ended:?}"
    );
    let completed = ended.out.matches("completed in").count();
    assert_eq!(completed, 4, "{ended:?}");
}
