//! Where does this happen? The surroundings of a run: machine, interpreter, git, variables, working folder;
//! the data that it works on, and what its processes use.
//!
//! Not here: writing anything into a book. Invariant: what cannot be found out is absent, never an error and
//! never a guess; capturing takes seconds at most, whatever hangs.

mod ask;
pub mod data;
mod declared;
mod environment;
mod git;
mod locks;
mod machine;
mod python;
pub mod resources;
mod variables;

pub use declared::{Difference, changes, differences, unchecked};
pub use environment::{Captured, Environment, Place};
pub use git::Git;
