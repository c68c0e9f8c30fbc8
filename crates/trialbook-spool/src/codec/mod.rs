//! The codecs of chunks: how what was recorded is packed into the blobs of the book.
//!
//! Every function here is pure: bytes in, values out, no files, no SQL, no clock. Every blob stands in an
//! envelope (CRC-32, kind, version), so that a damaged or foreign blob is named instead of misread.
//! What is stored where, and when a chunk is full, is decided by the store. Layouts: `docs/format/chunk.md`.
//!
//! Invariant: decoding accepts any bytes; it never panics, never returns a value the encoder was not given
//! unless a damage escapes CRC-32, and never reserves more memory than the counts of one blob allow.

mod axis;
mod bucket;
pub mod bytes;
mod error;
mod number;
mod order;
mod roll;
mod values;

pub use axis::{Axis, StepOrder, decode_axis, encode_axis};
pub use bucket::{Along, Bucket, BucketSpec, Buckets, Detail, EXACT_POINTS};
pub use bytes::ChunkKind;
pub use error::CodecError;
pub use number::{Scratch, decode_numbers, encode_numbers};
pub use order::{last_rank, order_of};
pub use roll::{
    AxisRoll, ValueRoll, axis_rolls, decode_axis_rolls, decode_value_rolls, encode_axis_rolls,
    encode_value_rolls, value_rolls,
};
pub use values::{decode_values, encode_values, put_values, take_values};

/// Values of one long-series chunk at most.
pub const CHUNK_VALUES: usize = 4096;

/// Values that one roll-up stands for; the last one of a series may stand for fewer.
pub const ROLL_VALUES: usize = 256;
