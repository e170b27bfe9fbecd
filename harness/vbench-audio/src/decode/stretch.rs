//! A stretch of a long file without the rest of it, and what headers say.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::{DecodeOptions, Decoded, Format, finish, flac, mp3, opus, panic_message, read_file, sniff, vorbis, wav};
use crate::error::DecodeError;

/// Bytes at a position: a file, or what was read of one.
pub(super) trait Source {
    /// Fills the buffer as far as there are bytes; how many there were.
    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> Result<usize, DecodeError>;
}

impl Source for &[u8] {
    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> Result<usize, DecodeError> {
        let at = usize::try_from(at).unwrap_or(usize::MAX).min(self.len());
        let got = buffer.len().min(self.len() - at);
        buffer[..got].copy_from_slice(&self[at..at + got]);
        Ok(got)
    }
}

impl Source for File {
    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> Result<usize, DecodeError> {
        let mut read = |file: &mut Self| {
            file.seek(SeekFrom::Start(at))?;
            let mut got = 0;
            while got < buffer.len() {
                match file.read(&mut buffer[got..])? {
                    0 => break,
                    n => got += n,
                }
            }
            Ok(got)
        };
        read(self).map_err(|source| DecodeError::Read { path: std::path::PathBuf::new(), source })
    }
}

/// The file with its length; its first bytes.
fn open(path: &Path) -> Result<(File, u64, Vec<u8>), DecodeError> {
    let failed = |source| DecodeError::Read { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
    let facts = file.metadata().map_err(failed)?;
    if facts.is_dir() {
        return Err(failed(std::io::ErrorKind::IsADirectory.into()));
    }
    let mut start = vec![0; 12];
    let got = file.read_at(0, &mut start).map_err(|e| named(e, path))?;
    start.truncate(got);
    Ok((file, facts.len(), start))
}

/// The error with the file's name, which a [`Source`] does not know.
fn named(error: DecodeError, path: &Path) -> DecodeError {
    match error {
        DecodeError::Read { source, .. } => DecodeError::Read { path: path.to_owned(), source },
        other => other,
    }
}

/// Whether the file is a FLAC, behind an ID3 tag or not.
fn is_flac(file: &mut File, start: &[u8]) -> Result<bool, DecodeError> {
    let mut mark = [0; 4];
    let got = file.read_at(mp3::id3v2_len(start) as u64, &mut mark)?;
    Ok(got == 4 && mark == *b"fLaC")
}

/// Decodes a stretch of a WAV or FLAC file; `None` for other formats, and where the whole file has to be decoded.
pub(super) fn decode(path: &Path, options: &DecodeOptions) -> Result<Option<Decoded>, DecodeError> {
    let (mut file, len, start) = open(path)?;
    let decoded = if start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WAVE") {
        wav::decode_stretch(&mut file, len, options).map(Some)
    } else if is_flac(&mut file, &start).map_err(|e| named(e, path))? {
        let decode = || flac::decode_stretch(file, len, options);
        catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|panic| {
            let message = panic_message(&*panic);
            Err(DecodeError::Codec { format: Format::Flac, samples: 0, message })
        })
    } else {
        return Ok(None);
    };
    match decoded.map_err(|e| named(e, path))? {
        Some(pcm) => finish(pcm, options).map(Some),
        None => Ok(None),
    }
}

/// What a file's headers say of its audio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AudioInfo {
    /// What the content is.
    pub format: Format,
    /// Sample rate, Hz; 16000 for Opus, as it is decoded.
    pub rate_hz: u32,
    /// Channels.
    pub channels: u32,
    /// Samples of each channel.
    pub frames: u64,
}

impl AudioInfo {
    /// Duration in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.frames as f64 / f64::from(self.rate_hz.max(1))
    }
}

/// Reads headers and decodes nothing: chunks of WAV, STREAMINFO of FLAC; of MP3 and Ogg the headers of all frames or pages,
/// for which the file is read. An Ogg's length is the one that its last page states.
///
/// # Errors
/// What headers show: unreadable, unknown, malformed, truncated. What only decoding shows is not found.
pub fn probe_file(path: &Path) -> Result<AudioInfo, DecodeError> {
    let (mut file, len, start) = open(path)?;
    let info = |format, rate_hz, channels, frames| AudioInfo { format, rate_hz, channels, frames };
    if start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WAVE") {
        let layout = wav::layout(&mut file, len).map_err(|e| named(e, path))?;
        return checked(info(Format::Wav, layout.rate_hz(), layout.channels(), layout.frames()));
    }
    if is_flac(&mut file, &start).map_err(|e| named(e, path))? {
        let layout = flac::layout(&mut file, len).map_err(|e| named(e, path))?;
        if layout.frames() > 0 {
            return checked(info(Format::Flac, layout.rate_hz(), layout.channels(), layout.frames()));
        }
    }
    let bytes = read_file(path, DecodeOptions::default().max_bytes)?;
    let format = sniff(&bytes)?;
    let (rate_hz, channels, frames) = match format {
        Format::Mp3 => mp3::probe(&bytes)?,
        Format::OggVorbis => vorbis::probe(&bytes)?,
        Format::OggOpus => opus::probe(&bytes)?,
        Format::Wav | Format::Flac | Format::Ogg => {
            let decoded = super::decode_bytes(&bytes, &DecodeOptions::default())?;
            (decoded.source_rate_hz, decoded.source_channels, decoded.source_frames)
        }
    };
    checked(info(format, rate_hz, channels, frames))
}

fn checked(info: AudioInfo) -> Result<AudioInfo, DecodeError> {
    let AudioInfo { format, rate_hz, channels, frames } = info;
    if !(crate::MIN_RATE_HZ..=crate::MAX_RATE_HZ).contains(&rate_hz) {
        let (min_hz, max_hz) = (crate::MIN_RATE_HZ, crate::MAX_RATE_HZ);
        return Err(DecodeError::Rate { format, rate_hz, min_hz, max_hz });
    }
    if channels == 0 || channels > crate::MAX_CHANNELS {
        return Err(DecodeError::Channels { format, channels, max: crate::MAX_CHANNELS });
    }
    if frames == 0 { Err(DecodeError::Empty { format }) } else { Ok(info) }
}
