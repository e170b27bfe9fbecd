//! Parquet with an audio column, as Hugging Face's `datasets` writes it: `audio` is a struct of `bytes` and `path`, or a
//! path. Read here and not by a package: pages are decompressed to their declared sizes and no further, and what would
//! expand beyond reason is refused before it is made.
//!
//! ```text
//! parquet/thrift.rs    the compact protocol of the metadata
//! parquet/metadata.rs  footer: schema, row groups, columns
//! parquet/page.rs      page headers, decompression, levels
//! parquet/encoding.rs  plain, dictionary, run-length and delta encodings
//! ```
//!
//! Read: flat columns and structs, of booleans, numbers and byte arrays, uncompressed or by snappy, gzip or Zstandard.
//! Passed over: lists, maps, fixed-length bytes.

mod encoding;
mod metadata;
mod page;
mod thrift;

use std::collections::HashMap;
use std::io::{Read, Seek};

use crate::entry::Parsed;
use crate::problem::ProblemKind;
use crate::record::{Columns, entry};
use crate::source::Source;
use metadata::{Metadata, RowGroup};
use page::Value;

/// Most rows of a file.
const MAX_ROWS: u64 = 5_000_000;
/// Most bytes of text that are held.
const MAX_TEXT: usize = 512 << 20;
/// Most columns that are read.
const MAX_COLUMNS: usize = 100;

/// Why a Parquet file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ParquetError {
    /// The operating system's reason.
    #[error("{0}")]
    Read(#[from] std::io::Error),
    /// Something ends early.
    #[error("the {what} ends early")]
    Truncated {
        /// What.
        what: &'static str,
    },
    /// The bytes break the format's rules.
    #[error("not as Parquet wants it: {what}")]
    Malformed {
        /// What.
        what: &'static str,
    },
    /// Known to the format, not to vbench.
    #[error("not supported: {what}")]
    Unsupported {
        /// What, and what to do.
        what: String,
    },
    /// Compressed data that is broken.
    #[error("decompressing failed: {what}")]
    Compression {
        /// The reason.
        what: String,
    },
    /// A page that expands beyond reason.
    #[error("a page of {compressed} bytes declares {declared} after decompression: refused as a decompression bomb")]
    Bomb {
        /// Bytes in the file.
        compressed: u64,
        /// Bytes declared.
        declared: u64,
    },
    /// More rows or text than are held.
    #[error("more than the limit of {limit} {unit}")]
    TooMuch {
        /// What is counted.
        unit: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The column was only asked whether it holds anything.
    #[error("stopped")]
    Stopped,
}

/// Where recordings that are stored inside the table go: called with the row (from 1), a name and the bytes, it returns the
/// path of the file.
pub type Extract<'e> = dyn FnMut(u64, &str, &[u8]) -> std::io::Result<String> + 'e;

/// Reads a file of `len` bytes; places hold rows from 1.
pub fn parse<R: Read + Seek>(
    source: &Source<'_>,
    file: &mut R,
    len: u64,
    columns: &Columns,
    extract: Option<&mut Extract<'_>>,
    parsed: &mut Parsed,
) {
    if let Err(e) = table(source, file, len, columns, extract, parsed) {
        let kind = match e {
            Failed::Parquet(e) => ProblemKind::Unreadable { what: e.to_string() },
            Failed::Kind(kind) => kind,
        };
        parsed.problem(source.place(0), kind);
    }
}

enum Failed {
    Parquet(ParquetError),
    Kind(ProblemKind),
}

impl From<ParquetError> for Failed {
    fn from(e: ParquetError) -> Self {
        Self::Parquet(e)
    }
}

/// The columns of a file that matter.
struct Layout<'c> {
    /// (index of the leaf, name).
    scalars: Vec<(usize, String)>,
    audio: &'c str,
    bytes: Option<usize>,
    labels: HashMap<String, Vec<String>>,
}

fn table<R: Read + Seek>(
    source: &Source<'_>,
    file: &mut R,
    len: u64,
    columns: &Columns,
    mut extract: Option<&mut Extract<'_>>,
    parsed: &mut Parsed,
) -> Result<(), Failed> {
    let metadata = metadata::read(file, len)?;
    let layout = layout(&metadata, columns)?;
    let names: Vec<&str> = layout.scalars.iter().map(|(_, name)| name.as_str()).chain([layout.audio]).collect();
    let (mut first, mut text_room, mut audio_room) = (1u64, MAX_TEXT, len.saturating_mul(20).saturating_add(64 << 20));
    for group in &metadata.groups {
        if group.rows > MAX_ROWS || first + group.rows > MAX_ROWS {
            return Err(ParquetError::TooMuch { unit: "rows", limit: MAX_ROWS }.into());
        }
        let mut rows = scalars(file, &metadata, &layout, group, &mut text_room)?;
        if let Some(bytes) = layout.bytes {
            stored(file, &metadata, group, bytes, first, &layout, &mut rows, &mut extract, &mut audio_room)?;
        }
        for (fields, line) in rows.iter().zip(first..) {
            let place = source.place(usize::try_from(line).unwrap_or(usize::MAX));
            match entry(fields, &names, columns, place.clone()) {
                Ok(entry) => parsed.entries.push(entry),
                Err(kind) => parsed.problem(place, kind),
            }
        }
        first += group.rows;
    }
    Ok(())
}

fn layout<'c>(metadata: &Metadata, columns: &'c Columns) -> Result<Layout<'c>, Failed> {
    let mut names: Vec<&str> = Vec::new();
    for leaf in metadata.leaves.iter().filter(|l| !l.repeated) {
        let is_column = leaf.path.len() == 1;
        let is_audio = leaf.path.len() == 2 && ["bytes", "path"].contains(&leaf.path[1].as_str());
        if (is_column || is_audio) && !names.contains(&leaf.path[0].as_str()) {
            names.push(&leaf.path[0]);
        }
    }
    let missing = |key: &str| {
        let known = crate::source::shown(&names.join(", "));
        Failed::Kind(ProblemKind::Missing { key: key.to_owned(), known })
    };
    if let Some(column) = columns.needed().find(|c| !names.contains(c)) {
        return Err(missing(column));
    }
    let audio = columns.find("audio", &names).ok_or_else(|| missing("audio"))?;
    let part = |name: &str| metadata.leaves.iter().position(|l| l.path == [audio, name]);
    let mut scalars: Vec<(usize, String)> = (0..metadata.leaves.len())
        .filter(|i| metadata.leaves[*i].path.len() == 1 && !metadata.leaves[*i].repeated)
        .filter(|i| metadata.leaves[*i].physical != metadata::Physical::Other)
        .map(|i| (i, metadata.leaves[i].path[0].clone()))
        .take(MAX_COLUMNS)
        .collect();
    scalars.extend(part("path").map(|leaf| (leaf, audio.to_owned())));
    Ok(Layout { scalars, audio, bytes: part("bytes"), labels: class_labels(metadata) })
}

/// Names of classes that `datasets` stores as numbers.
fn class_labels(metadata: &Metadata) -> HashMap<String, Vec<String>> {
    let remark = metadata.remarks.iter().find(|(key, _)| key == "huggingface");
    let value: serde_json::Value = remark.and_then(|(_, v)| serde_json::from_str(v).ok()).unwrap_or_default();
    let features = value["info"]["features"].as_object().into_iter().flatten();
    features
        .filter_map(|(name, feature)| {
            let names = feature["names"].as_array()?.iter().map(|n| n.as_str().map(str::to_owned));
            Some((name.clone(), names.collect::<Option<Vec<_>>>()?))
        })
        .collect()
}

/// Fields of a row without empty ones.
type Fields<'n> = Vec<(&'n str, String)>;

/// The rows of a group without stored audio.
fn scalars<'n, R: Read + Seek>(
    file: &mut R,
    metadata: &Metadata,
    layout: &'n Layout<'_>,
    group: &RowGroup,
    room: &mut usize,
) -> Result<Vec<Fields<'n>>, ParquetError> {
    let mut rows: Vec<Fields<'n>> = Vec::new();
    for (leaf, name) in &layout.scalars {
        let mut row = 0usize;
        let labels = layout.labels.get(name);
        column(file, metadata, group, *leaf, &mut |value| {
            if rows.len() <= row {
                rows.push(Fields::new());
            }
            let text = match value {
                None => None,
                // A column of bytes is no text; it is passed over.
                Some(Value::Bytes(bytes)) => std::str::from_utf8(bytes).ok().map(|t| t.trim().to_owned()),
                Some(Value::Int(n)) => Some(match labels.and_then(|l| l.get(usize::try_from(n).ok()?)) {
                    Some(label) => label.clone(),
                    None => n.to_string(),
                }),
                Some(Value::Float(n)) => Some(n.to_string()),
                Some(Value::Bool(b)) => Some(b.to_string()),
            };
            if let Some(text) = text.filter(|t| !t.is_empty()) {
                let full = ParquetError::TooMuch { unit: "bytes of text", limit: MAX_TEXT as u64 };
                *room = room.checked_sub(text.len() + 48).ok_or(full)?;
                rows[row].push((name, text));
            }
            row += 1;
            Ok(())
        })?;
    }
    rows.resize(usize::try_from(group.rows).unwrap_or(0), Fields::new());
    Ok(rows)
}

/// Calls `each` for the values of a column, which must be as many as the group has rows.
fn column<R: Read + Seek>(
    file: &mut R,
    metadata: &Metadata,
    group: &RowGroup,
    leaf: usize,
    each: &mut dyn FnMut(Option<Value<'_>>) -> Result<(), ParquetError>,
) -> Result<(), ParquetError> {
    let Some(chunk) = group.chunks.iter().find(|c| c.leaf == leaf) else { return Ok(()) };
    if chunk.values != group.rows {
        return Err(ParquetError::Malformed { what: "a column with another number of values than rows" });
    }
    page::values(file, chunk, &metadata.leaves[leaf], each)
}

/// Recordings inside the table: written out where the caller wants them, else refused.
#[expect(clippy::too_many_arguments, reason = "one loop's state, called once")]
fn stored<'n, R: Read + Seek>(
    file: &mut R,
    metadata: &Metadata,
    group: &RowGroup,
    leaf: usize,
    first: u64,
    layout: &'n Layout<'_>,
    rows: &mut [Fields<'n>],
    extract: &mut Option<&mut Extract<'_>>,
    room: &mut u64,
) -> Result<(), Failed> {
    let mut found = None;
    let mut row = 0usize;
    let outcome = column(file, metadata, group, leaf, &mut |value| {
        let at = row;
        row += 1;
        let Some(Value::Bytes(bytes)) = value else { return Ok(()) };
        let Some(extract) = extract else {
            found = Some(at);
            return Err(ParquetError::Stopped);
        };
        let full = ParquetError::Bomb { compressed: 0, declared: bytes.len() as u64 };
        *room = room.checked_sub(bytes.len() as u64).ok_or(full)?;
        let Some(fields) = rows.get_mut(at) else {
            return Err(ParquetError::Malformed { what: "more recordings than rows" });
        };
        let known = fields.iter().position(|(name, _)| *name == layout.audio);
        let name = known.map_or("", |i| fields[i].1.as_str());
        let path = extract(first + at as u64, name, bytes)?;
        match known {
            Some(i) => fields[i].1 = path,
            None => fields.push((layout.audio, path)),
        }
        Ok(())
    });
    match (outcome, found) {
        (Err(ParquetError::Stopped), Some(_)) => Err(Failed::Kind(ProblemKind::Unsupported {
            what: format!("audio inside the table (column `{}`) without a place for it", layout.audio),
            instead: "name a folder with --out-audio DIR; every recording becomes a file there".into(),
        })),
        (outcome, _) => Ok(outcome?),
    }
}
