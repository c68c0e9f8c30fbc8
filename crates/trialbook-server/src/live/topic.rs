//! What a stream is asked for: `runs`, `logs:RUN`, `events:RUN`, `spans:RUN`, `series:RUN:KEY[:CONTEXT]`.
//!
//! Not here: what is told. Invariant: a text that is read as a topic is the only way to say it but for escapes.

use std::fmt;

use trialbook_model::code::ErrorCode;
use trialbook_model::id::RunUid;
use trialbook_model::nearest::nearest;
use trialbook_model::record::SeriesKey;

use crate::http::error::Problem;

/// The first words of topics.
const WORDS: [&str; 5] = ["runs", "logs", "events", "spans", "series"];

/// What a stream tells of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Topic {
    /// Every change of a run, whatever it is.
    Runs,
    /// Console output of a run.
    Logs(RunUid),
    /// Events of a run.
    Events(RunUid),
    /// Spans of traces on a run.
    Spans(RunUid),
    /// Points of a series of a run.
    Series(RunUid, SeriesKey),
}

impl Topic {
    /// Reads one.
    pub(super) fn read(text: &str) -> Result<Self, Problem> {
        let (word, rest) = text
            .split_once(':')
            .map_or((text, None), |(word, rest)| (word, Some(rest)));
        let odd = |message: String| Problem::new(ErrorCode::ValueInvalid, message).at("topics");
        if !WORDS.contains(&word) {
            let problem = odd(format!("`{word}` is no topic"));
            return Err(match nearest(word, &WORDS) {
                Some(near) => problem.with_hint(format!("did you mean `{near}`?")),
                None => problem.with_hint(format!("topics are {}", WORDS.join(", "))),
            });
        }
        if word == "runs" {
            return match rest {
                None => Ok(Self::Runs),
                Some(_) => Err(odd(format!(
                    "`{text}`: the topic `runs` takes nothing more"
                ))),
            };
        }
        let (run, rest) = match rest.unwrap_or_default().split_once(':') {
            Some((run, rest)) => (run, Some(rest)),
            None => (rest.unwrap_or_default(), None),
        };
        let run: RunUid = run
            .parse()
            .map_err(|_none| odd(format!("`{text}`: a run is named by its 32 hex digits")))?;
        match (word, rest) {
            ("logs", None) => Ok(Self::Logs(run)),
            ("events", None) => Ok(Self::Events(run)),
            ("spans", None) => Ok(Self::Spans(run)),
            ("series", Some(rest)) => {
                let (key, context) = rest.split_once(':').unwrap_or((rest, ""));
                let (key, context) = (unescaped(key), unescaped(context));
                match key.zip(context) {
                    Some((key, context)) if !key.is_empty() => {
                        Ok(Self::Series(run, SeriesKey { key, context }))
                    }
                    Some(_) | None => Err(odd(format!("`{text}`: the key of a series is missing"))),
                }
            }
            ("series", None) => Err(odd(format!("`{text}`: the key of a series is missing"))),
            _ => Err(odd(format!("`{text}`: nothing follows the run"))),
        }
    }

    /// The run that it is about.
    pub(super) const fn run(&self) -> Option<RunUid> {
        match self {
            Self::Runs => None,
            Self::Logs(run) | Self::Events(run) | Self::Spans(run) | Self::Series(run, _) => {
                Some(*run)
            }
        }
    }

    /// What stands for it in a cursor.
    pub(super) fn mark(&self) -> u64 {
        super::digest::of_text(&self.to_string())
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runs => f.write_str("runs"),
            Self::Logs(run) => write!(f, "logs:{run}"),
            Self::Events(run) => write!(f, "events:{run}"),
            Self::Spans(run) => write!(f, "spans:{run}"),
            Self::Series(run, key) => {
                write!(f, "series:{run}:{}", escaped(&key.key))?;
                if key.context.is_empty() {
                    return Ok(());
                }
                write!(f, ":{}", escaped(&key.context))
            }
        }
    }
}

/// A text in which `,`, `:` and `%` stand as `%2C`, `%3A` and `%25`.
fn escaped(text: &str) -> String {
    text.replace('%', "%25")
        .replace(',', "%2C")
        .replace(':', "%3A")
}

/// The text of one with escapes; `None` where it is none.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        let digits = part.get(..2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use trialbook_model::id::Uid;

    use super::*;

    #[test]
    fn what_is_no_topic_is_told_with_the_nearest_one() {
        let run = RunUid(Uid([1; 16]));
        for (text, part) in [
            ("run", "`runs`"),
            ("", "topics are"),
            ("runs:x", "takes nothing"),
            ("logs", "32 hex digits"),
            ("logs:abc", "32 hex digits"),
            (&format!("logs:{run}:x"), "nothing follows"),
            (&format!("series:{run}"), "missing"),
            (&format!("series:{run}:"), "missing"),
            (&format!("series:{run}:%zz"), "missing"),
        ] {
            let problem = Topic::read(text).unwrap_err();
            let told = format!("{} {:?}", problem.message, problem.hint);
            assert!(told.contains(part), "{text}: {told}");
            assert_eq!(problem.field.as_deref(), Some("topics"));
        }
    }

    proptest! {
        #[test]
        fn a_topic_is_read_as_it_is_written(key in ".+", context in ".*", uid: [u8; 16]) {
            let topic = Topic::Series(RunUid(Uid(uid)), SeriesKey { key, context });
            prop_assert_eq!(Topic::read(&topic.to_string()).unwrap(), topic);
        }

        #[test]
        fn no_text_is_too_odd(text in ".*") {
            if let Ok(topic) = Topic::read(&text) {
                prop_assert_eq!(Topic::read(&topic.to_string()).unwrap(), topic);
            }
        }
    }
}
