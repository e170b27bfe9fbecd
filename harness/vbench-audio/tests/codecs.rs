//! Every codec as a condition: alignment, length, repeatability, figures; and the codecs of telephony bit by bit.

mod common;

use common::{lag, snr_best_gain_db, speech};
use serde_json::Value;
use vbench_audio::{DegradeContext, DegradeError, adpcm, decode_g722, degrade, g711, g722, gsm};
use vbench_core::hash::sha256_hex;
use vbench_core::{Codec, Condition, Degradation, LossModel, Opus, OpusMode, Receipt};

const SPEECH: [&str; 3] = ["speech_a0.wav", "speech_a1.wav", "speech_a2.wav"];

/// One recipe of each codec, and of each of its ways.
const RECIPES: [&str; 22] = [
    "mulaw",
    "alaw",
    "g722",
    "gsm",
    "adpcm",
    "narrowband",
    "aac(kbps=12)",
    "aac(kbps=32)",
    "aac(kbps=96)",
    "vorbis(quality=-0.1)",
    "vorbis(quality=0.3)",
    "vorbis(quality=1)",
    "mp3(kbps=8)",
    "mp3(kbps=160)",
    "mp3(kbps=192)",
    "mp3(kbps=320)",
    "opus(kbps=6)",
    "opus(kbps=64)",
    "opus(kbps=24, mode=audio, complexity=0)",
    "opus(kbps=16, loss=0.1)",
    "opus(kbps=24, loss=0.1, burst=4, fec=on)",
    "opus(kbps=16, jitter_ms=20, buffer_ms=50)",
];

/// Recipes that this build has an encoder for.
fn recipes() -> impl Iterator<Item = &'static str> {
    RECIPES.into_iter().filter(|recipe| cfg!(feature = "mp3") || !recipe.starts_with("mp3"))
}

fn context(utterance: &str) -> DegradeContext<'_> {
    DegradeContext { seed: 20_260_101, utterance, corpus_spectrum: None, recordings: None }
}

fn run(recipe: &str, clip: &[f32], utterance: &str) -> Result<(Vec<f32>, Receipt), DegradeError> {
    let condition = Condition::from_recipe("x", recipe).unwrap_or_else(|problems| panic!("{recipe}: {problems:?}"));
    degrade(clip, &condition, &context(utterance))
}

fn apply(codec: Codec, clip: &[f32]) -> Result<(Vec<f32>, Receipt), DegradeError> {
    let condition = Condition { name: "x".into(), steps: vec![Degradation::Codec(codec)], sweep: None };
    degrade(clip, &condition, &context("c/1"))
}

fn achieved(receipt: &Receipt, name: &str) -> f64 {
    let found = receipt.steps.iter().flat_map(|s| &s.achieved).find(|(n, _)| n == name);
    found.unwrap_or_else(|| panic!("no {name} in {receipt:?}")).1
}

fn pcm(samples: &[f32]) -> Vec<i16> {
    samples.iter().map(|x| (x * 32_768.0) as i16).collect()
}

#[test]
fn every_codec_keeps_length_and_alignment() {
    let mut wrong = Vec::new();
    for name in SPEECH {
        let clip = speech(name);
        for recipe in recipes() {
            let (samples, receipt) = run(recipe, &clip, name).unwrap();
            let shift = lag(&clip, &samples, 400);
            let (snr, correlation) = snr_best_gain_db(&clip, &samples);
            println!("{name} {recipe}: lag {shift}, SNR {snr:.1} dB, r {correlation:.4}, {:?}", receipt.steps[0]);
            if samples.len() != clip.len() || shift.abs() > 1 || correlation < 0.7 {
                wrong.push(format!("{name} {recipe}: {} samples, lag {shift}, r {correlation}", samples.len()));
            }
            let grid = samples.iter().all(|x| (x * 32_768.0).fract() == 0.0 && (-1.0..1.0).contains(x));
            let facts: Vec<&str> = receipt.steps[0].facts.iter().map(|(k, _)| k.as_str()).collect();
            if !grid || !facts.starts_with(&["encoder", "decoder"]) || achieved(&receipt, "kbps") <= 0.0 {
                wrong.push(format!("{name} {recipe}: on the grid {grid}, {receipt:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn figures_of_each_codec_on_speech() {
    // SNR after the best gain that each codec reaches on the three sentences, less half a decibel. G.722's delay is that
    // of its two filters.
    let mut wrong = Vec::new();
    for (recipe, least_db, kbps, delay) in [
        ("narrowband", 12.0, 128.0, 0.0),
        ("mulaw", 12.0, 64.0, 0.0),
        ("alaw", 12.0, 64.0, 0.0),
        ("adpcm", 12.0, 32.0, 0.0),
        ("gsm", 6.0, 13.0, 0.0),
        ("g722", 20.0, 64.0, 22.0),
    ] {
        for name in SPEECH {
            let clip = speech(name);
            let (samples, receipt) = run(recipe, &clip, name).unwrap();
            let snr = snr_best_gain_db(&clip, &samples).0;
            println!("{recipe} {name}: {snr:.2} dB");
            let got = (achieved(&receipt, "kbps"), achieved(&receipt, "delay_removed_samples"));
            if snr < least_db || got != (kbps, delay) {
                wrong.push(format!("{recipe} {name}: {snr} dB, (kbps, delay) {got:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn clips_of_any_length_keep_it() {
    for len in [1usize, 2, 10, 159, 160, 161, 319, 320, 321, 575, 576, 577, 1105, 5000] {
        let clip: Vec<f32> = (0..len).map(|i| if i % 7 < 3 { 0.25 } else { -0.25 }).collect();
        for recipe in recipes() {
            let (samples, _) = run(recipe, &clip, "c/1").unwrap_or_else(|e| panic!("{recipe}, {len}: {e}"));
            assert_eq!(samples.len(), len, "{recipe}");
        }
    }
}

#[test]
fn loud_clips_are_clamped_and_counted() {
    let clip: Vec<f32> = speech("speech_a2.wav").iter().map(|x| x * 1e30).collect();
    for recipe in recipes() {
        let (samples, receipt) = run(recipe, &clip, "c/1").unwrap_or_else(|e| panic!("{recipe}: {e}"));
        assert!(samples.iter().all(|x| (-1.0..1.0).contains(x)), "{recipe}");
        assert!(achieved(&receipt, "clipped_samples") > 1000.0, "{recipe}");
    }
}

#[test]
fn threads_change_no_byte() {
    let clip = &speech("speech_a1.wav")[8_000..40_000];
    let hashes = || recipes().map(|r| run(r, clip, "c/1").unwrap().1.output_sha256).collect::<Vec<_>>();
    let want = hashes();
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..4).map(|_| scope.spawn(hashes)).collect();
        for handle in handles {
            assert_eq!(handle.join().unwrap(), want);
        }
    });
}

/// SHA-256 of the codecs that are integer arithmetic of this crate, on `speech_a1.wav`: the same on every machine.
#[test]
fn golden_bytes_of_own_codecs() {
    let clip = speech("speech_a1.wav");
    let mut got = String::new();
    for recipe in ["narrowband", "mulaw", "alaw", "adpcm", "gsm", "g722"] {
        got.push_str(&format!("{recipe} {}\n", run(recipe, &clip, "golden/a1").unwrap().1.output_sha256));
    }
    // Opus at its defaults is third-party code, pinned with the default conditions.
    let pinned = std::fs::read_to_string(common::testdata("golden_sha256.txt")).unwrap();
    let opus = format!("opus-16k {}\n", run("opus(kbps=16)", &clip, "golden/a1").unwrap().1.output_sha256);
    assert!(pinned.contains(&opus), "{opus}");
    let path = common::testdata("golden_codecs_sha256.txt");
    let want = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(got, want, "the bytes of a codec changed: {} would hold\n{got}", path.display());
}

#[test]
fn settings_outside_their_range_are_named() {
    let clip = speech("speech_a2.wav");
    let opus = Opus { kbps: 16, mode: OpusMode::Voip, complexity: 10, loss: None, fec: false };
    let bursts = LossModel::Bursts { rate: 0.9, burst: 1.0, bad_loss: 1.0 };
    for (codec, name) in [
        (Codec::Opus(Opus { kbps: 5, ..opus }), "Opus kbps"),
        (Codec::Opus(Opus { kbps: 65, ..opus }), "Opus kbps"),
        (Codec::Opus(Opus { complexity: 11, ..opus }), "Opus complexity"),
        (Codec::Opus(Opus { loss: Some(LossModel::Random { rate: -0.1 }), ..opus }), "loss rate"),
        (Codec::Opus(Opus { loss: Some(LossModel::Random { rate: f64::NAN }), fec: true, ..opus }), "loss rate"),
        (Codec::Opus(Opus { loss: Some(bursts), ..opus }), "burst"),
        (Codec::Aac { kbps: 11 }, "AAC kbps"),
        (Codec::Aac { kbps: 97 }, "AAC kbps"),
        (Codec::Vorbis { quality: 1.01 }, "Vorbis quality"),
        (Codec::Vorbis { quality: f64::NAN }, "Vorbis quality"),
        (Codec::Mp3 { kbps: 0 }, "MP3 kbps"),
        (Codec::Mp3 { kbps: 56 }, "MP3 kbps"),
        (Codec::Mp3 { kbps: u32::MAX }, "MP3 kbps"),
    ] {
        match apply(codec, &clip) {
            Err(DegradeError::Parameter { parameter, .. }) => assert_eq!(parameter, name),
            Err(DegradeError::NoEncoder { codec: "MP3", .. }) if cfg!(not(feature = "mp3")) => {}
            other => panic!("{name}: {:?}", other.map(|(_, receipt)| receipt)),
        }
    }
}

#[test]
fn mp3_above_160_kbps_goes_through_48_khz() {
    if cfg!(not(feature = "mp3")) {
        return;
    }
    let clip = speech("speech_a0.wav");
    for (kbps, rate_hz) in
        [(64, 16_000.0), (160, 16_000.0), (192, 48_000.0), (224, 48_000.0), (256, 48_000.0), (320, 48_000.0)]
    {
        let (samples, receipt) = apply(Codec::Mp3 { kbps }, &clip).unwrap();
        let got = (achieved(&receipt, "kbps"), achieved(&receipt, "coded_rate_hz"));
        assert_eq!(got, (f64::from(kbps), rate_hz));
        let (snr, shift) = (snr_best_gain_db(&clip, &samples).0, lag(&clip, &samples, 2000));
        println!("MP3 {kbps}: SNR {snr:.1} dB, lag {shift}");
        assert!(shift.abs() <= 1 && snr > 25.0, "MP3 {kbps}: SNR {snr}, lag {shift}");
    }
}

#[test]
fn opus_settings_reach_the_encoder() {
    let clip = speech("speech_a0.wav");
    let snr = |recipe: &str| snr_best_gain_db(&clip, &run(recipe, &clip, "c/1").unwrap().0).0;
    let (voip, audio) = (snr("opus(kbps=32)"), snr("opus(kbps=32, mode=audio)"));
    // VoIP mode removes what lies below the voice, which costs SNR.
    assert!(audio > voip + 2.0, "VoIP {voip}, audio {audio}");
    assert_ne!(voip, snr("opus(kbps=32, complexity=0)"));
}

#[test]
fn opus_conceals_and_recovers_lost_packets() {
    let clip: Vec<f32> = SPEECH.iter().flat_map(|name| speech(name)).collect();
    let get = |recipe: &str| {
        let (samples, receipt) = run(recipe, &clip, "c/1").unwrap();
        (snr_best_gain_db(&clip, &samples).1, samples, receipt)
    };
    // Two decoders, one result: SILK is integer arithmetic, CELT is not.
    for (recipe, most) in [("kbps=16", 0.0), ("kbps=24", 0.0), ("kbps=64", 4.0), ("kbps=24, mode=audio", 4.0)] {
        let (_, plain, _) = get(&format!("opus({recipe})"));
        let (_, none, _) = get(&format!("opus({recipe}, loss=0)"));
        let worst = plain.iter().zip(&none).map(|(a, b)| (a - b).abs() * 32_768.0).fold(0.0, f32::max);
        assert!(worst <= most, "{recipe}: {worst} steps of 16 bits");
    }
    let receipt = get("opus(kbps=16, loss=0)").2;
    assert_eq!((achieved(&receipt, "packets_lost"), achieved(&receipt, "packets_recovered")), (0.0, 0.0));
    let (correlation, _, receipt) = get("opus(kbps=24, loss=0.2)");
    let packets = achieved(&receipt, "packets");
    let want = ((clip.len() + achieved(&receipt, "delay_removed_samples") as usize) as f64 / 320.0).ceil();
    assert_eq!(packets, want);
    let lost = achieved(&receipt, "packets_lost");
    assert!((lost / packets - 0.2).abs() < 5.0 * (0.16 / packets).sqrt(), "{lost} of {packets}");
    assert!(achieved(&receipt, "longest_loss") >= 2.0);
    assert_eq!(achieved(&receipt, "packets_recovered"), 0.0);
    // Voiced speech goes on in its pitch: far better than silence in the gaps would be.
    let (corrected, _, receipt) = get("opus(kbps=24, loss=0.2, fec=on)");
    let recovered = achieved(&receipt, "packets_recovered");
    println!("correlation {correlation:.4}, with FEC {corrected:.4}; {recovered} of {lost} recovered");
    assert!(recovered > 0.3 * lost && recovered < lost, "{recovered} of {lost}");
    assert!(corrected > correlation + 0.02, "{correlation}, with FEC {corrected}");
    // Everything lost: the decoder has nothing to conceal from.
    let (_, silence, _) = get("opus(kbps=24, loss=1, fec=on)");
    assert!(silence.iter().all(|x| x.abs() < 1e-3));
}

#[test]
fn opus_losses_leave_the_rest_alone() {
    let clip = speech("speech_a1.wav");
    let plain = run("opus(kbps=24)", &clip, "c/1").unwrap().0;
    let (lossy, receipt) = run("opus(kbps=24, loss=0.02)", &clip, "c/1").unwrap();
    let first = plain.iter().zip(&lossy).position(|(a, b)| a != b).unwrap();
    let delay = achieved(&receipt, "delay_removed_samples") as usize;
    // Sound is the same up to the first lost packet, which starts late by the delay of SILK's resampler, 13 samples.
    assert_eq!((first + delay) % 320, 13, "first difference at {first}, delay {delay}");
}

#[test]
fn aac_reaches_its_bit_rate_and_more_is_better() {
    let clip: Vec<f32> = SPEECH.iter().flat_map(|name| speech(name)).collect();
    let figures = [12, 16, 24, 32, 48, 64, 80, 96].map(|kbps| {
        let (samples, receipt) = apply(Codec::Aac { kbps }, &clip).unwrap();
        (kbps, achieved(&receipt, "kbps"), snr_best_gain_db(&clip, &samples).0)
    });
    println!("{figures:.1?}");
    assert!(figures.iter().all(|(asked, got, _)| (got / f64::from(*asked) - 1.0).abs() < 0.05), "{figures:?}");
    assert!(figures.windows(2).all(|w| w[0].2 < w[1].2), "{figures:?}");
}

#[test]
fn vorbis_quality_is_bit_rate_and_fidelity() {
    let clip = speech("speech_a0.wav");
    let figures = ["-0.1", "0.2", "0.5", "1"].map(|quality| {
        let (samples, receipt) = run(&format!("vorbis(quality={quality})"), &clip, "c/1").unwrap();
        assert!(receipt.steps[0].facts.iter().any(|(k, v)| k == "encoder" && v.contains("aoTuV")), "{receipt:?}");
        (achieved(&receipt, "kbps"), snr_best_gain_db(&clip, &samples).0)
    });
    println!("{figures:.1?}");
    assert!(figures.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1), "{figures:?}");
}

/// The cases of `golden/vectors/telephone_codecs.json`: FFmpeg's G.722, libgsm and audioop, coded and decoded, bit by bit.
#[test]
fn telephone_codecs_match_other_implementations() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/vectors/telephone_codecs.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len() as u64, file["count"].as_u64().unwrap());
    let bytes = |samples: &[i16]| samples.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let mut wrong = Vec::new();
    for case in cases {
        let text = |key: &str| case[key].as_str().unwrap();
        let (codec, input) = (text("codec"), text("input"));
        let (step, block) = if codec == "gsm" && input != "square" { (2, 160) } else { (1, 2) };
        let mut x = match input {
            "square" => square(),
            "every" => (i16::MIN..=i16::MAX).collect(),
            _ => pcm(&speech(input)).into_iter().step_by(step).collect(),
        };
        x.truncate(x.len() / block * block);
        assert_eq!(sha256_hex(&bytes(&x)), text("input_sha256"), "{codec} {input}: another input");
        let coded = match codec {
            "mulaw" => g711::encode_mulaw(&x),
            "alaw" => g711::encode_alaw(&x),
            "adpcm" => adpcm::encode(&x).0,
            "gsm" => gsm::encode(&x),
            _ => g722::encode(&x),
        };
        let decode = match codec {
            "mulaw" => g711::decode_mulaw,
            "alaw" => g711::decode_alaw,
            "adpcm" => adpcm::decode,
            "gsm" => gsm::decode,
            _ => g722::decode,
        };
        let start: Vec<String> = coded.iter().take(99).map(|b| format!("{b:02x}")).collect();
        if sha256_hex(&coded) != text("coded_sha256") {
            wrong.push(format!("{codec} {input}: coded {}\n want {}", start.concat(), text("coded_start")));
        } else if sha256_hex(&bytes(&decode(&coded))) != text("decoded_sha256") {
            wrong.push(format!("{codec} {input}: decoded {:?}", &decode(&coded)[..20]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Square waves of several periods at full scale, then silence.
fn square() -> Vec<i16> {
    let at = |i: usize| if i / (7 + i / 800 * 5) % 2 == 1 { i16::MAX } else { i16::MIN };
    (0..4000).map(|i| if i < 3200 { at(i) } else { 0 }).collect()
}

#[test]
fn g722_survives_any_input() {
    let mut state = 1u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as i16
    };
    let noise: Vec<i16> = (0..4001).map(|_| random()).collect();
    let coded = g722::encode(&noise);
    assert_eq!((coded.len(), g722::decode(&coded).len()), (2001, 4002));
    assert_eq!(decode_g722(&coded).len(), 4002);
    let bytes: Vec<u8> = noise.iter().map(|x| *x as u8).collect();
    assert_eq!(g722::decode(&bytes).len(), 8002);
    assert!(g722::encode(&[]).is_empty() && gsm::encode(&[]).is_empty() && adpcm::encode(&[]).0.is_empty());
    assert!(gsm::decode(&[0; 32]).is_empty());
    assert!(g711::encode_mulaw(&[]).is_empty() && g711::decode_alaw(&[]).is_empty());
}
