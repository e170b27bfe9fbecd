//! Any bytes as two of sclite's trn, parted by a form feed.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| vbench_fuzz::formats::trn(bytes));
