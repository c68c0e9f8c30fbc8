//! How is it said? Findings in words, as pages of text, Markdown and HTML; runs and experiments as JSON documents.
//!
//! Not here: computing statistics, printing, writing files. Invariant: every sentence follows from a finding;
//! nothing is asserted that was not tested.

pub mod analysis;
pub mod cautions;
pub mod comparison;
pub mod documents;
pub mod experiment;
pub mod figures;
pub mod html;
pub mod items;
pub mod keyed;
pub mod markdown;
pub mod page;
pub mod quality;
pub mod titles;

pub use page::{Align, Block, Page, Table};
