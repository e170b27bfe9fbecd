//! Ogg pages (RFC 3533): checksums, continuity and packets of one logical stream.

use super::Format;
use crate::error::DecodeError;

/// One packet of the stream.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Packet {
    pub(super) data: Vec<u8>,
    /// Byte offset of the page that it ends on.
    pub(super) position: u64,
    /// Granule position of the page, on the last packet that ends on it.
    pub(super) granule: Option<i64>,
}

const HEADER: usize = 27;

/// Checksum of a page whose checksum field is zero: CRC-32 of polynomial 04c11db7, unreflected, from 0.
pub(crate) fn page_crc(parts: &[&[u8]]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0u32; 256];
        let mut i = 0;
        while i < 256 {
            let mut r = (i as u32) << 24;
            let mut bit = 0;
            while bit < 8 {
                r = if r & 0x8000_0000 != 0 { (r << 1) ^ 0x04c1_1db7 } else { r << 1 };
                bit += 1;
            }
            table[i] = r;
            i += 1;
        }
        table
    };
    parts.iter().flat_map(|p| p.iter()).fold(0, |crc, b| (crc << 8) ^ TABLE[usize::from((crc >> 24) as u8 ^ b)])
}

/// The codec of the first page's packet.
pub(super) fn sniff_codec(bytes: &[u8]) -> Format {
    let segments = usize::from(bytes.get(HEADER - 1).copied().unwrap_or(0));
    let body = bytes.get(HEADER + segments..).unwrap_or_default();
    if body.starts_with(b"OpusHead") {
        Format::OggOpus
    } else if body.starts_with(b"\x01vorbis") {
        Format::OggVorbis
    } else {
        Format::Ogg
    }
}

/// One page whose checksum holds.
struct Page<'a> {
    flags: u8,
    granule: i64,
    serial: u32,
    sequence: u32,
    lacing: &'a [u8],
    body: &'a [u8],
    len: usize,
}

const CONTINUED: u8 = 1;
const END_OF_STREAM: u8 = 4;

fn malformed(format: Format, position: usize, expected: &str, actual: String) -> DecodeError {
    DecodeError::Malformed { format, position: position as u64, expected: expected.into(), actual }
}

fn read_page(bytes: &[u8], at: usize, format: Format) -> Result<Page<'_>, DecodeError> {
    let page = &bytes[at..];
    let truncated = |unit, expected: usize| DecodeError::Truncated {
        format,
        unit,
        expected: expected as u64,
        actual: page.len() as u64,
    };
    if page.len() < HEADER {
        return Err(truncated("bytes in the last page header", HEADER));
    }
    if !page.starts_with(b"OggS") || page[4] != 0 {
        let actual = format!("bytes {:02x?}", &page[..5]);
        return Err(malformed(format, at, "an Ogg page of version 0", actual));
    }
    let body_at = HEADER + usize::from(page[26]);
    let lacing = page.get(HEADER..body_at).ok_or_else(|| truncated("bytes in the last page", body_at))?;
    let len = body_at + lacing.iter().map(|l| usize::from(*l)).sum::<usize>();
    let body = page.get(body_at..len).ok_or_else(|| truncated("bytes in the last page", len))?;
    let le32 = |i: usize| u32::from_le_bytes([page[i], page[i + 1], page[i + 2], page[i + 3]]);
    let crc = page_crc(&[&page[..22], &[0; 4], &page[26..len]]);
    if crc != le32(22) {
        let expected = format!("page checksum {crc:08x}");
        return Err(malformed(format, at + 22, &expected, format!("{:08x}", le32(22))));
    }
    let granule = (u64::from(le32(10)) << 32 | u64::from(le32(6))) as i64;
    Ok(Page { flags: page[5], granule, serial: le32(14), sequence: le32(18), lacing, body, len })
}

/// All packets of the one logical stream in `bytes`; never empty.
pub(super) fn read_packets(bytes: &[u8], format: Format) -> Result<Vec<Packet>, DecodeError> {
    let mut packets: Vec<Packet> = Vec::new();
    let mut open = Vec::new();
    let mut stream: Option<(u32, u32)> = None;
    let (mut at, mut ended) = (0, false);
    while at < bytes.len() && !ended {
        let page = read_page(bytes, at, format)?;
        if let Some((serial, next)) = stream {
            if page.serial != serial {
                let what = "more than one logical stream in a file".into();
                return Err(DecodeError::Unsupported { format, what });
            }
            if page.sequence != next {
                let (expected, actual) = (format!("page {next}"), format!("page {}", page.sequence));
                return Err(malformed(format, at + 18, &expected, actual));
            }
        }
        stream = Some((page.serial, page.sequence.wrapping_add(1)));
        let continued = page.flags & CONTINUED != 0;
        if !page.lacing.is_empty() && continued == open.is_empty() {
            let expected = if continued { "a fresh packet" } else { "a continued packet" };
            return Err(malformed(format, at + 5, expected, format!("page flags {:02x}", page.flags)));
        }
        let before = packets.len();
        let mut offset = 0;
        for lace in page.lacing {
            let end = offset + usize::from(*lace);
            open.extend_from_slice(&page.body[offset..end]);
            offset = end;
            if *lace < 255 {
                let data = std::mem::take(&mut open);
                packets.push(Packet { data, position: at as u64, granule: None });
            }
        }
        if packets.len() > before
            && let Some(last) = packets.last_mut()
        {
            last.granule = (page.granule != -1).then_some(page.granule);
        }
        ended = page.flags & END_OF_STREAM != 0;
        at += page.len;
    }
    if !ended {
        let unit = "pages with the end-of-stream flag";
        return Err(DecodeError::Truncated { format, unit, expected: 1, actual: 0 });
    }
    if at < bytes.len() {
        let what = format!("{} bytes after the end of the stream (a chained stream?)", bytes.len() - at);
        return Err(DecodeError::Unsupported { format, what });
    }
    if packets.is_empty() {
        return Err(DecodeError::Empty { format });
    }
    Ok(packets)
}
