//! Any text as a suite.
#![no_main]
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|text: &str| {
    let _ = vbench_suite::parse::parse_suite(Path::new("suite.toml"), text);
});
