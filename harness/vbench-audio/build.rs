//! Fingerprint of the code that shapes degraded audio: this crate, the signal processing and the recipes beneath it, and
//! the lock file for everything else.

use std::path::{Path, PathBuf};

fn main() {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut files = Vec::new();
    for folder in ["src", "../vbench-dsp/src", "../vbench-core/src"] {
        println!("cargo:rerun-if-changed={folder}");
        collect(&root.join(folder), &mut files);
    }
    println!("cargo:rerun-if-changed=../../Cargo.lock");
    files.push(root.join("../../Cargo.lock"));
    files.sort();
    // FNV-1a, 64 bits, over the contents: a fingerprint, not a defence.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for file in &files {
        for byte in std::fs::read(file).unwrap_or_default() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    let mp3 = if std::env::var_os("CARGO_FEATURE_MP3").is_some() { "mp3" } else { "no-mp3" };
    println!("cargo:rustc-env=VBENCH_AUDIO_CODE_VERSION={hash:016x}-{mp3}");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
