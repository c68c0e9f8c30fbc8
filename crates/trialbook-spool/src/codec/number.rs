//! The numeric codec (pco) behind one door: bounded, without its headers, with reused memory.
//!
//! Not here: choosing what to hand to it. pco has no checksum and trusts its caller with counts: the
//! envelope's CRC comes first. Invariant: nothing is reserved beyond the caller's slice and pco's own tables,
//! whose two unbounded ones (dictionary, lookback window) are refused.

use pco::data_types::Number;
use pco::metadata::{DeltaEncoding, Mode};
use pco::wrapped::{FileCompressor, FileDecompressor};
use pco::{ChunkConfig, DecompressorScratch, DeltaSpec};

use super::error::CodecError;

/// Level 4 is 1.8 % larger than level 8 and encodes 2.9 times as fast (`docs/adr/0003-numeric-codec.md`).
const LEVEL: usize = 4;

/// The version header pco would write in front of every column; kept here, as it never varies.
const HEADER: [u8; 2] = [4, 1];

/// The mode nibble of a dictionary, which we never write and whose length pco trusts.
const DICTIONARY_MODE: u8 = 4;

/// pco's encoder looks back at most this far (2^15).
const WINDOW_LOG: u32 = 15;

/// Memory that decoding reuses from chunk to chunk.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    pub(super) pco: DecompressorScratch,
    pub(super) narrow: Vec<f32>,
}

/// Appends `column` in pco's form. An empty column is no bytes.
pub(super) fn compress<T: Number>(
    column: &[T],
    out: &mut Vec<u8>,
    part: &'static str,
) -> Result<(), CodecError> {
    if column.is_empty() {
        return Ok(());
    }
    let config = ChunkConfig::default().with_compression_level(LEVEL);
    write(column, &config, out).map_err(|source| CodecError::Number { part, source })
}

/// Entries up to which a column counts as short.
pub(super) const SHORT: usize = 512;

/// How a short column runs, as far as its packing depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    /// Neighbours lie close together.
    Smooth,
    /// They do not.
    Rough,
}

/// As [`compress`], for a short column: what pco would try out on it, which takes four times as long as
/// packing it, is told by its course.
pub(super) fn compress_short<T: Number>(
    column: &[T],
    course: Course,
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    let delta = match course {
        Course::Smooth => DeltaSpec::TryConsecutive(1),
        Course::Rough => DeltaSpec::NoOp,
    };
    let config = ChunkConfig::default()
        .with_compression_level(LEVEL)
        .with_delta_spec(delta);
    let part = "values";
    write(column, &config, out).map_err(|source| CodecError::Number { part, source })
}

/// Appends a column of numbers in pco's form: small, without length and checksum. Whoever stores it has to
/// remember the count. An empty column is no bytes.
pub fn encode_numbers<T: Number>(column: &[T], out: &mut Vec<u8>) -> Result<(), CodecError> {
    compress(column, out, "numbers")
}

/// Fills `column` from bytes of [`encode_numbers`] and returns what is left of them.
pub fn decode_numbers<'a, T: Number>(
    bytes: &'a [u8],
    column: &mut [T],
    scratch: &mut Scratch,
) -> Result<&'a [u8], CodecError> {
    decompress(bytes, column, &mut scratch.pco, "numbers")
}

fn write<T: Number>(
    column: &[T],
    config: &ChunkConfig,
    out: &mut Vec<u8>,
) -> pco::errors::PcoResult<()> {
    let mut compressor = FileCompressor::default().chunk_compressor(column, config)?;
    compressor.write_meta(&mut *out)?;
    compressor.write_page(0, &mut *out)?;
    Ok(())
}

/// Fills `column` from the start of `bytes` and returns what is left of them.
pub(super) fn decompress<'a, T: Number>(
    bytes: &'a [u8],
    column: &mut [T],
    scratch: &mut DecompressorScratch,
    part: &'static str,
) -> Result<&'a [u8], CodecError> {
    if column.is_empty() {
        return Ok(bytes);
    }
    if bytes
        .first()
        .is_some_and(|byte| byte & 15 == DICTIONARY_MODE)
    {
        return Err(CodecError::Malformed {
            part: "a numeric column with a dictionary",
        });
    }
    let failed = |source| CodecError::Number { part, source };
    let (file, _rest) = FileDecompressor::new(&HEADER[..]).map_err(failed)?;
    let (chunk, rest) = file.chunk_decompressor::<T, _>(bytes).map_err(failed)?;
    let meta = chunk.meta();
    let far = matches!(&meta.delta_encoding, DeltaEncoding::Lookback { config, .. } if config.window_n_log > WINDOW_LOG);
    if far || matches!(meta.mode, Mode::Dict(_)) {
        return Err(CodecError::Malformed {
            part: "a numeric column that looks back too far",
        });
    }
    let mut page = chunk
        .page_decompressor_with_scratch(rest, column.len(), scratch)
        .map_err(failed)?;
    let progress = page.read(column).map_err(failed)?;
    if progress.n_processed != column.len() || !progress.finished {
        return Err(CodecError::Count {
            part,
            found: progress.n_processed,
            allowed: column.len(),
        });
    }
    Ok(page.into_src())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pco_writes_the_header_that_is_left_out() {
        let mut header = Vec::new();
        FileCompressor::default().write_header(&mut header).unwrap();
        assert_eq!(header, HEADER, "a new pco format needs a new chunk version");
    }

    #[test]
    fn a_dictionary_is_refused_before_its_length_is_believed() {
        let mut bytes = Vec::new();
        let config = ChunkConfig::default().with_mode_spec(pco::ModeSpec::TryDict);
        let column: Vec<i64> = (0..4000_i64)
            .map(|k| (k % 7).wrapping_mul(0x1234_5678_9abc_def1))
            .collect();
        write(&column, &config, &mut bytes).unwrap();
        let mut out = vec![0; column.len()];
        let error =
            decompress(&bytes, &mut out, &mut DecompressorScratch::default(), "x").unwrap_err();
        assert!(matches!(error, CodecError::Malformed { .. }), "{error}");
    }
}
