//! The filter language (T-7): one tree, two dialects, one meaning.
//!
//! The native dialect has `AND`, `OR`, `NOT`, parentheses, bare keys, `IN` everywhere, contexts and
//! aggregates; MLflow's has what MLflow's server takes and refuses the rest in clear words. The text for
//! people is `docs/guide/filter.md`.
//! Not here: how a store finds the runs quickly. Invariant: parsing never panics and needs no row;
//! judging a row needs nothing but the tree and the row.

pub mod ast;
pub mod attribute;
pub mod error;
pub mod evaluate;
pub mod fault;
mod fit;
mod lex;
mod mlflow;
mod native;
mod parse;
mod print;
pub mod value;
mod written;

pub use ast::{
    Aggregate, Case, Collation, CompareOp, Direction, Expr, Key, KeyKind, Literal, OrderTerm,
    Wanted,
};
pub use attribute::{Attribute, AttributeType};
pub use error::{FilterError, Place};
pub use evaluate::{Row, compare_rows, compare_values, holds, holds_for_datasets, lookup};
pub use fault::{Construct, Expected, Fault, MetricPart, ValueForm};
pub use parse::{DEPTH_LIMIT, Dialect, LENGTH_LIMIT, parse, parse_order, parse_order_term};
pub use value::{
    Value, compare, compare_number, compare_text, compare_time, holds_for, like_matches, number_in,
    wanted,
};

#[cfg(test)]
mod tests;
