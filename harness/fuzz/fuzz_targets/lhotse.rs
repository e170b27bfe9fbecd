//! Any bytes as Lhotse's cuts, recordings and supervisions.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| vbench_fuzz::corpus::lhotse(bytes));
