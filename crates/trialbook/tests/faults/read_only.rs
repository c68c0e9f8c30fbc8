//! A folder that may be read and not written.
