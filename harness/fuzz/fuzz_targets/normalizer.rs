//! Any text through every normaliser.
#![no_main]
use libfuzzer_sys::fuzz_target;
use vbench_score::Normalizer;

fuzz_target!(|text: &str| {
    for normalizer in Normalizer::ALL {
        let _ = normalizer.normalize(text);
    }
});
