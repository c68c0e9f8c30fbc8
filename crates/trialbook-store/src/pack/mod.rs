//! How what a book knows is packed into the blobs of its rows.
//!
//! Everything here is pure: values in, bytes out, and back. The envelope (CRC-32, kind, version) and the
//! codecs of long series are the spool crate's; layouts stand in `docs/format/book.md` and `chunk.md`.
//! Not here: which row a blob goes to, SQL. Invariant: unpacking accepts any bytes; it never panics and
//! reserves no more than the bytes that are there allow.

mod annotations;
mod items;
mod names;
mod nouns;
mod places;
mod records;
mod run;
mod series;
mod short;
mod stamps;
mod start;

pub(crate) use items::{
    ItemBlock, ItemColumns, LabelColumn, NumberColumn, pack_items, score_of, unpack_items,
    unpack_numbers,
};
pub(crate) use names::Names;
pub(crate) use nouns::{pack_document, pack_noun, unpack_document, unpack_noun};
pub(crate) use places::{BLOCK, LongPlace, Places, RecordPlace, SEQ_BITS, chunk_id};
pub(crate) use records::{pack_records, unpack_records};
pub(crate) use run::{pack_run, unpack_run};
pub(crate) use short::{ShortPack, ShortSeries};
