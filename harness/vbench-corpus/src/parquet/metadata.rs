//! The footer: schema, row groups and where their columns lie (Apache Parquet format 2.x, `parquet.thrift`).

use std::io::{Read, Seek, SeekFrom};

use super::ParquetError;
use super::thrift::{Kind, Reader};

/// Longest footer that is read, bytes.
const MAX_FOOTER: u64 = 64 << 20;
/// Most columns and schema elements.
const MAX_ELEMENTS: usize = 10_000;

/// Physical types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Physical {
    /// One bit.
    Boolean,
    /// Four bytes.
    Int32,
    /// Eight bytes.
    Int64,
    /// Four bytes.
    Float,
    /// Eight bytes.
    Double,
    /// A length and bytes.
    ByteArray,
    /// Dates of old writers and byte strings of a fixed length: passed over.
    Other,
}

/// How pages are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// Not at all.
    None,
    /// Snappy's raw format.
    Snappy,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
    /// The number of another one.
    Other(i64),
}

/// A leaf of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Names from the root down.
    pub path: Vec<String>,
    /// Physical type.
    pub physical: Physical,
    /// Definition level of a value that is there.
    pub max_definition: u32,
    /// Beneath a list: not one value a row.
    pub repeated: bool,
}

/// A column of a row group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Index of the leaf.
    pub leaf: usize,
    /// How its pages are compressed.
    pub codec: Codec,
    /// Values, nulls included.
    pub values: u64,
    /// Offset of its first page.
    pub offset: u64,
    /// Bytes of all of its pages.
    pub bytes: u64,
}

/// A row group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowGroup {
    /// Rows.
    pub rows: u64,
    /// Its columns.
    pub chunks: Vec<Chunk>,
}

/// What the footer says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// Leaves of the schema.
    pub leaves: Vec<Leaf>,
    /// Row groups.
    pub groups: Vec<RowGroup>,
    /// The writer's own remarks.
    pub remarks: Vec<(String, String)>,
}

/// Reads the footer of a file of `len` bytes.
pub fn read(file: &mut (impl Read + Seek), len: u64) -> Result<Metadata, ParquetError> {
    let mut tail = [0u8; 8];
    if len < 12 {
        return Err(ParquetError::Truncated { what: "file" });
    }
    file.seek(SeekFrom::Start(len - 8))?;
    file.read_exact(&mut tail)?;
    if tail[4..] != *b"PAR1" {
        let what = if tail[4..] == *b"PARE" { "an encrypted file" } else { "the end of the file, which is not PAR1" };
        return Err(ParquetError::Malformed { what });
    }
    let footer = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
    if footer > MAX_FOOTER || footer > len - 12 {
        return Err(ParquetError::Malformed { what: "the length of the footer" });
    }
    file.seek(SeekFrom::Start(len - 8 - footer))?;
    let mut bytes = vec![0; footer as usize];
    file.read_exact(&mut bytes)?;
    parse(&bytes)
}

/// An element of the schema, in depth-first order.
#[derive(Default)]
struct Element {
    name: String,
    physical: Option<i64>,
    repetition: i64,
    children: u64,
}

fn parse(bytes: &[u8]) -> Result<Metadata, ParquetError> {
    let mut elements = Vec::new();
    let mut metadata = Metadata::default();
    let mut groups: Vec<(u64, Vec<ChunkMeta>)> = Vec::new();
    Reader::new(bytes).fields(|r, id, kind| match (id, kind) {
        (2, Kind::List) => r.list(|r, kind| push(&mut elements, element(r, kind)?)),
        (4, Kind::List) => r.list(|r, kind| push(&mut groups, group(r, kind)?)),
        (5, Kind::List) => r.list(|r, kind| push(&mut metadata.remarks, remark(r, kind)?)),
        _ => r.skip(kind),
    })?;
    let mut rest = elements.iter();
    let root = rest.next().ok_or(ParquetError::Malformed { what: "a schema without elements" })?;
    for _ in 0..root.children {
        leaves(&mut rest, &mut Vec::new(), 0, false, &mut metadata.leaves)?;
    }
    for (rows, chunks) in groups {
        let known = |c: ChunkMeta| {
            let leaf = metadata.leaves.iter().position(|l| l.path == c.path)?;
            Some(Chunk { leaf, codec: c.codec, values: c.values, offset: c.offset, bytes: c.bytes })
        };
        metadata.groups.push(RowGroup { rows, chunks: chunks.into_iter().filter_map(known).collect() });
    }
    Ok(metadata)
}

fn push<T>(list: &mut Vec<T>, value: T) -> Result<(), ParquetError> {
    if list.len() >= MAX_ELEMENTS {
        return Err(ParquetError::Malformed { what: "more than 10,000 columns, row groups or remarks" });
    }
    list.push(value);
    Ok(())
}

fn element(r: &mut Reader<'_>, kind: Kind) -> Result<Element, ParquetError> {
    let mut e = Element::default();
    structure(r, kind, |r, id, kind| {
        match (id, kind) {
            (1, Kind::Int) => e.physical = Some(r.int()?),
            (3, Kind::Int) => e.repetition = r.int()?,
            (4, Kind::Binary) => e.name = r.text()?,
            (5, Kind::Int) => e.children = r.size()?,
            _ => r.skip(kind)?,
        }
        Ok(())
    })?;
    Ok(e)
}

fn structure(
    r: &mut Reader<'_>,
    kind: Kind,
    field: impl FnMut(&mut Reader<'_>, i64, Kind) -> Result<(), ParquetError>,
) -> Result<(), ParquetError> {
    match kind {
        Kind::Struct => r.fields(field),
        _ => Err(ParquetError::Malformed { what: "metadata of another shape than Parquet's" }),
    }
}

/// The leaves beneath the next element of the schema.
fn leaves<'e>(
    rest: &mut impl Iterator<Item = &'e Element>,
    path: &mut Vec<String>,
    definition: u32,
    repeated: bool,
    found: &mut Vec<Leaf>,
) -> Result<(), ParquetError> {
    let e = rest.next().ok_or(ParquetError::Malformed { what: "a schema that ends early" })?;
    if path.len() > 64 {
        return Err(ParquetError::Malformed { what: "a schema nested too deeply" });
    }
    path.push(e.name.clone());
    let definition = definition + u32::from(e.repetition != 0);
    let repeated = repeated || e.repetition == 2;
    match e.physical {
        None => {
            for _ in 0..e.children {
                leaves(rest, path, definition, repeated, found)?;
            }
        }
        Some(physical) => {
            let physical = match physical {
                0 => Physical::Boolean,
                1 => Physical::Int32,
                2 => Physical::Int64,
                4 => Physical::Float,
                5 => Physical::Double,
                6 => Physical::ByteArray,
                _ => Physical::Other,
            };
            found.push(Leaf { path: path.clone(), physical, max_definition: definition, repeated });
        }
    }
    path.pop();
    Ok(())
}

/// A column as the footer describes it.
struct ChunkMeta {
    path: Vec<String>,
    codec: Codec,
    values: u64,
    offset: u64,
    bytes: u64,
}

fn group(r: &mut Reader<'_>, kind: Kind) -> Result<(u64, Vec<ChunkMeta>), ParquetError> {
    let (mut rows, mut chunks) = (0, Vec::new());
    structure(r, kind, |r, id, kind| match (id, kind) {
        (1, Kind::List) => r.list(|r, kind| {
            structure(r, kind, |r, id, kind| match (id, kind) {
                (3, Kind::Struct) => push(&mut chunks, chunk(r)?),
                _ => r.skip(kind),
            })
        }),
        (3, Kind::Int) => {
            rows = r.size()?;
            Ok(())
        }
        _ => r.skip(kind),
    })?;
    Ok((rows, chunks))
}

fn chunk(r: &mut Reader<'_>) -> Result<ChunkMeta, ParquetError> {
    let mut c = ChunkMeta { path: Vec::new(), codec: Codec::None, values: 0, offset: 0, bytes: 0 };
    let mut dictionary = None;
    r.fields(|r, id, kind| {
        match (id, kind) {
            (3, Kind::List) => r.list(|r, _| push(&mut c.path, r.text()?))?,
            (4, Kind::Int) => {
                c.codec = match r.int()? {
                    0 => Codec::None,
                    1 => Codec::Snappy,
                    2 => Codec::Gzip,
                    6 => Codec::Zstd,
                    other => Codec::Other(other),
                }
            }
            (5, Kind::Int) => c.values = r.size()?,
            (7, Kind::Int) => c.bytes = r.size()?,
            (9, Kind::Int) => c.offset = r.size()?,
            (11, Kind::Int) => dictionary = Some(r.size()?),
            _ => r.skip(kind)?,
        }
        Ok(())
    })?;
    // Some writers state an offset of 0 for "no dictionary".
    c.offset = dictionary.filter(|d| *d > 0).map_or(c.offset, |d| d.min(c.offset));
    Ok(c)
}

fn remark(r: &mut Reader<'_>, kind: Kind) -> Result<(String, String), ParquetError> {
    let (mut key, mut value) = (String::new(), String::new());
    structure(r, kind, |r, id, kind| {
        match (id, kind) {
            (1, Kind::Binary) => key = r.text()?,
            (2, Kind::Binary) => value = r.text()?,
            _ => r.skip(kind)?,
        }
        Ok(())
    })?;
    Ok((key, value))
}
