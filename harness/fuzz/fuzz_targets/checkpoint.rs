//! Any bytes as the `model.bin` of CTranslate2.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    vbench_fuzz::with_file("model.bin", bytes, |dir| {
        let _ = ref_models::checkpoint::ct2::read(dir);
    });
});
