//! Any bytes as NeMo's manifests and the metadata of audio folders.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| vbench_fuzz::corpus::json_lines(bytes));
