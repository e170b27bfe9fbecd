//! Stretches of long files: the same samples as decoding everything, without decoding everything.

mod common;

use std::path::Path;
use std::time::Instant;

use common::{load, testdata};
use proptest::prelude::*;
use vbench_audio::{DecodeError, DecodeOptions, decode_bytes, decode_file, probe_file};

const FILES: [&str; 16] = [
    "speech.wav",
    "pcm_u8.wav",
    "pcm_s24.wav",
    "pcm_s24_extensible.wav",
    "pcm_s32.wav",
    "float_32.wav",
    "float_64.wav",
    "stereo_44k.wav",
    "mono.flac",
    "stereo_44k.flac",
    "lame.mp3",
    "lame_vbr_44k.mp3",
    "vorbis.ogg",
    "vorbis_stereo_44k.ogg",
    "opus.opus",
    "opus_stereo_48k.opus",
];

/// `minutes` of speech-like sound at 16 kHz as 16-bit WAV.
fn long_wav(path: &Path, minutes: usize) {
    let speech = load("speech.wav").samples;
    let frames = minutes * 60 * 16_000;
    let mut samples = Vec::with_capacity(frames);
    while samples.len() < frames {
        // Never the same twice: a wrong place in the file must show.
        let gain = 0.3 + 0.7 * ((samples.len() / speech.len()) as f32 * 0.37).sin().abs();
        samples.extend(speech.iter().map(|s| s * gain));
    }
    samples.truncate(frames);
    vbench_audio::write_wav(path, &samples).expect("writes");
}

/// The same as FLAC by the `flac` program; `None` where it is not installed.
fn flac_of(wav: &Path) -> Option<std::path::PathBuf> {
    let flac = wav.with_extension("flac");
    let done = std::process::Command::new("flac").args(["-s", "-f", "-o"]).arg(&flac).arg(wav).status();
    done.is_ok_and(|s| s.success()).then_some(flac)
}

fn options(start_s: Option<f64>, duration_s: Option<f64>) -> DecodeOptions {
    DecodeOptions { start_s, duration_s, ..DecodeOptions::default() }
}

/// The stretch by decoding the whole file, cut at the file's own rate as the decoder cuts.
fn by_hand(bytes: &[u8], start_s: f64, duration_s: f64) -> Vec<f32> {
    let whole = decode_bytes(bytes, &DecodeOptions::default()).expect("decodes");
    assert_eq!(whole.source_rate_hz, 16_000);
    let at = |s: f64| ((s * 16_000.0).round() as usize).min(whole.samples.len());
    whole.samples[at(start_s)..at(start_s + duration_s)].to_vec()
}

#[test]
fn every_format_gives_the_stretch_that_the_whole_file_has() {
    let mut wrong = Vec::new();
    for name in FILES {
        let bytes = std::fs::read(testdata(name)).unwrap();
        let whole = decode_bytes(&bytes, &DecodeOptions::default()).unwrap();
        for (start_s, duration_s) in [(0.0, 0.02), (0.01, 0.03), (0.02, 0.035), (0.0, 0.055)] {
            let some = options(Some(start_s), Some(duration_s));
            let (file, memory) = (decode_file(&testdata(name), &some), decode_bytes(&bytes, &some));
            let (file, memory) = (file.unwrap(), memory.unwrap());
            if file != memory || file.source_frames != whole.source_frames {
                wrong.push(format!("{name} {start_s} {duration_s}: {} {}", file.source_frames, whole.source_frames));
            }
            if whole.source_rate_hz == 16_000 && file.samples != by_hand(&bytes, start_s, duration_s) {
                wrong.push(format!("{name} {start_s} {duration_s}: other samples than the whole file"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn headers_tell_the_length_that_decoding_gives() {
    let mut wrong = Vec::new();
    for name in FILES {
        let (info, decoded) = (probe_file(&testdata(name)).unwrap(), load(name));
        let told = (info.format, info.rate_hz, info.channels, info.frames);
        let found = (decoded.format, decoded.source_rate_hz, decoded.source_channels, decoded.source_frames);
        if told != found {
            wrong.push(format!("{name}: {told:?}, decoded {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("x.wav");
    std::fs::write(&bad, b"not audio, and long enough to look at").unwrap();
    assert!(matches!(probe_file(&bad), Err(DecodeError::UnknownFormat { .. })));
    assert!(matches!(probe_file(&folder.path().join("none.wav")), Err(DecodeError::Read { .. })));
    assert!(matches!(probe_file(folder.path()), Err(DecodeError::Read { .. })));
}

#[test]
fn a_stretch_of_an_hour_costs_what_the_stretch_costs() {
    let folder = tempfile::tempdir().unwrap();
    let wav = folder.path().join("long.wav");
    long_wav(&wav, 20);
    let mut files = vec![wav.clone()];
    match flac_of(&wav) {
        Some(flac) => files.push(flac),
        None => println!("skipped: needs flac (FLAC half of a_stretch_of_an_hour_costs_what_the_stretch_costs)"),
    }
    let whole = decode_file(&wav, &DecodeOptions::default()).unwrap().samples;
    for file in files {
        let begin = Instant::now();
        decode_file(&file, &DecodeOptions::default()).unwrap();
        let all = begin.elapsed();
        let begin = Instant::now();
        for i in 0..20 {
            let start_s = 3.0 + 59.8 * f64::from(i);
            let got = decode_file(&file, &options(Some(start_s), Some(4.0))).unwrap();
            let at = (start_s * 16_000.0).round() as usize;
            assert_eq!(got.samples, whole[at..at + 64_000], "{} at {start_s}", file.display());
        }
        let one = begin.elapsed() / 20;
        println!("{}: whole {all:?}, a stretch of 4 s {one:?}", file.display());
        // 4 s of 1200: a twentieth leaves room for a busy machine and still shows a decoder that reads everything.
        assert!(one < all / 20, "{}: {one:?} for a stretch, {all:?} for the whole", file.display());
    }
}

#[test]
fn a_file_larger_than_the_limit_can_be_read_in_stretches() {
    let small =
        DecodeOptions { max_bytes: 1000, start_s: Some(0.1), duration_s: Some(0.05), ..DecodeOptions::default() };
    for name in ["speech.wav", "mono.flac"] {
        assert_eq!(decode_file(&testdata(name), &small).unwrap().samples.len(), 800, "{name}");
        let short = DecodeOptions { max_duration_s: 0.01, ..small };
        assert!(matches!(decode_file(&testdata(name), &short), Err(DecodeError::TooLong { .. })), "{name}");
    }
}

#[test]
fn broken_files_are_errors_in_stretches_too() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["speech.wav", "mono.flac", "stereo_44k.flac", "lame.mp3", "vorbis.ogg", "opus.opus"] {
        let bytes = std::fs::read(testdata(name)).unwrap();
        for len in (0..bytes.len()).step_by(1 + bytes.len() / 40) {
            let path = folder.path().join(name);
            std::fs::write(&path, &bytes[..len]).unwrap();
            // The end of the file is inside the stretch, so it is missed.
            let outcome = decode_file(&path, &options(Some(0.0), Some(if name.contains("44k") { 0.06 } else { 0.25 })));
            assert!(outcome.is_err(), "{name} cut to {len} bytes");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_stretch_is_the_same_from_file_and_memory(
        file in prop::sample::select(FILES.to_vec()),
        start_s in prop::option::of(-0.01..0.3f64),
        duration_s in prop::option::of(-0.01..0.3f64),
    ) {
        let options = options(start_s, duration_s);
        let path = testdata(file);
        let (file, memory) = (decode_file(&path, &options), decode_bytes(&std::fs::read(&path).unwrap(), &options));
        match (file, memory) {
            (Ok(file), Ok(memory)) => prop_assert_eq!(file, memory),
            (Err(file), Err(memory)) => prop_assert_eq!(file.to_string(), memory.to_string()),
            (file, memory) => prop_assert!(false, "{:?} and {:?}", file.is_ok(), memory.is_ok()),
        }
    }

    #[test]
    fn changed_bytes_never_panic_a_stretch(
        file in prop::sample::select(vec!["speech.wav", "mono.flac", "stereo_44k.flac", "lame.mp3", "vorbis.ogg", "opus.opus"]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        start_s in 0.0..0.2f64,
    ) {
        let mut bytes = std::fs::read(testdata(file)).unwrap();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, &bytes).unwrap();
        drop(decode_file(&path, &options(Some(start_s), Some(0.05))));
        drop(probe_file(&path));
    }
}
