//! What is wanted at the end of a command line that is being typed.
//!
//! Not here: the names of a book. Invariant: it follows from the declaration of the verbs alone.

use clap::{Arg, Command};
use trialbook_model::status::RunStatus;

/// What stands before the part of a word that is completed: the option of `--option=value`, with its sign.
pub(super) fn lead(word: &str) -> &str {
    match word.find('=') {
        Some(at) if word.starts_with("--") => &word[..=at],
        Some(_) | None => "",
    }
}

/// What can stand in the place of the last word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// One of these words, each with what it means.
    Words(Vec<(String, String)>),
    /// The name of a noun of the book.
    Noun(Nouns),
    /// Something else, such as a file.
    Other,
}

/// Nouns whose names can stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nouns {
    Runs,
    Experiments,
    RunsAndExperiments,
    Projects,
}

/// What is wanted at the last of some words; the program's name is not among them.
pub(super) fn wanted(root: &Command, words: &[String]) -> Wanted {
    let Some((last, before)) = words.split_last() else {
        return Wanted::Other;
    };
    let mut command = root;
    let mut places = 0;
    let mut option: Option<&Arg> = None;
    let mut only_values = false;
    for word in before {
        if option.take().is_some() {
            continue;
        }
        if only_values || !word.starts_with('-') || word == "-" {
            match command.find_subcommand(word) {
                Some(inner) if places == 0 => command = inner,
                Some(_) | None => places += 1,
            }
        } else if word == "--" {
            only_values = true;
        } else if !word.contains('=') {
            option = takes_value(root, command, word);
        }
    }
    if let Some(option) = option {
        return of_value(option);
    }
    if last.starts_with('-') && !only_values {
        if let Some((name, _)) = last.split_once('=') {
            return takes_value(root, command, name).map_or(Wanted::Other, of_value);
        }
        return Wanted::Words(options(root, command));
    }
    if places == 0 && command.has_subcommands() {
        return Wanted::Words(verbs(command));
    }
    let places_known: Vec<&Arg> = command.get_positionals().collect();
    let place = places_known.get(places).or_else(|| {
        let many = |arg: &&&Arg| arg.get_num_args().is_some_and(|it| it.max_values() > 1);
        places_known.last().filter(many)
    });
    place.map_or(Wanted::Other, |arg| of_value(arg))
}

/// The option of a word, if its value stands in the next one.
fn takes_value<'c>(root: &'c Command, command: &'c Command, word: &str) -> Option<&'c Arg> {
    let mut all = command.get_arguments().chain(root.get_arguments());
    all.find(|arg| {
        let long = word.strip_prefix("--").is_some_and(|name| {
            let aliases = arg.get_all_aliases().unwrap_or_default();
            arg.get_long() == Some(name) || aliases.contains(&name)
        });
        let short = || {
            let mut letters = word.chars().skip(1);
            word.chars().count() == 2 && letters.next() == arg.get_short()
        };
        let takes = arg.get_action().takes_values();
        takes && (long || arg.get_short().is_some() && short())
    })
}

fn of_value(arg: &Arg) -> Wanted {
    let words: Vec<(String, String)> = arg
        .get_possible_values()
        .into_iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| {
            let help = value.get_help().map(ToString::to_string);
            (value.get_name().to_owned(), help.unwrap_or_default())
        })
        .collect();
    if !words.is_empty() {
        return Wanted::Words(words);
    }
    let id = arg.get_id().as_str();
    if id == "status" {
        let all = RunStatus::ALL.map(|status| (status.word().to_owned(), String::new()));
        return Wanted::Words(all.into());
    }
    if id.ends_with("project") {
        return Wanted::Noun(Nouns::Projects);
    }
    let names = arg.get_value_names().unwrap_or_default();
    let says = |noun: &str| {
        names
            .iter()
            .any(|name| name.split('|').any(|it| it == noun))
    };
    match (says("RUN"), says("EXPERIMENT") || id == "experiment") {
        (true, true) => Wanted::Noun(Nouns::RunsAndExperiments),
        (true, false) => Wanted::Noun(Nouns::Runs),
        (false, true) => Wanted::Noun(Nouns::Experiments),
        (false, false) => Wanted::Other,
    }
}

fn options(root: &Command, command: &Command) -> Vec<(String, String)> {
    let own = command.get_arguments();
    let all = own.chain(root.get_arguments().filter(|arg| arg.is_global_set()));
    let mut words: Vec<(String, String)> = all
        .filter(|arg| !arg.is_hide_set())
        .filter_map(|arg| {
            let help = arg.get_help().map(ToString::to_string);
            Some((format!("--{}", arg.get_long()?), help.unwrap_or_default()))
        })
        .collect();
    words.push(("--help".to_owned(), "Print help".to_owned()));
    words.sort();
    words.dedup_by(|left, right| left.0 == right.0);
    words
}

fn verbs(command: &Command) -> Vec<(String, String)> {
    let visible = command.get_subcommands().filter(|it| !it.is_hide_set());
    visible
        .map(|verb| {
            let about = verb.get_about().map(ToString::to_string);
            (verb.get_name().to_owned(), about.unwrap_or_default())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    fn at(line: &str) -> Wanted {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        wanted(&Cli::command(), &words)
    }

    fn words(line: &str) -> Vec<String> {
        match at(line) {
            Wanted::Words(words) => words.into_iter().map(|(word, _)| word).collect(),
            other @ (Wanted::Noun(_) | Wanted::Other) => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn places_of_a_line_want_what_is_declared() {
        let verbs = words("");
        assert!(verbs.contains(&"show".to_owned()) && !verbs.contains(&"exec".to_owned()));
        assert!(words("log ").contains(&"progress".to_owned()));
        assert!(words("list --st").contains(&"--status".to_owned()));
        assert!(words("list --st").contains(&"--book".to_owned()));
        assert_eq!(words("completion "), ["bash", "zsh", "fish"]);
        assert_eq!(words("list --status r")[1], "running");
        assert_eq!(words("list --status="), words("list --status "));
        let check = |line: &str, nouns| assert_eq!(at(line), Wanted::Noun(nouns), "{line}");
        check("show ", Nouns::RunsAndExperiments);
        check("--json show la", Nouns::RunsAndExperiments);
        check("--book b show ", Nouns::RunsAndExperiments);
        check("archive a b ", Nouns::RunsAndExperiments);
        check("log metric --run ", Nouns::Runs);
        check("log metric --run=la", Nouns::Runs);
        check("list -e ", Nouns::Experiments);
        check("start --experiment ", Nouns::Experiments);
        check("create x --project ", Nouns::Projects);
        check("move a --to ", Nouns::Experiments);
        for line in [
            "run ",
            "create x ",
            "show a ",
            "log metric --step ",
            "rename a ",
            "show --odd=",
            "run -- show --run=",
        ] {
            assert_eq!(at(line), Wanted::Other, "{line}");
        }
        assert_eq!(
            (lead("--run=a=b"), lead("a=b"), lead("--run")),
            ("--run=", "", "")
        );
    }
}
