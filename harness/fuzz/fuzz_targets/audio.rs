//! Any bytes as an audio file, at most a minute long.
#![no_main]
use libfuzzer_sys::fuzz_target;
use vbench_audio::{DecodeOptions, decode_bytes};

fuzz_target!(|bytes: &[u8]| {
    let options = DecodeOptions { max_duration_s: 60.0, ..DecodeOptions::default() };
    if let Ok(decoded) = decode_bytes(bytes, &options) {
        assert!(decoded.samples.iter().all(|x| x.is_finite()));
    }
});
