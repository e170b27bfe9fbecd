//! AAC low complexity at 16 kHz mono: coded by syom, decoded by symphonia, so that one reads what the other wrote.

use symphonia::core::codecs::audio::well_known::CODEC_ID_AAC;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::packet::PacketRef;
use symphonia::core::units::{Duration, Timestamp};
use symphonia::default::codecs::AacDecoder;
use syom::{EncodeOptions, Encoder};

use super::RoundTrip;
use crate::RATE_HZ;
use crate::error::DegradeError;

/// Samples of a frame.
const FRAME: usize = 1024;
/// The first frame only fills the overlap of the transform.
const DELAY: usize = FRAME;

/// Through AAC-LC and back at `kbps`, 12 to 96 kbit/s: at 96 a frame has the 6144 bits that the standard gives a channel.
///
/// The encoder keeps a bit reservoir. Without it, by its average bit rate, frames near the standard's limit come out damaged
/// (18 dB of SNR at 96 kbit/s in place of 33).
pub(crate) fn round_trip(samples: &[f32], kbps: u32) -> Result<RoundTrip, DegradeError> {
    if !(12..=96).contains(&kbps) {
        let (parameter, expected) = ("AAC kbps", "12 to 96 kbit/s");
        return Err(DegradeError::Parameter { parameter, actual: f64::from(kbps), expected });
    }
    let failed = |message: String| DegradeError::Codec { codec: "AAC", message };
    let (configuration, units) = encode(samples, kbps).map_err(|e| failed(e.to_string()))?;
    let mut decoded = decode(configuration, &units).map_err(|e| failed(e.to_string()))?;
    if decoded.len() < DELAY + samples.len() {
        return Err(failed(format!("{} samples came back for {} and a frame", decoded.len(), samples.len())));
    }
    decoded.drain(..DELAY);
    decoded.truncate(samples.len());
    let bytes: usize = units.iter().map(Vec::len).sum();
    Ok(RoundTrip {
        samples: decoded,
        kbps: bytes as f64 * 8.0 * f64::from(RATE_HZ) / (units.len() * FRAME) as f64 / 1000.0,
        delay_removed: DELAY,
        encoder: "syom 0.9 AAC-LC".to_owned(),
        decoder: "symphonia 0.6".to_owned(),
        achieved: Vec::new(),
        facts: Vec::new(),
    })
}

/// The decoder's configuration and the access units, one a frame.
fn encode(samples: &[f32], kbps: u32) -> syom::Result<(Vec<u8>, Vec<Vec<u8>>)> {
    let mut units = Vec::new();
    let mut encoder = Encoder::new(RATE_HZ, 1, &EncodeOptions::raw().with_bitrate_bps(1000 * kbps).with_cbr(true))?;
    encoder.feed(&[samples], |frame| {
        units.push(frame.payload.to_vec());
        Ok(())
    })?;
    encoder.finish(|frame| {
        units.push(frame.payload.to_vec());
        Ok(())
    })?;
    Ok((encoder.asc().to_vec(), units))
}

fn decode(configuration: Vec<u8>, units: &[Vec<u8>]) -> symphonia::core::errors::Result<Vec<f32>> {
    let mut parameters = AudioCodecParameters::new();
    parameters.for_codec(CODEC_ID_AAC).with_sample_rate(RATE_HZ).with_extra_data(configuration.into_boxed_slice());
    let mut decoder = AacDecoder::try_new(&parameters, &AudioDecoderOptions::default())?;
    let (mut all, mut block) = (Vec::with_capacity(units.len() * FRAME), Vec::<f32>::new());
    for unit in units {
        let audio = decoder.decode_ref(&PacketRef::new(0, Timestamp::ZERO, Duration::ZERO, unit))?;
        audio.copy_to_vec_interleaved(&mut block);
        all.extend_from_slice(&block);
    }
    Ok(all)
}
