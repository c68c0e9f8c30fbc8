//! Child processes: started in the workspace's root, watched line by line where their words are counted.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::printer::say;
use crate::tree;

/// Which of a child's streams is watched; the other one goes straight to the terminal.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// `cargo WORDS`, by the very cargo that started us.
pub(crate) fn cargo(words: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(words).current_dir(tree::root());
    command
}

/// Runs to the end with our own streams.
pub(crate) fn run(command: &mut Command) -> Result<ExitStatus> {
    command
        .status()
        .with_context(|| format!("cannot start `{}`", name(command)))
}

/// Runs to the end, shows each line of one stream as it comes and hands it to `seen`.
pub(crate) fn watch(
    command: &mut Command,
    stream: Stream,
    mut seen: impl FnMut(&str),
) -> Result<ExitStatus> {
    match stream {
        Stream::Output => command.stdout(Stdio::piped()),
        Stream::Error => command.stderr(Stdio::piped()),
    };
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start `{}`", name(command)))?;
    let pipe: Box<dyn std::io::Read> = match stream {
        Stream::Output => Box::new(child.stdout.take().expect("standard output is piped")),
        Stream::Error => Box::new(child.stderr.take().expect("standard error is piped")),
    };
    let mut reader = BufReader::new(pipe);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        let line = String::from_utf8_lossy(&bytes);
        let line = line.trim_end_matches(['\n', '\r']);
        say(line);
        seen(line);
        bytes.clear();
    }
    child.wait().context("cannot wait for a child process")
}

/// Standard output of a command that has to succeed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let done = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{}`", name(command)))?;
    if !done.status.success() {
        bail!("`{}` failed: {}", name(command), done.status);
    }
    String::from_utf8(done.stdout).with_context(|| format!("`{}` prints no UTF-8", name(command)))
}

/// Whether a tool answers at all.
pub(crate) fn answers(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut text = program
        .file_name()
        .unwrap_or(program.as_os_str())
        .to_string_lossy()
        .into_owned();
    for word in command.get_args() {
        text.push(' ');
        text.push_str(&word.to_string_lossy());
    }
    text
}
