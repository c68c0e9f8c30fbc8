//! The grammar: from a text to conditions as written, which a dialect then gives their meaning.
//!
//! Not here: which key takes which operator and value ([`super::native`], [`super::mlflow`]).
//! Invariant: the recursion is bounded by [`NESTING_LIMIT`], so no text overflows the stack.

use std::collections::BTreeSet;

use super::ast::{Case, Collation, CompareOp, Direction, Expr, KeyKind, OrderTerm};
use super::error::{FilterError, Slip, clipped};
use super::fault::{Construct, Expected, Fault};
use super::lex::{self, Scanner};
use super::written::{Condition, Predicate, Quotes, Value};
use super::{mlflow, native};

mod key;

/// The longest text that is read, in bytes.
pub const LENGTH_LIMIT: usize = 1 << 20;
/// How deep lists of conditions and `NOT` may stand inside each other in a tree.
pub const DEPTH_LIMIT: usize = 100;
/// How deep parentheses and `NOT` may stand inside each other in a text; needless ones vanish from the
/// tree, so there may be more of them.
const NESTING_LIMIT: usize = 2 * DEPTH_LIMIT;

/// Whose language a text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// Trialbook's own.
    Native,
    /// What MLflow's server takes.
    Mlflow,
}

/// Reads a filter. The empty text holds for every run.
pub fn parse(text: &str, dialect: Dialect) -> Result<Expr, FilterError> {
    let read = |parser: &mut Parser<'_>| {
        if parser.scan.peek().is_none() {
            return Ok(Expr::all());
        }
        let expr = parser.disjunction(0)?;
        if parser.scan.peek().is_some() {
            return Err(parser.scan.expected(Expected::Connective));
        }
        if height(&expr) > DEPTH_LIMIT {
            return Err(Slip::new(0, Fault::TooDeep { limit: DEPTH_LIMIT }));
        }
        Ok(expr)
    };
    Parser::run(text, dialect, read)
}

/// Reads the keys of an order, between commas. The empty text has none.
pub fn parse_order(text: &str, dialect: Dialect) -> Result<Vec<OrderTerm>, FilterError> {
    Parser::run(text, dialect, |parser| {
        let mut terms: Vec<OrderTerm> = Vec::new();
        let mut seen = BTreeSet::new();
        if parser.scan.peek().is_none() {
            return Ok(terms);
        }
        loop {
            let at = parser.scan.place();
            let term = parser.order_term()?;
            if !seen.insert(term.key.clone()) {
                let key = clipped(parser.scan.since(at));
                return Err(Slip::new(at, Fault::Repeated { key }));
            }
            terms.push(term);
            if parser.scan.peek().is_none() {
                return Ok(terms);
            }
            if !parser.scan.eat(',') {
                return Err(parser.scan.expected(Expected::Direction));
            }
        }
    })
}

/// Reads one sort key with its direction: `KEY [ASC|DESC]`.
pub fn parse_order_term(text: &str, dialect: Dialect) -> Result<OrderTerm, FilterError> {
    Parser::run(text, dialect, |parser| {
        let term = parser.order_term()?;
        if parser.scan.peek().is_some() {
            let end = match term.direction {
                None => Expected::Direction,
                Some(_) => Expected::End,
            };
            return Err(parser.scan.expected(end));
        }
        Ok(term)
    })
}

struct Parser<'a> {
    scan: Scanner<'a>,
    dialect: Dialect,
}

impl<'a> Parser<'a> {
    fn run<T>(
        text: &'a str,
        dialect: Dialect,
        read: impl FnOnce(&mut Self) -> Result<T, Slip>,
    ) -> Result<T, FilterError> {
        if text.len() > LENGTH_LIMIT {
            let fault = Fault::TooLong {
                bytes: text.len(),
                limit: LENGTH_LIMIT,
            };
            return Err(Slip::new(0, fault).placed(text));
        }
        let mut parser = Self {
            scan: Scanner::new(text),
            dialect,
        };
        read(&mut parser).map_err(|slip| slip.placed(text))
    }

    /// `a OR b OR …`
    fn disjunction(&mut self, depth: usize) -> Result<Expr, Slip> {
        let mut parts = vec![self.conjunction(depth)?];
        loop {
            let at = self.scan.place();
            if !self.scan.eat_word("or") {
                return Ok(single_or(parts, Expr::Or));
            }
            self.native_only(at, Construct::Or)?;
            parts.push(self.conjunction(depth)?);
        }
    }

    /// `a AND b AND …`
    fn conjunction(&mut self, depth: usize) -> Result<Expr, Slip> {
        let mut parts = vec![self.operand(depth)?];
        while self.scan.eat_word("and") {
            parts.push(self.operand(depth)?);
        }
        Ok(single_or(parts, Expr::And))
    }

    /// `NOT a`, `(a)` or a condition.
    fn operand(&mut self, depth: usize) -> Result<Expr, Slip> {
        let at = self.scan.place();
        if depth > NESTING_LIMIT {
            return Err(Slip::new(at, Fault::TooDeep { limit: DEPTH_LIMIT }));
        }
        if self.scan.eat_word("not") {
            self.native_only(at, Construct::Not)?;
            return Ok(Expr::Not(Box::new(self.operand(depth + 1)?)));
        }
        if self.scan.eat('(') {
            self.native_only(at, Construct::Parentheses)?;
            let inner = self.disjunction(depth + 1)?;
            if !self.scan.eat(')') {
                return Err(self.scan.expected(Expected::Closing));
            }
            return Ok(inner);
        }
        let condition = self.condition()?;
        match self.dialect {
            Dialect::Native => native::meaning(condition),
            Dialect::Mlflow => mlflow::meaning(condition),
        }
    }

    fn native_only(&self, at: usize, construct: Construct) -> Result<(), Slip> {
        match self.dialect {
            Dialect::Native => Ok(()),
            Dialect::Mlflow => Err(Slip::new(at, Fault::NotInMlflow { construct })),
        }
    }

    fn condition(&mut self) -> Result<Condition, Slip> {
        let key = self.key(Expected::Condition)?;
        Ok(Condition {
            key,
            operator_at: self.scan.place(),
            predicate: self.predicate()?,
        })
    }

    fn predicate(&mut self) -> Result<Predicate, Slip> {
        if !self.scan.peek_sign().is_empty() {
            return Ok(Predicate::Compare(self.sign()?, self.value()?));
        }
        if self.scan.eat_word("is") {
            let negated = self.scan.eat_word("not");
            if self.scan.eat_word("null") {
                return Ok(Predicate::Null { negated });
            }
            return Err(self.scan.expected(Expected::Null));
        }
        let negated = self.scan.eat_word("not");
        if self.scan.eat_word("in") {
            let values = self.list()?;
            return Ok(Predicate::In { negated, values });
        }
        for (word, case) in [("like", Case::Sensitive), ("ilike", Case::Insensitive)] {
            if self.scan.eat_word(word) {
                return Ok(Predicate::Like {
                    case,
                    negated,
                    pattern: self.value()?,
                });
            }
        }
        Err(self.scan.expected(if negated {
            Expected::NegatedOperator
        } else {
            Expected::Operator
        }))
    }

    fn sign(&mut self) -> Result<CompareOp, Slip> {
        let at = self.scan.place();
        let sign = self.scan.peek_sign();
        self.scan.advance(sign.len());
        if sign == "==" {
            self.native_only(at, Construct::DoubleEquals)?;
            return Ok(CompareOp::Equal);
        }
        CompareOp::ALL
            .into_iter()
            .find(|op| op.sign() == sign)
            .ok_or_else(|| {
                let sign = clipped(sign);
                Slip::new(at, Fault::UnknownOperator { sign })
            })
    }

    fn value(&mut self) -> Result<Value, Slip> {
        let at = self.scan.place();
        if let Some(quote @ ('\'' | '"')) = self.scan.peek() {
            return Ok(Value {
                at,
                text: self.scan.quoted(quote)?,
                quotes: Quotes::With,
            });
        }
        let text = self.scan.peek_value();
        if text.is_empty() || lex::is_keyword(text) {
            return Err(self.scan.expected(Expected::Value));
        }
        self.scan.advance(text.len());
        Ok(Value {
            at,
            text: text.to_owned(),
            quotes: Quotes::Without,
        })
    }

    /// `(a, b, …)` with at least one value; a comma may stand before the end, as MLflow has it.
    fn list(&mut self) -> Result<Vec<Value>, Slip> {
        if !self.scan.eat('(') {
            return Err(self.scan.expected(Expected::List));
        }
        let mut values = vec![self.value()?];
        loop {
            if self.scan.eat(')') {
                return Ok(values);
            }
            if !self.scan.eat(',') {
                return Err(self.scan.expected(Expected::ListGoesOn));
            }
            if self.scan.peek() != Some(')') {
                values.push(self.value()?);
            }
        }
    }

    fn order_term(&mut self) -> Result<OrderTerm, Slip> {
        let written = self.key(Expected::Key)?;
        let direction = if self.scan.eat_word("asc") {
            Some(Direction::Ascending)
        } else if self.scan.eat_word("desc") {
            Some(Direction::Descending)
        } else {
            None
        };
        if written.kind == Some(KeyKind::Dataset) {
            let key = written.text;
            return Err(Slip::new(written.at, Fault::Unsortable { key }));
        }
        Ok(match self.dialect {
            Dialect::Native => OrderTerm {
                key: native::key(written)?,
                direction,
                collation: Collation::Natural,
            },
            Dialect::Mlflow => OrderTerm {
                key: mlflow::key(written)?,
                direction: Some(direction.unwrap_or(Direction::Ascending)),
                collation: Collation::Text,
            },
        })
    }
}

fn single_or(mut parts: Vec<Expr>, list: impl FnOnce(Vec<Expr>) -> Expr) -> Expr {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            list(parts)
        }
        None => list(parts),
    }
}

/// How many lists and `NOT` stand inside each other.
fn height(expr: &Expr) -> usize {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => 1 + parts.iter().map(height).max().unwrap_or(0),
        Expr::Not(inner) => 1 + height(inner),
        Expr::Compare { .. } | Expr::Like { .. } | Expr::In { .. } | Expr::IsNull { .. } => 0,
    }
}

#[cfg(test)]
mod tests;
