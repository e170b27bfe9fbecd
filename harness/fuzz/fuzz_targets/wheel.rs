//! Any bytes as a wheel; the member `m` is unpacked, at most 1 MiB of it.
#![no_main]
use libfuzzer_sys::fuzz_target;
use vbench_fetch::{digest::Hasher, wheel::Wheel};

fuzz_target!(|bytes: &[u8]| {
    vbench_fuzz::with_file("x.whl", bytes, |dir| {
        let Ok(mut wheel) = Wheel::open(&dir.join("x.whl")) else { return };
        let _ = wheel.extract("m", &mut std::io::sink(), dir, &mut Hasher::new(), 1 << 20);
    });
});
