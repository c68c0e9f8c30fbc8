//! The environment variables that programs inherit, without secrets (C-5, S-55).
//!
//! Not here: what a secret is. Invariant: variables that differ from shell to shell are left out, so that runs
//! of one session share one snapshot; of what was dropped the names are kept and nothing else.

use serde_json::{Value, json};
use trialbook_model::secret;

/// Longer values are cut.
const LONGEST: usize = 4096;

/// Of one shell or one terminal, and of no consequence.
const PASSING: [&str; 22] = [
    "_",
    "COLUMNS",
    "COLORTERM",
    "DISPLAY",
    "HISTFILE",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "LESSCLOSE",
    "LESSOPEN",
    "LINES",
    "LS_COLORS",
    "OLDPWD",
    "PAGER",
    "PS1",
    "PWD",
    "SHLVL",
    "STY",
    "TERM",
    "TMUX",
    "TMUX_PANE",
    "WINDOWID",
    "XAUTHORITY",
];
/// Beginnings of such names.
const PASSING_FAMILIES: [&str; 7] = [
    "DBUS_",
    "SSH_",
    "TERM_",
    "TRIALBOOK",
    "VSCODE_",
    "XDG_SESSION",
    "XDG_RUNTIME",
];

/// The document of some variables.
pub(crate) fn document(variables: impl IntoIterator<Item = (String, String)>) -> Value {
    let kept = variables.into_iter().filter(|(name, _)| !is_passing(name));
    let mut filtered = secret::env(kept);
    for value in filtered.content.values_mut() {
        if let Some((end, _)) = value.char_indices().nth(LONGEST) {
            value.truncate(end);
            value.push('…');
        }
    }
    filtered.dropped.sort();
    json!({ "variables": filtered.content, "redacted": filtered.dropped })
}

/// Those of this process; what is no text is made one.
pub(crate) fn own() -> Value {
    document(std::env::vars_os().map(|(name, value)| {
        let text = |it: std::ffi::OsString| it.to_string_lossy().into_owned();
        (text(name), text(value))
    }))
}

fn is_passing(name: &str) -> bool {
    PASSING.contains(&name) || PASSING_FAMILIES.iter().any(|it| name.starts_with(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_passing_variables_are_left_out() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let document = document([
            pair("LANG", "C"),
            pair("SHLVL", "3"),
            pair("SSH_CLIENT", "10.0.0.1"),
            pair("OPENAI_API_KEY", "abc"),
            pair("PROXY", "http://me:hunter2@proxy.example"),
            pair("LONG", &"x".repeat(5000)),
        ]);
        let variables = document["variables"].as_object().unwrap();
        let names: Vec<&String> = variables.keys().collect();
        assert_eq!(names, ["LANG", "LONG", "PROXY"]);
        assert_eq!(document["redacted"], json!(["OPENAI_API_KEY", "PROXY"]));
        assert!(!document.to_string().contains("hunter2"));
        assert!(document["variables"]["LONG"].as_str().unwrap().len() < 4200);
    }
}
