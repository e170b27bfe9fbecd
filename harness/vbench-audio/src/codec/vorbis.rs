//! Ogg Vorbis at 16 kHz mono by libvorbis with the aoTuV and Lancer patches; decoded by symphonia.

use core::num::{NonZeroU8, NonZeroU32};

use vorbis_rs::{VorbisBitrateManagementStrategy, VorbisEncoderBuilder};

use super::RoundTrip;
use crate::RATE_HZ;
use crate::decode::{DecodeOptions, decode_vorbis_stream};
use crate::error::DegradeError;

/// Serial number of the one logical stream: fixed, so that the bytes depend on the audio alone.
const SERIAL: i32 = 0x7662_6e63;
const MONO: NonZeroU8 = NonZeroU8::MIN;
const RATE: NonZeroU32 = NonZeroU32::new(RATE_HZ).expect("a rate above zero");

/// Through Ogg Vorbis and back at `quality`, -0.1 to 1 (variable bit rate).
///
/// The stream's granule positions say which samples belong to the clip, so no delay is left to remove.
pub(crate) fn round_trip(samples: &[f32], quality: f64) -> Result<RoundTrip, DegradeError> {
    if !(-0.1..=1.0).contains(&quality) {
        let (parameter, expected) = ("Vorbis quality", "-0.1 to 1");
        return Err(DegradeError::Parameter { parameter, actual: quality, expected });
    }
    let failed = |message: String| DegradeError::Codec { codec: "Vorbis", message };
    let stream = encode(samples, quality as f32).map_err(|e| failed(e.to_string()))?;
    let options = DecodeOptions { max_duration_s: f64::from(u32::MAX), ..DecodeOptions::default() };
    let pcm = decode_vorbis_stream(&stream, &options).map_err(|e| failed(e.to_string()))?;
    if pcm.mono.len() != samples.len() || pcm.rate_hz != RATE_HZ {
        return Err(failed(format!(
            "{} samples at {} Hz came back for {} at {RATE_HZ}",
            pcm.mono.len(),
            pcm.rate_hz,
            samples.len()
        )));
    }
    Ok(RoundTrip {
        samples: pcm.mono,
        kbps: audio_bytes(&stream) as f64 * 8.0 * f64::from(RATE_HZ) / samples.len() as f64 / 1000.0,
        delay_removed: 0,
        encoder: vendor(&stream),
        decoder: "symphonia 0.6".to_owned(),
        achieved: Vec::new(),
        facts: Vec::new(),
    })
}

fn encode(samples: &[f32], quality: f32) -> Result<Vec<u8>, vorbis_rs::VorbisError> {
    // The encoder copies a block at a time into a buffer of its own, which grows with the block.
    const BLOCK: usize = 4096;
    let mut builder = VorbisEncoderBuilder::new_with_serial(RATE, MONO, Vec::new(), SERIAL);
    builder.bitrate_management_strategy(VorbisBitrateManagementStrategy::QualityVbr { target_quality: quality });
    let mut encoder = builder.build()?;
    for block in samples.chunks(BLOCK) {
        encoder.encode_audio_block([block])?;
    }
    encoder.finish()
}

/// The encoder's own name, from the comment header.
fn vendor(stream: &[u8]) -> String {
    const HEADER: &[u8] = b"\x03vorbis";
    let start = stream.windows(HEADER.len()).position(|w| w == HEADER).map_or(stream.len(), |at| at + HEADER.len());
    let text = stream.get(start..).unwrap_or_default().split_first_chunk::<4>();
    let vendor = text.and_then(|(len, text)| text.get(..u32::from_le_bytes(*len) as usize)).unwrap_or_default();
    String::from_utf8_lossy(vendor).into_owned()
}

/// Bytes of the pages that hold audio: those with a time. The three headers weigh more than a short clip.
fn audio_bytes(stream: &[u8]) -> usize {
    const PAGE_HEADER: usize = 27;
    let (mut at, mut bytes) = (0, 0);
    while let Some(header) = stream.get(at..at + PAGE_HEADER) {
        let lacing = stream.get(at + PAGE_HEADER..at + PAGE_HEADER + usize::from(header[26])).unwrap_or_default();
        let len = PAGE_HEADER + lacing.iter().map(|l| 1 + usize::from(*l)).sum::<usize>();
        bytes += if header[6..14] == [0; 8] { 0 } else { len };
        at += len;
    }
    bytes
}
