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

/// All packets of the one logical stream in `bytes`.
pub(super) fn read_packets(bytes: &[u8], format: Format) -> Result<Vec<Packet>, DecodeError> {
    let malformed = |position: usize, expected: &str, actual: String| DecodeError::Malformed {
        format,
        position: position as u64,
        expected: expected.into(),
        actual,
    };
    let truncated = |unit, expected: usize, actual: usize| DecodeError::Truncated {
        format,
        unit,
        expected: expected as u64,
        actual: actual as u64,
    };
    let mut packets: Vec<Packet> = Vec::new();
    let mut open = Vec::new();
    let mut stream: Option<(u32, u32)> = None;
    let (mut at, mut ended) = (0, false);
    while at < bytes.len() && !ended {
        let page = &bytes[at..];
        if page.len() < HEADER {
            return Err(truncated("bytes in the last page header", HEADER, page.len()));
        }
        if !page.starts_with(b"OggS") || page[4] != 0 {
            return Err(malformed(at, "an Ogg page of version 0", format!("bytes {:02x?}", &page[..5])));
        }
        let le32 = |i: usize| u32::from_le_bytes([page[i], page[i + 1], page[i + 2], page[i + 3]]);
        let body_at = HEADER + usize::from(page[26]);
        let lacing = page.get(HEADER..body_at).ok_or_else(|| truncated("bytes in the last page", body_at, page.len()))?;
        let page_len = body_at + lacing.iter().map(|l| usize::from(*l)).sum::<usize>();
        let body = page.get(body_at..page_len).ok_or_else(|| truncated("bytes in the last page", page_len, page.len()))?;
        let crc = page_crc(&[&page[..22], &[0; 4], &page[26..page_len]]);
        if crc != le32(22) {
            return Err(malformed(at + 22, &format!("page checksum {crc:08x}"), format!("{:08x}", le32(22))));
        }
        let (serial, sequence) = (le32(14), le32(18));
        if let Some((first_serial, next)) = stream {
            if serial != first_serial {
                return Err(DecodeError::Unsupported { format, what: "more than one logical stream in a file".into() });
            }
            if sequence != next {
                return Err(malformed(at + 18, &format!("page {next}"), format!("page {sequence}")));
            }
        }
        stream = Some((serial, sequence.wrapping_add(1)));
        if (page[5] & 1 != 0) == open.is_empty() && (page[5] & 1 != 0 || !packets.is_empty()) && !lacing.is_empty() {
            let expected = if open.is_empty() { "a fresh packet" } else { "a continued packet" };
            return Err(malformed(at + 5, expected, format!("page flags {:02x}", page[5])));
        }
        let granule = i64::from_le_bytes([page[6], page[7], page[8], page[9], page[10], page[11], page[12], page[13]]);
        let before = packets.len();
        let mut offset = 0;
        for lace in lacing {
            open.extend_from_slice(&body[offset..offset + usize::from(*lace)]);
            offset += usize::from(*lace);
            if *lace < 255 {
                packets.push(Packet { data: std::mem::take(&mut open), position: at as u64, granule: None });
            }
        }
        if packets.len() > before
            && let Some(last) = packets.last_mut()
        {
            last.granule = (granule != -1).then_some(granule);
        }
        ended = page[5] & 4 != 0;
        at += page_len;
    }
    if !ended {
        return Err(truncated("pages with the end-of-stream flag", 1, 0));
    }
    if at < bytes.len() {
        let what = format!("{} bytes after the end of the stream (a chained stream?)", bytes.len() - at);
        return Err(DecodeError::Unsupported { format, what });
    }
    Ok(packets)
}
