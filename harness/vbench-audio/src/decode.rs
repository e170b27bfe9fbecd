//! Audio files to mono single precision at 16 kHz.
//!
//! The format is found from the content, never from the file's name. Channels are averaged, then the rate is
//! converted ([`vbench_dsp::resample`]). Every declared size is checked against what is there, third-party decoders run
//! under `catch_unwind`, and memory is bounded by the limits of [`DecodeOptions`].
//!
//! A stretch of a file (`start_s`, `duration_s`) costs what the stretch costs: [`decode_file`] seeks in WAV and FLAC and reads
//! nothing else; MP3 and Ogg are decoded from the start, as their frames lean on those before, and no further than its end.
//! What lies outside of the stretch is then not looked at: a FLAC's MD5, a later broken frame.
//!
//! What counts as truncated:
//! - WAV: the `data` chunk declares more bytes than follow.
//! - FLAC: STREAMINFO declares more samples than decode, a frame is incomplete, or the MD5 of the audio differs.
//! - MP3: the last frame is incomplete, or a Xing/Info header counts more frames than follow. Not detectable: a file
//!   without such a header cut exactly between two frames.
//! - Ogg: a page is incomplete, or no page carries the end-of-stream flag.

mod flac;
mod mp3;
mod ogg;
mod opus;
mod stretch;
mod vorbis;
mod wav;

use std::any::Any;
use std::io::Read;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use vbench_dsp::resample;

use crate::error::DecodeError;
use crate::{MAX_CHANNELS, MAX_RATE_HZ, MIN_RATE_HZ, RATE_HZ};

#[cfg(feature = "mp3")]
pub(crate) use mp3::{DECODER_DELAY as MP3_DECODER_DELAY, decode_stream as decode_mp3_stream};
pub(crate) use ogg::page_crc;
pub(crate) use opus::OpusDecoder;
pub use stretch::{AudioInfo, probe_file};
pub(crate) use vorbis::decode as decode_vorbis_stream;

/// Formats that are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// RIFF WAVE: PCM 8, 16, 24, 32 bit, IEEE float 32, 64 bit, plain or extensible.
    Wav,
    /// Native FLAC.
    Flac,
    /// MPEG-1, -2 and -2.5 layer III.
    Mp3,
    /// Vorbis in Ogg.
    OggVorbis,
    /// Opus in Ogg.
    OggOpus,
    /// An Ogg stream of another or unknown codec.
    Ogg,
}

impl core::fmt::Display for Format {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Wav => "WAV",
            Self::Flac => "FLAC",
            Self::Mp3 => "MP3",
            Self::OggVorbis => "Ogg Vorbis",
            Self::OggOpus => "Ogg Opus",
            Self::Ogg => "Ogg",
        })
    }
}

/// Limits, and the stretch of the file that is wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecodeOptions {
    /// Largest accepted file, bytes; no matter where only a stretch of a WAV or FLAC file is read.
    pub max_bytes: u64,
    /// Longest accepted audio, seconds; of the stretch where only that is decoded.
    pub max_duration_s: f64,
    /// Start of the utterance within the file, seconds; the start of the file when absent.
    pub start_s: Option<f64>,
    /// Length of the utterance, seconds; to the end of the file when absent. An end up to 10 ms beyond the end of the
    /// audio is taken as the end.
    pub duration_s: Option<f64>,
    /// Take the first channel instead of the mean of all: the channels of an array are delayed copies.
    pub first_channel: bool,
    /// Keep the file's own rate: what clips at full scale does so no more at another one.
    pub native_rate: bool,
}

impl Default for DecodeOptions {
    /// The whole file; at most 1 GiB and 2 hours.
    fn default() -> Self {
        Self {
            max_bytes: 1 << 30,
            max_duration_s: 7200.0,
            start_s: None,
            duration_s: None,
            first_channel: false,
            native_rate: false,
        }
    }
}

/// Decoded audio with what the file was.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// Mono samples at 16 kHz, or at the file's rate where that was asked for; nominally -1..1 (float files and lossy codecs may exceed it).
    pub samples: Vec<f32>,
    /// What the content is.
    pub format: Format,
    /// Sample rate of the file, Hz.
    pub source_rate_hz: u32,
    /// Channels of the file.
    pub source_channels: u32,
    /// Samples of each channel in the file, after the codec's delay and padding are removed.
    pub source_frames: u64,
}

/// Reads and decodes a file; of WAV and FLAC only the stretch that is asked for.
///
/// # Errors
/// Every variant of [`DecodeError`].
pub fn decode_file(path: &Path, options: &DecodeOptions) -> Result<Decoded, DecodeError> {
    if (options.start_s.is_some() || options.duration_s.is_some())
        && let Some(decoded) = stretch::decode(path, options)?
    {
        return Ok(decoded);
    }
    decode_bytes(&read_file(path, options.max_bytes)?, options)
}

/// Reads a whole file of at most `max_bytes`.
///
/// # Errors
/// [`DecodeError::Read`] or [`DecodeError::TooLarge`].
pub fn read_file(path: &Path, max_bytes: u64) -> Result<Vec<u8>, DecodeError> {
    let read_error = |source| DecodeError::Read { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(read_error)?;
    let metadata = file.metadata().map_err(read_error)?;
    if metadata.is_dir() {
        return Err(read_error(std::io::Error::from(std::io::ErrorKind::IsADirectory)));
    }
    let declared = metadata.len();
    if declared > max_bytes {
        return Err(DecodeError::TooLarge { bytes: declared, limit: max_bytes });
    }
    // A device or a growing file may hold more than its metadata says: read one byte beyond the limit at most.
    let mut bytes = Vec::with_capacity(declared as usize + 1);
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(read_error)?;
    if bytes.len() as u64 > max_bytes {
        return Err(DecodeError::TooLarge { bytes: bytes.len() as u64, limit: max_bytes });
    }
    Ok(bytes)
}

/// Decodes the content of a file to mono at 16 kHz.
///
/// A stretch (`start_s`, `duration_s`) is cut at the file's own rate, before the rate is converted.
///
/// # Errors
/// Every variant of [`DecodeError`] but `Read`. A panic of a third-party decoder becomes [`DecodeError::Codec`]; the
/// process's panic hook still runs, as it belongs to the caller.
pub fn decode_bytes(bytes: &[u8], options: &DecodeOptions) -> Result<Decoded, DecodeError> {
    if bytes.len() as u64 > options.max_bytes {
        return Err(DecodeError::TooLarge { bytes: bytes.len() as u64, limit: options.max_bytes });
    }
    let format = sniff(bytes)?;
    let pcm = guarded(format, || match format {
        Format::Wav => wav::decode(bytes, options),
        Format::Flac => flac::decode(bytes, options),
        Format::Mp3 => mp3::decode(bytes, options),
        Format::OggVorbis => vorbis::decode(bytes, options),
        Format::OggOpus => opus::decode(bytes, options),
        Format::Ogg => {
            let what = "an Ogg codec other than Vorbis or Opus".into();
            Err(DecodeError::Unsupported { format, what })
        }
    })?;
    finish(pcm, options)
}

/// Cuts the stretch out of what was decoded, and converts the rate.
fn finish(pcm: Pcm, options: &DecodeOptions) -> Result<Decoded, DecodeError> {
    let (format, source_frames) = (pcm.format, pcm.total_frames());
    if pcm.mono.is_empty() {
        return Err(DecodeError::Empty { format });
    }
    let range = cut(source_frames, pcm.rate_hz, options)?;
    let within =
        |frame: u64| usize::try_from(frame.saturating_sub(pcm.first)).unwrap_or(usize::MAX).min(pcm.mono.len());
    let stretch = &pcm.mono[within(range.start)..within(range.end)];
    let samples = if pcm.rate_hz != RATE_HZ && !options.native_rate {
        resample(stretch, pcm.rate_hz, RATE_HZ)
    } else if stretch.len() == pcm.mono.len() {
        pcm.mono
    } else {
        stretch.to_vec()
    };
    if samples.is_empty() {
        return Err(DecodeError::Empty { format });
    }
    Ok(Decoded { samples, format, source_rate_hz: pcm.rate_hz, source_channels: pcm.channels, source_frames })
}

/// Finds the format from the content.
///
/// # Errors
/// [`DecodeError::Empty`] never; [`DecodeError::UnknownFormat`] when nothing matches, [`DecodeError::Unsupported`] for
/// RF64.
pub fn sniff(bytes: &[u8]) -> Result<Format, DecodeError> {
    let body = &bytes[mp3::id3v2_len(bytes).min(bytes.len())..];
    if bytes.len() >= 12 && bytes.starts_with(b"RIFF") && &bytes[8..12] == b"WAVE" {
        Ok(Format::Wav)
    } else if bytes.starts_with(b"RF64") || bytes.starts_with(b"BW64") {
        Err(DecodeError::Unsupported { format: Format::Wav, what: "RF64 (64-bit RIFF)".into() })
    } else if body.starts_with(b"fLaC") {
        Ok(Format::Flac)
    } else if bytes.starts_with(b"OggS") {
        Ok(ogg::sniff_codec(bytes))
    } else if mp3::find_first_frame(bytes).is_some() {
        Ok(Format::Mp3)
    } else {
        let found: Vec<String> = bytes.iter().take(12).map(|b| format!("{b:02x}")).collect();
        Err(DecodeError::UnknownFormat { found: found.join(" ") })
    }
}

/// The frames of the stretch in a file of `frames`.
fn cut(frames: u64, rate_hz: u32, options: &DecodeOptions) -> Result<Range<u64>, DecodeError> {
    if options.start_s.is_none() && options.duration_s.is_none() {
        return Ok(0..frames);
    }
    const SLACK_S: f64 = 0.010;
    let rate = f64::from(rate_hz);
    let available_s = frames as f64 / rate;
    let start_s = options.start_s.unwrap_or(0.0);
    let duration_s = options.duration_s.unwrap_or(f64::INFINITY);
    let outside = DecodeError::Cut { start_s, duration_s, available_s };
    let end_s = if options.duration_s.is_some() { start_s + duration_s } else { available_s };
    let valid = start_s >= 0.0 && duration_s > 0.0 && start_s < available_s && end_s <= available_s + SLACK_S;
    if !valid {
        return Err(outside);
    }
    let start = libm::round(start_s * rate) as u64;
    let end = (libm::round(end_s * rate) as u64).min(frames);
    if start < end { Ok(start..end) } else { Err(outside) }
}

/// Runs a decoder; its panic becomes an error.
fn guarded(format: Format, decode: impl FnOnce() -> Result<Pcm, DecodeError>) -> Result<Pcm, DecodeError> {
    catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or_else(|panic| Err(DecodeError::Codec { format, samples: 0, message: panic_message(&*panic) }))
}

/// The text of a caught panic.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().map(|s| (*s).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panic: {}", text.unwrap_or_else(|| "without a message".into()))
}

/// Collects decoded samples as mono, checking rate, channels, length and finiteness.
#[derive(Debug)]
pub(crate) struct Pcm {
    format: Format,
    pub(crate) rate_hz: u32,
    pub(crate) channels: u32,
    pub(crate) mono: Vec<f32>,
    /// Frame of the file that `mono` begins with.
    first: u64,
    /// Frames of the file, where fewer were decoded.
    total: Option<u64>,
    /// Frame of the file at which the stretch ends, where it has an end.
    wanted: Option<u64>,
    max_frames: usize,
    max_duration_s: f64,
    first_channel: bool,
}

impl Pcm {
    pub(crate) fn new(
        format: Format,
        rate_hz: u32,
        channels: u32,
        options: &DecodeOptions,
    ) -> Result<Self, DecodeError> {
        if !(MIN_RATE_HZ..=MAX_RATE_HZ).contains(&rate_hz) {
            return Err(DecodeError::Rate { format, rate_hz, min_hz: MIN_RATE_HZ, max_hz: MAX_RATE_HZ });
        }
        if channels == 0 || channels > MAX_CHANNELS {
            return Err(DecodeError::Channels { format, channels, max: MAX_CHANNELS });
        }
        // However high the rate that a file declares, its decoded samples take 2 GiB at most.
        const MAX_FRAMES: f64 = (1u64 << 29) as f64;
        let max_duration_s = options.max_duration_s.clamp(0.0, MAX_FRAMES / f64::from(rate_hz));
        let max_frames = (max_duration_s * f64::from(rate_hz)) as usize;
        let first_channel = options.first_channel;
        let end_s = options.duration_s.map(|d| options.start_s.unwrap_or(0.0) + d).filter(|s| *s >= 0.0);
        // One frame more than can be asked for: rounding is up to `cut`.
        let wanted = end_s.map(|s| ((s * f64::from(rate_hz)).ceil() as u64).saturating_add(1));
        let (mono, first, total) = (Vec::new(), 0, None);
        Ok(Self { format, rate_hz, channels, mono, first, total, wanted, max_frames, max_duration_s, first_channel })
    }

    /// Frames of the whole file.
    fn total_frames(&self) -> u64 {
        self.total.unwrap_or(self.mono.len() as u64)
    }

    /// Whether the end of the stretch is decoded, `lead` frames before time zero included.
    pub(crate) fn enough(&self, lead: u64) -> bool {
        self.wanted.is_some_and(|end| self.mono.len() as u64 >= end.saturating_add(lead))
    }

    /// Appends whole frames of interleaved samples.
    pub(crate) fn push_interleaved(&mut self, samples: &[f32]) -> Result<(), DecodeError> {
        let channels = self.channels as usize;
        if self.mono.len() + samples.len() / channels > self.max_frames {
            return Err(DecodeError::TooLong { format: self.format, limit_s: self.max_duration_s });
        }
        let start = self.mono.len();
        if channels == 1 {
            self.mono.extend_from_slice(samples);
        } else if self.first_channel {
            self.mono.extend(samples.iter().step_by(channels));
        } else {
            let mean = |frame: &[f32]| (frame.iter().map(|x| f64::from(*x)).sum::<f64>() / channels as f64) as f32;
            self.mono.extend(samples.chunks_exact(channels).map(mean));
        }
        match self.mono[start..].iter().position(|x| !x.is_finite()) {
            None => Ok(()),
            Some(at) => Err(DecodeError::NonFinite {
                format: self.format,
                index: self.first + (start + at) as u64,
                value: f64::from(self.mono[start + at]),
            }),
        }
    }

    /// Drops `start` frames at the start and keeps at most `len` after them.
    pub(crate) fn trim(&mut self, start: usize, len: usize) {
        self.mono.drain(..start.min(self.mono.len()));
        self.mono.truncate(len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_typed_error() {
        let text = |error: DecodeError| match error {
            DecodeError::Codec { format: Format::Flac, samples: 0, message } => message,
            other => panic!("{other}"),
        };
        let position = vec![7usize].len() + 6;
        let error = guarded(Format::Flac, || panic!("a bug at {position}")).unwrap_err();
        assert_eq!(text(error), "panic: a bug at 7");
        let error = guarded(Format::Flac, || std::panic::panic_any(5u8)).unwrap_err();
        assert_eq!(text(error), "panic: without a message");
    }
}
