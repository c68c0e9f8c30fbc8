//! The book that a verb works on: opened for reading, or made on first use for writing.
//!
//! Not here: what is read or written. Invariant: a verb that reads creates nothing.

use anyhow::Result;
use trialbook_store::reference::Reference;

use crate::context::Context;
use crate::discovery::{Choice, Rule};
use crate::failure::Failure;

pub(crate) type View = Reference;
