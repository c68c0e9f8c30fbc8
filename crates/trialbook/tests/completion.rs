//! The completion scripts in the shells that they are for: each is started on a terminal, a line is typed up to
//! the tab, and the line that the shell made of it is read back.
//!
//! A shell that is not there fails its test, unless `TRIALBOOK_TEST_WITHOUT` names it; `cargo xtask test` does so
//! for shells that it cannot get, and says it.

#![expect(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod sandbox;

use std::process::Command;

use sandbox::{Sandbox, ended};

/// Starts a shell on a terminal; for each line of `typed`: types it, then the key that tells the line and empties
/// it, and waits until it was told.
const DRIVER: &str = r#"
import os, pty, select, sys, time

typed = open("typed", "rb").read().splitlines()
end = time.monotonic() + 60
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
seen = b""
sent = 0
while time.monotonic() < end:
    told = open("told", "rb").read().count(b"\n") if os.path.exists("told") else 0
    if b"READY>" in seen and told == sent:
        if sent == len(typed):
            break
        os.write(terminal, typed[sent] + b"\x07")
        sent += 1
    if select.select([terminal], [], [], 0.01)[0]:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        seen += piece
os.kill(pid, 9)
os.waitpid(pid, 0)
sys.exit(None if sent == len(typed) and told == sent else seen.decode(errors="replace"))
"#;

const BASH: &str = r#"
PS1='READY>'
source <(trialbook completion bash)
told() { printf '%s\n' "$READLINE_LINE" >>told; READLINE_LINE=; READLINE_POINT=0; }
bind -x '"\C-g": told'
"#;

const ZSH: &str = r"
autoload -Uz compinit
compinit -u -d ./dump
source <(trialbook completion zsh)
PROMPT='READY>'
told() { print -r -- $BUFFER >>told; BUFFER= }
zle -N told
bindkey '^G' told
";

const FISH: &str = r"
trialbook completion fish | source
function fish_prompt; echo -n 'READY>'; end
bind \cg 'commandline >>told; commandline -r \'\''
";

/// What is typed up to the tab, and the line that the tab makes of it. `ID` is a run's id.
const LINES: [(&str, &str); 20] = [
    ("arch", "archive "),
    ("artifact ge", "artifact get "),
    ("list --sta", "list --status "),
    ("list --status run", "list --status running "),
    ("list --status=fai", "list --status=failed "),
    ("show warm", "show warm-up "),
    ("show lat", "show latest "),
    ("show ID", "show IDENTITY "),
    ("show exp", "show exp"),
    ("show EXP", "show EXP-7 "),
    ("show EXP-7/w", "show EXP-7/warm-up "),
    ("show EXP-7/run-00", "show EXP-7/run-00"),
    ("log metric --run war", "log metric --run warm-up "),
    ("log metric --run=war", "log metric --run=warm-up "),
    ("show two", r"show two\ words "),
    (r"show two\ w", r"show two\ words "),
    ("show 'two", "show 'two words' "),
    ("show ratio:h", "show ratio:half "),
    ("experiment-tag war", "experiment-tag warm-up "),
    ("import no", "import notes.txt "),
];

fn completes(words: &[&str], (file, script): (&str, &str)) {
    let shell = words[0];
    let without = std::env::var_os("TRIALBOOK_TEST_WITHOUT").unwrap_or_default();
    let without = without.to_string_lossy();
    if without.split(',').any(|name| name == shell) {
        return;
    }
    let there = Command::new(shell).args(["-c", "exit 0"]).status();
    assert!(
        there.is_ok_and(|status| status.success()),
        "`{shell}` is missing: install it, or set TRIALBOOK_TEST_WITHOUT={shell} to go without"
    );
    let sandbox = Sandbox::new();
    let config = "experiment: {id: EXP-7, name: tuning}\ntask: {command: [\"true\"]}\nvariations: [{name: a}]\n";
    std::fs::write(sandbox.work().join("notes.txt"), config).unwrap();
    sandbox.say("create tuning notes.txt").ok();
    let id = sandbox.start("--experiment tuning --name warm-up");
    for name in ["two words", "ratio:half"] {
        sandbox
            .run(["start", "--experiment", "tuning", "--name", name])
            .ok();
    }
    let write = |name: &str, text: &str| std::fs::write(sandbox.work().join(name), text).unwrap();
    write("driver.py", DRIVER);
    write(file, script);
    let named = |line: &str| {
        let line = line.replace("IDENTITY", &id[..8]);
        format!("trialbook {}", line.replace("ID", &id[..5]))
    };
    let typed = LINES.map(|(typed, _)| format!("{}\t\n", named(typed)));
    write("typed", &typed.concat());
    let shell = words.join(" ");
    let script = format!("export TERM=dumb LC_ALL=C.UTF-8 ZDOTDIR=.; python3 driver.py {shell}");
    sandbox.shell(&script).ok();
    let told = std::fs::read_to_string(sandbox.work().join("told")).unwrap();
    let told: Vec<&str> = told.lines().collect();
    let expected: Vec<String> = LINES.map(|(_, line)| named(line)).into();
    assert_eq!(told, expected);
}

#[test]
fn bash_completes() {
    completes(
        &["bash", "--noprofile", "--rcfile", "rc", "-i"],
        ("rc", BASH),
    );
}

#[test]
fn zsh_completes() {
    completes(&["zsh", "-i"], (".zshrc", ZSH));
}

#[test]
fn fish_completes() {
    completes(
        &["fish", "--no-config", "-i", "--init-command", "'source rc'"],
        ("rc", FISH),
    );
}

#[test]
fn scripts_are_only_for_shells_that_there_are() {
    let sandbox = Sandbox::new();
    sandbox.say("completion tcsh").failed(2);
    // A script asks the program that it completes and nobody else.
    for shell in ["bash", "zsh", "fish"] {
        let script = ended(sandbox.command().args(["completion", shell])).ok();
        assert!(script.contains("__complete --"), "{script}");
    }
}
