//! Pages of a column: headers, decompression with limits, levels and values.

use std::io::{Read, Seek, SeekFrom};

use super::ParquetError;
use super::encoding::{Hybrid, Values, plain_bytes};
use super::metadata::{Chunk, Codec, Leaf, Physical};
use super::thrift::{Kind, Reader};

/// Largest page, bytes, compressed or not: a page holds at least one row group's share of recordings.
const MAX_PAGE: u64 = 1 << 30;
/// A page above this size must not expand by more than [`MAX_EXPANSION`].
const FREE_PAGE: u64 = 4 << 20;
/// Speech does not compress so far, and neither does text.
const MAX_EXPANSION: u64 = 100;
/// Longest page header.
const MAX_HEADER: usize = 1 << 20;

const DATA_PAGE: i64 = 0;
const DICTIONARY_PAGE: i64 = 2;
const DATA_PAGE_V2: i64 = 3;

/// A value of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'v> {
    /// Bytes or text.
    Bytes(&'v [u8]),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// Yes or no.
    Bool(bool),
}

#[derive(Debug, Default)]
struct Header {
    kind: i64,
    uncompressed: u64,
    compressed: u64,
    values: u64,
    encoding: i64,
    definition_bytes: u64,
    repetition_bytes: u64,
    plain_levels: bool,
    is_compressed: bool,
}

/// A dictionary, as the values that it holds.
enum Dictionary {
    None,
    Bytes { bytes: Vec<u8>, ends: Vec<(usize, usize)> },
    Ints(Vec<i64>),
    Floats(Vec<f64>),
}

/// Calls `each` with every value of a column of a row group, `None` for null, in order.
pub fn values(
    file: &mut (impl Read + Seek),
    chunk: &Chunk,
    leaf: &Leaf,
    each: &mut dyn FnMut(Option<Value<'_>>) -> Result<(), ParquetError>,
) -> Result<(), ParquetError> {
    if leaf.repeated || leaf.physical == Physical::Other {
        return Err(ParquetError::Unsupported {
            what: format!("column `{}`: lists and fixed bytes", leaf.path.join(".")),
        });
    }
    let (mut at, end) = (chunk.offset, chunk.offset.saturating_add(chunk.bytes));
    let (mut seen, mut dictionary) = (0u64, Dictionary::None);
    let (mut raw, mut page) = (Vec::new(), Vec::new());
    while seen < chunk.values {
        if at >= end {
            return Err(ParquetError::Truncated { what: "column" });
        }
        file.seek(SeekFrom::Start(at))?;
        let (header, length) = header(file, end - at)?;
        // Reading the header has read beyond it.
        file.seek(SeekFrom::Start(at.saturating_add(length)))?;
        at = at.saturating_add(length).saturating_add(header.compressed);
        if at > end {
            return Err(ParquetError::Truncated { what: "column" });
        }
        raw.clear();
        file.take(header.compressed).read_to_end(&mut raw)?;
        if (raw.len() as u64) < header.compressed {
            return Err(ParquetError::Truncated { what: "page" });
        }
        match header.kind {
            DICTIONARY_PAGE => {
                decompress(chunk.codec, &raw, header.uncompressed, &mut page)?;
                dictionary = read_dictionary(std::mem::take(&mut page), leaf.physical, header.values)?;
            }
            DATA_PAGE => {
                decompress(chunk.codec, &raw, header.uncompressed, &mut page)?;
                let (levels, rest) = if leaf.max_definition == 0 {
                    (&[][..], &page[..])
                } else {
                    if header.plain_levels {
                        return Err(ParquetError::Unsupported { what: "levels of the BIT_PACKED encoding".into() });
                    }
                    plain_bytes(&page).ok_or(ParquetError::Truncated { what: "page" })?
                };
                seen += data(&header, levels, rest, leaf, &dictionary, chunk.values - seen, each)?;
            }
            DATA_PAGE_V2 => {
                // Levels stand before the compressed part, and no column here has repetition levels.
                let before = header.definition_bytes.saturating_add(header.repetition_bytes);
                let before = usize::try_from(before).ok().filter(|b| *b <= raw.len());
                let (levels, body) = raw.split_at(before.ok_or(ParquetError::Truncated { what: "page" })?);
                let levels = &levels[header.repetition_bytes as usize..];
                let codec = if header.is_compressed { chunk.codec } else { Codec::None };
                let size = header.uncompressed.saturating_sub((raw.len() - body.len()) as u64);
                decompress(codec, body, size, &mut page)?;
                seen += data(&header, levels, &page, leaf, &dictionary, chunk.values - seen, each)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn header(file: &mut impl Read, room: u64) -> Result<(Header, u64), ParquetError> {
    // A header has no stated length; statistics in it may hold whole values.
    let mut bytes = Vec::new();
    let mut want = 256;
    loop {
        let limit = (want as u64).min(room);
        file.take(limit - bytes.len() as u64).read_to_end(&mut bytes)?;
        let mut reader = Reader::new(&bytes);
        match parse_header(&mut reader) {
            Ok(header) => {
                let bomb =
                    header.uncompressed > FREE_PAGE && header.uncompressed / MAX_EXPANSION > header.compressed.max(1);
                if header.uncompressed > MAX_PAGE || header.compressed > MAX_PAGE || bomb {
                    let (compressed, declared) = (header.compressed, header.uncompressed);
                    return Err(ParquetError::Bomb { compressed, declared });
                }
                return Ok((header, reader.position() as u64));
            }
            Err(ParquetError::Truncated { .. }) if bytes.len() == want && want < MAX_HEADER => want *= 8,
            Err(e) => return Err(e),
        }
    }
}

fn parse_header(r: &mut Reader<'_>) -> Result<Header, ParquetError> {
    let mut h = Header { is_compressed: true, ..Header::default() };
    r.fields(|r, id, kind| {
        match (id, kind) {
            (1, Kind::Int) => h.kind = r.int()?,
            (2, Kind::Int) => h.uncompressed = r.size()?,
            (3, Kind::Int) => h.compressed = r.size()?,
            (5 | 7, Kind::Struct) => r.fields(|r, id, kind| {
                match (id, kind) {
                    (1, Kind::Int) => h.values = r.size()?,
                    (2, Kind::Int) => h.encoding = r.int()?,
                    (3, Kind::Int) => h.plain_levels = r.int()? == 4,
                    _ => r.skip(kind)?,
                }
                Ok(())
            })?,
            (8, Kind::Struct) => r.fields(|r, id, kind| {
                match (id, kind) {
                    (1, Kind::Int) => h.values = r.size()?,
                    (4, Kind::Int) => h.encoding = r.int()?,
                    (5, Kind::Int) => h.definition_bytes = r.size()?,
                    (6, Kind::Int) => h.repetition_bytes = r.size()?,
                    (7, Kind::Bool(b)) => h.is_compressed = b,
                    _ => r.skip(kind)?,
                }
                Ok(())
            })?,
            _ => r.skip(kind)?,
        }
        Ok(())
    })?;
    Ok(h)
}

/// Decompresses to exactly the declared size: less and more are errors, and more is never made.
fn decompress(codec: Codec, raw: &[u8], size: u64, out: &mut Vec<u8>) -> Result<(), ParquetError> {
    let wrong = |what: String| ParquetError::Compression { what };
    out.clear();
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    match codec {
        Codec::None => out.extend_from_slice(raw),
        Codec::Snappy => {
            let declared = snap::raw::decompress_len(raw).map_err(|e| wrong(e.to_string()))?;
            if declared == size {
                out.resize(size, 0);
                snap::raw::Decoder::new().decompress(raw, out).map_err(|e| wrong(e.to_string()))?;
            }
        }
        Codec::Gzip => {
            let decoder = flate2::read::MultiGzDecoder::new(raw);
            decoder.take(size as u64 + 1).read_to_end(out).map_err(|e| wrong(e.to_string()))?;
        }
        Codec::Zstd => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(raw).map_err(|e| wrong(e.to_string()))?;
            decoder.take(size as u64 + 1).read_to_end(out).map_err(|e| wrong(e.to_string()))?;
        }
        Codec::Other(number) => {
            let what = format!("compression {number} (write the file again with snappy, gzip, zstd or none)");
            return Err(ParquetError::Unsupported { what });
        }
    }
    if out.len() == size { Ok(()) } else { Err(wrong(format!("a page that is not of the declared {size} bytes"))) }
}

fn read_dictionary(bytes: Vec<u8>, physical: Physical, count: u64) -> Result<Dictionary, ParquetError> {
    let truncated = || ParquetError::Truncated { what: "dictionary" };
    Ok(match physical {
        Physical::ByteArray => {
            let (mut ends, mut at) = (Vec::new(), 0);
            for _ in 0..count {
                let (value, _) = plain_bytes(&bytes[at..]).ok_or_else(truncated)?;
                ends.push((at + 4, at + 4 + value.len()));
                at += 4 + value.len();
            }
            Dictionary::Bytes { bytes, ends }
        }
        Physical::Boolean | Physical::Other => Dictionary::None,
        numeric => {
            let mut values = Values::plain(&bytes, numeric);
            let (mut ints, mut floats) = (Vec::new(), Vec::new());
            for _ in 0..count {
                match values.next()? {
                    Value::Int(n) => ints.push(n),
                    Value::Float(n) => floats.push(n),
                    Value::Bytes(_) | Value::Bool(_) => {}
                }
            }
            if floats.is_empty() { Dictionary::Ints(ints) } else { Dictionary::Floats(floats) }
        }
    })
}

impl Dictionary {
    fn get(&self, index: u64) -> Option<Value<'_>> {
        let index = usize::try_from(index).ok()?;
        Some(match self {
            Self::None => return None,
            Self::Bytes { bytes, ends } => {
                let (from, to) = *ends.get(index)?;
                Value::Bytes(&bytes[from..to])
            }
            Self::Ints(list) => Value::Int(*list.get(index)?),
            Self::Floats(list) => Value::Float(*list.get(index)?),
        })
    }
}

/// The values of a data page; how many there are.
fn data(
    header: &Header,
    levels: &[u8],
    body: &[u8],
    leaf: &Leaf,
    dictionary: &Dictionary,
    room: u64,
    each: &mut dyn FnMut(Option<Value<'_>>) -> Result<(), ParquetError>,
) -> Result<u64, ParquetError> {
    if header.values > room {
        return Err(ParquetError::Malformed { what: "a page with more values than its column" });
    }
    let mut present = Hybrid::new(levels, 32 - leaf.max_definition.leading_zeros());
    let mut is_there = || -> Result<bool, ParquetError> {
        Ok(leaf.max_definition == 0 || present.next()? == u64::from(leaf.max_definition))
    };
    // PLAIN_DICTIONARY and RLE_DICTIONARY are the same in data pages.
    if header.encoding == 2 || header.encoding == 8 {
        let (width, indices) = body.split_first().map_or((0, body), |(w, rest)| (u32::from(*w), rest));
        let mut indices = Hybrid::new(indices, width);
        for _ in 0..header.values {
            if is_there()? {
                let value = dictionary.get(indices.next()?);
                let missing = ParquetError::Malformed { what: "an index beyond its dictionary" };
                each(Some(value.ok_or(missing)?))?;
            } else {
                each(None)?;
            }
        }
    } else {
        let mut values = Values::new(header.encoding, body, leaf.physical, header.values)?;
        for _ in 0..header.values {
            if is_there()? { each(Some(values.next()?))? } else { each(None)? }
        }
    }
    Ok(header.values)
}
