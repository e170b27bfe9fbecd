//! RIFF WAVE.

use super::stretch::Source;
use super::{DecodeOptions, Format, Pcm, cut};
use crate::error::DecodeError;

const FORMAT_PCM: u16 = 1;
const FORMAT_FLOAT: u16 = 3;
const FORMAT_EXTENSIBLE: u16 = 0xFFFE;
/// Bytes 2..16 of every sub-format GUID that stands for a format tag.
const GUID_TAIL: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];

#[derive(Debug, Clone, Copy)]
enum Coding {
    Unsigned8,
    Signed16,
    Signed24,
    Signed32,
    Float32,
    Float64,
}

struct Fmt {
    coding: Coding,
    channels: u16,
    rate_hz: u32,
    block_align: usize,
}

/// What the chunks before the samples say.
pub(super) struct Layout {
    fmt: Fmt,
    data_at: u64,
    data_bytes: u64,
}

impl Layout {
    pub(super) fn rate_hz(&self) -> u32 {
        self.fmt.rate_hz
    }

    pub(super) fn channels(&self) -> u32 {
        u32::from(self.fmt.channels)
    }

    pub(super) fn frames(&self) -> u64 {
        self.data_bytes / self.fmt.block_align as u64
    }
}

pub(super) fn decode(bytes: &[u8], options: &DecodeOptions) -> Result<Pcm, DecodeError> {
    let layout = layout(&mut &*bytes, bytes.len() as u64)?;
    // `layout` has checked that the chunk is there.
    let data = &bytes[layout.data_at as usize..][..layout.data_bytes as usize];
    let mut pcm = Pcm::new(Format::Wav, layout.rate_hz(), layout.channels(), options)?;
    read_data(data, &layout, &mut pcm)?;
    Ok(pcm)
}

/// Decodes a stretch, of which nothing else is read.
pub(super) fn decode_stretch(source: &mut impl Source, len: u64, options: &DecodeOptions) -> Result<Pcm, DecodeError> {
    let layout = layout(source, len)?;
    let mut pcm = Pcm::new(Format::Wav, layout.rate_hz(), layout.channels(), options)?;
    let range = cut(layout.frames(), layout.rate_hz(), options)?;
    if range.end - range.start > pcm.max_frames as u64 {
        return Err(DecodeError::TooLong { format: Format::Wav, limit_s: pcm.max_duration_s });
    }
    let align = layout.fmt.block_align as u64;
    let mut data = vec![0; ((range.end - range.start) * align) as usize];
    let got = source.read_at(layout.data_at + range.start * align, &mut data)?;
    if got < data.len() {
        let (expected, actual) = (range.end, range.start + got as u64 / align);
        return Err(DecodeError::Truncated { format: Format::Wav, unit: "samples", expected, actual });
    }
    (pcm.first, pcm.total) = (range.start, Some(layout.frames()));
    read_data(&data, &layout, &mut pcm)?;
    Ok(pcm)
}

/// Reads chunk headers up to the samples, which must all be there.
pub(super) fn layout(source: &mut impl Source, len: u64) -> Result<Layout, DecodeError> {
    let mut fmt = None;
    let mut at = 12u64;
    loop {
        let mut header = [0; 8];
        if source.read_at(at, &mut header)? < 8 {
            let expected = if fmt.is_none() { "a fmt chunk" } else { "a data chunk" };
            return Err(malformed(at, expected, "the end of the file".into()));
        }
        let size = u64::from(u32::from_le_bytes([header[4], header[5], header[6], header[7]]));
        let body = at + 8;
        let present = len.saturating_sub(body);
        match &header[..4] {
            b"fmt " => {
                // The longest known form has 40 bytes.
                let mut chunk = vec![0; size.min(present).min(64) as usize];
                let got = source.read_at(body, &mut chunk)?;
                fmt = Some(read_fmt(&chunk[..got], body)?);
            }
            b"data" => {
                let fmt =
                    fmt.ok_or_else(|| malformed(at, "a fmt chunk before the data chunk", "a data chunk".into()))?;
                let per_sample = fmt.block_align as u64;
                if size > present {
                    return Err(DecodeError::Truncated {
                        format: Format::Wav,
                        unit: "samples",
                        expected: size / per_sample,
                        actual: present / per_sample,
                    });
                }
                return Ok(Layout { fmt, data_at: body, data_bytes: size });
            }
            _ => {}
        }
        if size > present {
            return Err(DecodeError::Truncated {
                format: Format::Wav,
                unit: "bytes of a chunk",
                expected: size,
                actual: present,
            });
        }
        // Chunks are padded to even sizes.
        at = body + size + size % 2;
    }
}

fn malformed(position: u64, expected: &str, actual: String) -> DecodeError {
    DecodeError::Malformed { format: Format::Wav, position, expected: expected.into(), actual }
}

fn read_fmt(chunk: &[u8], position: u64) -> Result<Fmt, DecodeError> {
    if chunk.len() < 16 {
        return Err(malformed(position, "a fmt chunk of at least 16 bytes", format!("{} bytes", chunk.len())));
    }
    let u16_at = |i: usize| u16::from_le_bytes([chunk[i], chunk[i + 1]]);
    let rate_hz = u32::from_le_bytes([chunk[4], chunk[5], chunk[6], chunk[7]]);
    let (channels, block_align, bits) = (u16_at(2), u16_at(12), u16_at(14));
    let mut tag = u16_at(0);
    if tag == FORMAT_EXTENSIBLE {
        if chunk.len() < 40 {
            return Err(malformed(position, "an extensible fmt chunk of 40 bytes", format!("{} bytes", chunk.len())));
        }
        if chunk[26..40] != GUID_TAIL {
            return Err(unsupported(format!("sub-format GUID {:02x?}", &chunk[24..40])));
        }
        tag = u16_at(24);
    }
    let coding = match (tag, bits) {
        (FORMAT_PCM, 8) => Coding::Unsigned8,
        (FORMAT_PCM, 16) => Coding::Signed16,
        (FORMAT_PCM, 24) => Coding::Signed24,
        (FORMAT_PCM, 32) => Coding::Signed32,
        (FORMAT_FLOAT, 32) => Coding::Float32,
        (FORMAT_FLOAT, 64) => Coding::Float64,
        _ => {
            return Err(unsupported(format!("format tag {tag:#06x} with {bits} bits a sample")));
        }
    };
    let want = usize::from(channels) * usize::from(bits / 8);
    if channels > 0 && usize::from(block_align) != want {
        return Err(malformed(
            position + 12,
            &format!("a block of {want} bytes ({channels} channels of {bits} bits)"),
            format!("{block_align} bytes"),
        ));
    }
    Ok(Fmt { coding, channels, rate_hz, block_align: want.max(1) })
}

fn unsupported(what: String) -> DecodeError {
    DecodeError::Unsupported { format: Format::Wav, what }
}

fn read_data(data: &[u8], layout: &Layout, pcm: &mut Pcm) -> Result<(), DecodeError> {
    let (fmt, position) = (&layout.fmt, layout.data_at);
    if !data.len().is_multiple_of(fmt.block_align) {
        return Err(malformed(
            position,
            &format!("data of whole samples of {} bytes", fmt.block_align),
            format!("{} bytes", data.len()),
        ));
    }
    let mut block = Vec::new();
    for part in data.chunks(fmt.block_align * 4096) {
        block.clear();
        match fmt.coding {
            Coding::Unsigned8 => block.extend(part.iter().map(|b| (f32::from(*b) - 128.0) / 128.0)),
            Coding::Signed16 => block.extend(words::<2>(part).map(|w| f32::from(i16::from_le_bytes(w)) / 32768.0)),
            Coding::Signed24 => {
                block.extend(words::<3>(part).map(|[a, b, c]| {
                    // The top three bytes of a 32-bit word; 24 bits fit a single exactly.
                    (i32::from_le_bytes([0, a, b, c]) >> 8) as f32 / 8_388_608.0
                }));
            }
            Coding::Signed32 => {
                block.extend(words::<4>(part).map(|w| (f64::from(i32::from_le_bytes(w)) / 2_147_483_648.0) as f32));
            }
            Coding::Float32 => block.extend(words::<4>(part).map(f32::from_le_bytes)),
            Coding::Float64 => block.extend(words::<8>(part).map(|w| f64::from_le_bytes(w) as f32)),
        }
        pcm.push_interleaved(&block)?;
    }
    Ok(())
}

fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> + '_ {
    bytes.as_chunks::<N>().0.iter().copied()
}
