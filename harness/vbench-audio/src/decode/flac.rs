//! Native FLAC: our own reading of the metadata, symphonia's frame reader and decoder.

use std::io::{Cursor, Read, Seek, SeekFrom};
use std::ops::Range;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::formats::{FormatOptions, FormatReader, SeekMode, SeekTo};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::units::Timestamp;
use symphonia::default::codecs::FlacDecoder;
use symphonia::default::formats::FlacReader;

use super::stretch::Source;
use super::{DecodeOptions, Format, Pcm, cut, mp3};
use crate::error::DecodeError;

/// Length of the STREAMINFO block.
const STREAMINFO: usize = 34;

/// STREAMINFO and where the frames begin.
pub(super) struct Layout {
    info: [u8; STREAMINFO],
    frames_at: u64,
}

impl Layout {
    pub(super) fn rate_hz(&self) -> u32 {
        u32::from_be_bytes([0, self.info[10], self.info[11], self.info[12]]) >> 4
    }

    pub(super) fn channels(&self) -> u32 {
        u32::from((self.info[12] >> 1) & 7) + 1
    }

    /// Samples of each channel; 0 is unknown.
    pub(super) fn frames(&self) -> u64 {
        let info = &self.info;
        u64::from(info[13] & 15) << 32 | u64::from(u32::from_be_bytes([info[14], info[15], info[16], info[17]]))
    }

    /// All that reaches the third-party reader before the frames: no tags, no pictures, no cue sheets. `second` is the
    /// second byte of the first frame.
    fn head(&self, second: Option<u8>) -> Vec<u8> {
        let mut info = self.info;
        // Some encoders write the short last block as the minimum block size. A fixed block size (second byte F8) has no
        // other minimum than its maximum, and the reader relies on that.
        if second == Some(0xF8) {
            info.copy_within(2..4, 0);
        }
        [b"fLaC\x80\x00\x00\x22", &info[..]].concat()
    }
}

pub(super) fn decode(bytes: &[u8], options: &DecodeOptions) -> Result<Pcm, DecodeError> {
    let layout = layout(&mut &*bytes, bytes.len() as u64)?;
    let (rate_hz, declared, frames_at) = (layout.rate_hz(), layout.frames(), layout.frames_at as usize);
    let mut pcm = Pcm::new(Format::Flac, rate_hz, layout.channels(), options)?;
    if declared as f64 > options.max_duration_s * f64::from(rate_hz) {
        return Err(DecodeError::TooLong { format: Format::Flac, limit_s: options.max_duration_s });
    }
    let mut stream = layout.head(bytes.get(frames_at + 1).copied());
    stream.extend_from_slice(&bytes[frames_at..]);
    let verified = decode_frames(stream, &mut pcm, declared)?;
    let present = pcm.mono.len() as u64;
    if present < declared {
        return Err(DecodeError::Truncated {
            format: Format::Flac,
            unit: "samples",
            expected: declared,
            actual: present,
        });
    }
    if declared > 0 && present > declared {
        return Err(DecodeError::Malformed {
            format: Format::Flac,
            position: 18,
            expected: format!("{declared} samples, as STREAMINFO declares"),
            actual: format!("{present} samples"),
        });
    }
    if verified == Some(false) {
        return Err(DecodeError::Codec {
            format: Format::Flac,
            samples: present,
            message: "the MD5 of the audio differs from the one in STREAMINFO".into(),
        });
    }
    Ok(pcm)
}

/// Decodes a stretch of a file whose length STREAMINFO declares; `None` where the frames do not lie as a search for one
/// needs it, so that the whole file has to be decoded.
pub(super) fn decode_stretch(
    file: std::fs::File,
    len: u64,
    options: &DecodeOptions,
) -> Result<Option<Pcm>, DecodeError> {
    let mut file = file;
    let layout = layout(&mut file, len)?;
    let mut pcm = Pcm::new(Format::Flac, layout.rate_hz(), layout.channels(), options)?;
    let total = layout.frames();
    if total == 0 {
        return Ok(None);
    }
    let range = cut(total, layout.rate_hz(), options)?;
    if range.end - range.start > pcm.max_frames as u64 {
        return Err(DecodeError::TooLong { format: Format::Flac, limit_s: pcm.max_duration_s });
    }
    let mut second = [0; 2];
    file.read_at(layout.frames_at, &mut second)?;
    let head = layout.head(Some(second[1]));
    let stream = Behind { head, file, frames_at: layout.frames_at, len, at: 0 };
    let found = frames_of(stream, &mut pcm, range.clone());
    let whole = pcm.mono.len() as u64 == range.end.saturating_sub(pcm.first) && pcm.first <= range.start;
    pcm.total = Some(total);
    Ok((found.is_some() && whole).then_some(pcm))
}

/// Decodes the frames of the stretch one behind the other; `None` where they do not follow each other.
fn frames_of(stream: Behind, pcm: &mut Pcm, range: Range<u64>) -> Option<()> {
    let source = MediaSourceStream::new(Box::new(stream), Default::default());
    let mut reader = FlacReader::try_new(source, FormatOptions::default()).ok()?;
    let Some(CodecParameters::Audio(parameters)) = reader.tracks().first()?.codec_params.clone() else { return None };
    let mut decoder = FlacDecoder::try_new(&parameters, &AudioDecoderOptions::default()).ok()?;
    let to = SeekTo::Timestamp { ts: Timestamp::new(i64::try_from(range.start).ok()?), track_id: 0 };
    reader.seek(SeekMode::Accurate, to).ok()?;
    let mut block = Vec::<f32>::new();
    let mut next = None;
    while next.is_none_or(|next| next < range.end) {
        let packet = reader.next_packet().ok()??;
        let at = u64::try_from(packet.pts.get()).ok()?;
        match next {
            None => pcm.first = at,
            Some(next) if next != at => return None,
            Some(_) => {}
        }
        decoder.decode(&packet).ok()?.copy_to_vec_interleaved(&mut block);
        pcm.push_interleaved(&block).ok()?;
        next = Some(pcm.first + pcm.mono.len() as u64);
    }
    pcm.mono.truncate(usize::try_from(range.end.checked_sub(pcm.first)?).ok()?);
    Some(())
}

/// Our own head with the frames of a file behind it.
struct Behind {
    head: Vec<u8>,
    file: std::fs::File,
    frames_at: u64,
    len: u64,
    at: u64,
}

impl Read for Behind {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let head = self.head.len() as u64;
        let got = if self.at < head {
            (&self.head[self.at as usize..]).read(buffer)?
        } else {
            self.file.seek(SeekFrom::Start(self.frames_at + self.at - head))?;
            self.file.read(buffer)?
        };
        self.at += got as u64;
        Ok(got)
    }
}

impl Seek for Behind {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let end = self.head.len() as u64 + self.len.saturating_sub(self.frames_at);
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => end.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(std::io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

impl MediaSource for Behind {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.head.len() as u64 + self.len.saturating_sub(self.frames_at))
    }
}

/// Reads STREAMINFO and passes over the other blocks.
pub(super) fn layout(source: &mut impl Source, len: u64) -> Result<Layout, DecodeError> {
    let mut tag = [0; 10];
    let got = source.read_at(0, &mut tag)?;
    let start = (mp3::id3v2_len(&tag[..got]) as u64).min(len);
    let truncated = |expected: u64| DecodeError::Truncated {
        format: Format::Flac,
        unit: "bytes of metadata",
        expected,
        actual: len,
    };
    let mut first = [0; 8 + STREAMINFO];
    if source.read_at(start, &mut first)? < first.len() {
        return Err(truncated(start + first.len() as u64));
    }
    if first[4] & 0x7F != 0 || first[5..8] != [0, 0, STREAMINFO as u8] {
        return Err(DecodeError::Malformed {
            format: Format::Flac,
            position: start + 4,
            expected: "a STREAMINFO block of 34 bytes".into(),
            actual: format!("block header {:02x?}", &first[4..8]),
        });
    }
    let mut info = [0; STREAMINFO];
    info.copy_from_slice(&first[8..]);
    let mut at = start + 4;
    loop {
        let mut header = [0; 4];
        if source.read_at(at, &mut header)? < 4 {
            return Err(truncated(at + 4));
        }
        at += 4 + u64::from(u32::from_be_bytes([0, header[1], header[2], header[3]]));
        if at > len {
            return Err(truncated(at));
        }
        if header[0] & 0x80 != 0 {
            return Ok(Layout { info, frames_at: at });
        }
    }
}

/// Decodes every frame; whether the MD5 matches, when there is one.
fn decode_frames(stream: Vec<u8>, pcm: &mut Pcm, declared: u64) -> Result<Option<bool>, DecodeError> {
    let failed = |pcm: &Pcm, error: symphonia::core::errors::Error| {
        let samples = pcm.mono.len() as u64;
        match error {
            symphonia::core::errors::Error::IoError(_) if samples < declared => {
                DecodeError::Truncated { format: Format::Flac, unit: "samples", expected: declared, actual: samples }
            }
            other => DecodeError::Codec { format: Format::Flac, samples, message: other.to_string() },
        }
    };
    let source = MediaSourceStream::new(Box::new(Cursor::new(stream)), Default::default());
    let mut reader = FlacReader::try_new(source, FormatOptions::default()).map_err(|e| failed(pcm, e))?;
    let Some(CodecParameters::Audio(parameters)) = reader.tracks().first().and_then(|t| t.codec_params.clone()) else {
        return Err(DecodeError::Codec { format: Format::Flac, samples: 0, message: "no audio track".into() });
    };
    let verify = AudioDecoderOptions::default().verify(true);
    let mut decoder = FlacDecoder::try_new(&parameters, &verify).map_err(|e| failed(pcm, e))?;
    let mut block = Vec::<f32>::new();
    while let Some(packet) = reader.next_packet().map_err(|e| failed(pcm, e))? {
        let audio = decoder.decode(&packet).map_err(|e| failed(pcm, e))?;
        audio.copy_to_vec_interleaved(&mut block);
        pcm.push_interleaved(&block)?;
    }
    Ok(decoder.finalize().verify_ok)
}
