//! Any bytes as files of pairs: JSONL, CSV, TSV, two texts, Kaldi text, SegLST.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| vbench_fuzz::formats::pairs(bytes));
