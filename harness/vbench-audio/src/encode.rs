//! Audio out: WAV files, and compact Ogg Opus for players in a page.

use std::path::Path;

use vbench_core::{Opus, OpusMode};

use crate::RATE_HZ;
use crate::codec::opus::{self, FRAME};
use crate::decode::page_crc;
use crate::degrade::{Grid, quantise};
use crate::error::EncodeError;

/// Bit rate of [`encode_ogg_opus`], kbit/s.
const EMBED_KBPS: u32 = 24;
/// Effort of its encoder, of 10: players in a page need no more, and a report waits for ten clips.
const EMBED_COMPLEXITY: u32 = 6;
/// Samples at 48 kHz, the unit of Opus' granule positions, in one at 16 kHz.
const GRANULES_PER_SAMPLE: u64 = 48_000 / RATE_HZ as u64;
/// Packets of 20 ms in a page: one second, so that players can seek.
const PACKETS_PER_PAGE: usize = 50;
/// Serial number of the one logical stream: fixed, so that the bytes depend on the audio alone.
const SERIAL: u32 = 0x7662_6e63;

/// Mono 16-bit PCM WAV at 16 kHz as bytes; samples beyond full scale are clamped, halves rounded to even.
///
/// # Errors
/// [`EncodeError::Codec`] when the audio exceeds what a RIFF file can hold (4 GiB).
pub fn encode_wav(samples: &[f32]) -> Result<Vec<u8>, EncodeError> {
    let failed = |e: hound::Error| EncodeError::Codec { codec: "WAV", message: e.to_string() };
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut bytes = std::io::Cursor::new(Vec::with_capacity(44 + 2 * samples.len()));
    let mut writer = hound::WavWriter::new(&mut bytes, spec).map_err(failed)?;
    let mut grid = Grid::default();
    for x in samples {
        writer.write_sample((quantise(f64::from(*x), &mut grid) * 32_768.0) as i16).map_err(failed)?;
    }
    writer.finalize().map_err(failed)?;
    Ok(bytes.into_inner())
}

/// The head of a WAV file of `bytes` bytes of 16-bit mono samples at 16 kHz; the samples follow it as they are.
///
/// # Errors
/// [`EncodeError::Codec`] when the audio exceeds what a RIFF file can hold (4 GiB).
pub fn wav_header(bytes: usize) -> Result<Vec<u8>, EncodeError> {
    // The header of an empty file, with both lengths set.
    let mut head = encode_wav(&[])?;
    let header = head.len() as u32;
    let length = u32::try_from(bytes).ok().filter(|n| n.checked_add(header).is_some());
    let length = length.ok_or_else(|| EncodeError::Codec { codec: "WAV", message: "longer than 4 GiB".into() })?;
    head[4..8].copy_from_slice(&(length + header - 8).to_le_bytes());
    head[header as usize - 4..].copy_from_slice(&length.to_le_bytes());
    Ok(head)
}

/// Writes a mono 16-bit PCM WAV file at 16 kHz, replacing what is there.
///
/// # Errors
/// [`EncodeError::Write`] when the file cannot be written, else as [`encode_wav`].
pub fn write_wav(path: &Path, samples: &[f32]) -> Result<(), EncodeError> {
    let bytes = encode_wav(samples)?;
    std::fs::write(path, bytes).map_err(|e| EncodeError::Write { path: path.to_owned(), message: e.to_string() })
}

/// Encodes mono 16 kHz audio as Ogg Opus at about 24 kbit/s, for players in a report: about 3 kB a second.
///
/// The same samples give the same bytes. RFC 7845: pre-skip and the last page's granule position let a player
/// restore exactly the clip's length.
///
/// # Errors
/// [`EncodeError::Codec`] when the encoder fails.
pub fn encode_ogg_opus(samples: &[f32]) -> Result<Vec<u8>, EncodeError> {
    let settings = Opus { complexity: EMBED_COMPLEXITY, ..opus::settings(EMBED_KBPS, OpusMode::Audio) };
    let coded =
        opus::encode(samples, &settings, 0.0).map_err(|message| EncodeError::Codec { codec: "Opus", message })?;
    let pre_skip = coded.lookahead as u64 * GRANULES_PER_SAMPLE;
    let mut head = b"OpusHead\x01\x01".to_vec();
    head.extend_from_slice(&(pre_skip as u16).to_le_bytes());
    head.extend_from_slice(&RATE_HZ.to_le_bytes());
    // Output gain 0 dB, channel mapping family 0.
    head.extend_from_slice(&[0, 0, 0]);
    let vendor = b"vbench";
    let mut tags = b"OpusTags".to_vec();
    tags.extend_from_slice(&(vendor.len() as u32).to_le_bytes());
    tags.extend_from_slice(vendor);
    tags.extend_from_slice(&0u32.to_le_bytes());

    let mut pages = Pages::default();
    pages.write(&[&head], 0, false);
    pages.write(&[&tags], 0, coded.packets.is_empty());
    let end = pre_skip + samples.len() as u64 * GRANULES_PER_SAMPLE;
    let groups = coded.packets.len().div_ceil(PACKETS_PER_PAGE);
    for (index, group) in coded.packets.chunks(PACKETS_PER_PAGE).enumerate() {
        let packets: Vec<&[u8]> = group.iter().map(Vec::as_slice).collect();
        let last = index + 1 == groups;
        let coded_so_far = ((index * PACKETS_PER_PAGE + group.len()) * FRAME) as u64 * GRANULES_PER_SAMPLE;
        pages.write(&packets, if last { end } else { coded_so_far }, last);
    }
    Ok(pages.bytes)
}

/// Writes Ogg pages of whole packets.
#[derive(Default)]
struct Pages {
    bytes: Vec<u8>,
    sequence: u32,
}

impl Pages {
    fn write(&mut self, packets: &[&[u8]], granule: u64, last: bool) {
        let mut page = b"OggS\0".to_vec();
        page.push(if self.sequence == 0 { 2 } else { 0 } | if last { 4 } else { 0 });
        page.extend_from_slice(&granule.to_le_bytes());
        page.extend_from_slice(&SERIAL.to_le_bytes());
        page.extend_from_slice(&self.sequence.to_le_bytes());
        page.extend_from_slice(&[0; 4]);
        let mut lacing = Vec::new();
        for packet in packets {
            lacing.extend(core::iter::repeat_n(255u8, packet.len() / 255));
            lacing.push((packet.len() % 255) as u8);
        }
        // 20 ms at 24 kbit/s are far below 255 bytes, hence 50 packets far below 255 segments.
        debug_assert!(lacing.len() <= 255);
        page.push(lacing.len() as u8);
        page.extend_from_slice(&lacing);
        packets.iter().for_each(|packet| page.extend_from_slice(packet));
        let crc = page_crc(&[&page]);
        page[22..26].copy_from_slice(&crc.to_le_bytes());
        self.bytes.extend_from_slice(&page);
        self.sequence += 1;
    }
}
