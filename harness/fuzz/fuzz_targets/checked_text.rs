//! Any text as the reference of an utterance.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| vbench_fuzz::corpus::checked_text(bytes));
