//! Thrift's compact protocol, as much of it as Parquet's metadata needs.

use super::ParquetError;

/// Deepest nesting of structs and lists that is read.
const MAX_DEPTH: usize = 24;

/// Reads values off the front of bytes.
pub struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    depth: usize,
}

/// The kinds of values on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A boolean, which stands in its field's header.
    Bool(bool),
    /// One byte.
    Byte,
    /// 16, 32 or 64 bits as a zigzag number.
    Int,
    /// Eight bytes.
    Double,
    /// A length and bytes.
    Binary,
    /// A list or set.
    List,
    /// A map.
    Map,
    /// A struct.
    Struct,
}

impl<'b> Reader<'b> {
    /// A reader from the beginning of `bytes`.
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0, depth: 0 }
    }

    /// How many bytes were read.
    pub fn position(&self) -> usize {
        self.at
    }

    fn byte(&mut self) -> Result<u8, ParquetError> {
        let byte = *self.bytes.get(self.at).ok_or(ParquetError::Truncated { what: "metadata" })?;
        self.at += 1;
        Ok(byte)
    }

    fn unsigned(&mut self) -> Result<u64, ParquetError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ParquetError::Malformed { what: "a number of more than 64 bits in the metadata" })
    }

    /// A zigzag number.
    pub fn int(&mut self) -> Result<i64, ParquetError> {
        let value = self.unsigned()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A number that counts or measures something.
    pub fn size(&mut self) -> Result<u64, ParquetError> {
        u64::try_from(self.int()?).map_err(|_| ParquetError::Malformed { what: "a negative size in the metadata" })
    }

    /// A length and its bytes.
    pub fn binary(&mut self) -> Result<&'b [u8], ParquetError> {
        let len = usize::try_from(self.unsigned()?).unwrap_or(usize::MAX);
        let end = self.at.checked_add(len).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or(ParquetError::Truncated { what: "metadata" })?;
        let bytes = &self.bytes[self.at..end];
        self.at = end;
        Ok(bytes)
    }

    /// Text, with what is not UTF-8 replaced.
    pub fn text(&mut self) -> Result<String, ParquetError> {
        Ok(String::from_utf8_lossy(self.binary()?).into_owned())
    }

    /// Calls `field` for every field of a struct; what it does not read it must [`Reader::skip`].
    pub fn fields(
        &mut self,
        mut field: impl FnMut(&mut Self, i64, Kind) -> Result<(), ParquetError>,
    ) -> Result<(), ParquetError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ParquetError::Malformed { what: "metadata nested too deeply" });
        }
        let mut id = 0i64;
        loop {
            let header = self.byte()?;
            if header == 0 {
                self.depth -= 1;
                return Ok(());
            }
            let delta = i64::from(header >> 4);
            id = if delta == 0 { self.int()? } else { id.saturating_add(delta) };
            let kind = Self::kind(header & 15, true)?;
            field(self, id, kind)?;
        }
    }

    /// Calls `element` for every element of a list.
    pub fn list(
        &mut self,
        mut element: impl FnMut(&mut Self, Kind) -> Result<(), ParquetError>,
    ) -> Result<(), ParquetError> {
        let header = self.byte()?;
        let count = if header >> 4 == 15 { self.unsigned()? } else { u64::from(header >> 4) };
        let kind = Self::kind(header & 15, false)?;
        for _ in 0..count {
            // In a list a boolean is a byte of its own.
            let kind = if let Kind::Bool(_) = kind { Kind::Bool(self.byte()? == 1) } else { kind };
            // An empty struct still has its end: every element takes a byte, so a false count ends with the input.
            element(self, kind)?;
        }
        Ok(())
    }

    /// Passes over a value.
    pub fn skip(&mut self, kind: Kind) -> Result<(), ParquetError> {
        match kind {
            Kind::Bool(_) => Ok(()),
            Kind::Byte => self.byte().map(drop),
            Kind::Int => self.unsigned().map(drop),
            Kind::Double => (0..8).try_for_each(|_| self.byte().map(drop)),
            Kind::Binary => self.binary().map(drop),
            Kind::Struct => self.fields(|r, _, kind| r.skip(kind)),
            Kind::List => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err(ParquetError::Malformed { what: "metadata nested too deeply" });
                }
                self.list(Self::skip)?;
                self.depth -= 1;
                Ok(())
            }
            Kind::Map => Err(ParquetError::Malformed { what: "a map in the metadata, where Parquet has none" }),
        }
    }

    fn kind(code: u8, field: bool) -> Result<Kind, ParquetError> {
        Ok(match code {
            1 => Kind::Bool(field),
            2 => Kind::Bool(false),
            3 => Kind::Byte,
            4..=6 => Kind::Int,
            7 => Kind::Double,
            8 => Kind::Binary,
            9 | 10 => Kind::List,
            11 => Kind::Map,
            12 => Kind::Struct,
            _ => return Err(ParquetError::Malformed { what: "an unknown type in the metadata" }),
        })
    }
}
