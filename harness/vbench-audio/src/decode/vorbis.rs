//! Vorbis in Ogg: our own page reader, symphonia's packet decoder.

use symphonia::core::codecs::audio::well_known::CODEC_ID_VORBIS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::packet::PacketRef;
use symphonia::core::units::{Duration, Timestamp};
use symphonia::default::codecs::VorbisDecoder;

use super::{DecodeOptions, Format, Pcm, ogg};
use crate::error::DecodeError;

const FORMAT: Format = Format::OggVorbis;

pub(crate) fn decode(bytes: &[u8], options: &DecodeOptions) -> Result<Pcm, DecodeError> {
    let packets = ogg::read_packets(bytes, FORMAT)?;
    let ident = header(&packets, 0, 1)?;
    header(&packets, 1, 3)?;
    let setup = header(&packets, 2, 5)?;
    if ident.len() < 30 {
        return Err(DecodeError::Truncated {
            format: FORMAT,
            unit: "bytes of the identification header",
            expected: 30,
            actual: ident.len() as u64,
        });
    }
    let rate_hz = u32::from_le_bytes([ident[12], ident[13], ident[14], ident[15]]);
    let mut pcm = Pcm::new(FORMAT, rate_hz, u32::from(ident[11]), options)?;
    let mut parameters = AudioCodecParameters::new();
    parameters
        .for_codec(CODEC_ID_VORBIS)
        .with_sample_rate(rate_hz)
        .with_extra_data([ident, setup].concat().into_boxed_slice());
    let mut decoder =
        VorbisDecoder::try_new(&parameters, &AudioDecoderOptions::default()).map_err(|e| failed(&pcm, &e))?;
    let mut block = Vec::<f32>::new();
    // Frames by which the decoded signal starts before the stream's time zero, from the first page that has a time.
    let mut lead_in: Option<i64> = None;
    let mut last_granule = None;
    let timed = packets[3..].iter().filter(|p| p.granule.is_some()).count();
    let mut left = false;
    for packet in packets[3..].iter().filter(|p| !p.data.is_empty()) {
        let audio = decoder
            .decode_ref(&PacketRef::new(0, Timestamp::ZERO, Duration::ZERO, &packet.data))
            .map_err(|e| failed(&pcm, &e))?;
        audio.copy_to_vec_interleaved(&mut block);
        pcm.push_interleaved(&block)?;
        if let Some(granule) = packet.granule {
            lead_in = lead_in.or(Some((pcm.mono.len() as i64).saturating_sub(granule)));
            last_granule = Some(granule);
        }
        // Where time zero lies is known from the first page that has a time.
        if timed > 1 && lead_in.is_some_and(|lead| pcm.enough(lead.max(0) as u64)) {
            left = true;
            break;
        }
    }
    if left {
        last_granule = packets[3..].iter().rev().find_map(|p| p.granule);
        let end = last_granule.map_or(0, |g| g.saturating_add(lead_in.unwrap_or(0).min(0)));
        pcm.total = Some(end.max(0) as u64);
    }
    trim(&mut pcm, &packets, lead_in, last_granule);
    Ok(pcm)
}

fn failed(pcm: &Pcm, error: &symphonia::core::errors::Error) -> DecodeError {
    DecodeError::Codec { format: FORMAT, samples: pcm.mono.len() as u64, message: error.to_string() }
}

/// The header packet at `index`, which must be of type `kind`.
fn header(packets: &[ogg::Packet], index: usize, kind: u8) -> Result<&[u8], DecodeError> {
    let packet = packets.get(index);
    packet
        .map(|p| p.data.as_slice())
        .filter(|data| data.first() == Some(&kind) && data.get(1..7) == Some(b"vorbis"))
        .ok_or_else(|| DecodeError::Malformed {
            format: FORMAT,
            position: packet.or(packets.last()).map_or(0, |p| p.position),
            expected: format!("Vorbis header packet of type {kind}"),
            actual: packet.map_or("the end of the stream".into(), |p| {
                let start = &p.data[..p.data.len().min(7)];
                format!("a packet of {} bytes starting {start:02x?}", p.data.len())
            }),
        })
}

/// Rate, channels and samples of each channel, as the last page counts them.
pub(super) fn probe(bytes: &[u8]) -> Result<(u32, u32, u64), DecodeError> {
    let packets = ogg::read_packets(bytes, FORMAT)?;
    let ident = header(&packets, 0, 1)?;
    let Some(&[channels, a, b, c, d]) = ident.get(11..16) else {
        return Err(DecodeError::Empty { format: FORMAT });
    };
    let frames = packets.iter().rev().find_map(|p| p.granule).unwrap_or(0);
    Ok((u32::from_le_bytes([a, b, c, d]), u32::from(channels), frames.max(0) as u64))
}

/// Vorbis I, appendix A.2: a first page shorter than its packets starts the stream late, a last page shorter than its
/// packets ends it early. When both are one page, it is the end that is cut.
fn trim(pcm: &mut Pcm, packets: &[ogg::Packet], lead_in: Option<i64>, last_granule: Option<i64>) {
    let timed_pages = packets[3..].iter().filter(|p| p.granule.is_some()).count();
    let lead_in = if timed_pages > 1 { lead_in.unwrap_or(0) } else { 0 };
    let start = lead_in.clamp(0, pcm.mono.len() as i64) as usize;
    // A negative lead-in is a stream cut from a longer one: its times have an offset.
    let end = last_granule.map_or(i64::MAX, |g| g.saturating_add(lead_in.min(0)));
    pcm.trim(start, usize::try_from(end.max(0)).unwrap_or(usize::MAX));
}
