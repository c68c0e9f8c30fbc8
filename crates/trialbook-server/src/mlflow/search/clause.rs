//! Conditions on nouns that no column index holds: `key operator value AND …`.
//!
//! A [`Grammar`] says what a noun has. Not here: reading nouns; a caller hands in the fact that a clause looks at.
//! Invariant: a missing fact satisfies nothing but `IS NULL`.

use trialbook_model::filter::{Case, CompareOp, like_matches};

use super::scan::{Scan, Value, Written};
use super::{SearchError, listed};

/// What a noun has that its filters may name.
#[derive(Debug, Clone, Copy)]
pub(in crate::mlflow) struct Grammar {
    /// Its attributes.
    pub attributes: &'static [Attribute],
    /// What else it has, behind prefixes.
    pub entities: &'static [Entity],
    /// The operators that texts behind prefixes (tags, params) take.
    pub texts: &'static [Comparator],
    /// Keys that it is sorted by.
    pub sorted_by: &'static [&'static str],
}

/// An attribute of a noun.
#[derive(Debug, Clone, Copy)]
pub(in crate::mlflow) struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// Whether it is compared with numbers.
    pub form: Form,
    /// The operators it takes.
    pub operators: &'static [Comparator],
}

/// What values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mlflow) enum Form {
    /// Quoted texts.
    Text,
    /// Numbers.
    Number,
}

/// What a key names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mlflow) enum Entity {
    /// A property that all have.
    Attribute,
    /// A tag.
    Tag,
    /// A param.
    Param,
    /// A metric.
    Metric,
}

impl Entity {
    /// MLflow's word.
    pub(in crate::mlflow) const fn word(self) -> &'static str {
        match self {
            Self::Attribute => "attribute",
            Self::Tag => "tag",
            Self::Param => "parameter",
            Self::Metric => "metric",
        }
    }

    /// Its prefixes.
    const fn prefixes(self) -> &'static [&'static str] {
        match self {
            Self::Attribute => &["attribute", "attributes", "attr"],
            Self::Tag => &["tag", "tags"],
            Self::Param => &["parameter", "parameters", "param", "params"],
            Self::Metric => &["metric", "metrics"],
        }
    }
}

/// An operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mlflow) enum Comparator {
    /// `=`, `!=`, `<`, `<=`, `>`, `>=`.
    Sign(CompareOp),
    /// `LIKE`.
    Like,
    /// `ILIKE`.
    Ilike,
    /// `IN`.
    In,
    /// `NOT IN`.
    NotIn,
    /// `IS NULL`.
    IsNull,
    /// `IS NOT NULL`.
    IsNotNull,
}

impl Comparator {
    /// The six signs.
    pub(in crate::mlflow) const NUMERIC: &'static [Self] = &[
        Self::Sign(CompareOp::Equal),
        Self::Sign(CompareOp::NotEqual),
        Self::Sign(CompareOp::Less),
        Self::Sign(CompareOp::LessEqual),
        Self::Sign(CompareOp::Greater),
        Self::Sign(CompareOp::GreaterEqual),
    ];
    /// What nearly all texts take.
    pub(in crate::mlflow) const TEXT: &'static [Self] = &[
        Self::Sign(CompareOp::Equal),
        Self::Sign(CompareOp::NotEqual),
        Self::Like,
        Self::Ilike,
    ];
    /// As [`Comparator::TEXT`], and whether it is one of several.
    pub(in crate::mlflow) const TEXT_OR_IN: &'static [Self] = &[
        Self::Sign(CompareOp::Equal),
        Self::Sign(CompareOp::NotEqual),
        Self::Like,
        Self::Ilike,
        Self::In,
        Self::NotIn,
    ];
    /// As [`Comparator::TEXT`], and whether there is one at all.
    pub(in crate::mlflow) const TEXT_OR_NULL: &'static [Self] = &[
        Self::Sign(CompareOp::Equal),
        Self::Sign(CompareOp::NotEqual),
        Self::Like,
        Self::Ilike,
        Self::IsNull,
        Self::IsNotNull,
    ];
    /// What ids take.
    pub(in crate::mlflow) const ID: &'static [Self] = &[
        Self::Sign(CompareOp::Equal),
        Self::Sign(CompareOp::NotEqual),
        Self::In,
        Self::NotIn,
    ];

    /// How it is written.
    pub(in crate::mlflow) const fn word(self) -> &'static str {
        match self {
            Self::Sign(op) => op.sign(),
            Self::Like => "LIKE",
            Self::Ilike => "ILIKE",
            Self::In => "IN",
            Self::NotIn => "NOT IN",
            Self::IsNull => "IS NULL",
            Self::IsNotNull => "IS NOT NULL",
        }
    }
}

/// What a noun has for a key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::mlflow) enum Fact<'a> {
    /// A text.
    Text(&'a str),
    /// A whole number, such as a time.
    Whole(i64),
    /// A number.
    Number(f64),
}

/// The right side.
#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Nothing,
    Text(String),
    Texts(Vec<String>),
    Whole(i64),
    Number(f64),
}

/// One condition.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::mlflow) struct Clause {
    /// What the key names.
    pub entity: Entity,
    /// Its name.
    pub key: String,
    /// The operator.
    pub comparator: Comparator,
    operand: Operand,
}

impl Grammar {
    /// Reads a filter; the empty text has no conditions.
    pub(in crate::mlflow) fn parse(&self, text: &str) -> Result<Vec<Clause>, SearchError> {
        let mut scan = Scan::new(text);
        let mut clauses = Vec::new();
        while !scan.is_at_end() {
            clauses.push(self.clause(&mut scan)?);
            if !scan.is_at_end() && !scan.eat_word("and") {
                return Err(scan.refused("expected AND; there is no OR, NOT or parenthesis"));
            }
        }
        Ok(clauses)
    }

    fn clause(&self, scan: &mut Scan<'_>) -> Result<Clause, SearchError> {
        let written = scan.key()?;
        let comparator = comparator(scan, &written)?;
        let (entity, key, form, taken) = self.meaning(written)?;
        let refused = |found: &str| SearchError::Comparator {
            found: found.to_owned(),
            key: key.clone(),
            known: listed(taken.iter().map(|it| it.word())),
        };
        if !taken.contains(&comparator) {
            return Err(refused(comparator.word()));
        }
        let operand = operand(scan, comparator, (&key, form))?;
        Ok(Clause {
            entity,
            key,
            comparator,
            operand,
        })
    }

    fn meaning(
        &self,
        written: Written,
    ) -> Result<(Entity, String, Form, &'static [Comparator]), SearchError> {
        let entity = self.entity(written.prefix.as_deref())?;
        let (form, taken) = match entity {
            Entity::Tag | Entity::Param => (Form::Text, self.texts),
            Entity::Metric => (Form::Number, Comparator::NUMERIC),
            Entity::Attribute => {
                let mut known = self.attributes.iter();
                let found = known.find(|attribute| attribute.name == written.name);
                let found = found.ok_or_else(|| SearchError::AttributeKey {
                    found: written.name.clone(),
                    known: listed(self.attributes.iter().map(|attribute| attribute.name)),
                })?;
                (found.form, found.operators)
            }
        };
        Ok((entity, written.name, form, taken))
    }

    pub(super) fn entity(&self, prefix: Option<&str>) -> Result<Entity, SearchError> {
        let Some(prefix) = prefix else {
            return Ok(Entity::Attribute);
        };
        let known = || std::iter::once(&Entity::Attribute).chain(self.entities);
        let found = known().find(|entity| entity.prefixes().contains(&prefix));
        found.copied().ok_or_else(|| SearchError::EntityType {
            found: prefix.to_owned(),
            known: listed(known().map(|entity| entity.word())),
        })
    }
}

fn comparator(scan: &mut Scan<'_>, written: &Written) -> Result<Comparator, SearchError> {
    let sign = scan.sign();
    if !sign.is_empty() {
        let op = CompareOp::ALL.into_iter().find(|op| op.sign() == sign);
        return op
            .map(Comparator::Sign)
            .ok_or_else(|| SearchError::Comparator {
                found: sign.to_owned(),
                key: written.name.clone(),
                known: listed(Comparator::NUMERIC.iter().map(|it| it.word())),
            });
    }
    if scan.eat_word("like") {
        return Ok(Comparator::Like);
    }
    if scan.eat_word("ilike") {
        return Ok(Comparator::Ilike);
    }
    if scan.eat_word("in") {
        return Ok(Comparator::In);
    }
    if scan.eat_word("not") && scan.eat_word("in") {
        return Ok(Comparator::NotIn);
    }
    if scan.eat_word("is") {
        let is_negated = scan.eat_word("not");
        if scan.eat_word("null") {
            return Ok(if is_negated {
                Comparator::IsNotNull
            } else {
                Comparator::IsNull
            });
        }
    }
    Err(scan.refused("Invalid comparison clause: expected a comparison"))
}

fn operand(
    scan: &mut Scan<'_>,
    comparator: Comparator,
    (key, form): (&str, Form),
) -> Result<Operand, SearchError> {
    let quoted = |value: Value| match value {
        Value::Quoted(text) => Ok(text),
        Value::Bare(found) => Err(SearchError::Quoted {
            key: key.to_owned(),
            found,
        }),
    };
    match comparator {
        Comparator::IsNull | Comparator::IsNotNull => Ok(Operand::Nothing),
        Comparator::In | Comparator::NotIn => {
            let values = scan.list()?.into_iter().map(quoted);
            Ok(Operand::Texts(values.collect::<Result<_, _>>()?))
        }
        Comparator::Sign(_) | Comparator::Like | Comparator::Ilike => {
            let value = scan.value()?;
            match form {
                Form::Text => quoted(value).map(Operand::Text),
                Form::Number => number(&value).ok_or_else(|| SearchError::Number {
                    key: key.to_owned(),
                    found: value.text().to_owned(),
                }),
            }
        }
    }
}

fn number(value: &Value) -> Option<Operand> {
    let Value::Bare(text) = value else {
        return None;
    };
    let number = text.parse::<f64>().ok().filter(|it| it.is_finite())?;
    Some(match text.parse() {
        Ok(whole) => Operand::Whole(whole),
        Err(_) => Operand::Number(number),
    })
}

impl Clause {
    /// Whether it holds for what a noun has under its key.
    pub(in crate::mlflow) fn holds(&self, fact: Option<Fact<'_>>) -> bool {
        match (self.comparator, fact) {
            (Comparator::IsNull, fact) => fact.is_none(),
            (Comparator::IsNotNull, fact) => fact.is_some(),
            (comparator, Some(Fact::Text(text))) => self.holds_for_text(comparator, text),
            (Comparator::Sign(op), Some(Fact::Whole(whole))) => match self.operand {
                Operand::Whole(other) => holds_in_order(op, whole.cmp(&other)),
                Operand::Number(other) => op.holds(whole as f64, other),
                Operand::Nothing | Operand::Text(_) | Operand::Texts(_) => false,
            },
            (Comparator::Sign(op), Some(Fact::Number(number))) => match self.operand {
                Operand::Whole(other) => op.holds(number, other as f64),
                Operand::Number(other) => op.holds(number, other),
                Operand::Nothing | Operand::Text(_) | Operand::Texts(_) => false,
            },
            (
                Comparator::Sign(_)
                | Comparator::Like
                | Comparator::Ilike
                | Comparator::In
                | Comparator::NotIn,
                Some(Fact::Whole(_) | Fact::Number(_)) | None,
            ) => false,
        }
    }

    fn holds_for_text(&self, comparator: Comparator, text: &str) -> bool {
        match (comparator, &self.operand) {
            (Comparator::Sign(op), Operand::Text(other)) => {
                holds_in_order(op, text.cmp(other.as_str()))
            }
            (Comparator::Like, Operand::Text(pattern)) => {
                like_matches(pattern, Case::Sensitive, text)
            }
            (Comparator::Ilike, Operand::Text(pattern)) => {
                like_matches(pattern, Case::Insensitive, text)
            }
            (Comparator::In, Operand::Texts(texts)) => texts.iter().any(|other| other == text),
            (Comparator::NotIn, Operand::Texts(texts)) => texts.iter().all(|other| other != text),
            (
                Comparator::Sign(_)
                | Comparator::Like
                | Comparator::Ilike
                | Comparator::In
                | Comparator::NotIn
                | Comparator::IsNull
                | Comparator::IsNotNull,
                _,
            ) => false,
        }
    }

    /// The texts that its key is compared with, where it is compared for being equal to one of them.
    pub(in crate::mlflow) fn texts(&self) -> &[String] {
        match &self.operand {
            Operand::Text(text) => std::slice::from_ref(text),
            Operand::Texts(texts) => texts,
            Operand::Nothing | Operand::Whole(_) | Operand::Number(_) => &[],
        }
    }
}

fn holds_in_order(op: CompareOp, order: std::cmp::Ordering) -> bool {
    match op {
        CompareOp::Equal => order.is_eq(),
        CompareOp::NotEqual => order.is_ne(),
        CompareOp::Less => order.is_lt(),
        CompareOp::LessEqual => order.is_le(),
        CompareOp::Greater => order.is_gt(),
        CompareOp::GreaterEqual => order.is_ge(),
    }
}
