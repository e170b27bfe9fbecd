//! Native FLAC: our own reading of the metadata, symphonia's frame reader and decoder.

use std::io::Cursor;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::formats::{FormatOptions, FormatReader};
use symphonia::core::io::MediaSourceStream;
use symphonia::default::codecs::FlacDecoder;
use symphonia::default::formats::FlacReader;

use super::{DecodeOptions, Format, Pcm, mp3};
use crate::error::DecodeError;

/// Length of the STREAMINFO block.
const STREAMINFO: usize = 34;

pub(super) fn decode(bytes: &[u8], options: &DecodeOptions) -> Result<Pcm, DecodeError> {
    let (mut info, frames_at) = read_metadata(bytes)?;
    let rate_hz = u32::from_be_bytes([0, info[10], info[11], info[12]]) >> 4;
    let channels = u32::from((info[12] >> 1) & 7) + 1;
    let declared =
        u64::from(info[13] & 15) << 32 | u64::from(u32::from_be_bytes([info[14], info[15], info[16], info[17]]));
    let mut pcm = Pcm::new(Format::Flac, rate_hz, channels, options)?;
    if declared as f64 > options.max_duration_s * f64::from(rate_hz) {
        return Err(DecodeError::TooLong { format: Format::Flac, limit_s: options.max_duration_s });
    }
    // Some encoders write the short last block as the minimum block size. A fixed block size (second byte F8) has no
    // other minimum than its maximum, and the reader relies on that.
    if bytes.get(frames_at + 1) == Some(&0xF8) {
        info.copy_within(2..4, 0);
    }
    // Only STREAMINFO and frames reach the third-party reader: no tags, no pictures, no cue sheets.
    let mut stream = Vec::with_capacity(8 + STREAMINFO + bytes.len() - frames_at);
    stream.extend_from_slice(b"fLaC\x80\x00\x00\x22");
    stream.extend_from_slice(&info);
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

/// STREAMINFO and the offset of the first frame.
fn read_metadata(bytes: &[u8]) -> Result<([u8; STREAMINFO], usize), DecodeError> {
    let start = mp3::id3v2_len(bytes).min(bytes.len());
    let truncated = |expected: usize| DecodeError::Truncated {
        format: Format::Flac,
        unit: "bytes of metadata",
        expected: expected as u64,
        actual: bytes.len() as u64,
    };
    let first = bytes.get(start..start + 8 + STREAMINFO).ok_or_else(|| truncated(start + 8 + STREAMINFO))?;
    if first[4] & 0x7F != 0 || first[5..8] != [0, 0, STREAMINFO as u8] {
        return Err(DecodeError::Malformed {
            format: Format::Flac,
            position: start as u64 + 4,
            expected: "a STREAMINFO block of 34 bytes".into(),
            actual: format!("block header {:02x?}", &first[4..8]),
        });
    }
    let mut info = [0; STREAMINFO];
    info.copy_from_slice(&first[8..]);
    let mut at = start + 4;
    loop {
        let header = bytes.get(at..at + 4).ok_or_else(|| truncated(at + 4))?;
        at += 4 + u32::from_be_bytes([0, header[1], header[2], header[3]]) as usize;
        if at > bytes.len() {
            return Err(truncated(at));
        }
        if header[0] & 0x80 != 0 {
            return Ok((info, at));
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
