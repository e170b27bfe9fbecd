//! Lossy codecs as round trips: encode, decode, remove the delay, keep the length.

mod aac;
pub mod adpcm;
pub mod g711;
pub mod g722;
pub mod gsm;
#[cfg(feature = "mp3")]
pub(crate) mod mp3;
mod narrowband;
pub(crate) mod opus;
mod vorbis;

use rand_chacha::ChaCha8Rng;
use vbench_core::Codec;

use crate::degrade::Grid;
use crate::error::DegradeError;
use narrowband::{through_8_khz, to_i16};

/// Decoded samples, aligned with the input and as many, and what the codec did.
#[derive(Debug)]
pub(crate) struct RoundTrip {
    pub(crate) samples: Vec<f32>,
    /// Bit rate of the coded stream, kbit/s.
    pub(crate) kbps: f64,
    /// Samples at 16 kHz by which the codec delayed the signal and that were removed.
    pub(crate) delay_removed: usize,
    pub(crate) encoder: String,
    pub(crate) decoder: String,
    /// Further values for the receipt.
    pub(crate) achieved: Vec<(String, f64)>,
    /// Further facts for the receipt.
    pub(crate) facts: Vec<(String, String)>,
}

/// Through a codec and back: mono at 16 kHz within -1..=1, as many samples.
///
/// `rng` decides which packets are lost; codecs without loss do not draw from it.
///
/// # Errors
/// [`DegradeError::Parameter`] for a setting outside its range, [`DegradeError::NoEncoder`], [`DegradeError::Codec`].
pub(crate) fn round_trip(codec: &Codec, samples: &[f32], rng: &mut ChaCha8Rng) -> Result<RoundTrip, DegradeError> {
    Ok(match codec {
        Codec::Mp3 { kbps } => mp3::round_trip(samples, *kbps)?,
        Codec::Opus(settings) => opus::round_trip(samples, settings, rng)?,
        Codec::Aac { kbps } => aac::round_trip(samples, *kbps)?,
        Codec::Vorbis { quality } => vorbis::round_trip(samples, *quality)?,
        Codec::MuLaw => narrow(samples, "vbench G.711", 64.0, |x| g711::decode_mulaw(&g711::encode_mulaw(x))),
        Codec::ALaw => narrow(samples, "vbench G.711", 64.0, |x| g711::decode_alaw(&g711::encode_alaw(x))),
        Codec::G722 => wideband_g722(samples),
        Codec::Gsm => narrow(samples, "vbench GSM 06.10", 13.0, |x| gsm::decode(&gsm::encode(x))),
        Codec::Adpcm => narrow(samples, "vbench IMA ADPCM", 32.0, |x| adpcm::decode(&adpcm::encode(x).0)),
        Codec::Narrowband => narrow(samples, "vbench PCM", 128.0, <[i16]>::to_vec),
    })
}

/// The codec's name for messages.
pub(crate) fn name(codec: &Codec) -> &'static str {
    match codec {
        Codec::Mp3 { .. } => "MP3",
        Codec::Opus(_) => "Opus",
        Codec::Aac { .. } => "AAC",
        Codec::Vorbis { .. } => "Vorbis",
        Codec::MuLaw | Codec::ALaw => "G.711",
        Codec::G722 => "G.722",
        Codec::Gsm => "GSM",
        Codec::Adpcm => "ADPCM",
        Codec::Narrowband => "narrow band",
    }
}

/// A codec of 8 kHz without delay.
fn narrow(samples: &[f32], version: &str, kbps: f64, codec: impl FnOnce(&[i16]) -> Vec<i16>) -> RoundTrip {
    let (samples, clipped) = through_8_khz(samples, codec);
    let achieved = vec![
        ("coded_rate_hz".to_owned(), f64::from(narrowband::NARROWBAND_HZ)),
        ("clipped_at_8khz".to_owned(), clipped as f64),
    ];
    own(samples, version, kbps, 0, achieved)
}

fn wideband_g722(samples: &[f32]) -> RoundTrip {
    let mut grid = Grid::default();
    let mut input: Vec<i16> = samples.iter().map(|x| to_i16(*x, &mut grid)).collect();
    // Zeros behind the clip, so that the decoded signal reaches beyond it by the delay.
    input.resize(samples.len() + g722::DELAY, 0);
    let decoded = g722::decode(&g722::encode(&input));
    let samples = from_i16(&decoded[g722::DELAY..g722::DELAY + samples.len()]);
    own(samples, "vbench G.722", 64.0, g722::DELAY, Vec::new())
}

/// A round trip through code of this crate.
fn own(samples: Vec<f32>, version: &str, kbps: f64, delay_removed: usize, achieved: Vec<(String, f64)>) -> RoundTrip {
    let version = format!("{version} {}", env!("CARGO_PKG_VERSION"));
    RoundTrip { samples, kbps, delay_removed, encoder: version.clone(), decoder: version, achieved, facts: Vec::new() }
}

fn from_i16(samples: &[i16]) -> Vec<f32> {
    samples.iter().map(|x| f32::from(*x) / 32_768.0).collect()
}

/// MP3 in a build without an encoder.
#[cfg(not(feature = "mp3"))]
pub(crate) mod mp3 {
    use super::RoundTrip;
    use crate::error::DegradeError;

    /// Always [`DegradeError::NoEncoder`]: a stratum is skipped with that reason, never silently clean.
    pub(crate) fn round_trip(_samples: &[f32], _kbps: u32) -> Result<RoundTrip, DegradeError> {
        Err(DegradeError::NoEncoder { codec: "MP3", feature: "mp3" })
    }
}
