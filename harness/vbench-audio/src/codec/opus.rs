//! Opus by libopus translated to Rust (`unsafe-libopus`), 16 kHz mono, 20 ms frames.

use super::RoundTrip;
use crate::RATE_HZ;
use crate::decode::OpusDecoder;
use crate::error::DegradeError;

/// Samples in a frame of 20 ms.
pub(crate) const FRAME: usize = RATE_HZ as usize / 50;
/// libopus' recommended bound on the size of a packet.
const MAX_PACKET_BYTES: usize = 4000;

/// Coded packets and the encoder's delay.
pub(crate) struct Coded {
    pub(crate) packets: Vec<Vec<u8>>,
    /// Samples at 16 kHz by which the decoded signal lags.
    pub(crate) lookahead: usize,
}

/// What the encoder optimises for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Mode {
    /// Speech over a telephone: removes what lies below the voice, favours intelligibility.
    Voip,
    /// Fidelity to the input, the default of the opusenc tool.
    Audio,
}

/// Through Opus in VoIP mode and back at `kbps` (6 to 64).
pub(crate) fn round_trip(samples: &[f32], kbps: u32) -> Result<RoundTrip, DegradeError> {
    round_trip_in(samples, kbps, Mode::Voip)
}

fn round_trip_in(samples: &[f32], kbps: u32, mode: Mode) -> Result<RoundTrip, DegradeError> {
    if !(6..=64).contains(&kbps) {
        return Err(DegradeError::Parameter { parameter: "Opus kbps", actual: f64::from(kbps), expected: "6 to 64" });
    }
    let failed = |message: String| DegradeError::Codec { codec: "Opus", message };
    let coded = encode(samples, kbps, mode).map_err(failed)?;
    let mut decoder = OpusDecoder::new(1).map_err(failed)?;
    let mut decoded = vec![0.0f32; coded.packets.len() * FRAME];
    for (packet, block) in coded.packets.iter().zip(decoded.chunks_exact_mut(FRAME)) {
        let frames = decoder.decode(packet, block).map_err(failed)?;
        if frames != FRAME {
            return Err(failed(format!("a packet decoded to {frames} samples, expected {FRAME}")));
        }
    }
    decoded.drain(..coded.lookahead);
    decoded.truncate(samples.len());
    let bytes: usize = coded.packets.iter().map(Vec::len).sum();
    Ok(RoundTrip {
        samples: decoded,
        kbps: bytes as f64 * 8.0 / (coded.packets.len() as f64 * 0.02) / 1000.0,
        delay_removed: coded.lookahead,
        encoder: unsafe_libopus::opus_get_version_string().to_owned(),
        decoder: unsafe_libopus::opus_get_version_string().to_owned(),
    })
}

/// Encodes with constrained variable bit rate and complexity 10; the last packets reach beyond the clip by the
/// encoder's delay.
pub(crate) fn encode(samples: &[f32], kbps: u32, mode: Mode) -> Result<Coded, String> {
    let mut encoder = Encoder::new(kbps, mode)?;
    let lookahead = encoder.lookahead()?;
    let count = (samples.len() + lookahead).div_ceil(FRAME);
    let mut packets = Vec::with_capacity(count);
    let mut frame = [0.0f32; FRAME];
    for index in 0..count {
        let part = samples.get(index * FRAME..).unwrap_or_default();
        let part = &part[..part.len().min(FRAME)];
        frame[..part.len()].copy_from_slice(part);
        frame[part.len()..].fill(0.0);
        packets.push(encoder.encode(&frame)?);
    }
    Ok(Coded { packets, lookahead })
}

struct Encoder {
    state: *mut unsafe_libopus::OpusEncoder,
}

impl Encoder {
    fn new(kbps: u32, mode: Mode) -> Result<Self, String> {
        let mut error = 0;
        let application = match mode {
            Mode::Voip => unsafe_libopus::OPUS_APPLICATION_VOIP,
            Mode::Audio => unsafe_libopus::OPUS_APPLICATION_AUDIO,
        };
        // SAFETY: plain numbers and a pointer to a live local; the result is checked for null.
        let state = unsafe { unsafe_libopus::opus_encoder_create(RATE_HZ as i32, 1, application, &raw mut error) };
        if state.is_null() || error != unsafe_libopus::OPUS_OK {
            return Err(format!("opus_encoder_create failed with code {error}"));
        }
        let encoder = Self { state };
        for (request, value) in [
            (unsafe_libopus::OPUS_SET_BITRATE_REQUEST, kbps as i32 * 1000),
            (unsafe_libopus::OPUS_SET_VBR_REQUEST, 1),
            (unsafe_libopus::OPUS_SET_VBR_CONSTRAINT_REQUEST, 1),
            (unsafe_libopus::OPUS_SET_COMPLEXITY_REQUEST, 10),
        ] {
            // SAFETY: `state` is live; these requests take one integer.
            let code = unsafe { unsafe_libopus::opus_encoder_ctl!(encoder.state, request, value) };
            if code != unsafe_libopus::OPUS_OK {
                return Err(format!("request {request} with {value}: code {code}"));
            }
        }
        Ok(encoder)
    }

    fn lookahead(&mut self) -> Result<usize, String> {
        let mut samples = 0i32;
        // SAFETY: `state` is live; this request takes one integer to write to.
        let code = unsafe {
            unsafe_libopus::opus_encoder_ctl!(self.state, unsafe_libopus::OPUS_GET_LOOKAHEAD_REQUEST, &mut samples)
        };
        if code == unsafe_libopus::OPUS_OK {
            Ok(samples.max(0) as usize)
        } else {
            Err(format!("lookahead: code {code}"))
        }
    }

    fn encode(&mut self, frame: &[f32; FRAME]) -> Result<Vec<u8>, String> {
        let mut packet = vec![0u8; MAX_PACKET_BYTES];
        // SAFETY: `state` is live, `frame` holds the samples announced, `packet` the bytes announced.
        let bytes = unsafe {
            unsafe_libopus::opus_encode_float(
                self.state,
                frame.as_ptr(),
                FRAME as i32,
                packet.as_mut_ptr(),
                MAX_PACKET_BYTES as i32,
            )
        };
        packet.truncate(usize::try_from(bytes).map_err(|_| format!("opus_encode_float: code {bytes}"))?);
        packet.shrink_to_fit();
        Ok(packet)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: created by opus_encoder_create and not used again.
        unsafe { unsafe_libopus::opus_encoder_destroy(self.state) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{DecodeOptions, decode_file};

    /// In opusenc's mode the round trip must reach opusenc's fidelity; VoIP mode removes low frequencies on purpose and
    /// is held to its own figures in `tests/oracle.rs`.
    #[test]
    fn audio_mode_reaches_the_oracle() {
        let root = std::env::var("VBENCH_ORACLES")
            .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/oracles").into());
        let root = std::path::Path::new(&root);
        let file: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(root.join("codecs.json")).unwrap()).unwrap();
        let mut wrong = Vec::new();
        for (id, kbps) in [("opus_16k", 16), ("opus_32k", 32)] {
            let case = file["cases"].as_array().unwrap().iter().find(|c| c["id"] == id).unwrap();
            let clean =
                decode_file(&root.join(case["wav"].as_str().unwrap()), &DecodeOptions::default()).unwrap().samples;
            let got = round_trip_in(&clean, kbps, Mode::Audio).unwrap().samples;
            let (mut signal, mut noise, mut cross, mut power) = (0.0, 0.0, 0.0, 0.0);
            for (x, y) in clean.iter().zip(&got).map(|(x, y)| (f64::from(*x), f64::from(*y))) {
                signal += x * x;
                noise += (x - y) * (x - y);
                cross += x * y;
                power += y * y;
            }
            let (snr, correlation) = (10.0 * libm::log10(signal / noise), cross / libm::sqrt(signal * power));
            println!(
                "{id}: SNR {snr:.2} dB, correlation {correlation:.4}, oracle {} {}",
                case["snr_db"], case["correlation"]
            );
            // A floor: opusdec resamples and is a fraction of a sample late, which costs the oracle SNR at 32 kbit/s.
            if snr < case["snr_db"].as_f64().unwrap() - 3.0
                || (correlation - case["correlation"].as_f64().unwrap()).abs() > 0.05
            {
                wrong.push(format!("{id}: SNR {snr}, correlation {correlation}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
