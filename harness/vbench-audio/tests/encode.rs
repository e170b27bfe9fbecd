//! What is written can be read again, here and by others.

mod common;

use common::{lag, snr_best_gain_db, speech, testdata};
use vbench_audio::{
    DecodeOptions, EncodeError, Format, decode_bytes, decode_file, decode_g722, encode_ogg_opus, encode_wav, write_wav,
};

#[test]
fn wav_round_trip_is_exact_on_the_16_bit_grid() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.wav");
    let clip = speech("speech_a1.wav");
    write_wav(&path, &clip).unwrap();
    assert_eq!(decode_file(&path, &DecodeOptions::default()).unwrap().samples, clip);
    let loud = encode_wav(&[2.0, -2.0, 0.5 / 32_768.0, 1.5 / 32_768.0, 0.0]).unwrap();
    let want = [32_767.0 / 32_768.0, -1.0, 0.0, 2.0 / 32_768.0, 0.0];
    assert_eq!(decode_bytes(&loud, &DecodeOptions::default()).unwrap().samples, want);
    let error = write_wav(&dir.path().join("missing/a.wav"), &clip).unwrap_err();
    assert!(matches!(error, EncodeError::Write { .. }), "{error}");
}

#[test]
fn ogg_opus_round_trip_keeps_length_and_alignment() {
    for name in ["speech_a0.wav", "speech_a1.wav", "speech_a2.wav"] {
        let clip = speech(name);
        for len in [1, 319, 320, 321, 16_000, 32_001, clip.len()] {
            let part = &clip[..len];
            let bytes = encode_ogg_opus(part).unwrap();
            assert_eq!(bytes, encode_ogg_opus(part).unwrap(), "the same samples give the same bytes");
            let got = decode_bytes(&bytes, &DecodeOptions::default()).unwrap();
            assert_eq!((got.format, got.samples.len()), (Format::OggOpus, len));
            if len == clip.len() {
                assert!(lag(part, &got.samples, 300).abs() <= 1);
                let (snr, correlation) = snr_best_gain_db(part, &got.samples);
                assert!(snr > 12.0 && correlation > 0.97, "{name}: {snr} dB, {correlation}");
                let kbps = bytes.len() as f64 * 8.0 / (len as f64 / 16_000.0) / 1000.0;
                assert!(kbps < 32.0, "{name}: {kbps} kbit/s");
            }
        }
    }
}

/// The reference is FFmpeg 5.1's decoder. (All 568 prompts of Debian's asterisk-core-sounds-en-g722 1.6.1 were compared
/// with it as well, every sample equal.)
#[test]
fn g722_equals_ffmpeg_sample_for_sample() {
    let coded = std::fs::read(testdata("speech.g722")).unwrap();
    let want = decode_file(&testdata("g722.ref.wav"), &DecodeOptions::default()).unwrap().samples;
    let got = decode_g722(&coded);
    assert_eq!(got.len(), 2 * coded.len());
    assert!(want.iter().any(|x| x.abs() > 0.1), "the clip is not silent");
    assert_eq!(got, want);
}

#[test]
fn g722_takes_any_bytes() {
    assert!(decode_g722(&[]).is_empty());
    for seed in 0u32..64 {
        let bytes: Vec<u8> =
            (0..5_000u32).map(|i| ((i ^ seed).wrapping_mul(2_654_435_761).rotate_left(seed) >> 24) as u8).collect();
        assert!(decode_g722(&bytes).iter().all(|x| (-1.0..=1.0).contains(x)));
        assert!(decode_g722(&vec![(seed * 4) as u8; 5_000]).iter().all(|x| (-1.0..=1.0).contains(x)));
    }
}
