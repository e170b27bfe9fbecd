//! MP3 by LAME at 16 kHz mono (MPEG-2 layer III), constant bit rate; decoded by symphonia.

use std::sync::{Mutex, PoisonError};

use mp3lame_encoder::{Bitrate, Builder, FlushGap, Mode, MonoPcm, Quality};

use super::RoundTrip;
use crate::RATE_HZ;
use crate::decode::{DecodeOptions, MP3_DECODER_DELAY, decode_mp3_stream};
use crate::error::DegradeError;

/// Delay of LAME's encoder in samples.
const ENCODER_DELAY: usize = 576;
/// Samples in a frame at 16 kHz.
const FRAME: usize = 576;

/// Through MP3 and back at `kbps`: 8, 16, 24, 32, 40, 48, 64, 80, 96, 112, 128 or 160.
///
/// LAME scales its input down slightly at some bit rates (by 0.95 at 64 kbit/s) to avoid clipping; that belongs to what
/// MP3 does and is kept.
pub(crate) fn round_trip(samples: &[f32], kbps: u32) -> Result<RoundTrip, DegradeError> {
    let delay = ENCODER_DELAY + MP3_DECODER_DELAY;
    // Zeros behind the clip, so that the decoded stream reaches beyond it by the delay.
    let mut input = samples.to_vec();
    input.resize(samples.len() + delay + FRAME, 0.0);
    let stream = encode(&input, kbps)?;
    let failed = |message: String| DegradeError::Codec { codec: "MP3", message };
    let options = DecodeOptions { max_duration_s: f64::from(u32::MAX), ..DecodeOptions::default() };
    let mut pcm = decode_mp3_stream(&stream, &options).map_err(|e| failed(e.to_string()))?;
    let coded = pcm.mono.len();
    pcm.trim(delay, samples.len());
    if pcm.mono.len() != samples.len() || pcm.rate_hz != RATE_HZ {
        return Err(failed(format!(
            "{} samples at {} Hz came back for {} at {RATE_HZ}",
            pcm.mono.len(),
            pcm.rate_hz,
            samples.len()
        )));
    }
    Ok(RoundTrip {
        samples: pcm.mono,
        kbps: stream.len() as f64 * 8.0 * f64::from(RATE_HZ) / coded.max(1) as f64 / 1000.0,
        delay_removed: delay,
        encoder: format!("LAME {}", mp3lame_encoder::mp3lame_version()),
        decoder: "symphonia 0.6".to_owned(),
    })
}

fn encode(samples: &[f32], kbps: u32) -> Result<Vec<u8>, DegradeError> {
    let failed = |what: &str, error: &dyn core::fmt::Debug| DegradeError::Codec {
        codec: "MP3",
        message: format!("LAME: {what}: {error:?}"),
    };
    let mut builder = Builder::new().ok_or_else(|| failed("no memory", &()))?;
    builder.set_sample_rate(RATE_HZ).map_err(|e| failed("sample rate", &e))?;
    let rate = core::num::NonZeroU32::new(RATE_HZ);
    builder.set_output_sample_rate(rate).map_err(|e| failed("output sample rate", &e))?;
    builder.set_num_channels(1).map_err(|e| failed("channels", &e))?;
    builder.set_mode(Mode::Mono).map_err(|e| failed("mode", &e))?;
    builder.set_brate(bitrate(kbps)?).map_err(|e| failed("bit rate", &e))?;
    // The default of the lame program.
    builder.set_quality(Quality::VeryNice).map_err(|e| failed("quality", &e))?;
    // No Info frame: every frame of the stream is audio.
    builder.set_to_write_vbr_tag(false).map_err(|e| failed("tag", &e))?;
    let mut encoder = {
        // LAME fills global tables when an encoder is initialised, each time with the same values but without a lock.
        static TABLES: Mutex<()> = Mutex::new(());
        let _guard = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
        builder.build().map_err(|e| failed("initialisation", &e))?
    };
    // LAME's documented bound on its output; it writes through a pointer and trusts the size.
    let mut stream = Vec::with_capacity(samples.len() * 5 / 4 + 2 * 7200 + samples.len() * kbps as usize / 64);
    encoder.encode_to_vec(MonoPcm(samples), &mut stream).map_err(|e| failed("encode", &e))?;
    stream.reserve(7200);
    encoder.flush_to_vec::<FlushGap>(&mut stream).map_err(|e| failed("flush", &e))?;
    Ok(stream)
}

fn bitrate(kbps: u32) -> Result<Bitrate, DegradeError> {
    Ok(match kbps {
        8 => Bitrate::Kbps8,
        16 => Bitrate::Kbps16,
        24 => Bitrate::Kbps24,
        32 => Bitrate::Kbps32,
        40 => Bitrate::Kbps40,
        48 => Bitrate::Kbps48,
        64 => Bitrate::Kbps64,
        80 => Bitrate::Kbps80,
        96 => Bitrate::Kbps96,
        112 => Bitrate::Kbps112,
        128 => Bitrate::Kbps128,
        160 => Bitrate::Kbps160,
        _ => {
            return Err(DegradeError::Parameter {
                parameter: "MP3 kbps",
                actual: f64::from(kbps),
                expected: "8, 16, 24, 32, 40, 48, 64, 80, 96, 112, 128 or 160",
            });
        }
    })
}
