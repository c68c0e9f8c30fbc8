//! The filter language (T-7): one tree, two dialects, one meaning.
//!
//! The native dialect has `AND`, `OR`, `NOT`, parentheses, bare keys, `IN` everywhere, contexts and
//! aggregates; MLflow's has what MLflow's server takes and refuses the rest in clear words. The text for
//! people is `docs/guide/filter.md`.
//! Not here: how a store finds the runs quickly. Invariant: parsing never panics and needs no row;
//! judging a row needs nothing but the tree and the row.

pub mod ast;
pub mod attribute;
mod lex;
mod print;

pub use ast::{
    Aggregate, Case, Collation, CompareOp, Direction, Expr, Key, KeyKind, Literal, OrderTerm,
    Wanted,
};
pub use attribute::{Attribute, AttributeType};
