//! Any bytes as LibriSpeech's speakers and transcripts.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| vbench_fuzz::corpus::librispeech(bytes));
