//! Stores of MLflow: folders `mlruns` and databases, brought into a book, and books written as such folders.
//!
//! A run keeps its id, so the same store brought in twice is the same, and one that went on since brings what is
//! new. Not here: MLflow's wire, which the server speaks. Invariant: a run comes in whole or not at all; nothing
//! of a store is passed over without a word; what was changed in the book since holds against the store.

mod artifacts;
mod bring;
mod database;
mod difference;
mod folder;
mod give;
mod join;
mod register;
mod said;
mod store;
mod words;
mod yaml;

pub use artifacts::{Manner as ArtifactManner, Places};
pub use bring::{Damage, Progress, Report, Wanted, bring};
pub use give::{Given, Told, give};
pub use store::{Source, open};
