//! Any bytes as CORAAL's metadata and transcripts.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| vbench_fuzz::corpus::coraal(bytes));
