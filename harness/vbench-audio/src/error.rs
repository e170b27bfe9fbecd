//! What can go wrong, with the facts needed to act.

use std::path::PathBuf;

use crate::decode::Format;

/// Why audio could not be decoded.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The file could not be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// The file is larger than the limit.
    #[error("the file has {bytes} bytes, more than the limit of {limit}")]
    TooLarge {
        /// Size of the file.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The content is none of the known formats.
    #[error("unknown format: expected WAV, FLAC, MP3, Ogg Vorbis or Ogg Opus, found bytes [{found}]")]
    UnknownFormat {
        /// The first bytes in hexadecimal.
        found: String,
    },
    /// The format is known, this kind of it is not decoded.
    #[error("{format}: {what} is not supported")]
    Unsupported {
        /// Container or codec.
        format: Format,
        /// What was found.
        what: String,
    },
    /// The bytes break the format's rules.
    #[error("{format} at byte {position}: expected {expected}, found {actual}")]
    Malformed {
        /// Container or codec.
        format: Format,
        /// Byte offset in the file.
        position: u64,
        /// What the format asks for.
        expected: String,
        /// What is there.
        actual: String,
    },
    /// The stream ends before what it declares.
    #[error("{format} is truncated: {expected} {unit} declared, {actual} present")]
    Truncated {
        /// Container or codec.
        format: Format,
        /// What is counted: `bytes`, `samples`, `frames`.
        unit: &'static str,
        /// As declared.
        expected: u64,
        /// As present.
        actual: u64,
    },
    /// A third-party decoder refused the stream or failed.
    #[error("{format}: the decoder stopped after {samples} samples: {message}")]
    Codec {
        /// Container or codec.
        format: Format,
        /// Samples of each channel decoded before.
        samples: u64,
        /// The decoder's message, or that of its panic.
        message: String,
    },
    /// A sample rate outside the accepted range.
    #[error("{format}: sample rate {rate_hz} Hz is outside {min_hz} to {max_hz}")]
    Rate {
        /// Container or codec.
        format: Format,
        /// As declared.
        rate_hz: u32,
        /// Lowest accepted.
        min_hz: u32,
        /// Highest accepted.
        max_hz: u32,
    },
    /// A channel count outside the accepted range.
    #[error("{format}: {channels} channels, expected 1 to {max}")]
    Channels {
        /// Container or codec.
        format: Format,
        /// As declared.
        channels: u32,
        /// Most accepted.
        max: u32,
    },
    /// The audio is longer than the limit.
    #[error("{format}: audio longer than the limit of {limit_s} s")]
    TooLong {
        /// Container or codec.
        format: Format,
        /// The limit in seconds.
        limit_s: f64,
    },
    /// No samples at all.
    #[error("{format}: no audio (0 samples)")]
    Empty {
        /// Container or codec.
        format: Format,
    },
    /// A sample is not a number or infinite.
    #[error("{format}: sample {index} is {value}")]
    NonFinite {
        /// Container or codec.
        format: Format,
        /// Index of the sample in its channel.
        index: u64,
        /// `NaN`, `inf` or `-inf`.
        value: f64,
    },
    /// The requested stretch is not inside the file.
    #[error("the utterance from {start_s} s for {duration_s} s is not inside the audio of {available_s} s")]
    Cut {
        /// Requested start.
        start_s: f64,
        /// Requested duration; infinite for "to the end".
        duration_s: f64,
        /// Duration of the audio.
        available_s: f64,
    },
}

/// Why a clip could not be degraded.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum DegradeError {
    /// The clip has no samples.
    #[error("the clip has no samples")]
    Empty,
    /// A sample of the clip is not a number or infinite.
    #[error("sample {index} of the clip is {value}")]
    NonFinite {
        /// Index of the sample.
        index: usize,
        /// Its value.
        value: f32,
    },
    /// No active speech, hence no SNR on active speech level. The cell cannot be made; it is reported, not guessed.
    #[error("no active speech (ITU-T P.56), or silence: an SNR of {snr_db} dB is not defined")]
    NoActiveSpeech {
        /// The requested SNR.
        snr_db: f64,
    },
    /// A parameter outside its range.
    #[error("{parameter} is {actual}, expected {expected}")]
    Parameter {
        /// The parameter.
        parameter: &'static str,
        /// Its value.
        actual: f64,
        /// The accepted values.
        expected: &'static str,
    },
    /// The speech is so faint that 16-bit samples cannot hold noise at this SNR within 0.05 dB.
    #[error("asked for an SNR of {target_db} dB, 16-bit samples gave {achieved_db} dB")]
    SnrNotReached {
        /// The requested SNR.
        target_db: f64,
        /// The SNR of what was really added.
        achieved_db: f64,
    },
    /// A folder of noise or room impulse responses cannot serve.
    #[error("folder `{folder}`: {message}")]
    Folder {
        /// As written in the recipe.
        folder: String,
        /// Why.
        message: String,
    },
    /// Babble cannot be made of this corpus.
    #[error("babble: {message}")]
    Babble {
        /// Why.
        message: String,
    },
    /// Speech-shaped noise without the corpus' spectrum.
    #[error("speech-shaped noise needs the corpus' long-term spectrum, and none was given")]
    NoSpectrum,
    /// The room cannot have this reverberation time: its walls would have to absorb more than everything.
    #[error("a room of {volume_m3} m3 cannot have an RT60 of {rt60_s} s: Sabine absorption {absorption} is above 1")]
    RoomImpossible {
        /// Volume of the room.
        volume_m3: f64,
        /// Requested reverberation time.
        rt60_s: f64,
        /// The absorption it would need.
        absorption: f64,
    },
    /// A stated position outside the room.
    #[error("the {who} at {at_m:?} m lies outside the room of {size_m:?} m")]
    OutsideRoom {
        /// `source` or `microphone`.
        who: &'static str,
        /// The position.
        at_m: [f64; 3],
        /// Length, width, height.
        size_m: [f64; 3],
    },
    /// Source and microphone do not fit into the room at this distance.
    #[error("source and microphone {distance_m} m apart do not fit into the room with a margin of {margin_m} m")]
    PlacementImpossible {
        /// Requested distance.
        distance_m: f64,
        /// Least distance to a wall.
        margin_m: f64,
    },
    /// This build has no encoder for the codec.
    #[error("no encoder: this build has no {codec} encoder (cargo feature `{feature}`)")]
    NoEncoder {
        /// The codec.
        codec: &'static str,
        /// The cargo feature that brings it.
        feature: &'static str,
    },
    /// The codec failed.
    #[error("{codec}: {message}")]
    Codec {
        /// The codec.
        codec: &'static str,
        /// Its message.
        message: String,
    },
}

/// Why audio could not be written.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The file could not be written.
    #[error("cannot write {}: {message}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The reason.
        message: String,
    },
    /// The encoder failed.
    #[error("{codec}: {message}")]
    Codec {
        /// The codec.
        codec: &'static str,
        /// Its message.
        message: String,
    },
}
