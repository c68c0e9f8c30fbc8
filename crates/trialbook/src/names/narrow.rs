//! The question to the index behind a name.
//!
//! Invariant: it holds for every run that the rules of `trialbook_model::handle` could choose, but for those whose
//! id begins so, which are found by a range of ids.

use trialbook_model::filter::{Case, CompareOp, Expr, Key, KeyKind, Literal};
use trialbook_model::handle;

/// The runs that a text could mean, for the index: a superset of what the rules choose.
pub(super) fn could_mean(text: &str) -> Expr {
    let mut ways = ways(text);
    for (at, _) in text.match_indices('/') {
        ways.extend(self::ways(&text[at + 1..]));
    }
    Expr::Or(ways)
}

/// The runs that a text could mean by itself, not as a path to one.
pub(super) fn could_be(text: &str) -> Expr {
    Expr::Or(ways(text))
}

/// The runs that bear a text, or what stands behind a slash in it, as their name.
pub(super) fn is_called(text: &str) -> Expr {
    let tails = text.match_indices('/').map(|(at, _)| &text[at + 1..]);
    let names = std::iter::once(text).chain(tails);
    Expr::Or(
        names
            .map(|name| is(KeyKind::Attribute, "name", name))
            .collect(),
    )
}

fn ways(text: &str) -> Vec<Expr> {
    let mut ways = vec![is(KeyKind::Attribute, "name", text)];
    if let Some(number) = handle::parse_run_label(text) {
        ways.push(Expr::Compare {
            key: Key::new(KeyKind::Attribute, "number"),
            op: CompareOp::Equal,
            value: Literal::number(number as f64),
        });
    }
    if handle::is_glob(text) {
        // `%` and `_` of the text itself only widen the pattern.
        let pattern = text.replace('*', "%").replace('?', "_");
        ways.push(like("name", pattern.clone()));
        ways.push(like("id", pattern));
    }
    if may_be_label(text) {
        // A glob may stand for the label of any run: the rules look at all that have a number.
        ways.push(Expr::IsNull {
            key: Key::new(KeyKind::Attribute, "number"),
            negated: true,
        });
    }
    ways
}

/// Whether a glob could match `run-014`: what stands before its first wildcard has to agree.
fn may_be_label(glob: &str) -> bool {
    let fixed = glob.split(['*', '?']).next().unwrap_or_default();
    let agrees = |label: &str| label.starts_with(fixed) || fixed.starts_with(label);
    handle::is_glob(glob) && agrees("run-")
}

fn is(kind: KeyKind, name: &str, text: &str) -> Expr {
    Expr::Compare {
        key: Key::new(kind, name),
        op: CompareOp::Equal,
        value: Literal::Text(text.to_owned()),
    }
}

fn like(attribute: &str, pattern: String) -> Expr {
    Expr::Like {
        key: Key::new(KeyKind::Attribute, attribute),
        pattern,
        case: Case::Insensitive,
        negated: false,
    }
}
