//! Opus in Ogg (RFC 7845), decoded by libopus translated to Rust.

use super::{DecodeOptions, Format, Pcm, ogg};
use crate::RATE_HZ;
use crate::error::DecodeError;

/// Longest Opus packet, 120 ms, in samples of one channel at 16 kHz.
const MAX_PACKET_FRAMES: usize = 120 * RATE_HZ as usize / 1000;
/// Granule positions and the pre-skip count samples at 48 kHz.
const GRANULES_PER_SAMPLE: i64 = 48_000 / RATE_HZ as i64;

struct Head {
    channels: u8,
    pre_skip: u16,
    gain: f64,
}

pub(super) fn decode(bytes: &[u8], options: &DecodeOptions) -> Result<Pcm, DecodeError> {
    let format = Format::OggOpus;
    let packets = ogg::read_packets(bytes, format)?;
    let head = read_head(&packets[0].data)?;
    let tags = packets.get(1).map(|p| p.data.as_slice()).unwrap_or_default();
    if !tags.starts_with(b"OpusTags") {
        return Err(DecodeError::Malformed {
            format,
            position: packets.get(1).map_or(bytes.len() as u64, |p| p.position),
            expected: "an OpusTags packet".into(),
            actual: format!("{:02x?}", &tags[..tags.len().min(8)]),
        });
    }
    let mut pcm = Pcm::new(format, RATE_HZ, u32::from(head.channels), options)?;
    let failed = |pcm: &Pcm, message: String| DecodeError::Codec { format, samples: pcm.mono.len() as u64, message };
    let mut decoder = OpusDecoder::new(head.channels).map_err(|e| failed(&pcm, e))?;
    let mut block = vec![0.0f32; MAX_PACKET_FRAMES * usize::from(head.channels)];
    let (mut lead_in, mut last_granule, mut timed_pages) = (None::<i64>, None, 0);
    let (timed, mut left) = (packets[2..].iter().filter(|p| p.granule.is_some()).count(), false);
    for packet in &packets[2..] {
        let frames = decoder.decode(&packet.data, &mut block).map_err(|e| failed(&pcm, e))?;
        let decoded = &mut block[..frames * usize::from(head.channels)];
        if head.gain != 1.0 {
            for x in decoded.iter_mut() {
                *x = (f64::from(*x) * head.gain) as f32;
            }
        }
        pcm.push_interleaved(decoded)?;
        if let Some(granule) = packet.granule {
            lead_in =
                lead_in.or(Some((pcm.mono.len() as i64).saturating_mul(GRANULES_PER_SAMPLE).saturating_sub(granule)));
            last_granule = Some(granule);
            timed_pages += 1;
        }
        // Where time zero lies is known from the first page that has a time.
        if timed > 1 && timed_pages > 0 && pcm.enough(u64::from(head.pre_skip)) {
            (left, timed_pages) = (true, timed);
            last_granule = packets[2..].iter().rev().find_map(|p| p.granule);
            break;
        }
    }
    // Times of a stream cut from a longer one have an offset; a stream of one page may only be cut at its end.
    let offset = if timed_pages > 1 { lead_in.unwrap_or(0).min(0) } else { 0 };
    let pre_skip = i64::from(head.pre_skip);
    let end = last_granule.map_or(i64::MAX, |g: i64| g.saturating_add(offset).saturating_sub(pre_skip));
    let samples = |granules: i64| ((granules.max(0) as u64 + 1) / GRANULES_PER_SAMPLE as u64) as usize;
    let total = samples(end.min(i64::MAX - 1));
    pcm.trim(samples(pre_skip), total);
    pcm.total = left.then_some(total as u64);
    Ok(pcm)
}

/// Rate, channels and samples of each channel, as the last page counts them.
pub(super) fn probe(bytes: &[u8]) -> Result<(u32, u32, u64), DecodeError> {
    let packets = ogg::read_packets(bytes, Format::OggOpus)?;
    let head = read_head(&packets[0].data)?;
    let last = packets.iter().rev().find_map(|p| p.granule).unwrap_or(0);
    let granules = last.saturating_sub(i64::from(head.pre_skip)).max(0);
    Ok((RATE_HZ, u32::from(head.channels), (granules as u64 + 1) / GRANULES_PER_SAMPLE as u64))
}

fn read_head(data: &[u8]) -> Result<Head, DecodeError> {
    let format = Format::OggOpus;
    let malformed = |expected: &str, actual: String| DecodeError::Malformed {
        format,
        position: 0,
        expected: expected.into(),
        actual,
    };
    if data.len() < 19 {
        return Err(malformed("an OpusHead packet of at least 19 bytes", format!("{} bytes", data.len())));
    }
    if data[8] >> 4 != 0 {
        return Err(DecodeError::Unsupported { format, what: format!("OpusHead version {}", data[8]) });
    }
    let (channels, family) = (data[9], data[18]);
    if family != 0 {
        return Err(DecodeError::Unsupported { format, what: format!("channel mapping family {family}") });
    }
    if !(1..=2).contains(&channels) {
        return Err(malformed("1 or 2 channels in mapping family 0", format!("{channels}")));
    }
    let pre_skip = u16::from_le_bytes([data[10], data[11]]);
    // Q7.8 dB.
    let gain_db = f64::from(i16::from_le_bytes([data[16], data[17]])) / 256.0;
    Ok(Head { channels, pre_skip, gain: if gain_db == 0.0 { 1.0 } else { libm::pow(10.0, gain_db / 20.0) } })
}

/// A libopus decoder at 16 kHz.
pub(crate) struct OpusDecoder {
    state: *mut unsafe_libopus::OpusDecoder,
    channels: usize,
}

impl OpusDecoder {
    /// `channels` is 1 or 2.
    pub(crate) fn new(channels: u8) -> Result<Self, String> {
        let mut error = 0;
        // SAFETY: plain numbers and a pointer to a live local; the result is checked for null.
        let state = unsafe { unsafe_libopus::opus_decoder_create(RATE_HZ as i32, i32::from(channels), &raw mut error) };
        if state.is_null() || error != unsafe_libopus::OPUS_OK {
            return Err(format!("opus_decoder_create failed with code {error}"));
        }
        Ok(Self { state, channels: usize::from(channels) })
    }

    /// Decodes one packet into `out` (interleaved); the number of frames.
    pub(crate) fn decode(&mut self, packet: &[u8], out: &mut [f32]) -> Result<usize, String> {
        // An empty packet would ask for concealment of a loss, which no container signals this way.
        if packet.is_empty() {
            return Err("a packet of 0 bytes".into());
        }
        let capacity = (out.len() / self.channels).min(MAX_PACKET_FRAMES);
        // SAFETY: `state` is live and owned, `packet` has the length passed, `out` has room for `capacity` frames.
        let frames = unsafe {
            unsafe_libopus::opus_decode_float(
                self.state,
                packet.as_ptr(),
                packet.len() as i32,
                out.as_mut_ptr(),
                capacity as i32,
                0,
            )
        };
        usize::try_from(frames).map_err(|_| format!("a packet of {} bytes: libopus code {frames}", packet.len()))
    }
}

impl Drop for OpusDecoder {
    fn drop(&mut self) {
        // SAFETY: created by opus_decoder_create and not used again.
        unsafe { unsafe_libopus::opus_decoder_destroy(self.state) }
    }
}
