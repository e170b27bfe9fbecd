//! Decoding of every format against the source and against what peer tools decode.

mod common;

use common::{lag, load, snr_db, testdata};
use vbench_audio::{DecodeError, DecodeOptions, Format, decode_bytes, decode_file, resample, sniff};

/// (file, format, rate, channels, source frames); the frame counts are those of the encoders' input.
const FILES: [(&str, Format, u32, u32, u64); 16] = [
    ("speech.wav", Format::Wav, 16_000, 1, 4_000),
    ("pcm_u8.wav", Format::Wav, 16_000, 1, 4_000),
    ("pcm_s24.wav", Format::Wav, 16_000, 1, 4_000),
    ("pcm_s24_extensible.wav", Format::Wav, 16_000, 1, 4_000),
    ("pcm_s32.wav", Format::Wav, 16_000, 1, 4_000),
    ("float_32.wav", Format::Wav, 16_000, 1, 4_000),
    ("float_64.wav", Format::Wav, 16_000, 1, 4_000),
    ("stereo_44k.wav", Format::Wav, 44_100, 2, 2_646),
    ("mono.flac", Format::Flac, 16_000, 1, 4_000),
    ("stereo_44k.flac", Format::Flac, 44_100, 2, 2_646),
    ("lame.mp3", Format::Mp3, 16_000, 1, 4_000),
    ("lame_vbr_44k.mp3", Format::Mp3, 44_100, 1, 11_025),
    ("vorbis.ogg", Format::OggVorbis, 16_000, 1, 4_000),
    ("vorbis_stereo_44k.ogg", Format::OggVorbis, 44_100, 2, 11_025),
    ("opus.opus", Format::OggOpus, 16_000, 1, 4_000),
    ("opus_stereo_48k.opus", Format::OggOpus, 16_000, 2, 4_000),
];

#[test]
fn every_format_is_found_and_has_its_length() {
    let mut wrong = Vec::new();
    for (name, format, rate_hz, channels, frames) in FILES {
        let got = load(name);
        let found = (got.format, got.source_rate_hz, got.source_channels, got.source_frames);
        if found != (format, rate_hz, channels, frames) {
            wrong.push(format!("{name}: {found:?}"));
        }
        let want = (frames as f64 * 16_000.0 / f64::from(rate_hz)).round() as usize;
        if got.samples.len() != want {
            wrong.push(format!("{name}: {} samples, want {want}", got.samples.len()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn lossless_formats_give_the_same_samples() {
    let source = load("speech.wav").samples;
    for name in ["pcm_s24.wav", "pcm_s24_extensible.wav", "pcm_s32.wav", "float_32.wav", "float_64.wav", "mono.flac"] {
        assert_eq!(load(name).samples, source, "{name}");
    }
    // 8 bits: within half a step.
    for (a, b) in load("pcm_u8.wav").samples.iter().zip(&source) {
        assert!((a - b).abs() <= 0.5 / 128.0 + 1e-6);
    }
    assert_eq!(load("stereo_44k.wav").samples, load("stereo_44k.flac").samples);
}

#[test]
fn channels_are_averaged_and_the_rate_converted() {
    // stereo_44k.wav holds the speech and half of it: the mean is three quarters.
    let source = load("speech.wav").samples;
    let got = load("stereo_44k.wav").samples;
    // SoX resampled up, we resample down: both keep the pass band, the speech has little above 7 kHz.
    let scaled: Vec<f32> = got.iter().map(|x| x / 0.75).collect();
    let middle = 100..got.len() - 100;
    assert!(snr_db(&source[middle.clone()], &scaled[middle]) > 25.0);
    assert_eq!(lag(&source[..got.len()], &got, 50), 0);
}

#[test]
fn lossy_formats_match_peer_decoders() {
    // 16-bit references, hence SNR is bounded by their rounding. The Opus references come from opusdec, which
    // decodes at 48 kHz and resamples; ours decodes at 16 kHz.
    for (name, reference, floor_db) in [
        ("lame.mp3", "lame.ref.wav", 60.0),
        ("lame_vbr_44k.mp3", "lame_vbr_44k.ref.wav", 60.0),
        ("no_tag.mp3", "no_tag.ref.wav", 60.0),
        ("vorbis.ogg", "vorbis.ref.wav", 60.0),
        ("vorbis_stereo_44k.ogg", "vorbis_stereo_44k.ref.wav", 55.0),
        ("opus.opus", "opus.ref.wav", 20.0),
        ("opus_stereo_48k.opus", "opus_stereo_48k.ref.wav", 20.0),
    ] {
        let (got, want) = (load(name).samples, load(reference).samples);
        let snr = snr_db(&want, &got);
        assert!(snr > floor_db, "{name}: {snr:.1} dB, lag {}", lag(&want, &got, 1200));
        assert_eq!(lag(&want, &got, 200), 0, "{name}");
    }
}

#[test]
fn lossy_formats_line_up_with_their_source() {
    let source = load("speech.wav").samples;
    for name in
        ["lame.mp3", "lame_vbr_44k.mp3", "vorbis.ogg", "vorbis_stereo_44k.ogg", "opus.opus", "opus_stereo_48k.opus"]
    {
        let got = load(name).samples;
        assert!(lag(&source, &got, 1200).abs() <= 1, "{name}: lag {}", lag(&source, &got, 1200));
    }
}

#[test]
fn the_name_of_a_file_does_not_matter() {
    let dir = tempfile::tempdir().unwrap();
    for (name, format, ..) in FILES {
        let path = dir.path().join("audio.txt");
        std::fs::copy(testdata(name), &path).unwrap();
        assert_eq!(decode_file(&path, &DecodeOptions::default()).unwrap().format, format);
    }
    let mut tagged = b"ID3\x04\0\0\0\0\0\x0aABCDEFGHIJ".to_vec();
    tagged.extend(std::fs::read(testdata("mono.flac")).unwrap());
    assert_eq!(decode_bytes(&tagged, &DecodeOptions::default()).unwrap().samples, load("speech.wav").samples);
}

#[test]
fn a_stretch_is_cut_exactly() {
    let whole = load("speech.wav").samples;
    let bytes = std::fs::read(testdata("mono.flac")).unwrap();
    let cut = |start_s, duration_s| {
        let options = DecodeOptions { start_s, duration_s, ..DecodeOptions::default() };
        decode_bytes(&bytes, &options).map(|d| d.samples)
    };
    assert_eq!(cut(Some(0.1), Some(0.05)).unwrap(), whole[1600..2400]);
    assert_eq!(cut(Some(0.1), None).unwrap(), whole[1600..]);
    assert_eq!(cut(None, Some(0.1)).unwrap(), whole[..1600]);
    assert_eq!(cut(Some(0.2), Some(0.059)).unwrap(), whole[3200..], "an end 9 ms beyond the end is the end");
    for (start_s, duration_s) in [
        (Some(0.2), Some(0.07)),
        (Some(0.25), None),
        (Some(-0.1), None),
        (Some(0.1), Some(0.0)),
        (Some(0.1), Some(-1.0)),
        (Some(f64::NAN), None),
        (None, Some(f64::NAN)),
        (Some(0.1), Some(1e-9)),
        (None, Some(f64::INFINITY)),
    ] {
        let error = cut(start_s, duration_s).unwrap_err();
        assert!(matches!(error, DecodeError::Cut { .. }), "{start_s:?} {duration_s:?}: {error}");
    }
    // At 44.1 kHz the stretch is cut before the rate is converted.
    let bytes = std::fs::read(testdata("stereo_44k.wav")).unwrap();
    let options = DecodeOptions { start_s: Some(0.01), duration_s: Some(0.02), ..DecodeOptions::default() };
    assert_eq!(decode_bytes(&bytes, &options).unwrap().samples.len(), 320);
}

/// A WAV file by hand: format tag, channels, rate, bits, declared data size, data.
fn wav(tag: u16, channels: u16, rate: u32, bits: u16, declared: u32, data: &[u8]) -> Vec<u8> {
    let align = u32::from(channels) * u32::from(bits / 8);
    let mut w = b"RIFF".to_vec();
    w.extend(declared.wrapping_add(36).to_le_bytes());
    w.extend(b"WAVEfmt \x10\0\0\0");
    w.extend(tag.to_le_bytes());
    w.extend(channels.to_le_bytes());
    w.extend(rate.to_le_bytes());
    w.extend(rate.wrapping_mul(align).to_le_bytes());
    w.extend((align as u16).to_le_bytes());
    w.extend(bits.to_le_bytes());
    w.extend(b"data");
    w.extend(declared.to_le_bytes());
    w.extend(data);
    w
}

fn error_of(bytes: &[u8]) -> DecodeError {
    decode_bytes(bytes, &DecodeOptions::default()).expect_err("a broken file")
}

#[test]
fn bad_wav_files_are_typed_errors() {
    let error = error_of(&wav(1, 1, 16_000, 16, 4_294_967_292, &[]));
    assert!(
        matches!(error, DecodeError::Truncated { expected: 2_147_483_646, actual: 0, .. }),
        "44 bytes declaring 4 GB: {error}"
    );
    assert!(matches!(
        error_of(&wav(1, 1, 16_000, 16, 100, &[0; 60])),
        DecodeError::Truncated { expected: 50, actual: 30, .. }
    ));
    assert!(matches!(error_of(&wav(1, 1, 16_000, 16, 0, &[])), DecodeError::Empty { .. }));
    assert!(matches!(error_of(&wav(1, 1, 16_000, 16, 3, &[0; 3])), DecodeError::Malformed { .. }));
    assert!(matches!(error_of(&wav(1, 0, 16_000, 16, 4, &[0; 4])), DecodeError::Channels { channels: 0, .. }));
    assert!(matches!(error_of(&wav(1, 33, 16_000, 16, 66, &[0; 66])), DecodeError::Channels { channels: 33, .. }));
    assert!(matches!(error_of(&wav(1, 1, 0, 16, 4, &[0; 4])), DecodeError::Rate { rate_hz: 0, .. }));
    assert!(matches!(error_of(&wav(1, 1, u32::MAX, 16, 4, &[0; 4])), DecodeError::Rate { .. }));
    assert!(matches!(error_of(&wav(7, 1, 8_000, 8, 4, &[0; 4])), DecodeError::Unsupported { .. }));
    assert!(matches!(error_of(&wav(1, 1, 16_000, 12, 4, &[0; 4])), DecodeError::Unsupported { .. }));
    assert!(matches!(error_of(b"RIFF\0\0\0\0WAVE"), DecodeError::Malformed { .. }));
    assert!(matches!(error_of(b"RF64\0\0\0\0WAVE"), DecodeError::Unsupported { .. }));
}

#[test]
fn samples_that_are_not_numbers_are_named() {
    let mut samples: Vec<f32> = vec![0.25; 16];
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        samples[11] = bad;
        let data: Vec<u8> = samples.iter().flat_map(|x| x.to_le_bytes()).collect();
        let error = error_of(&wav(3, 1, 16_000, 32, 64, &data));
        assert!(matches!(error, DecodeError::NonFinite { index: 11, .. }), "{error}");
    }
    let stereo: Vec<u8> = [f64::INFINITY, f64::NEG_INFINITY].iter().flat_map(|x| x.to_le_bytes()).collect();
    assert!(matches!(error_of(&wav(3, 2, 16_000, 64, 16, &stereo)), DecodeError::NonFinite { index: 0, .. }));
}

#[test]
fn truncated_files_are_errors_wherever_they_are_cut() {
    for (name, format, ..) in FILES {
        let bytes = std::fs::read(testdata(name)).unwrap();
        for len in (0..bytes.len()).step_by(1 + bytes.len() / 150) {
            let error = match decode_bytes(&bytes[..len], &DecodeOptions::default()) {
                Err(error) => error,
                // A frame boundary of an MP3 whose Info frame was cut off with the rest cannot exist: it comes first.
                Ok(got) => panic!("{name} cut to {len} bytes decoded to {} samples", got.samples.len()),
            };
            assert!(!error.to_string().is_empty(), "{name} ({format}) cut to {len}");
        }
    }
    // Without an Info frame a cut inside a frame shows, a cut between two does not.
    let bytes = std::fs::read(testdata("no_tag.mp3")).unwrap();
    let frame = 144;
    let error = error_of(&bytes[..5 * frame + 70]);
    assert!(matches!(error, DecodeError::Truncated { expected: 144, actual: 70, .. }), "{error}");
    assert_eq!(decode_bytes(&bytes[..5 * frame], &DecodeOptions::default()).unwrap().source_frames, 5 * 576);
}

#[test]
fn truncation_names_both_counts() {
    let flac = std::fs::read(testdata("stereo_44k.flac")).unwrap();
    match error_of(&flac[..flac.len() * 2 / 3]) {
        DecodeError::Truncated { format: Format::Flac, unit: "samples", expected: 2_646, actual } => {
            assert!(actual > 0 && actual < 2_646);
        }
        other => panic!("{other}"),
    }
    let mp3 = std::fs::read(testdata("lame.mp3")).unwrap();
    match error_of(&mp3[..mp3.len() - 288]) {
        DecodeError::Truncated { format: Format::Mp3, unit: "frames", expected: 9, actual: 8 } => {}
        other => panic!("{other}"),
    }
}

#[test]
fn limits_and_unreadable_files_are_typed_errors() {
    let dir = tempfile::tempdir().unwrap();
    let options = DecodeOptions::default();
    let missing = dir.path().join("missing.wav");
    let error = decode_file(&missing, &options).unwrap_err();
    assert!(matches!(&error, DecodeError::Read { path, .. } if *path == missing), "{error}");
    assert!(matches!(decode_file(dir.path(), &options), Err(DecodeError::Read { .. })));
    let empty = dir.path().join("empty.wav");
    std::fs::write(&empty, b"").unwrap();
    assert!(matches!(decode_file(&empty, &options), Err(DecodeError::UnknownFormat { .. })));
    let text = dir.path().join("text.wav");
    std::fs::write(&text, b"not audio at all, only words that go on for a while").unwrap();
    let error = decode_file(&text, &options).unwrap_err();
    assert!(error.to_string().contains("6e 6f 74"), "{error}");
    let small = DecodeOptions { max_bytes: 100, ..options };
    assert!(matches!(decode_file(&text, &small), Ok(_) | Err(DecodeError::UnknownFormat { .. })));
    assert!(matches!(
        decode_file(&testdata("speech.wav"), &small),
        Err(DecodeError::TooLarge { bytes: 8_044, limit: 100 })
    ));
    let short = DecodeOptions { max_duration_s: 0.05, ..options };
    for (name, ..) in FILES {
        let error = decode_file(&testdata(name), &short).unwrap_err();
        assert!(matches!(error, DecodeError::TooLong { .. }), "{name}: {error}");
    }
}

#[test]
fn a_flac_that_differs_from_its_md5_is_an_error() {
    let mut bytes = std::fs::read(testdata("mono.flac")).unwrap();
    // STREAMINFO's MD5 is at 26..42 of the file.
    bytes[30] ^= 1;
    let error = error_of(&bytes);
    assert!(matches!(error, DecodeError::Codec { format: Format::Flac, samples: 4_000, .. }), "{error}");
}

#[test]
fn extra_bytes_and_other_streams_are_named() {
    let mut mp3 = std::fs::read(testdata("lame.mp3")).unwrap();
    let whole = decode_bytes(&mp3, &DecodeOptions::default()).unwrap();
    mp3.extend(b"TAG");
    mp3.resize(mp3.len() + 125, b' ');
    assert_eq!(decode_bytes(&mp3, &DecodeOptions::default()).unwrap(), whole, "an ID3v1 tag is no audio");
    let mut broken = std::fs::read(testdata("lame.mp3")).unwrap();
    broken[3 * 288] = 0;
    assert!(matches!(error_of(&broken), DecodeError::Malformed { position: 864, .. }));
    let ogg = std::fs::read(testdata("opus.opus")).unwrap();
    let chained: Vec<u8> = [ogg.clone(), ogg.clone()].concat();
    assert!(matches!(error_of(&chained), DecodeError::Unsupported { .. }));
    let mut corrupt = ogg;
    let last = corrupt.len() - 1;
    corrupt[last] ^= 0x40;
    assert!(matches!(error_of(&corrupt), DecodeError::Malformed { .. }), "page checksum");
    assert!(matches!(sniff(b"OggS"), Ok(Format::Ogg)));
}

#[test]
fn the_resampler_is_the_one_used() {
    let bytes = std::fs::read(testdata("lame_vbr_44k.ref.wav")).unwrap();
    let options = DecodeOptions::default();
    let got = decode_bytes(&bytes, &options).unwrap();
    let raw: Vec<f32> = bytes[bytes.len() - 22_050..]
        .chunks_exact(2)
        .map(|w| f32::from(i16::from_le_bytes([w[0], w[1]])) / 32_768.0)
        .collect();
    assert_eq!(got.samples, resample(&raw, 44_100, 16_000));
}
