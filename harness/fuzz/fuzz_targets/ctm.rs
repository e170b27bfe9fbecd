//! Any bytes as an stm and a ctm, parted by a form feed.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| vbench_fuzz::formats::ctm(bytes));
