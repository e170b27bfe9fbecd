//! Any text as the lines of a manifest.
#![no_main]
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|text: &str| {
    let _ = vbench_suite::manifest::parse_manifest("corpus", Path::new("corpus/manifest.jsonl"), text);
});
