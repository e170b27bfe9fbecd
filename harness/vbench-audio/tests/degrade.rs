//! Conditions on speech: alignment, length, achieved levels, determinism, golden bytes.

mod common;

use common::{lag, speech};
use vbench_audio::{
    Clip, DegradeContext, DegradeError, LongTermSpectrum, SpectrumAccumulator, active_speech_level, degrade,
};
use vbench_core::hash::sha256_samples;
use vbench_core::{
    BUILTIN_CONDITIONS, Codec, Condition, Degradation, LevelBasis, Noise, NoiseKind, Opus, OpusMode, Placement,
    Receipt, Room, Rt60Formula, Walls,
};

fn spectrum() -> LongTermSpectrum {
    let mut accumulator = SpectrumAccumulator::new();
    for name in ["speech_a0.wav", "speech_a1.wav", "speech_a2.wav"] {
        accumulator.add(name, &speech(name));
    }
    accumulator.finish().expect("well-formed test data")
}

fn context<'a>(spectrum: &'a LongTermSpectrum, utterance: &'a str) -> DegradeContext<'a> {
    DegradeContext { seed: 20_260_101, utterance, corpus_spectrum: Some(spectrum), recordings: None }
}

fn names() -> impl Iterator<Item = &'static str> {
    BUILTIN_CONDITIONS.iter().map(|b| b.name)
}

/// The built-in conditions that this build can make of a clip without a corpus.
fn presets() -> Vec<&'static str> {
    names().filter(|name| (cfg!(feature = "mp3") || !name.starts_with("mp3")) && !name.contains("babble")).collect()
}

fn achieved(receipt: &Receipt, name: &str) -> f64 {
    let found = receipt.steps.iter().flat_map(|s| &s.achieved).find(|(n, _)| n == name);
    found.unwrap_or_else(|| panic!("no {name} in {receipt:?}")).1
}

fn recipe(text: &str) -> Condition {
    Condition::from_recipe("test", text).unwrap_or_else(|problems| panic!("{problems:?}"))
}

#[test]
fn clean_is_the_input() {
    let (spectrum, clip) = (spectrum(), speech("speech_a1.wav"));
    let (samples, receipt) = degrade(&clip, &Condition::clean(), &context(&spectrum, "c/1")).unwrap();
    assert_eq!(samples, clip);
    assert_eq!(receipt.input_sha256, receipt.output_sha256);
    assert_eq!((receipt.recipe.as_str(), receipt.samples, receipt.steps.len()), ("clean", clip.len() as u64, 0));
    let level = active_speech_level(&clip, 16_000).unwrap().active_dbfs;
    assert_eq!(receipt.active_level_dbfs, Some(level));
}

#[test]
fn every_preset_keeps_length_and_alignment() {
    let spectrum = spectrum();
    for name in ["speech_a0.wav", "speech_a1.wav", "speech_a2.wav"] {
        let clip = speech(name);
        for preset_name in presets() {
            let condition = Condition::builtin(preset_name).unwrap();
            let (samples, receipt) = degrade(&clip, &condition, &context(&spectrum, name)).unwrap();
            let scale =
                receipt.steps.iter().flat_map(|s| &s.achieved).find(|(n, _)| n == "time_scale").map_or(1.0, |s| s.1);
            assert!((samples.len() as f64 - scale * clip.len() as f64).abs() < 1.0, "{preset_name}");
            assert_eq!(receipt.samples, samples.len() as u64);
            // Another tempo or pitch leaves nothing to align; far from the talker the reflections outweigh the direct
            // sound, which has a test of its own.
            let not_alike = ["speed-0.9", "speed-1.1", "tempo-1.3", "pitch-up", "clock-drift", "far-field", "hall"];
            if !not_alike.contains(&preset_name) {
                let shift = lag(&clip, &samples, 300);
                assert!(shift.abs() <= 1, "{name} {preset_name}: lag {shift}");
            }
            assert_eq!(receipt.input_sha256, sha256_samples(&clip));
            assert_eq!(receipt.output_sha256, sha256_samples(&samples));
            assert_eq!(receipt.recipe, condition.recipe());
            assert!(samples.iter().all(|x| (x * 32_768.0).fract() == 0.0 && (-1.0..1.0).contains(x)));
            for (key, value) in receipt.steps.iter().flat_map(|s| &s.achieved) {
                assert!(value.is_finite(), "{preset_name} {key}");
            }
        }
    }
}

#[test]
fn noise_presets_reach_their_snr_with_one_realisation() {
    let (spectrum, clip) = (spectrum(), speech("speech_a0.wav"));
    let level = active_speech_level(&clip, 16_000).unwrap().active_dbfs;
    let mut shapes: Vec<Vec<f64>> = Vec::new();
    for (name, snr_db) in [("noise-20db", 20.0), ("noise-15db", 15.0), ("noise-10db", 10.0), ("noise-5db", 5.0)] {
        let (samples, receipt) =
            degrade(&clip, &Condition::builtin(name).unwrap(), &context(&spectrum, "c/1")).unwrap();
        let gain = 10f64.powf(achieved(&receipt, "gain_db") / 20.0);
        let added: Vec<f64> = samples.iter().zip(&clip).map(|(y, x)| f64::from(*y) / gain - f64::from(*x)).collect();
        let rms = (added.iter().map(|n| n * n).sum::<f64>() / added.len() as f64).sqrt();
        let measured = level - 20.0 * rms.log10();
        assert!((measured - snr_db).abs() <= 0.05, "{name}: {measured}");
        assert!((receipt.achieved_snr_db().unwrap() - measured).abs() < 1e-3, "{name}: {receipt:?}");
        shapes.push(added.iter().map(|n| n / rms).collect());
    }
    for shape in &shapes[1..] {
        let correlation = shape.iter().zip(&shapes[0]).map(|(a, b)| a * b).sum::<f64>() / shape.len() as f64;
        assert!(correlation > 0.999, "the noise differs between levels: {correlation}");
    }
}

#[test]
fn draws_differ_by_utterance_and_seed_only() {
    let (spectrum, clip) = (spectrum(), speech("speech_a2.wav"));
    for name in ["noise-10db", "reverb"] {
        let condition = Condition::builtin(name).unwrap();
        let hash = |seed: u64, utterance: &str| {
            let context = DegradeContext { seed, ..context(&spectrum, utterance) };
            degrade(&clip, &condition, &context).unwrap().1.output_sha256
        };
        let base = hash(1, "c/1");
        assert_eq!(base, hash(1, "c/1"));
        assert_ne!(base, hash(1, "c/2"));
        assert_ne!(base, hash(2, "c/1"));
        let renamed = Condition { name: "other".into(), ..condition.clone() };
        let (samples, _) = degrade(&clip, &renamed, &DegradeContext { seed: 1, ..context(&spectrum, "c/1") }).unwrap();
        assert_eq!(sha256_samples(&samples), base, "a condition's name is no input to the draw");
    }
}

#[test]
fn a_shared_clip_gives_what_single_calls_give() {
    let (spectrum, samples) = (spectrum(), speech("speech_a1.wav"));
    let white = LongTermSpectrum::from_power(&[1.0; 257]).unwrap();
    let clip = Clip::new(samples.clone()).unwrap();
    let plain = recipe("noise(kind=white, snr_db=3)");
    let conditions: Vec<Condition> = names().take(5).filter_map(Condition::builtin).chain([plain]).collect();
    // Twice over, with changing utterances, seeds and spectra between: the remembered noise must never be a stale one.
    for _ in 0..2 {
        for condition in &conditions {
            for (seed, utterance, spectrum) in
                [(1, "c/1", &spectrum), (1, "c/1", &white), (2, "c/1", &spectrum), (1, "c/2", &spectrum)]
            {
                let context = DegradeContext { seed, utterance, corpus_spectrum: Some(spectrum), recordings: None };
                let want = degrade(&samples, condition, &context).unwrap();
                assert_eq!(clip.degrade(condition, &context).unwrap(), want, "{} {seed} {utterance}", condition.name);
            }
        }
    }
}

#[test]
fn two_noises_of_a_chain_are_independent() {
    let (spectrum, samples) = (spectrum(), speech("speech_a2.wav"));
    let noise = "noise(kind=white, snr_db=20)";
    let context = context(&spectrum, "c/1");
    let run = |steps: &[&str]| degrade(&samples, &recipe(&steps.join("|")), &context).unwrap().0;
    let (one, two) = (run(&[noise]), run(&[noise, noise]));
    let added = |y: &[f32]| y.iter().zip(&samples).map(|(y, x)| f64::from(y - x) * f64::from(y - x)).sum::<f64>();
    // Independent noises add their powers: twice one; the same numbers drawn again would give four times.
    let ratio = added(&two) / added(&one);
    assert!((1.9..2.15).contains(&ratio), "{ratio}");
}

#[test]
fn threads_and_order_change_nothing() {
    let (spectrum, clip) = (spectrum(), speech("speech_a1.wav"));
    let run = |names: Vec<&str>| -> Vec<(String, String)> {
        names
            .into_iter()
            .map(|name| {
                let receipt = degrade(&clip, &Condition::builtin(name).unwrap(), &context(&spectrum, "c/1")).unwrap().1;
                (name.to_owned(), format!("{receipt:?}"))
            })
            .collect()
    };
    let mut want = run(presets());
    want.sort();
    for threads in [2, 8] {
        let mut got: Vec<(String, String)> = std::thread::scope(|scope| {
            let handles: Vec<_> = (0..threads)
                .map(|thread| {
                    // Every thread takes its share, the last first in every other one.
                    let mut names: Vec<&str> = presets().into_iter().skip(thread).step_by(threads).collect();
                    if thread % 2 == 1 {
                        names.reverse();
                    }
                    scope.spawn(|| run(names))
                })
                .collect();
            handles.into_iter().flat_map(|h| h.join().unwrap()).collect()
        });
        got.sort();
        assert_eq!(got, want, "{threads} threads");
    }
}

/// SHA-256 of each preset on `speech_a1.wav`. `opus-16k` holds for `unsafe-libopus` 0.2.0; the others depend on this crate
/// alone. MP3, Vorbis and AAC are not among them: C code, LAME's with relaxed floating point, or kernels chosen by the
/// processor, so that their bytes depend on the machine (determinism and fidelity are tested above and in `oracle.rs`).
#[test]
fn golden_bytes() {
    let (spectrum, clip) = (spectrum(), speech("speech_a1.wav"));
    let mut got = String::new();
    // LAME and libvorbis are compiled by the C compiler of the machine; babble has its own tests.
    for name in presets().into_iter().filter(|name| !["mp3", "vorbis", "aac"].iter().any(|c| name.contains(c))) {
        let receipt = degrade(&clip, &Condition::builtin(name).unwrap(), &context(&spectrum, "golden/a1")).unwrap().1;
        got.push_str(&format!("{name} {}\n", receipt.output_sha256));
    }
    let path = common::testdata("golden_sha256.txt");
    let want = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(got, want, "the bytes of a condition changed: {} would hold\n{got}", path.display());
}

#[test]
fn the_direct_sound_of_every_room_is_neither_delayed_nor_changed() {
    let spectrum = spectrum();
    let mut clip = vec![0.0f32; 20_000];
    clip[4_000] = 0.5;
    for name in ["reverb", "reverb-small", "far-field", "hall"] {
        for utterance in ["c/1", "c/2", "c/3"] {
            let (samples, receipt) =
                degrade(&clip, &Condition::builtin(name).unwrap(), &context(&spectrum, utterance)).unwrap();
            let gain = 10f64.powf(achieved(&receipt, "gain_db") / 20.0);
            let direct = f64::from(samples[4_000]) / gain;
            assert!((direct - 0.5).abs() < 0.025, "{name} {utterance}: {direct}");
            // The fractional delay of a direct path that is advanced by its own delay is none: nothing sounds before it but
            // the tails of the reflections' filters and of the high-pass.
            let before = samples[..3_990].iter().fold(0.0f32, |m, x| m.max(x.abs()));
            assert!(before < 0.02, "{name} {utterance}: {before}");
        }
    }
}

#[test]
fn reverb_measures_what_the_room_should_do() {
    let (spectrum, clip) = (spectrum(), speech("speech_a1.wav"));
    for (rt60_s, distance_m) in [(0.3, 1.0), (0.5, 2.0), (0.8, 2.0)] {
        let size_m = [6.2, 4.8, 2.8];
        let condition = recipe(&format!("reverb(size_m=6.2x4.8x2.8, rt60_s={rt60_s}, distance_m={distance_m})"));
        let (mut t30, mut drr) = (Vec::new(), Vec::new());
        for utterance in ["c/1", "c/2", "c/3", "c/4"] {
            let (_, receipt) = degrade(&clip, &condition, &context(&spectrum, utterance)).unwrap();
            t30.push(achieved(&receipt, "t30_s") / rt60_s);
            drr.push(achieved(&receipt, "drr_db"));
            let place = |who: &str| ["x", "y", "z"].map(|a| achieved(&receipt, &format!("{who}_{a}_m")));
            let (source, microphone) = (place("source"), place("microphone"));
            let distance = (0..3).map(|i| (source[i] - microphone[i]).powi(2)).sum::<f64>().sqrt();
            assert!((distance - distance_m).abs() < 1e-9);
            for (p, size) in source.iter().chain(&microphone).zip(size_m.iter().cycle()) {
                assert!((0.5..=size - 0.5).contains(p), "{p} in {size}");
            }
        }
        println!("RT60 {rt60_s} s at {distance_m} m: T30 / RT60 {t30:.2?}, DRR {drr:.1?} dB");
        // Sabine is an approximation: rooms of one absorption decay faster at first and slower along their longest
        // axis. The oracle's rooms lie between 0.8 and 1.7 of it.
        assert!(t30.iter().all(|r| (0.8..=1.7).contains(r)), "{rt60_s}: {t30:?}");
        // Diffuse field: the critical distance is 0.057 sqrt(V / T); +- 4 dB around its prediction.
        let volume: f64 = size_m.iter().product();
        let predicted = 20.0 * (0.057 * (volume / rt60_s).sqrt() / distance_m).log10();
        assert!(drr.iter().all(|d| (d - predicted).abs() < 4.0), "{rt60_s}: {drr:?}, predicted {predicted}");
    }
}

#[test]
fn chains_apply_every_step_in_order() {
    let (spectrum, clip) = (spectrum(), speech("speech_a0.wav"));
    let steps =
        ["reverb(size_m=6.2x4.8x2.8, rt60_s=0.3, distance_m=0.7)", "noise(kind=white, snr_db=10)", "opus(kbps=24)"];
    let condition = recipe(&steps.join(" | "));
    let (samples, receipt) = degrade(&clip, &condition, &context(&spectrum, "c/1")).unwrap();
    assert_eq!(samples.len(), clip.len());
    assert!(lag(&clip, &samples, 300).abs() <= 1);
    let recipes: Vec<String> = receipt.steps.iter().map(|s| s.recipe.clone()).collect();
    assert_eq!(recipes, steps);
    assert!((receipt.achieved_snr_db().unwrap() - 10.0).abs() <= 0.05);
}

#[test]
fn every_bit_rate_of_a_codec_works_or_is_named() {
    let (spectrum, clip) = (spectrum(), speech("speech_a2.wav"));
    let context = context(&spectrum, "c/1");
    for kbps in [6, 8, 12, 16, 24, 32, 48, 64] {
        let (samples, receipt) = degrade(&clip, &recipe(&format!("opus(kbps={kbps})")), &context).unwrap();
        assert!(lag(&clip, &samples, 300).abs() <= 1, "Opus {kbps}");
        let measured = achieved(&receipt, "kbps");
        assert!(measured > 0.4 * f64::from(kbps) && measured < 1.3 * f64::from(kbps), "Opus {kbps}: {measured}");
    }
    for kbps in [8, 16, 24, 32, 40, 48, 64, 80, 96, 112, 128, 160] {
        let result = degrade(&clip, &recipe(&format!("mp3(kbps={kbps})")), &context);
        if cfg!(not(feature = "mp3")) {
            assert!(matches!(result, Err(DegradeError::NoEncoder { codec: "MP3", .. })));
            continue;
        }
        let (samples, receipt) = result.unwrap();
        assert_eq!(samples.len(), clip.len());
        assert!(lag(&clip, &samples, 2000).abs() <= 1, "MP3 {kbps}: lag {}", lag(&clip, &samples, 2000));
        assert_eq!(achieved(&receipt, "kbps"), f64::from(kbps));
    }
}

#[test]
fn short_clips_keep_their_length() {
    let spectrum = spectrum();
    for len in [1usize, 2, 10, 319, 320, 321, 576, 1105, 1106, 5000] {
        let clip: Vec<f32> = (0..len).map(|i| if i % 7 < 3 { 0.25 } else { -0.25 }).collect();
        for name in ["reverb", "mp3-64k", "opus-16k"] {
            match degrade(&clip, &Condition::builtin(name).unwrap(), &context(&spectrum, "c/1")) {
                Ok((samples, _)) => assert_eq!(samples.len(), len, "{name}"),
                Err(DegradeError::NoEncoder { .. }) if cfg!(not(feature = "mp3")) => {}
                Err(error) => panic!("{name}, {len} samples: {error}"),
            }
        }
    }
}

#[test]
fn what_cannot_be_done_is_said() {
    let spectrum = spectrum();
    let context = context(&spectrum, "c/1");
    let clip = speech("speech_a2.wav");
    let noise = Condition::builtin("noise-5db").unwrap();
    assert_eq!(degrade(&[], &noise, &context).unwrap_err(), DegradeError::Empty);
    assert!(matches!(degrade(&[0.0, f32::NAN], &noise, &context), Err(DegradeError::NonFinite { index: 1, .. })));
    assert_eq!(degrade(&[0.0; 16_000], &noise, &context).unwrap_err(), DegradeError::NoActiveSpeech { snr_db: 5.0 });
    let none = DegradeContext { corpus_spectrum: None, ..context };
    assert_eq!(degrade(&clip, &noise, &none).unwrap_err(), DegradeError::NoSpectrum);
    let bad = |step: Degradation| {
        let condition = Condition { name: "bad".into(), steps: vec![step], sweep: None };
        degrade(&clip, &condition, &context).unwrap_err()
    };
    let reverb = |size_m, seconds, distance_m| {
        let walls = Walls::Rt60 { seconds, formula: Rt60Formula::Sabine };
        bad(Degradation::Reverb(Room { size_m, walls, placement: Placement::Drawn { distance_m } }))
    };
    assert!(matches!(reverb([6.0, 5.0, 3.0], 0.1, 1.0), DegradeError::RoomImpossible { .. }));
    assert!(matches!(reverb([3.0, 3.0, 2.5], 0.4, 5.0), DegradeError::PlacementImpossible { .. }));
    assert!(matches!(reverb([0.5, 3.0, 2.5], 0.4, 0.5), DegradeError::Parameter { .. }));
    assert!(matches!(reverb([f64::NAN, 3.0, 2.5], 0.4, 0.5), DegradeError::Parameter { .. }));
    assert!(matches!(reverb([3.0, 3.0, 2.5], f64::INFINITY, 0.5), DegradeError::Parameter { .. }));
    assert!(matches!(reverb([3.0, 3.0, 2.5], 9.0, 0.5), DegradeError::Parameter { .. }));
    assert!(matches!(reverb([3.0, 3.0, 2.5], 0.4, -1.0), DegradeError::Parameter { .. }));
    let placed = |source_m, microphone_m| {
        let placement = Placement::Given { source_m, microphone_m };
        bad(Degradation::Reverb(Room { size_m: [4.0, 3.0, 2.5], walls: Walls::Absorption(0.3), placement }))
    };
    assert!(matches!(placed([5.0, 1.0, 1.0], [1.0; 3]), DegradeError::OutsideRoom { who: "source", .. }));
    assert!(matches!(placed([1.0; 3], [1.0, 1.0, f64::NAN]), DegradeError::OutsideRoom { who: "microphone", .. }));
    assert!(matches!(placed([1.0; 3], [1.0; 3]), DegradeError::Parameter { .. }));
    let absorbing = |share| {
        let placement = Placement::Drawn { distance_m: 1.0 };
        bad(Degradation::Reverb(Room { size_m: [4.0, 3.0, 2.5], walls: Walls::Absorption(share), placement }))
    };
    assert!(matches!(absorbing(0.0), DegradeError::Parameter { .. }));
    for snr_db in [f64::NAN, 1e6] {
        let noise = Noise { kind: NoiseKind::White, snr_db, level: LevelBasis::Active };
        assert!(matches!(bad(Degradation::Noise(noise)), DegradeError::Parameter { .. }));
    }
    let opus = Opus { kbps: 5, mode: OpusMode::Voip, complexity: 10, loss: None, fec: false };
    for opus in [opus, Opus { kbps: 65, ..opus }, Opus { kbps: u32::MAX, ..opus }] {
        assert!(matches!(bad(Degradation::Codec(Codec::Opus(opus))), DegradeError::Parameter { .. }));
    }
    for kbps in [0, 7, 56, u32::MAX] {
        if cfg!(feature = "mp3") {
            assert!(matches!(bad(Degradation::Codec(Codec::Mp3 { kbps })), DegradeError::Parameter { .. }));
        }
    }
    // A float file far beyond full scale: clamped and counted, or refused, never a crash.
    let huge: Vec<f32> = clip.iter().map(|x| x * 1e30).collect();
    for name in presets() {
        match degrade(&huge, &Condition::builtin(name).unwrap(), &context) {
            Ok((samples, receipt)) => {
                assert!(samples.iter().all(|x| x.is_finite()), "{name}");
                if name == "opus-16k" {
                    assert!(achieved(&receipt, "clipped_samples") > 1000.0);
                }
            }
            Err(error) => assert!(matches!(error, DegradeError::NoActiveSpeech { .. }), "{name}: {error}"),
        }
    }
    // Silence passes through what needs no level.
    let (samples, receipt) = degrade(&[0.0; 8_000], &Condition::builtin("reverb").unwrap(), &context).unwrap();
    assert!(samples.iter().all(|x| *x == 0.0));
    assert_eq!(receipt.active_level_dbfs, None);
}
