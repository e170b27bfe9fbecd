//! Decode, resample, measure and degrade audio, with receipts.
//!
//! ```text
//! decode.rs     WAV, FLAC, MP3, Ogg Vorbis, Ogg Opus (bytes or path) to mono at 16 kHz; decode/ has one file a format
//! spectrum.rs   long-term spectrum of a corpus' active speech
//! noise.rs      additive noise at an SNR on active speech level
//! babble.rs     other talkers of the corpus as noise
//! sources.rs    recordings to draw from: the corpus, users' folders of noise and impulse responses
//! reverb.rs     image-source rooms; response.rs measured ones
//! noise_colour.rs  pink and brown noise, mains hum
//! codec.rs      lossy round trips, delay removed; codec/ has one file a codec
//! loss.rs       packets lost, and what is heard instead
//! channel.rs    levels, gaps, filters, time scales, gain control: channel/ has one file a kind
//! degrade.rs    a condition applied to a clip, with its receipt
//! encode.rs     WAV files; compact Ogg Opus for players
//! ```
//!
//! What shapes degraded audio is plain scalar code in double precision with functions of the `libm` crate, hence the
//! same bytes on every x86-64 machine. Third-party codecs are outside that promise: their bytes hold for one build.
//!
//! Out of scope: signal metrics (vbench-score), suites and manifests, storage.

mod babble;
mod channel;
mod codec;
mod decode;
mod degrade;
mod encode;
mod error;
mod loss;
mod noise;
mod noise_colour;
mod response;
pub mod reverb;
mod sources;
mod spectrum;

pub use codec::g722::decode_g722;
pub use codec::{adpcm, g711, g722, gsm};
pub use decode::{AudioInfo, DecodeOptions, Decoded, Format, decode_bytes, decode_file, probe_file, read_file, sniff};
pub use degrade::{Clip, DegradeContext, MAX_SAMPLE, degrade, to_grid};
pub use encode::{encode_ogg_opus, encode_wav, wav_header, write_wav};
pub use error::{DecodeError, DegradeError, EncodeError};
pub use sources::{Recording, Recordings, audio_files, folder_files};
pub use spectrum::{LongTermSpectrum, SpectrumAccumulator};
pub use vbench_dsp::{Resampler, SpeechLevel, active_speech_level, resample, rms_dbfs};

/// Fingerprint of the code that shapes degraded audio and of the versions of every dependency: part of the audio
/// cache's keys.
pub const CODE_VERSION: &str = env!("VBENCH_AUDIO_CODE_VERSION");
/// Sample rate of everything inside vbench, Hz.
pub const RATE_HZ: u32 = 16_000;
/// Lowest sample rate that is decoded, Hz.
pub const MIN_RATE_HZ: u32 = 4_000;
/// Highest sample rate that is decoded, Hz.
pub const MAX_RATE_HZ: u32 = 768_000;
/// Most channels that are decoded.
pub const MAX_CHANNELS: u32 = 32;
