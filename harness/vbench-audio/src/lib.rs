//! Decode, resample, measure and degrade audio, with receipts.
//!
//! ```text
//! decode.rs     WAV, FLAC, MP3, Ogg Vorbis, Ogg Opus (bytes or path) to mono at 16 kHz; decode/ has one file a format
//! spectrum.rs   long-term spectrum of a corpus' active speech
//! noise.rs      additive noise at an SNR on active speech level
//! reverb.rs     image-source rooms
//! codec.rs      lossy round trips, delay removed: codec/mp3.rs, codec/opus.rs
//! degrade.rs    a condition applied to a clip, with its receipt
//! encode.rs     WAV files; compact Ogg Opus for players
//! g722.rs       G.722 at 64 kbit/s to 16 kHz, for telephone prompts
//! ```
//!
//! What shapes degraded audio is plain scalar code in double precision with functions of the `libm` crate, hence the
//! same bytes on every x86-64 machine. Third-party codecs are outside that promise: their bytes hold for one build.
//!
//! Out of scope: signal metrics (vbench-score), suites and manifests, storage.

mod codec;
mod decode;
mod degrade;
mod encode;
mod error;
mod g722;
mod noise;
pub mod reverb;
mod spectrum;

pub use decode::{DecodeOptions, Decoded, Format, decode_bytes, decode_file, read_file, sniff};
pub use degrade::{Clip, DegradeContext, degrade};
pub use encode::{encode_ogg_opus, encode_wav, write_wav};
pub use error::{DecodeError, DegradeError, EncodeError};
pub use g722::decode_g722;
pub use spectrum::{LongTermSpectrum, SpectrumAccumulator};
pub use vbench_dsp::{Resampler, SpeechLevel, active_speech_level, resample, rms_dbfs};

/// Sample rate of everything inside vbench, Hz.
pub const RATE_HZ: u32 = 16_000;
/// Lowest sample rate that is decoded, Hz.
pub const MIN_RATE_HZ: u32 = 4_000;
/// Highest sample rate that is decoded, Hz.
pub const MAX_RATE_HZ: u32 = 768_000;
/// Most channels that are decoded.
pub const MAX_CHANNELS: u32 = 32;
