//! Reading YAML files of ours: the tree with the place of every node, readers that collect errors, and
//! what can be wrong.
//!
//! Not here: what the keys of any format mean, and files. Invariant: every error names file, line, column
//! and the path of keys.

mod builder;
mod error;
mod reading;
pub(crate) mod scalar;
mod tree;
mod units;

pub(crate) use error::listed;
pub use error::{Doubt, FileError, Position, Problem, Warning};
pub(crate) use reading::{Fields, Format, MOST_ERRORS, Reading, join};
pub(crate) use tree::{Entry, Node, Shape};
