//! The native text of a filter's tree.
//!
//! Invariant: what is printed here parses to the same tree.

use std::fmt::{Formatter, Result, Write as _};

use super::ast::{Aggregate, Case, Expr, Key, KeyKind, Literal};
use super::lex;

pub(super) fn expr(f: &mut Formatter<'_>, expr: &Expr) -> Result {
    match expr {
        Expr::And(parts) => joined(f, parts, " AND "),
        Expr::Or(parts) => joined(f, parts, " OR "),
        Expr::Not(inner) => {
            f.write_str("NOT ")?;
            operand(f, inner)
        }
        Expr::Compare { key, op, value } => write!(f, "{key} {} {value}", op.sign()),
        Expr::Like {
            key,
            pattern,
            case,
            negated,
        } => {
            let word = match case {
                Case::Sensitive => "LIKE",
                Case::Insensitive => "ILIKE",
            };
            write!(f, "{key} {}{word} ", if *negated { "NOT " } else { "" })?;
            quoted(f, '\'', pattern)
        }
        Expr::In {
            key,
            values,
            negated,
        } => {
            write!(f, "{key} {}IN (", if *negated { "NOT " } else { "" })?;
            for (at, value) in values.iter().enumerate() {
                f.write_str(if at == 0 { "" } else { ", " })?;
                write!(f, "{value}")?;
            }
            f.write_char(')')
        }
        Expr::IsNull { key, negated } => {
            write!(f, "{key} IS {}NULL", if *negated { "NOT " } else { "" })
        }
    }
}

fn joined(f: &mut Formatter<'_>, parts: &[Expr], word: &str) -> Result {
    for (at, part) in parts.iter().enumerate() {
        f.write_str(if at == 0 { "" } else { word })?;
        operand(f, part)?;
    }
    Ok(())
}

/// Lists of conditions inside another condition stand in parentheses, so that the shape survives.
fn operand(f: &mut Formatter<'_>, part: &Expr) -> Result {
    match part {
        Expr::And(_) | Expr::Or(_) => write!(f, "({part})"),
        Expr::Not(_)
        | Expr::Compare { .. }
        | Expr::Like { .. }
        | Expr::In { .. }
        | Expr::IsNull { .. } => write!(f, "{part}"),
    }
}

pub(super) fn key(f: &mut Formatter<'_>, key: &Key) -> Result {
    if key.aggregate != Aggregate::Last {
        write!(f, "{}(", key.aggregate.word())?;
    }
    match key.kind {
        KeyKind::Attribute => f.write_str(&key.name)?,
        KeyKind::Metric => named(f, "metrics.", &key.name)?,
        KeyKind::Param => named(f, "params.", &key.name)?,
        KeyKind::Tag => named(f, "tags.", &key.name)?,
        KeyKind::Dataset => named(f, "datasets.", &key.name)?,
        KeyKind::Bare => bare(f, &key.name)?,
    }
    f.write_str(&key.context)?;
    if key.aggregate != Aggregate::Last {
        f.write_char(')')?;
    }
    Ok(())
}

fn named(f: &mut Formatter<'_>, prefix: &str, name: &str) -> Result {
    f.write_str(prefix)?;
    if lex::is_plain_name(name) {
        f.write_str(name)
    } else {
        quoted(f, '`', name)
    }
}

/// A bare name is quoted as well where it would read as something else.
fn bare(f: &mut Formatter<'_>, name: &str) -> Result {
    let reads_as_name = lex::is_plain_name(name)
        && name.starts_with(lex::is_name_start)
        && !lex::is_keyword(name)
        && lex::prefix_of(name).is_none();
    if reads_as_name {
        f.write_str(name)
    } else {
        quoted(f, '`', name)
    }
}

pub(super) fn literal(f: &mut Formatter<'_>, literal: &Literal) -> Result {
    match literal {
        Literal::Number(_, text) => f.write_str(text),
        Literal::Time(_, text) | Literal::Text(text) => quoted(f, '\'', text),
    }
}

/// A quote inside is doubled.
fn quoted(f: &mut Formatter<'_>, quote: char, text: &str) -> Result {
    f.write_char(quote)?;
    for letter in text.chars() {
        if letter == quote {
            f.write_char(quote)?;
        }
        f.write_char(letter)?;
    }
    f.write_char(quote)
}
