//! Opus by libopus translated to Rust (`unsafe-libopus`), 16 kHz mono, 20 ms frames; streams with losses are decoded by
//! another translation (`opus-pure`).

use rand_chacha::ChaCha8Rng;
use vbench_core::{Opus, OpusMode};

use super::RoundTrip;
use crate::decode::OpusDecoder;
use crate::error::DegradeError;
use crate::{RATE_HZ, loss};

/// Samples in a frame of 20 ms.
pub(crate) const FRAME: usize = RATE_HZ as usize / 50;
/// libopus' recommended bound on the size of a packet.
const MAX_PACKET_BYTES: usize = 4000;

/// The decoder of streams with losses, for receipts.
const LOSSY_DECODER: &str = "opus-pure 0.2 (libopus 1.6.1)";

/// Coded packets and the encoder's delay.
pub(crate) struct Coded {
    pub(crate) packets: Vec<Vec<u8>>,
    /// Samples at 16 kHz by which the decoded signal lags.
    pub(crate) lookahead: usize,
}

/// Settings of the plain round trip: the encoder's best.
pub(crate) const fn settings(kbps: u32, mode: OpusMode) -> Opus {
    Opus { kbps, mode, complexity: 10, loss: None, fec: false }
}

/// Through Opus and back, losing packets on the way where asked to.
///
/// A lost packet is concealed by the decoder; with forward error correction it is rebuilt from the copy in the next
/// packet, if that arrived and carries one (the decoder is taken to look one packet ahead).
pub(crate) fn round_trip(samples: &[f32], settings: &Opus, rng: &mut ChaCha8Rng) -> Result<RoundTrip, DegradeError> {
    let expected_loss = check(settings)?;
    let failed = |message: String| DegradeError::Codec { codec: "Opus", message };
    let coded = encode(samples, settings, expected_loss).map_err(failed)?;
    let (mut decoded, decoder, achieved) = match &settings.loss {
        None => {
            let version = unsafe_libopus::opus_get_version_string().to_owned();
            (decode(&coded.packets).map_err(failed)?, version, Vec::new())
        }
        Some(model) => {
            let lost = loss::draw(model, coded.packets.len(), rng)?;
            let (decoded, recovered) = decode_lossy(&coded.packets, &lost, settings.fec).map_err(failed)?;
            let mut achieved = loss::achieved(&lost);
            achieved.push(("packets_recovered".to_owned(), f64::from(recovered)));
            (decoded, LOSSY_DECODER.to_owned(), achieved)
        }
    };
    decoded.drain(..coded.lookahead);
    decoded.truncate(samples.len());
    let bytes: usize = coded.packets.iter().map(Vec::len).sum();
    Ok(RoundTrip {
        samples: decoded,
        kbps: bytes as f64 * 8.0 / (coded.packets.len() as f64 * 0.02) / 1000.0,
        delay_removed: coded.lookahead,
        encoder: unsafe_libopus::opus_get_version_string().to_owned(),
        decoder,
        achieved,
        facts: Vec::new(),
    })
}

fn decode(packets: &[Vec<u8>]) -> Result<Vec<f32>, String> {
    let mut decoder = OpusDecoder::new(1)?;
    let mut decoded = vec![0.0f32; packets.len() * FRAME];
    for (packet, block) in packets.iter().zip(decoded.as_chunks_mut::<FRAME>().0) {
        expect_frame(decoder.decode(packet, block)?)?;
    }
    Ok(decoded)
}

/// Decodes what arrived; also how many lost packets were rebuilt from a copy.
///
/// By another decoder than [`decode`]: `unsafe-libopus` 0.2.0 conceals with full-scale noise (its translation of libopus'
/// `silk/PLC.c` lost the sign of the lower saturation bound). The two agree on packets that arrive.
fn decode_lossy(packets: &[Vec<u8>], lost: &[bool], fec: bool) -> Result<(Vec<f32>, u32), String> {
    let failed = |e: opus_pure::Error| e.to_string();
    let mut decoder = opus_pure::OpusDecoder::new(RATE_HZ as i32, 1).map_err(failed)?;
    let mut decoded = vec![0.0f32; packets.len() * FRAME];
    let mut recovered = 0;
    for (index, block) in decoded.as_chunks_mut::<FRAME>().0.iter_mut().enumerate() {
        let copy = || packets.get(index + 1).filter(|next| fec && !lost[index + 1] && has_copy(next));
        let frames = if !lost[index] {
            decoder.decode(&packets[index], FRAME, block)
        } else if let Some(next) = copy() {
            recovered += 1;
            decoder.decode_fec(next, FRAME, block)
        } else {
            // An empty packet asks for concealment.
            decoder.decode(&[], FRAME, block)
        };
        expect_frame(frames.map_err(failed)?)?;
    }
    Ok((decoded, recovered))
}

fn expect_frame(frames: usize) -> Result<(), String> {
    if frames == FRAME { Ok(()) } else { Err(format!("a packet decoded to {frames} samples, expected {FRAME}")) }
}

/// The expected share of lost packets, 0 to 1.
fn check(settings: &Opus) -> Result<f64, DegradeError> {
    let (kbps, complexity) = (settings.kbps, settings.complexity);
    if !(6..=64).contains(&kbps) {
        return Err(DegradeError::Parameter { parameter: "Opus kbps", actual: f64::from(kbps), expected: "6 to 64" });
    }
    if complexity > 10 {
        let (parameter, expected) = ("Opus complexity", "0 to 10");
        return Err(DegradeError::Parameter { parameter, actual: f64::from(complexity), expected });
    }
    settings.loss.as_ref().map_or(Ok(0.0), loss::expected_rate)
}

/// Whether a packet of one 20 ms frame carries a copy of the frame before it (LBRR, RFC 6716, section 4.2.4): not in a
/// CELT packet (configurations 16 to 31); else the second bit of a mono SILK frame says so.
fn has_copy(packet: &[u8]) -> bool {
    matches!(packet, [toc, first, ..] if toc & 0x80 == 0 && first & 0x40 != 0)
}

/// Encodes with constrained variable bit rate; the last packets reach beyond the clip by the
/// encoder's delay.
///
/// With forward error correction the encoder makes room for copies as fits `expected_loss`, 0 to 1.
pub(crate) fn encode(samples: &[f32], settings: &Opus, expected_loss: f64) -> Result<Coded, String> {
    let mut encoder = Encoder::new(settings, expected_loss)?;
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
    fn new(settings: &Opus, expected_loss: f64) -> Result<Self, String> {
        let mut error = 0;
        let application = match settings.mode {
            OpusMode::Voip => unsafe_libopus::OPUS_APPLICATION_VOIP,
            OpusMode::Audio => unsafe_libopus::OPUS_APPLICATION_AUDIO,
        };
        // SAFETY: plain numbers and a pointer to a live local; the result is checked for null.
        let state = unsafe { unsafe_libopus::opus_encoder_create(RATE_HZ as i32, 1, application, &raw mut error) };
        if state.is_null() || error != unsafe_libopus::OPUS_OK {
            return Err(format!("opus_encoder_create failed with code {error}"));
        }
        let encoder = Self { state };
        let fec_percent = if settings.fec { libm::round(100.0 * expected_loss) as i32 } else { 0 };
        for (request, value) in [
            (unsafe_libopus::OPUS_SET_BITRATE_REQUEST, settings.kbps as i32 * 1000),
            (unsafe_libopus::OPUS_SET_VBR_REQUEST, 1),
            (unsafe_libopus::OPUS_SET_VBR_CONSTRAINT_REQUEST, 1),
            (unsafe_libopus::OPUS_SET_COMPLEXITY_REQUEST, settings.complexity as i32),
            (unsafe_libopus::OPUS_SET_INBAND_FEC_REQUEST, i32::from(settings.fec)),
            (unsafe_libopus::OPUS_SET_PACKET_LOSS_PERC_REQUEST, fec_percent),
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
    use vbench_core::keyed::keyed_rng;

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
            let got =
                round_trip(&clean, &settings(kbps, OpusMode::Audio), &mut keyed_rng(1, "", "", "")).unwrap().samples;
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

    /// The case of `golden/vectors/opus_loss.json`: libopus 1.3.1 on the same packets, to the bit.
    #[test]
    fn losses_sound_as_with_libopus() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/vectors/opus_loss.json");
        let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let case = &file["cases"][0];
        let byte = |text: &str, at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        let bytes = |text: &str| (0..text.len()).step_by(2).map(|at| byte(text, at)).collect::<Vec<u8>>();
        let packets: Vec<_> = case["packets"].as_array().unwrap().iter().map(|p| bytes(p.as_str().unwrap())).collect();
        let copies = packets.iter().filter(|p| has_copy(p)).count() as u64;
        assert_eq!(copies, case["with_copy"].as_u64().unwrap());
        let mut lost = vec![false; packets.len()];
        case["lost"].as_array().unwrap().iter().for_each(|at| lost[at.as_u64().unwrap() as usize] = true);
        for (name, fec, want_recovered) in [("concealed", false, 0), ("recovered", true, 4)] {
            let (decoded, recovered) = decode_lossy(&packets, &lost, fec).unwrap();
            assert_eq!(recovered, want_recovered);
            let rms = |x: &[f32]| (x.iter().map(|v| v * v).sum::<f32>() / x.len() as f32).sqrt() * 32_768.0;
            println!(
                "{name}: {:.0?}, want {}",
                decoded.chunks(FRAME).map(rms).collect::<Vec<_>>(),
                case[format!("{name}_rms")]
            );
            let pcm: Vec<u8> = decoded.iter().flat_map(|x| ((x * 32_768.0) as i16).to_le_bytes()).collect();
            assert_eq!(vbench_core::hash::sha256_hex(&pcm), case[format!("{name}_sha256")].as_str().unwrap(), "{name}");
        }
    }
}
