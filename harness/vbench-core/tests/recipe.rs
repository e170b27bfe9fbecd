//! Recipes of any legal parameters read back as they are written; any text is read or refused in words.

use proptest::prelude::*;
use vbench_core::Condition;
use vbench_core::condition::MP3_KBPS;

fn number(lo: f64, hi: f64) -> impl Strategy<Value = String> {
    (lo..hi).prop_map(|v| format!("{v:.3}"))
}

/// A step as text, with every parameter anywhere in its range.
fn step() -> impl Strategy<Value = String> {
    let word = |words: &'static [&'static str]| (0..words.len()).prop_map(move |i| words[i]);
    prop_oneof![
        (word(&["speech-shaped", "white", "pink", "brown", "hum", "babble"]), number(-40.0, 80.0))
            .prop_map(|(kind, snr)| format!("noise(kind={kind}, snr_db={snr})")),
        (1u32..64, number(-40.0, 80.0))
            .prop_map(|(n, snr)| format!("noise(kind=babble, talkers={n}, snr_db={snr}, level=rms)")),
        (number(3.0, 100.0), number(0.05, 10.0), number(0.1, 2.0)).prop_map(|(side, t, d)| {
            format!("reverb(size_m={side}x{side}x{side}, rt60_s={t}, formula=eyring, distance_m={d})")
        }),
        number(0.01, 0.99)
            .prop_map(|a| format!("reverb(size_m=5x4x3, absorption={a}, source_m=1x1x1, microphone_m=2x2x2)")),
        (0..MP3_KBPS.len()).prop_map(|i| format!("mp3(kbps={})", MP3_KBPS[i])),
        (6u32..=64, 0u32..=10, number(0.0, 0.9), word(&["on", "off"]))
            .prop_map(|(k, c, l, f)| format!("opus(kbps={k}, mode=audio, complexity={c}, loss={l}, fec={f})")),
        (number(0.0, 0.4), number(1.0, 100.0), number(0.5, 1.0))
            .prop_map(|(l, b, h)| format!("loss(loss={l}, burst={b}, bad_loss={h}, packet_ms=10, fill=repeat)")),
        (number(0.0, 500.0), number(0.0, 500.0)).prop_map(|(j, b)| format!("loss(jitter_ms={j}, buffer_ms={b})")),
        number(-24.0, 24.0).prop_map(|s| format!("pitch(semitones={s})")),
        word(&["mulaw", "alaw", "g722", "gsm", "adpcm", "narrowband", "agc"]).prop_map(str::to_owned),
    ]
}

proptest! {
    #[test]
    fn what_is_written_reads_back(steps in prop::collection::vec(step(), 0..5)) {
        let text = steps.join(" | ");
        let condition = Condition::from_recipe("x", &text).map_err(|p| TestCaseError::fail(format!("{text}: {p:?}")))?;
        prop_assert_eq!(condition.steps.len(), steps.len());
        let again = Condition::from_recipe("x", &condition.recipe());
        prop_assert_eq!(again, Ok(condition));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
        if let Err(problems) = Condition::from_recipe("x", &text) {
            prop_assert!(!problems.is_empty() && problems.iter().all(|p| !p.message.is_empty()));
        }
    }
}
