//! Whatever names a command can be typed: hints, messages and the examples of the help.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};
use trialbook_model::config::split_command;

use super::Cli;
use crate::spelling;

/// Every source file of the workspace.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
}

/// The commands that texts name between backticks, with the place where they stand.
fn named() -> Vec<(String, String)> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for entry in fs::read_dir(crates).unwrap() {
        let source = entry.unwrap().path().join("src");
        if source.is_dir() {
            sources(&source, &mut files);
        }
    }
    let mut commands = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for (at, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for (start, _) in line.match_indices("`trialbook ") {
                let rest = &line[start + 1..];
                if let Some(end) = rest.find('`') {
                    let place = format!("{}:{}", file.display(), at + 1);
                    commands.push((rest[..end].to_owned(), place));
                }
            }
        }
    }
    commands
}

/// How it is refused; `None` where it can be typed.
fn refusal(command: &str) -> Option<clap::Error> {
    // What a shell does beside it.
    let ends = [" | ", " #", " && "];
    let alone = ends
        .iter()
        .fold(command, |it, end| it.split(end).next().unwrap_or(it));
    // A place for what is filled in later.
    let alone = alone
        .replace("\\'", "'")
        .replace("\\\"", "\"")
        .replace('\\', "");
    let words = split_command(&alone).unwrap_or_else(|error| panic!("{command}: {error}"));
    let words = words
        .into_iter()
        .take_while(|word| word != ">")
        .map(OsString::from);
    let parsed = Cli::try_parse_from(spelling::arguments(words));
    parsed.err().filter(|error| {
        let is_help = matches!(
            error.kind(),
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
        );
        !is_help
    })
}

#[test]
fn every_command_that_a_text_names_can_be_typed() {
    let all = named();
    assert!(all.len() > 40, "found {} only", all.len());
    let mut refused = Vec::new();
    for (command, place) in all {
        let verbs: Vec<&str> = command.split(' ').collect();
        // Verbs for machines, and those that are filled in.
        let is_other = |verb: &&str| verb.starts_with("__") || verb.starts_with('{');
        let is_hidden = verbs.get(1).is_some_and(is_other);
        let Some(error) = (!is_hidden).then(|| refusal(&command)).flatten() else {
            continue;
        };
        // `trialbook run` alone speaks of the verb and is nothing to type.
        let is_name = verbs
            .iter()
            .all(|word| word.bytes().all(|it| it.is_ascii_lowercase()));
        let lacks = matches!(
            error.kind(),
            ErrorKind::MissingRequiredArgument
                | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        );
        if !(is_name && lacks) {
            refused.push(format!("{place}: {command}: {error}"));
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

fn examples(command: &clap::Command, found: &mut Vec<String>) {
    let help = command.get_after_help().map(ToString::to_string);
    let lines = help.unwrap_or_default();
    let own = lines
        .lines()
        .filter_map(|line| line.strip_prefix("  trialbook "));
    found.extend(own.map(|rest| format!("trialbook {rest}")));
    for inner in command.get_subcommands() {
        examples(inner, found);
    }
}

#[test]
fn every_example_of_the_help_can_be_typed() {
    let mut all = Vec::new();
    examples(&Cli::command(), &mut all);
    assert!(all.len() > 100, "found {} only", all.len());
    let refused: Vec<String> = all
        .iter()
        .filter(|example| !example.contains(" < ") && !example.contains("$("))
        .filter_map(|example| refusal(example).map(|error| format!("{example}: {error}")))
        .collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}
