//! Which Python a script asks for by its first line.
//!
//! Invariant: only names of interpreters are given, which may be called with `--version`.

use std::path::Path;

/// The Python that the first line of a script names.
pub(super) fn named(script: &[u8]) -> Option<String> {
    let line = script
        .strip_prefix(b"#!")?
        .split(|byte| *byte == b'\n')
        .next()?;
    let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    let program = words.next()?;
    let program = if program.ends_with("/env") {
        words.find(|word| !word.starts_with('-'))?
    } else {
        program
    };
    is_python(program).then(|| program.to_owned())
}

/// Only names of interpreters: a program of another name may do anything when it is called with `--version`.
pub(super) fn is_python(program: &str) -> bool {
    let name = Path::new(program)
        .file_name()
        .and_then(|name| name.to_str());
    name.and_then(|name| name.strip_prefix("python"))
        .is_some_and(|version| match version.strip_prefix('3') {
            None => version.is_empty(),
            Some(minor) => {
                let digits = minor.strip_prefix('.');
                minor.is_empty()
                    || digits.is_some_and(|it| {
                        !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit())
                    })
            }
        })
}
