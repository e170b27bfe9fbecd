//! Channel conditions through the public interface: lengths, levels, identity, determinism, hostile input.

mod common;

use common::speech;
use proptest::prelude::*;
use vbench_audio::{DegradeContext, DegradeError, active_speech_level, degrade};
use vbench_core::{Condition, Degradation, Receipt};

fn condition(text: &str) -> Condition {
    Condition::from_recipe("x", text).unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
}

fn run(clip: &[f32], text: &str, utterance: &str) -> (Vec<f32>, Receipt) {
    let context = DegradeContext { seed: 7, utterance, corpus_spectrum: None, recordings: None };
    degrade(clip, &condition(text), &context).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn achieved(receipt: &Receipt, name: &str) -> f64 {
    let found = receipt.steps.iter().flat_map(|s| &s.achieved).find(|(n, _)| n == name);
    found.unwrap_or_else(|| panic!("no {name} in {receipt:?}")).1
}

/// One of each kind, in strengths that change every clip of speech.
const STEPS: [&str; 15] = [
    "dropouts(per_minute=120, mean_ms=80)",
    "clip(below_peak_db=12)",
    "gain(db=-6)",
    "dc(offset=0.05)",
    "band(low_hz=300, high_hz=3400)",
    "rate-mismatch(recorded_hz=16000, declared_hz=16320)",
    "speed(factor=1.1)",
    "speed(factor=0.9)",
    "tempo(factor=1.1)",
    "tempo(factor=0.9)",
    "pitch(semitones=2)",
    "pitch(semitones=-3)",
    "microphone(kind=handset)",
    "microphone(kind=muffled)",
    "agc",
];

/// Every step at strength zero.
const NOTHING: [&str; 9] = [
    "dropouts(per_minute=0, mean_ms=80)",
    "clip(below_peak_db=0)",
    "gain(db=0)",
    "dc(offset=0)",
    "band",
    "rate-mismatch(recorded_hz=44100, declared_hz=44100)",
    "speed(factor=1)",
    "tempo(factor=1)",
    "pitch(semitones=0)",
];

/// Output length that a recipe promises.
fn promised_len(n: usize, text: &str) -> usize {
    let scaled = |factor: f64| ((n as f64 / factor).round() as usize).max(1);
    match &condition(text).steps[0] {
        Degradation::Speed { factor } | Degradation::Tempo { factor } => scaled(*factor),
        Degradation::RateMismatch { recorded_hz, declared_hz } => scaled(declared_hz / recorded_hz),
        _ => n,
    }
}

#[test]
fn speech_keeps_the_promised_length_and_lies_on_the_grid() {
    let clip = speech("speech_a0.wav");
    for text in STEPS {
        let (samples, receipt) = run(&clip, text, "c/1");
        assert_eq!(samples.len(), promised_len(clip.len(), text), "{text}");
        assert_ne!(samples, clip, "{text}");
        let on_grid = samples.iter().all(|x| (x * 32_768.0).fract() == 0.0 && (-1.0..1.0).contains(x));
        assert!(on_grid, "{text}");
        assert_eq!(receipt.steps[0].recipe, condition(text).recipe());
        assert!(receipt.steps[0].achieved.iter().all(|(_, v)| v.is_finite()), "{receipt:?}");
    }
}

#[test]
fn speech_survives_what_should_not_hurt_it() {
    // Steps that keep the waveform apart from a filter or a gain: no delay, no lost sample.
    let clip = speech("speech_a1.wav");
    for text in ["band(low_hz=100, high_hz=7000)", "microphone(kind=headset)", "microphone(kind=handset)", "agc"] {
        let (samples, _) = run(&clip, text, "c/1");
        assert_eq!(common::lag(&clip, &samples, 20), 0, "{text}");
    }
    // There and back again.
    let (samples, receipt) = run(&clip, "speed(factor=0.8) | speed(factor=1.25)", "c/1");
    assert_eq!(samples.len(), clip.len());
    // The length is a whole number of samples, hence not exactly 1.25.
    assert!((achieved(&receipt, "time_scale") - 1.25).abs() <= 0.5 / clip.len() as f64, "{receipt:?}");
    let (snr, _) = common::snr_best_gain_db(&clip, &samples);
    assert!(snr > 25.0, "{snr} dB");
}

#[test]
fn gain_saturates_and_is_counted() {
    let clip = speech("speech_a0.wav");
    let (samples, receipt) = run(&clip, "gain(db=20)", "c/1");
    let expected = clip.iter().filter(|x| !(-1.0..1.0).contains(&(f64::from(**x) * 10.0))).count();
    assert!(expected > 100, "the test needs saturation: {expected}");
    assert_eq!(achieved(&receipt, "clipped_samples"), expected as f64);
    let at_rail = samples.iter().filter(|x| **x == -1.0 || **x == 32_767.0 / 32_768.0).count();
    assert!(at_rail >= expected, "{at_rail} of {expected}");
}

#[test]
fn quiet_speech_is_brought_to_the_target() {
    for name in ["speech_a0.wav", "speech_a1.wav", "speech_a2.wav"] {
        let speech = speech(name);
        let level = active_speech_level(&speech, 16_000).unwrap().active_dbfs;
        for from_dbfs in [-50.0, -40.0, -30.0] {
            let gain = 10f64.powf((from_dbfs - level) / 20.0);
            // Three times over: the first pass is for settling.
            let x: Vec<f32> =
                speech.iter().cycle().take(3 * speech.len()).map(|v| (f64::from(*v) * gain) as f32).collect();
            let (samples, _) = run(&x, "agc(target_dbfs=-23)", name);
            let settled = active_speech_level(&samples[speech.len()..], 16_000).unwrap().active_dbfs;
            assert!((settled + 23.0).abs() < 2.0, "{name} from {from_dbfs} dB: {settled} dB");
        }
    }
}

#[test]
fn tempo_and_pitch_of_speech_keep_its_level() {
    let clip = speech("speech_a2.wav");
    let before = active_speech_level(&clip, 16_000).unwrap().active_dbfs;
    for text in ["tempo(factor=0.8)", "tempo(factor=1.25)", "pitch(semitones=3)", "pitch(semitones=-3)"] {
        let (samples, _) = run(&clip, text, "c/1");
        let after = active_speech_level(&samples, 16_000).unwrap().active_dbfs;
        assert!((after - before).abs() < 1.0, "{text}: {before} to {after} dB");
        // No clicks: the steepest slope is about that of the input.
        let steepest = |x: &[f32]| x.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(steepest(&samples) < 1.5 * steepest(&clip), "{text}: {}", steepest(&samples) / steepest(&clip));
    }
}

#[test]
fn drop_outs_differ_between_utterances_and_not_between_runs() {
    let clip: Vec<f32> = speech("speech_a0.wav").into_iter().cycle().take(320_000).collect();
    let text = "dropouts(per_minute=60, mean_ms=100)";
    let (a, receipt) = run(&clip, text, "c/1");
    assert_eq!(a, run(&clip, text, "c/1").0);
    assert_ne!(a, run(&clip, text, "c/2").0);
    // 20 expected in 20 s; six standard deviations are 27.
    assert!((1.0..47.0).contains(&achieved(&receipt, "gaps")), "{receipt:?}");
    assert!((0.01..0.4).contains(&achieved(&receipt, "gap_share")), "{receipt:?}");
}

#[test]
fn wrong_parameters_are_named() {
    let step = Degradation::Speed { factor: f64::NAN };
    let bad = Condition { steps: vec![step], ..condition("speed(factor=2)") };
    let context = DegradeContext { seed: 7, utterance: "c/1", corpus_spectrum: None, recordings: None };
    let got = degrade(&[0.1; 100], &bad, &context);
    assert!(matches!(got, Err(DegradeError::Parameter { parameter: "factor", .. })), "{got:?}");
}

/// Finite samples: mostly audio, some of any size.
fn clips(max_len: usize) -> impl Strategy<Value = Vec<f32>> {
    let audio = (-32_768i32..32_768).prop_map(|v| v as f32 / 32_768.0);
    let any = any::<f32>().prop_filter("finite", |v| v.is_finite());
    prop_oneof![
        4 => prop::collection::vec(audio, 1..max_len),
        1 => prop::collection::vec(any, 1..max_len),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn strength_zero_is_the_identity(clip in prop::collection::vec(-32_768i32..32_768, 1..2_000)) {
        let clip: Vec<f32> = clip.iter().map(|v| *v as f32 / 32_768.0).collect();
        for text in NOTHING {
            prop_assert_eq!(&run(&clip, text, "c/1").0, &clip, "{}", text);
        }
    }

    #[test]
    fn any_finite_input_gives_finite_output_of_the_promised_length(clip in clips(3_000)) {
        for text in STEPS {
            let (samples, receipt) = run(&clip, text, "c/1");
            prop_assert!(samples.iter().all(|x| x.is_finite()), "{}", text);
            prop_assert_eq!(samples.len(), promised_len(clip.len(), text), "{}", text);
            prop_assert!(receipt.steps[0].achieved.iter().all(|(_, v)| v.is_finite()), "{:?}", receipt);
            prop_assert_eq!(&run(&clip, text, "c/1").0, &samples, "{}", text);
        }
    }

    #[test]
    fn any_factor_keeps_the_length_rule(clip in clips(2_000), factor in 0.25f64..4.0, semitones in -24.0f64..24.0) {
        for text in [format!("speed(factor={factor})"), format!("tempo(factor={factor})"), format!("pitch(semitones={semitones})"),
            format!("rate-mismatch(recorded_hz=16000, declared_hz={})", 16_000.0 * factor)] {
            let (samples, _) = run(&clip, &text, "c/1");
            prop_assert!(samples.iter().all(|x| x.is_finite()), "{}", text);
            prop_assert_eq!(samples.len(), promised_len(clip.len(), &text), "{}", text);
        }
    }
}
