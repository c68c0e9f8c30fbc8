//! Where does this happen? The surroundings of a run: machine, interpreter, git, working folder; and the
//! checksums of the data that it works on.
//!
//! Not here: writing anything into a book, resource samples. Invariant: what cannot be found out is
//! absent, never an error and never a guess; capturing takes seconds at most, whatever hangs.

mod ask;
pub mod data;
mod declared;
mod environment;
mod git;

pub use declared::{Difference, changes, differences};
pub use environment::{Environment, Place};
pub use git::Git;
