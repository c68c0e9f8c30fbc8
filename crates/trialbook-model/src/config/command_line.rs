//! Splitting a command given as one text into words, as a shell would, without a shell.
//!
//! Not here: variables, globs, pipes: they stay as they are. Invariant: words joined by single blanks
//! split into the same words when none of them has blanks, quotes or backslashes.

/// Why a text cannot be split. Places are counted in letters from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// A quote without its partner.
    #[error("the quote {quote} at letter {at} of the command is not closed")]
    Unclosed {
        /// The quote.
        quote: char,
        /// Where it stands.
        at: usize,
    },
    /// A backslash at the very end.
    #[error("the command ends with a backslash")]
    Backslash,
    /// There is no word.
    #[error("the command is empty")]
    Empty,
}

impl SplitError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unclosed { .. } => "close the quote, or give the command as a list of words",
            Self::Backslash => "remove it, or write it twice",
            Self::Empty => "give the program and its arguments",
        }
    }
}

/// The words that a shell would act on and we pass on.
pub(super) fn is_shell_word(word: &str) -> bool {
    matches!(
        word,
        "|" | "||" | "&&" | "&" | ";" | ">" | ">>" | "<" | "<<" | "2>" | "2>&1" | "&>"
    )
}

/// Splits at blanks; quotes hold words together; a backslash takes the next letter as it is (inside
/// double quotes only before `"`, `\`, `$` and a backquote).
pub fn split(text: &str) -> Result<Vec<String>, SplitError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = text.chars().enumerate();
    while let Some((at, letter)) = letters.next() {
        match letter {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                let unclosed = SplitError::Unclosed {
                    quote: letter,
                    at: at + 1,
                };
                loop {
                    match letters.next().ok_or(unclosed)?.1 {
                        end if end == letter => break,
                        '\\' if letter == '"' => match letters.next().ok_or(unclosed)?.1 {
                            taken @ ('"' | '\\' | '$' | '`') => word.push(taken),
                            other => word.extend(['\\', other]),
                        },
                        inside => word.push(inside),
                    }
                }
            }
            '\\' => {
                let (_, taken) = letters.next().ok_or(SplitError::Backslash)?;
                word.get_or_insert_default().push(taken);
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    if words.is_empty() {
        return Err(SplitError::Empty);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does() {
        for (text, words) in [
            (
                "python3 task.py --a={a}",
                vec!["python3", "task.py", "--a={a}"],
            ),
            ("  a\t b\n", vec!["a", "b"]),
            ("a 'b c'd \"e f\"", vec!["a", "b cd", "e f"]),
            (
                r#"a\ b "c\"d\e" 'f\g' ''"#,
                vec!["a b", r#"c"d\e"#, r"f\g", ""],
            ),
        ] {
            assert_eq!(split(text).unwrap(), words, "{text}");
        }
        assert_eq!(split(" "), Err(SplitError::Empty));
        assert_eq!(split("a\\"), Err(SplitError::Backslash));
        let unclosed = SplitError::Unclosed { quote: '"', at: 4 };
        assert_eq!(split("é \n\"b c"), Err(unclosed));
    }

    proptest! {
        #[test]
        fn plain_words_come_back(words in prop::collection::vec("[a-z{}=.$|-]{1,8}", 1..6)) {
            prop_assert_eq!(split(&words.join(" ")), Ok(words));
        }

        #[test]
        fn quoted_words_come_back(words in prop::collection::vec("[^']{0,8}", 1..6)) {
            let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
            prop_assert_eq!(split(&quoted.join(" ")), Ok(words));
        }
    }
}
