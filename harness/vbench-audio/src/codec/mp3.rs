//! MP3 by LAME, mono at constant bit rate, 16 kHz or for high rates 48 kHz; decoded by symphonia.

use std::sync::{Mutex, PoisonError};

use mp3lame_encoder::{Bitrate, Builder, FlushGap, Mode, MonoPcm, Quality};
use vbench_dsp::resample;

use super::RoundTrip;
use crate::RATE_HZ;
use crate::decode::{DecodeOptions, MP3_DECODER_DELAY, decode_mp3_stream};
use crate::error::DegradeError;

/// Delay of LAME's encoder in samples.
const ENCODER_DELAY: usize = 576;
/// Samples of a granule.
const GRANULE: usize = 576;
/// Sample rate above the bit rates that MPEG-2 has at 16 kHz, Hz.
const HIGH_RATE_HZ: u32 = 48_000;

/// Through MP3 and back at `kbps`: 8, 16, 24, 32, 40, 48, 64, 80, 96, 112, 128 or 160 at 16 kHz (MPEG-2), 192, 224, 256
/// or 320 at 48 kHz (MPEG-1).
///
/// LAME scales its input down slightly at some bit rates (by 0.95 at 64 kbit/s) to avoid clipping; that belongs to what
/// MP3 does and is kept.
pub(crate) fn round_trip(samples: &[f32], kbps: u32) -> Result<RoundTrip, DegradeError> {
    let (bitrate, rate_hz) = setting(kbps)?;
    let mut input = resample(samples, RATE_HZ, rate_hz);
    let len = input.len();
    let delay = ENCODER_DELAY + MP3_DECODER_DELAY;
    // Zeros behind the clip, so that the decoded stream reaches beyond it by the delay.
    input.resize(len + delay + GRANULE, 0.0);
    let stream = encode(&input, bitrate, rate_hz)?;
    let failed = |message: String| DegradeError::Codec { codec: "MP3", message };
    let options = DecodeOptions { max_duration_s: f64::from(u32::MAX), ..DecodeOptions::default() };
    let mut pcm = decode_mp3_stream(&stream, &options).map_err(|e| failed(e.to_string()))?;
    let coded = pcm.mono.len();
    pcm.trim(delay, len);
    if pcm.mono.len() != len || pcm.rate_hz != rate_hz {
        let (got, got_hz) = (pcm.mono.len(), pcm.rate_hz);
        return Err(failed(format!("{got} samples at {got_hz} Hz came back for {len} at {rate_hz}")));
    }
    let ratio = (rate_hz / RATE_HZ) as usize;
    Ok(RoundTrip {
        samples: resample(&pcm.mono, rate_hz, RATE_HZ),
        kbps: stream.len() as f64 * 8.0 * f64::from(rate_hz) / coded.max(1) as f64 / 1000.0,
        delay_removed: (delay + ratio / 2) / ratio,
        encoder: format!("LAME {}", mp3lame_encoder::mp3lame_version()),
        decoder: "symphonia 0.6".to_owned(),
        achieved: vec![("coded_rate_hz".to_owned(), f64::from(rate_hz))],
        facts: Vec::new(),
    })
}

fn encode(samples: &[f32], bitrate: Bitrate, rate_hz: u32) -> Result<Vec<u8>, DegradeError> {
    let failed = |what: &str, error: &dyn core::fmt::Debug| DegradeError::Codec {
        codec: "MP3",
        message: format!("LAME: {what}: {error:?}"),
    };
    let mut builder = Builder::new().ok_or_else(|| failed("no memory", &()))?;
    builder.set_sample_rate(rate_hz).map_err(|e| failed("sample rate", &e))?;
    let rate = core::num::NonZeroU32::new(rate_hz);
    builder.set_output_sample_rate(rate).map_err(|e| failed("output sample rate", &e))?;
    builder.set_num_channels(1).map_err(|e| failed("channels", &e))?;
    builder.set_mode(Mode::Mono).map_err(|e| failed("mode", &e))?;
    builder.set_brate(bitrate).map_err(|e| failed("bit rate", &e))?;
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
    // LAME's documented bound on its output, and room for 320 kbit/s at 16 kHz; it writes through a pointer and trusts
    // the size.
    let mut stream = Vec::with_capacity(samples.len() * 15 / 4 + 2 * 7200);
    encoder.encode_to_vec(MonoPcm(samples), &mut stream).map_err(|e| failed("encode", &e))?;
    stream.reserve(7200);
    encoder.flush_to_vec::<FlushGap>(&mut stream).map_err(|e| failed("flush", &e))?;
    Ok(stream)
}

fn setting(kbps: u32) -> Result<(Bitrate, u32), DegradeError> {
    let low = |bitrate| Ok((bitrate, RATE_HZ));
    let high = |bitrate| Ok((bitrate, HIGH_RATE_HZ));
    match kbps {
        8 => low(Bitrate::Kbps8),
        16 => low(Bitrate::Kbps16),
        24 => low(Bitrate::Kbps24),
        32 => low(Bitrate::Kbps32),
        40 => low(Bitrate::Kbps40),
        48 => low(Bitrate::Kbps48),
        64 => low(Bitrate::Kbps64),
        80 => low(Bitrate::Kbps80),
        96 => low(Bitrate::Kbps96),
        112 => low(Bitrate::Kbps112),
        128 => low(Bitrate::Kbps128),
        160 => low(Bitrate::Kbps160),
        192 => high(Bitrate::Kbps192),
        224 => high(Bitrate::Kbps224),
        256 => high(Bitrate::Kbps256),
        320 => high(Bitrate::Kbps320),
        _ => Err(DegradeError::Parameter {
            parameter: "MP3 kbps",
            actual: f64::from(kbps),
            expected: "8, 16, 24, 32, 40, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256 or 320",
        }),
    }
}
