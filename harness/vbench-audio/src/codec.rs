//! Lossy codecs as round trips: encode, decode, remove the delay, keep the length.

#[cfg(feature = "mp3")]
pub(crate) mod mp3;
pub(crate) mod opus;

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
