//! Any bytes as sclite's stm.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| vbench_fuzz::formats::stm(bytes));
