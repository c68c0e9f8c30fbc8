//! What a metric's numbers mean: unit and goal, as defined or as assumed from the name (T-5).
//!
//! Not here: winners and comparisons. Invariant: whatever was assumed says so and says why, so that every
//! place that shows it can say "assumed".

use std::collections::BTreeMap;
use std::fmt;

use crate::record::Goal;
use crate::unit;

/// Words whose presence in a name makes lower better, in the order in which they are looked for.
const MIN_WORDS: [&str; 9] = [
    "loss",
    "error",
    "time",
    "latency",
    "duration",
    "cost",
    "memory",
    "perplexity",
    "_ms",
];

/// A goal taken from a metric's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assumed {
    /// The goal.
    pub goal: Goal,
    /// Why.
    pub because: Because,
}

/// Why a goal is assumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// The name contains this word, so lower is better.
    Contains(&'static str),
    /// The name contains none of the words that make lower better.
    NoSuchWord,
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contains(word) => write!(f, "its name contains `{word}`"),
            Self::NoSuchWord => f.write_str("its name says nothing against it"),
        }
    }
}

/// The goal that a metric's name suggests: lower is better where it contains one of T-5's words, in any
/// case; else higher is better.
pub fn assumed(key: &str) -> Assumed {
    let lower = key.to_ascii_lowercase();
    match MIN_WORDS.iter().find(|word| lower.contains(**word)) {
        Some(word) => Assumed {
            goal: Goal::Min,
            because: Because::Contains(word),
        },
        None => Assumed {
            goal: Goal::Max,
            because: Because::NoSuchWord,
        },
    }
}

/// What somebody defined about a metric; `None` where nothing was said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Definition {
    /// Unit.
    pub unit: Option<String>,
    /// Goal.
    pub goal: Option<Goal>,
}

/// What is said of metrics, by key.
pub type Definitions = BTreeMap<String, Definition>;

/// Where a value of a resolved definition comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin<A> {
    /// Somebody, or a rule of ours, said so.
    Defined,
    /// Assumed from the name, for this reason.
    Assumed(A),
}

impl<A> Origin<A> {
    /// `defined` or `assumed`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Defined => "defined",
            Self::Assumed(_) => "assumed",
        }
    }
}

/// Unit and goal of a metric, each with its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Unit; the suffix is the reason of an assumed one. `None` where neither a definition nor the name says one.
    pub unit: Option<(String, Origin<&'static str>)>,
    /// Which direction is better.
    pub goal: Goal,
    /// Where the goal comes from.
    pub goal_origin: Origin<Because>,
}

/// Resolves a metric: the first definition that says something holds, so they are given nearest first
/// (experiment, project, the rule of a derived metric); unit and goal are looked for apart.
pub fn resolve<'a>(
    key: &str,
    definitions: impl IntoIterator<Item = &'a Definition> + Clone,
) -> Resolved {
    let goal = definitions.clone().into_iter().find_map(|it| it.goal);
    let unit = definitions.into_iter().find_map(|it| it.unit.clone());
    let (goal, goal_origin) = if let Some(goal) = goal {
        (goal, Origin::Defined)
    } else {
        let Assumed { goal, because } = assumed(key);
        (goal, Origin::Assumed(because))
    };
    let unit = match unit {
        Some(unit) => Some((unit, Origin::Defined)),
        None => {
            unit::assumed(key).map(|it| (it.unit.word().to_owned(), Origin::Assumed(it.suffix)))
        }
    };
    Resolved {
        unit,
        goal,
        goal_origin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_suggest_goals_by_the_word_list() {
        let check =
            |key, goal, because| assert_eq!(assumed(key), Assumed { goal, because }, "{key}");
        check("val_loss", Goal::Min, Because::Contains("loss"));
        check("Error_Rate", Goal::Min, Because::Contains("error"));
        check("completion_time_ms", Goal::Min, Because::Contains("time"));
        check("p99_ms", Goal::Min, Because::Contains("_ms"));
        check("GPU_MEMORY", Goal::Min, Because::Contains("memory"));
        check("perplexity", Goal::Min, Because::Contains("perplexity"));
        check("accuracy", Goal::Max, Because::NoSuchWord);
        check("items", Goal::Max, Because::NoSuchWord);
        check("", Goal::Max, Because::NoSuchWord);
    }

    #[test]
    fn the_nearest_definition_holds_and_gaps_are_assumed() {
        let experiment = Definition {
            unit: None,
            goal: Some(Goal::None),
        };
        let project = Definition {
            unit: Some("frames".to_owned()),
            goal: Some(Goal::Max),
        };
        let both = resolve("render_time_ms", [&experiment, &project]);
        assert_eq!(both.goal, Goal::None);
        assert_eq!(both.goal_origin.word(), "defined");
        assert_eq!(both.unit, Some(("frames".to_owned(), Origin::Defined)));
        let one = resolve("render_time_ms", [&experiment]);
        assert_eq!(one.unit, Some(("ms".to_owned(), Origin::Assumed("_ms"))));
        let none = resolve("render_time_ms", []);
        assert_eq!(none.goal, Goal::Min);
        assert_eq!(none.goal_origin, Origin::Assumed(Because::Contains("time")));
        assert_eq!(none.goal_origin.word(), "assumed");
        assert_eq!(resolve("accuracy", []).unit, None);
    }
}
