//! Noise on random speech: the SNR that was asked for, never a clipped sample, the same bytes again.

mod common;

use common::speech;
use proptest::prelude::*;
use vbench_audio::{DegradeContext, SpectrumAccumulator, active_speech_level, degrade, rms_dbfs};
use vbench_core::Condition;

/// Pieces of the oracles' sentences at any level, with any pauses between them.
fn talk() -> impl Strategy<Value = Vec<f32>> {
    let piece = (0usize..3, 0usize..40_000, 4_000usize..20_000, -45.0f64..0.0, 0usize..12_000);
    prop::collection::vec(piece, 1..4).prop_map(|pieces| {
        let mut out = Vec::new();
        for (sentence, start, len, level_db, pause) in pieces {
            let samples = speech(["speech_a0.wav", "speech_a1.wav", "speech_a2.wav"][sentence]);
            let gain = 10f64.powf(level_db / 20.0);
            out.extend(samples[start..start + len].iter().map(|x| (f64::from(*x) * gain) as f32));
            out.extend(std::iter::repeat_n(0.0, pause));
        }
        out
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_snr_is_met_on_random_speech(
        clip in talk(),
        kind in (0usize..5).prop_map(|i| ["speech-shaped", "white", "pink", "brown", "hum"][i]),
        snr_db in -10.0f64..30.0,
        rms in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let mut accumulator = SpectrumAccumulator::new();
        accumulator.add("a", &speech("speech_a0.wav"));
        let spectrum = accumulator.finish().expect("speech");
        let context = DegradeContext { seed, utterance: "c/u", corpus_spectrum: Some(&spectrum), recordings: None };
        let level = if rms { "rms" } else { "active" };
        let condition = Condition::from_recipe("x", &format!("noise(kind={kind}, snr_db={snr_db}, level={level})"))
            .expect("a recipe");
        let wanted = if rms { Some(rms_dbfs(&clip)) } else { active_speech_level(&clip, 16_000).map(|l| l.active_dbfs) };
        prop_assume!(wanted.is_some_and(|l| l.is_finite() && l - snr_db > -75.0));
        let (samples, receipt) = degrade(&clip, &condition, &context).expect("noise");
        let achieved = |name: &str| {
            receipt.steps[0].achieved.iter().find(|(n, _)| n == name).expect("an achieved value").1
        };
        // Measured from outside: the output less the input at the common gain.
        let gain = 10f64.powf(achieved("gain_db") / 20.0);
        let power = samples.iter().zip(&clip).map(|(y, x)| (f64::from(*y) - gain * f64::from(*x)).powi(2)).sum::<f64>();
        let noise_dbfs = 10.0 * (power / clip.len() as f64).log10();
        let measured = wanted.expect("a level") + achieved("gain_db") - noise_dbfs;
        prop_assert!((measured - snr_db).abs() <= 0.0501, "{measured} for {snr_db}");
        prop_assert!((achieved("achieved_snr_db") - measured).abs() < 1e-3);
        prop_assert!(samples.iter().all(|x| x.abs() < 1.0) && gain <= 1.0);
        prop_assert_eq!(degrade(&clip, &condition, &context).expect("noise").0, samples);
    }
}
