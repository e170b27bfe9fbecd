//! Any text through every normaliser; an explanation ends in the same text.
#![no_main]
use libfuzzer_sys::fuzz_target;
use vbench_score::Normalizer;

fuzz_target!(|text: &str| {
    for normalizer in Normalizer::ALL {
        let once = normalizer.normalize(text);
        assert_eq!(normalizer.explain(text).text, once);
        if matches!(normalizer, Normalizer::None | Normalizer::ScriptSafe { .. }) {
            assert_eq!(normalizer.normalize(&once), once);
        }
    }
});
