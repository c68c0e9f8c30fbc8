//! Charter: see architecture; filled by this room's first feature.

pub mod codec;
