//! Pulls every registered pronouncing dictionary by its package client and says what came.
//!
//! `cargo run --release -p vbench-fetch --example check_lexicons`
//!
//! Sizes and hashes are checked by the pull itself: it fails where a package or a file is not the pinned one.

use std::error::Error;

use vbench_fetch::{Cache, Clients, Registry, lexicon_status, pull_lexicon};

#[expect(clippy::print_stdout, reason = "an example reports to its user")]
fn main() -> Result<(), Box<dyn Error>> {
    let root = std::env::temp_dir().join(format!("vbench-check-lexicons-{}", std::process::id()));
    let cache = Cache::open(Some(root.clone()))?;
    for entry in &Registry::embedded()?.lexicons {
        let folder = pull_lexicon(entry, &cache, &Clients::default(), &mut |_| {})?;
        if !lexicon_status(entry, &cache)?.is_verified() {
            return Err(format!("{} is not verified after its pull", entry.name).into());
        }
        for file in &entry.files {
            println!("{}: {} bytes", folder.join(&file.name).display(), file.size);
        }
    }
    std::fs::remove_dir_all(&root)?;
    Ok(())
}
