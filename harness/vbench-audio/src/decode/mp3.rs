//! MPEG layer III: our own walk over the frames, symphonia's frame decoder.
//!
//! Walking the headers first makes truncation and foreign bytes visible with their position, which a decoder that
//! resynchronises would hide.

use std::ops::Range;

use symphonia::core::codecs::audio::well_known::CODEC_ID_MP3;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::packet::PacketRef;
use symphonia::core::units::{Duration, Timestamp};
use symphonia::default::codecs::MpaDecoder;

use super::{DecodeOptions, Format, Pcm};
use crate::error::DecodeError;

/// Delay of a layer III decoder: 528 samples of the hybrid filter bank and one.
pub(crate) const DECODER_DELAY: usize = 529;
/// How far into a file the first frame may lie when no tag explains the bytes before it.
const MAX_LEAD_IN: usize = 1 << 16;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Header {
    /// MPEG-1 has two granules of 576 samples in a frame, MPEG-2 and 2.5 have one.
    mpeg1: bool,
    rate_hz: u32,
    channels: u32,
    frame_bytes: usize,
}

impl Header {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let &[a, b, c, d] = bytes.first_chunk::<4>()?;
        let (version, layer) = ((b >> 3) & 3, (b >> 1) & 3);
        if a != 0xFF || b & 0xE0 != 0xE0 || version == 1 || layer != 1 {
            return None;
        }
        const MPEG1: [usize; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
        const MPEG2: [usize; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
        let mpeg1 = version == 3;
        // Index 0 (free format) has no computable frame size, 15 is forbidden.
        let index = usize::from(c >> 4).checked_sub(1)?;
        let kbps = *if mpeg1 { &MPEG1 } else { &MPEG2 }.get(index)?;
        let base = *[44_100u32, 48_000, 32_000].get(usize::from((c >> 2) & 3))?;
        let rate_hz = match version {
            3 => base,
            2 => base / 2,
            _ => base / 4,
        };
        let slots = if mpeg1 { 144 } else { 72 };
        let frame_bytes = slots * kbps * 1000 / rate_hz as usize + usize::from((c >> 1) & 1);
        Some(Self { mpeg1, rate_hz, channels: if d >> 6 == 3 { 1 } else { 2 }, frame_bytes })
    }

    /// Frames of one stream share everything but their size.
    fn same_stream(&self, other: &Self) -> bool {
        (self.mpeg1, self.rate_hz, self.channels) == (other.mpeg1, other.rate_hz, other.channels)
    }

    fn samples(&self) -> usize {
        if self.mpeg1 { 1152 } else { 576 }
    }

    fn side_info_bytes(&self) -> usize {
        match (self.mpeg1, self.channels) {
            (true, 1) | (false, 2) => 17,
            (true, _) => 32,
            (false, _) => 9,
        }
    }
}

/// What the first frame says about the stream when it is a Xing, Info or VBRI header.
#[derive(Debug, Default, PartialEq)]
struct InfoFrame {
    /// Frames that follow.
    frames: Option<u64>,
    /// Encoder delay and padding in samples (LAME extension).
    delay_padding: Option<(usize, usize)>,
}

/// Length of an ID3v2 tag at the start, 0 without one.
pub(super) fn id3v2_len(bytes: &[u8]) -> usize {
    match bytes.first_chunk::<10>() {
        Some(&[b'I', b'D', b'3', _, _, flags, a, b, c, d]) => {
            let size = [a, b, c, d].iter().fold(0usize, |n, x| n << 7 | usize::from(x & 0x7F));
            10 + size + if flags & 0x10 != 0 { 10 } else { 0 }
        }
        _ => 0,
    }
}

/// Offset of the first frame: a header followed by another of the same stream, or one right at the start.
pub(super) fn find_first_frame(bytes: &[u8]) -> Option<usize> {
    let start = id3v2_len(bytes).min(bytes.len());
    let tagged = start > 0;
    let last = bytes.len().min(start + MAX_LEAD_IN);
    (start..last).find(|&at| {
        let Some(header) = Header::parse(&bytes[at..]) else {
            return false;
        };
        match bytes.get(at + header.frame_bytes..) {
            Some(rest) if rest.len() >= 4 => {
                Header::parse(rest).is_some_and(|next| next.same_stream(&header)) || (tagged && at == start)
            }
            _ => at == start,
        }
    })
}

pub(super) fn decode(bytes: &[u8], options: &DecodeOptions) -> Result<Pcm, DecodeError> {
    let start = find_first_frame(bytes).unwrap_or(bytes.len());
    let Some(first) = Header::parse(&bytes[start..]) else {
        return Err(DecodeError::Empty { format: Format::Mp3 });
    };
    let mut frames = walk(bytes, start, &first)?;
    let mut pcm = Pcm::new(Format::Mp3, first.rate_hz, first.channels, options)?;
    let info = read_info_frame(&bytes[frames[0].clone()], &first);
    if info.is_some() {
        frames.remove(0);
    }
    let info = info.unwrap_or_default();
    if let Some(declared) = info.frames
        && (frames.len() as u64) < declared
    {
        return Err(DecodeError::Truncated {
            format: Format::Mp3,
            unit: "frames",
            expected: declared,
            actual: frames.len() as u64,
        });
    }
    if (frames.len() * first.samples()) as f64 > options.max_duration_s * f64::from(first.rate_hz) {
        return Err(DecodeError::TooLong { format: Format::Mp3, limit_s: options.max_duration_s });
    }
    let lead = info.delay_padding.map_or(0, |(delay, _)| delay + DECODER_DELAY);
    let all = frames.len() * first.samples();
    frames.truncate(pcm.wanted.map_or(usize::MAX, |end| {
        // The decoder leans on frames before: only those behind the stretch are left away.
        usize::try_from(end).unwrap_or(usize::MAX).saturating_add(lead).div_ceil(first.samples())
    }));
    decode_frames(bytes, &frames, &mut pcm)?;
    let total = info.delay_padding.map_or(all, |(delay, padding)| all.saturating_sub(delay + padding));
    if info.delay_padding.is_some() {
        pcm.trim(lead, total);
    }
    if frames.len() * first.samples() < all {
        // As far as the whole file could be decoded: the end of the padding may lie beyond the last frame.
        pcm.total = Some(total.min(all.saturating_sub(lead)) as u64);
    }
    Ok(pcm)
}

/// Rate, channels and samples of each channel, from the headers of all frames.
pub(super) fn probe(bytes: &[u8]) -> Result<(u32, u32, u64), DecodeError> {
    let start = find_first_frame(bytes).unwrap_or(bytes.len());
    let first = Header::parse(&bytes[start..]).ok_or(DecodeError::Empty { format: Format::Mp3 })?;
    let frames = walk(bytes, start, &first)?;
    let info = read_info_frame(&bytes[frames[0].clone()], &first);
    let count = frames.len() - usize::from(info.is_some());
    let info = info.unwrap_or_default();
    if let Some(expected) = info.frames.filter(|declared| (count as u64) < *declared) {
        return Err(DecodeError::Truncated { format: Format::Mp3, unit: "frames", expected, actual: count as u64 });
    }
    let all = count * first.samples();
    let total = info.delay_padding.map_or(all, |(delay, padding)| {
        all.saturating_sub(delay + padding).min(all.saturating_sub(delay + DECODER_DELAY))
    });
    Ok((first.rate_hz, first.channels, total as u64))
}

/// The byte ranges of all frames from `start` on; trailing tags and zeros end the stream.
fn walk(bytes: &[u8], start: usize, first: &Header) -> Result<Vec<Range<usize>>, DecodeError> {
    let mut frames = Vec::new();
    let mut at = start;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let trailing_tag =
            rest.starts_with(b"TAG") || rest.starts_with(b"APETAGEX") || rest.starts_with(b"LYRICSBEGIN");
        if trailing_tag || rest.iter().all(|b| *b == 0) {
            break;
        }
        match Header::parse(rest) {
            Some(header) if header.same_stream(first) => {
                if rest.len() < header.frame_bytes {
                    return Err(DecodeError::Truncated {
                        format: Format::Mp3,
                        unit: "bytes in the last frame",
                        expected: header.frame_bytes as u64,
                        actual: rest.len() as u64,
                    });
                }
                frames.push(at..at + header.frame_bytes);
                at += header.frame_bytes;
            }
            None if rest.len() < 4 && rest.iter().zip(&bytes[start..]).all(|(a, b)| a == b) => {
                return Err(DecodeError::Truncated {
                    format: Format::Mp3,
                    unit: "bytes in the last frame",
                    expected: first.frame_bytes as u64,
                    actual: rest.len() as u64,
                });
            }
            _ => {
                return Err(DecodeError::Malformed {
                    format: Format::Mp3,
                    position: at as u64,
                    expected: format!("a layer III frame header of {} Hz, {} channels", first.rate_hz, first.channels),
                    actual: format!("bytes {:02x?}", &rest[..rest.len().min(4)]),
                });
            }
        }
    }
    Ok(frames)
}

fn read_info_frame(frame: &[u8], header: &Header) -> Option<InfoFrame> {
    let be32 = |at: usize| frame.get(at..at + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
    let vbri = 4 + 32;
    if frame.get(vbri..vbri + 4) == Some(b"VBRI") {
        return Some(InfoFrame { frames: be32(vbri + 14).map(u64::from), delay_padding: None });
    }
    let tag = 4 + header.side_info_bytes();
    if !matches!(frame.get(tag..tag + 4)?, b"Xing" | b"Info") {
        return None;
    }
    let flags = be32(tag + 4)?;
    let mut at = tag + 8;
    let mut info = InfoFrame::default();
    if flags & 1 != 0 {
        info.frames = be32(at).map(u64::from);
        at += 4;
    }
    // Byte count, seek table, quality.
    at +=
        if flags & 2 != 0 { 4 } else { 0 } + if flags & 4 != 0 { 100 } else { 0 } + if flags & 8 != 0 { 4 } else { 0 };
    if let Some(extension) = frame.get(at..at + 24)
        && (extension.starts_with(b"LAME") || extension.starts_with(b"Lavf") || extension.starts_with(b"Lavc"))
    {
        let [a, b, c] = [extension[21], extension[22], extension[23]].map(usize::from);
        info.delay_padding = Some((a << 4 | b >> 4, (b & 15) << 8 | c));
    }
    Some(info)
}

/// Decodes whole frames in order into `pcm`, delay included.
fn decode_frames(bytes: &[u8], frames: &[Range<usize>], pcm: &mut Pcm) -> Result<(), DecodeError> {
    let failed = |pcm: &Pcm, error: symphonia::core::errors::Error| DecodeError::Codec {
        format: Format::Mp3,
        samples: pcm.mono.len() as u64,
        message: error.to_string(),
    };
    let mut parameters = AudioCodecParameters::new();
    parameters.for_codec(CODEC_ID_MP3).with_sample_rate(pcm.rate_hz);
    let options = AudioDecoderOptions::default().gapless(false);
    let mut decoder = MpaDecoder::try_new(&parameters, &options).map_err(|e| failed(pcm, e))?;
    let mut block = Vec::<f32>::new();
    for range in frames {
        let packet = PacketRef::new(0, Timestamp::ZERO, Duration::ZERO, &bytes[range.clone()]);
        let audio = decoder.decode_ref(&packet).map_err(|e| failed(pcm, e))?;
        audio.copy_to_vec_interleaved(&mut block);
        pcm.push_interleaved(&block)?;
    }
    Ok(())
}

#[cfg(feature = "mp3")]
/// Splits an encoder's own output into frames and decodes them at the rate of the first; the delay stays in.
pub(crate) fn decode_stream(bytes: &[u8], options: &DecodeOptions) -> Result<Pcm, DecodeError> {
    let first = Header::parse(bytes).ok_or(DecodeError::Empty { format: Format::Mp3 })?;
    let frames = walk(bytes, 0, &first)?;
    let mut pcm = Pcm::new(Format::Mp3, first.rate_hz, first.channels, options)?;
    decode_frames(bytes, &frames, &mut pcm)?;
    Ok(pcm)
}
