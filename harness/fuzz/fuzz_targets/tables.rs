//! Any bytes as CSV, TSV and Common Voice.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| vbench_fuzz::corpus::tables(bytes));
