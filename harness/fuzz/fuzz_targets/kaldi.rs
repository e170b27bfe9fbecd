//! Any bytes as the files of a Kaldi data folder.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| vbench_fuzz::corpus::kaldi(bytes));
