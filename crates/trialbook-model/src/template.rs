//! Texts with places to fill in: `--agents={agents}`, with `{{` and `}}` for braces.
//!
//! Not here: which names have values (config and plan say that), and splitting a command into words.
//! Invariant: a value is put in as it is and never read again as a template.

/// Why a template cannot be filled in. Places are counted in letters from 1; of a long template the
/// beginning is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A `{` without its `}`.
    #[error("`{{` at letter {at} of `{template}` is not closed")]
    Unclosed {
        /// The template.
        template: String,
        /// Where the brace stands.
        at: usize,
    },
    /// A `}` without its `{`.
    #[error("`}}` at letter {at} of `{template}` closes nothing")]
    Unopened {
        /// The template.
        template: String,
        /// Where the brace stands.
        at: usize,
    },
    /// What stands between the braces is not a name.
    #[error("`{{{name}}}` at letter {at} of `{template}` is not a name")]
    NotAName {
        /// The template.
        template: String,
        /// Where the brace stands.
        at: usize,
        /// What stands between the braces.
        name: String,
    },
    /// Nothing has this name.
    #[error("`{{{name}}}` in `{template}` has no value")]
    Unknown {
        /// The template.
        template: String,
        /// The name.
        name: String,
        /// The most alike name that has a value.
        nearest: Option<String>,
        /// All names that have a value, where they are known.
        known: Vec<String>,
    },
}

impl TemplateError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unclosed { .. } | Self::Unopened { .. } | Self::NotAName { .. } => {
                Some("write `{{` and `}}` for braces that are meant as such".to_owned())
            }
            Self::Unknown { nearest, known, .. } => match nearest {
                Some(nearest) => Some(format!("did you mean `{{{nearest}}}`?")),
                None if known.is_empty() => None,
                None => Some(format!("there is {}", known.join(", "))),
            },
        }
    }
}

/// The beginning of a long text, for messages.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 80;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

enum Piece<'t> {
    Text(&'t str),
    Name(&'t str),
}

/// Fills in a template; `value` gives the text of a name, or `None` when there is no such name.
pub fn render(
    template: &str,
    value: &dyn Fn(&str) -> Option<String>,
) -> Result<String, TemplateError> {
    let mut out = String::with_capacity(template.len());
    for piece in pieces(template)? {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Name(name) => match value(name) {
                Some(text) => out.push_str(&text),
                None => {
                    return Err(TemplateError::Unknown {
                        template: shortened(template),
                        name: name.to_owned(),
                        nearest: None,
                        known: Vec::new(),
                    });
                }
            },
        }
    }
    Ok(out)
}

/// The names in a template, in its order.
pub fn names(template: &str) -> Result<Vec<&str>, TemplateError> {
    Ok(pieces(template)?
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Name(name) => Some(name),
            Piece::Text(_) => None,
        })
        .collect())
}

/// Checks a template against the names that will have a value.
pub fn check(template: &str, known: &[&str]) -> Result<(), TemplateError> {
    for name in names(template)? {
        if !known.contains(&name) {
            return Err(TemplateError::Unknown {
                template: shortened(template),
                name: name.to_owned(),
                nearest: crate::nearest::nearest(name, known).map(str::to_owned),
                known: known.iter().map(|&name| name.to_owned()).collect(),
            });
        }
    }
    Ok(())
}

/// A text in which every brace stands for itself.
pub fn escape(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

/// A word of a command line as a template: braces around a known name, or around what looks like a slip of
/// one, stay places to fill in; all other braces stand for themselves, so that `awk '{print $1}'` needs no
/// doubling.
pub fn lenient(text: &str, known: &[&str]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let place = place_at_start(rest, known);
        if let Some(length) = place {
            out.push_str(&rest[..length]);
            rest = &rest[length..];
        } else {
            out.push_str(&rest[..1].repeat(2));
            rest = &rest[1..];
        }
    }
    out + rest
}

/// Length of `{name}` or `{{name}}` at the start of a text, where the name is known or nearly is.
fn place_at_start(text: &str, known: &[&str]) -> Option<usize> {
    let braces = if text.starts_with("{{") { 2 } else { 1 };
    let inner = text.strip_prefix(&"{{"[..braces])?;
    let end = inner.find('}')?;
    let name = &inner[..end];
    let is_known = known.contains(&name) || crate::nearest::nearest(name, known).is_some();
    let closed = inner[end..].starts_with(&"}}"[..braces]);
    (is_known && closed).then_some(end + 2 * braces)
}

fn pieces(template: &str) -> Result<Vec<Piece<'_>>, TemplateError> {
    let place = |byte: usize| template[..byte].chars().count() + 1;
    let mut pieces = Vec::new();
    let mut from = 0;
    while let Some(found) = template[from..].find(['{', '}']) {
        let at = from + found;
        let brace = &template[at..=at];
        pieces.push(Piece::Text(&template[from..at]));
        if template[at + 1..].starts_with(brace) {
            pieces.push(Piece::Text(brace));
            from = at + 2;
            continue;
        }
        if brace == "}" {
            return Err(TemplateError::Unopened {
                template: shortened(template),
                at: place(at),
            });
        }
        let Some(length) = template[at + 1..].find('}') else {
            return Err(TemplateError::Unclosed {
                template: shortened(template),
                at: place(at),
            });
        };
        let name = &template[at + 1..at + 1 + length];
        if !is_name(name) {
            return Err(TemplateError::NotAName {
                template: shortened(template),
                at: place(at),
                name: shortened(name),
            });
        }
        pieces.push(Piece::Name(name));
        from = at + length + 2;
    }
    pieces.push(Piece::Text(&template[from..]));
    Ok(pieces)
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|letter| letter.is_alphanumeric() || "_.-/".contains(letter))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn braces_of_other_languages_need_no_doubling() {
        let value = |name: &str| (name == "lr").then(|| "0.1".to_owned());
        let filled = |text: &str| render(&lenient(text, &["lr", "seed"]), &value);
        for text in [
            "{print $1}",
            "{}",
            "${HOME}",
            "}{",
            "{\"a\":1}",
            "{{}}",
            "{é",
        ] {
            assert_eq!(filled(text).as_deref(), Ok(text));
        }
        assert_eq!(filled("--lr={lr} {x}").as_deref(), Ok("--lr=0.1 {x}"));
        assert_eq!(filled("{{lr}}").as_deref(), Ok("{lr}"));
        let slip = check(&lenient("{sed}", &["lr", "seed"]), &["lr", "seed"]);
        assert!(slip.unwrap_err().hint().unwrap().contains("{seed}"));
    }

    fn value(name: &str) -> Option<String> {
        match name {
            "agents" => Some("5".to_owned()),
            "odd" => Some("{agents} }{".to_owned()),
            "train.lr" => Some("0.10".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn names_are_filled_in_and_braces_kept() {
        for (template, text) in [
            ("", ""),
            ("--agents={agents}", "--agents=5"),
            ("{agents}{agents}", "55"),
            ("{{agents}}", "{agents}"),
            ("{{{agents}}}", "{5}"),
            ("{odd}", "{agents} }{"),
            ("é{train.lr}ü", "é0.10ü"),
            ("{{\"a\": {agents}}}", "{\"a\": 5}"),
        ] {
            assert_eq!(render(template, &value).as_deref(), Ok(text), "{template}");
        }
    }

    #[test]
    fn errors_name_the_place_and_the_nearest() {
        let text = |template: &str| render(template, &value).unwrap_err().to_string();
        assert_eq!(
            text("é{agents"),
            "`{` at letter 2 of `é{agents` is not closed"
        );
        assert_eq!(text("a}"), "`}` at letter 2 of `a}` closes nothing");
        assert_eq!(
            text("{a b}"),
            "`{a b}` at letter 1 of `{a b}` is not a name"
        );
        let error = check("x={agent}", &["agents", "seed"]).unwrap_err();
        assert_eq!(error.to_string(), "`{agent}` in `x={agent}` has no value");
        assert_eq!(error.hint().unwrap(), "did you mean `{agents}`?");
        let error = check("{qqqqqq}", &["agents", "seed"]).unwrap_err();
        assert_eq!(error.hint().unwrap(), "there is agents, seed");
    }

    proptest! {
        #[test]
        fn escaped_texts_render_as_themselves(text in any::<String>()) {
            prop_assert_eq!(render(&escape(&text), &value), Ok(text));
        }

        #[test]
        fn values_are_put_in_unread(text in any::<String>()) {
            let given = text.clone();
            prop_assert_eq!(render("<{x}>", &move |_| Some(given.clone())), Ok(format!("<{text}>")));
        }

        #[test]
        fn any_template_is_answered(text in "[{}a.b ]{0,12}") {
            if let Ok(names) = names(&text) {
                prop_assert!(render(&text, &|_| Some(String::new())).is_ok());
                prop_assert_eq!(check(&text, &names), Ok(()));
            }
        }
    }
}
