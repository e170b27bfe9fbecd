//! Encodings of levels and values (Apache Parquet format 2.x, `Encodings.md`).

use super::ParquetError;
use super::metadata::Physical;
use super::page::Value;

const TRUNCATED: ParquetError = ParquetError::Truncated { what: "page" };

/// A length of four bytes and as many bytes; they and the rest.
pub fn plain_bytes(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*len) as usize)
}

fn unsigned(bytes: &mut &[u8]) -> Result<u64, ParquetError> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(TRUNCATED)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(ParquetError::Malformed { what: "a number of more than 64 bits in a page" })
}

fn zigzag(bytes: &mut &[u8]) -> Result<i64, ParquetError> {
    let value = unsigned(bytes)?;
    Ok((value >> 1) as i64 ^ -((value & 1) as i64))
}

/// `width` bits from bit `at` on, the lowest first.
fn bits(bytes: &[u8], at: usize, width: u32) -> Option<u64> {
    let mut value = 0u64;
    for i in 0..width as usize {
        let bit = at + i;
        value |= u64::from(bytes.get(bit / 8)? >> (bit % 8) & 1) << i;
    }
    Some(value)
}

/// The hybrid of runs and bit-packed groups.
pub struct Hybrid<'b> {
    bytes: &'b [u8],
    width: u32,
    run: Run<'b>,
}

enum Run<'b> {
    None,
    Repeated { left: u64, value: u64 },
    Packed { bytes: &'b [u8], at: usize, left: u64 },
}

impl<'b> Hybrid<'b> {
    /// Values of `width` bits.
    pub fn new(bytes: &'b [u8], width: u32) -> Self {
        Self { bytes, width: width.min(64), run: Run::None }
    }

    /// The next value.
    pub fn next(&mut self) -> Result<u64, ParquetError> {
        loop {
            match &mut self.run {
                Run::Repeated { left, value } if *left > 0 => {
                    *left -= 1;
                    return Ok(*value);
                }
                Run::Packed { bytes, at, left } if *left > 0 => {
                    let value = bits(bytes, *at, self.width).ok_or(TRUNCATED)?;
                    *at += self.width as usize;
                    *left -= 1;
                    return Ok(value);
                }
                _ => self.refill()?,
            }
        }
    }

    fn refill(&mut self) -> Result<(), ParquetError> {
        let header = unsigned(&mut self.bytes)?;
        self.run = if header & 1 == 0 {
            let bytes = self.width.div_ceil(8) as usize;
            let (value, rest) = self.bytes.split_at_checked(bytes).ok_or(TRUNCATED)?;
            self.bytes = rest;
            let value = value.iter().rev().fold(0, |v, b| v << 8 | u64::from(*b));
            Run::Repeated { left: header >> 1, value }
        } else {
            let left = (header >> 1).saturating_mul(8);
            // The last group may be cut short by a writer that knows how many values there are.
            let bytes = (header >> 1).saturating_mul(u64::from(self.width));
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).min(self.bytes.len());
            let (packed, rest) = self.bytes.split_at(bytes);
            self.bytes = rest;
            Run::Packed { bytes: packed, at: 0, left }
        };
        Ok(())
    }
}

/// Numbers as differences in blocks.
struct Deltas<'b> {
    bytes: &'b [u8],
    mini_blocks: u64,
    per_mini_block: u64,
    left: u64,
    last: i64,
    first: bool,
    widths: &'b [u8],
    least: i64,
    in_mini_block: u64,
    at: usize,
}

impl<'b> Deltas<'b> {
    /// At most `most` values: a few bytes can declare any number.
    fn new(mut bytes: &'b [u8], most: u64) -> Result<Self, ParquetError> {
        let block = unsigned(&mut bytes)?;
        let mini_blocks = unsigned(&mut bytes)?;
        let left = unsigned(&mut bytes)?;
        let last = zigzag(&mut bytes)?;
        let per_mini_block = block.checked_div(mini_blocks).unwrap_or(0);
        if per_mini_block == 0 || per_mini_block % 8 != 0 || block > 1 << 20 || left > most {
            return Err(ParquetError::Malformed { what: "the sizes of a delta encoding" });
        }
        let (widths, least) = (&bytes[..0], 0);
        Ok(Self { bytes, mini_blocks, per_mini_block, left, last, first: true, widths, least, in_mini_block: 0, at: 0 })
    }

    fn next(&mut self) -> Result<i64, ParquetError> {
        self.left = self.left.checked_sub(1).ok_or(TRUNCATED)?;
        if std::mem::take(&mut self.first) {
            return Ok(self.last);
        }
        if self.in_mini_block == 0 {
            if self.widths.is_empty() {
                self.least = zigzag(&mut self.bytes)?;
                let count = usize::try_from(self.mini_blocks).map_err(|_| TRUNCATED)?;
                (self.widths, self.bytes) = self.bytes.split_at_checked(count).ok_or(TRUNCATED)?;
            }
            self.in_mini_block = self.per_mini_block;
            self.at = 0;
        }
        let width = u32::from(self.widths[0]);
        if width > 64 {
            return Err(ParquetError::Malformed { what: "a width of more than 64 bits" });
        }
        let delta = bits(self.bytes, self.at, width).ok_or(TRUNCATED)?;
        self.at += width as usize;
        self.in_mini_block -= 1;
        if self.in_mini_block == 0 {
            self.widths = &self.widths[1..];
            self.bytes = &self.bytes[(self.at / 8).min(self.bytes.len())..];
        }
        self.last = self.last.wrapping_add(self.least).wrapping_add(delta as i64);
        Ok(self.last)
    }

    /// All values, and the bytes behind them.
    fn all(mut self) -> Result<(Vec<i64>, &'b [u8]), ParquetError> {
        let mut values = Vec::new();
        while self.left > 0 {
            values.push(self.next()?);
        }
        // The last miniblock is stored whole.
        let width = self.widths.first().copied().unwrap_or(0);
        let stored = if self.in_mini_block > 0 { self.per_mini_block * u64::from(width) / 8 } else { 0 };
        let rest = usize::try_from(stored).unwrap_or(usize::MAX).min(self.bytes.len());
        Ok((values, &self.bytes[rest..]))
    }
}

/// The values of a data page that has no dictionary.
pub struct Values<'b> {
    bytes: &'b [u8],
    kind: Encoded<'b>,
}

enum Encoded<'b> {
    Plain(Physical, usize),
    Runs(Hybrid<'b>),
    Deltas(Deltas<'b>),
    Lengths(std::vec::IntoIter<i64>),
    /// Lengths of what is shared with the value before, lengths of the rest, the value before.
    Prefixed(std::vec::IntoIter<i64>, std::vec::IntoIter<i64>, Vec<u8>),
}

impl<'b> Values<'b> {
    /// Values of the PLAIN encoding.
    pub fn plain(bytes: &'b [u8], physical: Physical) -> Self {
        Self { bytes, kind: Encoded::Plain(physical, 0) }
    }

    /// At most `most` values of the encoding of this number.
    pub fn new(encoding: i64, bytes: &'b [u8], physical: Physical, most: u64) -> Result<Self, ParquetError> {
        let integers = matches!(physical, Physical::Int32 | Physical::Int64);
        Ok(match (encoding, physical) {
            (0, _) => Self::plain(bytes, physical),
            (3, Physical::Boolean) => {
                let (runs, rest) = plain_bytes(bytes).ok_or(TRUNCATED)?;
                Self { bytes: rest, kind: Encoded::Runs(Hybrid::new(runs, 1)) }
            }
            (5, _) if integers => Self { bytes, kind: Encoded::Deltas(Deltas::new(bytes, most)?) },
            (6, Physical::ByteArray) => {
                let (lengths, rest) = Deltas::new(bytes, most)?.all()?;
                Self { bytes: rest, kind: Encoded::Lengths(lengths.into_iter()) }
            }
            (7, Physical::ByteArray) => {
                let (shared, rest) = Deltas::new(bytes, most)?.all()?;
                let (lengths, rest) = Deltas::new(rest, most)?.all()?;
                Self { bytes: rest, kind: Encoded::Prefixed(shared.into_iter(), lengths.into_iter(), Vec::new()) }
            }
            _ => {
                let what =
                    format!("encoding {encoding} of {physical:?} (write the file again with PLAIN or a dictionary)");
                return Err(ParquetError::Unsupported { what });
            }
        })
    }

    fn cut(bytes: &mut &'b [u8], length: Option<i64>) -> Result<&'b [u8], ParquetError> {
        let length = length.and_then(|l| usize::try_from(l).ok()).ok_or(TRUNCATED)?;
        let (value, rest) = bytes.split_at_checked(length).ok_or(TRUNCATED)?;
        *bytes = rest;
        Ok(value)
    }

    /// The next value.
    pub fn next(&mut self) -> Result<Value<'_>, ParquetError> {
        let bytes = &mut self.bytes;
        Ok(match &mut self.kind {
            Encoded::Runs(runs) => Value::Bool(runs.next()? != 0),
            Encoded::Deltas(deltas) => Value::Int(deltas.next()?),
            Encoded::Lengths(lengths) => Value::Bytes(Self::cut(bytes, lengths.next())?),
            Encoded::Prefixed(shared, lengths, last) => {
                let keep = shared.next().and_then(|s| usize::try_from(s).ok()).ok_or(TRUNCATED)?;
                if keep > last.len() {
                    return Err(ParquetError::Malformed { what: "a prefix longer than the value before" });
                }
                last.truncate(keep);
                last.extend_from_slice(Self::cut(bytes, lengths.next())?);
                Value::Bytes(last)
            }
            Encoded::Plain(physical, at) => match physical {
                Physical::Boolean => {
                    let bit = bits(bytes, *at, 1).ok_or(TRUNCATED)?;
                    *at += 1;
                    Value::Bool(bit != 0)
                }
                Physical::Int32 => Value::Int(i64::from(i32::from_le_bytes(fixed(bytes)?))),
                Physical::Int64 => Value::Int(i64::from_le_bytes(fixed(bytes)?)),
                Physical::Float => Value::Float(f64::from(f32::from_le_bytes(fixed(bytes)?))),
                Physical::Double => Value::Float(f64::from_le_bytes(fixed(bytes)?)),
                Physical::ByteArray | Physical::Other => {
                    let (value, rest) = plain_bytes(bytes).ok_or(TRUNCATED)?;
                    *bytes = rest;
                    Value::Bytes(value)
                }
            },
        })
    }
}

fn fixed<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], ParquetError> {
    let (value, rest) = bytes.split_first_chunk::<N>().ok_or(TRUNCATED)?;
    *bytes = rest;
    Ok(*value)
}
