//! Any bytes as a Debian package, with limits of 1 MiB.
#![no_main]
use libfuzzer_sys::fuzz_target;
use vbench_fetch::deb::{Limits, read_deb};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { unpacked: 1 << 20, file: 1 << 16, entries: 100, xz_memory_kib: 1 << 14 };
    vbench_fuzz::with_file("x.deb", bytes, |dir| {
        let _ = read_deb(&dir.join("x.deb"), &limits, &mut |_| true);
    });
});
