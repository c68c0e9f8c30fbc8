//! All short series of one subject in one chunk: axes shared, values by series.
//!
//! Not here: which series are short (the seal decides). Invariant: a series comes back bit for bit, and
//! reading one does not unpack the others.

use trialbook_model::record::SeriesKey;
use trialbook_spool::codec::bytes::{self, ChunkKind, Reader, put_bytes, put_varint};
use trialbook_spool::codec::{
    Axis, CodecError, Scratch, decode_axis, encode_axis, put_values, take_values,
};

use super::names::Names;

const PART: &str = "a chunk of short series";

/// A short series.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ShortSeries {
    /// Which one.
    pub(crate) key: SeriesKey,
    /// Place of its axis in the pack.
    pub(crate) axis: usize,
    /// Its values, as many as its axis has calls.
    pub(crate) values: Vec<f64>,
}

/// The short series of one subject.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ShortPack {
    /// Axes that series share.
    pub(crate) axes: Vec<Axis>,
    /// Series, by key.
    pub(crate) series: Vec<ShortSeries>,
}

impl ShortPack {
    /// Packs it.
    pub(crate) fn pack(&self, names: &mut Names) -> Result<Vec<u8>, CodecError> {
        let mut blob = bytes::open(ChunkKind::ShortSeries, 1024);
        put_varint(&mut blob, self.axes.len() as u64);
        for axis in &self.axes {
            put_bytes(&mut blob, &encode_axis(axis.steps(), axis.times())?);
        }
        let mut body = Vec::new();
        put_varint(&mut blob, self.series.len() as u64);
        for series in &self.series {
            put_varint(&mut blob, u64::from(names.number(&series.key.key)));
            put_varint(&mut blob, u64::from(names.number(&series.key.context)));
            put_varint(&mut blob, series.axis as u64);
            body.clear();
            put_values(&series.values, &mut body)?;
            put_bytes(&mut blob, &body);
        }
        Ok(bytes::seal(blob))
    }

    /// Unpacks all series, or only the one asked for.
    pub(crate) fn unpack(
        blob: &[u8],
        names: &Names,
        only: Option<&SeriesKey>,
        scratch: &mut Scratch,
    ) -> Result<Self, CodecError> {
        let mut reader = bytes::check(blob, ChunkKind::ShortSeries)?;
        let mut pack = Self::default();
        for _ in 0..reader.count(reader.left(), PART)? {
            let mut axis = Axis::default();
            decode_axis(reader.bytes(PART)?, scratch, &mut axis)?;
            pack.axes.push(axis);
        }
        for _ in 0..reader.count(reader.left() / 4, PART)? {
            let series = pack.read_series(&mut reader, names, only, scratch)?;
            pack.series.extend(series);
        }
        reader.finish()?;
        Ok(pack)
    }

    fn read_series(
        &self,
        reader: &mut Reader<'_>,
        names: &Names,
        only: Option<&SeriesKey>,
        scratch: &mut Scratch,
    ) -> Result<Option<ShortSeries>, CodecError> {
        let key = names.name(reader.varint(PART)?)?;
        let context = names.name(reader.varint(PART)?)?;
        let axis = usize::try_from(reader.varint(PART)?).unwrap_or(usize::MAX);
        let packed = reader.bytes(PART)?;
        if only.is_some_and(|only| only.key != key || only.context != context) {
            return Ok(None);
        }
        let calls = self.axes.get(axis).map(Axis::len);
        let calls = calls.ok_or(CodecError::Malformed { part: PART })?;
        let mut values = Vec::with_capacity(calls);
        take_values(packed, calls, scratch, &mut values)?;
        let key = SeriesKey {
            key: key.to_owned(),
            context: context.to_owned(),
        };
        Ok(Some(ShortSeries { key, axis, values }))
    }
}
